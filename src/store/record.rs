//! Keys, records and changes: the store's vocabulary.

use std::fmt;

use super::{Error, Result};

/// The most bytes that a record may hold, 32 KiB: larger ones leave the log of the embedded engine for files of
/// their own, which were not part of the durability tests.
pub const MAX_VALUE: usize = 32 * 1024 - 1;

/// Separates the parts of a key.
const SEPARATOR: u8 = 0;

/// A record as a scan returns it: its id within the table, and what is there.
pub type Record = (Vec<u8>, Versioned);

/// The kinds of records. New ones go to the end: the ledger knows them by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Facts about the store itself.
    Meta,
    /// People.
    Users,
    /// Accounts at vendors, with their credentials. Sealed.
    Connections,
    /// Named sets of tools.
    Agents,
    /// Single tools switched on or off for an agent.
    AgentTools,
    /// Bearer tokens, under the hash of the token.
    Tokens,
    /// Consents under way. Sealed.
    OAuthStates,
    /// Our own registrations at vendors. Sealed.
    OAuthApps,
    /// Questions that wait for a person.
    Approvals,
    /// Who did what.
    Audit,
    /// Sessions of clients and of the console.
    Sessions,
}

impl Table {
    /// All of them.
    pub const ALL: [Table; 11] = [
        Table::Meta,
        Table::Users,
        Table::Connections,
        Table::Agents,
        Table::AgentTools,
        Table::Tokens,
        Table::OAuthStates,
        Table::OAuthApps,
        Table::Approvals,
        Table::Audit,
        Table::Sessions,
    ];

    /// Its name on disk, which never changes.
    pub fn name(self) -> &'static str {
        match self {
            Table::Meta => "meta",
            Table::Users => "users",
            Table::Connections => "connections",
            Table::Agents => "agents",
            Table::AgentTools => "agent_tools",
            Table::Tokens => "tokens",
            Table::OAuthStates => "oauth_states",
            Table::OAuthApps => "oauth_apps",
            Table::Approvals => "approvals",
            Table::Audit => "audit",
            Table::Sessions => "sessions",
        }
    }

    /// Its place in [`Table::ALL`].
    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// Whether its ids are things that somebody could use.
    fn has_telling_ids(self) -> bool {
        matches!(self, Table::OAuthStates | Table::Sessions | Table::Tokens)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of a record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The kind of record.
    pub table: Table,
    /// Its id within the table.
    pub id: Vec<u8>,
}

impl Key {
    /// The key made of `parts`, such as a user, an integration and an account. A part that is empty or holds a
    /// NUL is refused, so that no two lists of parts make the same key.
    pub fn of(table: Table, parts: &[&str]) -> Result<Self> {
        let mut id = joined(table, parts)?;
        id.pop();
        Ok(Key { table, id })
    }

    /// The key with these very bytes as its id.
    pub fn raw(table: Table, id: impl Into<Vec<u8>>) -> Self {
        Key { table, id: id.into() }
    }

    /// The parts that [`Key::of`] joined; `None` when the id is not text.
    pub fn parts(&self) -> Option<Vec<&str>> {
        let text = std::str::from_utf8(&self.id).ok()?;
        Some(text.split(char::from(SEPARATOR)).collect())
    }

    /// The key as one text, such as `connections|local|gmail|default`. No two keys have the same one.
    pub fn label(&self) -> String {
        let mut label = format!("{}|", self.table);
        for &byte in &self.id {
            match byte {
                SEPARATOR => label.push('|'),
                b'|' | b'\\' => label.extend(['\\', char::from(byte)]),
                b' '..=b'~' => label.push(char::from(byte)),
                _ => label.extend(["\\x", &format!("{byte:02x}")]),
            }
        }
        label
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.table.has_telling_ids() {
            return write!(f, "a record of `{}`", self.table);
        }
        write!(f, "the record `{}`", self.label())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The start of every key of `table` whose first parts are `parts`: what a scan wants.
pub fn prefix(table: Table, parts: &[&str]) -> Result<Vec<u8>> {
    joined(table, parts)
}

/// Layout of a stored record; the first byte.
const FORMAT: u8 = 1;

/// The bytes that an engine keeps for a record: the layout, the version, the value.
pub(super) fn encode(version: u64, value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(9 + value.len());
    stored.push(FORMAT);
    stored.extend(version.to_be_bytes());
    stored.extend_from_slice(value);
    stored
}

/// The record in an engine's bytes; `None` when they are none.
pub(super) fn decode(stored: &[u8]) -> Option<Versioned> {
    let (version, value) = stored.strip_prefix(&[FORMAT])?.split_first_chunk()?;
    Some(Versioned { value: value.to_vec(), version: u64::from_be_bytes(*version) })
}

/// Only the version of [`decode`].
pub(super) fn version_of(stored: &[u8]) -> Option<u64> {
    let (version, _) = stored.strip_prefix(&[FORMAT])?.split_first_chunk()?;
    Some(u64::from_be_bytes(*version))
}

/// Each part, followed by the separator.
fn joined(table: Table, parts: &[&str]) -> Result<Vec<u8>> {
    let mut id = Vec::new();
    for part in parts {
        if part.is_empty() || part.as_bytes().contains(&SEPARATOR) {
            return Err(Error::BadKey(table));
        }
        id.extend_from_slice(part.as_bytes());
        id.push(SEPARATOR);
    }
    Ok(id)
}

/// What is stored under a key, and since which write.
#[derive(Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The bytes.
    pub value: Vec<u8>,
    /// The write that put them there. It grows with every write to the store, so that a record which was
    /// deleted and made again never has an old version.
    pub version: u64,
}

impl fmt::Debug for Versioned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {}, {} bytes", self.version, self.value.len())
    }
}

/// One step of a commit.
#[derive(Clone)]
pub enum Change {
    /// Writes a record.
    Put {
        /// Where.
        key: Key,
        /// What.
        value: Vec<u8>,
        /// What must be there before.
        expect: Expect,
    },
    /// Takes a record away; one that is not there already is fine, unless `expect` says otherwise.
    Delete {
        /// Which.
        key: Key,
        /// What must be there before.
        expect: Expect,
    },
}

impl Change {
    /// The record that changes.
    pub fn key(&self) -> &Key {
        match self {
            Change::Put { key, .. } | Change::Delete { key, .. } => key,
        }
    }

    /// Whether the record as it is now may be changed so, and whether the new value fits.
    pub(super) fn check(&self, version: Option<u64>) -> Result<()> {
        let (Change::Put { key, expect, .. } | Change::Delete { key, expect }) = self;
        if !expect.holds(version) {
            return Err(Error::Conflict(key.clone()));
        }
        self.check_size()
    }

    /// Whether the new value fits.
    pub(super) fn check_size(&self) -> Result<()> {
        match self {
            Change::Put { key, value, .. } if value.len() > MAX_VALUE => {
                Err(Error::TooLarge { key: key.clone(), bytes: value.len(), limit: MAX_VALUE })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Put { key, value, expect } => write!(f, "put {key}, {} bytes, {expect:?}", value.len()),
            Change::Delete { key, expect } => write!(f, "delete {key}, {expect:?}"),
        }
    }
}

/// What a change wants to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Whatever is there.
    Anything,
    /// Nothing.
    Absent,
    /// The record as this write left it.
    Version(u64),
}

impl Expect {
    fn holds(self, version: Option<u64>) -> bool {
        match self {
            Expect::Anything => true,
            Expect::Absent => version.is_none(),
            Expect::Version(wanted) => version == Some(wanted),
        }
    }
}

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// The end of the process at any moment.
    SurvivesCrash,
    /// A power cut too: for what no one can type again, such as a rotated refresh token. Costs a few milliseconds.
    MustSurvivePowerLoss,
}

/// What a store says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The engine's name, such as `sled`.
    pub engine: &'static str,
    /// Bytes on disk, where that can be told.
    pub size_on_disk: Option<u64>,
    /// How many records each table has.
    pub records: Vec<(Table, u64)>,
}

/// `sled, 312 records, 0.5 MiB on disk`
impl fmt::Display for Report {
    #[expect(clippy::cast_precision_loss, reason = "a size for people, to one decimal")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records: u64 = self.records.iter().map(|(_, count)| count).sum();
        write!(f, "{}, {records} records", self.engine)?;
        match self.size_on_disk {
            Some(bytes) => write!(f, ", {:.1} MiB on disk", bytes as f64 / (1024.0 * 1024.0)),
            None => Ok(()),
        }
    }
}

impl Report {
    /// How many records `table` has.
    pub fn records_of(&self, table: Table) -> u64 {
        self.records.iter().find(|(of, _)| *of == table).map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_at_their_index() {
        for (index, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table.index(), index, "{table}");
        }
    }

    #[test]
    fn tables_keep_their_place() {
        let names = Table::ALL.map(Table::name).join(" ");
        let known = "meta users connections agents agent_tools tokens oauth_states oauth_apps approvals audit sessions";
        assert!(names.starts_with(known), "stores on disk know these tables by their place: {names}");
    }

    #[test]
    fn a_key_is_its_parts() {
        let key = Key::of(Table::Connections, &["local", "gmail", "default"]).unwrap();
        assert_eq!(key.id, b"local\0gmail\0default");
        assert_eq!(key.parts().unwrap(), ["local", "gmail", "default"]);
        assert!(key.id.starts_with(&prefix(Table::Connections, &["local"]).unwrap()));
    }

    #[test]
    fn parts_that_could_be_mixed_up_are_refused() {
        for part in ["", "a\0b"] {
            let key = Key::of(Table::Users, &["local", part]);
            assert!(matches!(key, Err(Error::BadKey(Table::Users))), "{part:?}");
        }
    }

    #[test]
    fn labels_are_never_the_same() {
        let label = |parts: &[&str]| Key::of(Table::Users, parts).unwrap().label();
        assert_eq!(label(&["a", "b"]), "users|a|b");
        assert_eq!(label(&["a|b"]), "users|a\\|b");
        assert_ne!(label(&["a\\", "b"]), label(&["a|b"]));
        assert_eq!(label(&["ü"]), "users|\\xc3\\xbc");
    }

    #[test]
    fn ids_that_open_doors_are_not_shown() {
        let key = Key::raw(Table::OAuthStates, "state-of-a-consent");
        assert_eq!(Error::Conflict(key).to_string().find("state-of"), None);
    }

    #[test]
    fn debug_shows_sizes_and_no_values() {
        let key = Key::raw(Table::Users, "a");
        let change = Change::Put { key, value: b"hush".to_vec(), expect: Expect::Absent };
        let stored = Versioned { value: b"hush".to_vec(), version: 3 };
        assert_eq!(format!("{change:?}; {stored:?}"), "put the record `users|a`, 4 bytes, Absent; version 3, 4 bytes");
    }
}
