//! Every change that somebody makes over REST has a line in the audit: who, what, on what, by which way.
//!
//! The line is written where all requests pass, so that no resource can forget it. What has lines of its own, the calls
//! of tools and the answers to questions, and what changes nothing, is left out by name.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use serde_json::Value;

use super::Api;
use crate::{audit::Entry, hub::Caller, id::CallId};

/// The longest answer that is looked into for the id of what was made; ours have some hundred bytes.
const LONGEST: usize = 1 << 20;

/// Writes down what `request` has changed, after it was answered.
pub(super) async fn keep(State(api): State<Api>, request: Request, next: Next) -> Response {
    let deed = deed(request.method(), request.uri().path());
    let caller = request.extensions().get::<Caller>().cloned();
    let via = if request.headers().contains_key(header::AUTHORIZATION) { "rest" } else { "console" };
    let response = next.run(request).await;
    let (Some((what, target)), Some(caller)) = (deed, caller) else { return response };
    if !response.status().is_success() {
        return response;
    }
    let (response, made) = made(response).await;
    if let Ok(desk) = api.desk().await {
        let entry = api.house_entry(&caller, what, via);
        desk.note(Entry { target: target.or(made), ..entry }).await;
    }
    response
}

impl Api {
    /// A line about this house itself.
    pub(super) fn house_entry(&self, caller: &Caller, what: &str, via: &str) -> Entry {
        let principal = caller.principal.clone();
        let (at, call) = (self.0.hub.now(), CallId::fresh(&*self.0.entropy));
        let entry = Entry::deed(at, call, principal.user, principal.agent, what);
        Entry { via: Some(via.to_owned()), address: caller.address, ..entry }
    }
}

/// What a request does, and on what; `None` for what changes nothing or has lines of its own.
fn deed(method: &Method, path: &str) -> Option<(&'static str, Option<String>)> {
    if method.is_safe() {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let on = |target: &str| Some(target.to_owned());
    Some(match (method.as_str(), &parts[..]) {
        (_, ["tools" | "approvals", ..]) | ("POST", ["integrations", _, "test"] | ["agents", _, "preview"]) => {
            return None;
        }
        ("POST", ["integrations", "oauth", "start"]) => ("consent_begun", None),
        ("POST", ["integrations", id, "connect"]) => ("account_connected", on(id)),
        ("DELETE", ["integrations", id, "disconnect"]) => ("account_ended", on(id)),
        ("POST", ["agents"]) => ("agent_made", None),
        ("DELETE", ["agents", id]) => ("agent_removed", on(id)),
        ("POST", ["agents" | "users", _, "tokens"]) => ("token_made", None),
        ("DELETE", ["agents" | "users", _, "tokens", token]) => ("token_revoked", on(token)),
        ("POST", ["agents" | "users", _, "tokens", token, "renewal"]) => ("token_renewed", on(token)),
        (_, ["agents", id, ..]) => ("agent_changed", on(id)),
        (_, ["panic", ..]) => ("panic", None),
        ("POST", ["users"]) => ("user_added", None),
        ("DELETE", ["users", id]) => ("user_removed", on(id)),
        ("POST", ["users", id, "invitation"]) => ("user_invited", on(id)),
        (_, ["users", id, ..]) => ("user_changed", on(id)),
        (method, _) => ("house_changed", Some(format!("{method} {path}"))),
    })
}

/// The answer, and the id of what it says was made.
async fn made(response: Response) -> (Response, Option<String>) {
    if response.status() != StatusCode::CREATED {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    // The answers to what makes something are small, and here already.
    let bytes = to_bytes(body, LONGEST).await.unwrap_or_default();
    let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let id = value["id"].as_str().or_else(|| value["user"]["id"].as_str()).map(str::to_owned);
    (Response::from_parts(parts, Body::from(bytes)), id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_that_changes_something_is_a_deed() {
        let without = [
            ("POST", "/tools/{name}/call"),
            ("POST", "/approvals/{id}"),
            ("POST", "/integrations/{id}/test"),
            ("POST", "/agents/{id}/preview"),
        ];
        for route in super::super::routes::guarded() {
            let is_without = without.contains(&(route.method.as_str(), route.path)) || route.method.is_safe();
            let deed = deed(&route.method, route.path);
            assert_eq!(deed.is_none(), is_without, "{} {}", route.method, route.path);
            let is_named = deed.is_none_or(|(what, _)| what != "house_changed");
            assert!(is_named, "{} {} should have a name of its own", route.method, route.path);
        }
    }
}
