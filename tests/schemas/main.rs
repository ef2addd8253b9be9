//! `schemas/` says what the code says: `UPDATE_SCHEMAS=1 cargo test --test schemas` rewrites it.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod dialects;

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::json;
use switchboard::{
    integrations, schema,
    tool::{Integration, Row},
};

/// What a model may pay for one tool, and for half of them.
const MOST_TOKENS: usize = 600;
const MEDIAN_TOKENS: usize = 180;
/// What the core tools of one integration may cost together.
fn most_of_a_core(integration: &Integration) -> usize {
    // Moments, zones and guests take more words than records do.
    if integration.id == "google-calendar" { 1_340 } else { 1_080 }
}

fn rows_of(integration: &'static Integration) -> impl Iterator<Item = Row> {
    integration.tools.iter().map(|def| Row::constant(integration.toolset(), def))
}

fn rows() -> impl Iterator<Item = Row> {
    integrations::ALL.iter().copied().flat_map(rows_of)
}

/// What the tools of an integration begin with.
fn prefix(integration: &Integration) -> String {
    integration.id.replace('-', "_") + "_"
}

/// The definition as clients see it, with what they do not see: the effect and the scopes.
fn written(row: &Row) -> String {
    let mut definition = row.definition().clone();
    definition["effect"] = json!(row.effect());
    definition["scopes"] = json!(row.scopes().0);
    serde_json::to_string_pretty(&definition).unwrap() + "\n"
}

#[test]
fn schemas_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    let mut expected = BTreeSet::new();
    let mut stale = Vec::new();
    for integration in integrations::ALL {
        fs::create_dir_all(root.join(integration.id)).unwrap();
        for row in rows_of(integration) {
            let verb_object = row.name().strip_prefix(&prefix(integration)).unwrap();
            let file = format!("{}/{verb_object}.json", integration.id);
            if fs::read_to_string(root.join(&file)).unwrap_or_default() != written(&row) {
                if update {
                    fs::write(root.join(&file), written(&row)).unwrap();
                } else {
                    stale.push(file.clone());
                }
            }
            expected.insert(file);
        }
    }
    let leftover = files(&root).into_iter().filter(|file| !expected.contains(file));
    stale.extend(leftover.map(|file| format!("{file} belongs to no tool")));
    assert!(stale.is_empty(), "run `UPDATE_SCHEMAS=1 cargo test --test schemas`: {stale:#?}");
}

/// `integration/verb_object.json` of everything that is there.
fn files(root: &Path) -> Vec<String> {
    let folders = fs::read_dir(root).unwrap().map(|folder| folder.unwrap().path());
    let entries = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    entries.map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
}

/// What stands in the README between its two marks.
const BEGIN: &str = "<!-- integrations: written by the test of the schemas -->\n";
const END: &str = "<!-- end of the integrations -->\n";

#[test]
fn the_readme_lists_every_integration() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (listed, after) = rest.split_once(END).unwrap();
    let rows = integrations::ALL.iter().map(|integration| {
        let category = json!(integration.category);
        let (title, id, count) = (integration.title, integration.id, integration.tools.len());
        format!("| {title} | {} | {count} | `switchboard connect {id}` |\n", category.as_str().unwrap())
    });
    let table = format!("| | category | tools | connect |\n|---|---|---|---|\n{}", rows.collect::<String>());
    if listed == table {
        return;
    }
    assert!(std::env::var_os("UPDATE_SCHEMAS").is_some(), "run `UPDATE_SCHEMAS=1 cargo test --test schemas`");
    fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
}

#[test]
fn every_schema_is_portable() {
    for row in rows() {
        for side in ["inputSchema", "outputSchema"] {
            let found = schema::violations(&row.definition()[side]);
            assert!(found.is_empty(), "{} {side}: {found:#?}", row.name());
        }
    }
}

#[test]
fn every_tool_says_what_it_does() {
    for row in rows() {
        assert!(row.description().len() > 40, "{}: {:?}", row.name(), row.description());
        assert!(!row.description().contains('`') || row.description().matches('`').count() % 2 == 0, "{}", row.name());
        assert_eq!(row.definition()["annotations"]["idempotentHint"], row.is_idempotent(), "{}", row.name());
    }
}

#[test]
fn names_belong_to_their_integration() {
    let mut seen = BTreeSet::new();
    for integration in integrations::ALL {
        for row in rows_of(integration) {
            let name = row.name().to_owned();
            assert!(name.starts_with(&prefix(integration)), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
            assert!(name.len() <= 40, "{name}");
            assert!(seen.insert(name.clone()), "{name} is there twice");
        }
    }
}

#[test]
fn core_sets_are_small_and_known() {
    for integration in integrations::ALL {
        let names = integration.tools.iter().map(|def| def.name.as_ref()).collect::<BTreeSet<_>>();
        assert!((1..=6).contains(&integration.core.len()), "{}", integration.id);
        for name in integration.core {
            assert!(names.contains(name), "{name} is no tool of {}", integration.id);
        }
        let core = rows_of(integration).filter(|row| integration.core.contains(&row.name()));
        let costs: Vec<_> = core.map(|row| (row.tokens(), row.name().to_owned())).collect();
        let cost: usize = costs.iter().map(|(tokens, _)| tokens).sum();
        assert!(cost <= most_of_a_core(integration), "the core of {} costs {cost}: {costs:#?}", integration.id);
    }
}

#[test]
fn tools_are_cheap_to_know() {
    for integration in integrations::ALL {
        let mut costs = rows_of(integration).map(|row| (row.tokens(), row.name().to_owned())).collect::<Vec<_>>();
        costs.sort();
        let middle = |at: usize| costs[at].0;
        let median = usize::midpoint(middle((costs.len() - 1) / 2), middle(costs.len() / 2));
        let (most, name) = &costs[costs.len() - 1];
        assert!(median <= MEDIAN_TOKENS, "{}: the median is {median}: {costs:#?}", integration.id);
        assert!(*most <= MOST_TOKENS, "{name} costs {most}");
    }
}

#[test]
fn unknown_arguments_are_refused_by_every_tool() {
    for row in rows() {
        let problems = schema::check(row.input(), &json!({ "no_such_argument": 1 }));
        assert!(problems.iter().any(|problem| problem.contains("no_such_argument")), "{}", row.name());
    }
}

#[test]
fn every_write_names_its_scopes() {
    // Where the person picks pages instead, the vendor knows no scopes.
    let knows_scopes = |integration: &&&Integration| integration.oauth.is_some() && integration.id != "notion";
    for integration in integrations::ALL.iter().filter(knows_scopes) {
        for row in rows_of(integration) {
            assert!(row.scopes().smallest().is_some(), "{}", row.name());
        }
    }
}
