//! Backups: a sealed copy of everything that lasts, made by itself each night, because a store in a directory is the
//! only copy of every credential in it.
//!
//! A backup is an export for the master identity, so that it opens where the identity is, and nowhere else. It counts
//! only after it was read back whole; the oldest ones go when there are enough newer ones.

use std::{
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use jiff::civil::Date;

use super::{
    super::{Result, Vault},
    Exported, Lock, Opener, read, unfit,
};

/// What the name of a backup ends with; before it stands the day.
const ENDING: &str = ".age";

/// One backup that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The day on which it was made.
    pub day: Date,
    /// Where it is.
    pub file: PathBuf,
}

/// The backups in `dir`, the oldest first; none where there is no such directory. Other files do not count.
///
/// # Errors
/// The directory cannot be read.
pub fn backups(dir: &Path) -> Result<Vec<Backup>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unfit(dir, error)),
    };
    let mut found: Vec<Backup> = entries.filter_map(|entry| backup_at(entry.ok()?.path())).collect();
    found.sort_by_key(|backup| backup.day);
    Ok(found)
}

fn backup_at(file: PathBuf) -> Option<Backup> {
    let day = file.file_name()?.to_str()?.strip_suffix(ENDING)?.parse().ok()?;
    Some(Backup { day, file })
}

impl Vault {
    /// Makes the backup of `day` in `dir`, unless it is there, and leaves the newest `keep` of them. Returns what it
    /// holds.
    ///
    /// # Errors
    /// The directory cannot be written, or what was written does not read back whole. An older backup never goes
    /// before the new one has been read back.
    pub async fn back_up(&self, dir: &Path, day: Date, keep: NonZeroU32) -> Result<Option<Exported>> {
        let file = dir.join(format!("{day}{ENDING}"));
        if file.try_exists().map_err(|error| unfit(&file, error))? {
            return Ok(None);
        }
        make_private(dir)?;
        let own = Lock::Recipient(self.keys().newest().recipient().to_string());
        let made = self.export(&file, own).await?;
        if let Err(error) = self.read_back(&made).await {
            // It would be taken for a good one.
            let _ = fs::remove_file(&file);
            return Err(error);
        }
        remove_oldest(dir, keep)?;
        Ok(Some(made))
    }

    /// Opens an export with the identities that are at home here, and counts what is in it.
    async fn read_back(&self, made: &Exported) -> Result<()> {
        let opener = Opener::Identities(self.keys().text());
        let found = read::count(&made.file, opener).await?;
        let written: u64 = made.records.iter().map(|(_, count)| count).sum();
        if found == written {
            return Ok(());
        }
        Err(unfit(&made.file, format!("{written} records were written and {found} can be read back")))
    }
}

fn remove_oldest(dir: &Path, keep: NonZeroU32) -> Result<()> {
    let all = backups(dir)?;
    let most = usize::try_from(keep.get()).unwrap_or(usize::MAX);
    for old in &all[..all.len().saturating_sub(most)] {
        fs::remove_file(&old.file).map_err(|error| unfit(&old.file, error))?;
    }
    Ok(())
}

/// The files are sealed; who may list them learns when they were made.
fn make_private(dir: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| unfit(dir, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock,
        secret::Secret,
        store::{Expect, Key, MemoryStore, Table},
        vault::{Clash, KeyRing},
    };

    const THREE: NonZeroU32 = NonZeroU32::new(3).unwrap();

    async fn filled(keys: KeyRing) -> Vault {
        let vault = Vault::open(MemoryStore::new(), keys, clock::system()).await.unwrap();
        vault.put(Key::raw(Table::Connections, "ann|gmail"), &"hush", Expect::Absent).await.unwrap();
        vault
    }

    fn day(number: i8) -> Date {
        jiff::civil::date(2026, 12, number)
    }

    fn days(dir: &Path) -> Vec<Date> {
        backups(dir).unwrap().into_iter().map(|backup| backup.day).collect()
    }

    #[tokio::test]
    async fn there_is_one_a_day_and_the_oldest_go() {
        let (dir, vault) = (tempfile::tempdir().unwrap(), filled(KeyRing::generate()).await);
        let dir = dir.path().join("backups");
        assert!(days(&dir).is_empty());
        for number in [9, 10, 11, 12] {
            let made = vault.back_up(&dir, day(number), THREE).await.unwrap().unwrap();
            assert_eq!(made.records.iter().map(|(_, count)| count).sum::<u64>(), 1);
            assert!(vault.back_up(&dir, day(number), THREE).await.unwrap().is_none(), "once a day");
        }
        fs::write(dir.join("notes.txt"), "not a backup").unwrap();
        assert_eq!(days(&dir), [10, 11, 12].map(day));
    }

    #[tokio::test]
    async fn what_is_lost_comes_back_with_the_identity_alone() {
        let (dir, keys) = (tempfile::tempdir().unwrap(), KeyRing::generate());
        let vault = filled(keys.clone()).await;
        vault.back_up(dir.path(), day(1), THREE).await.unwrap();
        let backup = backups(dir.path()).unwrap().remove(0).file;

        let empty = Vault::open(MemoryStore::new(), keys.clone(), clock::system()).await.unwrap();
        let opener = Opener::Identities(Secret::new(keys.text().expose()));
        assert_eq!(empty.import(&backup, opener, Clash::Refuse).await.unwrap().0.added, 1);
        let back = empty.get::<String>(&Key::raw(Table::Connections, "ann|gmail")).await.unwrap().unwrap();
        assert_eq!(back.value, "hush");

        let stranger = Opener::Identities(KeyRing::generate().text());
        assert!(empty.import(&backup, stranger, Clash::Refuse).await.is_err(), "nobody else opens it");
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_written_costs_no_older_backup() {
        let (dir, vault) = (tempfile::tempdir().unwrap(), filled(KeyRing::generate()).await);
        vault.back_up(dir.path(), day(1), NonZeroU32::MIN).await.unwrap();
        // What is being written cannot be made where a directory stands in its place.
        fs::create_dir_all(dir.path().join("2026-12-02.age.part/in the way")).unwrap();
        vault.back_up(dir.path(), day(2), NonZeroU32::MIN).await.unwrap_err();
        assert_eq!(days(dir.path()), [day(1)]);
    }
}
