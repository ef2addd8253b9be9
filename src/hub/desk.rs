//! What stands behind the door: accounts, agents, approvals, and the key that tickets are made with.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::{Accounts, Answered, Caller, Error, Pace, Question, which};
use crate::{
    agents::{Agent, Agents, LOCAL, Principal},
    approvals::{self, Approval, Approvals, Decision, Digest, Question as Asked},
    audit::{self, Audit, Entry},
    clock::SharedClock,
    id::{self, CallId, Entropy, SharedEntropy},
    secret::Secret,
    store::MemoryStore,
    tool::{self, Effect},
};

/// What stands behind the door.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The connected accounts; none in a server that brings only its own tools.
    pub accounts: Option<Accounts>,
    /// What each agent may do; without it, every agent is the implicit one.
    pub agents: Option<Agents>,
    /// Who did what.
    pub audit: Option<Audit>,
    /// What waits for a person.
    pub approvals: Approvals,
    /// Makes tickets that nobody else can make.
    pub key: TicketKey,
    /// How much each agent may do in an hour.
    pub pace: Pace,
}

/// Makes tickets that nobody else can make. Every node of one store must have the same one.
#[derive(Clone, Debug)]
pub struct TicketKey(Secret);

impl TicketKey {
    /// The key that `secret` is.
    pub fn new(secret: &Secret) -> Self {
        TicketKey(secret.clone())
    }

    /// A key for one process.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        TicketKey(id::token(entropy))
    }

    /// The tag of an approval as `caller` gets it.
    fn mac(&self, caller: &Caller, approval: &str) -> Hmac<Sha256> {
        self.mac_of(&["ticket", caller.principal.user.as_str(), caller.principal.agent.as_str(), approval])
    }

    /// The tag of these texts in this order; the first one says what they are for.
    pub(super) fn mac_of(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.0.expose().as_bytes()).expect("HMAC takes any key");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }

    /// The ticket for an approval: its id and the tag.
    fn ticket(&self, caller: &Caller, approval: &str) -> Secret {
        Secret::new(format!(
            "{approval}.{}",
            URL_SAFE_NO_PAD.encode(self.mac(caller, approval).finalize().into_bytes())
        ))
    }

    /// The approval that a ticket of `caller` is for.
    fn open<'a>(&self, caller: &Caller, ticket: &'a Secret) -> Option<&'a str> {
        let (approval, tag) = ticket.expose().rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        self.mac(caller, approval).verify_slice(&tag).ok().map(|()| approval)
    }
}

/// One call as approvals see it.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) caller: &'a Caller,
    pub(super) tool: &'a str,
    pub(super) arguments: &'a Map<String, Value>,
}

impl Subject<'_> {
    /// What a yes is for: this call, and what was asked, by its seal.
    fn digest(&self, seal: &str) -> Digest {
        Digest::of(self.tool, &Value::Object(self.arguments.clone()), seal)
    }

    fn digest_of(&self, asks: &tool::Error) -> Digest {
        self.digest(asks.seal())
    }

    fn asked(&self, asks: &tool::Error) -> Asked {
        Asked {
            user: self.caller.principal.user.clone(),
            agent: self.caller.principal.agent.clone(),
            tool: self.tool.to_owned(),
            digest: self.digest_of(asks),
            seal: asks.seal().to_owned(),
            text: asks.what().to_owned(),
            whole: behind(asks).map(str::to_owned),
        }
    }

    fn is_about(&self, approval: &Approval) -> bool {
        approval.agent == self.caller.principal.agent && approval.digest == self.digest(approval.seal())
    }
}

/// Everything that would leave, where the question itself does not say all of it.
fn behind(asks: &tool::Error) -> Option<&str> {
    Some(asks.in_full()).filter(|full| *full != asks.what())
}

impl Desk {
    /// A desk without accounts whose approvals live in this process only.
    pub fn alone(clock: &SharedClock, entropy: &SharedEntropy) -> Self {
        let store = MemoryStore::new();
        let approvals = Approvals::new(store, clock.clone(), entropy.clone());
        Desk {
            accounts: None,
            agents: None,
            audit: None,
            approvals,
            key: TicketKey::fresh(&**entropy),
            pace: Pace::default(),
        }
    }

    /// Whether the store below is out of reach at present: calls go on with what was read before, as far as that goes.
    pub fn is_away(&self) -> bool {
        self.agents.as_ref().is_some_and(Agents::is_away)
    }

    /// The agent through which `caller` comes.
    pub(super) async fn agent(&self, caller: &Caller) -> Result<Agent, Error> {
        let Principal { user, agent: id, .. } = &caller.principal;
        let stored = match &self.agents {
            Some(agents) => agents.agent(user, id).await.map_err(Error::desk)?,
            None => None,
        };
        match stored {
            Some(agent) => Ok(agent),
            None if self.agents.is_none() || id.as_str() == LOCAL => Ok(Agent::implicit(user.clone())),
            None => Err(Error::Closed(format!("The agent `{id}` does not exist any more."))),
        }
    }

    /// The accounts of `caller`, working or not.
    pub(super) async fn accounts_of(&self, caller: &Caller) -> Result<which::Accounts, Error> {
        match &self.accounts {
            Some(accounts) => accounts.choices(&caller.principal.user).await.map_err(Error::desk),
            None => Ok(which::Accounts::new()),
        }
    }

    /// Writes down how a call ended. What changed something is written before the caller hears of it.
    pub(super) async fn record(&self, entry: Entry, effect: Effect) {
        let Some(audit) = &self.audit else { return };
        if effect == Effect::Reads {
            audit.record(entry).await;
        } else if let Err(error) = audit.record_durably(entry).await {
            // The vendor has done it; to fail now would invite a repeat.
            tracing::error!(%error, "a call is missing from the audit");
        }
    }

    /// Writes down, for certain, that something is about to be changed.
    pub(super) async fn begin(&self, entry: Entry) -> Result<(), audit::Error> {
        match &self.audit {
            Some(audit) => audit.record_durably(entry).await,
            None => Ok(()),
        }
    }

    /// Writes down what was done to this house itself: people, tokens, agents, accounts, consent. That it was done is
    /// true whether or not the line is kept, so a line that is not is told to the log.
    pub async fn note(&self, entry: Entry) {
        let Some(audit) = &self.audit else { return };
        if matches!(entry.outcome, audit::Outcome::Refused { .. }) {
            audit.record(entry).await;
        } else if let Err(error) = audit.record_durably(entry).await {
            tracing::error!(%error, "a change of this house is missing from the audit");
        }
    }

    /// The line that says who answered a question, and where. Its reference is the question's.
    pub fn answered(&self, decided: &Approval, via: &str) -> Entry {
        let what = if decided.decision == Some(Decision::Approved) { "approved" } else { "denied" };
        let by = decided.decided_by.clone().unwrap_or_else(|| decided.user.clone());
        let (at, id) = (self.approvals.now(), CallId::new(&*decided.id));
        let target = Some(format!("{} for agent {} of {}", decided.tool, decided.agent, decided.user));
        Entry { target, via: Some(via.to_owned()), ..Entry::deed(at, id, by, decided.agent.clone(), what) }
    }

    /// Writes a person's answer down, if it is one to a question about this very call.
    pub(super) async fn answer(&self, subject: Subject<'_>, answered: &Answered) -> Result<(), Error> {
        let user = &subject.caller.principal.user;
        let id = self.key.open(subject.caller, &answered.ticket).ok_or(Error::BadTicket)?;
        let pending = self.approvals.pending(user).await.map_err(Error::desk)?;
        let ours = pending.iter().find(|approval| approval.id == id && subject.is_about(approval));
        let approval = ours.ok_or(Error::BadTicket)?;
        let decision = if answered.approved { Decision::Approved } else { Decision::Refused };
        let decided = self.approvals.decide(&approval.id, decision, user).await.map_err(Error::desk)?;
        let client = &subject.caller.client;
        let via = if client.is_empty() { "client".to_owned() } else { format!("client {client}") };
        let entry = self.answered(&decided, &via);
        self.note(Entry { address: subject.caller.address, ..entry }).await;
        Ok(())
    }

    /// Uses up the yes to what a tool asks, if there is one.
    pub(super) async fn take(&self, subject: Subject<'_>, asks: &tool::Error) -> Result<bool, Error> {
        let principal = &subject.caller.principal;
        let digest = subject.digest_of(asks);
        self.approvals.take_if_approved(&principal.user, &principal.agent, &digest).await.map_err(Error::desk)
    }

    /// Asks a person.
    pub(super) async fn ask(&self, subject: Subject<'_>, asks: &tool::Error) -> Result<Question, approvals::Error> {
        let approval = self.approvals.ask(subject.asked(asks)).await?;
        Ok(Question {
            is_shortened: approval.whole.is_some(),
            text: approval.question,
            ticket: self.key.ticket(subject.caller, &approval.id),
            expires_at: approval.expires_at,
            approval: approval.id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AgentId, SeededEntropy, UserId};

    fn caller(agent: &str) -> Caller {
        let principal = Principal { user: UserId::new("local"), agent: AgentId::new(agent), ..Principal::local() };
        Caller { client: "test".into(), ..Caller::new(principal) }
    }

    #[test]
    fn a_ticket_is_good_for_its_own_caller_and_unchanged() {
        let key = TicketKey::fresh(&*SeededEntropy::new(1));
        let ticket = key.ticket(&caller("one"), "a-123");
        assert_eq!(key.open(&caller("one"), &ticket), Some("a-123"));
        assert_eq!(key.open(&caller("two"), &ticket), None);
        let tampered = Secret::new(format!("{}-TAMPERED", ticket.expose()));
        assert_eq!(key.open(&caller("one"), &tampered), None);
        let swapped = Secret::new(ticket.expose().replace("a-123", "a-124"));
        assert_eq!(key.open(&caller("one"), &swapped), None);
    }
}
