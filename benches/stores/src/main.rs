//! What kills and damage do to the storage engines that could hold a node's only copy of its credentials.
//!
//!     cargo run --release -- kill ENGINE ROUNDS      SIGKILL in mid-write, over and over on one store
//!     cargo run --release -- damage ENGINE FLIPS CUTS  one flipped bit, or a cut file, in a fresh copy each time
//!     cargo run --release -- speed ENGINE WRITES     how long writes take that are on the disk when they return
//!
//! The bits and cuts are drawn anew for each run; a store is looked at in a process of its own, so that an engine that
//! ends its process or never comes back is counted and not met.

mod damage;
mod engines;
mod kill;

use std::{env, path::PathBuf, process::ExitCode, time::Instant};

use engines::Failure;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), Failure> {
    match arguments {
        ["kill", engine, rounds] => kill::run(engine, rounds.parse()?),
        ["damage", engine, flips, cuts] => damage::run(engine, flips.parse()?, cuts.parse()?),
        ["speed", engine, writes] => speed(engine, writes.parse()?),
        // What these commands start themselves.
        ["write", engine, dir, first] => kill::write(engine, &PathBuf::from(dir), first.parse()?),
        ["count", engine, dir] => damage::count(engine, &PathBuf::from(dir)),
        _ => Err("kill ENGINE ROUNDS, damage ENGINE FLIPS CUTS or speed ENGINE WRITES".into()),
    }
}

/// A record as long as a sealed credential, and different from every other.
pub fn record(number: u64) -> (Vec<u8>, Vec<u8>) {
    let mut value = number.to_be_bytes().repeat(128);
    value.extend(format!("record {number}").as_bytes());
    (number.to_be_bytes().to_vec(), value)
}

fn speed(engine: &str, writes: u64) -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let store = engines::open(engine, dir.path())?;
    let began = Instant::now();
    for number in 0..writes {
        let (key, value) = record(number);
        store.put(&key, &value)?;
    }
    println!("{engine}: {:.2} ms a write", began.elapsed().as_secs_f64() * 1e3 / writes as f64);
    Ok(())
}
