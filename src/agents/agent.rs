//! An agent: a named set of tools, and how far it may go with them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, UserId};

/// The agent and the user of a machine where nobody set up others.
pub const LOCAL: &str = "local";

/// A named set of tools of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Whose connections it works with.
    pub user: UserId,
    /// What people call it.
    pub name: String,
    /// What the model is told about its job.
    #[serde(default)]
    pub instructions: Option<String>,
    /// The integrations whose tools it gets.
    pub integrations: Integrations,
    /// Single tools switched on or off, whatever their integration's core set is.
    #[serde(default)]
    pub tools: BTreeMap<String, bool>,
    /// How far it may go.
    pub level: Level,
    /// When a message that leaves the house needs a person's yes.
    #[serde(default)]
    pub sends: AskSetting,
    /// The account to take for an integration with several.
    #[serde(default)]
    pub accounts: BTreeMap<String, String>,
    /// How it speaks on the phone.
    #[serde(default)]
    pub voice: Option<Voice>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Agent {
    /// The agent that `user` has without making one: everything that is connected, without a limit.
    pub fn implicit(user: UserId) -> Self {
        Agent {
            id: AgentId::new(LOCAL),
            user,
            name: LOCAL.to_owned(),
            instructions: None,
            integrations: Integrations::Connected,
            tools: BTreeMap::new(),
            level: Level::Full,
            sends: AskSetting::default(),
            accounts: BTreeMap::new(),
            voice: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// Whether it gets the tools of `integration`, given whether that is connected.
    pub fn has_integration(&self, integration: &str, is_connected: bool) -> bool {
        match &self.integrations {
            Integrations::Connected => is_connected,
            Integrations::These(these) => these.contains(integration),
        }
    }

    /// Whether `tool` was switched on or off on its own; `None` when its integration decides.
    pub fn switched(&self, tool: &str) -> Option<bool> {
        self.tools.get(tool).copied()
    }
}

/// Which integrations an agent has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Integrations {
    /// Those that its user has connected.
    #[default]
    Connected,
    /// These, connected or not.
    These(BTreeSet<String>),
}

/// How far an agent may go. A greater level allows more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It looks, and changes nothing.
    ReadOnly,
    /// Everything but what cannot be undone.
    NoDelete,
    /// Everything; what cannot be undone still needs a person's yes.
    Full,
}

/// When a message that leaves the house, or an invitation to it, needs a person's yes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AskSetting {
    /// Never.
    Never,
    /// When a message goes to somebody new; an invitation only when text of others was read before.
    #[default]
    NewRecipients,
    /// Always.
    Always,
}

/// How an agent speaks on the phone. Kept for the voice layer; what is left out is as it is usual there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// What it says first, such as `Northwind, good morning.`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// The language that it speaks (BCP 47), such as `de-DE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The speech service's name of its voice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<String>,
    /// How fast it speaks, in percent of the usual, from 50 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<u16>,
    /// After how much silence a turn counts as over, in milliseconds, from 100 to 3000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_of_turn_ms: Option<u16>,
    /// After how much silence a turn counts as over although the sentence is not, in milliseconds, from 100 to 5000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished_turn_ms: Option<u16>,
    /// What it says while a tool takes long, such as `One moment.`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fillers: Vec<String>,
    /// Whether it stops speaking when the caller begins to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_be_interrupted: Option<bool>,
    /// For how long a caller must speak to take the turn without a word being understood, in milliseconds, from 100 to
    /// 3000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupt_ms: Option<u16>,
    /// After how many seconds of silence it asks whether the caller is still there, from 5 to 600; after as many more
    /// it hangs up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u16>,
    /// Whether a caller's page is told what tools are called with and what they answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shows_calls: bool,
    /// Whether a transcript of its conversations is kept, calls included.
    #[serde(default, skip_serializing_if = "is_false")]
    pub transcript: bool,
    /// Whether the sound of its conversations is recorded.
    #[serde(default, skip_serializing_if = "is_false")]
    pub record: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(set: &bool) -> bool {
    !set
}

impl Voice {
    /// What is wrong with it, in words.
    pub fn problem(&self) -> Option<String> {
        if self.speed.is_some_and(|speed| !(50..=200).contains(&speed)) {
            return Some("`voice.speed` is from 50 to 200 percent".into());
        }
        let numbers = [
            ("end_of_turn_ms", self.end_of_turn_ms, 100..=3000),
            ("unfinished_turn_ms", self.unfinished_turn_ms, 100..=5000),
            ("interrupt_ms", self.interrupt_ms, 100..=3000),
            ("idle_seconds", self.idle_seconds, 5..=600),
        ];
        let wrong = |(_, set, range): &(_, Option<u16>, std::ops::RangeInclusive<u16>)| {
            set.is_some_and(|set| !range.contains(&set))
        };
        if let Some((name, _, range)) = numbers.into_iter().find(wrong) {
            return Some(format!("`voice.{name}` is from {} to {}", range.start(), range.end()));
        }
        let mut texts = [&self.greeting, &self.language, &self.voice].into_iter().flatten().chain(&self.fillers);
        let is_long = texts.any(|text| text.chars().count() > 500) || self.fillers.len() > 20;
        is_long.then(|| "the texts in `voice` have at most 500 characters, and there are at most 20 fillers".into())
    }
}

/// What an agent is made of, before it has an id.
#[derive(Clone, Debug)]
pub struct NewAgent {
    /// Whose connections it works with.
    pub user: UserId,
    /// What people call it.
    pub name: String,
    /// The integrations whose tools it gets.
    pub integrations: Integrations,
    /// Single tools switched on or off.
    pub tools: BTreeMap<String, bool>,
    /// How far it may go.
    pub level: Level,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The person's id.
    pub id: UserId,
    /// What people say.
    pub name: String,
    /// Whether this person administers the server.
    #[serde(default)]
    pub admin: bool,
    /// When the person was added.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_named_as_in_the_interface() {
        assert!(Level::ReadOnly < Level::NoDelete && Level::NoDelete < Level::Full);
        let name = |level| serde_json::to_string(&level).unwrap();
        assert_eq!(
            [Level::ReadOnly, Level::NoDelete, Level::Full].map(name),
            ["\"read-only\"", "\"no-delete\"", "\"full\""]
        );
    }

    #[test]
    fn the_implicit_agent_has_what_is_connected() {
        let agent = Agent::implicit(UserId::new(LOCAL));
        assert!(agent.has_integration("gmail", true));
        assert!(!agent.has_integration("gmail", false));
        let picky = Agent { integrations: Integrations::These(["slack".to_owned()].into()), ..agent };
        assert!(picky.has_integration("slack", false));
        assert!(!picky.has_integration("gmail", true));
    }
}
