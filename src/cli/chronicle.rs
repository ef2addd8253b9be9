//! Who came in through the doors of `serve`, and who was turned away: lines of the audit.
//!
//! The layer lies around everything, so that no way in can forget it. Refusals of one address are folded like all equal
//! lines, so that whoever knocks all the time fills nothing.

use std::net::IpAddr;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};

use crate::{
    agents::{Agents, session_cookie},
    audit::{Audit, Entry, Outcome},
    clock::SharedClock,
    id::{AgentId, CallId, SharedEntropy, UserId},
    transport::proxy,
};

/// For whom a line stands that nobody is known for.
const NOBODY: &str = "unknown";

/// What lines are written with.
#[derive(Clone, Debug)]
pub struct Chronicle {
    /// Where they go.
    pub audit: Audit,
    /// Tells who signed in.
    pub agents: Agents,
    /// Tells when.
    pub clock: SharedClock,
    /// Makes their references.
    pub entropy: SharedEntropy,
}

impl Chronicle {
    /// `router`, with a line for everybody who signs in, and for every token that is refused.
    pub fn around(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, keep))
    }

    fn entry(&self, what: &str, address: Option<IpAddr>) -> Entry {
        let nobody = (UserId::new(NOBODY), AgentId::new(NOBODY));
        let entry = Entry::deed(self.clock.now(), CallId::fresh(&*self.entropy), nobody.0, nobody.1, what);
        Entry { address, ..entry }
    }

    async fn refused(&self, what: &str, address: Option<IpAddr>) {
        let outcome = Outcome::Refused { why: "unknown_token".into() };
        self.audit.record(Entry { outcome, ..self.entry(what, address) }).await;
    }

    /// Somebody was given a session.
    async fn signed_in(&self, headers: &HeaderMap, address: Option<IpAddr>) {
        let cookies = headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let Some(cookie) = session_cookie(cookies) else { return };
        let Ok(Some(principal)) = self.agents.principal_in_session(&cookie).await else { return };
        let entry = Entry { user: principal.user, agent: principal.agent, ..self.entry("signed_in", address) };
        let entry = Entry { via: Some("console".to_owned()), ..entry };
        if let Err(error) = self.audit.record_durably(entry).await {
            tracing::error!(%error, "a sign-in is missing from the audit");
        }
    }
}

async fn keep(State(chronicle): State<Chronicle>, request: Request, next: Next) -> Response {
    let address = proxy::client(request.extensions());
    let is_sign_in = request.uri().path() == "/login" && !request.method().is_safe();
    let has_token = request.headers().contains_key(header::AUTHORIZATION);
    let response = next.run(request).await;
    match response.status() {
        StatusCode::UNAUTHORIZED if has_token => chronicle.refused("token_refused", address).await,
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED if is_sign_in => {
            chronicle.refused("sign_in_refused", address).await;
        }
        status if is_sign_in && status.is_redirection() => chronicle.signed_in(response.headers(), address).await,
        _ => {}
    }
    response
}
