//! Carrying a store elsewhere: everything that lasts, sealed into one file, and back.
//!
//! The file is an age file for a passphrase or a recipient; inside are lines of JSON, a header first and the count
//! last. Credentials are opened for the way and sealed again on arrival, with the identity that is at home there; in
//! the clear they are in memory only.

mod backup;
mod file;
mod read;
mod write;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(super) use self::write::{Uncoded, export};
pub use self::{
    backup::{Backup, backups},
    file::{Lock, Opener},
};
use super::{Error, Result, Vault};
use crate::store::{Key, Table};

/// What an export holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// Where it is.
    pub file: PathBuf,
    /// How many records are in it, by table.
    pub records: Vec<(String, u64)>,
    /// Records that could not be opened and are not in it: which, and why. One a sentence.
    #[serde(default)]
    pub left_out: Vec<String>,
}

/// What to do with a record that is here already and says something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clash {
    /// Nothing at all is imported, and the records are named.
    #[default]
    Refuse,
    /// Ours stays.
    Keep,
    /// That of the file takes its place.
    Replace,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Records that were not here.
    pub added: u64,
    /// Records that were here just so.
    pub same: u64,
    /// Records of ours that gave way.
    pub replaced: u64,
    /// Records of ours that stayed, and those of the file were left out.
    pub kept: u64,
    /// Lines of the audit.
    pub audit: u64,
}

impl Vault {
    /// Writes everything that lasts into `file`, sealed for `lock`. The file must not be there yet. A record that cannot
    /// be opened is left out, and told.
    ///
    /// Each record is as it was at one moment, and not all at the same one.
    pub async fn export(&self, file: &Path, lock: Lock) -> Result<Exported> {
        write::export(self, file, lock, Uncoded::LeaveOut).await
    }

    /// Takes over everything from a file that [`Vault::export`] made, in one commit. What was imported before does no
    /// harm. Lines of the audit are handed out: they get a new place in the chain of the audit here.
    pub async fn import(&self, file: &Path, opener: Opener, clash: Clash) -> Result<(Imported, AuditLines)> {
        read::import(self, file, opener, clash).await
    }
}

/// Lines of the audit out of a file, each with its id.
pub type AuditLines = Vec<(Vec<u8>, Vec<u8>)>;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    switchboard_export: u32,
    layout: u32,
}

/// The layout of the lines.
const VERSION: u32 = 1;

/// The lines between.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    table: &'a str,
    /// In hex.
    id: String,
    /// The content, which was sealed.
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    sealed: Option<&'a serde_json::value::RawValue>,
    /// The bytes of a record that was not, in base64.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    plain: Option<String>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct Footer {
    end: u64,
}

/// Whether a record is worth carrying. Sign-ins, questions and sessions are over before they arrive; what the store
/// notes about itself belongs to it.
fn lasts(key: &Key) -> bool {
    match key.table {
        Table::OAuthStates | Table::Approvals | Table::Sessions => false,
        Table::Meta => {
            let first = key.id.split(|byte| *byte == 0).next().unwrap_or_default();
            !matches!(first, b"schema" | b"vault_keys" | b"sandbox" | b"agent-name" | b"audit-seal")
        }
        _ => true,
    }
}

/// A file that is not fit to be exported to or imported from.
fn unfit(file: &Path, why: impl std::fmt::Display) -> Error {
    Error::Export { path: file.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests;
