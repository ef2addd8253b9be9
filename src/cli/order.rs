//! What commands ask of whoever owns the data directory, and what they get back.
//!
//! An order is plain data, so that it can be carried out in this process or travel through the owner's socket;
//! a command does not know which of the two happens.

mod views;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::views::{
    AnswerView, ApprovalView, AskView, AuditView, CallView, ConnectionView, DeviceView, DisconnectView, Finding,
    HealthView, ProspectView, RotationView, SandboxView, StartView, TestView, ToolView, WholeView,
};
use super::people::{AgentOrder, UserOrder};
use crate::{
    audit::Filter,
    hub::Filters,
    secret::{self, Secret},
    tool::sentence,
    vault::Clash,
};

/// The steps of ending everything; what was cut off begins with the first one again and goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PanicOrder {
    /// Shut our own doors: [`Progress`](crate::hub::emergency::Progress).
    Begin,
    /// End some of the grants that are left: [`Progress`](crate::hub::emergency::Progress).
    GoOn,
    /// The signed list: [`Report`](crate::hub::emergency::Report).
    Report,
    /// The list is in safe hands.
    Finish,
    /// Whether a list is as it was signed here: `bool`.
    Verify {
        /// The list with its signature.
        signed: Value,
    },
}

/// What is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// All connections: `Vec<ConnectionView>`.
    Connections,
    /// One step of ending everything.
    Panic(PanicOrder),
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
    /// Everything that would leave after a yes to one: [`WholeView`].
    Approval {
        /// Its id.
        id: String,
    },
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
    /// Check every line of the audit and their chain: [`Verdict`](crate::audit::Verdict).
    VerifyAudit {
        /// A head that was kept from an earlier check.
        head: Option<String>,
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
