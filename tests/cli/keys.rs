//! The master identity is replaced: beside a running server, without one, and with a kill in the middle.

use std::{fs, path::PathBuf, thread, time::Duration};

use crate::{
    call, hour, is_busy, meeting, run,
    support::{Home, SWITCHBOARD},
};

/// The file with the identities of the sandbox in `home`.
fn file(home: &Home) -> PathBuf {
    home.path().join("sandbox/identity.txt")
}

/// The identities in it, the newest first.
fn identities(home: &Home) -> Vec<String> {
    let text = fs::read_to_string(file(home)).unwrap();
    text.lines().filter(|line| line.starts_with("AGE-SECRET-KEY-1")).map(str::to_owned).collect()
}

#[test]
fn a_new_identity_seals_everything_and_nobody_connects_again() {
    let home = Home::new();
    call(&home, "schedule_meeting", &meeting("Before", 0));
    let old = identities(&home);

    let said = run(&home, &["key", "rotate"]).good();
    assert!(said.contains("seals all records now"), "{said}");
    let now = identities(&home);
    assert_eq!((now.len(), &now[1..]), (2, &old[..]), "the new one stands first");
    assert!(is_busy(&call(&home, "check_availability", &hour(0))));

    // The new one alone opens everything that is there.
    fs::write(file(&home), format!("{}\n", now[0])).unwrap();
    assert!(is_busy(&call(&home, "check_availability", &hour(0))));
    // The old one alone opens nothing, and says so.
    fs::write(file(&home), format!("{}\n", old[0])).unwrap();
    assert!(run(&home, &["connections"]).bad().contains("identity"));
}

#[test]
fn a_running_server_goes_on() {
    let home = Home::new();
    let server = home.serve();
    call(&home, "schedule_meeting", &meeting("Before", 0));
    for rounds in 2..=3 {
        run(&home, &["key", "rotate"]).good();
        assert_eq!(identities(&home).len(), rounds);
        assert!(is_busy(&call(&home, "check_availability", &hour(0))));
    }
    assert!(!server.end().contains("ERROR"));
    assert!(is_busy(&call(&home, "check_availability", &hour(0))), "after the restart");
}

#[cfg(unix)]
#[test]
fn a_kill_in_the_middle_loses_nothing() {
    let home = Home::new();
    call(&home, "schedule_meeting", &meeting("Before", 0));
    for round in 0..12_u64 {
        let mut rotating = home.command(&["key", "rotate", "--sandbox"]).spawn().unwrap();
        thread::park_timeout(Duration::from_millis(round * 8));
        let _ = rotating.kill();
        rotating.wait().unwrap();
        assert!(is_busy(&call(&home, "check_availability", &hour(0))), "after round {round} of {SWITCHBOARD}");
    }
    run(&home, &["key", "rotate"]).good();
    let newest = identities(&home).remove(0);
    fs::write(file(&home), format!("{newest}\n")).unwrap();
    assert!(is_busy(&call(&home, "check_availability", &hour(0))));
}
