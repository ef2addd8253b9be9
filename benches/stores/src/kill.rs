//! SIGKILL in mid-write: what was acknowledged has to be there, and nothing that was never written.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    engines::{self, Failure},
    record,
};

/// Writes records from `first` on, and says each number once it is on the disk, until it is killed.
pub fn write(engine: &str, dir: &Path, first: u64) -> Result<(), Failure> {
    let store = engines::open(engine, dir)?;
    let mut out = std::io::stdout().lock();
    for number in first.. {
        let (key, value) = record(number);
        store.put(&key, &value)?;
        writeln!(out, "{number}")?;
        out.flush()?;
    }
    Ok(())
}

/// Kills a writer `rounds` times, and looks at the store after each.
pub fn run(engine: &str, rounds: u32) -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let (mut next, mut lost, mut refused) = (0, 0, 0);
    for _ in 0..rounds {
        let acknowledged = round(engine, dir.path(), next)?;
        let found = match engines::open(engine, dir.path()).and_then(|store| store.all()) {
            Ok(found) => found,
            Err(error) => {
                refused += 1;
                eprintln!("{engine}: {error}");
                break;
            }
        };
        let is_there = |number: &u64| found.get(&record(*number).0) == Some(&record(*number).1);
        lost += (0..acknowledged).filter(|number| !is_there(number)).count();
        next = acknowledged.max(found.len() as u64);
    }
    println!("{engine}: {rounds} kills, {next} records, {lost} acknowledged and lost, {refused} starts refused");
    Ok(())
}

/// One writer, from its first acknowledgement to its death. Returns how many records were acknowledged in all.
fn round(engine: &str, dir: &Path, first: u64) -> Result<u64, Failure> {
    let mut writer = Command::new(env::current_exe()?)
        .args(["write", engine])
        .arg(dir)
        .arg(first.to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(writer.stdout.take().ok_or("no stdout")?).lines();
    let mut last = lines.next().transpose()?;
    let patience = Duration::from_micros(fastrand::u64(0..60_000));
    let killer = thread::spawn(move || {
        thread::park_timeout(patience);
        let _ = writer.kill();
        writer.wait()
    });
    for line in lines {
        last = Some(line?);
    }
    let _ = killer.join();
    // A number that was cut off is not an acknowledgement of a smaller one: lines are shorter than a pipe's atom.
    last.map_or(Ok(first), |number| Ok(number.parse::<u64>()? + 1))
}
