//! One flipped bit, or a file that is cut: a store has to come up whole, or refuse; never with less, never with other
//! content, and it must not end or hold up the process.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    engines::{self, Failure},
    record,
};

/// How many records are in a store that is damaged.
const RECORDS: u64 = 400;

/// When a process that looks at a store is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Exit codes of a process that looks at a store.
const WHOLE: i32 = 0;
const LESS: i32 = 10;
const OTHER: i32 = 11;
const REFUSED: i32 = 12;

/// Looks at a store, and says by its exit code what it found.
pub fn count(engine: &str, dir: &Path) -> Result<(), Failure> {
    let code = match engines::open(engine, dir).and_then(|store| store.all()) {
        Ok(found) if found == (0..RECORDS).map(record).collect() => WHOLE,
        Ok(found) if (0..RECORDS).all(|number| found.contains_key(&record(number).0)) => OTHER,
        Ok(_) => LESS,
        Err(_) => REFUSED,
    };
    std::process::exit(code)
}

/// Damages a fresh copy of a store again and again.
pub fn run(engine: &str, flips: u32, cuts: u32) -> Result<(), Failure> {
    let home = tempfile::tempdir()?;
    let whole = home.path().join("whole");
    fs::create_dir(&whole)?;
    let store = engines::open(engine, &whole)?;
    for number in 0..RECORDS {
        let (key, value) = record(number);
        store.put(&key, &value)?;
    }
    drop(store);
    let mut outcomes = BTreeMap::<&str, u32>::new();
    for round in 0..flips + cuts {
        let copy = home.path().join("copy");
        copy_all(&whole, &copy)?;
        let (file, used) = some_file(&copy)?;
        if round < flips {
            flip(&file, &used)?
        } else {
            cut(&file, &used)?
        }
        *outcomes.entry(look(engine, &copy)?).or_default() += 1;
        fs::remove_dir_all(&copy)?;
    }
    println!("{engine}: {flips} flipped bits and {cuts} cuts: {outcomes:?}");
    Ok(())
}

fn look(engine: &str, dir: &Path) -> Result<&'static str, Failure> {
    let mut process = Command::new(env::current_exe()?)
        .args(["count", engine])
        .arg(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(match end_of(&mut process)? {
        None => "never came back",
        Some(Some(WHOLE)) => "whole",
        Some(Some(LESS)) => "less, in silence",
        Some(Some(OTHER)) => "other content, in silence",
        Some(Some(REFUSED)) => "refused",
        Some(_) => "ended the process",
    })
}

/// The exit code, if there was one; nothing when the process had to be killed.
fn end_of(process: &mut Child) -> Result<Option<Option<i32>>, Failure> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status.code()));
        }
        thread::park_timeout(Duration::from_millis(2));
    }
    process.kill()?;
    process.wait()?;
    Ok(None)
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

/// A file and its content, drawn by how much of it is in use: engines allocate ahead, and nobody reads what is empty.
fn some_file(dir: &Path) -> Result<(PathBuf, Vec<u8>), Failure> {
    let mut contents = Vec::new();
    for file in files(dir)? {
        let mut bytes = fs::read(&file)?;
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        contents.push((file, bytes));
    }
    let mut left = fastrand::usize(0..contents.iter().map(|(_, bytes)| bytes.len()).sum());
    let drawn = contents.into_iter().find(|(_, bytes)| {
        let is_here = left < bytes.len();
        left = left.saturating_sub(bytes.len());
        is_here
    });
    drawn.ok_or_else(|| "the store has no content".into())
}

fn flip(file: &Path, used: &[u8]) -> Result<(), Failure> {
    let mut bytes = fs::read(file)?;
    // A byte with something around it: pages have room inside, too.
    let is_used =
        |place: &usize| used[place.saturating_sub(16)..(place + 16).min(used.len())].iter().any(|byte| *byte != 0);
    let place = std::iter::repeat_with(|| fastrand::usize(0..used.len())).find(is_used).unwrap_or_default();
    bytes[place] ^= 1 << fastrand::u8(0..8);
    Ok(fs::write(file, bytes)?)
}

fn cut(file: &Path, used: &[u8]) -> Result<(), Failure> {
    Ok(fs::write(file, &used[..fastrand::usize(0..used.len())])?)
}

fn copy_all(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.is_dir() {
            copy_all(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
