//! Room on the disk that is kept back for the day when it is full.
//!
//! After a failed write sled refuses everything until it is opened again, and opening takes some room. So a file of
//! two megabytes is given up when a write fails: reading goes on. Writing goes on when there is room for it again.

use std::{fs, io, path::Path};

/// The file.
const FILE: &str = "reserve";

/// Bytes; sled writes half a megabyte at once, and a snapshot.
const ROOM: usize = 2 * 1024 * 1024;

/// Takes the room, unless it is taken already.
pub(super) fn take(path: &Path) -> io::Result<()> {
    let file = path.join(FILE);
    if fs::metadata(&file).is_ok_and(|found| found.len() == ROOM as u64) {
        return Ok(());
    }
    let written = fs::write(&file, vec![0; ROOM]);
    if written.is_err() {
        give_up(path)?;
    }
    written
}

/// Leaves the room to others.
pub(super) fn give_up(path: &Path) -> io::Result<()> {
    match fs::remove_file(path.join(FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_and_given_up() {
        let dir = tempfile::tempdir().unwrap();
        for _ in ["new", "there already"] {
            take(dir.path()).unwrap();
            assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().len(), ROOM as u64);
        }
        fs::write(dir.path().join(FILE), "cut short").unwrap();
        take(dir.path()).unwrap();
        assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().len(), ROOM as u64);
        for _ in ["there", "gone already"] {
            give_up(dir.path()).unwrap();
            assert!(!dir.path().join(FILE).exists());
        }
    }
}
