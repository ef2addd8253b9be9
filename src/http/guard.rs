//! What must not go out: plain http to strangers, and anything to addresses inside a private network.
//!
//! Names are checked after they are resolved, in the resolver that the connection itself uses, so a name that
//! answers differently the second time gains nothing.

use std::{
    error::Error as StdError,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Whether a base may be used at all, and through which of the two resolvers.
pub(super) fn check(base: &Url, allow_private: bool) -> Result<Reach, String> {
    let Some(host) = base.host() else {
        return Err("its base URL names no host".to_owned());
    };
    if !base.username().is_empty() || base.password().is_some() {
        return Err("its base URL holds a user name; credentials belong into the connection".to_owned());
    }
    let loopback = is_loopback(&host);
    match base.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err(format!("{host} needs https; http is for loopback only")),
        other => return Err(format!("{other} is not a web address")),
    }
    if loopback || allow_private {
        return Ok(Reach::Anywhere);
    }
    match address(&host) {
        Some(ip) if !is_public(ip) => Err(format!("{ip} is a private address")),
        _ => Ok(Reach::Public),
    }
}

/// Which addresses a name may resolve to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Only addresses of the public internet.
    Public,
    /// Any: the operator named the base.
    Anywhere,
}

/// Resolves names within its reach; `localhost` is always this machine.
impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = *self;
        Box::pin(async move {
            let host = name.as_str();
            if reach == Reach::Anywhere && is_localhost(host) {
                let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
                return Ok(Box::new(here.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs);
            }
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            let allowed = reach.keep(&found);
            if allowed.is_empty() && !found.is_empty() {
                return Err(Box::new(Private) as Box<dyn StdError + Send + Sync>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

impl Reach {
    fn keep(self, found: &[SocketAddr]) -> Vec<SocketAddr> {
        found.iter().copied().filter(|address| self == Reach::Anywhere || is_public(address.ip())).collect()
    }
}

/// A name resolved to private addresses only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Private;

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its host resolves to a private address")
    }
}

impl StdError for Private {}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_localhost(name),
        _ => address(host).is_some_and(|ip| ip.is_loopback()),
    }
}

/// `localhost` and names below it never leave the machine (RFC 6761, section 6.3).
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn address(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(ip) => Some(IpAddr::V4(*ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(*ip)),
    }
}

/// Whether an address belongs to the public internet, by the special-purpose registries of RFC 6890.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

/// Addresses that carry a version 4 address are judged by it: mapped ones, and those of a translator (`64:ff9b::/96`).
fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(inner) = ip.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    if let [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, inner @ ..] = ip.octets() {
        return is_public_v4(Ipv4Addr::from(inner));
    }
    let [a, b, ..] = ip.segments();
    // Global unicast is `2000::/3`, less the tunnels (2001::/23, 2002::/16) and the examples (2001:db8::/32, 3fff::/20).
    let global = a & 0xe000 == 0x2000;
    let special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn public(ip: &str, expected: bool) {
        assert_eq!(is_public(ip.parse().unwrap()), expected, "{ip}");
    }

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for ip in ["8.8.8.8", "100.63.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "64:ff9b::808:808"] {
            public(ip, true);
        }
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            public(ip, false);
        }
    }

    #[track_caller]
    fn base(url: &str, expected: Result<Reach, ()>) {
        assert_eq!(check(&url.parse().unwrap(), false).map_err(drop), expected, "{url}");
    }

    #[test]
    fn a_base_is_https_and_public_or_loopback() {
        base("https://api.example.com/v3", Ok(Reach::Public));
        base("http://127.0.0.1:7412/google", Ok(Reach::Anywhere));
        base("http://0x7f.1:7412/", Ok(Reach::Anywhere));
        base("http://localhost:7412/", Ok(Reach::Anywhere));
        base("http://[::1]:7412/", Ok(Reach::Anywhere));
        for refused in [
            "http://api.example.com/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://0xa.1/",
            "http://localhost.example.com/",
            "ftp://example.com/",
            "https://user:secret@example.com/",
            "data:text/plain,x",
        ] {
            base(refused, Err(()));
        }
    }

    #[test]
    fn an_operator_may_name_a_private_base_but_not_plain_http() {
        let check = |url: &str| check(&url.parse().unwrap(), true);
        assert_eq!(check("https://10.0.0.1/api"), Ok(Reach::Anywhere));
        assert!(check("http://10.0.0.1/api").is_err());
    }

    #[test]
    fn private_answers_of_a_resolver_are_dropped() {
        let found = ["93.184.216.34:0", "10.0.0.1:0", "[::1]:0"].map(|address| address.parse().unwrap());
        assert_eq!(Reach::Public.keep(&found), found[..1]);
        assert_eq!(Reach::Anywhere.keep(&found), found);
    }

    #[tokio::test]
    async fn localhost_is_this_machine_and_never_public() {
        let here: Vec<_> = Reach::Anywhere.resolve("localhost".parse().unwrap()).await.unwrap().collect();
        assert!(here.iter().all(|address| address.ip().is_loopback()));
        let Err(error) = Reach::Public.resolve("localhost".parse().unwrap()).await else {
            panic!("a public lane must not reach this machine");
        };
        assert!(error.downcast_ref::<Private>().is_some(), "{error}");
    }
}
