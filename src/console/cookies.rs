//! Cookies, as few and as narrow as can be (ASVS 3.3.1 to 3.3.4).

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use std::time::Duration;

/// A cookie of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// What the forms of a browser are bound to.
    Form,
    /// Who is signed in.
    Session,
    /// The language that was chosen.
    Language,
}

impl Cookie {
    /// Its name. Over TLS browsers hold the prefix to its promise: from this host, for this host alone.
    const fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Form, true) => "__Host-relatch-form",
            (Self::Form, false) => "relatch-form",
            (Self::Session, true) => "__Host-relatch-session",
            (Self::Session, false) => "relatch-session",
            (Self::Language, true) => "__Host-relatch-language",
            (Self::Language, false) => "relatch-language",
        }
    }

    /// How long a browser keeps it; `None` is until it is closed.
    const fn kept(self) -> Option<Duration> {
        match self {
            Self::Form | Self::Session => None,
            Self::Language => Some(Duration::from_hours(365 * 24)),
        }
    }

    /// Its value, if a request has it once: of two, one is from somebody else.
    pub(super) fn of(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter_map(|(name, value)| (name == self.name(secure)).then_some(value));
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// What sets it to this value.
    pub(super) fn set(self, value: &str, secure: bool) -> Option<HeaderValue> {
        self.written(value, self.kept(), secure)
    }

    /// What takes it away.
    pub(super) fn remove(self, secure: bool) -> Option<HeaderValue> {
        self.written("", Some(Duration::ZERO), secure)
    }

    fn written(self, value: &str, kept: Option<Duration>, secure: bool) -> Option<HeaderValue> {
        let mut cookie = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax",
            self.name(secure)
        );
        if secure {
            cookie.push_str("; Secure");
        }
        if let Some(kept) = kept {
            cookie.push_str("; Max-Age=");
            cookie.push_str(&kept.as_secs().to_string());
        }
        HeaderValue::try_from(cookie).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(cookies: &str) -> HeaderMap {
        [(COOKIE, HeaderValue::try_from(cookies).unwrap())]
            .into_iter()
            .collect()
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_and_only_if_it_is_there_once() {
        let read = |cookies| Cookie::Form.of(&asked(cookies), true).map(str::to_owned);
        assert_eq!(read("a=b; __Host-relatch-form=x").as_deref(), Some("x"));
        assert_eq!(read("relatch-form=x"), None);
        assert_eq!(read("__Host-relatch-form=x; __Host-relatch-form=y"), None);
    }

    #[test]
    fn a_cookie_is_for_this_host_for_http_and_for_visits_that_begin_here() {
        let secure = Cookie::Session.set("x", true).unwrap();
        assert_eq!(
            secure,
            "__Host-relatch-session=x; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let plain = Cookie::Session.remove(false).unwrap();
        assert_eq!(
            plain,
            "relatch-session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }
}
