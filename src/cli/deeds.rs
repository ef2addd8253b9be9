//! Which orders change something, and the line of the audit for each.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    house::local_principal,
    order::{Order, PanicOrder},
    people::{AgentDeed, UserOrder},
};
use crate::{
    audit::Entry,
    id::{self, CallId},
};

/// What an order has done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Deed {
    what: &'static str,
    target: Option<String>,
}

impl Deed {
    /// Its line; what was made is named by the answer.
    pub(super) fn entry(self, answer: &Value, now: Timestamp) -> Entry {
        let made =
            || ["/id", "/user/id", "/about/id"].iter().find_map(|at| answer.pointer(at)?.as_str().map(str::to_owned));
        let principal = local_principal();
        let target = self.target.or_else(made);
        let entry = Entry::deed(now, CallId::fresh(&*id::os()), principal.user, principal.agent, self.what);
        Entry { target, via: Some("cli".to_owned()), ..entry }
    }
}

/// An account of `integration` was connected.
pub(super) fn connected(integration: &str) -> Deed {
    Deed { what: "account_connected", target: Some(integration.to_owned()) }
}

/// What `order` changes; `None` for what changes nothing or has lines of its own.
pub(super) fn of(order: &Order) -> Option<Deed> {
    let (what, target) = match order {
        Order::Connections
        | Order::Test { .. }
        | Order::Redirect
        | Order::Prospect { .. }
        | Order::Tools { .. }
        | Order::Call { .. }
        | Order::Approvals
        | Order::Approval { .. }
        | Order::Decide { .. }
        | Order::Audit { .. }
        | Order::VerifyAudit { .. }
        | Order::Sandbox(_)
        | Order::Health => return None,
        Order::Disconnect { integration, .. } => ("account_ended", Some(integration.clone())),
        Order::Start { integration, .. } | Order::StartOnDevice { integration, .. } => {
            ("consent_begun", Some(integration.clone()))
        }
        Order::Panic(PanicOrder::Begin) => ("panic", None),
        Order::Panic(PanicOrder::Finish) => ("panic_finished", None),
        Order::Panic(_) => return None,
        // It is asked again and again until the person has consented.
        Order::FinishOnDevice { .. } => return None,
        Order::Finish { .. } => ("account_connected", None),
        Order::ConnectFields { integration, .. } => ("account_connected", Some(integration.clone())),
        Order::SetApp { family, .. } => ("app_set", Some(family.clone())),
        Order::Users(order) => return of_people(order),
        Order::Agents(order) => return of_agents(&order.what),
        Order::RotateKey => ("key_rotated", None),
        Order::Export { file, .. } => ("exported", Some(file.display().to_string())),
        Order::Import { file, .. } => ("imported", Some(file.display().to_string())),
    };
    Some(Deed { what, target })
}

fn of_people(order: &UserOrder) -> Option<Deed> {
    let (what, target) = match order {
        UserOrder::List | UserOrder::Tokens(_) => return None,
        UserOrder::Token { .. } => ("token_made", None),
        UserOrder::Renew { token, .. } => ("token_renewed", Some(token.clone())),
        UserOrder::Revoke { token, .. } => ("token_revoked", Some(token.clone())),
        UserOrder::Add { .. } => ("user_added", None),
        UserOrder::Invite(user) => ("user_invited", Some(user.clone())),
        UserOrder::SetAdmin(user, _) => ("user_changed", Some(user.clone())),
        UserOrder::Remove(user) => ("user_removed", Some(user.clone())),
    };
    Some(Deed { what, target })
}

fn of_agents(deed: &AgentDeed) -> Option<Deed> {
    let (what, target) = match deed {
        AgentDeed::List | AgentDeed::Show(_) | AgentDeed::Tokens(_) => return None,
        AgentDeed::Add(_) => ("agent_made", None),
        AgentDeed::Change(agent, _) => ("agent_changed", Some(agent.clone())),
        AgentDeed::Remove(agent) => ("agent_removed", Some(agent.clone())),
        AgentDeed::Token { .. } => ("token_made", None),
        AgentDeed::Revoke { token, .. } => ("token_revoked", Some(token.clone())),
    };
    Some(Deed { what, target })
}
