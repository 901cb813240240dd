//! The start, the switch of languages, and where password managers find the page that changes a password.

use super::Console;
use super::cookies::Cookie;
use super::forms::Filled;
use super::language::Language;
use super::shell::{see, send_on, with_cookie};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/", get(async || see("/security")))
        .route(
            "/.well-known/change-password",
            get(async || see("/security/password")),
        )
        .route("/language", post(switch))
}

/// The pages that can be shown again in another language.
const PAGES: [&str; 11] = [
    "/sign-in",
    "/forgot-password",
    "/reset",
    "/reset/done",
    "/cancel",
    "/cancel/done",
    "/security",
    "/security/password",
    "/security/factor",
    "/security/address",
    "/security/address/code",
];

#[derive(Deserialize)]
struct Switch {
    language: String,
    from: String,
    /// Of the link that the page was about, if it was about one.
    #[serde(default)]
    token: Zeroizing<String>,
}

/// Remembers the language, and leads back to where somebody was: to a page of this list, whatever the form says. A page
/// about a link is opened with it anew.
async fn switch(State(console): State<Arc<Console>>, Filled(switch): Filled<Switch>) -> Response {
    let back = PAGES.iter().filter(|page| switch.from.starts_with(**page));
    let back = back.max_by_key(|page| page.len());
    let response = match back.copied() {
        Some(page @ ("/reset" | "/cancel")) if !switch.token.is_empty() => send_on(page),
        back => see(back.unwrap_or("/")),
    };
    match Language::of_tag(&switch.language) {
        Some(language) => with_cookie(
            response,
            Cookie::Language,
            Some(language.tag()),
            console.secure,
        ),
        None => response,
    }
}
