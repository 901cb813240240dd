//! The web pages for people: sign in, forgot password, reset, profile → security.
//!
//! The reference client: it reaches Relatch over its gRPC API alone, by the generated stubs, in the same process as
//! elsewhere. It keeps who is signed in, and no password, token of a link or code for longer than a call takes.

mod advice;
mod assets;
mod client_address;
mod cookies;
mod forms;
mod language;
mod new_password;
mod problem;
mod proofs;
mod refused;
mod relatch;
mod session;
mod sessions;
mod settings;
mod shell;
mod visit;
mod words;

mod address;
mod cancel;
mod change;
mod factors;
mod forgot;
mod home;
mod reset;
mod security;
mod security_txt;
mod sign_in;

pub use self::relatch::{Relatch, SCOPES};
pub use self::sessions::SessionsUnusable;
pub use self::settings::{Logo, Networks, Settings};

use crate::clock::Clock;
use crate::random::{self, Random};
use crate::web::protected;
use assets::Assets;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use proofs::Proofs;
use sessions::Sessions;
use settings::Brand;
use std::sync::Arc;

/// What the pages stand on.
pub(crate) struct Console {
    relatch: Relatch,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    sessions: Sessions,
    proofs: Proofs,
    brand: Brand,
    assets: Assets,
    origin: String,
    security_contact: Option<String>,
    /// Whether browsers reach it by https.
    secure: bool,
    trusted_proxies: Networks,
}

/// The pages by these settings. Opens the file with the sessions, which no other process may have; connects to nothing
/// yet.
pub fn router(
    settings: Settings,
    relatch: Relatch,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Router, SessionsUnusable> {
    let sessions = Sessions::open(&settings.directory, random::array(&*random)?)?;
    let (assets, served) = assets::assets(&settings);
    let console = Arc::new(Console {
        relatch,
        clock,
        random,
        sessions,
        proofs: Proofs::default(),
        brand: Brand {
            product_name: settings.product_name,
            support_contact: settings.support_contact,
            inbox: settings.inbox,
        },
        assets,
        secure: settings.origin.starts_with("https://"),
        origin: settings.origin,
        security_contact: settings.security_contact,
        trusted_proxies: settings.trusted_proxies,
    });
    let router = served
        .merge(home::routes())
        .merge(security_txt::routes())
        .merge(forgot::routes())
        .merge(reset::routes())
        .merge(cancel::routes())
        .merge(sign_in::routes())
        .merge(security::routes())
        .merge(change::routes())
        .merge(factors::routes())
        .merge(address::routes())
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(DefaultBodyLimit::max(forms::LONGEST))
        .layer(from_fn_with_state(Arc::clone(&console), visit::around))
        .with_state(console);
    // Where a page has no policy of its own it shows nothing.
    let nothing = HeaderValue::from_static(
        "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    );
    Ok(protected(router, nothing))
}
