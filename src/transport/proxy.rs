//! Proxies in front: whose word on the client, the scheme and the host of a request counts.
//!
//! A proxy tells in `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` who asked it, and how. Anybody can
//! send these headers, so they count only from addresses that the operator named, and are taken out of every request
//! before anything else looks at it. `Forwarded` (RFC 7239) never counts: a proxy that does not know it passes on what
//! the client wrote.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use crate::{
    api::Problem,
    mcp::message::{error_text, invalid_request},
};

/// The headers by which proxies tell what they know. None of them is seen behind this layer.
const TOLD: [&str; 8] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
];

/// More headers by which a request shows that it was passed on, whoever wrote them.
const PASSED_ON: [&str; 12] = [
    "via",
    "cdn-loop",
    "cf-connecting-ip",
    "cf-ray",
    "fastly-client-ip",
    "fly-client-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-original-forwarded-for",
    "x-original-host",
];

/// Addresses that begin alike, such as `10.0.0.0/8`, or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many bits all its addresses have in common.
    length: u8,
}

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                alike(u128::from(own.to_bits()) << 96, u128::from(other.to_bits()) << 96, self.length)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => alike(own.to_bits(), other.to_bits(), self.length),
            _ => false,
        }
    }
}

/// Whether the first `length` bits are the same.
fn alike(one: u128, other: u128, length: u8) -> bool {
    (one ^ other).leading_zeros() >= length.into()
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither an address nor a network such as 10.0.0.0/8");
        let (address, length) = text.trim().split_once('/').map_or((text.trim(), None), |(a, l)| (a, Some(l)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(most), str::parse).map_err(|_| wrong())?;
        if length > most { Err(wrong()) } else { Ok(Network { address, length }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// The proxies whose word counts; none at first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Network>);

/// Where a request comes from, as far as that can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Approach {
    client: IpAddr,
    is_secure: bool,
    /// Under which name the client called, when a proxy says so.
    host: Option<HeaderValue>,
}

/// The address of the client, for handlers; see [`client`].
#[derive(Clone, Copy, Debug)]
struct ClientAddress(IpAddr);

impl Proxies {
    /// The proxies at these addresses.
    pub fn new(networks: impl IntoIterator<Item = Network>) -> Self {
        Proxies(networks.into_iter().collect())
    }

    /// Whether anybody's word counts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the one at this address is among them.
    pub fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.has(address))
    }

    /// What `peer` and its headers say together. Of several values of a header the last is the nearest proxy's own.
    fn approach(&self, peer: IpAddr, headers: &HeaderMap) -> Approach {
        let peer = peer.to_canonical();
        if !self.has(peer) {
            return Approach { client: peer, is_secure: false, host: None };
        }
        let proto = values(headers, "x-forwarded-proto").pop();
        let host = values(headers, "x-forwarded-host").pop();
        Approach {
            client: self.client(peer, headers),
            is_secure: proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
            host: host.and_then(|host| HeaderValue::from_str(host).ok()),
        }
    }

    /// The last one in the chain that is no proxy of ours. What stands before it, it may have made up.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        for told in values(headers, "x-forwarded-for").into_iter().rev() {
            let Some(address) = address(told).filter(|_| self.has(client)) else { break };
            client = address.to_canonical();
        }
        client
    }
}

/// The values of a header, whether they come in one line or in several.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|value| !value.is_empty()).collect()
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

/// Puts the look at who comes before everything in `router`, the guard too: a name that a proxy tells has to be one of
/// ours like any other. Cookies that are set over TLS go back over TLS only.
pub fn believe(router: Router, proxies: Proxies) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(proxies), look))
}

/// The address of the client that sent a request with these extensions, when it came over the network.
pub fn client(extensions: &Extensions) -> Option<IpAddr> {
    let told = extensions.get::<ClientAddress>().map(|client| client.0);
    told.or_else(|| extensions.get::<SocketAddr>().map(|peer| peer.ip().to_canonical()))
}

/// Puts a look before everything in `router` that takes no request which a proxy has passed on: for servers that ask for
/// no token. They are for this machine only, and a proxy on it lets strangers come from loopback.
pub fn only_direct(router: Router) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(AtomicBool::new(false)), turn_away_passed_on))
}

/// Why a request that a proxy passed on is not taken.
const NOT_DIRECT: &str = "this server asks nobody for a token, so it takes no requests that a proxy passed on: \
    name the proxy with --trust-proxy, and clients bring tokens";

async fn turn_away_passed_on(State(is_told): State<Arc<AtomicBool>>, request: Request, next: Next) -> Response {
    let Some(name) = passed_on_by(request.headers()) else { return next.run(request).await };
    // One warning is enough: whoever passes requests on passes many.
    if is_told.swap(true, Ordering::Relaxed) {
        tracing::debug!(header = name, "a request through a proxy was refused");
    } else {
        tracing::warn!(
            header = name,
            "a request through a proxy was refused, because everybody who comes without a token is the administrator here; name the proxy with --trust-proxy"
        );
    }
    let is_protocol = ["/mcp", "/ws"].iter().any(|path| request.uri().path().starts_with(path));
    if is_protocol {
        return super::access::json(StatusCode::FORBIDDEN, error_text(None, &invalid_request(NOT_DIRECT)));
    }
    Problem::new(StatusCode::FORBIDDEN, "not_allowed", NOT_DIRECT).into_response()
}

/// The header by which a request shows that a proxy passed it on.
fn passed_on_by(headers: &HeaderMap) -> Option<&str> {
    let tells = |name: &&str| TOLD.contains(name) || PASSED_ON.contains(name) || name.starts_with("x-forwarded-");
    headers.keys().map(header::HeaderName::as_str).find(tells)
}

async fn look(State(proxies): State<Arc<Proxies>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<SocketAddr>().map(SocketAddr::ip);
    let approach = peer.map(|peer| proxies.approach(peer, request.headers()));
    for name in TOLD {
        request.headers_mut().remove(name);
    }
    let Some(Approach { client, is_secure, host }) = approach else { return next.run(request).await };
    request.extensions_mut().insert(ClientAddress(client));
    if let Some(host) = host {
        // HTTP/2 names the proxy's view of the host in the address.
        if let Some(path) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = Uri::from(path);
        }
        request.headers_mut().insert(header::HOST, host);
    }
    let mut response = next.run(request).await;
    if is_secure {
        secure_cookies(response.headers_mut());
    }
    response
}

fn secure_cookies(headers: &mut HeaderMap) {
    let header::Entry::Occupied(mut cookies) = headers.entry(header::SET_COOKIE) else { return };
    for cookie in cookies.iter_mut() {
        let text = cookie.to_str().unwrap_or_default();
        let is_open = !text.split(';').any(|part| part.trim().eq_ignore_ascii_case("secure"));
        if let Ok(secure) = HeaderValue::try_from(format!("{text}; Secure"))
            && is_open
        {
            *cookie = secure;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> Proxies {
        Proxies::new(["10.0.0.0/8", "127.0.0.1", "fd00::/8"].map(|text| text.parse().unwrap()))
    }

    fn told(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()));
        let mut headers = HeaderMap::new();
        pairs.for_each(|(name, value)| _ = headers.append::<header::HeaderName>(name, value));
        headers
    }

    #[track_caller]
    fn check(peer: &str, chain: &[&str], expected: &str) {
        let pairs: Vec<_> = chain.iter().map(|value| ("x-forwarded-for", *value)).collect();
        let approach = proxies().approach(peer.parse().unwrap(), &told(&pairs));
        assert_eq!(approach.client, expected.parse::<IpAddr>().unwrap(), "{peer} tells {chain:?}");
    }

    #[test]
    fn the_client_is_the_last_one_that_is_no_proxy() {
        check("10.0.0.1", &["203.0.113.7"], "203.0.113.7");
        check("10.0.0.1", &["203.0.113.7, 10.0.0.2"], "203.0.113.7");
        check("10.0.0.1", &["198.51.100.1, 203.0.113.7", "10.0.0.2"], "203.0.113.7");
        check("::ffff:10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1");
        check("fd00::1", &["203.0.113.7:1234"], "203.0.113.7");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["nonsense"], "10.0.0.1");
        check("10.0.0.1", &["203.0.113.7, unknown, 10.0.0.2"], "10.0.0.2");
    }

    #[test]
    fn a_strangers_word_does_not_count() {
        check("203.0.113.9", &["127.0.0.1"], "203.0.113.9");
        let headers = told(&[("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example.com")]);
        let stranger = proxies().approach("203.0.113.9".parse().unwrap(), &headers);
        assert!(!stranger.is_secure && stranger.host.is_none(), "{stranger:?}");
        let nobody = Proxies::default().approach("127.0.0.1".parse().unwrap(), &headers);
        assert!(!nobody.is_secure && nobody.host.is_none(), "{nobody:?}");
    }

    #[test]
    fn of_several_values_the_nearest_proxys_counts() {
        let headers = told(&[
            ("x-forwarded-proto", "http, https"),
            ("x-forwarded-host", "evil.example.com"),
            ("x-forwarded-host", "tools.example.com"),
        ]);
        let approach = proxies().approach("127.0.0.1".parse().unwrap(), &headers);
        assert!(approach.is_secure);
        assert_eq!(approach.host.unwrap(), "tools.example.com");
    }

    #[test]
    fn networks_are_read_and_others_refused() {
        for (network, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.has(inside.parse().unwrap()) && !network.has(outside.parse().unwrap()), "{network}");
        }
        for wrong in ["", "proxy.example.com", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8"] {
            assert!(wrong.parse::<Network>().unwrap_err().contains("such as 10.0.0.0/8"), "{wrong}");
        }
    }

    #[test]
    fn what_a_proxy_passed_on_is_seen() {
        for name in TOLD.iter().chain(&PASSED_ON).chain(&["x-forwarded-scheme", "x-forwarded-user"]) {
            let headers = told(&[("accept", "*/*"), (name, "")]);
            assert_eq!(passed_on_by(&headers), Some(*name));
        }
        let direct = told(&[("host", "localhost"), ("x-mcp-readonly", "true"), ("x-request-id", "1")]);
        assert_eq!(passed_on_by(&direct), None);
    }

    #[test]
    fn cookies_become_secure_once() {
        let mut headers = told(&[("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; Secure")]);
        secure_cookies(&mut headers);
        let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1; Path=/; Secure", "b=2; Secure"]);
    }
}
