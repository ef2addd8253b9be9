//! In: everything from a file, compared with what is here.

use std::{io::BufRead, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{
    super::{Error, Result, Vault, rows, seal},
    AuditLines, Clash, Footer, Header, Imported, Line, VERSION,
    file::{self, Opener},
    lasts, unfit,
};
use crate::store::{Change, Expect, Key, SCHEMA_VERSION, Table};

/// How many clashes are named.
const NAMED: usize = 5;

/// One record of a file.
struct Entry {
    key: Key,
    content: Content,
}

/// What stands in a record.
enum Content {
    /// To be sealed.
    Sealed(Zeroizing<String>),
    Plain(Vec<u8>),
}

pub(super) async fn import(vault: &Vault, file: &Path, opener: Opener, clash: Clash) -> Result<(Imported, AuditLines)> {
    let path = file.to_owned();
    let reading = tokio::task::spawn_blocking(move || entries(&path, &opener));
    let entries = reading.await.unwrap_or_else(|error| Err(unfit(file, error)))?;
    let (audit, rest): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|entry| entry.key.table == Table::Audit);
    let mut done = Imported::default();
    let changes = compare(vault, file, rest, clash, &mut done).await?;
    if !changes.is_empty() {
        vault.commit(changes).await?;
    }
    let lines: AuditLines = audit
        .into_iter()
        .filter_map(|entry| match entry.content {
            Content::Plain(value) => Some((entry.key.id, value)),
            Content::Sealed(_) => None,
        })
        .collect();
    done.audit = lines.len() as u64;
    Ok((done, lines))
}

/// What has to change here so that everything from the file is here, too.
async fn compare(
    vault: &Vault,
    file: &Path,
    entries: Vec<Entry>,
    clash: Clash,
    done: &mut Imported,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let mut clashes = Vec::new();
    for entry in entries {
        let Some(stored) = vault.raw().get(&entry.key).await? else {
            done.added += 1;
            changes.push(entry.put(vault, Expect::Absent)?);
            continue;
        };
        match clash {
            _ if entry.is_in(vault, &stored.value) => done.same += 1,
            // What a store knows of itself is no matter of opinion.
            _ if entry.key.table == Table::Meta => done.kept += 1,
            Clash::Keep => done.kept += 1,
            Clash::Replace => {
                done.replaced += 1;
                changes.push(entry.put(vault, Expect::Version(stored.version))?);
            }
            Clash::Refuse => clashes.push(entry.key.to_string()),
        }
    }
    if clashes.is_empty() {
        return Ok(changes);
    }
    let more = clashes.len().saturating_sub(NAMED);
    clashes.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(unfit(
        file,
        format!("{}{more} are here already and say something else; nothing was imported", clashes.join(", ")),
    ))
}

impl Entry {
    fn put(&self, vault: &Vault, expect: Expect) -> Result<Change> {
        match &self.content {
            Content::Plain(value) => Ok(Change::Put { key: self.key.clone(), value: value.clone(), expect }),
            Content::Sealed(text) => {
                let value: &RawValue = serde_json::from_str(text).map_err(|_| Error::Unfitting(self.key.clone()))?;
                vault.seal_put(self.key.clone(), value, expect)
            }
        }
    }

    /// Whether this is what stands in a stored record. One that is damaged, or that somebody else put there, is not.
    fn is_in(&self, vault: &Vault, stored: &[u8]) -> bool {
        match &self.content {
            Content::Plain(value) => rows::row(&vault.keys(), &self.key, stored).is_ok_and(|row| row == *value),
            Content::Sealed(text) => {
                seal::open(&vault.keys(), &self.key, stored).is_ok_and(|stored| **stored == **text)
            }
        }
    }
}

/// How many records can be read from a file, each of them whole.
pub(super) async fn count(file: &Path, opener: Opener) -> Result<u64> {
    let path = file.to_owned();
    let reading = tokio::task::spawn_blocking(move || for_each(&path, &opener, drop));
    reading.await.unwrap_or_else(|error| Err(unfit(file, error)))
}

fn entries(file: &Path, opener: &Opener) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for_each(file, opener, |entry| entries.push(entry))?;
    Ok(entries)
}

/// Takes all records of a file, and says how many. A file that was cut off is refused: age notices, and so does the
/// count at its end.
fn for_each(file: &Path, opener: &Opener, mut take: impl FnMut(Entry)) -> Result<u64> {
    let damaged = || unfit(file, "it is damaged or cut off");
    let mut input = file::open(file, opener)?;
    let mut line = Zeroizing::new(String::new());
    let mut next = |line: &mut Zeroizing<String>| {
        line.clear();
        input.read_line(line).map_err(|_| damaged())
    };
    next(&mut line)?;
    let header: Header = serde_json::from_str(&line).map_err(|_| unfit(file, "it is no export of switchboard"))?;
    if header.switchboard_export > VERSION || header.layout > SCHEMA_VERSION {
        return Err(unfit(file, "a newer switchboard wrote it; install that one"));
    }
    let mut count = 0;
    while next(&mut line)? > 0 {
        if let Ok(Footer { end }) = serde_json::from_str(&line) {
            return if end == count { Ok(count) } else { Err(damaged()) };
        }
        take(entry(&line).ok_or_else(damaged)?);
        count += 1;
    }
    Err(damaged())
}

fn entry(line: &str) -> Option<Entry> {
    let line: Line<'_> = serde_json::from_str(line).ok()?;
    let table = Table::ALL.into_iter().find(|table| table.name() == line.table)?;
    let pairs = line.id.as_bytes().chunks(2);
    let id: Option<Vec<u8>> = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    let key = Key::raw(table, id?);
    let content = match (line.sealed, line.plain) {
        (Some(value), None) => Content::Sealed(Zeroizing::new(value.get().to_owned())),
        (None, Some(plain)) => Content::Plain(STANDARD.decode(plain).ok()?),
        _ => return None,
    };
    lasts(&key).then_some(Entry { key, content })
}
