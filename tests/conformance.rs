//! The official conformance suite of the protocol finds nothing to complain of, in either era.
//!
//! It runs against one process at one address: the example server, which is made of the public interface only. Its
//! report lies in `target/conformance/` afterwards, and `docs/conformance.md` says what it came to;
//! `UPDATE_CONFORMANCE=1` writes that page anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use support::{Server, lacks, test_tool};

/// The suite's program among what `scripts/setup-tests.sh` installs.
const SUITE: &str = "conformance/node_modules/@modelcontextprotocol/conformance/dist/index.js";
/// The version that the counts below belong to.
const VERSION: &str = "0.2.0-alpha.12";

/// What stands before the table on the page.
const MARK: &str = "## Every scenario";

/// A set of requirements, how many of its scenarios are scored, and how many run beside them.
const SETS: &[(&str, usize, usize)] = &[("2026-07-28", 37, 13), ("2025-11-25", 30, 3)];

#[test]
fn the_official_suite_passes_in_both_eras() {
    let Some((node, suite)) = suite() else { return };
    let mut command = Command::new(example());
    command.args(["--port", "0"]).stdin(Stdio::null()).stderr(Stdio::piped());
    let server = Server::start(command);
    let mut all: BTreeMap<String, BTreeMap<&str, &'static str>> = BTreeMap::new();
    for (set, scored, beside) in SETS {
        let report = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/conformance").join(set);
        let _ = fs::remove_dir_all(&report);
        fs::create_dir_all(&report).unwrap();
        let said = Command::new(&node)
            .arg(&suite)
            .args(["server", "--requirements", set, "--url", &server.url("/mcp"), "-o"])
            .arg(&report)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&said.stdout);
        fs::write(report.join("summary.txt"), &*text).unwrap();
        assert!(said.status.success(), "{set}: {text}\n{}", String::from_utf8_lossy(&said.stderr));
        let verdicts = verdicts(&text);
        let passed = |kind: &str| verdicts.values().filter(|verdict| **verdict == kind).count();
        assert_eq!((passed("scored"), passed("not scored")), (*scored, *beside), "{set}: what passed\n{text}");
        assert_eq!(warnings(&report), Vec::<String>::new(), "{set}");
        for (scenario, verdict) in verdicts {
            all.entry(scenario.to_owned()).or_default().insert(set, verdict);
        }
    }
    holds_to_the_page(&table(&all));
}

/// The scenarios as rows, with what became of each in each set.
fn table(all: &BTreeMap<String, BTreeMap<&str, &'static str>>) -> String {
    let mut text = String::from("| scenario | 2026-07-28 | 2025-11-25 |\n|---|---|---|\n");
    for (scenario, verdicts) in all {
        let cell = |set: &str| match verdicts.get(set) {
            Some(&"scored") => "passed",
            Some(_) => "passed, not scored",
            None => "",
        };
        writeln!(text, "| `{scenario}` | {} | {} |", cell("2026-07-28"), cell("2025-11-25")).unwrap();
    }
    text
}

/// The page ends with this table, so that it cannot claim what did not happen.
fn holds_to_the_page(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/conformance.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, written) = page.split_once(MARK).expect("the page has the mark before its table");
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        fs::write(&path, format!("{head}{MARK}\n\n{table}")).unwrap();
    } else {
        assert_eq!(written.trim(), table.trim(), "docs/conformance.md is old: run this with UPDATE_CONFORMANCE=1");
    }
}

/// Node and the suite; nothing, said loudly, when one is missing.
fn suite() -> Option<(PathBuf, PathBuf)> {
    let remedy = "scripts/setup-tests.sh node conformance";
    let Some(suite) = test_tool(SUITE) else {
        lacks("the conformance suite", remedy);
        return None;
    };
    let package: Value =
        serde_json::from_slice(&fs::read(suite.parent()?.parent()?.join("package.json")).ok()?).ok()?;
    assert_eq!(package["version"], VERSION, "another version is installed; run {remedy}");
    let node = test_tool("node/node_modules/node/bin/node");
    if node.is_none() {
        lacks("node 22", remedy);
    }
    Some((node?, suite))
}

/// The example server, which cargo builds together with the tests.
fn example() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let example = own.parent().unwrap().parent().unwrap().join("examples/conformance_server");
    assert!(example.exists(), "{} is missing; run cargo build --examples", example.display());
    example
}

/// Every scenario of the summary that passed: `scored`, or `not scored`.
fn verdicts(text: &str) -> BTreeMap<&str, &'static str> {
    let summary = text.split_once("=== SUMMARY ===").map_or("", |(_, summary)| summary);
    let (all, beside) = summary.split_once("\nNot scored").unwrap_or((summary, ""));
    let name = |line: &'_ str| line.trim().strip_prefix("✓ ").is_some();
    let mut verdicts: BTreeMap<&str, &'static str> = BTreeMap::new();
    for line in all.lines().filter(|line| name(line)) {
        let scenario = line.trim().trim_start_matches("✓ ").split(':').next().unwrap_or_default();
        verdicts.insert(scenario, "scored");
    }
    for line in beside.lines().filter(|line| name(line)) {
        let scenario = line.trim().trim_start_matches("✓ ").split(' ').next().unwrap_or_default();
        verdicts.insert(scenario, "not scored");
    }
    verdicts
}

/// The checks of a report that warn.
fn warnings(report: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(report).unwrap() {
        let checks = entry.unwrap().path().join("checks.json");
        let Ok(bytes) = fs::read(&checks) else { continue };
        let checks: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        let warning = checks.iter().filter(|check| check["status"] == "WARNING");
        found.extend(warning.map(|check| check["id"].to_string()));
    }
    found
}
