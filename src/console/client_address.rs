//! Who asks: the other end of the connection, or whom a trusted proxy names.

use super::settings::Networks;
use axum::http::{HeaderMap, HeaderName};
use std::net::IpAddr;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the person at the far end (ASVS 4.1.3): read from the right, the first that is no trusted proxy. What
/// is further left anybody can have written.
pub(super) fn client_address(remote: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let trusts = |address: IpAddr| trusted(address);
    let remote = remote.to_canonical();
    if !trusts(remote) {
        return remote;
    }
    let named: Vec<_> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .flat_map(|header| header.to_str().unwrap_or_default().split(','))
        .map(|address| address.trim().parse::<IpAddr>())
        .collect();
    let mut client = remote;
    for address in named.into_iter().rev() {
        let Ok(address) = address else {
            return client;
        };
        client = address.to_canonical();
        if !trusts(client) {
            return client;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_as_far_as_it_can_know() {
        let trusted: Networks = Box::new(|address| match address {
            IpAddr::V4(v4) => v4.octets()[0] == 10,
            IpAddr::V6(_) => false,
        });
        for (remote, forwarded, client) in [
            ("203.0.113.9", "192.0.2.1", "203.0.113.9"),
            ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
            ("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.7, 192.0.2.1", "192.0.2.1"),
            ("10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"),
            ("10.0.0.1", "192.0.2.1, nonsense", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
        ] {
            let headers = [(FORWARDED_FOR, forwarded.parse().unwrap())];
            let found = client_address(
                remote.parse().unwrap(),
                &headers.into_iter().collect(),
                &trusted,
            );
            assert_eq!(found.to_string(), client, "{remote} {forwarded}");
        }
    }
}
