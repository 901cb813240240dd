//! The names in a client certificate, by which a calling service can be known instead of by a token.

use http::Uri;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;

/// One subject alternative name (RFC 5280 §4.2.1.6): a DNS name, or a URI such as a SPIFFE id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertSan(String);

/// The names in the client certificate that a connection was made with; none where it was made without. A
/// listener makes one only of a certificate that a trusted authority signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProvenNames(pub Arc<[CertSan]>);

/// The text is neither a DNS name nor a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    r#"must be a name in the caller's certificate, without wildcards: a DNS name such as "web.internal", or a URI such as "spiffe://example.com/web""#
)]
pub struct CertSanUnreadable;

/// Longest DNS name (RFC 1035 §2.3.4); URIs may be longer.
const LONGEST_DNS: usize = 253;
const LONGEST_URI: usize = 2_048;

impl CertSan {
    /// The DNS name that a certificate has. Letters' case means nothing in it (RFC 4343).
    #[must_use]
    pub fn of_dns(name: &str) -> Self {
        Self(name.to_ascii_lowercase())
    }

    /// The URI that a certificate has; compared byte by byte.
    #[must_use]
    pub fn of_uri(uri: &str) -> Self {
        Self(uri.to_owned())
    }
}

/// Reads a name as a stanza's `cert_san` has it.
impl FromStr for CertSan {
    type Err = CertSanUnreadable;

    fn from_str(text: &str) -> Result<Self, CertSanUnreadable> {
        if text.contains("://") {
            let uri: Uri = text.parse().map_err(|_| CertSanUnreadable)?;
            let absolute = uri.scheme().is_some() && text.len() <= LONGEST_URI;
            return absolute
                .then(|| Self::of_uri(text))
                .ok_or(CertSanUnreadable);
        }
        let is_label = |label: &str| {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            (1..=63).contains(&label.len()) && label.bytes().all(inner)
        };
        let is_name = text.len() <= LONGEST_DNS && text.split('.').all(is_label);
        is_name.then(|| Self::of_dns(text)).ok_or(CertSanUnreadable)
    }
}

impl fmt::Display for CertSan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_names_differ_in_more_than_case_and_uris_in_every_byte() {
        let read = |text: &str| text.parse::<CertSan>();
        assert_eq!(read("Web.Internal"), Ok(CertSan::of_dns("web.internal")));
        assert_eq!(
            read("spiffe://example.com/web"),
            Ok(CertSan::of_uri("spiffe://example.com/web"))
        );
        assert_ne!(
            read("spiffe://example.com/Web"),
            Ok(CertSan::of_uri("spiffe://example.com/web"))
        );
        assert_ne!(CertSan::of_uri("web"), CertSan::of_dns("WEB"));
    }

    #[test]
    fn what_no_certificate_could_name_is_refused() {
        let long = "a.".repeat(127);
        for text in [
            "",
            "*.internal",
            "a..b",
            "web internal",
            "käse.example",
            "://x",
            &long,
        ] {
            assert_eq!(text.parse::<CertSan>(), Err(CertSanUnreadable), "{text}");
        }
    }
}
