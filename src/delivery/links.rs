//! The addresses that messages link to. They come from the configuration and from nowhere else: a
//! link built from a request's `Host` would send the token to whoever wrote that header.

use http::Uri;
use thiserror::Error;

use crate::domain::token::LinkToken;

/// A page that messages link to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageUrl(String);

/// The text is not the address of a page that a token can be added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an http or https address without user name and without #")]
pub struct PageUrlUnreadable;

impl PageUrl {
    /// Reads an absolute `http` or `https` address in the characters of RFC 3986. It has no
    /// fragment, because the token takes its place, and no user name, which only misleads.
    pub fn parse(text: &str) -> Result<Self, PageUrlUnreadable> {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]!$&'()*+,;=%".contains(&byte);
        let uri: Uri = text.parse().map_err(|_| PageUrlUnreadable)?;
        let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        if has_scheme && has_host && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PageUrlUnreadable)
        }
    }

    /// The address as it was configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address with `token` in its fragment, which browsers keep to themselves: it reaches
    /// neither access logs nor `Referer` (ASVS 14.2.1).
    pub(super) fn with_token(&self, token: &LinkToken) -> String {
        format!("{}#{}", self.0, token.expose())
    }
}

/// Where the links in messages lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// The page that takes a reset link's token and a new password.
    pub reset_url: PageUrl,
    /// The page that takes the token of "this was not me".
    pub cancel_url: PageUrl,
    /// The page where anybody can ask for a reset link.
    pub forgot_password_url: PageUrl,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test should panic")]

    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::ResetId;
    use crate::domain::keyring::{KeyId, Keyring};
    use crate::domain::time::Timestamp;
    use crate::domain::token::{Link, LinkKind, mint};

    #[test]
    fn the_token_stands_in_the_fragment() {
        let link = Link {
            reset_id: ResetId::from_bytes([1; 16]),
            expires_at: Timestamp::from_micros(1),
        };
        let ring = Keyring::of(KeyId::from_bytes([1; 4]), [1; 32]);
        let token = mint(&ring, LinkKind::Reset, link);
        let page = PageUrl::parse("https://login.example.com/reset?brand=a").unwrap();
        assert_eq!(
            page.with_token(&token),
            format!("https://login.example.com/reset?brand=a#{}", token.expose())
        );
    }

    #[test]
    fn only_addresses_of_pages_are_read() {
        for good in [
            "https://login.example.com/reset",
            "http://127.0.0.1:8443/reset",
            "http://[::1]:8080/reset",
            "https://example.com",
        ] {
            assert!(PageUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/reset",
            "login.example.com/reset",
            "https://",
            "https:///reset",
            "ftp://example.com/reset",
            "javascript:alert(1)",
            "https://example.com/reset#",
            "https://example.com/reset#now",
            "https://example.com@evil.example/reset",
            "https://example.com/re set",
            "https://example.com/reset\r\nBcc: a",
            "https://example.com/\"><script>",
            "https://exämple.com/reset",
        ] {
            assert_eq!(PageUrl::parse(bad), Err(PageUrlUnreadable), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_safe_to_be_followed_by_a_fragment(text in "https?://[ -~]{0,40}|.*") {
            if let Ok(page) = PageUrl::parse(&text) {
                prop_assert!(!page.as_str().contains(['#', '@', '"', '<', '>', ' ', '\n']));
            }
        }
    }
}
