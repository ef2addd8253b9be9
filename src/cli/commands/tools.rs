//! `tools` and `search`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    cli::{
        options::{Search, Tools},
        order::{Failure, Order, ToolView},
        session::Session,
        show::{self, Cell, FAINT, STRONG},
    },
    hub::Filters,
    tool::{relevance, words},
};

/// The median and the most that a tool may cost a model to know.
pub const BUDGET: (usize, usize) = (180, 600);

/// `switchboard tools`
pub async fn list(session: &mut Session, tools: &Tools) -> Result<(), Failure> {
    let filters = match &tools.integration {
        Some(id) => Filters { toolsets: Some(BTreeSet::from([id.clone()])), ..Filters::default() },
        None => Filters::everything(),
    };
    let all: Vec<ToolView> = session.ask("looking", Order::Tools { filters }).await?;
    if let (true, Some(id)) = (all.is_empty(), &tools.integration) {
        return Err(
            Failure::new(format!("There is no integration `{id}`.")).next("`switchboard tools` lists all tools.")
        );
    }
    if let Some(name) = &tools.tool {
        return describe(&all, name, tools.json);
    }
    if tools.json {
        return show::json(&all.iter().map(|tool| &tool.definition).collect::<Vec<_>>());
    }
    if tools.tokens {
        print_tokens(&all);
    } else {
        print_tools(&all);
    }
    Ok(())
}

/// One tool, and what it takes.
fn describe(tools: &[ToolView], wanted: &str, json: bool) -> Result<(), Failure> {
    let Some(tool) = tools.iter().find(|tool| name(tool) == wanted) else {
        let near = crate::text::nearest(wanted, tools.iter().map(name));
        let near = near.map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
        return Err(
            Failure::new(format!("There is no tool `{wanted}`.{near}")).next("`switchboard tools` lists them all.")
        );
    };
    if json {
        return show::json(&tool.definition);
    }
    show::line(&format!("{}\n{}\n", show::styled(STRONG, wanted), text(tool, "description")));
    let rows = parameters(&tool.definition["inputSchema"]);
    show::line(&if rows.is_empty() { "It takes nothing.".into() } else { show::table(&rows) });
    Ok(())
}

/// A row for each parameter: its name, whether it is needed, and what it is.
fn parameters(schema: &Value) -> Vec<Vec<Cell>> {
    let needed = |name: &String| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let properties = schema["properties"].as_object().into_iter().flatten();
    let row = |(name, parameter): (&String, &Value)| {
        let mark = if needed(name) { "needed" } else { "" };
        let about = parameter["description"].as_str().unwrap_or_default();
        vec![Cell::styled(STRONG, format!("  {name}")), Cell::styled(FAINT, mark), Cell::new(about)]
    };
    properties.map(row).collect()
}

fn print_tools(tools: &[ToolView]) {
    let mut heading = "";
    for tool in tools {
        if heading != tool.integration_title {
            let gap = if heading.is_empty() { "" } else { "\n" };
            show::line(&format!("{gap}{}", show::styled(STRONG, &tool.integration_title)));
            heading = &tool.integration_title;
        }
        let mark = if tool.core { " " } else { "·" };
        show::line(&format!(" {mark}{:<40} {}", name(tool), show::styled(FAINT, first_sentence(tool))));
    }
    if tools.iter().any(|tool| !tool.core) {
        show::aside("· is offered only when asked for, with --tools or --toolsets.");
    }
}

fn print_tokens(tools: &[ToolView]) {
    let mut rows: Vec<_> = tools.iter().map(|tool| vec![Cell::new(name(tool)), Cell::figure(tool.tokens)]).collect();
    let core = tools.iter().filter(|tool| tool.core).map(|tool| tool.tokens).sum();
    rows.push(vec![Cell::styled(STRONG, "the core, which an agent gets by default"), Cell::figure(core)]);
    rows.push(vec![Cell::styled(STRONG, "all"), Cell::figure(tools.iter().map(|tool| tool.tokens).sum())]);
    show::line(&show::table(&rows));
    let mut costs: Vec<_> = tools.iter().map(|tool| tool.tokens).collect();
    costs.sort_unstable();
    let median = costs.get(costs.len() / 2).copied().unwrap_or_default();
    show::aside(&format!(
        "Tokens of four bytes: name, description and input schema. Median {median} (at most {}), largest {} (at most {}).",
        BUDGET.0,
        costs.last().copied().unwrap_or_default(),
        BUDGET.1
    ));
}

/// `switchboard search`
pub async fn search(session: &mut Session, search: &Search) -> Result<(), Failure> {
    let all: Vec<ToolView> = session.ask("looking", Order::Tools { filters: Filters::everything() }).await?;
    let wanted = words(&search.words.join(" "));
    let scored = all.iter().map(|tool| (relevance(&tool.definition, &wanted), tool));
    let mut found: Vec<_> = scored.filter(|(score, _)| *score > 0).collect();
    found.sort_by_key(|(score, tool)| (std::cmp::Reverse(*score), name(tool).to_owned()));
    if found.is_empty() {
        return Err(Failure::new(format!("No tool is about `{}`.", search.words.join(" ")))
            .next("`switchboard tools` lists them all."));
    }
    for (_, tool) in found.iter().take(10) {
        show::line(&format!("{}\n  {}", show::styled(STRONG, name(tool)), first_sentence(tool)));
    }
    Ok(())
}

fn name(tool: &ToolView) -> &str {
    text(tool, "name")
}

fn text<'a>(tool: &'a ToolView, field: &str) -> &'a str {
    tool.definition.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn first_sentence(tool: &ToolView) -> &str {
    let description = text(tool, "description");
    description.split_once(". ").map_or(description, |(first, _)| first).trim_end_matches('.')
}
