//! Opening a directory: the first start, the check against the ledger, and mending.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use ::sled::{Config, Db};

use super::{
    super::{Change, Durability, Expect, SCHEMA_VERSION},
    Engine, Error, Key, LEDGER, Ledger, Result, Table, caught, corrupt, is_lock,
    progress::{Progress, Reached, boot},
    reserve, translated,
};

/// How much of the store sled keeps in memory, bytes; the figure that was tested.
const CACHE: u64 = 64 * 1024 * 1024;

/// How often, and with what pause between, the lock is tried before the store counts as in use.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// How many copies of damaged stores are kept; a start that fails again and again must not fill the disk.
const COPIES: u32 = 3;

/// Opens the store, after mending when that helps.
pub(super) fn open(path: &Path) -> Result<Engine> {
    make_private(path).map_err(|error| Error::io(format!("make its directory {}", path.display()), error))?;
    let first = match checked(path) {
        Err(error @ Error::Corrupt { .. }) => error,
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::StorageFull => {
            reserve::give_up(path).map_err(|error| Error::io("give up its reserve", error))?;
            return checked(path);
        }
        other => return other,
    };
    let Ok(Some(copy)) = set_aside(path) else {
        return Err(first);
    };
    tracing::warn!(store = %path.display(), copy = %copy.display(), "{first}; trying to mend it");
    drop_snapshots(path).map_err(|error| Error::io("remove its damaged snapshots", error))?;
    let mended = checked(path).map_err(|_| first)?;
    tracing::warn!(store = %path.display(), "the store is mended: every record is there");
    Ok(mended)
}

/// Opens the store as it is and makes sure that all of it is there.
pub(super) fn checked(path: &Path) -> Result<Engine> {
    let reached = Progress::read(path).map_err(|error| Error::io("read how far it has come", error))?;
    let mut engine = caught(|| opened(path)).unwrap_or_else(|| Err(corrupt(path, "its files cannot be read")))?;
    tracing::debug!(store = %path.display(), "the log is read");
    let reached = reached.unwrap_or_default();
    match engine.ledger()? {
        Some(ledger) => engine.compare(&ledger, &reached)?,
        None if Progress::exists(path) => return Err(corrupt(path, "its records are gone")),
        None => engine.begin()?,
    }
    tracing::debug!(store = %path.display(), "every record is accounted for");
    engine.check_schema()?;
    engine.track(&reached)?;
    Ok(engine)
}

fn opened(path: &Path) -> Result<Engine> {
    let ours = |error| translated(path, error);
    let db = locked(path).map_err(ours)?;
    let names = Table::ALL.iter().map(|table| table.name().as_bytes()).chain([LEDGER]);
    let trees = names.map(|name| db.open_tree(name)).collect::<::sled::Result<_>>().map_err(ours)?;
    Ok(Engine { path: path.to_owned(), db, trees, progress: None })
}

/// Opens the files, and waits a little for the lock: sled's own threads give it back a moment after the last
/// user in this process is gone.
fn locked(path: &Path) -> ::sled::Result<Db> {
    let config = Config::new().path(path).cache_capacity(CACHE);
    for _ in 0..LOCK_TRIES {
        match config.open() {
            // This thread may block, and nobody unparks it.
            Err(::sled::Error::Io(error)) if is_lock(&error) => std::thread::park_timeout(LOCK_PAUSE),
            other => return other,
        }
    }
    config.open()
}

impl Engine {
    /// The first start: the version of the layout, and with it the ledger.
    fn begin(&self) -> Result<()> {
        self.compare(&Ledger::default(), &Reached::default())?;
        let value = SCHEMA_VERSION.to_string().into_bytes();
        let schema = Change::Put { key: schema_key(), value, expect: Expect::Absent };
        self.commit(&[schema], Durability::MustSurvivePowerLoss).map(drop)
    }

    /// From now on writes down how far the store has come. What is there now is synced first.
    fn track(&mut self, reached: &Reached) -> Result<()> {
        let sequence = self.ledger()?.unwrap_or_default().sequence;
        let failed = |error| Error::io("write down how far it has come", error);
        let progress = Progress::go_on(&self.path, sequence, reached.least("")).map_err(failed)?;
        progress.sync(&self.path).map_err(failed)?;
        self.progress = Some(progress);
        Ok(())
    }

    /// Makes sure that the newest write is there, and adds up every record that can be read.
    fn compare(&self, ledger: &Ledger, reached: &Reached) -> Result<()> {
        let least = reached.least(&boot());
        if ledger.sequence < least {
            return Err(behind(&self.path, least - ledger.sequence, least));
        }
        let found = self.guarded(|| {
            let mut found = Ledger::default();
            for table in Table::ALL {
                for record in self.tree(table) {
                    let (id, stored) = record?;
                    found.add(table, &id, &stored);
                }
            }
            Ok(found)
        })?;
        match ledger.differences(&found) {
            Some(differences) => Err(self.corrupt(format!("records are lost or changed: {differences}"))),
            None => Ok(()),
        }
    }

    fn check_schema(&self) -> Result<()> {
        let stored = self.get(&schema_key())?;
        let version = stored.and_then(|stored| String::from_utf8(stored.value).ok()?.parse::<u32>().ok());
        match version {
            // An older one is brought forward by the layer above, which can open what is sealed.
            Some(found) if found <= SCHEMA_VERSION => Ok(()),
            Some(found) => Err(Error::Newer { found, known: SCHEMA_VERSION }),
            None => Err(self.corrupt("the version of its layout is unreadable")),
        }
    }
}

/// Sled fell back to an earlier state.
fn behind(path: &Path, lost: u64, least: u64) -> Error {
    Error::Corrupt {
        path: path.to_owned(),
        why: format!("the newest {lost} of its {least} writes are lost"),
        remedy: format!(
            "Stop switchboard and put a backup of that directory back. To go on with what is left instead, remove \
             the file {} and start again: connections that were made or renewed last must then be made again",
            Progress::file(path).display()
        ),
    }
}

fn schema_key() -> Key {
    Key::raw(Table::Meta, "schema")
}

/// Copies the damaged directory to a free name beside it; `None` when there are enough copies already.
fn set_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    let free = (1..=COPIES).map(|number| beside(path, number)).find(|copy| !copy.exists());
    let Some(copy) = free else { return Ok(None) };
    if let Err(error) = copy_all(path, &copy) {
        // Half a copy helps nobody and takes room.
        fs::remove_dir_all(&copy)?;
        return Err(error);
    }
    Ok(Some(copy))
}

fn beside(path: &Path, number: u32) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".damaged-{number}"));
    path.with_file_name(name)
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    make_private(to)?;
    for entry in fs::read_dir(from)? {
        let (source, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if source.is_dir() {
            copy_all(&source, &target)?;
        } else {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

/// Removes sled's snapshots: they only shorten the next start, the log has everything. A half-written one is
/// known to keep sled from opening (spacejam/sled, issues 1527 and 1533).
fn drop_snapshots(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes a directory that only its owner can enter.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    // The name in the directory above has to outlive a power cut too.
    #[cfg(unix)]
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{SledStore, Store};

    fn put(table: Table, id: &str) -> Change {
        Change::Put { key: Key::raw(table, id), value: vec![b'x'; 100], expect: Expect::Anything }
    }

    async fn filled(path: &Path) {
        let store = SledStore::open(path).await.unwrap();
        for id in ["a", "b", "c"] {
            store.commit(vec![put(Table::Users, id)], Durability::SurvivesCrash).await.unwrap();
        }
    }

    async fn refusal(path: &Path) -> String {
        SledStore::open(path).await.expect_err("it is not fit to be opened").to_string()
    }

    #[tokio::test]
    async fn records_outlive_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/store");
        filled(&path).await;
        let store = SledStore::open(&path).await.unwrap();
        assert_eq!(store.scan(Table::Users, b"", None, 9).await.unwrap().len(), 3);
        assert!(store.report().await.unwrap().size_on_disk.unwrap() > 0);
    }

    #[tokio::test]
    async fn a_second_opener_is_told_that_it_is_busy() {
        let dir = tempfile::tempdir().unwrap();
        let _first = SledStore::open(dir.path()).await.unwrap();
        assert!(refusal(dir.path()).await.contains("in use by another switchboard process"));
        assert!(!beside(dir.path(), 1).exists(), "nothing is mended on a store that is in use");
    }

    #[tokio::test]
    async fn a_newer_layout_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open(dir.path()).await.unwrap();
        let newer = Change::Put { key: schema_key(), value: b"3".to_vec(), expect: Expect::Anything };
        store.commit(vec![newer], Durability::SurvivesCrash).await.unwrap();
        drop(store);
        assert!(refusal(dir.path()).await.contains("layout 3, and this program knows layouts up to 2"));
    }

    #[tokio::test]
    async fn a_store_without_its_data_file_is_not_an_empty_store() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path()).await;
        fs::remove_file(dir.path().join("db")).unwrap();
        let text = refusal(dir.path()).await;
        assert!(text.contains("damaged") && text.contains(&dir.path().display().to_string()), "{text}");
        assert!(text.contains("put a backup of it back"), "{text}");
    }

    #[tokio::test]
    async fn a_record_that_vanished_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path()).await;
        let db = ::sled::open(dir.path()).unwrap();
        db.open_tree("users").unwrap().remove("b").unwrap();
        drop(db);
        let text = refusal(dir.path()).await;
        assert!(text.contains("`users` should have 3 records and has 2"), "{text}");
    }

    #[tokio::test]
    async fn a_damaged_snapshot_is_mended_and_a_copy_stays() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("store");
        filled(&path).await;
        // sled writes a snapshot when it opens a log that has grown.
        drop(SledStore::open(&path).await.unwrap());
        let snapshots: Vec<PathBuf> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|file| file.file_name().unwrap().to_string_lossy().starts_with("snap."))
            .collect();
        assert!(!snapshots.is_empty());
        for snapshot in snapshots {
            let mut bytes = fs::read(&snapshot).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(snapshot, bytes).unwrap();
        }
        let store = SledStore::open(&path).await.unwrap();
        assert_eq!(store.scan(Table::Users, b"", None, 9).await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn who_accepts_the_loss_of_the_newest_writes_can_say_so() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path()).await;
        let earlier = dir.path().with_extension("earlier");
        copy_all(dir.path(), &earlier).unwrap();
        filled(dir.path()).await;
        fs::copy(Progress::file(dir.path()), Progress::file(&earlier)).unwrap();
        let text = refusal(&earlier).await;
        assert!(text.contains("the newest 3 of its 7 writes are lost"), "{text}");
        assert!(text.contains(&format!("remove the file {}", Progress::file(&earlier).display())), "{text}");
        fs::remove_file(Progress::file(&earlier)).unwrap();
        let store = SledStore::open(&earlier).await.unwrap();
        assert_eq!(store.scan(Table::Users, b"", None, 9).await.unwrap().len(), 3);
        drop(store);
        for path in [beside(&earlier, 1), earlier] {
            fs::remove_dir_all(path).unwrap();
        }
    }

    #[test]
    fn copies_of_damage_are_few() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("store");
        fs::create_dir_all(path.join("blobs")).unwrap();
        fs::write(path.join("db"), "x").unwrap();
        for number in 1..=COPIES {
            let copy = set_aside(&path).unwrap().unwrap();
            assert_eq!(copy, outer.path().join(format!("store.damaged-{number}")));
            assert_eq!(fs::read(copy.join("db")).unwrap(), b"x");
        }
        assert_eq!(set_aside(&path).unwrap(), None);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_can_look_into_the_directory() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        filled(&path).await;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
