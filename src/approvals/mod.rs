//! What waits for a person: questions that a tool asks before it does something that cannot be undone.
//!
//! A yes is worth one run of this very tool with these very arguments, by this very agent, for some minutes. The
//! record stands under the question's digest, so that there is one per question, and a yes can be taken once.

mod exposure;
mod whole;

use std::{fmt, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use self::{
    exposure::{REMEMBERED, SESSION, Seen},
    whole::Whole,
};
use crate::{
    clock::SharedClock,
    id::{AgentId, SharedEntropy, UserId, base32hex},
    store::{self, Change, Durability, Expect, Key, Store, Table, Versioned},
};

/// What the operations return.
pub type Result<T> = std::result::Result<T, Error>;

/// How long a question waits, and how long its yes is worth something.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// How often a write is tried again when another one was first.
const TRIES: u32 = 8;

/// Questions and their answers.
#[derive(Clone, Debug)]
pub struct Approvals {
    store: Arc<dyn Store>,
    clock: SharedClock,
    entropy: SharedEntropy,
    lifetime: SignedDuration,
    readers: exposure::Readers,
}

/// A question, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Names it for people and programs, such as `a-7m2k9qp4s0`.
    pub id: String,
    /// Whose account it is about; this person decides.
    pub user: UserId,
    /// Who wants to do it.
    pub agent: AgentId,
    /// With which tool.
    pub tool: String,
    /// What exactly would be done.
    pub digest: Digest,
    /// The question as the person reads it.
    pub question: String,
    /// What was asked, to its last sign; the question itself where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<String>,
    /// What else there is to read, where the question is a short form; see [`Approvals::whole`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Whole>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// From when on neither the question nor its answer counts.
    pub expires_at: Timestamp,
    /// The answer, once there is one.
    pub decision: Option<Decision>,
    /// Who answered.
    pub decided_by: Option<UserId>,
    /// Whether a yes has been used up.
    pub used: bool,
}

impl Approval {
    /// Whether a person can still answer.
    pub fn is_pending(&self, now: Timestamp) -> bool {
        self.decision.is_none() && now < self.expires_at
    }

    /// What was asked, to its last sign; it was made by the tool.
    pub fn seal(&self) -> &str {
        self.seal.as_deref().unwrap_or(&self.question)
    }

    /// Whether a yes is there to be taken.
    fn is_granted(&self, now: Timestamp) -> bool {
        self.decision == Some(Decision::Approved) && !self.used && now < self.expires_at
    }
}

/// A person's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes, once.
    Approved,
    /// No.
    Refused,
}

/// What exactly is asked: SHA-256 of the tool, the canonical arguments and the question, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of a call. The order of members in `arguments` does not matter; everything else does.
    pub fn of(tool: &str, arguments: &Value, question: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [tool, &canonical(arguments), question] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Digest(format!("{:x}", hash.finalize()))
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// JSON with the members of every object in order.
fn canonical(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    sorted.to_string()
}

/// Who asks what.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whose account it is about.
    pub user: UserId,
    /// Who wants to do it.
    pub agent: AgentId,
    /// With which tool.
    pub tool: String,
    /// What exactly; see [`Digest::of`].
    pub digest: Digest,
    /// The question as the person reads it.
    pub text: String,
    /// What is asked, to its last sign.
    pub seal: String,
    /// Everything that would leave, where the question is a short form.
    pub whole: Option<String>,
}

impl Question {
    fn key(&self) -> Result<Key> {
        key(&self.user, &self.agent, &self.digest)
    }
}

impl Approvals {
    /// The approvals in `store`; a question waits for [`LIFETIME`].
    pub fn new(store: Arc<dyn Store>, clock: SharedClock, entropy: SharedEntropy) -> Self {
        Approvals { store, clock, entropy, lifetime: LIFETIME, readers: exposure::Readers::default() }
    }

    /// The time by which questions run out.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The same with another time that a question waits.
    #[must_use]
    pub fn waiting(self, lifetime: SignedDuration) -> Self {
        Approvals { lifetime, ..self }
    }

    /// Asks. When the very same question already waits, or has a yes that nobody took, that one is the answer.
    pub async fn ask(&self, question: Question) -> Result<Approval> {
        let key = question.key()?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let stored = self.read(&key).await?;
            let expect = match stored {
                Some((approval, _)) if approval.is_pending(now) || approval.is_granted(now) => return Ok(approval),
                Some((_, version)) => Expect::Version(version),
                None => Expect::Absent,
            };
            self.must_have_room(&question).await?;
            let approval = self.fresh(&question, now);
            if self.write_with(&key, &approval, expect, whole::kept(&question)?).await? {
                return Ok(approval);
            }
        }
        Err(Error::Contended)
    }

    /// Answers the question `id` of `by`. Someone else's question counts as unknown.
    pub async fn decide(&self, id: &str, decision: Decision, by: &UserId) -> Result<Approval> {
        let prefix = store::prefix(Table::Approvals, &[by.as_str()])?;
        self.settle(&prefix, id, decision, by).await
    }

    /// Answers the question `id`, whosoever's it is. The caller has made sure that `by` administers this server.
    pub async fn decide_for_anyone(&self, id: &str, decision: Decision, by: &UserId) -> Result<Approval> {
        self.settle(b"", id, decision, by).await
    }

    /// Takes the yes to this very question, if there is one. Of many that try, one gets it, and once.
    pub async fn take_if_approved(&self, user: &UserId, agent: &AgentId, digest: &Digest) -> Result<bool> {
        let key = key(user, agent, digest)?;
        match self.read(&key).await? {
            Some((approval, version)) if approval.is_granted(self.clock.now()) => {
                let taken = Approval { used: true, ..approval };
                self.write(&key, &taken, Expect::Version(version)).await
            }
            _ => Ok(false),
        }
    }

    /// The question `id`, answered or not, of `user`, or whosoever's it is.
    pub async fn find(&self, id: &str, user: Option<&UserId>) -> Result<Approval> {
        let prefix = user.map(|user| store::prefix(Table::Approvals, &[user.as_str()])).transpose()?;
        let now = self.clock.now();
        let all = self.all(&prefix.unwrap_or_default()).await?;
        let found = all.into_iter().map(|(_, approval, _)| approval);
        found.into_iter().find(|approval| approval.id == id && now < approval.expires_at).ok_or(Error::Unknown)
    }

    /// The questions of `user` that wait, the oldest first.
    pub async fn pending(&self, user: &UserId) -> Result<Vec<Approval>> {
        let prefix = store::prefix(Table::Approvals, &[user.as_str()])?;
        self.pending_under(&prefix).await
    }

    /// Everybody's questions that wait, the oldest first.
    pub async fn pending_of_all(&self) -> Result<Vec<Approval>> {
        self.pending_under(b"").await
    }

    /// Forgets what has expired. The answer is how many there were.
    pub async fn sweep(&self) -> Result<usize> {
        let now = self.clock.now();
        let all = self.all(b"").await?;
        let mut changes = Vec::new();
        let mut count = 0;
        for (key, approval, version) in all.into_iter().filter(|(_, approval, _)| now >= approval.expires_at) {
            count += 1;
            changes.push(Change::Delete { key, expect: Expect::Version(version) });
            let pieces = whole::keys(&approval)?.into_iter();
            changes.extend(pieces.map(|key| Change::Delete { key, expect: Expect::Anything }));
        }
        match self.store.commit(changes, Durability::SurvivesCrash).await {
            // Somebody asked again in this moment: the next sweep gets the rest.
            Err(error) if error.is_conflict() => Ok(0),
            other => Ok(other.map(|_| count)?),
        }
    }

    fn fresh(&self, question: &Question, now: Timestamp) -> Approval {
        Approval {
            id: format!("a-{}", base32hex(&*self.entropy, 10)),
            user: question.user.clone(),
            agent: question.agent.clone(),
            tool: question.tool.clone(),
            digest: question.digest.clone(),
            question: question.text.clone(),
            seal: Some(question.seal.clone()).filter(|seal| *seal != question.text),
            whole: question.whole.as_deref().map(Whole::of),
            asked_at: now,
            expires_at: now.checked_add(self.lifetime).unwrap_or(Timestamp::MAX),
            decision: None,
            decided_by: None,
            used: false,
        }
    }

    async fn settle(&self, prefix: &[u8], id: &str, decision: Decision, by: &UserId) -> Result<Approval> {
        let found = self.all(prefix).await?.into_iter().find(|(_, approval, _)| approval.id == id);
        let (key, approval, version) = found.ok_or(Error::Unknown)?;
        if !approval.is_pending(self.clock.now()) {
            return Err(Error::Settled);
        }
        let settled = Approval { decision: Some(decision), decided_by: Some(by.clone()), ..approval };
        let is_first = self.write(&key, &settled, Expect::Version(version)).await?;
        is_first.then_some(settled).ok_or(Error::Settled)
    }

    async fn pending_under(&self, prefix: &[u8]) -> Result<Vec<Approval>> {
        let now = self.clock.now();
        let all = self.all(prefix).await?;
        let mut pending: Vec<Approval> =
            all.into_iter().map(|(_, approval, _)| approval).filter(|approval| approval.is_pending(now)).collect();
        pending.sort_by(|one, other| (one.asked_at, &one.id).cmp(&(other.asked_at, &other.id)));
        Ok(pending)
    }

    async fn all(&self, prefix: &[u8]) -> Result<Vec<(Key, Approval, u64)>> {
        let records = store::scan_all(&*self.store, Table::Approvals, prefix).await?;
        // One that is damaged must not hide the others.
        let parsed = |(id, stored): store::Record| {
            let key = Key::raw(Table::Approvals, id);
            match parsed(&key, &stored) {
                Ok(approval) => Some((key, approval, stored.version)),
                Err(error) => {
                    tracing::error!("left out of a list: {error}");
                    None
                }
            }
        };
        Ok(records.into_iter().filter_map(parsed).collect())
    }

    async fn read(&self, key: &Key) -> Result<Option<(Approval, u64)>> {
        let Some(stored) = self.store.get(key).await? else {
            return Ok(None);
        };
        Ok(Some((parsed(key, &stored)?, stored.version)))
    }

    /// Writes, and says whether nobody was first.
    async fn write(&self, key: &Key, approval: &Approval, expect: Expect) -> Result<bool> {
        self.write_with(key, approval, expect, Vec::new()).await
    }

    /// [`write`](Self::write), and other changes at the same moment.
    async fn write_with(&self, key: &Key, approval: &Approval, expect: Expect, mut more: Vec<Change>) -> Result<bool> {
        let value = serde_json::to_vec(approval).map_err(|_| Error::Unfitting(key.clone()))?;
        more.push(Change::Put { key: key.clone(), value, expect });
        match self.store.commit(more, Durability::SurvivesCrash).await {
            Err(error) if error.is_conflict() => Ok(false),
            other => Ok(other.map(|_| true)?),
        }
    }
}

fn key(user: &UserId, agent: &AgentId, digest: &Digest) -> Result<Key> {
    Ok(Key::of(Table::Approvals, &[user.as_str(), agent.as_str(), digest.as_str()])?)
}

fn parsed(key: &Key, stored: &Versioned) -> Result<Approval> {
    serde_json::from_slice(&stored.value).map_err(|_| Error::Unfitting(key.clone()))
}

/// Why an approval could not be asked for or given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such question of this person.
    #[error("there is no such question; it may have expired: list the waiting ones again")]
    Unknown,
    /// It was answered already, or its time is over.
    #[error("this question was answered already or has expired: if it still matters, the tool will ask again")]
    Settled,
    /// A person cannot read so much before it is done.
    #[error(
        "it is too long to be shown to a person before it is done: at most {} MiB; send less at once, or put the text \
         where it can be read and send its address", whole::LARGEST >> 20
    )]
    TooLong,
    /// Too much waits for the person already.
    #[error("too many long questions wait for this person already: let them be answered first, or wait ten minutes")]
    TooMuch,
    /// What lies in the store is not what was asked.
    #[error(
        "what was asked has been changed in the store since, and is not shown: refuse it, and look who can write there"
    )]
    Altered,
    /// Others were first again and again.
    #[error("the same question is being asked many times at once: try again in a second")]
    Contended,
    /// A record is not what it should be.
    #[error("{0} does not have the expected content: it was written by another version of switchboard")]
    Unfitting(Key),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// Whether one record is damaged, or was put there by somebody else.
    fn is_of_one_record(&self) -> bool {
        match self {
            Error::Unfitting(_) => true,
            Error::Store(error) => error.is_untrusted(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{clock::ManualClock, id::SeededEntropy, store::MemoryStore};

    struct Desk {
        approvals: Approvals,
        clock: Arc<ManualClock>,
    }

    fn desk() -> Desk {
        let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        let approvals = Approvals::new(MemoryStore::new(), clock.clone(), SeededEntropy::new(1));
        Desk { approvals, clock }
    }

    fn ann() -> UserId {
        UserId::new("ann")
    }

    fn refund(cents: u32) -> Question {
        let text = format!("Refund {cents} cents of pi_1?");
        let digest = Digest::of("stripe_refund_payment", &json!({"payment": "pi_1", "cents": cents}), &text);
        Question {
            user: ann(),
            agent: AgentId::new("shop"),
            tool: "stripe_refund_payment".into(),
            digest,
            seal: text.clone(),
            text,
            whole: None,
        }
    }

    impl Desk {
        async fn take(&self, question: &Question) -> bool {
            self.approvals.take_if_approved(&question.user, &question.agent, &question.digest).await.unwrap()
        }

        async fn approve(&self, question: &Question) -> Approval {
            let asked = self.approvals.ask(question.clone()).await.unwrap();
            self.approvals.decide(&asked.id, Decision::Approved, &ann()).await.unwrap()
        }
    }

    #[tokio::test]
    async fn a_yes_is_good_for_one_run() {
        let desk = desk();
        assert!(!desk.take(&refund(500)).await, "nobody asked");
        let asked = desk.approvals.ask(refund(500)).await.unwrap();
        assert!(!desk.take(&refund(500)).await, "nobody answered");
        let settled = desk.approvals.decide(&asked.id, Decision::Approved, &ann()).await.unwrap();
        assert_eq!((settled.decision, settled.decided_by), (Some(Decision::Approved), Some(ann())));
        assert!(desk.take(&refund(500)).await);
        assert!(!desk.take(&refund(500)).await, "it is used up");
    }

    #[tokio::test]
    async fn of_many_that_take_the_same_yes_one_gets_it() {
        let desk = Arc::new(desk());
        desk.approve(&refund(500)).await;
        let mut takers = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let desk = Arc::clone(&desk);
            takers.spawn(async move { desk.take(&refund(500)).await });
        }
        assert_eq!(takers.join_all().await.into_iter().filter(|taken| *taken).count(), 1);
    }

    #[tokio::test]
    async fn another_amount_agent_or_person_asks_again() {
        let desk = desk();
        desk.approve(&refund(500)).await;
        assert!(!desk.take(&refund(501)).await);
        assert!(!desk.take(&Question { agent: AgentId::new("other"), ..refund(500) }).await);
        assert!(!desk.take(&Question { user: UserId::new("bob"), ..refund(500) }).await);
        assert!(desk.take(&refund(500)).await);
    }

    #[tokio::test]
    async fn a_no_is_not_a_yes_and_the_question_can_be_asked_again() {
        let desk = desk();
        let asked = desk.approvals.ask(refund(500)).await.unwrap();
        desk.approvals.decide(&asked.id, Decision::Refused, &ann()).await.unwrap();
        assert!(!desk.take(&refund(500)).await);
        let again = desk.approvals.ask(refund(500)).await.unwrap();
        assert!(again.decision.is_none());
        assert_ne!(again.id, asked.id);
    }

    #[tokio::test]
    async fn the_same_question_waits_once() {
        let desk = desk();
        let (one, two) = tokio::join!(desk.approvals.ask(refund(500)), desk.approvals.ask(refund(500)));
        assert_eq!(one.unwrap(), two.unwrap());
        desk.approvals.ask(refund(700)).await.unwrap();
        let waiting = desk.approvals.pending(&ann()).await.unwrap();
        assert_eq!(waiting.len(), 2);
        assert!(desk.approvals.pending(&UserId::new("bob")).await.unwrap().is_empty());
        assert_eq!(desk.approvals.pending_of_all().await.unwrap(), waiting);
    }

    #[tokio::test]
    async fn time_takes_questions_and_answers_away() {
        let desk = desk();
        let asked = desk.approvals.ask(refund(500)).await.unwrap();
        desk.approve(&refund(700)).await;
        desk.clock.advance(LIFETIME);
        assert!(!desk.take(&refund(700)).await, "a yes does not last for ever");
        let late = desk.approvals.decide(&asked.id, Decision::Approved, &ann()).await.unwrap_err();
        assert!(matches!(late, Error::Settled), "{late}");
        assert!(desk.approvals.pending(&ann()).await.unwrap().is_empty());
        assert_eq!(desk.approvals.sweep().await.unwrap(), 2);
        assert_eq!(desk.approvals.sweep().await.unwrap(), 0);
        let gone = desk.approvals.decide(&asked.id, Decision::Approved, &ann()).await.unwrap_err();
        assert!(matches!(gone, Error::Unknown), "{gone}");
    }

    #[tokio::test]
    async fn only_its_person_or_an_administrator_answers() {
        let desk = desk();
        let asked = desk.approvals.ask(refund(500)).await.unwrap();
        let bob = UserId::new("bob");
        let foreign = desk.approvals.decide(&asked.id, Decision::Approved, &bob).await.unwrap_err();
        assert!(matches!(foreign, Error::Unknown), "{foreign}");
        desk.approvals.decide_for_anyone(&asked.id, Decision::Approved, &bob).await.unwrap();
        let second = desk.approvals.decide(&asked.id, Decision::Refused, &ann()).await.unwrap_err();
        assert!(matches!(second, Error::Settled), "an answer stands: {second}");
    }

    #[test]
    fn the_digest_sees_everything_but_the_order_of_members() {
        let digest = |arguments| Digest::of("t", &arguments, "?").to_string();
        assert_eq!(digest(json!({"a": 1, "b": {"c": 2, "d": 3}})), digest(json!({"b": {"d": 3, "c": 2}, "a": 1})));
        assert_ne!(digest(json!({"a": [1, 2]})), digest(json!({"a": [2, 1]})));
        assert_ne!(digest(json!({"a": 1})), digest(json!({"a": "1"})));
        assert_ne!(Digest::of("a", &json!({}), "b"), Digest::of("a", &json!({}), "c"));
        assert_ne!(Digest::of("t", &json!("x"), "y?"), Digest::of("t", &json!("xy"), "?"));
    }
}
