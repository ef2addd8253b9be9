//! How far the store has come, in a small file beside sled's own.
//!
//! When the end of sled's log is damaged, sled falls back to an earlier state, which is whole in itself. Only
//! somebody who remembers the number of the last acknowledged write can tell; this file does. A power cut may take
//! writes that were not synced, and that is no damage: so there are two numbers, one for what was synced and one
//! for what was flushed, and the second counts only until the machine starts anew.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

/// The file. Its being there says that the directory holds a store.
const FILE: &str = "switchboard-store";

/// What people read who look into it.
const NOTE: &str = "This directory is switchboard's store. Copy or move it only as a whole.";

/// Where the system says which start of the machine this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// How far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// The last write that was flushed, and during which start of the machine.
    flushed: u64,
    boot: String,
    /// The last write that was synced.
    synced: u64,
}

impl Reached {
    /// The write that the store must have come to at least.
    pub(super) fn least(&self, boot: &str) -> u64 {
        let is_same_boot = !boot.is_empty() && self.boot == boot;
        if is_same_boot { self.flushed.max(self.synced) } else { self.synced }
    }

    fn line(&self) -> String {
        let Reached { flushed, boot, synced } = self;
        let line = format!("flushed {flushed:020} synced {synced:020} boot {boot:-<36}");
        format!("{line} check {}\n{NOTE}\n", check(&line))
    }

    /// What [`Reached::line`] wrote; `None` when the file is damaged.
    fn parse(text: &str) -> Option<Self> {
        let (line, check_and_note) = text.split_once(" check ")?;
        let (found, _) = check_and_note.split_once('\n')?;
        let words: Vec<&str> = line.split(' ').collect();
        let ["flushed", flushed, "synced", synced, "boot", boot] = words.as_slice() else { return None };
        let reached = Reached {
            flushed: flushed.parse().ok()?,
            boot: boot.trim_end_matches('-').to_owned(),
            synced: synced.parse().ok()?,
        };
        (check(line) == found).then_some(reached)
    }
}

fn check(line: &str) -> String {
    let mut digits = format!("{:x}", Sha256::digest(line));
    digits.truncate(16);
    digits
}

/// Writes down how far the store has come.
#[derive(Debug)]
pub(super) struct Progress(Mutex<(File, Reached)>);

impl Progress {
    /// The file for the store in `path`.
    pub(super) fn file(path: &Path) -> PathBuf {
        path.join(FILE)
    }

    /// Whether there is or was a store in the directory `path`.
    pub(super) fn exists(path: &Path) -> bool {
        Progress::file(path).exists()
    }

    /// What was last written down in `path`; nothing when the file is not there or damaged, for then it only cannot
    /// be used to check.
    pub(super) fn read(path: &Path) -> io::Result<Option<Reached>> {
        match fs::read(Progress::file(path)) {
            Ok(bytes) => Ok(std::str::from_utf8(&bytes).ok().and_then(Reached::parse)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Goes on from the write `sequence`, of which `synced` at least is synced. Makes the file when it is not there.
    pub(super) fn go_on(path: &Path, sequence: u64, synced: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(Progress::file(path))?;
        let progress = Progress(Mutex::new((file, Reached { flushed: 0, boot: boot(), synced })));
        progress.note(sequence, false)?;
        Ok(progress)
    }

    /// Notes the acknowledged write `sequence`. Overwrites in place, which needs no room on a full disk.
    pub(super) fn note(&self, sequence: u64, is_synced: bool) -> io::Result<()> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, reached) = &mut *guard;
        reached.flushed = reached.flushed.max(sequence);
        if is_synced {
            reached.synced = reached.synced.max(sequence);
        }
        file.seek(SeekFrom::Start(0))?;
        file.write_all(reached.line().as_bytes())
    }

    /// Has the disk write the file, and its name, down.
    pub(super) fn sync(&self, path: &Path) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.sync_all()?;
        #[cfg(unix)]
        File::open(path)?.sync_all()?;
        Ok(())
    }
}

/// Names the present start of the machine; empty where the system does not tell.
pub(super) fn boot() -> String {
    fs::read_to_string(BOOT_ID).map(|text| text.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached() -> Reached {
        Reached { flushed: 12, boot: "b-1".into(), synced: 7 }
    }

    #[test]
    fn the_line_comes_back_and_is_always_as_long() {
        assert_eq!(Reached::parse(&reached().line()), Some(reached()));
        let other = Reached { flushed: u64::MAX, boot: "x".repeat(36), synced: u64::MAX };
        assert_eq!(Reached::parse(&other.line()), Some(other.clone()));
        assert_eq!(other.line().len(), Reached::default().line().len());
    }

    #[test]
    fn a_damaged_line_says_nothing() {
        let line = reached().line();
        for at in 0..line.len() - NOTE.len() - 2 {
            let mut bytes = line.clone().into_bytes();
            bytes[at] ^= 1;
            let damaged = String::from_utf8(bytes).unwrap();
            assert_eq!(Reached::parse(&damaged), None, "{damaged}");
        }
        assert_eq!(Reached::parse(""), None);
    }

    #[test]
    fn what_was_only_flushed_counts_until_the_machine_starts_anew() {
        assert_eq!(reached().least("b-1"), 12);
        assert_eq!(reached().least("b-2"), 7);
        assert_eq!(Reached { boot: String::new(), ..reached() }.least(""), 7);
    }

    #[test]
    fn numbers_only_grow() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Progress::exists(dir.path()));
        assert_eq!(Progress::read(dir.path()).unwrap(), None);
        let progress = Progress::go_on(dir.path(), 3, 2).unwrap();
        progress.note(9, true).unwrap();
        progress.note(8, false).unwrap();
        let expected = Reached { flushed: 9, boot: boot(), synced: 9 };
        assert_eq!(Progress::read(dir.path()).unwrap(), Some(expected));
        assert!(Progress::exists(dir.path()));
    }
}
