//! Lets the pages that the operator named read the answers of `/mcp`: clients that run in a browser, such as the MCP
//! Inspector. Nobody else gets a word of CORS, so that browsers keep answers from the pages of strangers.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use super::guard::Hosts;

/// What a page may read beside the body.
const EXPOSED: &str = "Mcp-Session-Id, WWW-Authenticate";
/// With what a page may come.
const METHODS: &str = "GET, POST, DELETE";
/// For how long a browser need not ask again, in seconds.
const AGE: &str = "600";

/// Answers what browsers ask before a page calls `router`, for named pages.
pub(super) fn answer(router: Router, hosts: Arc<Hosts>) -> Router {
    router.layer(middleware::from_fn_with_state(hosts, allow))
}

async fn allow(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).filter(|origin| hosts.is_named(origin)).cloned();
    let Some(origin) = origin else { return next.run(request).await };
    let is_question =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_question { permission(&request) } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    response
}

/// What a page may do. The headers are those that it asks for: the protocol has some whose names depend on the tool.
fn permission(request: &Request) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(AGE));
    if let Some(wanted) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    let private = HeaderName::from_static("access-control-request-private-network");
    if request.headers().contains_key(private) {
        let allowed = HeaderName::from_static("access-control-allow-private-network");
        headers.insert(allowed, HeaderValue::from_static("true"));
    }
    response
}
