//! What commands ask of whoever owns the data directory, and what they get back.
//!
//! An order is plain data, so that it can be carried out in this process or travel through the owner's socket;
//! a command does not know which of the two happens.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::people::{AgentOrder, UserOrder};
use crate::{
    audit::{Entry, Filter},
    hub::Filters,
    secret::{self, Secret},
    tool::sentence,
    vault::Clash,
};

/// What is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// All connections: `Vec<ConnectionView>`.
    Connections,
    /// Ask the vendor: [`TestView`].
    Test {
        /// Which integration.
        integration: String,
        /// Which account of it.
        account: Option<String>,
    },
    /// End a connection: [`DisconnectView`].
    Disconnect {
        /// Which integration.
        integration: String,
        /// Which account of it.
        account: Option<String>,
    },
    /// Where the owner itself takes what vendors send back, when it does: `Option<String>`.
    Redirect,
    /// Begin to connect: [`StartView`].
    Start {
        /// Which integration.
        integration: String,
        /// What the account is to be called.
        account: String,
        /// What the person named, where the vendor's addresses depend on it.
        #[serde(default)]
        names: BTreeMap<String, String>,
        /// Tools whose rights are asked for in any case.
        #[serde(default)]
        tools: Vec<String>,
        /// Where the vendor sends the browser back to; the owner's own address when absent.
        redirect: Option<String>,
    },
    /// What has to be known before an account can be connected: [`ProspectView`].
    Prospect {
        /// Which integration.
        integration: String,
    },
    /// Begin to connect with a code that the person types in elsewhere: [`DeviceView`].
    StartOnDevice {
        /// Which integration.
        integration: String,
        /// What the account is to be called.
        account: String,
        /// What the person named, where the vendor's addresses depend on it.
        names: BTreeMap<String, String>,
        /// Tools whose rights are asked for in any case.
        tools: Vec<String>,
    },
    /// Look whether the person has consented elsewhere: `Option<ConnectionView>`.
    FinishOnDevice {
        /// The ticket of [`DeviceView`].
        #[serde(serialize_with = "secret::exposed")]
        ticket: Secret,
    },
    /// Finish connecting with what the vendor sent back: [`ConnectionView`].
    Finish {
        /// The query of the redirect.
        answer: BTreeMap<String, String>,
    },
    /// Connect with a key or token: [`ConnectionView`].
    ConnectFields {
        /// Which integration.
        integration: String,
        /// What the account is to be called.
        account: String,
        /// The value of the integration's one secret field.
        #[serde(serialize_with = "secret::exposed")]
        key: Secret,
        /// The values of the other fields.
        #[serde(default)]
        names: BTreeMap<String, String>,
    },
    /// Keep an OAuth client: `String`, what the vendor said about it.
    SetApp {
        /// The vendor family.
        family: String,
        /// The client's id.
        client_id: String,
        /// Its secret.
        #[serde(serialize_with = "secret::exposed_option")]
        client_secret: Option<Secret>,
        /// Where the vendor will send people back to, when no owner listens.
        redirect: String,
    },
    /// The tools: `Vec<ToolView>`.
    Tools {
        /// Which ones.
        filters: Filters,
    },
    /// Call a tool: [`CallView`].
    Call {
        /// Its name.
        tool: String,
        /// Its arguments.
        arguments: Map<String, Value>,
        /// The person's answer to the question that came before.
        answered: Option<AnswerView>,
    },
    /// What waits for a person: `Vec<ApprovalView>`.
    Approvals,
    /// Decide one: [`ApprovalView`].
    Decide {
        /// Its id.
        id: String,
        /// Yes or no.
        approve: bool,
    },
    /// Something with people; see [`UserOrder`].
    Users(UserOrder),
    /// Something with agents; see [`AgentOrder`].
    Agents(AgentOrder),
    /// Calls and refusals, the newest first: [`AuditView`].
    Audit {
        /// Which lines.
        #[serde(default)]
        filter: Filter,
        /// How many lines.
        limit: usize,
        /// Behind which line, as the page before said.
        cursor: Option<String>,
    },
    /// Seal every record with a new master identity: [`RotationView`].
    RotateKey,
    /// Write everything that lasts into a file: [`Exported`](crate::vault::Exported).
    Export {
        /// The file, as an absolute path.
        file: PathBuf,
        /// For whom it is sealed.
        lock: LockView,
    },
    /// Take everything over from a file: [`Imported`](crate::vault::Imported).
    Import {
        /// The file, as an absolute path.
        file: PathBuf,
        /// What opens it.
        opener: OpenerView,
        /// What to do with records that say something else.
        clash: Clash,
    },
    /// Something with the sandbox: [`SandboxView`].
    Sandbox(SandboxOrder),
    /// How everything is: [`HealthView`].
    Health,
}

/// What can be done with the sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxOrder {
    /// How the twins are.
    Status,
    /// Back to a seed.
    Reset {
        /// A seed of one's own.
        seed: Option<PathBuf>,
    },
    /// What has changed.
    Diff,
    /// Break a twin.
    Fault {
        /// Which one.
        vendor: String,
        /// How.
        what: String,
    },
    /// Let access tokens run out.
    Expire {
        /// Whose.
        vendor: String,
    },
    /// End all grants.
    Revoke {
        /// Whose.
        vendor: String,
    },
}

/// For whom an export is sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockView {
    /// Whoever knows this.
    #[serde(serialize_with = "secret::exposed")]
    Passphrase(Secret),
    /// Whoever has the identity of this recipient.
    Recipient(String),
}

/// What opens an export.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenerView {
    /// The passphrase.
    #[serde(serialize_with = "secret::exposed")]
    Passphrase(Secret),
    /// Identities, one a line.
    #[serde(serialize_with = "secret::exposed")]
    Identities(Secret),
}

/// Why an order was not carried out.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub next: Option<String>,
}

impl Failure {
    /// Only what happened.
    pub fn new(what: impl Into<String>) -> Self {
        Failure { what: what.into(), next: None }
    }

    /// With what to do about it.
    #[must_use]
    pub fn next(self, next: impl Into<String>) -> Self {
        Failure { next: Some(next.into()), ..self }
    }

    /// From any error that says enough itself.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Failure::new(sentence(&error.to_string()))
    }
}

/// One connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConnectionView {
    /// Such as `google-calendar`.
    pub integration: String,
    /// Such as `Google Calendar`.
    pub title: String,
    /// What it is called.
    pub account: String,
    /// `active`, `refreshing` or `needs_reconnect`.
    pub status: String,
    /// Why it has to be connected again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whose account it is at the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// When it was connected.
    pub connected_at: jiff::Timestamp,
    /// When the access token runs out; a new one is fetched by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<jiff::Timestamp>,
}

/// What a test found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestView {
    /// Such as `Google Calendar`.
    pub title: String,
    /// What the connection is called.
    pub account: String,
    /// Whose account it is, as the vendor says.
    pub name: String,
    /// One line more.
    pub detail: String,
    /// How long the vendor took.
    pub latency_ms: u64,
}

/// What became of a connection that was ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DisconnectView {
    /// Such as `Google Calendar`.
    pub title: String,
    /// What the connection was called.
    pub account: String,
    /// What happened at the vendor.
    pub vendor: String,
}

/// Where a person consents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StartView {
    /// Such as `Google Calendar`.
    pub title: String,
    /// The address to visit.
    pub authorize_url: String,
    /// Until when.
    pub expires_at: jiff::Timestamp,
    /// Whether the owner itself takes the answer.
    pub owner_listens: bool,
}

/// What has to be known before an account can be connected.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProspectView {
    /// Such as `Google Calendar`.
    pub title: String,
    /// The vendor family whose OAuth client is used.
    pub family: String,
    /// Whether it has a consent page.
    pub has_consent: bool,
    /// Whether an OAuth client is set up.
    pub has_app: bool,
    /// Where a person registers one.
    pub console: Option<String>,
    /// How long a grant lasts while the client is in testing, in days.
    pub days_in_testing: Option<u64>,
    /// What the person names when consenting: name, label and help.
    pub asks: Vec<AskView>,
    /// What the person enters beside the key, when there is one.
    pub fields: Vec<AskView>,
}

/// Something that a person is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AskView {
    /// As in `--set NAME=VALUE`.
    pub name: String,
    /// What people see.
    pub label: String,
    /// Where to find it.
    pub help: String,
    /// Whether nothing goes without it.
    pub required: bool,
}

/// A code to type in elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceView {
    /// What the person types in.
    pub user_code: String,
    /// Where.
    pub page: String,
    /// The same page with the code filled in.
    pub page_with_code: Option<String>,
    /// How often to look, in seconds.
    pub interval: u64,
    /// Until when the code counts.
    pub expires_at: jiff::Timestamp,
    /// Names this consent.
    #[serde(serialize_with = "secret::exposed")]
    pub ticket: Secret,
}

/// One tool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ToolView {
    /// Where it belongs.
    pub integration: String,
    /// That one's title.
    pub integration_title: String,
    /// What it does to the world.
    pub effect: String,
    /// Whether an agent gets it with the integration.
    pub core: bool,
    /// What it costs to know.
    pub tokens: usize,
    /// The definition that clients get.
    pub definition: Value,
}

/// A person's answer to a question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AnswerView {
    /// The question's ticket.
    #[serde(serialize_with = "secret::exposed")]
    pub ticket: Secret,
    /// Yes or no.
    pub approved: bool,
}

/// What came of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallView {
    /// It is done.
    Done {
        /// For people.
        text: String,
        /// For programs.
        structured: Option<Value>,
    },
    /// A person has to say yes first.
    Ask {
        /// What will happen.
        question: String,
        /// Comes back with the answer.
        #[serde(serialize_with = "secret::exposed")]
        ticket: Secret,
        /// Where it can be decided elsewhere.
        approval: String,
    },
}

/// One question that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApprovalView {
    /// Its id.
    pub id: String,
    /// What will happen.
    pub question: String,
    /// Who wants it.
    pub agent: String,
    /// With which tool.
    pub tool: String,
    /// Until when a yes counts.
    pub expires_at: jiff::Timestamp,
}

/// Lines of the audit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditView {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What a rotation did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RotationView {
    /// How many records were sealed anew.
    pub records: u64,
    /// Where the new identity stands; `None` when it has to be put there by hand.
    pub place: Option<String>,
}

/// What the sandbox says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SandboxView {
    /// For people.
    pub text: String,
    /// For programs.
    pub structured: Value,
}

/// How everything is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HealthView {
    /// One line a finding.
    pub findings: Vec<Finding>,
}

/// Something that was looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub found: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn good(what: impl Into<String>, found: impl Into<String>) -> Self {
        Finding { what: what.into(), found: found.into(), ok: true, next: None }
    }

    /// Something is to be done.
    pub fn bad(what: impl Into<String>, found: impl Into<String>, next: impl Into<String>) -> Self {
        Finding { what: what.into(), found: found.into(), ok: false, next: Some(next.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_a_whole_sentence() {
        for (text, expected) in [
            ("the disk is full", "The disk is full."),
            ("Is it there?", "Is it there?"),
            ("`x` is unknown.", "`x` is unknown."),
        ] {
            assert_eq!(Failure::of(text).what, expected);
        }
    }
}
