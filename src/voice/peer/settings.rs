//! Where calls come in, and over what.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::secret::Secret;

/// What calls are held to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The addresses of this machine that media comes to; an unspecified one stands for all of its kind.
    pub addresses: Vec<IpAddr>,
    /// The UDP ports that media comes to. Any free one if there is no range.
    pub ports: Option<Ports>,
    /// Servers that help callers to find us, and us to find them.
    pub ice_servers: Vec<IceServer>,
    /// Addresses under which a router passes everything on to this machine.
    pub public: Vec<IpAddr>,
    /// How many calls there may be at once.
    pub most_calls: usize,
    /// How many of them may be one person's, with all their agents and tokens.
    pub most_calls_each: usize,
    /// How many calls one person may begin, or connect anew, within a minute.
    pub starts_per_minute: u32,
}

/// The usual bounds of [`Settings`].
const MOST_CALLS: usize = 100;
const MOST_CALLS_EACH: usize = 10;
const STARTS_PER_MINUTE: u32 = 30;

impl Settings {
    /// Settings for a server that listens on this address: who is reached on loopback only gets calls from there only.
    pub fn beside(listen: IpAddr) -> Self {
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        let any = IpAddr::from(Ipv4Addr::UNSPECIFIED);
        let addresses = match listen {
            _ if listen == any => vec![any, loopback],
            _ if listen.is_unspecified() => vec![any, IpAddr::from(Ipv6Addr::UNSPECIFIED), loopback],
            _ => vec![listen],
        };
        Settings {
            addresses,
            ports: None,
            ice_servers: vec![],
            public: vec![],
            most_calls: MOST_CALLS,
            most_calls_each: MOST_CALLS_EACH,
            starts_per_minute: STARTS_PER_MINUTE,
        }
    }

    /// What to bind for the port `port`, or any free port.
    pub(super) fn sockets(&self, port: u16) -> Vec<SocketAddr> {
        self.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()
    }
}

/// A range of UDP ports, such as `50000-50100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl Ports {
    /// All of them, beginning somewhere in the middle, so that two calls that begin at once seldom try the same.
    pub(super) fn from(self, middle: u16) -> impl Iterator<Item = u16> {
        let count = usize::from(self.last - self.first) + 1;
        (self.first..=self.last).cycle().skip(usize::from(middle) % count).take(count)
    }
}

/// A STUN or TURN server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    /// Where it is: `stun:host:port` or `turn:host:port?transport=udp` (RFC 7064, RFC 7065).
    pub url: String,
    /// Who we are there.
    pub username: String,
    /// What proves it. Callers get it too, because they use the server as we do.
    pub credential: Secret,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_loopback_gets_calls_from_there_only() {
        let addresses = |listen: &str| Settings::beside(listen.parse().unwrap()).addresses;
        assert_eq!(addresses("127.0.0.1"), ["127.0.0.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(addresses("::1"), ["::1".parse::<IpAddr>().unwrap()]);
        assert_eq!(addresses("10.1.2.3"), ["10.1.2.3".parse::<IpAddr>().unwrap()]);
        assert!(addresses("0.0.0.0").contains(&"0.0.0.0".parse().unwrap()));
        assert!(addresses("::").contains(&"0.0.0.0".parse().unwrap()));
    }

    #[test]
    fn every_port_of_a_range_is_tried() {
        let all = Ports { first: 10, last: 12 }.from(65_000).collect::<Vec<_>>();
        assert_eq!(all.len(), 3);
        assert!([10, 11, 12].iter().all(|port| all.contains(port)), "{all:?}");
        assert_eq!(Ports { first: 1, last: 65_535 }.from(65_535).count(), 65_535);
    }
}
