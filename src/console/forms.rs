//! What people send: forms of our own pages, each bound to the browser that was shown it.

use super::Console;
use super::problem::Problem;
use super::visit::Visit;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The most that a form says.
pub(super) const LONGEST: usize = 16 * 1024;

/// What only we know to belong to a browser's cookie.
pub(super) fn token(key: &[u8; 32], browser: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
    mac.update(b"relatch console form\0");
    mac.update(browser.as_bytes());
    BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())
}

#[derive(Deserialize)]
struct Bound {
    form: String,
}

/// A form that came from a page that this browser was shown.
pub(super) struct Filled<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Console>> for Filled<T> {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Response> {
        let Some(visit) = request.extensions().get::<Visit>().cloned() else {
            return Err(Problem::Fault.bare());
        };
        let is_form = request
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|media_type| {
                let media_type = media_type.as_bytes();
                media_type.starts_with(b"application/x-www-form-urlencoded")
            });
        let refused = |problem: Problem| problem.page(console, &visit);
        if !is_form {
            return Err(refused(Problem::Unreadable));
        }
        let body = Bytes::from_request(request, console).await;
        let body = body.map_err(|_| refused(Problem::TooLong))?;
        let bound: Bound =
            serde_urlencoded::from_bytes(&body).map_err(|_| refused(Problem::Elsewhere))?;
        if !bool::from(bound.form.as_bytes().ct_eq(visit.form.as_bytes())) {
            return Err(refused(Problem::Elsewhere));
        }
        serde_urlencoded::from_bytes(&body)
            .map(Self)
            .map_err(|_| refused(Problem::Unreadable))
    }
}

/// A form that says nothing beside what it is.
#[derive(Deserialize)]
pub(super) struct Pressed {}

/// A form with an email address.
#[derive(Deserialize)]
pub(super) struct Address {
    pub(super) email: Zeroizing<String>,
}

/// A form with a token: of a link, or of a sign-in.
#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) token: Zeroizing<String>,
}

impl Token {
    /// The token of a link that may have been pasted as a whole.
    pub(super) fn of_link(&self) -> String {
        let text = self.token.trim();
        text.rsplit_once('#')
            .map_or(text, |(_, token)| token)
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forms_token_belongs_to_one_browser_and_one_key() {
        let one = token(&[1; 32], "browser");
        assert_eq!(one, token(&[1; 32], "browser"));
        assert_ne!(one, token(&[1; 32], "another"));
        assert_ne!(one, token(&[2; 32], "browser"));
    }

    #[test]
    fn a_link_may_be_pasted_whole() {
        for pasted in [
            "rlt1_x",
            " rlt1_x\n",
            "https://login.example.com/reset#rlt1_x",
        ] {
            let token = Token {
                token: Zeroizing::new(pasted.to_owned()),
            };
            assert_eq!(token.of_link(), "rlt1_x");
        }
    }
}
