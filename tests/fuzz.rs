//! What the fuzzers once found or began with, through the same checks.
//!
//! `fuzz/` runs them with cargo-fuzz; here they are ordinary tests, so that nothing comes back unseen.

#[path = "../fuzz/src/lib.rs"]
mod checks;

use std::{fs, path::Path};

use switchboard::id::{Entropy, SeededEntropy};

/// How many neighbours of each file are tried as well.
const NEIGHBOURS: usize = 50;

/// Puts every file of the corpus of `target` through its check, and what lies near it: a few bytes changed, put in or
/// left out, the same ones in every run. `FUZZ_NEIGHBOURS` says how many, for who has no fuzzer.
fn replay(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(&corpus).unwrap_or_else(|why| panic!("{}: {why}", corpus.display()));
    let neighbours = std::env::var("FUZZ_NEIGHBOURS").ok().and_then(|count| count.parse().ok()).unwrap_or(NEIGHBOURS);
    let entropy = SeededEntropy::new(1);
    let mut replayed = 0;
    for file in files {
        let path = file.expect("the folder can be read").path();
        let data = fs::read(&path).expect("the file can be read");
        // The name goes to stderr, which is shown when the check fails.
        eprintln!("{}", path.display());
        check(&data);
        (0..neighbours).for_each(|_| check(&neighbour(&data, &*entropy)));
        replayed += 1;
    }
    assert!(replayed >= 10, "the corpus of {target} has {replayed} files");
}

/// The bytes with one to four small changes.
fn neighbour(data: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
    let mut changed = data.to_vec();
    let mut dice = [0; 17];
    entropy.fill(&mut dice);
    for roll in dice[1..].chunks_exact(4).take(1 + usize::from(dice[0] % 4)) {
        let at = usize::from(u16::from_be_bytes([roll[0], roll[1]])) % (changed.len() + 1);
        match roll[2] % 4 {
            0 if at < changed.len() => changed[at] = roll[3],
            1 if at < changed.len() => drop(changed.remove(at)),
            2 if at < changed.len() => changed[at] ^= 1 << (roll[3] % 8),
            _ => changed.insert(at, roll[3]),
        }
    }
    changed
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

#[test]
fn markup_rings_for_nobody() {
    replay("mrkdwn", checks::mrkdwn);
}

#[test]
fn markdown_becomes_blocks_or_is_refused() {
    replay("markdown", checks::markdown);
}

#[test]
fn statements_are_read_or_refused() {
    replay("soql", checks::soql);
}

#[test]
fn formulas_have_values_or_are_refused() {
    replay("formula", checks::formula);
}

#[test]
fn ranges_and_cells_are_read_and_written() {
    replay("range", checks::range);
}

#[test]
fn times_are_understood_or_explained() {
    replay("moment", checks::moment);
}

#[test]
fn arguments_are_repaired_and_judged() {
    replay("arguments", checks::arguments);
}

#[cfg(feature = "voice")]
#[test]
fn only_plain_consent_is_a_yes() {
    replay("consent", checks::consent);
}

#[cfg(feature = "voice")]
#[test]
fn any_question_can_be_read_out() {
    replay("question", checks::question);
}

#[cfg(feature = "voice")]
#[test]
fn offers_are_within_bounds_before_they_are_read() {
    replay("offer", checks::offer);
}

#[test]
fn pages_become_text() {
    replay("page", checks::page);
}

#[test]
fn quoted_mails_are_left_out_whole() {
    replay("quoted", checks::quoted);
}

#[test]
fn mails_are_shown_or_refused() {
    replay("mail", checks::mail);
}
