//! Who may do what: people, their agents, and the tokens that speak for them.
//!
//! The records are not secret: of a token only the hash is kept. A machine where nobody set anything up has one
//! person and one agent, both called `local`.

mod agent;
mod browser;
mod identity;
mod naming;
mod person;
mod scope;
mod token;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    agent::{Agent, AskSetting, Integrations, LOCAL, Level, NewAgent, User, Voice},
    browser::{SESSION, SESSION_COOKIE, session_cookie},
    identity::{Acquaintance, Identity},
    person::INVITATION_PREFIX,
    scope::Scope,
    token::{Principal, Role, TOKEN_PREFIX, TokenId, TokenInfo},
};
use self::{
    naming::name_key,
    token::{StoredToken, TokenHash, mint},
};
use crate::{
    clock::SharedClock,
    id::{AgentId, SharedEntropy, UserId, base32hex},
    secret::Secret,
    store::{self, Change, Durability, Expect, Key, Store, Table},
};

/// What the operations return.
pub type Result<T> = std::result::Result<T, Error>;

/// People, agents and tokens. Clones share the store.
#[derive(Clone, Debug)]
pub struct Agents {
    store: Arc<dyn Store>,
    clock: SharedClock,
    entropy: SharedEntropy,
}

/// A record as it is stored, with where and since which write.
struct Found<T> {
    key: Key,
    version: u64,
    value: T,
}

impl Agents {
    /// The agents in `store`.
    pub fn new(store: Arc<dyn Store>, clock: SharedClock, entropy: SharedEntropy) -> Self {
        Agents { store, clock, entropy }
    }

    /// Whether the store below is out of reach at present.
    pub fn is_away(&self) -> bool {
        self.store.is_away()
    }

    /// The agent of a machine where nobody made one, with the changes that were made to it.
    pub async fn local(&self) -> Result<Agent> {
        let local = self.agent(&UserId::new(LOCAL), &AgentId::new(LOCAL)).await?;
        Ok(local.unwrap_or_else(|| Agent::implicit(UserId::new(LOCAL))))
    }

    /// An agent of `user`. The implicit one, `local`, is always there.
    pub async fn agent(&self, user: &UserId, id: &AgentId) -> Result<Option<Agent>> {
        let stored = self.read(agent_key(user, id)?).await?;
        let implicit = || (id.as_str() == LOCAL).then(|| Agent::implicit(user.clone()));
        Ok(stored.map(|found| found.value).or_else(implicit))
    }

    /// The agent of `user` with this id or, for people who type, this name.
    pub async fn agent_called(&self, user: &UserId, name: &str) -> Result<Option<Agent>> {
        let all = self.agents(user).await?;
        let by_id = all.iter().find(|agent| agent.id.as_str() == name);
        Ok(by_id.or_else(|| all.iter().find(|agent| agent.name == name)).cloned())
    }

    /// All agents of `user`, by name; the implicit one is among them.
    pub async fn agents(&self, user: &UserId) -> Result<Vec<Agent>> {
        let prefix = store::prefix(Table::Agents, &[user.as_str()])?;
        let mut agents: Vec<Agent> =
            self.all(Table::Agents, &prefix).await?.into_iter().map(|found: Found<Agent>| found.value).collect();
        if !agents.iter().any(|agent| agent.id.as_str() == LOCAL) {
            agents.push(Agent::implicit(user.clone()));
        }
        agents.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(agents)
    }

    /// Makes an agent.
    pub async fn create_agent(&self, new: NewAgent) -> Result<Agent> {
        self.create_agent_with(new, |_| {}).await
    }

    /// Makes an agent that `complete` brings to its final form; its id and its user stay what they are.
    pub async fn create_agent_with(&self, new: NewAgent, complete: impl Fn(&mut Agent)) -> Result<Agent> {
        let name = new.name.trim().to_owned();
        if name.is_empty() {
            return Err(Error::Nameless);
        }
        let now = self.clock.now();
        let mut agent = Agent {
            id: AgentId::new(format!("ag-{}", base32hex(&*self.entropy, 8))),
            name,
            integrations: new.integrations,
            tools: new.tools,
            level: new.level,
            created_at: now,
            updated_at: now,
            ..Agent::implicit(new.user)
        };
        let (id, user) = (agent.id.clone(), agent.user.clone());
        complete(&mut agent);
        (agent.id, agent.user) = (id, user);
        loop {
            let naming = self.naming(&agent.user, &agent.name, None).await?;
            let put = put(agent_key(&agent.user, &agent.id)?, &agent, Expect::Absent)?;
            match self.commit(vec![put, naming]).await {
                // Somebody took the name, or gave it back, in this moment.
                Err(Error::Store(error)) if error.is_conflict() => {}
                other => return other.map(|()| agent),
            }
        }
    }

    /// Changes an agent: `change` gets it as it is now, and runs again when another change was first. Its id and its
    /// user stay what they are.
    pub async fn update_agent(&self, user: &UserId, id: &AgentId, change: impl Fn(&mut Agent)) -> Result<Agent> {
        let key = agent_key(user, id)?;
        loop {
            let stored = self.read(key.clone()).await?;
            let (mut agent, expect) = match stored {
                Some(found) => (found.value, Expect::Version(found.version)),
                None if id.as_str() == LOCAL => (Agent::implicit(user.clone()), Expect::Absent),
                None => return Err(Error::NoSuchAgent(id.clone())),
            };
            let before = agent.name.clone();
            change(&mut agent);
            (agent.id, agent.user, agent.updated_at) = (id.clone(), user.clone(), self.clock.now());
            let mut changes = vec![put(key.clone(), &agent, expect)?];
            if agent.name != before {
                changes.extend([self.naming(user, &agent.name, Some(id)).await?, delete(name_key(user, &before)?)]);
            }
            match self.commit(changes).await {
                Err(Error::Store(error)) if error.is_conflict() => {}
                other => return other.map(|()| agent),
            }
        }
    }

    /// Removes an agent, and its tokens with it. The implicit one falls back to what it was at first.
    pub async fn remove_agent(&self, user: &UserId, id: &AgentId) -> Result<()> {
        let mut changes = vec![delete(agent_key(user, id)?)];
        if let Some(agent) = self.agent(user, id).await? {
            changes.push(delete(name_key(user, &agent.name)?));
        }
        let tokens = self.stored_tokens().await?;
        let theirs = tokens.into_iter().filter(|found| found.value.info.user == *user && found.value.info.agent == *id);
        changes.extend(theirs.map(|found| delete(found.key)));
        self.commit(changes).await
    }

    /// Makes a token that speaks for an agent. This is the only time that it can be seen.
    pub async fn create_token(
        &self,
        user: &UserId,
        agent: &AgentId,
        name: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<(TokenInfo, Secret)> {
        if self.agent(user, agent).await?.is_none() {
            return Err(Error::NoSuchAgent(agent.clone()));
        }
        let principal = Principal { user: user.clone(), agent: agent.clone(), role: Role::Agent };
        let (change, info, token) = self.minted(principal, name, expires_at)?;
        self.commit(vec![change]).await?;
        Ok((info, token))
    }

    /// Makes a further administrator token. Whoever may open the data directory may do so.
    pub async fn create_administrator_token(&self, name: &str) -> Result<(TokenInfo, Secret)> {
        let (change, info, token) = self.minted(administrator(), name, None)?;
        self.commit(vec![change]).await?;
        Ok((info, token))
    }

    /// The administrator token, at the first start of a store; never again after that.
    pub async fn administrator_token_if_first(&self) -> Result<Option<Secret>> {
        let note = Key::raw(Table::Meta, "administrator_token");
        match self.store.get(&note).await {
            Ok(None) => {}
            // Damaged or not, it says that this is not the first start.
            Ok(Some(_)) => return Ok(None),
            Err(error) if error.is_untrusted() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let (change, info, token) = self.minted(administrator(), "first start", None)?;
        match self.commit(vec![put(note, &info.id, Expect::Absent)?, change]).await {
            // Another node starts for the first time in the same moment.
            Err(Error::Store(error)) if error.is_conflict() => Ok(None),
            other => other.map(|()| Some(token)),
        }
    }

    /// Makes a token worthless, from the next call on. The answer is whether there was one.
    pub async fn revoke_token(&self, id: &TokenId) -> Result<bool> {
        let found: Vec<Found<StoredToken>> = self.all(Table::Tokens, id.as_str().as_bytes()).await?;
        let changes: Vec<Change> = found.into_iter().map(|found| delete(found.key)).collect();
        let any = !changes.is_empty();
        self.commit(changes).await.map(|()| any)
    }

    /// [`revoke_token`](Self::revoke_token), if it is one of `user` and, where an agent is named, of that agent's own.
    pub async fn revoke_token_of(&self, user: &UserId, agent: Option<&AgentId>, id: &TokenId) -> Result<bool> {
        let tokens = self.tokens(user).await?;
        let belongs = |info: &TokenInfo| match agent {
            Some(agent) => info.role == Role::Agent && info.agent == *agent,
            None => info.role > Role::Agent,
        };
        let is_theirs = tokens.iter().any(|info| info.id == *id && belongs(info));
        if is_theirs { self.revoke_token(id).await } else { Ok(false) }
    }

    /// The tokens of `user`, the oldest first.
    pub async fn tokens(&self, user: &UserId) -> Result<Vec<TokenInfo>> {
        let stored = self.stored_tokens().await?;
        let mut tokens: Vec<TokenInfo> =
            stored.into_iter().map(|found| found.value.info).filter(|info| info.user == *user).collect();
        tokens.sort_by_key(|info| info.created_at);
        Ok(tokens)
    }

    /// Who speaks with `token`; `None` for one that is unknown, revoked or expired.
    pub async fn principal_of(&self, token: &Secret) -> Result<Option<Principal>> {
        let Some(hash) = TokenHash::of(token) else { return Ok(None) };
        let Some(found) = believed(self.read::<StoredToken>(hash.key()).await)? else { return Ok(None) };
        let StoredToken { hash: stored, info } = found.value;
        if !stored.is(&hash) || info.is_expired(self.clock.now()) {
            return Ok(None);
        }
        // An agent that was removed in the moment when its token was made must not live on in it.
        match self.agent(&info.user, &info.agent).await? {
            Some(_) => self.as_of_now(info.principal()).await,
            None => Ok(None),
        }
    }

    fn minted(
        &self,
        principal: Principal,
        name: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<(Change, TokenInfo, Secret)> {
        let (token, hash) = mint(&*self.entropy);
        let info = TokenInfo {
            id: hash.id(),
            name: name.to_owned(),
            user: principal.user,
            agent: principal.agent,
            role: principal.role,
            created_at: self.clock.now(),
            expires_at,
        };
        let change = put(hash.key(), &StoredToken { hash, info: info.clone() }, Expect::Absent)?;
        Ok((change, info, token))
    }

    async fn stored_tokens(&self) -> Result<Vec<Found<StoredToken>>> {
        self.all(Table::Tokens, b"").await
    }

    async fn read<T: DeserializeOwned>(&self, key: Key) -> Result<Option<Found<T>>> {
        let Some(stored) = self.store.get(&key).await? else { return Ok(None) };
        found(key, &stored).map(Some)
    }

    async fn all<T: DeserializeOwned>(&self, table: Table, prefix: &[u8]) -> Result<Vec<Found<T>>> {
        let records = store::scan_all(&*self.store, table, prefix).await?;
        // One that is damaged must not hide the others.
        let read = |(id, stored): store::Record| match found(Key::raw(table, id), &stored) {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::error!("left out of a list: {error}");
                None
            }
        };
        Ok(records.into_iter().filter_map(read).collect())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<()> {
        self.store.commit(changes, Durability::MustSurvivePowerLoss).await?;
        Ok(())
    }
}

/// For whom the administrator tokens speak.
fn administrator() -> Principal {
    Principal { user: UserId::new(LOCAL), agent: AgentId::new(LOCAL), role: Role::Administrator }
}

fn agent_key(user: &UserId, id: &AgentId) -> Result<Key> {
    Ok(Key::of(Table::Agents, &[user.as_str(), id.as_str()])?)
}

fn user_key(id: &UserId) -> Result<Key> {
    Ok(Key::of(Table::Users, &[id.as_str()])?)
}

fn put<T: Serialize>(key: Key, value: &T, expect: Expect) -> Result<Change> {
    let value = serde_json::to_vec(value).map_err(|_| Error::Unfitting(key.clone()))?;
    Ok(Change::Put { key, value, expect })
}

fn delete(key: Key) -> Change {
    Change::Delete { key, expect: Expect::Anything }
}

fn found<T: DeserializeOwned>(key: Key, stored: &store::Versioned) -> Result<Found<T>> {
    let value = serde_json::from_slice(&stored.value).map_err(|_| Error::Unfitting(key.clone()))?;
    Ok(Found { key, version: stored.version, value })
}

fn joined(ids: &[UserId]) -> String {
    ids.iter().map(UserId::as_str).collect::<Vec<_>>().join(", ")
}

/// What was read, or nothing when it is damaged or somebody else's: what opens a door must be beyond doubt.
fn believed<T>(read: Result<Option<Found<T>>>) -> Result<Option<Found<T>>> {
    match read {
        Err(error @ Error::Unfitting(_)) => {
            tracing::error!("not believed: {error}");
            Ok(None)
        }
        Err(Error::Store(error)) if error.is_untrusted() => {
            tracing::error!("{error}");
            Ok(None)
        }
        other => other,
    }
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such agent of this person.
    #[error("there is no agent {0}: list the agents to see which there are")]
    NoSuchAgent(AgentId),
    /// There is no such person.
    #[error("there is no user {0}: list the users to see who there is")]
    NoSuchUser(UserId),
    /// Several people have the name.
    #[error("there are {} people called {name}: say which by the id, one of {}", ids.len(), joined(ids))]
    Namesakes {
        /// What they are called.
        name: String,
        /// Who they are.
        ids: Vec<UserId>,
    },
    /// Agents and people have names.
    #[error("the name is empty: give one")]
    Nameless,
    /// The person has an agent of this name.
    #[error("there is an agent called {0} already: choose another name, or change that one")]
    NameTaken(String),
    /// A record is not what it should be.
    #[error("{0} does not have the expected content: it was written by another version of switchboard")]
    Unfitting(Key),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::{clock::ManualClock, id::SeededEntropy, store::MemoryStore};

    struct Office {
        agents: Agents,
        clock: Arc<ManualClock>,
        store: Arc<MemoryStore>,
    }

    fn office() -> Office {
        let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        let store = MemoryStore::new();
        Office { agents: Agents::new(store.clone(), clock.clone(), SeededEntropy::new(1)), clock, store }
    }

    fn ann() -> UserId {
        UserId::new("ann")
    }

    fn desk(name: &str) -> NewAgent {
        let integrations = Integrations::These(["gmail".to_owned()].into());
        NewAgent { user: ann(), name: name.into(), integrations, tools: [].into(), level: Level::ReadOnly }
    }

    #[tokio::test]
    async fn nobody_has_to_make_an_agent() {
        let Office { agents, .. } = office();
        let local = agents.local().await.unwrap();
        assert_eq!((local.id.as_str(), local.user.as_str(), local.level), (LOCAL, LOCAL, Level::Full));
        assert_eq!(agents.agents(&ann()).await.unwrap(), [Agent::implicit(ann())]);
    }

    #[tokio::test]
    async fn the_local_agent_can_be_changed_and_set_back() {
        let Office { agents, .. } = office();
        let (user, id) = (UserId::new(LOCAL), AgentId::new(LOCAL));
        agents.update_agent(&user, &id, |agent| agent.level = Level::ReadOnly).await.unwrap();
        assert_eq!(agents.local().await.unwrap().level, Level::ReadOnly);
        agents.remove_agent(&user, &id).await.unwrap();
        assert_eq!(agents.local().await.unwrap().level, Level::Full);
    }

    #[tokio::test]
    async fn an_agent_is_found_by_id_and_by_name() {
        let Office { agents, .. } = office();
        let made = agents.create_agent(desk("desk")).await.unwrap();
        assert_eq!(agents.agent(&ann(), &made.id).await.unwrap(), Some(made.clone()));
        assert_eq!(agents.agent_called(&ann(), "desk").await.unwrap(), Some(made.clone()));
        assert_eq!(agents.agent_called(&ann(), made.id.as_str()).await.unwrap(), Some(made.clone()));
        assert_eq!(agents.agent(&UserId::new("bob"), &made.id).await.unwrap(), None, "it is ann's");
        assert!(matches!(agents.create_agent(desk("desk")).await, Err(Error::NameTaken(_))));
        assert!(matches!(agents.create_agent(desk(" ")).await, Err(Error::Nameless)));
    }

    #[tokio::test]
    async fn changes_from_two_sides_are_both_kept() {
        let Office { agents, .. } = office();
        let id = agents.create_agent(desk("desk")).await.unwrap().id;
        let switch = async |tool: &str| {
            let on = |agent: &mut Agent| _ = agent.tools.insert(tool.to_owned(), true);
            agents.update_agent(&ann(), &id, on).await
        };
        tokio::try_join!(switch("gmail_send_message"), switch("gmail_search")).unwrap();
        assert_eq!(agents.agent(&ann(), &id).await.unwrap().unwrap().tools.len(), 2);
    }

    #[tokio::test]
    async fn a_token_speaks_for_its_agent_until_it_is_revoked() {
        let Office { agents, .. } = office();
        let id = agents.create_agent(desk("desk")).await.unwrap().id;
        let (info, token) = agents.create_token(&ann(), &id, "laptop", None).await.unwrap();
        assert!(token.expose().starts_with("swb_") && token.expose().len() == 47);
        let principal = Principal { user: ann(), agent: id, role: Role::Agent };
        assert_eq!(agents.principal_of(&token).await.unwrap(), Some(principal));
        let id = info.id.clone();
        assert_eq!(agents.tokens(&ann()).await.unwrap(), [info]);
        assert!(agents.revoke_token(&id).await.unwrap());
        assert!(!agents.revoke_token(&id).await.unwrap());
        assert_eq!(agents.principal_of(&token).await.unwrap(), None);
    }

    #[tokio::test]
    async fn nearly_a_token_is_no_token() {
        let Office { agents, .. } = office();
        let (_, token) = agents.create_token(&ann(), &AgentId::new(LOCAL), "laptop", None).await.unwrap();
        let text = token.expose();
        let spoilt = [
            String::new(),
            "swb_".into(),
            text[4..].into(),
            text[..46].into(),
            format!("{text}A"),
            text.to_uppercase(),
        ];
        for text in spoilt {
            assert_eq!(agents.principal_of(&Secret::new(text.clone())).await.unwrap(), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_token_ends_when_it_was_said_to() {
        let Office { agents, clock, .. } = office();
        let hour = SignedDuration::from_hours(1);
        let end = jiff::Timestamp::from_second(1_795_424_400).unwrap() + hour;
        let (_, token) = agents.create_token(&ann(), &AgentId::new(LOCAL), "visit", Some(end)).await.unwrap();
        assert!(agents.principal_of(&token).await.unwrap().is_some());
        clock.advance(hour);
        assert_eq!(agents.principal_of(&token).await.unwrap(), None);
    }

    #[tokio::test]
    async fn with_an_agent_or_a_person_their_tokens_go() {
        let Office { agents, .. } = office();
        let person = agents.create_user("Ann", false).await.unwrap();
        let made = agents.create_agent(NewAgent { user: person.id.clone(), ..desk("desk") }).await.unwrap();
        let (_, of_agent) = agents.create_token(&person.id, &made.id, "one", None).await.unwrap();
        let (_, of_person) = agents.create_token(&person.id, &AgentId::new(LOCAL), "two", None).await.unwrap();
        agents.remove_agent(&person.id, &made.id).await.unwrap();
        assert_eq!(agents.principal_of(&of_agent).await.unwrap(), None);
        assert!(agents.principal_of(&of_person).await.unwrap().is_some());
        let refused = agents.create_token(&person.id, &made.id, "three", None).await.unwrap_err();
        assert!(matches!(refused, Error::NoSuchAgent(_)), "{refused}");
        agents.remove_user(&person.id).await.unwrap();
        assert_eq!(agents.principal_of(&of_person).await.unwrap(), None);
        assert!(agents.users().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_administrator_token_is_made_once() {
        let Office { agents, .. } = office();
        let token = agents.administrator_token_if_first().await.unwrap().expect("it is the first start");
        assert!(agents.principal_of(&token).await.unwrap().unwrap().is_administrator());
        assert!(agents.administrator_token_if_first().await.unwrap().is_none());
        let (info, _) = agents.create_administrator_token("spare").await.unwrap();
        assert_eq!(info.role, Role::Administrator);
    }

    #[tokio::test]
    async fn the_store_never_sees_a_token() {
        let Office { agents, store, .. } = office();
        let (_, token) = agents.create_token(&ann(), &AgentId::new(LOCAL), "laptop", None).await.unwrap();
        for table in Table::ALL {
            for (id, stored) in store.scan(table, b"", None, 99).await.unwrap() {
                let text = String::from_utf8_lossy(&[id, stored.value].concat()).into_owned();
                assert!(!text.contains(&token.expose()[4..]), "{text}");
            }
        }
    }
}
