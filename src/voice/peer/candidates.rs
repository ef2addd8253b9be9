//! Which ways to a caller are tried.
//!
//! A candidate makes this machine send packets to an address that a stranger named. So only addresses of the public
//! internet are tried, and those of a private network when the caller came to us from there. The others are left out
//! without a word, because every browser names the private addresses of its machine; such a caller is found by the
//! packets that come from it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::http::is_public;

/// A longer candidate is none: browsers' have about 150 bytes.
pub const LONGEST: usize = 512;

/// A caller has at most so many ways that are tried; a browser with several networks has about ten.
pub const MOST: usize = 64;

/// Where a caller is, as far as the request tells that named a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    client: Option<IpAddr>,
}

impl Reach {
    /// The reach of a client whose request came from this address. Nothing is known of one that came by no network.
    pub fn of(client: Option<IpAddr>) -> Reach {
        Reach { client: client.map(|address| address.to_canonical()) }
    }

    /// Whether packets may be sent to `address` because this caller says so.
    pub fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if is_nowhere(address) {
            return false;
        }
        if is_public(address) {
            return true;
        }
        match self.client {
            None => false,
            Some(client) => client == address || is_near(client, address),
        }
    }
}

/// Whether nobody is at this address: it is unspecified, or stands for many.
fn is_nowhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let first = address.octets()[0];
            first == 0 || address.is_multicast() || first >= 240
        }
        IpAddr::V6(address) => address.is_unspecified() || address.is_multicast(),
    }
}

/// Whether two addresses that are not public are of one network: this machine, one link, or one site.
fn is_near(client: IpAddr, other: IpAddr) -> bool {
    if is_public(client) {
        return false;
    }
    if client.is_loopback() || other.is_loopback() {
        return client.is_loopback() && other.is_loopback();
    }
    match (client, other) {
        (IpAddr::V4(client), IpAddr::V4(other)) => client.octets()[..2] == other.octets()[..2],
        (IpAddr::V6(client), IpAddr::V6(other)) => {
            is_link_local(client) == is_link_local(other) && client.segments()[..3] == other.segments()[..3]
        }
        _ => false,
    }
}

fn is_link_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

/// Where a candidate leads (RFC 8839 §5.1), without `a=`. `None` if it leads nowhere from here: by TCP, to a name, or to
/// no port.
///
/// # Errors
/// It is no candidate; what is wrong with it.
pub fn destination(candidate: &str) -> Result<Option<SocketAddr>, &'static str> {
    if candidate.len() > LONGEST {
        return Err("a candidate is longer than any is");
    }
    let fields = candidate.strip_prefix("candidate:").ok_or("a candidate begins with `candidate:`")?;
    let mut fields = fields.split_ascii_whitespace();
    let mut next = || fields.next().ok_or("a candidate has too few parts");
    let (_foundation, component, transport) = (next()?, next()?, next()?);
    let (priority, address, port) = (next()?, next()?, next()?);
    let (typ, kind) = (next()?, next()?);
    if component.parse::<u16>().is_err() || priority.parse::<u32>().is_err() {
        return Err("a candidate's component or priority is no number");
    }
    let port = port.parse::<u16>().map_err(|_| "a candidate's port is no port")?;
    if typ != "typ" || !matches!(kind, "host" | "srflx" | "prflx" | "relay") {
        return Err("a candidate's type is unknown");
    }
    // The names of a caller's own network (`.local`) mean nothing here, and others are looked up for nobody.
    let address = address.parse::<IpAddr>().ok().filter(|_| transport.eq_ignore_ascii_case("udp") && port != 0);
    Ok(address.map(|address| SocketAddr::new(address, port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a client at the first address may name the second.
    #[track_caller]
    fn check(client: Option<&str>, address: &str, expected: bool) {
        let reach = Reach::of(client.map(|address| address.parse().unwrap()));
        assert_eq!(reach.allows(address.parse().unwrap()), expected, "{address} from {client:?}");
    }

    #[test]
    fn only_who_is_inside_names_addresses_inside() {
        let inside = [
            "10.1.2.3",
            "172.16.0.9",
            "192.168.1.7",
            "100.64.0.1",
            "169.254.169.254",
            "127.0.0.1",
            "127.1.2.3",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "198.18.0.1",
        ];
        for address in inside {
            check(Some("93.184.216.34"), address, false);
            check(Some("2606:2800:220:1::1"), address, false);
            check(None, address, false);
        }
        for client in ["93.184.216.34", "127.0.0.1", "10.0.0.1"] {
            check(Some(client), "8.8.8.8", true);
            check(Some(client), "2606:4700::1111", true);
        }
        check(Some("127.0.0.1"), "127.0.0.1", true);
        check(Some("::1"), "127.0.0.1", true);
        check(Some("::ffff:127.0.0.1"), "::1", true);
        check(Some("127.0.0.1"), "10.0.0.1", false);
        check(Some("10.0.5.1"), "10.0.9.1", true);
        check(Some("10.0.5.1"), "10.9.5.1", false);
        check(Some("10.0.5.1"), "127.0.0.1", false);
        check(Some("10.0.5.1"), "169.254.169.254", false);
        check(Some("192.168.1.2"), "192.168.1.2", true);
        check(Some("192.168.1.2"), "10.0.0.1", false);
        check(Some("fd00:1:2::1"), "fd00:1:2::9", true);
        check(Some("fd00:1:2::1"), "fd00:1:3::9", false);
        check(Some("fe80::5"), "fe80::9", true);
    }

    #[test]
    fn nobody_names_addresses_of_many_or_of_none() {
        for client in [Some("127.0.0.1"), Some("10.0.0.1"), None] {
            for address in ["0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "240.0.0.1", "::", "ff02::1"] {
                check(client, address, false);
            }
        }
    }

    #[test]
    fn a_candidate_leads_somewhere_or_nowhere_or_is_none() {
        let at = |text: &str| Ok(Some(text.parse().unwrap()));
        for (candidate, expected) in [
            ("candidate:1 1 udp 99 192.0.2.7 50000 typ host generation 0", at("192.0.2.7:50000")),
            ("candidate:1 1 UDP 99 2001:db8::7 50000 typ relay raddr 0.0.0.0 rport 0", at("[2001:db8::7]:50000")),
            ("candidate:1 1 tcp 99 192.0.2.7 9 typ host tcptype active", Ok(None)),
            ("candidate:1 1 udp 99 6d1f.local 50000 typ host", Ok(None)),
            ("candidate:1 1 udp 99 intranet.example 50000 typ host", Ok(None)),
            ("candidate:1 1 udp 99 192.0.2.7 0 typ host", Ok(None)),
        ] {
            assert_eq!(destination(candidate), expected, "{candidate}");
        }
        for candidate in [
            "",
            "candidate:",
            "candidate:nonsense",
            "1 1 udp 99 192.0.2.7 50000 typ host",
            "candidate:1 1 udp 99 192.0.2.7 50000 typ",
            "candidate:1 1 udp 99 192.0.2.7 500000 typ host",
            "candidate:1 x udp 99 192.0.2.7 50000 typ host",
            "candidate:1 1 udp 99 192.0.2.7 50000 typ guest",
        ] {
            assert!(destination(candidate).is_err(), "{candidate}");
        }
        assert!(destination(&format!("candidate:1 1 udp 99 192.0.2.7 5 typ host {}", "x ".repeat(300))).is_err());
    }
}
