//! What is done around every request: who asks, in which language, from which page; and what every answer carries.

use super::client_address::client_address;
use super::cookies::Cookie;
use super::language::Language;
use super::problem::Problem;
use super::{Console, forms};
use crate::pb::ClientContext;
use crate::random;
use crate::web::RemoteAddress;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ORIGIN, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, USER_AGENT,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64URL_NOPAD;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Two years, as browsers that ship a list of such hosts ask for (ASVS 3.4.1 asks for one).
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// How long a form may take to come, and its page to be made: less than what the listener cuts off without a page.
const PATIENCE: Duration = Duration::from_secs(9);

/// What is known of a request before a page looks at it.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// The language of the answer.
    pub(super) language: Language,
    /// Where it was asked for.
    pub(super) path: String,
    /// What the page's script is known by.
    pub(super) nonce: String,
    /// What its forms must say.
    pub(super) form: String,
    /// Whether a script asks, which wants no page.
    pub(super) by_script: bool,
    ip: IpAddr,
    user_agent: String,
}

impl Visit {
    /// The person at the far end, as Relatch wants to know them.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "a message field is optional to prost"
    )]
    pub(super) fn client(&self) -> Option<ClientContext> {
        Some(ClientContext {
            ip: self.ip.to_string(),
            user_agent: self.user_agent.clone(),
            locale: self.language.tag().to_owned(),
        })
    }
}

/// Goes around every request. What changes something comes from a page of our own, or gets no further.
pub(super) async fn around(
    State(console): State<Arc<Console>>,
    mut request: Request,
    next: Next,
) -> Response {
    let secure = console.secure;
    let Ok(drawn) = random::array::<48>(&*console.random) else {
        tracing::error!("the console has no entropy");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let (nonce, browser) = drawn.split_at(16);
    let headers = request.headers();
    let known = Cookie::Form.of(headers, secure).map(str::to_owned);
    let known = known.filter(|browser| BASE64URL_NOPAD.decode_len(browser.len()) == Ok(32));
    let browser = known
        .clone()
        .unwrap_or_else(|| BASE64URL_NOPAD.encode(browser));
    let remote = request.extensions().get::<RemoteAddress>();
    let remote = remote.map_or(Ipv4Addr::UNSPECIFIED.into(), |remote| remote.0);
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let visit = Visit {
        language: Cookie::Language
            .of(headers, secure)
            .and_then(Language::of_tag)
            .unwrap_or_else(|| Language::preferred(text(ACCEPT_LANGUAGE))),
        path: request.uri().path().to_owned(),
        nonce: BASE64URL_NOPAD.encode(nonce),
        form: forms::token(console.sessions.form_key(), &browser),
        by_script: text(ACCEPT) == "application/json",
        ip: client_address(remote, headers, &console.trusted_proxies),
        user_agent: text(USER_AGENT).to_owned(),
    };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let response = if changes && !is_own(headers, &console.origin) {
        Problem::Elsewhere.page(&console, &visit)
    } else {
        request.extensions_mut().insert(visit.clone());
        let answered = timeout(PATIENCE, next.run(request)).await;
        answered.unwrap_or_else(|_| Problem::Unavailable.page(&console, &visit))
    };
    let mut response = dressed(response, &console, &visit);
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy(&visit.nonce)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    if secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    let is_page = headers
        .get(CONTENT_TYPE)
        .is_some_and(|media_type| media_type.as_bytes().starts_with(b"text/html"));
    if let Some(cookie) = Cookie::Form.set(&browser, secure)
        && is_page
        && known.is_none()
    {
        headers.append(SET_COOKIE, cookie);
    }
    response
}

/// Nothing but what the page brings itself, from here (ASVS 3.4.3).
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )
}

/// Whether a page of this origin asked (ASVS 3.5.1). Browsers say so themselves; those that do not yet say at least from
/// where. Who says neither is refused.
fn is_own(headers: &HeaderMap, origin: &str) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => headers.get(ORIGIN).is_some_and(|from| from == origin),
    }
}

/// An error that no page has words for gets a page of its own.
fn dressed(response: Response, console: &Console, visit: &Visit) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let has_words = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|media_type| !media_type.as_bytes().starts_with(b"text/plain"));
    if !is_error || has_words {
        return response;
    }
    let mut page = Problem::Status(status).page(console, visit);
    if let Some(allowed) = response.headers().get("allow") {
        page.headers_mut().insert("allow", allowed.clone());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_comes_from_a_page_of_this_origin() {
        let origin = "https://login.example.com";
        for (fields, own) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (
                &[("sec-fetch-site", "cross-site"), ("origin", origin)],
                false,
            ),
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "null")],
                true,
            ),
            (&[("origin", origin)], true),
            (&[("origin", "https://login.example.com.evil")], false),
            (&[("origin", "null")], false),
            (&[], false),
        ] {
            let headers = fields
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect::<Vec<(axum::http::HeaderName, HeaderValue)>>();
            let headers = headers.into_iter().collect();
            assert_eq!(is_own(&headers, origin), own, "{fields:?}");
        }
    }
}
