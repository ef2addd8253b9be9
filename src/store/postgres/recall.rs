//! What this node read last, for the time when the server is away.
//!
//! Only what calls need is kept: who may call, with which account. Credentials stay sealed, as the server has them.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::super::{Key, Record, Table};

/// How many bytes of keys and values are kept at most, in two halves.
const CAPACITY: usize = 32 << 20;

/// What a record costs beside its bytes.
const OVERHEAD: usize = 128;

/// A question that was put to the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// One record.
    Record(Key),
    /// A page of a scan.
    Page { table: Table, prefix: Vec<u8>, from: Option<Vec<u8>>, limit: usize, is_backwards: bool },
}

/// How often the answers in each table were forgotten: an answer that was under way meanwhile is not kept.
pub(super) type Epoch = u64;

/// Answers of the server. The half that was used longest ago is dropped as a whole when the other one is full.
#[derive(Debug, Default)]
pub(super) struct Recall(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<Question, Vec<Record>>,
    old: HashMap<Question, Vec<Record>>,
    bytes: usize,
    epoch: Epoch,
}

impl Recall {
    /// To be asked before a question is put, and given to [`Recall::keep`] with the answer.
    pub(super) fn epoch(&self) -> Epoch {
        self.halves().epoch
    }

    /// Remembers an answer, unless something was forgotten since the question was put.
    pub(super) fn keep(&self, epoch: Epoch, question: Question, answer: &[Record]) {
        let mut halves = self.halves();
        if halves.epoch == epoch && question.is_worth_it() {
            halves.insert(question, answer.to_vec());
        }
    }

    /// The last answer to that question.
    pub(super) fn find(&self, question: &Question) -> Option<Vec<Record>> {
        let mut halves = self.halves();
        if let Some(answer) = halves.young.get(question) {
            return Some(answer.clone());
        }
        let answer = halves.old.remove(question)?;
        halves.insert(question.clone(), answer.clone());
        Some(answer)
    }

    /// Drops every answer in which the record `key` has a part.
    pub(super) fn forget(&self, key: &Key) {
        let mut halves = self.halves();
        halves.epoch += 1;
        halves.young.retain(|question, _| !question.is_about(key));
        halves.old.retain(|question, _| !question.is_about(key));
    }

    /// Drops everything.
    pub(super) fn clear(&self) {
        let mut halves = self.halves();
        *halves = Halves { epoch: halves.epoch + 1, ..Halves::default() };
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn insert(&mut self, question: Question, answer: Vec<Record>) {
        let bytes: usize = answer.iter().map(|(id, stored)| OVERHEAD + id.len() + stored.value.len()).sum();
        self.bytes += OVERHEAD + bytes;
        self.young.insert(question, answer);
        if self.bytes > CAPACITY / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }
}

impl Question {
    fn table(&self) -> Table {
        match self {
            Question::Record(key) => key.table,
            Question::Page { table, .. } => *table,
        }
    }

    /// What waits for a person, and what was done, helps no call along.
    fn is_worth_it(&self) -> bool {
        !matches!(self.table(), Table::Audit | Table::Approvals | Table::OAuthStates)
    }

    fn is_about(&self, key: &Key) -> bool {
        match self {
            Question::Record(own) => own == key,
            Question::Page { table, prefix, .. } => *table == key.table && key.id.starts_with(prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Versioned;

    fn key(id: &str) -> Key {
        Key::raw(Table::Connections, id)
    }

    fn page(prefix: &str) -> Question {
        let (table, prefix) = (Table::Connections, prefix.into());
        Question::Page { table, prefix, from: None, limit: 9, is_backwards: false }
    }

    fn answer(bytes: usize) -> Vec<Record> {
        vec![(b"a".to_vec(), Versioned { value: vec![7; bytes], version: 1 })]
    }

    #[test]
    fn a_change_drops_every_answer_that_it_has_a_part_in() {
        let recall = Recall::default();
        let all = [Question::Record(key("ann|x")), page("ann"), page(""), Question::Record(key("bob")), page("bob")];
        for question in &all {
            recall.keep(recall.epoch(), question.clone(), &answer(1));
        }
        recall.forget(&key("ann|x"));
        let kept = all.map(|question| recall.find(&question).is_some());
        assert_eq!(kept, [false, false, false, true, true]);
        recall.clear();
        assert_eq!(recall.find(&page("bob")), None);
    }

    #[test]
    fn an_answer_that_a_change_overtook_is_not_kept() {
        let recall = Recall::default();
        let epoch = recall.epoch();
        recall.forget(&key("bob"));
        recall.keep(epoch, page("ann"), &answer(1));
        assert_eq!(recall.find(&page("ann")), None);
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let recall = Recall::default();
        let question = |number: usize| Question::Record(key(&number.to_string()));
        let half = CAPACITY / 2 / 30_000;
        for number in 0..3 * half {
            recall.keep(recall.epoch(), question(number), &answer(30_000));
            assert!(recall.find(&question(0)).is_some(), "{number}");
        }
        assert_eq!(recall.find(&question(1)), None);
        let halves = recall.halves();
        assert!(halves.young.len() + halves.old.len() <= 2 * half + 2);
    }

    #[test]
    fn what_was_done_is_not_remembered() {
        let recall = Recall::default();
        let question = Question::Record(Key::raw(Table::Audit, "a"));
        recall.keep(recall.epoch(), question.clone(), &answer(1));
        assert_eq!(recall.find(&question), None);
    }
}
