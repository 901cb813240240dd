//! Whom to tell of a weakness.

use crate::domain::email::Email;
use http::Uri;

/// Where weaknesses are told (RFC 9116 §2.5.3): a `mailto:` or `https:` address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityContact(String);

impl SecurityContact {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let is_mail = |address| Email::parse(address).is_ok();
        let is_page = |uri: Uri| uri.scheme_str() == Some("https");
        let is_contact = text.bytes().all(|byte| byte.is_ascii_graphic())
            && (text.strip_prefix("mailto:").is_some_and(is_mail)
                || text.parse::<Uri>().is_ok_and(is_page));
        if is_contact {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                r#"must be an address such as "mailto:security@example.com" or "https://example.com/security""#,
            )
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weaknesses_are_told_by_mail_or_on_a_page() {
        for text in [
            "mailto:security@example.com",
            "https://example.com/security?lang=en",
        ] {
            assert_eq!(SecurityContact::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "security@example.com",
            "mailto:",
            "mailto:security",
            "mailto:a@example.com\nContact: mailto:b@example.com",
            "http://example.com/security",
            "https://",
            "/security",
            "tel:+14155550100",
            "https://example.com/a b",
            "mailto:jürgen@example.com",
        ] {
            assert!(SecurityContact::parse(text).is_err(), "{text}");
        }
    }
}
