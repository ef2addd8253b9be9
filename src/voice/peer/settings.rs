//! Where calls come in, and over what.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

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
}

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
        Settings { addresses, ports: None, ice_servers: vec![], public: vec![], most_calls: 100 }
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

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
        let ports = match text.split_once('-') {
            Some((first, last)) => read(first).zip(read(last)),
            None => read(text).map(|port| (port, port)),
        };
        match ports {
            Some((first, last)) if first <= last => Ok(Ports { first, last }),
            _ => Err(format!("`{text}` is no range of ports such as `50000-50100`")),
        }
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

impl FromStr for IceServer {
    type Err = String;

    /// Reads `stun:host:port` or `turn:user:password@host:port`.
    fn from_str(text: &str) -> Result<Self, String> {
        const EXAMPLES: &str = "`stun:host:3478` or `turn:user:password@host:3478`";
        // The text may hold a password, so it is not repeated.
        let (scheme, rest) = text.trim().split_once(':').ok_or(format!("an ICE server is written as {EXAMPLES}"))?;
        let (login, host) = rest.rsplit_once('@').map_or((None, rest), |(login, host)| (Some(login), host));
        let (username, credential) = login.and_then(|login| login.split_once(':')).unwrap_or_default();
        let is_turn = matches!(scheme, "turn" | "turns");
        if !is_turn && !matches!(scheme, "stun" | "stuns") {
            return Err(format!("an ICE server is a `stun:` or `turn:` server: {EXAMPLES}"));
        }
        if host.is_empty() || is_turn == username.is_empty() || is_turn == credential.is_empty() {
            return Err(format!("a TURN server needs a user and a password, a STUN server has none: {EXAMPLES}"));
        }
        Ok(IceServer {
            url: format!("{scheme}:{host}"),
            username: username.into(),
            credential: Secret::new(credential),
        })
    }
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
    fn ports_are_a_range() {
        assert_eq!("50000-50100".parse(), Ok(Ports { first: 50_000, last: 50_100 }));
        assert_eq!("7".parse(), Ok(Ports { first: 7, last: 7 }));
        for wrong in ["", "-", "9-8", "0-5", "1-70000", "a-b"] {
            assert!(wrong.parse::<Ports>().is_err(), "{wrong}");
        }
        let all = Ports { first: 10, last: 12 }.from(65_000).collect::<Vec<_>>();
        assert_eq!(all.len(), 3);
        assert!([10, 11, 12].iter().all(|port| all.contains(port)), "{all:?}");
        assert_eq!(Ports { first: 1, last: 65_535 }.from(65_535).count(), 65_535);
    }

    #[test]
    fn an_ice_server_is_read_with_its_login() {
        let server = "turn:ann:p:w@example.com:3478?transport=udp".parse::<IceServer>().unwrap();
        assert_eq!((server.url.as_str(), server.username.as_str()), ("turn:example.com:3478?transport=udp", "ann"));
        assert_eq!(server.credential.expose(), "p:w");
        assert_eq!("stun:example.com:3478".parse::<IceServer>().unwrap().url, "stun:example.com:3478");
        for wrong in ["", "example.com", "http://x", "turn:example.com", "stun:a:b@example.com", "turn:a:b@"] {
            let error = wrong.parse::<IceServer>().unwrap_err();
            assert!(error.contains("turn:user:password@"), "{error}");
        }
    }
}
