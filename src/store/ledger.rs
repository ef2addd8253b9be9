//! The ledger: how many records each table has and a sum over all of them, kept in the same transaction.
//!
//! The embedded engine drops what it cannot read of a damaged log without a word. Whoever opens the store adds up
//! what is there and compares it with the ledger, so that a lost or rolled back record is noticed. The sum is the
//! exclusive or of one hash per record: it does not depend on the order and is brought up to date by one record's
//! hash at a time. It guards against accidents; against people there is the vault's seal.

use sha2::{Digest, Sha256};

use super::{Change, Key, Result, Table, record};

/// The sum over a table.
type Sum = [u8; 16];

/// Layout of the stored ledger; the first byte.
const FORMAT: u8 = 1;

/// Bytes for one table: its place, the count, the sum.
const ENTRY: usize = 1 + 8 + 16;

/// Counts and sums of all tables after the write `sequence`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    /// The number of the last write.
    pub(super) sequence: u64,
    tables: [Entry; Table::ALL.len()],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    records: u64,
    sum: Sum,
}

impl Ledger {
    /// Takes a record in; `stored` is what the engine holds, version included.
    pub(super) fn add(&mut self, table: Table, id: &[u8], stored: &[u8]) {
        let entry = &mut self.tables[table.index()];
        entry.records = entry.records.wrapping_add(1);
        entry.mix(table, id, stored);
    }

    /// Takes a record out.
    pub(super) fn remove(&mut self, table: Table, id: &[u8], stored: &[u8]) {
        let entry = &mut self.tables[table.index()];
        entry.records = entry.records.wrapping_sub(1);
        entry.mix(table, id, stored);
    }

    /// How many records `table` has.
    pub(super) fn records(&self, table: Table) -> u64 {
        self.tables[table.index()].records
    }

    /// The tables whose records are not those that the ledger tells of, as a text for people.
    pub(super) fn differences(&self, found: &Ledger) -> Option<String> {
        let differing: Vec<String> = Table::ALL
            .into_iter()
            .filter(|table| self.tables[table.index()] != found.tables[table.index()])
            .map(|table| {
                format!("`{table}` should have {} records and has {}", self.records(table), found.records(table))
            })
            .collect();
        (!differing.is_empty()).then(|| differing.join(", "))
    }

    /// The bytes to store.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.sequence.to_be_bytes());
        for (place, entry) in (0u8..).zip(&self.tables) {
            bytes.push(place);
            bytes.extend(entry.records.to_be_bytes());
            bytes.extend(entry.sum);
        }
        bytes
    }

    /// The ledger in `bytes`; `None` when it is none that this program knows.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&format, rest) = bytes.split_first()?;
        let (sequence, mut rest) = rest.split_first_chunk()?;
        let mut ledger = Ledger { sequence: u64::from_be_bytes(*sequence), ..Ledger::default() };
        while let Some((entry, behind)) = rest.split_first_chunk::<ENTRY>() {
            let (place, entry) = entry.split_first()?;
            let (records, sum) = entry.split_first_chunk()?;
            *ledger.tables.get_mut(usize::from(*place))? =
                Entry { records: u64::from_be_bytes(*records), sum: sum.try_into().ok()? };
            rest = behind;
        }
        (format == FORMAT && rest.is_empty()).then_some(ledger)
    }

    /// Checks `change` against the stored record, if any, and keeps the books: the bytes to store instead, or
    /// `None` for a deletion.
    pub(super) fn enter(&mut self, change: &Change, before: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        let Key { table, id } = change.key();
        change.check(before.and_then(record::version_of))?;
        if let Some(before) = before {
            self.remove(*table, id, before);
        }
        let Change::Put { value, .. } = change else {
            return Ok(None);
        };
        let stored = record::encode(self.sequence, value);
        self.add(*table, id, &stored);
        Ok(Some(stored))
    }
}

impl Entry {
    fn mix(&mut self, table: Table, id: &[u8], stored: &[u8]) {
        let mut hash = Sha256::new();
        hash.update(table.name());
        hash.update((id.len() as u64).to_be_bytes());
        hash.update(id);
        hash.update(stored);
        for (byte, mixed) in self.sum.iter_mut().zip(hash.finalize()) {
            *byte ^= mixed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_comes_back_from_its_bytes() {
        let mut ledger = Ledger { sequence: 7, ..Ledger::default() };
        ledger.add(Table::Users, b"a", b"one");
        assert_eq!(Ledger::decode(&ledger.encode()), Some(ledger.clone()));
        let mut bytes = ledger.encode();
        bytes.pop();
        assert_eq!(Ledger::decode(&bytes), None);
        assert_eq!(Ledger::decode(&[]), None);
    }

    #[test]
    fn the_order_of_writes_does_not_matter_and_their_content_does() {
        let sum = |writes: &[(&[u8], &[u8])]| {
            let mut ledger = Ledger::default();
            for (id, stored) in writes {
                ledger.add(Table::Users, id, stored);
            }
            ledger
        };
        let wanted = sum(&[(b"a", b"1"), (b"b", b"2")]);
        assert_eq!(wanted.differences(&sum(&[(b"b", b"2"), (b"a", b"1")])), None);
        let changed = wanted.differences(&sum(&[(b"b", b"2"), (b"a", b"x")])).unwrap();
        assert_eq!(changed, "`users` should have 2 records and has 2");
        assert!(wanted.differences(&sum(&[(b"a", b"1")])).is_some());
    }

    #[test]
    fn what_is_taken_out_leaves_no_trace() {
        let mut ledger = Ledger::default();
        ledger.add(Table::Audit, b"a", b"one");
        ledger.remove(Table::Audit, b"a", b"one");
        assert_eq!(ledger, Ledger::default());
    }
}
