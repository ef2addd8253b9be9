//! `switchboard install`: the settings of clients, on a home directory of the test's own.

use std::fs;

use serde_json::Value;

use crate::support::Home;

const CLIENTS: [&str; 10] = [
    "claude-code",
    "claude-desktop",
    "cursor",
    "vscode",
    "zed",
    "codex",
    "gemini-cli",
    "windsurf",
    "cline",
    "opencode",
];

fn run(home: &Home, arguments: &[&str]) -> (bool, String) {
    let output = home.command(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said.into_owned())
}

#[test]
fn every_client_gets_the_server_once() {
    let home = Home::new();
    for client in CLIENTS {
        let (done, said) = run(&home, &["install", client, "--sandbox"]);
        assert!(done && said.contains("has Switchboard now"), "{client}: {said}");
        let (done, said) = run(&home, &["install", client, "--sandbox"]);
        assert!(done && said.contains("already"), "{client}: {said}");
    }
}

#[test]
fn what_was_in_the_settings_stays_there() {
    let home = Home::new();
    let file = home.path().join(".cursor/mcp.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let before = "{\n  // mine\n  \"mcpServers\": {\"other\": {\"url\": \"https://example.com\"}}\n}\n";
    fs::write(&file, before).unwrap();
    let (done, said) = run(&home, &["install", "cursor", "--sandbox"]);
    let after = fs::read_to_string(&file).unwrap();
    assert!(done && after.contains("// mine") && after.contains("\"other\""), "{said}{after}");
    assert_eq!(fs::read_to_string(home.path().join(".cursor/mcp.json.bak")).unwrap(), before);
    let plain: Value = serde_json::from_str(&after.replace("// mine", "")).unwrap();
    let args = plain["mcpServers"]["switchboard"]["args"].as_array().unwrap();
    assert!(args.starts_with(&["stdio".into(), "--sandbox".into(), "--data-dir".into()]), "{args:?}");
}

#[test]
fn settings_that_cannot_be_read_are_left_alone() {
    let home = Home::new();
    let file = home.path().join(".cursor/mcp.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "{ broken").unwrap();
    let (done, said) = run(&home, &["install", "cursor"]);
    assert!(!done && said.contains("left as it is") && said.contains("--print"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "{ broken");
}

#[test]
fn printing_changes_nothing() {
    let home = Home::new();
    for client in CLIENTS {
        let (done, said) = run(&home, &["install", client, "--print"]);
        assert!(done && said.contains("switchboard") && said.contains("stdio"), "{client}: {said}");
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    let (done, said) = run(&home, &["install", "cursr"]);
    assert!(!done && said.contains("Did you mean `cursor`?"), "{said}");
}
