//! What orders are answered with. Commands write it for people, or as JSON for programs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    audit::Entry,
    secret::{self, Secret},
};

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
    /// Whose account it becomes.
    #[serde(default)]
    pub person: String,
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
    /// Whether there is more to read.
    #[serde(default)]
    pub is_shortened: bool,
    /// Who wants it.
    pub agent: String,
    /// With which tool.
    pub tool: String,
    /// Until when a yes counts.
    pub expires_at: jiff::Timestamp,
}

/// One question that waits, with everything that would leave.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WholeView {
    /// The question.
    pub approval: ApprovalView,
    /// Everything.
    pub whole: String,
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
    /// Records that could not be opened and stayed as they are, each with what is wrong with it.
    #[serde(default)]
    pub damaged: Vec<String>,
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
