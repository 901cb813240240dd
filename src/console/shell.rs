//! What all pages have around what they are about.

use super::assets::Assets;
use super::language::Language;
use super::settings::Brand;
use super::visit::Visit;
use super::{Console, cookies::Cookie};
use crate::web;
use askama::Template;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

/// The frame of a page.
pub(super) struct Shell<'a> {
    pub(super) brand: &'a Brand,
    pub(super) assets: &'a Assets,
    pub(super) visit: &'a Visit,
    pub(super) signed_in: bool,
    /// The token of the link that the page is about, for the page in another language; empty for none.
    pub(super) link: &'a str,
}

impl<'a> Shell<'a> {
    /// Around a page for whoever asks.
    pub(super) const fn new(console: &'a Console, visit: &'a Visit) -> Self {
        Self {
            brand: &console.brand,
            assets: &console.assets,
            visit,
            signed_in: false,
            link: "",
        }
    }

    /// Around a page about the link with this token.
    pub(super) const fn about(console: &'a Console, visit: &'a Visit, link: &'a str) -> Self {
        Self {
            link,
            ..Self::new(console, visit)
        }
    }

    /// Around a page for somebody who is signed in.
    pub(super) const fn signed_in(console: &'a Console, visit: &'a Visit) -> Self {
        Self {
            signed_in: true,
            ..Self::new(console, visit)
        }
    }

    /// The text of the page's language.
    pub(super) const fn say<'t>(&self, english: &'t str, german: &'t str) -> &'t str {
        self.visit.language.say(english, german)
    }

    /// What binds a form to the browser that is shown it.
    pub(super) fn token(&self) -> String {
        // Base64url: nothing to escape.
        let form = &self.visit.form;
        format!(r#"<input type="hidden" name="form" value="{form}">"#)
    }

    pub(super) const fn language(&self) -> Language {
        self.visit.language
    }
}

/// A page with this status.
pub(super) fn show(status: StatusCode, template: &impl Template) -> Response {
    let mut response = web::page(template);
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

/// Leads a browser to a page of ours, by GET.
pub(super) fn see(path: &'static str) -> Response {
    let location = [(LOCATION, HeaderValue::from_static(path))];
    (StatusCode::SEE_OTHER, location).into_response()
}

/// Has a browser send the same form to a page of ours.
pub(super) fn send_on(path: &'static str) -> Response {
    let location = [(LOCATION, HeaderValue::from_static(path))];
    (StatusCode::TEMPORARY_REDIRECT, location).into_response()
}

/// `response`, after which the browser has the cookie or, without a value, has it not.
pub(super) fn with_cookie(
    mut response: Response,
    cookie: Cookie,
    value: Option<&str>,
    secure: bool,
) -> Response {
    let written = match value {
        Some(value) => cookie.set(value, secure),
        None => cookie.remove(secure),
    };
    if let Some(written) = written {
        response.headers_mut().append(SET_COOKIE, written);
    }
    response
}
