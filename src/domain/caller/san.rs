//! The names in a client certificate, by which a calling service can be known instead of by a token.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;

/// One subject alternative name (RFC 5280 §4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertSan {
    /// A DNS name, in lower case: letters' case means nothing in it (RFC 4343).
    Dns(String),
    /// A URI such as a SPIFFE id, compared byte by byte.
    Uri(String),
}

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
    /// The DNS name that a certificate has.
    #[must_use]
    pub fn of_dns(name: &str) -> Self {
        Self::Dns(name.to_ascii_lowercase())
    }

    /// The URI that a certificate has.
    #[must_use]
    pub fn of_uri(uri: &str) -> Self {
        Self::Uri(uri.to_owned())
    }
}

/// Reads a name as a stanza's `cert_san` has it.
impl FromStr for CertSan {
    type Err = CertSanUnreadable;

    fn from_str(text: &str) -> Result<Self, CertSanUnreadable> {
        if let Some((scheme, rest)) = text.split_once("://") {
            // RFC 3986 §3.1, and nothing that a URI must escape.
            let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
            let is_uri = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.bytes().all(in_scheme)
                && !rest.is_empty()
                && rest.bytes().all(|byte| byte.is_ascii_graphic())
                && text.len() <= LONGEST_URI;
            return is_uri.then(|| Self::of_uri(text)).ok_or(CertSanUnreadable);
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
        match self {
            Self::Dns(name) | Self::Uri(name) => f.write_str(name),
        }
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
        assert_ne!(CertSan::of_uri("web"), CertSan::of_dns("web"));
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
            "a://",
            "1a://b",
            "spiffe://a b",
            &long,
        ] {
            assert_eq!(text.parse::<CertSan>(), Err(CertSanUnreadable), "{text}");
        }
    }
}
