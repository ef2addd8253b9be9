//! What people do with their agents, over REST and on the command line alike: make them, change them, and see what
//! the model behind one will know and what that costs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Caller, Desk, Filters, Hub, Listing, listing::Offer};
use crate::{
    agents::{self, Agent, AskSetting, Integrations, Level, NewAgent, Principal, Voice},
    id::{AgentId, UserId},
    store,
    text::{self, Problems},
    tool::{Error, Integration, Kind, Result, Row},
};

/// From so many tools on, models begin to take the wrong one; clients begin to cut lists; OpenAI refuses the request.
const MANY_TOOLS: [(usize, &str); 3] = [
    (128, "more than 128 tools: OpenAI's API refuses such a list"),
    (100, "more than 100 tools: several clients cut such a list"),
    (40, "more than 40 tools: models begin to take the wrong one"),
];
/// The default bound of what a set of tools may cost, in tokens of four bytes.
const MANY_TOKENS: usize = 8_000;
/// How many names, and how many problems, one refusal tells.
const MOST_TOLD: usize = 20;
const LONGEST_NAME: usize = 100;
const LONGEST_INSTRUCTIONS: usize = 20_000;

/// What an agent is to be like. What is left out stays as it is, or as it is usual.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the model is told about its job; null for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub instructions: Option<Option<String>>,
    /// The integrations whose core tools it gets, such as `google-calendar`; null for whatever is connected.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub integrations: Option<Option<BTreeSet<String>>>,
    /// Exactly these tools, in place of the core of the integrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<BTreeSet<String>>,
    /// How far it may go; `full` unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// When a message or an invitation needs a person's yes; `new-recipients` unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asking: Option<AskSetting>,
    /// The account to take for an integration with several, such as `{"google-calendar": "work"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeMap<String, String>>,
    /// How it speaks on the phone; null for the usual.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub voice: Option<Option<Voice>>,
}

/// Tells a null, which takes something away, from something that is left out.
#[expect(clippy::option_option, reason = "left out is something else than null")]
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(input: D) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::deserialize(input).map(Some)
}

/// An agent as people see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Described {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// What people call it.
    pub name: String,
    /// What the model is told about its job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// The integrations that it has now.
    pub integrations: BTreeSet<String>,
    /// Whether it has whatever is connected, instead of a fixed choice.
    pub follows_connections: bool,
    /// The tools that its model sees now.
    pub tools: Vec<String>,
    /// How far it may go.
    pub level: Level,
    /// When a message or an invitation needs a person's yes.
    pub asking: AskSetting,
    /// The account to take for an integration with several.
    pub accounts: BTreeMap<String, String>,
    /// How it speaks on the phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
    /// What its tools cost a model to know, in tokens of four bytes: names, descriptions and input schemas.
    pub tokens: usize,
    /// What is not well about the set of tools.
    pub warnings: Vec<String>,
    /// When it was made; left out of the one that is always there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

impl Hub {
    /// All agents of `user`, by name.
    pub async fn agents_of(&self, user: &UserId, filters: &Filters) -> Result<Vec<Described>> {
        let mut all = Vec::new();
        for agent in self.agents().await?.agents(user).await.map_err(failed)? {
            all.push(self.described(agent, filters).await?);
        }
        Ok(all)
    }

    /// An agent of `user`, by its id or its name.
    pub async fn agent_of(&self, user: &UserId, called: &str, filters: &Filters) -> Result<Described> {
        let agent = self.agent_called(user, called).await?;
        self.described(agent, filters).await
    }

    /// Makes an agent.
    ///
    /// # Errors
    /// Something that was wished for does not exist, or the name is taken.
    pub async fn create_agent(&self, user: &UserId, wish: Wish, filters: &Filters) -> Result<Described> {
        self.check(user, &wish).await?;
        let name =
            wish.name.clone().ok_or_else(|| Error::arguments(["`name` is missing: agents have names".into()]))?;
        let implicit = Agent::implicit(user.clone());
        let new = NewAgent {
            user: user.clone(),
            name,
            integrations: implicit.integrations,
            tools: BTreeMap::new(),
            level: implicit.level,
        };
        let made = self.agents().await?.create_agent_with(new, |agent| self.fulfil(&wish, agent)).await;
        self.changed();
        self.described(made.map_err(failed)?, filters).await
    }

    /// Changes an agent of `user`, by its id or its name.
    ///
    /// # Errors
    /// As for [`create_agent`](Self::create_agent), and when there is no such agent.
    pub async fn change_agent(&self, user: &UserId, called: &str, wish: Wish, filters: &Filters) -> Result<Described> {
        self.check(user, &wish).await?;
        let agent = self.agent_called(user, called).await?;
        let changed = self.agents().await?.update_agent(user, &agent.id, |agent| self.fulfil(&wish, agent)).await;
        self.changed();
        self.described(changed.map_err(failed)?, filters).await
    }

    /// What an agent of `user` would be like after a change. Nothing is changed.
    ///
    /// # Errors
    /// Something that was wished for does not exist.
    pub async fn preview_agent(&self, user: &UserId, called: &str, wish: Wish, filters: &Filters) -> Result<Described> {
        self.check(user, &wish).await?;
        let mut agent = self.agent_called(user, called).await?;
        self.fulfil(&wish, &mut agent);
        self.described(agent, filters).await
    }

    /// Everything that an agent can be given here, each with whether its integration brings it along by itself.
    pub fn catalog<'a>(&'a self, filters: &'a Filters) -> impl Iterator<Item = (&'a Row, bool)> {
        let allowed = self.rows().iter().filter(|row| filters.allow(row));
        allowed
            .map(|row| (&**row, self.integration(row).is_none_or(|integration| integration.core.contains(&row.name()))))
    }

    /// Removes an agent of `user`, and its tokens with it; the answer is its id. The one that is always there falls
    /// back to what it was at first.
    pub async fn remove_agent(&self, user: &UserId, called: &str) -> Result<AgentId> {
        let agent = self.agent_called(user, called).await?;
        self.agents().await?.remove_agent(user, &agent.id).await.map_err(failed)?;
        self.changed();
        Ok(agent.id)
    }

    /// Removes a person: ends the connections, also at the vendors where that is possible, and then everything else.
    ///
    /// # Errors
    /// A connection could not be removed; then nothing else is, and it can be tried again.
    pub async fn remove_user(&self, user: &UserId) -> Result<()> {
        let desk = self.desk().await.map_err(Error::internal)?;
        end_accounts(&desk, user).await?;
        desk.approvals.forget(user).await.map_err(Error::internal)?;
        self.agents().await?.remove_user(user).await.map_err(failed)?;
        self.changed();
        // What was begun or connected in the moment before; from now on nothing arrives for this person any more.
        end_accounts(&desk, user).await
    }

    /// The agent of `user` with this id or name.
    pub async fn agent_called(&self, user: &UserId, called: &str) -> Result<Agent> {
        let agents = self.agents().await?;
        if let Some(agent) = agents.agent_called(user, called).await.map_err(failed)? {
            return Ok(agent);
        }
        let all = agents.agents(user).await.map_err(failed)?;
        let near = text::nearest(called, all.iter().map(|agent| &*agent.name)).map(str::to_owned);
        let known = || text::listed(all.iter().map(|agent| format!("`{}`", agent.name)), MOST_TOLD);
        let next = near.map_or_else(|| format!("There are: {}.", known()), |near| format!("Did you mean `{near}`?"));
        Err(Error::not_found(format!("agent `{called}`")).next(next))
    }

    /// People and agents, where this server has them.
    pub async fn agents(&self) -> Result<agents::Agents> {
        let desk = self.desk().await.map_err(Error::internal)?;
        desk.agents.clone().ok_or_else(|| Error::not_found("agent to manage in a server without a store"))
    }

    async fn described(&self, agent: Agent, filters: &Filters) -> Result<Described> {
        let principal = Principal { user: agent.user.clone(), agent: agent.id.clone(), ..Principal::local() };
        let caller = Caller { filters: filters.clone(), ..Caller::new(principal) };
        let desk = self.desk().await.map_err(Error::internal)?;
        let accounts = desk.accounts_of(&caller).await.map_err(Error::internal)?;
        let connected = accounts.keys().cloned().collect();
        let offer = Offer { caller: &caller, agent, connected, accounts };
        let listing = self.listed(&offer);
        let agent = &offer.agent;
        let is_implicit = agent.created_at == Timestamp::UNIX_EPOCH;
        Ok(Described {
            id: agent.id.to_string(),
            user: agent.user.to_string(),
            name: agent.name.clone(),
            instructions: agent.instructions.clone(),
            integrations: match &agent.integrations {
                Integrations::These(these) => these.clone(),
                Integrations::Connected => offer.connected.clone(),
            },
            follows_connections: agent.integrations == Integrations::Connected,
            tools: listing.rows.iter().map(|row| row.name().to_owned()).collect(),
            level: agent.level,
            asking: agent.sends,
            accounts: agent.accounts.clone(),
            voice: agent.voice.clone(),
            tokens: listing.tokens(),
            warnings: warnings(&listing),
            created_at: (!is_implicit).then_some(agent.created_at),
            updated_at: (agent.updated_at != Timestamp::UNIX_EPOCH).then_some(agent.updated_at),
        })
    }

    /// Whether everything that is wished for exists.
    async fn check(&self, user: &UserId, wish: &Wish) -> Result<()> {
        let integrations = wish.integrations.iter().flatten().flatten();
        let named = integrations.chain(wish.accounts.iter().flat_map(BTreeMap::keys));
        let mut problems = Problems::new(MOST_TOLD);
        named.filter(|id| !self.has_integration(id)).for_each(|id| problems.add(|| self.unknown_integration(id)));
        let tools = wish.tools.iter().flatten().filter(|name| !self.has_tool(name));
        tools.for_each(|name| problems.add(|| self.unknown_tool(name)));
        for text in texts(wish) {
            problems.add(|| text);
        }
        if let Some(accounts) = &wish.accounts {
            self.unknown_accounts(user, accounts, &mut problems).await?;
        }
        let problems = problems.lines();
        if problems.is_empty() { Ok(()) } else { Err(Error::arguments(problems)) }
    }

    fn has_integration(&self, id: &str) -> bool {
        self.integrations().any(|known| known.id == id)
    }

    fn unknown_integration(&self, id: &str) -> String {
        let near = text::nearest(id, self.integrations().map(|integration| integration.id));
        format!("there is no integration `{}`{}", text::quote(id), meant(near))
    }

    fn has_tool(&self, name: &str) -> bool {
        self.rows().iter().any(|row| row.name() == name)
    }

    fn unknown_tool(&self, name: &str) -> String {
        let near = text::nearest(name, self.rows().iter().map(|row| row.name()));
        format!("there is no tool `{}`{}", text::quote(name), meant(near))
    }

    async fn unknown_accounts(
        &self,
        user: &UserId,
        accounts: &BTreeMap<String, String>,
        problems: &mut Problems,
    ) -> Result<()> {
        let desk = self.desk().await.map_err(Error::internal)?;
        let Some(all) = &desk.accounts else { return Ok(()) };
        let keys = all.names(user).await?;
        for (integration, account) in accounts {
            let own = || keys.iter().filter(|key| key.integration == *integration).map(|key| &*key.account);
            if own().any(|known| known == account) {
                continue;
            }
            problems.add(|| {
                let known = text::listed(own(), MOST_TOLD);
                let known = if known.is_empty() { "none is connected".into() } else { format!("there is {known}") };
                format!("there is no account `{}` of {}; {known}", text::quote(account), text::quote(integration))
            });
        }
        Ok(())
    }

    /// Makes the agent what is wished for.
    fn fulfil(&self, wish: &Wish, agent: &mut Agent) {
        let Wish { name, instructions, integrations, tools, level, asking, accounts, voice } = wish.clone();
        agent.name = name.map_or_else(|| agent.name.clone(), |name| name.trim().to_owned());
        agent.instructions = instructions.unwrap_or_else(|| agent.instructions.clone());
        agent.level = level.unwrap_or(agent.level);
        agent.sends = asking.unwrap_or(agent.sends);
        agent.accounts = accounts.unwrap_or_else(|| agent.accounts.clone());
        agent.voice = voice.unwrap_or_else(|| agent.voice.clone());
        if let Some(integrations) = integrations {
            agent.integrations = integrations.map_or(Integrations::Connected, Integrations::These);
            // A choice that was made for other integrations would switch single tools on and off without a word.
            agent.tools.clear();
        }
        if let Some(tools) = tools {
            self.choose(&tools, agent);
        }
    }

    /// Gives the agent exactly `tools`, and the integrations that they belong to. Our own stay: they are always there.
    fn choose(&self, tools: &BTreeSet<String>, agent: &mut Agent) {
        let rows = self.rows().iter().filter(|row| tools.contains(row.name()));
        let owners = rows.filter_map(|row| self.integration(row)).map(|integration| integration.id.to_owned());
        let mut enabled: BTreeSet<String> = match &agent.integrations {
            Integrations::These(these) => these.clone(),
            Integrations::Connected => BTreeSet::new(),
        };
        enabled.extend(owners);
        let of_core = self.integrations().filter(|integration| enabled.contains(integration.id));
        let unwanted = of_core.flat_map(|integration| integration.core).filter(|name| !tools.contains(**name));
        agent.tools = unwanted.map(|name| ((*name).to_owned(), false)).collect();
        agent.tools.extend(tools.iter().map(|name| (name.clone(), true)));
        agent.integrations = Integrations::These(enabled);
    }

    /// The integrations that are offered here.
    pub fn integrations(&self) -> impl Iterator<Item = &'static Integration> {
        self.0.integrations.iter().copied()
    }
}

fn texts(wish: &Wish) -> Vec<String> {
    let mut problems = Vec::new();
    if wish.name.as_deref().is_some_and(|name| name.trim().is_empty() || name.chars().count() > LONGEST_NAME) {
        problems.push(format!("`name` is from 1 to {LONGEST_NAME} characters long"));
    }
    if wish.name.as_deref().is_some_and(|name| name.contains(char::is_control)) {
        problems.push("`name` is one line of text".into());
    }
    let instructions = wish.instructions.iter().flatten().next();
    if instructions.is_some_and(|text| text.chars().count() > LONGEST_INSTRUCTIONS) {
        problems.push(format!("`instructions` have at most {LONGEST_INSTRUCTIONS} characters"));
    }
    problems.extend(wish.voice.iter().flatten().filter_map(Voice::problem));
    problems
}

fn meant(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// Ends what a person has connected, and what they were about to.
async fn end_accounts(desk: &Desk, user: &UserId) -> Result<()> {
    let Some(accounts) = &desk.accounts else { return Ok(()) };
    accounts.forget_consents(user).await?;
    for key in accounts.names(user).await? {
        accounts.disconnect(user, &key.integration, Some(&key.account)).await?;
    }
    Ok(())
}

fn warnings(listing: &Listing) -> Vec<String> {
    let count = listing.rows.len();
    let many = MANY_TOOLS.iter().find(|(most, _)| count > *most).map(|(_, says)| format!("{count} tools are {says}"));
    let tokens = listing.tokens();
    let dear = (tokens > MANY_TOKENS)
        .then(|| format!("{tokens} tokens are more than {MANY_TOKENS}: choose fewer tools, or serve with --discovery"));
    many.into_iter().chain(dear).collect()
}

/// What went wrong with the records, in the words of tools.
fn failed(error: agents::Error) -> Error {
    let what = crate::tool::sentence(&error.to_string());
    match &error {
        agents::Error::NoSuchAgent(_) | agents::Error::NoSuchUser(_) => Error::new(Kind::NotFound, what),
        agents::Error::Nameless => Error::arguments([error.to_string()]),
        agents::Error::NameTaken(_) | agents::Error::Namesakes { .. } => Error::new(Kind::Conflict, what),
        // Nothing has such an id.
        agents::Error::Store(store::Error::BadKey(_)) => Error::not_found("agent of that id"),
        agents::Error::Unfitting(_) | agents::Error::Store(_) => Error::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_takes_away_and_what_is_left_out_stays() {
        let wish: Wish = serde_json::from_value(json!({ "instructions": null })).unwrap();
        assert_eq!((wish.instructions, wish.integrations), (Some(None), None));
        let wish: Wish = serde_json::from_value(json!({ "integrations": ["gmail"] })).unwrap();
        assert_eq!(wish.integrations, Some(Some(["gmail".to_owned()].into())));
        assert!(serde_json::from_value::<Wish>(json!({ "instruction": "x" })).is_err());
    }

    #[test]
    fn names_and_texts_are_bounded() {
        let problems = |wish: serde_json::Value| texts(&serde_json::from_value(wish).unwrap()).len();
        assert_eq!(problems(json!({ "name": "desk" })), 0);
        assert_eq!(problems(json!({ "name": " " })), 1);
        assert_eq!(problems(json!({ "name": "a\nb" })), 1);
        assert_eq!(problems(json!({ "name": "x".repeat(101) })), 1);
        assert_eq!(problems(json!({ "instructions": "x".repeat(20_001) })), 1);
    }
}
