//! The network an address belongs to: as much of it as a person needs to recognise where something
//! happened.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits of an IPv4 address that are kept: the smallest block routed on its own between providers.
const V4_PREFIX: u32 = 24;

/// Bits of an IPv6 address that are kept: what a provider commonly gives one site.
const V6_PREFIX: u32 = 48;

/// An IPv4 /24 or an IPv6 /48, its host bits zero. The address it was made from cannot be got back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of `address`. An IPv4-mapped IPv6 address (`::ffff:203.0.113.9`) counts as the
    /// IPv4 address it carries.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => {
                Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << (u32::BITS - V4_PREFIX))).into()
            }
            IpAddr::V6(v6) => {
                Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << (u128::BITS - V6_PREFIX))).into()
            }
        })
    }

    /// Reads what [`Display`](fmt::Display) wrote, and only that; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, _) = text.split_once('/')?;
        let network = Self::of(address.parse().ok()?);
        (network.to_string() == text).then_some(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.0 {
            IpAddr::V4(_) => V4_PREFIX,
            IpAddr::V6(_) => V6_PREFIX,
        };
        write!(f, "{}/{prefix}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(address: &str) -> String {
        Network::of(address.parse().unwrap()).to_string()
    }

    #[test]
    fn an_ipv4_address_is_cut_to_its_slash_24() {
        assert_eq!(shown("203.0.113.254"), "203.0.113.0/24");
        assert_eq!(shown("255.255.255.255"), "255.255.255.0/24");
    }

    #[test]
    fn an_ipv6_address_is_cut_to_its_slash_48() {
        assert_eq!(shown("2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48");
        assert_eq!(shown("::1"), "::/48");
    }

    #[test]
    fn an_ipv4_mapped_address_counts_as_ipv4() {
        assert_eq!(shown("::ffff:203.0.113.9"), "203.0.113.0/24");
    }

    #[test]
    fn text_that_is_no_network_in_its_one_spelling_is_refused() {
        for text in [
            "",
            "203.0.113.0",
            "203.0.113.9/24",
            "203.0.113.0/16",
            "203.0.113.0/024",
            "203.0.113.0/24 ",
            "2001:DB8:1::/48",
            "2001:db8:1:0::/48",
            "2001:db8:1::/64",
            "::ffff:203.0.113.0/24",
            "localhost/24",
        ] {
            assert_eq!(Network::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_network_survives_storage(address: IpAddr) {
            let network = Network::of(address);
            prop_assert_eq!(Network::parse(&network.to_string()), Some(network));
        }

        #[test]
        fn host_bits_do_not_matter(site: [u16; 3], host: [u16; 5], other: [u16; 5]) {
            let address = |host: [u16; 5]| {
                let mut groups = [0; 8];
                groups[..3].copy_from_slice(&site);
                groups[3..].copy_from_slice(&host);
                IpAddr::from(groups)
            };
            prop_assume!(site != [0; 3]); // below ::/48 lie the IPv4-mapped addresses
            prop_assert_eq!(Network::of(address(host)), Network::of(address(other)));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text: String) {
            let _ = Network::parse(&text);
        }
    }
}
