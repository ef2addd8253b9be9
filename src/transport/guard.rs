//! Keeps web pages of strangers out: only known names in `Host` and `Origin`, only framing without doubt.
//!
//! A page whose own name was pointed at 127.0.0.1 (DNS rebinding) sends its own name as `Host`; a page of
//! another site sends its `Origin`. Both are refused before anything else is looked at.
//!
//! Where a token is asked for, pages of other programs on this machine may try: they have none. Where none is asked for,
//! only the server's own pages may call, and those that the operator named.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, uri::Authority},
    middleware::{self, Next},
    response::Response,
};

use super::access::json;
use crate::mcp::message::{error_text, invalid_request};

/// The names under which a server may be called, and the pages that may do so. Loopback names are always among the
/// names, on any port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    names: Vec<String>,
    /// Origins that the operator named.
    named: Vec<String>,
    /// Whether no other pages may call than our own and those.
    is_strict: bool,
}

impl Hosts {
    /// Takes further names: host names or addresses without a port, such as that of the public URL.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let names = names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        Hosts { names, ..Hosts::default() }
    }

    /// Lets pages of these origins call, too, such as `http://localhost:6274`.
    #[must_use]
    pub fn with_pages_of(mut self, origins: impl IntoIterator<Item = String>) -> Self {
        self.named.extend(origins.into_iter().map(|origin| origin.to_ascii_lowercase()));
        self
    }

    /// Lets nobody else's pages call: neither those of other ports, nor those of another scheme. For servers that ask
    /// for no token.
    #[must_use]
    pub fn only_own_pages(self) -> Self {
        Hosts { is_strict: true, ..self }
    }

    /// Whether the operator named this origin.
    pub(super) fn is_named(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.named.iter().any(|named| named.eq_ignore_ascii_case(origin)))
    }

    /// Whether a page of `origin` may call a server that was called by the name `host`.
    fn takes(&self, origin: &HeaderValue, host: &str) -> bool {
        let Ok(text) = origin.to_str() else { return false };
        let is_own = || text.strip_prefix("http://").is_some_and(|page| page.eq_ignore_ascii_case(host));
        self.is_named(origin) || if self.is_strict { is_own() } else { self.is_own_origin(text) }
    }

    /// Whether a `Host`, with or without a port, is one of ours.
    pub fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        // An authority may also name a user, which a `Host` may not.
        if host.contains('@') || authority.host().is_empty() {
            return false;
        }
        // The parser lets more than a port stand behind an address in brackets.
        let is_port = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit()) && rest.parse::<u16>().is_ok();
        let fits = host
            .strip_prefix(authority.host())
            .is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
        if !fits {
            return false;
        }
        let name = authority.host().to_ascii_lowercase();
        is_loopback(&name) || self.names.contains(&name)
    }

    /// Whether an `Origin` is one of ours: a web page of this server, or of another program on this machine.
    pub fn is_own_origin(&self, origin: &str) -> bool {
        let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        rest.is_some_and(|host| self.is_ours(host))
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(only), None) => only.to_str().ok(),
            // HTTP/2 names it in the address.
            (None, None) => uri.authority().map(Authority::as_str),
            _ => return Err((StatusCode::BAD_REQUEST, "a request names its host once")),
        };
        let is_ours = |name: &&str| self.is_ours(name);
        let host = host.filter(is_ours).filter(|_| uri.authority().is_none_or(|target| is_ours(&target.as_str())));
        let Some(host) = host else {
            return Err((StatusCode::FORBIDDEN, "this server is not called by that name"));
        };
        if !headers.get_all(header::ORIGIN).iter().all(|origin| self.takes(origin, host)) {
            return Err((StatusCode::FORBIDDEN, "pages of that origin may not call this server"));
        }
        Ok(())
    }
}

/// Why a request was turned away before it reached a handler, for those who say it in another form.
#[derive(Clone, Copy, Debug)]
pub(super) struct TurnedAway(pub(super) &'static str);

/// Puts the guard before every route of `router`.
pub fn protect(router: Router, hosts: Arc<Hosts>) -> Router {
    router.layer(middleware::from_fn_with_state(hosts, guard))
}

async fn guard(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    if let Err((status, why)) = hosts.check(request.uri(), request.headers()) {
        return refused(status, why);
    }
    let coding = framing(request.headers());
    if coding == Framing::Doubtful {
        return refused(StatusCode::BAD_REQUEST, "the request is framed in a way that can be read in two ways");
    }
    let mut response = next.run(request).await;
    if coding == Framing::Chunked && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        // hyper drops a Content-Length beside chunks without a word, so that such a pair cannot be seen here.
        // Ending the connection afterwards leaves no second request to smuggle (RFC 9112, 6.1).
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[derive(PartialEq)]
enum Framing {
    Plain,
    Chunked,
    Doubtful,
}

fn framing(headers: &HeaderMap) -> Framing {
    let lengths = headers.get_all(header::CONTENT_LENGTH).iter().count();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) if lengths <= 1 => Framing::Plain,
        (Some(only), None) if lengths == 0 && only.as_bytes().eq_ignore_ascii_case(b"chunked") => Framing::Chunked,
        _ => Framing::Doubtful,
    }
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    let mut response = json(status, error_text(None, &invalid_request(why)));
    response.extensions_mut().insert(TurnedAway(why));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn is_loopback(name: &str) -> bool {
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    name == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_are_ours() {
        let hosts = Hosts::new(["tools.example.com".to_owned()]);
        for host in [
            "localhost",
            "localhost:7411",
            "LOCALHOST:1",
            "127.0.0.1",
            "127.0.0.1:65535",
            "[::1]",
            "[::1]:80",
            "tools.example.com",
            "Tools.Example.com:443",
        ] {
            assert!(hosts.is_ours(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "localhost:",
            "localhost:x",
            "localhost:99999",
            "evil.example.com",
            "localhost.evil.example.com",
            "127.0.0.1.evil.example.com",
            "tools.example.com.evil.example.com",
            "eviltools.example.com",
            "user@localhost",
            "localhost@evil.example.com",
            "localhost/evil",
            "local host",
            "0.0.0.0",
            "10.0.0.1",
            "::1",
            "[::2]",
            "2130706433",
            "0x7f.1",
            "localhost,evil.example.com",
            "[::1]evil:80",
            "[::1]evil",
            "localhost:+80",
        ] {
            assert!(!hosts.is_ours(host), "{host}");
        }
    }

    #[test]
    fn without_a_token_only_own_pages_and_named_ones_may_call() {
        let hosts = Hosts::default().with_pages_of(["http://localhost:6274".to_owned()]).only_own_pages();
        let is_taken = |host: &str, origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            headers.insert(header::ORIGIN, origin.parse().unwrap());
            hosts.check(&Uri::from_static("/"), &headers).is_ok()
        };
        for (host, origin) in [
            ("localhost:7411", "http://localhost:7411"),
            ("LOCALHOST:7411", "http://localhost:7411"),
            ("127.0.0.1:7411", "http://127.0.0.1:7411"),
            ("[::1]", "http://[::1]"),
            ("127.0.0.1:7411", "http://localhost:6274"),
        ] {
            assert!(is_taken(host, origin), "{origin} at {host}");
        }
        for origin in [
            "http://localhost:3000",
            "http://localhost",
            "http://127.0.0.1:7411",
            "https://localhost:7411",
            "http://localhost:6274.evil.example.com",
            "https://localhost:6274",
            "null",
        ] {
            assert!(!is_taken("localhost:7411", origin), "{origin}");
        }
    }

    #[test]
    fn only_own_pages_may_call() {
        let hosts = Hosts::new(["tools.example.com".to_owned()]);
        for origin in ["http://localhost:3000", "https://tools.example.com", "http://[::1]:5"] {
            assert!(hosts.is_own_origin(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "file://",
            "http://evil.example.com",
            "https://tools.example.com.evil.example.com",
            "http://localhost.evil.example.com",
            "http://localhost/",
            "HTTP://localhost",
            "chrome-extension://localhost",
        ] {
            assert!(!hosts.is_own_origin(origin), "{origin}");
        }
    }
}
