//! What a client without a token learns: who issues tokens for this server (RFC 9728).

use std::sync::Arc;

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use url::Url;

use super::guard::{self, Hosts};
use crate::agents::Scope;

/// Where the descriptions are, before the path of what they describe (RFC 9728, section 3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// This server, as authorization servers and clients name it.
#[derive(Clone, Debug)]
pub struct ProtectedResource {
    /// Scheme, host and port, without a slash at the end.
    origin: String,
    /// The path before ours, for a server behind a proxy; mostly empty.
    prefix: String,
    issuer: String,
    scope: Scope,
}

/// The description on the wire.
#[derive(Serialize)]
struct Document<'a> {
    resource: &'a str,
    authorization_servers: [&'a str; 1],
    scopes_supported: Vec<&'a str>,
    bearer_methods_supported: [&'a str; 1],
}

impl ProtectedResource {
    /// The server at the address `own`, whose tokens `issuer` makes. `scope` is what a client needs for all that is
    /// offered to everybody.
    pub fn new(own: &Url, issuer: impl Into<String>, scope: Scope) -> Self {
        ProtectedResource {
            origin: own.origin().ascii_serialization(),
            prefix: own.path().trim_end_matches('/').to_owned(),
            issuer: issuer.into(),
            scope,
        }
    }

    /// The names under which a token may be meant for this server: the MCP endpoint, and the server as a whole.
    pub fn audiences(&self) -> Vec<String> {
        self.paths().iter().map(|path| self.named(path)).collect()
    }

    /// Where the description of the MCP endpoint is, for [`Options::resource_metadata`](super::Options).
    pub fn metadata_address(&self) -> String {
        format!("{}{WELL_KNOWN}{}/mcp", self.origin, self.prefix)
    }

    /// The routes of both descriptions, behind the guard. They need no token.
    pub fn router(&self, hosts: Arc<Hosts>) -> Router {
        let routes = self.paths().into_iter().fold(Router::new(), |router, path| {
            let text = self.document(&path);
            router.route(&format!("{WELL_KNOWN}{path}"), get(move || std::future::ready(answer(text.clone()))))
        });
        guard::protect(routes, hosts)
    }

    fn paths(&self) -> [String; 2] {
        [format!("{}/mcp", self.prefix), self.prefix.clone()]
    }

    /// The canonical address of what is at `path`: no slash at the end.
    fn named(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// A client only believes a description whose `resource` is the address that it derived it from (section 3.3).
    fn document(&self, path: &str) -> String {
        let document = Document {
            resource: &self.named(path),
            authorization_servers: [&self.issuer],
            scopes_supported: self.scope.needed().split(' ').collect(),
            bearer_methods_supported: ["header"],
        };
        serde_json::to_string(&document).expect("texts fit into JSON")
    }
}

fn answer(document: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, document).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(own: &str) -> ProtectedResource {
        ProtectedResource::new(&own.parse().unwrap(), "https://id.example.com/", Scope::Read)
    }

    #[test]
    fn names_are_canonical() {
        let resource = resource("HTTPS://Tools.Example.com:443/");
        assert_eq!(resource.audiences(), ["https://tools.example.com/mcp", "https://tools.example.com"]);
        assert_eq!(resource.metadata_address(), "https://tools.example.com/.well-known/oauth-protected-resource/mcp");
    }

    #[test]
    fn a_path_before_ours_goes_behind_the_well_known_one() {
        let resource = resource("https://example.com:8443/tools/");
        assert_eq!(resource.audiences(), ["https://example.com:8443/tools/mcp", "https://example.com:8443/tools"]);
        assert_eq!(
            resource.metadata_address(),
            "https://example.com:8443/.well-known/oauth-protected-resource/tools/mcp"
        );
    }

    #[test]
    fn a_description_names_the_issuer_letter_by_letter() {
        assert_eq!(
            resource("https://tools.example.com").document("/mcp"),
            r#"{"resource":"https://tools.example.com/mcp","authorization_servers":["https://id.example.com/"],"scopes_supported":["tools:read"],"bearer_methods_supported":["header"]}"#
        );
    }
}
