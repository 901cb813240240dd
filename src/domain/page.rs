//! The web pages that links open. Their addresses come from configuration, never from a request.

use http::Uri;
use std::fmt;
use std::net::SocketAddr;
use thiserror::Error;

/// The web address of a page that takes a token behind a `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageUrl(String);

/// Why a text is not the address of such a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PageUrlUnreadable {
    /// Not `https://host/path`.
    #[error(r#"must be a whole web address such as "https://login.example.com/reset""#)]
    Shape,
    /// `http`, where whoever listens on the way would read the token.
    #[error(
        "must begin with https://, for whoever reads along could use the link: put TLS in front of the page"
    )]
    Plain,
    /// It has a fragment already: that place is the token's.
    #[error("must not contain a #: the token goes there")]
    Fragment,
}

impl PageUrl {
    /// Reads the address of a page on any host, by https.
    pub fn parse(text: &str) -> Result<Self, PageUrlUnreadable> {
        let page = Self::parse_plain(text)?;
        if page.0.starts_with("https://") {
            Ok(page)
        } else {
            Err(PageUrlUnreadable::Plain)
        }
    }

    /// Reads the address of a page, by https or http. For development: a token must not travel over
    /// http otherwise (ASVS 12.2.1).
    pub fn parse_plain(text: &str) -> Result<Self, PageUrlUnreadable> {
        if text.contains('#') {
            return Err(PageUrlUnreadable::Fragment);
        }
        let uri: Uri = text.parse().map_err(|_| PageUrlUnreadable::Shape)?;
        let by_web = ["https", "http"].contains(&uri.scheme_str().unwrap_or_default());
        let to_somebody = uri.authority().is_some_and(|authority| {
            !authority.host().is_empty() && !authority.as_str().contains('@')
        });
        if by_web && to_somebody {
            Ok(Self(uri.to_string()))
        } else {
            Err(PageUrlUnreadable::Shape)
        }
    }
}

impl PageUrl {
    /// The host of the page, without its port.
    #[must_use]
    pub fn host(&self) -> String {
        let uri = self.0.parse::<Uri>();
        uri.ok()
            .and_then(|uri| uri.host().map(ToOwned::to_owned))
            .unwrap_or_default()
    }
}

impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The pages that links open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// Where a new password is chosen.
    pub reset: PageUrl,
    /// Where "this was not me" is said.
    pub cancel: PageUrl,
    /// Where a new link is asked for.
    pub forgot_password: PageUrl,
}

impl Pages {
    /// The pages of a console on this address, without TLS.
    #[must_use]
    pub fn of_console(listening: SocketAddr) -> Self {
        let page = |path| PageUrl(format!("http://{listening}/{path}"));
        Self {
            reset: page("reset"),
            cancel: page("cancel"),
            forgot_password: page("forgot-password"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PageUrlUnreadable::{Fragment, Plain, Shape};
    use proptest::prelude::*;

    #[test]
    fn a_page_has_a_host_and_comes_by_https() {
        for text in [
            "https://login.example.com/reset",
            "https://login.example.com:8443/reset?brand=a",
            "https://[2001:db8::1]/reset",
        ] {
            assert_eq!(PageUrl::parse(text).unwrap().to_string(), text);
        }
        for (text, why) in [
            ("", Shape),
            ("/reset", Shape),
            ("login.example.com/reset", Shape),
            ("https:///reset", Shape),
            ("ftp://login.example.com/reset", Shape),
            ("https://user@login.example.com/reset", Shape),
            ("https://login.example.com/re set", Shape),
            ("https://login.example.com/\r\nreset", Shape),
            ("https://login.example.com/reset#", Fragment),
            ("http://login.example.com/reset", Plain),
        ] {
            assert_eq!(PageUrl::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn the_console_of_a_developer_has_pages_without_tls() {
        let pages = Pages::of_console("127.0.0.1:8080".parse().unwrap());
        assert_eq!(pages.reset.to_string(), "http://127.0.0.1:8080/reset");
        assert_eq!(
            PageUrl::parse_plain(&pages.cancel.to_string()),
            Ok(pages.cancel)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "(https?://)?.{0,40}") {
            if let Ok(page) = PageUrl::parse(&text) {
                prop_assert_eq!(PageUrl::parse(&page.to_string()), Ok(page));
            }
        }
    }
}
