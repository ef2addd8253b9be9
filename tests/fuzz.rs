//! What the fuzzers once found or began with, through the same checks.
//!
//! `fuzz/` runs them with cargo-fuzz; here they are ordinary tests, so that nothing comes back unseen.

#[path = "../fuzz/src/lib.rs"]
mod checks;

use std::{fs, path::Path};

/// Puts every file of the corpus of `target` through its check.
fn replay(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(&corpus).unwrap_or_else(|why| panic!("{}: {why}", corpus.display()));
    let mut replayed = 0;
    for file in files {
        let path = file.expect("the folder can be read").path();
        let data = fs::read(&path).expect("the file can be read");
        // The name goes to stderr, which is shown when the check fails.
        eprintln!("{}", path.display());
        check(&data);
        replayed += 1;
    }
    assert!(replayed >= 10, "the corpus of {target} has {replayed} files");
}

#[test]
fn messages_are_read_or_refused() {
    replay("envelope", checks::envelope);
}

#[test]
fn headers_say_what_the_body_says() {
    replay("headers", checks::headers);
}

#[test]
fn only_what_was_sealed_is_opened() {
    replay("state", checks::state);
}

#[test]
fn only_sessions_that_were_begun_are_found() {
    replay("session", checks::session);
}

#[test]
fn a_connection_stands_whatever_comes_in() {
    replay("pipe", checks::pipe);
}
