//! Everything that would leave after a yes, where it is too long for the question itself.
//!
//! A record is small, and a mail is not, so the whole lies in pieces beside it. The question's record holds its SHA-256:
//! what a person reads here is what was asked, or it is not shown.

use sha2::{Digest as _, Sha256};

use super::{Approval, Approvals, Error, Question, Result};
use crate::store::{Change, Expect, Key, Table};

/// How much lies in one piece, in bytes.
const PIECE: usize = 24 * 1024;

/// The longest whole of one question, in bytes: a person who is asked about more cannot read it.
pub const LARGEST: usize = 2 * 1024 * 1024;

/// How much of wholes may wait for one person at a time, in bytes.
pub const WAITING: usize = 8 * 1024 * 1024;

/// What the keys of pieces begin with, in the table of what passes by.
const PREFIX: &str = "asked";

/// What a question's record knows of its whole.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Whole {
    /// SHA-256 in hex.
    pub sha256: String,
    /// How long it is.
    pub bytes: usize,
}

impl Whole {
    pub(super) fn of(text: &str) -> Whole {
        Whole { sha256: hex(text), bytes: text.len() }
    }

    /// How many pieces it lies in.
    fn pieces(&self) -> usize {
        self.bytes.div_ceil(PIECE)
    }
}

fn hex(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// The changes that keep the whole of a question.
pub(super) fn kept(question: &Question) -> Result<Vec<Change>> {
    let text = question.whole.as_deref().unwrap_or_default();
    if text.len() > LARGEST {
        return Err(Error::TooLong);
    }
    let put = |(at, value): (usize, &[u8])| {
        let key = Key::of(
            Table::Sessions,
            &[PREFIX, question.user.as_str(), question.agent.as_str(), question.digest.as_str(), &number(at)],
        )?;
        Ok(Change::Put { key, value: value.to_vec(), expect: Expect::Anything })
    };
    text.as_bytes().chunks(PIECE).enumerate().map(put).collect()
}

/// The keys of the pieces that an approval has.
pub(super) fn keys(approval: &Approval) -> Result<Vec<Key>> {
    let count = approval.whole.as_ref().map_or(0, Whole::pieces);
    let key = |at| {
        let parts = [PREFIX, approval.user.as_str(), approval.agent.as_str(), approval.digest.as_str(), &number(at)];
        Ok(Key::of(Table::Sessions, &parts)?)
    };
    (0..count).map(key).collect()
}

/// What all pieces of a person's questions begin with.
pub(super) fn prefix(user: &str) -> Result<Vec<u8>> {
    Ok(crate::store::prefix(Table::Sessions, &[PREFIX, user])?)
}

fn number(at: usize) -> String {
    format!("{at:04}")
}

impl Approvals {
    /// Everything that would leave after a yes to this question.
    pub async fn whole(&self, approval: &Approval) -> Result<String> {
        let Some(whole) = &approval.whole else { return Ok(approval.question.clone()) };
        let mut bytes = Vec::with_capacity(whole.bytes.min(LARGEST));
        for key in keys(approval)? {
            let piece = self.store.get(&key).await?.ok_or(Error::Unknown)?;
            bytes.extend(piece.value);
        }
        let text = String::from_utf8(bytes).unwrap_or_default();
        if hex(&text) == whole.sha256 { Ok(text) } else { Err(Error::Altered) }
    }

    /// Refuses a whole for which there is no room beside the others that wait for the same person.
    pub(super) async fn must_have_room(&self, question: &Question) -> Result<()> {
        let Some(whole) = &question.whole else { return Ok(()) };
        let waiting = self.pending(&question.user).await?;
        let waiting: usize = waiting.iter().filter_map(|one| one.whole.as_ref()).map(|whole| whole.bytes).sum();
        if waiting + whole.len() > WAITING { Err(Error::TooMuch) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        approvals::{Decision, Digest, LIFETIME},
        clock::ManualClock,
        id::{AgentId, SeededEntropy, UserId},
        store::{MemoryStore, SharedStore, Store, scan_all},
    };

    struct Desk {
        approvals: Approvals,
        clock: Arc<ManualClock>,
        store: SharedStore,
    }

    fn desk() -> Desk {
        let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        let store = MemoryStore::new();
        Desk { approvals: Approvals::new(store.clone(), clock.clone(), SeededEntropy::new(1)), clock, store }
    }

    fn long(text: &str) -> Question {
        let arguments = serde_json::json!({});
        Question {
            user: UserId::new("ann"),
            agent: AgentId::new("desk"),
            tool: "t".into(),
            digest: Digest::of("t", &arguments, text),
            text: "Send?".into(),
            seal: hex(text),
            whole: Some(text.to_owned()),
        }
    }

    async fn pieces(store: &dyn Store) -> usize {
        scan_all(store, Table::Sessions, &prefix("ann").unwrap()).await.unwrap().len()
    }

    #[tokio::test]
    async fn a_long_whole_is_kept_in_pieces_and_goes_with_its_question() {
        let desk = desk();
        let text = "wörter ".repeat(20_000);
        let asked = desk.approvals.ask(long(&text)).await.unwrap();
        assert_eq!(desk.approvals.whole(&asked).await.unwrap(), text);
        assert!(pieces(&*desk.store).await > 3);
        desk.clock.advance(LIFETIME);
        assert_eq!(desk.approvals.sweep().await.unwrap(), 1);
        assert_eq!(pieces(&*desk.store).await, 0);
    }

    #[tokio::test]
    async fn another_whole_asks_again() {
        let desk = desk();
        let asked = desk.approvals.ask(long("one text")).await.unwrap();
        desk.approvals.decide(&asked.id, Decision::Approved, &UserId::new("ann")).await.unwrap();
        let taken = async |text: &str| {
            let question = long(text);
            desk.approvals.take_if_approved(&question.user, &question.agent, &question.digest).await.unwrap()
        };
        assert!(!taken("another text").await);
        assert!(taken("one text").await);
    }

    #[tokio::test]
    async fn a_whole_that_was_changed_is_not_shown() {
        let desk = desk();
        let asked = desk.approvals.ask(long("one text")).await.unwrap();
        let key = keys(&asked).unwrap().remove(0);
        let change = Change::Put { key, value: b"another".to_vec(), expect: Expect::Anything };
        desk.store.commit(vec![change], crate::store::Durability::SurvivesCrash).await.unwrap();
        assert!(matches!(desk.approvals.whole(&asked).await, Err(Error::Altered)));
    }

    #[tokio::test]
    async fn wholes_are_bounded_each_and_together() {
        let desk = desk();
        let too_long = desk.approvals.ask(long(&"x".repeat(LARGEST + 1))).await.unwrap_err();
        assert!(matches!(too_long, Error::TooLong), "{too_long}");
        for at in 0..WAITING / LARGEST {
            desk.approvals.ask(long(&format!("{at}{}", "x".repeat(LARGEST - 1)))).await.unwrap();
        }
        assert!(matches!(desk.approvals.ask(long("one more")).await, Err(Error::TooMuch)));
        desk.clock.advance(LIFETIME);
        desk.approvals.ask(long("one more")).await.unwrap();
    }

    #[tokio::test]
    async fn with_a_person_the_wholes_go() {
        let desk = desk();
        desk.approvals.ask(long("one text")).await.unwrap();
        desk.approvals.forget(&UserId::new("ann")).await.unwrap();
        assert_eq!(pieces(&*desk.store).await, 0);
    }
}
