//! A store is carried from one data directory to another, and one that was damaged is made anew.

use std::{fs, io::Write, process::Stdio};

use switchboard::store::{Change, Durability, Expect, Key, SledStore, Store, Table};

use crate::{Run, run, support::Home};

const PASSPHRASE: &str = "canary horse battery staple";

/// Runs a command on the real directory of `home`, with a passphrase on stdin.
fn with_passphrase(home: &Home, arguments: &[&str], passphrase: &str) -> Run {
    let mut command = home.command(arguments);
    let mut child = command.arg("--passphrase-stdin").stdin(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{passphrase}").unwrap();
    Run::of(child.wait_with_output().unwrap())
}

fn real(home: &Home, arguments: &[&str]) -> Run {
    Run::of(home.command(arguments).output().unwrap())
}

/// Keeps an OAuth client, whose secret comes on stdin.
fn set_app(home: &Home, secret: &str) {
    let set = ["app", "set", "google", "--client-id", "id-1", "--client-secret-stdin"];
    let mut child = home.command(&set).stdin(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{secret}").unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn everything_is_carried_from_one_directory_to_another() {
    let (from, to) = (Home::new(), Home::new());
    set_app(&from, "canary-client-secret");
    let file = from.path().join("backup.age");
    let file = file.to_str().unwrap();
    let said = with_passphrase(&from, &["export", file], PASSPHRASE).good();
    assert!(said.contains("oauth apps"), "{said}");
    let bytes = fs::read(file).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "it is in the clear");
    let again = with_passphrase(&from, &["export", file], PASSPHRASE).bad();
    assert!(again.contains("there already"), "{again}");

    let wrong = with_passphrase(&to, &["import", file], "another horse altogether").bad();
    assert!(wrong.contains("does not open it") && !wrong.contains("altogether"), "{wrong}");
    let said = with_passphrase(&to, &["import", file], PASSPHRASE).good();
    assert!(said.contains("added"), "{said}");
    assert!(real(&to, &["doctor"]).out.contains("google"), "the OAuth client came along");

    set_app(&to, "another-secret");
    let clash = with_passphrase(&to, &["import", file], PASSPHRASE).bad();
    assert!(clash.contains("google") && clash.contains("--on-conflict"), "{clash}");
    let kept = with_passphrase(&to, &["import", file, "--on-conflict", "keep"], PASSPHRASE).good();
    assert!(kept.contains("kept"), "{kept}");
}

#[test]
fn an_export_goes_on_past_a_damaged_record_and_fails_in_the_end() {
    let home = Home::new();
    set_app(&home, "canary-client-secret");
    damage(&home, Table::OAuthApps);
    let file = home.path().join("backup.age");
    let run = with_passphrase(&home, &["export", file.to_str().unwrap()], PASSPHRASE);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("holds") && run.err.contains("Left out: the record `oauth_apps|google`"), "{run:?}");
    assert!(file.exists(), "what is whole is in it");
}

/// Turns a bit in the one record of `table`.
fn damage(home: &Home, table: Table) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = SledStore::open(home.path().join("store")).await.unwrap();
        let (id, stored) = store.scan(table, b"", None, 1).await.unwrap().remove(0);
        let mut value = stored.value;
        value[99] ^= 1;
        let change = Change::Put { key: Key::raw(table, id), value, expect: Expect::Anything };
        store.commit(vec![change], Durability::SurvivesCrash).await.unwrap();
    });
}

#[test]
fn an_export_says_for_whom_it_is() {
    let home = Home::new();
    let file = home.path().join("x.age");
    let unsealed = real(&home, &["export", file.to_str().unwrap()]).bad();
    assert!(unsealed.contains("--recipient") && unsealed.contains("--passphrase-stdin"), "{unsealed}");
    let odd = real(&home, &["export", file.to_str().unwrap(), "--recipient", "age1nobody"]).bad();
    assert!(odd.contains("recipient"), "{odd}");
    assert!(!file.exists());
}

#[test]
fn a_running_server_exports_and_imports_while_it_serves() {
    let home = Home::new();
    let _server = home.serve();
    let file = home.path().join("backup.age");
    let key = home.path().join("key.txt");
    fs::copy(home.path().join("sandbox/identity.txt"), &key).unwrap();
    let recipient = recipient(&fs::read_to_string(&key).unwrap());
    run(&home, &["export", file.to_str().unwrap(), "--recipient", &recipient]).good();
    run(&home, &["disconnect", "google-calendar"]).good();
    let arguments = ["import", file.to_str().unwrap(), "--identity", key.to_str().unwrap(), "--on-conflict", "replace"];
    run(&home, &arguments).good();
    assert!(run(&home, &["connections"]).good().contains("google-calendar"), "the account is back");
}

/// The recipient of the first identity in a file.
fn recipient(file: &str) -> String {
    let line = file.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap();
    line.parse::<age::x25519::Identity>().unwrap().to_public().to_string()
}
