//! The console from its configuration, and its caller where it runs in the same process.

pub use crate::console::Settings;

use super::App;
use crate::bearer::{Bearer, BearerUnusable};
use crate::clock::Clock;
use crate::config::{Look, Mail};
use crate::console::{self, Logo, Relatch, SessionsUnusable};
use crate::domain::call::CallerName;
use crate::domain::caller::{CallerCredential, CallerStanza, CallerToken, ScopeUnreadable};
use crate::random::{self, NoEntropy, Random, SystemRandom};
use axum::Router;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// The longest file of a logo.
const LONGEST_LOGO: usize = 32 * 1024;

/// Why there can be no pages. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum ConsoleRefused {
    /// The file with who is signed in.
    #[error("[console] directory: {0}")]
    Sessions(#[from] SessionsUnusable),
    /// The file with the logo.
    #[error("[console] logo_file: {0} cannot be read: {1}")]
    Logo(PathBuf, io::Error),
    /// It is no such picture.
    #[error("[console] logo_file: {0} must be a PNG or an SVG of at most 32 KiB")]
    NoPicture(PathBuf),
    /// The token.
    #[error(transparent)]
    Token(#[from] BearerUnusable),
    /// A scope is not one.
    #[error(transparent)]
    Scope(#[from] ScopeUnreadable),
    /// There is no entropy.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// The caller that a console in the same process is, with a token that nobody else ever learns.
pub(super) struct OwnCaller {
    /// Its token.
    pub(super) token: CallerToken,
    /// How it is known.
    pub(super) stanza: CallerStanza,
}

impl OwnCaller {
    /// A new one.
    pub(super) fn draw() -> Result<Self, ConsoleRefused> {
        let token = CallerToken::from_bytes(&random::array(&SystemRandom)?);
        let scopes = console::SCOPES.map(str::parse);
        let stanza = CallerStanza {
            name: CallerName::console(),
            credential: CallerCredential::TokenSha256(token.sha256()),
            scopes: scopes.into_iter().collect::<Result<_, _>>()?,
        };
        Ok(Self { token, stanza })
    }
}

/// What pages are given by this configuration, found by browsers at `origin`, with their file in `directory`.
pub fn settings(
    look: &Look,
    mail: &Mail,
    origin: String,
    directory: PathBuf,
) -> Result<Settings, ConsoleRefused> {
    let security_contact = look.security_contact.as_ref();
    let networks = look.trusted_proxies.clone();
    Ok(Settings {
        origin,
        product_name: mail.product_name.clone(),
        support_contact: mail.support_contact.clone(),
        security_contact: security_contact.map(|contact| contact.as_str().to_owned()),
        accent: look.accent.as_str().to_owned(),
        logo: look.logo_file.as_deref().map(logo).transpose()?,
        trusted_proxies: Box::new(move |address| {
            networks.iter().any(|network| network.contains(&address))
        }),
        directory,
        inbox: None,
    })
}

fn logo(path: &Path) -> Result<Logo, ConsoleRefused> {
    let content = std::fs::read(path).map_err(|why| ConsoleRefused::Logo(path.to_owned(), why))?;
    let media_type = if content.starts_with(b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if content.starts_with(b"<svg") || content.starts_with(b"<?xml") {
        "image/svg+xml"
    } else {
        return Err(ConsoleRefused::NoPicture(path.to_owned()));
    };
    if content.len() > LONGEST_LOGO {
        return Err(ConsoleRefused::NoPicture(path.to_owned()));
    }
    Ok(Logo {
        media_type,
        content,
    })
}

impl App {
    /// The pages by these settings, which call this service as `caller`.
    pub(super) fn console(
        &self,
        settings: Settings,
        caller: &CallerToken,
    ) -> Result<Router, ConsoleRefused> {
        let bearer = Bearer::new(caller.expose())?;
        let relatch = Relatch::new(self.channel.clone(), Some(bearer));
        let (clock, random) = (&self.service.clock, &self.service.random);
        pages(settings, relatch, Arc::clone(clock), Arc::clone(random))
    }
}

/// The pages by these settings, which call Relatch so.
pub(super) fn pages(
    settings: Settings,
    relatch: Relatch,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Router, ConsoleRefused> {
    Ok(console::router(settings, relatch, clock, random)?)
}
