//! What is known of a task, as every node may read it: sealed records in the store.
//!
//! Results are people's data, so a record is sealed with ChaCha20-Poly1305 under a key that only nodes with the
//! session key have; `ring` has it, and is here already for signatures. A store learns neither ids nor contents. What
//! is larger than one record goes on in further ones, which one seal ties together.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{POLL, TTL};
use crate::{
    agents::Principal,
    id::{AgentId, SharedEntropy, UserId},
    secret::Secret,
    store::{self, Change, Durability, Expect, Key, MAX_VALUE, SharedStore, Table, Watch},
};

/// What the ids of our records begin with.
const PREFIX: &str = "task";
/// How many bytes of a sealed task one record holds.
const PIECE: usize = MAX_VALUE - HEAD - CODE;
/// What the layer below adds to a record that it does not seal, and some room.
const CODE: usize = 64;
/// The form of the records, the end of the task's time, the number of further records.
const HEAD: usize = 1 + 8 + 2;
/// The form of records that this program writes.
const FORM: u8 = 1;
/// How many further records one task may have: about four megabytes.
const PIECES: usize = 128;
/// How often a record is read again that another node is just writing.
const ATTEMPTS: usize = 4;

/// What is known of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) user: UserId,
    pub(super) agent: AgentId,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// Until when its process has promised to go on with it; it prolongs that again and again.
    pub(super) promised: Timestamp,
    /// What waits for the client.
    pub(super) questions: Map<String, Value>,
    /// What the client has answered on another node, for the process that runs the task.
    pub(super) answers: Map<String, Value>,
    pub(super) end: Option<End>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum End {
    /// With a result, be it a failure of the tool.
    Completed(Value),
    /// With an error of the protocol.
    Failed(Value),
    /// At its client's wish.
    Cancelled,
}

impl Kept {
    /// A task that begins.
    pub(super) fn new(owner: &Principal, now: Timestamp) -> Self {
        Kept {
            user: owner.user.clone(),
            agent: owner.agent.clone(),
            created: now,
            updated: now,
            promised: now,
            questions: Map::new(),
            answers: Map::new(),
            end: None,
        }
    }

    pub(super) fn is_of(&self, owner: &Principal) -> bool {
        self.user == owner.user && self.agent == owner.agent
    }

    /// Ends it unless it has ended.
    pub(super) fn end(&mut self, end: End, now: Timestamp) {
        if self.end.is_none() {
            self.end = Some(end);
            self.questions.clear();
            self.answers.clear();
            self.updated = now;
        }
    }

    /// What every description of a task has.
    pub(super) fn describe(&self, id: &str) -> Map<String, Value> {
        let status = match &self.end {
            Some(End::Completed(_)) => "completed",
            Some(End::Failed(_)) => "failed",
            Some(End::Cancelled) => "cancelled",
            None if self.questions.is_empty() => "working",
            None => "input_required",
        };
        let described = json!({
            "taskId": id,
            "status": status,
            "createdAt": self.created.to_string(),
            "lastUpdatedAt": self.updated.to_string(),
            "ttlMs": TTL,
            "pollIntervalMs": POLL,
        });
        described.as_object().cloned().unwrap_or_default()
    }

    /// The description with what came of the task, or what it waits for.
    pub(super) fn report(&self, id: &str) -> Map<String, Value> {
        let mut report = self.describe(id);
        let (member, value) = match &self.end {
            Some(End::Completed(result)) => ("result", result.clone()),
            Some(End::Failed(error)) => ("error", error.clone()),
            None if !self.questions.is_empty() => ("inputRequests", Value::Object(self.questions.clone())),
            Some(End::Cancelled) | None => return report,
        };
        report.insert(member.into(), value);
        report
    }
}

/// The records of all nodes.
pub(super) struct Records {
    store: SharedStore,
    key: LessSafeKey,
    entropy: SharedEntropy,
}

impl Records {
    /// Records in `store`, for nodes that have `key`.
    pub(super) fn new(store: SharedStore, key: &Secret, entropy: SharedEntropy) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("HMAC takes keys of any length");
        mac.update(b"records of tasks");
        let key = UnboundKey::new(&CHACHA20_POLY1305, &mac.finalize().into_bytes()).expect("the key is 32 bytes");
        Records { store, key: LessSafeKey::new(key), entropy }
    }

    /// The task of that id and its version; `None` where there is none that we could read.
    pub(super) async fn read(&self, id: &str) -> store::Result<Option<(Kept, u64)>> {
        for _ in 0..ATTEMPTS {
            let Some(head) = self.store.get(&key(id)?).await? else {
                return Ok(None);
            };
            if let Some(kept) = self.whole(id, &head.value).await? {
                return Ok(Some((kept, head.version)));
            }
            // Another node may have written between two of our reads.
            tokio::task::yield_now().await;
        }
        tracing::warn!("the record of a task cannot be read: it is damaged, or sealed with another session key");
        Ok(None)
    }

    /// Writes a task, in one step with all its pieces.
    pub(super) async fn write(&self, id: &str, kept: &Kept, expect: Expect) -> store::Result<u64> {
        let ends = kept.created.as_millisecond().saturating_add(TTL);
        let sealed = self.seal(id, ends, kept);
        let mut pieces = sealed.chunks(PIECE);
        let first = pieces.next().unwrap_or_default();
        let mut changes = Vec::new();
        for (number, piece) in pieces.enumerate() {
            changes.push(Change::Put { key: piece_key(id, number)?, value: piece.to_vec(), expect: Expect::Anything });
        }
        let further = u16::try_from(changes.len()).unwrap_or(u16::MAX);
        let value = [&[FORM], &ends.to_be_bytes()[..], &further.to_be_bytes(), first].concat();
        changes.push(Change::Put { key: key(id)?, value, expect });
        self.store.commit(changes, Durability::SurvivesCrash).await
    }

    /// Removes the tasks whose time is over.
    pub(super) async fn forget(&self, now: Timestamp) -> store::Result<()> {
        let prefix = store::prefix(Table::Sessions, &[PREFIX])?;
        let found = store::scan_all(&*self.store, Table::Sessions, &prefix).await?;
        let is_piece = |id: &[u8]| id.split(|byte| *byte == 0).count() > 2;
        for (id, head) in found.into_iter().filter(|(id, _)| !is_piece(id)) {
            if head_of(&head.value).is_some_and(|(ends, _)| ends > now.as_millisecond()) {
                continue;
            }
            let pieces = store::scan_all(&*self.store, Table::Sessions, &[&id[..], &[0]].concat()).await?;
            let all = pieces.into_iter().map(|(id, _)| id).chain([id]);
            let delete = |id| Change::Delete { key: Key::raw(Table::Sessions, id), expect: Expect::Anything };
            self.store.commit(all.map(delete).collect(), Durability::SurvivesCrash).await?;
        }
        Ok(())
    }

    /// Notice of changes of tasks and of what else stands in that table; [`is_of`] tells them apart.
    pub(super) fn watch(&self) -> Watch {
        self.store.watch(Table::Sessions)
    }

    async fn whole(&self, id: &str, head: &[u8]) -> store::Result<Option<Kept>> {
        let Some((ends, further)) = head_of(head) else {
            return Ok(None);
        };
        let mut sealed = head[HEAD..].to_vec();
        for number in 0..further {
            match self.store.get(&piece_key(id, number)?).await? {
                Some(piece) => sealed.extend(piece.value),
                None => return Ok(None),
            }
        }
        Ok(self.open(id, ends, sealed))
    }

    fn seal(&self, id: &str, ends: i64, kept: &Kept) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce);
        let mut sealed = serde_json::to_vec(kept).expect("a task is made of JSON");
        let aad = Aad::from(bound_to(id, ends));
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .expect("a task is smaller than the cipher's 256 GiB");
        [&nonce[..], &sealed].concat()
    }

    fn open(&self, id: &str, ends: i64, mut sealed: Vec<u8>) -> Option<Kept> {
        let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.key.open_in_place(nonce, Aad::from(bound_to(id, ends)), text).ok()?;
        serde_json::from_slice(opened).ok()
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}

/// Whether a task is too large to be kept.
pub(super) fn is_too_large(end: &End) -> bool {
    serde_json::to_vec(end).map_or(true, |text| text.len() > PIECES * PIECE / 2)
}

/// Whether that record belongs to the task of `name`.
pub(super) fn is_of(key: &Key, name: &str) -> bool {
    key.parts().is_some_and(|parts| parts == [PREFIX, name])
}

/// Under which name the store knows the task of that id.
pub(super) fn name(id: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(id))
}

fn key(id: &str) -> store::Result<Key> {
    Key::of(Table::Sessions, &[PREFIX, &name(id)])
}

fn piece_key(id: &str, number: usize) -> store::Result<Key> {
    Key::of(Table::Sessions, &[PREFIX, &name(id), &number.to_string()])
}

fn bound_to(id: &str, ends: i64) -> Vec<u8> {
    [&ends.to_be_bytes()[..], id.as_bytes()].concat()
}

/// The end of a task's time, in milliseconds since 1970, and how many further records it has.
fn head_of(value: &[u8]) -> Option<(i64, usize)> {
    let (form, rest) = value.split_first()?;
    let (ends, rest) = rest.split_first_chunk()?;
    let (further, _) = rest.split_first_chunk()?;
    let further = usize::from(u16::from_be_bytes(*further));
    (*form == FORM && further <= PIECES).then_some((i64::from_be_bytes(*ends), further))
}
