//! What an accident does to the store: processes killed in mid-write and in mid-start, full disks, files damaged
//! afterwards.
//!
//! The killed processes are this very test program, started again with [`CHILD`] in its environment and told to run
//! only [`child`]. A kill leaves the system's own buffers alone, so this says nothing about power cuts; the sync for
//! those is a matter of `Durability::MustSurvivePowerLoss`.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod load;

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use switchboard::store::{Change, Durability, Error, Expect, Key, SledStore, Store, Table};

/// Names the store's directory to a child; without it [`child`] has nothing to do.
const CHILD: &str = "SWITCHBOARD_TEST_CHILD_STORE";

/// The same for [`child_without_room`].
const CHILD_WITHOUT_ROOM: &str = "SWITCHBOARD_TEST_FULL_STORE";

/// Kills while a child writes, and while it opens.
const KILLS_IN_WRITES: usize = 20;
const KILLS_IN_OPENING: usize = 8;

/// Damaged copies of one store: of six, five by a flipped bit and one by a cut.
const DAMAGES: u64 = 72;

/// A figure of a test that `scripts/soak.sh` makes longer than the suite needs it.
fn figure(name: &str, usual: u64) -> u64 {
    env::var(format!("SWITCHBOARD_SOAK_{name}")).map_or(usual, |figure| figure.parse().unwrap())
}

/// Writes pairs of records into two tables for ever, and prints the number of each pair once it is acknowledged.
#[test]
fn child() {
    let Some(path) = env::var_os(CHILD) else { return };
    runtime().block_on(async {
        let store = SledStore::open(PathBuf::from(path)).await.unwrap();
        let next = store.scan_back(Table::Audit, b"", None, 1).await.unwrap();
        let first = next.first().map_or(0, |(id, _)| number(id) + 1);
        println!("\nopen");
        for number in first.. {
            store.commit(pair(number), Durability::SurvivesCrash).await.unwrap();
            println!("{number}");
            std::io::stdout().flush().unwrap();
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A record that is added and one that is overwritten, with the same number in both.
fn pair(number: u64) -> Vec<Change> {
    let put =
        |table, id: Vec<u8>| Change::Put { key: Key::raw(table, id), value: body(number), expect: Expect::Anything };
    vec![put(Table::Audit, number.to_be_bytes().into()), put(Table::Connections, slot(number))]
}

fn slot(number: u64) -> Vec<u8> {
    format!("connection-{}", number % 10).into_bytes()
}

/// A kilobyte that only this number has.
fn body(number: u64) -> Vec<u8> {
    number.to_be_bytes().repeat(128)
}

fn number(id: &[u8]) -> u64 {
    u64::from_be_bytes(id.try_into().unwrap())
}

/// A child at work on a store.
struct Writer {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Writer {
    fn start(test: &str, variables: &[(&str, &OsStr)]) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Writer { process, lines }
    }

    /// Waits until the child has the store open.
    fn wait_until_open(&self) {
        let is_open = |line: String| line == "open";
        while !is_open(self.lines.recv_timeout(Duration::from_secs(20)).expect("the child opens the store")) {}
    }

    /// Waits until the child has called so many more numbers written, and returns the last.
    fn wait_for(&self, count: u64) -> u64 {
        let mut last = 0;
        for _ in 0..count {
            let line = self.lines.recv_timeout(Duration::from_mins(1)).expect("the child goes on writing");
            last = line.parse().unwrap_or_else(|_| panic!("the child said {line:?}"));
        }
        last
    }

    /// Lets it work for `time`, kills it with a signal that it cannot catch, and returns the last number that it
    /// called written.
    fn kill_after(mut self, time: Duration) -> Option<u64> {
        let until = std::time::Instant::now() + time;
        let mut last = None;
        let mut note = |line: String| last = line.parse().ok().or(last);
        while let Some(left) = until.checked_duration_since(std::time::Instant::now()) {
            match self.lines.recv_timeout(left) {
                Ok(line) => note(line),
                Err(_) => break,
            }
        }
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        // What was printed before the kill is still in the pipe; a last line without its end may be half a number.
        self.lines.iter().for_each(note);
        last
    }
}

/// Opens the store after a kill and looks at every record.
fn check_after_kill(path: &Path, acknowledged: Option<u64>, round: usize) {
    runtime().block_on(async {
        let store = SledStore::open(path).await.unwrap_or_else(|error| panic!("round {round}: refused: {error}"));
        let audit = store.scan(Table::Audit, b"", None, usize::MAX).await.unwrap();
        let kept = audit.len() as u64;
        let promised = acknowledged.map_or(0, |number| number + 1);
        assert!(kept >= promised, "round {round}: {promised} acknowledged, {kept} kept");
        for (expected, (id, stored)) in (0..).zip(&audit) {
            assert_eq!(number(id), expected, "round {round}: a record in the middle is gone");
            assert_eq!(stored.value, body(expected), "round {round}: record {expected}");
        }
        let connections: BTreeMap<Vec<u8>, Vec<u8>> = store
            .scan(Table::Connections, b"", None, 99)
            .await
            .unwrap()
            .into_iter()
            .map(|(id, stored)| (id, stored.value))
            .collect();
        for last in kept.saturating_sub(10)..kept {
            assert_eq!(
                connections.get(&slot(last)),
                Some(&body(last)),
                "round {round}: half of the pair {last} is there"
            );
        }
    });
}

#[test]
fn what_was_acknowledged_outlives_kills_in_mid_write() {
    let mut random = StdRng::seed_from_u64(1);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let mut acknowledged = None;
    for round in 0..KILLS_IN_WRITES {
        let writer = Writer::start("child", &[(CHILD, path.as_os_str())]);
        writer.wait_until_open();
        // So many, however fast the machine is, and then a moment that is not a whole number of writes.
        let least = writer.wait_for(random.random_range(1..20));
        let time = Duration::from_micros(random.random_range(1..20_000));
        acknowledged = writer.kill_after(time).max(Some(least));
        check_after_kill(&path, acknowledged, round);
    }
    assert!(acknowledged >= Some(100), "with these figures it is more: {acknowledged:?}");
}

#[test]
fn kills_in_mid_start_do_no_harm() {
    let mut random = StdRng::seed_from_u64(2);
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = None;
    let path = dir.path().join("store");
    for round in 0..KILLS_IN_OPENING {
        let time = Duration::from_millis(random.random_range(1..60));
        acknowledged = Writer::start("child", &[(CHILD, path.as_os_str())]).kill_after(time).or(acknowledged);
        check_after_kill(&path, acknowledged, round);
        // The very first start too, on a directory of its own.
        let fresh = dir.path().join(format!("fresh-{round}"));
        let first = Writer::start("child", &[(CHILD, fresh.as_os_str())]).kill_after(time);
        check_after_kill(&fresh, first, round);
    }
}

/// Fills the store until the system refuses to let its file grow, and prints how many records were acknowledged.
#[test]
fn child_without_room() {
    let Some(path) = env::var_os(CHILD_WITHOUT_ROOM) else { return };
    runtime().block_on(async {
        let store = SledStore::open(PathBuf::from(path)).await.unwrap();
        let mut kept = 0;
        let refused = loop {
            match store.commit(pair(kept), Durability::SurvivesCrash).await {
                Ok(_) => kept += 1,
                Err(refused) => break refused,
            }
        };
        assert!(matches!(refused, Error::Io { .. }), "{refused}");
        let read = store.get(&Key::raw(Table::Audit, 0_u64.to_be_bytes())).await.unwrap();
        assert_eq!(read.unwrap().value, body(0), "reading goes on");
        let audit = store.scan(Table::Audit, b"", None, usize::MAX).await.unwrap();
        assert_eq!(audit.len() as u64, kept, "what was refused is not there");
        println!("\nkept {kept}");
    });
}

#[cfg(unix)]
#[test]
fn a_full_disk_stops_writing_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    // The signal that comes with the limit is ignored, so that a write fails as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 6144; exec \"$0\" child_without_room --exact --nocapture";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(env::current_exe().unwrap())
        .env(CHILD_WITHOUT_ROOM, &path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let kept = text.lines().find_map(|line| line.strip_prefix("kept ")?.parse::<u64>().ok());
    let kept = kept.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr)));
    assert!(kept > 100, "the limit came too early to be a test: {kept}");
    check_after_kill(&path, Some(kept - 1), 0);
    runtime().block_on(async {
        let store = SledStore::open(&path).await.unwrap();
        store.commit(pair(kept), Durability::MustSurvivePowerLoss).await.expect("there is room again");
    });
}

/// What came of opening a damaged store.
#[derive(Debug, PartialEq)]
enum Outcome {
    Whole,
    Refused,
}

fn open_damaged(path: &Path, records: usize) -> Outcome {
    runtime().block_on(async {
        let store = match SledStore::open(path).await {
            Ok(store) => store,
            Err(error) => {
                let text = error.to_string();
                assert!(matches!(error, Error::Corrupt { .. }), "{text}");
                assert!(text.contains(&*path.to_string_lossy()) && text.contains("backup"), "{text}");
                return Outcome::Refused;
            }
        };
        let audit = store.scan(Table::Audit, b"", None, usize::MAX).await.unwrap();
        assert_eq!(audit.len(), records, "records are missing, and nobody said so");
        assert!(audit.iter().all(|(id, stored)| stored.value == body(number(id))), "a record has changed");
        Outcome::Whole
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn flip_bit(file: &Path, at: u64) {
    let mut file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ 0x10]).unwrap();
}

#[test]
fn a_damaged_store_is_whole_or_refused_and_never_silently_less() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let records = 200;
    runtime().block_on(async {
        let store = SledStore::open(&path).await.unwrap();
        for number in 0..records as u64 {
            store.commit(pair(number), Durability::SurvivesCrash).await.unwrap();
        }
    });
    drop(runtime().block_on(SledStore::open(&path)).unwrap());
    let files: Vec<PathBuf> =
        fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).filter(|file| file.is_file()).collect();
    let written: u64 = 200 * 2 * 1_100;
    let mut random = StdRng::seed_from_u64(3);
    let mut refused = 0;
    let mut whole = 0;
    for round in 0..figure("DAMAGES", DAMAGES) {
        let damaged = dir.path().join(format!("damaged-{round}"));
        copy(&path, &damaged);
        // Every fourth damage hits any file, the others the data file where records are.
        let file = if round % 4 == 0 { &files[random.random_range(0..files.len())] } else { &path.join("db") };
        let file = damaged.join(file.file_name().unwrap());
        let at = random.random_range(0..fs::metadata(&file).unwrap().len().min(written));
        match round % 6 {
            0..5 => flip_bit(&file, at),
            _ => OpenOptions::new().write(true).open(&file).unwrap().set_len(at).unwrap(),
        }
        let outcome = open_damaged(&damaged, records);
        eprintln!("round {round}: {} at {at}: {outcome:?}", file.file_name().unwrap().display());
        refused += usize::from(outcome == Outcome::Refused);
        whole += usize::from(outcome == Outcome::Whole);
        fs::remove_dir_all(&damaged).unwrap();
        for copy in 1..=3 {
            let _ = fs::remove_dir_all(dir.path().join(format!("damaged-{round}.damaged-{copy}")));
        }
    }
    println!("{whole} damaged copies opened whole, {refused} were refused, none came up with less");
    assert!(refused > 0, "no damage hit anything: the test proves nothing");
    assert_eq!(open_damaged(&path, records), Outcome::Whole, "the original is as it was");
}
