//! Where conversations begin: for whom, with which agent, and with a token that ends when they do.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, tz::TimeZone};
use serde_json::json;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use super::{
    driver::{Left, Parts, Rest, lead},
    keeper::{Keeper, Keeps, folder},
    settings::Settings,
    toolbox::Link,
    usual::Usual,
};
use crate::{
    agents::{self, Agent, Agents, Principal, TokenId},
    api::Problem,
    clock::SharedClock,
    id::{SharedEntropy, base32hex},
    secret::Secret,
    telemetry::metrics::Metrics,
    voice::{
        line::Line,
        services::Services,
        signalling::{Answering, StartRequest},
    },
};

/// A conversation's token counts a little longer than the longest conversation.
const TOKEN_FOR: SignedDuration = SignedDuration::from_mins(75);

/// When the server ends, conversations may take so long to say what they have to.
const FAREWELL: Duration = Duration::from_secs(5);

/// What conversations are made with.
#[derive(Clone, Debug)]
pub struct HostParts {
    /// Who understands, answers and speaks.
    pub services: Services,
    /// Who there is, and their tokens.
    pub agents: Agents,
    /// Our own `/ws`.
    pub tools: Url,
    /// Where conversations are counted.
    pub metrics: Metrics,
    /// The data directory.
    pub dir: PathBuf,
    /// The time of day.
    pub clock: SharedClock,
    /// Randomness, for the names of files.
    pub entropy: SharedEntropy,
}

/// All conversations of a server. Clones share them.
#[derive(Clone, Debug)]
pub struct Conversations(Arc<Host>);

#[derive(Debug)]
struct Host {
    parts: HostParts,
    usual: Usual,
    running: TaskTracker,
    ending: CancellationToken,
}

/// Why a conversation does not begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such agent, or it is not this caller's.
    #[error("there is no agent `{0}` for this caller")]
    NoSuchAgent(String),
    /// The store failed.
    #[error(transparent)]
    Agents(#[from] agents::Error),
}

impl Conversations {
    /// Nobody talks yet.
    pub fn new(parts: HostParts) -> Self {
        let (running, ending) = (TaskTracker::new(), CancellationToken::new());
        Conversations(Arc::new(Host { parts, usual: Usual::default(), running, ending }))
    }

    /// The agent that `caller` talks with when they ask for `wish`, its id or its name. A model's token talks with its
    /// own agent only.
    ///
    /// # Errors
    /// It is not theirs, or does not exist.
    pub async fn agent(&self, caller: &Principal, wish: Option<&str>) -> Result<Agent, Error> {
        let agents = &self.0.parts.agents;
        let no_such = |name: &str| Error::NoSuchAgent(name.chars().take(64).collect());
        let found = match wish {
            Some(name) => agents.agent_called(&caller.user, name).await?,
            None => agents.agent(&caller.user, &caller.agent).await?,
        };
        let agent = found.ok_or_else(|| no_such(wish.unwrap_or(caller.agent.as_str())))?;
        if !caller.is_person() && agent.id != caller.agent {
            return Err(no_such(&agent.name));
        }
        Ok(agent)
    }

    /// Begins a conversation on `line`. It goes on by itself; when it cannot begin, the line is cut and the log says
    /// why.
    pub fn begin(&self, caller: Principal, wish: Option<String>, line: Line) {
        let host = self.clone();
        self.0.running.spawn(async move {
            if let Err(error) = host.hold(&caller, wish.as_deref(), line).await {
                tracing::warn!(%error, user = %caller.user, "a conversation did not begin");
            }
        });
    }

    /// Ends all conversations, and waits until what they change is done, but not for ever.
    pub async fn close(&self) {
        self.0.ending.cancel();
        self.0.running.close();
        if timeout(FAREWELL, self.0.running.wait()).await.is_err() {
            tracing::warn!("conversations were cut off while their tools were still at work");
        }
    }

    async fn hold(&self, caller: &Principal, wish: Option<&str>, line: Line) -> Result<(), Error> {
        let (mut agent, mut line) = (self.agent(caller, wish).await?, line);
        loop {
            let others = self.others(caller, &agent).await?;
            let (id, token) = self.token(&agent).await?;
            let Left { goes_on, rest } = lead(line, self.parts_for(&agent, others, token)).await;
            self.end(id, rest);
            let Some((same, to)) = goes_on else { return Ok(()) };
            (agent, line) = (self.agent(caller, Some(&to)).await?, same);
        }
    }

    /// The agents that a person may be put through to: the others of theirs that are set up for conversations. Who
    /// calls with an agent's token stays with that agent.
    async fn others(&self, caller: &Principal, agent: &Agent) -> Result<Vec<String>, Error> {
        if !caller.is_person() {
            return Ok(vec![]);
        }
        let agents = self.0.parts.agents.agents(&caller.user).await?;
        let others = agents.into_iter().filter(|other| other.id != agent.id && other.voice.is_some());
        Ok(others.map(|other| other.name).collect())
    }

    /// Lets what is still under way finish, and then ends the conversation's token.
    fn end(&self, id: TokenId, rest: Rest) {
        let agents = self.0.parts.agents.clone();
        self.0.running.spawn(async move {
            rest.finish().await;
            if let Err(error) = agents.revoke_token(&id).await {
                tracing::warn!(%error, "the token of a conversation that is over still counts for an hour");
            }
        });
    }

    /// A token for this conversation alone.
    async fn token(&self, agent: &Agent) -> Result<(TokenId, Secret), Error> {
        let expires = self.0.parts.clock.now() + TOKEN_FOR;
        let made = self.0.parts.agents.create_token(&agent.user, &agent.id, "conversation", Some(expires)).await?;
        Ok((made.0.id, made.1))
    }

    fn parts_for(&self, agent: &Agent, others: Vec<String>, token: Secret) -> Parts {
        let Host { parts, usual, ending, .. } = &*self.0;
        let now = parts.clock.now().to_zoned(TimeZone::system());
        let settings = Settings { others, ..Settings::of(agent, &now) };
        let keeps = Keeps { transcript: settings.keeps_transcript, sound: settings.records };
        Parts {
            services: parts.services.clone(),
            tools: Arc::new(Link::new(parts.tools.clone(), Some(token))),
            settings,
            usual: usual.clone(),
            metrics: parts.metrics.clone(),
            keeper: self.keeper(agent, keeps),
            clock: parts.clock.clone(),
            ending: ending.child_token(),
        }
    }

    /// Begins to take down, where the agent is set so. Who wants it taken down is told when that fails; the
    /// conversation goes on.
    fn keeper(&self, agent: &Agent, keeps: Keeps) -> Option<Keeper> {
        let HostParts { clock, entropy, dir, .. } = &self.0.parts;
        let now = clock.now();
        let name = format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), base32hex(&**entropy, 6));
        let head = json!({
            "conversation": name, "user": agent.user.as_str(), "agent": agent.id.as_str(),
            "agent_name": agent.name, "began_at": now.to_string(),
        });
        match Keeper::begin(&folder(dir), &name, keeps, &head) {
            Ok(keeper) => keeper,
            Err(error) => {
                tracing::error!(%error, "a conversation cannot be written down");
                None
            }
        }
    }
}

impl Answering for Conversations {
    fn admits<'a>(&'a self, caller: &'a Principal, request: &'a StartRequest) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move { Ok(self.agent(caller, wish(request)).await.map(drop)?) })
    }

    fn begin(&self, caller: Principal, request: StartRequest, line: Line) {
        self.begin(caller, wish(&request).map(str::to_owned), line);
    }
}

/// A page may name an agent, by its id or its name: `{"agent":"desk"}`.
fn wish(request: &StartRequest) -> Option<&str> {
    request.data["agent"].as_str().filter(|name| !name.is_empty())
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchAgent(_) => Problem::new(StatusCode::NOT_FOUND, "not_found", error.to_string())
                .next("`GET /api/v1/agents` lists those that there are."),
            Error::Agents(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{self, Receiver};

    use super::*;
    use crate::{
        agents::{Integrations, Level, NewAgent, Role},
        clock,
        id::{self, AgentId, UserId},
        store::MemoryStore,
        voice::{
            line::line,
            services::{Model, Prompt, Written},
        },
    };

    #[derive(Debug)]
    struct Mute;

    impl Model for Mute {
        fn answer(&self, _: Prompt) -> Receiver<Written> {
            mpsc::channel(1).1
        }
    }

    fn conversations() -> Conversations {
        Conversations::new(HostParts {
            services: Services { recogniser: None, model: Arc::new(Mute), speaker: None },
            agents: Agents::new(MemoryStore::new(), clock::system(), id::os()),
            tools: "ws://127.0.0.1:9/ws".parse().unwrap(),
            metrics: Metrics::default(),
            dir: PathBuf::new(),
            clock: clock::system(),
            entropy: id::os(),
        })
    }

    fn principal(role: Role, agent: &AgentId) -> Principal {
        Principal { user: UserId::new("ana"), agent: agent.clone(), role }
    }

    #[tokio::test]
    async fn a_model_talks_with_its_own_agent_only() {
        let conversations = conversations();
        let new = |name: &str| NewAgent {
            user: UserId::new("ana"),
            name: name.into(),
            integrations: Integrations::Connected,
            tools: [].into(),
            level: Level::Full,
        };
        let agents = &conversations.0.parts.agents;
        let desk = agents.create_agent(new("desk")).await.unwrap();
        let door = agents.create_agent(new("door")).await.unwrap();
        let person = principal(Role::Person, &desk.id);
        assert_eq!(conversations.agent(&person, Some("door")).await.unwrap(), door);
        assert_eq!(conversations.agent(&person, None).await.unwrap(), desk);
        let model = principal(Role::Agent, &desk.id);
        assert_eq!(conversations.agent(&model, Some("desk")).await.unwrap(), desk);
        let refused = conversations.agent(&model, Some("door")).await.unwrap_err();
        assert!(matches!(&refused, Error::NoSuchAgent(name) if name == "door"), "{refused}");
        let stranger = Principal { user: UserId::new("ben"), ..person };
        assert!(conversations.agent(&stranger, Some("door")).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_lives_as_long_as_its_conversation() {
        let conversations = conversations();
        let (line, carrier) = line();
        conversations.begin(principal(Role::Person, &AgentId::new("local")), None, line);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (agents, ana) = (&conversations.0.parts.agents, UserId::new("ana"));
        let now = agents.tokens(&ana).await.unwrap();
        assert_eq!(
            now.iter().map(|token| (token.role, &*token.name)).collect::<Vec<_>>(),
            [(Role::Agent, "conversation")]
        );
        assert!(now[0].expires_at.is_some(), "it ends even if the server does not get to end it");
        drop(carrier);
        conversations.close().await;
        assert_eq!(agents.tokens(&ana).await.unwrap(), []);
    }
}
