//! A line of the audit, and where it stands.

use std::{fmt, net::IpAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::chain::Place;
use crate::id::{AgentId, CallId, UserId};

/// The most characters of a field that somebody outside has filled in.
const FIELD: usize = 200;

/// What happened. Without arguments and answers, for there may be secrets in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it began.
    pub at: Timestamp,
    /// The reference that the caller got.
    pub call: CallId,
    /// For whom.
    pub user: UserId,
    /// Through which agent.
    pub agent: AgentId,
    /// From where, when the client came over the network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<IpAddr>,
    /// At which vendor.
    pub integration: String,
    /// With which account.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection: Option<String>,
    /// Which tool.
    pub tool: String,
    /// On what, such as the id of a record or a recipient.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub millis: u64,
    /// What kind of deed it was, which says how long its line is kept.
    #[serde(skip_serializing_if = "Class::is_look", default)]
    pub class: Class,
    /// By which way it came, where that says something: `console`, `cli`, `rest`, `client`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub via: Option<String>,
    /// How often it happened, when one line stands for many that are alike: from `at` until `until`.
    #[serde(skip_serializing_if = "is_one", default = "one")]
    pub times: u64,
    /// When it happened last, of several times.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<Timestamp>,
}

/// What kind of deed a line tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It changed nothing: a look, or a refusal.
    #[default]
    Look,
    /// It changed, or was about to change, something at a vendor.
    Change,
    /// It changed this house: who may come in, who may do what, what was said yes to.
    House,
}

impl Class {
    /// `look`, `change` or `house`.
    pub fn name(self) -> &'static str {
        match self {
            Class::Look => "look",
            Class::Change => "change",
            Class::House => "house",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_look(&self) -> bool {
        *self == Class::Look
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_one(times: &u64) -> bool {
    *times == 1
}

fn one() -> u64 {
    1
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It was done.
    Ok,
    /// It was tried and failed.
    Error {
        /// The kind of error, such as `not_found`.
        code: String,
    },
    /// It was not tried.
    Refused {
        /// Which rule forbade it.
        why: String,
    },
    /// It was about to be done; how it ended stands in a later line of the same call, or is not known.
    Begun,
}

impl Outcome {
    /// `ok`, `error`, `refused` or `begun`.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Error { .. } => "error",
            Outcome::Refused { .. } => "refused",
            Outcome::Begun => "begun",
        }
    }
}

impl Entry {
    /// A deed of `user` through `agent` in this house itself, such as `token_made`, on `target`.
    pub fn deed(at: Timestamp, call: CallId, user: UserId, agent: AgentId, what: &str) -> Self {
        Entry {
            at,
            call,
            user,
            agent,
            address: None,
            integration: HOUSE.to_owned(),
            connection: None,
            tool: what.to_owned(),
            target: None,
            outcome: Outcome::Ok,
            millis: 0,
            class: Class::House,
            via: None,
            times: 1,
            until: None,
        }
    }
}

/// What lines about the house itself name in place of a tool.
pub const DEEDS: &[&str] = &[
    "account_connected",
    "account_ended",
    "agent_changed",
    "agent_made",
    "agent_removed",
    "approved",
    "app_set",
    "consent_begun",
    "denied",
    "exported",
    "house_changed",
    "imported",
    "invitation_accepted",
    "key_rotated",
    "panic",
    "panic_finished",
    "sign_in_refused",
    "signed_in",
    "token_made",
    "token_refused",
    "token_renewed",
    "token_revoked",
    "user_added",
    "user_changed",
    "user_invited",
    "user_removed",
];

/// What stands in place of a vendor in lines about the house itself.
pub const HOUSE: &str = "switchboard";

impl Entry {
    /// The entry with fields that are short and on one line: a tool's target comes from a model, and a line of the
    /// audit must not look like two.
    pub(super) fn tidied(mut self) -> Self {
        let fields = [
            Some(&mut self.integration),
            self.connection.as_mut(),
            Some(&mut self.tool),
            self.target.as_mut(),
            self.via.as_mut(),
        ];
        for field in fields.into_iter().flatten() {
            tidy(field);
        }
        match &mut self.outcome {
            Outcome::Ok | Outcome::Begun => {}
            Outcome::Error { code: text } | Outcome::Refused { why: text } => tidy(text),
        }
        self
    }
}

fn tidy(field: &mut String) {
    let is_plain = !field.contains(char::is_control) && field.len() <= FIELD;
    if !is_plain {
        *field = field.chars().take(FIELD).map(|char| if char.is_control() { ' ' } else { char }).collect();
    }
}

/// Where a line stands: its time in microseconds, and the node that wrote it, both big-endian, so that the order of
/// the bytes is the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryId([u8; EntryId::LEN]);

impl EntryId {
    const LEN: usize = 12;

    pub(super) fn new(micros: u64, node: [u8; 4]) -> Self {
        let mut bytes = [0; EntryId::LEN];
        bytes[..8].copy_from_slice(&micros.to_be_bytes());
        bytes[8..].copy_from_slice(&node);
        EntryId(bytes)
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(EntryId)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn micros(self) -> u64 {
        self.0.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where a page of the audit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(EntryId);

impl Cursor {
    /// The cursor that was printed as `text`; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 2 * EntryId::LEN || !text.is_ascii() {
            return None;
        }
        let digits = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
        let bytes: Vec<u8> = digits.collect::<Result<_, _>>().ok()?;
        Cursor::at(&bytes)
    }

    pub(super) fn at(id: &[u8]) -> Option<Self> {
        EntryId::parse(id).map(Cursor)
    }

    pub(super) fn id(&self) -> &EntryId {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A line as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Where it stands.
    pub cursor: Cursor,
    /// What it says.
    pub entry: Entry,
    /// Whether it was written before there was a chain, or came out of an export.
    pub is_taken_over: bool,
}

/// A line as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(flatten)]
    pub(super) entry: Entry,
    /// Lines of the version before have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) chain: Option<Place>,
}

impl Stored {
    pub(super) fn decode(value: &[u8]) -> Option<Self> {
        serde_json::from_slice(value).ok()
    }
}

impl Recorded {
    pub(super) fn decode(id: &[u8], value: &[u8]) -> Option<Self> {
        let Stored { entry, chain } = Stored::decode(value)?;
        Some(Recorded { cursor: Cursor::at(id)?, entry, is_taken_over: chain.is_none_or(|place| place.old) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_from_its_text() {
        let cursor = Cursor(EntryId::new(1_795_424_400_000_000, [1, 2, 3, 255]));
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for text in ["", "00", "zz00000000000000000000zz", "+f0000000000000000000000f", "ü00000000000000000000000"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }

    #[test]
    fn later_lines_have_greater_ids() {
        assert!(EntryId::new(255, [9; 4]).bytes() < EntryId::new(256, [0; 4]).bytes());
        assert_eq!(EntryId::new(256, [9; 4]).micros(), 256);
    }

    #[test]
    fn a_field_stays_on_one_line_and_is_short() {
        let mut field = "a\nb\u{1b}[31m".to_owned();
        tidy(&mut field);
        assert_eq!(field, "a b [31m");
        let mut field = "ü".repeat(500);
        tidy(&mut field);
        assert_eq!(field.chars().count(), FIELD);
    }
}
