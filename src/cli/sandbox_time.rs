//! The time of a sandbox: set once, it goes on over all starts and processes of that sandbox.
//!
//! What one command books has to lie in the past of the next one, so the directory remembers how far its clock is ahead
//! of the machine's.

use std::{fs, io, path::Path, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::private;
use crate::{
    clock::{self, SharedClock, ShiftedClock},
    config::{self, Error},
};

/// Where it is remembered, in the sandbox's directory.
const FILE: &str = "clock.json";

/// What time it shall be in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxTime {
    /// The machine's.
    Now,
    /// This one at first; it goes on from there.
    From(Timestamp),
}

impl FromStr for SandboxTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |_| "it must be `now` or an instant, such as `2028-02-29T09:00:00Z`".to_owned();
        if text == "now" { Ok(SandboxTime::Now) } else { text.parse().map(SandboxTime::From).map_err(wrong) }
    }
}

/// How a sandbox's clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Setting {
    /// What it showed when it was set.
    start: Timestamp,
    /// What the machine's showed then.
    set_at: Timestamp,
}

impl Setting {
    fn clock(self) -> SharedClock {
        ShiftedClock::ahead_by(self.start.duration_since(self.set_at))
    }
}

/// The clock of the sandbox in `dir`: as `wanted`; without a word as it was set before, and at first the machine's.
///
/// # Errors
/// The directory cannot be read or written, or what it remembers is damaged.
pub fn clock(dir: &Path, wanted: Option<SandboxTime>) -> config::Result<SharedClock> {
    let path = dir.join(FILE);
    let failed = |source| Error::Unreadable { path: path.clone(), source };
    let Some(wanted) = wanted else {
        return Ok(read(&path)?.map_or_else(clock::system, Setting::clock));
    };
    let SandboxTime::From(start) = wanted else {
        return forget(&path).map(|()| clock::system()).map_err(failed);
    };
    match read(&path) {
        Ok(Some(known)) if known.start == start => return Ok(known.clock()),
        Ok(None) => {}
        // It was set to another time, or is damaged.
        _ => forget(&path).map_err(failed)?,
    }
    let set = set(dir, &path, start).map_err(failed)?;
    set.map_or_else(|| clock(dir, None), |set| Ok(set.clock()))
}

fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn read(path: &Path) -> config::Result<Option<Setting>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Unreadable { path: path.to_owned(), source }),
    };
    let damaged = |error: serde_json::Error| Error::Mistake {
        path: path.to_owned(),
        reason: format!("{error}; set the sandbox's time anew with `--sandbox-time now`"),
    };
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

/// Sets the clock, and returns how; nothing when another process was quicker.
fn set(dir: &Path, path: &Path, start: Timestamp) -> io::Result<Option<Setting>> {
    private::create(dir)?;
    let setting = Setting { start, set_at: clock::system().now() };
    let draft = dir.join(format!("{FILE}.{}", std::process::id()));
    fs::write(&draft, serde_json::to_vec(&setting)?)?;
    // A link, unlike a rename, does not replace what another process was quicker to set.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(Some(setting)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const LEAP: &str = "2028-02-29T12:00:00Z";

    fn at(text: &str) -> SandboxTime {
        text.parse().unwrap()
    }

    #[test]
    fn it_goes_on_over_all_starts() {
        let dir = tempfile::tempdir().unwrap();
        let first = clock(dir.path(), Some(at(LEAP))).unwrap().now();
        let again = clock(dir.path(), Some(at(LEAP))).unwrap().now();
        let untold = clock(dir.path(), None).unwrap().now();
        assert!(LEAP.parse::<Timestamp>().unwrap() <= first && first <= again && again <= untold);
        assert!(untold.duration_since(first) < SignedDuration::from_hours(1), "{first} {untold}");
    }

    #[test]
    fn it_can_be_set_again_and_given_back_to_the_machine() {
        let dir = tempfile::tempdir().unwrap();
        clock(dir.path(), Some(at(LEAP))).unwrap();
        let later: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        assert!(clock(dir.path(), Some(at("2030-01-01T00:00:00Z"))).unwrap().now() >= later);
        clock(dir.path(), Some(at("now"))).unwrap();
        let ahead = clock(dir.path(), None).unwrap().now().duration_since(clock::system().now());
        assert!(ahead.abs() < SignedDuration::from_hours(1), "{ahead}");
    }

    #[test]
    fn what_is_damaged_says_so_until_it_is_set_anew() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "half").unwrap();
        let error = clock(dir.path(), None).unwrap_err().to_string();
        assert!(error.contains("--sandbox-time now"), "{error}");
        clock(dir.path(), Some(at(LEAP))).unwrap();
        clock(dir.path(), None).unwrap();
    }

    #[test]
    fn only_now_and_instants_are_times() {
        for wrong in ["", "later", "2028-02-29", "12:00", "2028-02-29T12:00"] {
            assert!(wrong.parse::<SandboxTime>().unwrap_err().contains("such as"), "{wrong}");
        }
    }
}
