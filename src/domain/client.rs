//! The person at the far end, as the calling service saw them.

use super::account::{Locale, LocaleUnreadable};
use std::net::{IpAddr, Ipv6Addr};
use thiserror::Error;

/// How much of a user-agent header is looked at, in characters.
const USER_AGENT_MAX: usize = 512;

/// Why a client context was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ClientUnreadable {
    /// The address is missing or not an IP address.
    #[error("must be the IPv4 or IPv6 address of the person")]
    Ip,
    /// The locale is not a language tag.
    #[error(transparent)]
    Locale(#[from] LocaleUnreadable),
}

/// Where a call comes from, behind the calling service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The person's address; an IPv4-mapped IPv6 address counts as IPv4.
    pub ip: IpAddr,
    /// The browser's own words, empty when unknown; never stored or logged as they are.
    pub user_agent: String,
    /// The language that the person's browser asked for.
    pub locale: Locale,
}

impl Client {
    /// Reads what the calling service says about the person.
    pub fn parse(ip: &str, user_agent: &str, locale: &str) -> Result<Self, ClientUnreadable> {
        let ip: IpAddr = ip.parse().map_err(|_| ClientUnreadable::Ip)?;
        let user_agent = user_agent.chars().take(USER_AGENT_MAX).collect();
        Ok(Self {
            ip: ip.to_canonical(),
            user_agent,
            locale: Locale::parse(locale)?,
        })
    }

    /// Who this person counts as in per-source limits.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::of(self.ip)
    }
}

/// A network that limits are counted for: one IPv4 address, or an IPv6 /64 within its /48.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// One IPv4 address.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address, which one household or machine has to itself.
    V6([u8; 8]),
}

impl Source {
    /// The source that an address belongs to.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => Self::V6(first(v6)),
        }
    }

    /// The bytes that the narrow limit is counted under.
    #[must_use]
    pub fn narrow(&self) -> &[u8] {
        match self {
            Self::V4(address) => address,
            Self::V6(prefix) => prefix,
        }
    }

    /// The bytes of the /48 that the wide limit is counted under; IPv4 has none.
    #[must_use]
    pub fn wide(&self) -> Option<&[u8]> {
        match self {
            Self::V4(_) => None,
            Self::V6(prefix) => Some(&prefix[..6]),
        }
    }
}

fn first(address: Ipv6Addr) -> [u8; 8] {
    let octets = address.octets();
    std::array::from_fn(|i| octets[i])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_address_is_required_and_mapped_ones_are_ipv4() {
        assert_eq!(Client::parse("", "", ""), Err(ClientUnreadable::Ip));
        assert_eq!(
            Client::parse("example.com", "", ""),
            Err(ClientUnreadable::Ip)
        );
        let mapped = Client::parse("::ffff:192.0.2.1", "", "").unwrap();
        assert_eq!(mapped.source(), Source::V4([192, 0, 2, 1]));
    }

    #[test]
    fn neighbours_in_a_64_are_one_source_and_share_a_48() {
        let source = |ip: &str| Client::parse(ip, "", "").unwrap().source();
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(
            source("2001:db8:1:2::1").narrow(),
            source("2001:db8:1:3::1").narrow()
        );
        assert_eq!(
            source("2001:db8:1:2::1").wide(),
            source("2001:db8:1:3::1").wide()
        );
        assert_eq!(source("192.0.2.1").wide(), None);
    }

    #[test]
    fn long_headers_are_cut_and_odd_languages_refused() {
        let client = Client::parse("192.0.2.1", &"é".repeat(600), "").unwrap();
        assert_eq!(client.user_agent, "é".repeat(512));
        assert!(matches!(
            Client::parse("192.0.2.1", "", "de_AT"),
            Err(ClientUnreadable::Locale(_))
        ));
    }

    proptest! {
        #[test]
        fn no_text_panics(ip in ".*", user_agent in ".*", locale in ".*") {
            let _ = Client::parse(&ip, &user_agent, &locale);
        }
    }
}
