//! Four tools in place of all (`--discovery`): find a tool, look at it, and call it to look or to change something.
//!
//! A call through them is the call of the tool itself: its own rights, questions, bounds and line in the audit.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{CallRequest, own::TOOLSET};
use crate::tool::{Answer, Call, Effect, Error, Kind, Result, Row, Scopes, Tool, ToolDef, relevance, words};

/// How many tools a search shows.
const SHOWN: usize = 8;

const TOOLS: &[ToolDef] =
    &[ToolDef::of::<Search>(), ToolDef::of::<Describe>(), ToolDef::of::<Look>(), ToolDef::of::<Write>()];

/// The four, ready to be listed.
pub(super) fn rows() -> Vec<Arc<Row>> {
    TOOLS.iter().map(|def| Arc::new(Row::constant(TOOLSET, def))).collect()
}

/// What a call through one of them is really about: the tool and its arguments. `None` for any other call.
///
/// # Errors
/// It names no tool, or its arguments are no object.
pub(super) fn meant(request: &CallRequest) -> Option<Result<Meant>> {
    let looks = request.tool == Look::NAME;
    (looks || request.tool == Write::NAME).then(|| Meant::read(&request.arguments, looks))
}

/// A call through one of the four.
pub(super) struct Meant {
    pub(super) tool: String,
    pub(super) arguments: Map<String, Value>,
    looks: bool,
}

impl Meant {
    fn read(given: &Map<String, Value>, looks: bool) -> Result<Meant> {
        let tool = given.get("tool").and_then(Value::as_str);
        let tool = tool.ok_or_else(|| Error::arguments(["`tool` is missing: the name of the tool to call".into()]))?;
        if let Some(unknown) = given.keys().find(|name| !matches!(name.as_str(), "tool" | "arguments")) {
            return Err(Error::arguments([format!(
                "`{unknown}` is unknown here: what the tool takes belongs into `arguments`"
            )]));
        }
        let arguments = match given.get("arguments") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(arguments)) => arguments.clone(),
            Some(Value::String(text)) if text.trim().is_empty() => Map::new(),
            Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| not_json())?,
            Some(_) => return Err(not_json()),
        };
        Ok(Meant { tool: tool.to_owned(), arguments, looks })
    }

    /// Whether the tool is called by the one that is for its kind: clients let the looking one pass without asking.
    pub(super) fn check(&self, row: &Row) -> Result<()> {
        match (self.looks, row.effect() == Effect::Reads) {
            (true, false) => Err(Error::new(Kind::NotAllowed, format!("`{}` does more than look.", self.tool))
                .next(format!("Call it with `{}`.", Write::NAME))),
            (false, true) => Err(Error::new(Kind::NotAllowed, format!("`{}` only looks.", self.tool))
                .next(format!("Call it with `{}`.", Look::NAME))),
            _ if matches!(row.name(), Look::NAME | Write::NAME) => {
                Err(Error::arguments(["`tool` names the tool itself, not a way to it".into()]))
            }
            _ => Ok(()),
        }
    }
}

/// A tool that the caller does not have.
pub(super) fn unknown(name: &str, nearest: Option<&str>) -> Error {
    let next =
        nearest.map_or_else(|| format!("`{}` finds tools.", Search::NAME), |near| format!("Did you mean `{near}`?"));
    Error::not_found(format!("tool `{}` here", crate::text::quote(name))).next(next)
}

fn not_json() -> Error {
    Error::arguments(["`arguments` is a JSON object written as text, such as `{\"limit\": 5}`".into()])
}

/// Finds tools of the connected accounts by words. Start here: the tools themselves are not listed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// What to do, such as `book a meeting`; leave it empty to see every tool.
    query: String,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
struct Found {
    /// The best first.
    tools: Vec<Line>,
    /// How many more there are.
    more: usize,
}

/// One tool.
#[derive(Serialize, JsonSchema)]
struct Line {
    /// Its name.
    name: String,
    /// What it does.
    about: String,
    /// Whether it does more than look.
    writes: bool,
}

impl Answer for Found {
    fn text(&self) -> String {
        if self.tools.is_empty() {
            return "No tool fits. Use other words, or `switchboard_connections` to see what can be connected.".into();
        }
        let line =
            |line: &Line| format!("{} ({}): {}", line.name, if line.writes { "writes" } else { "looks" }, line.about);
        let more = (self.more > 0).then(|| format!("{} more fit less well.", self.more));
        self.tools.iter().map(line).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for Search {
    const NAME: &'static str = "switchboard_search_tools";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Found;

    async fn call(self, cx: &Call) -> Result<Found> {
        let wanted = words(&self.query);
        let rows = cx.rows().await?;
        let scored = rows.iter().map(|row| (relevance(row.definition(), &wanted), row));
        let mut fitting: Vec<_> = scored.filter(|(score, _)| wanted.is_empty() || *score > 0).collect();
        fitting.sort_by_key(|(score, row)| (std::cmp::Reverse(*score), row.name().to_owned()));
        let most = if wanted.is_empty() { fitting.len() } else { SHOWN };
        let tools = fitting.iter().take(most).map(|(_, row)| Line::of(row)).collect();
        Ok(Found { tools, more: fitting.len().saturating_sub(most) })
    }
}

impl Line {
    fn of(row: &Row) -> Line {
        let about = row.description().split_once(". ").map_or(row.description(), |(first, _)| first);
        Line { name: row.name().to_owned(), about: about.to_owned(), writes: row.effect() != Effect::Reads }
    }
}

/// Shows what a tool does and which arguments it takes. Look at it before the first call.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Describe {
    /// Its name, such as `google_calendar_list_meetings`.
    tool: String,
}

/// A tool.
#[derive(Serialize, JsonSchema)]
struct Described {
    /// Its name.
    name: String,
    /// What it does.
    description: String,
    /// The schema of its arguments, as JSON text.
    arguments: String,
    /// The tool to call it with.
    call_with: String,
}

impl Answer for Described {
    fn text(&self) -> String {
        let Described { name, description, arguments, call_with } = self;
        format!("{name}: {description}\nArguments: {arguments}\nCall it with `{call_with}`.")
    }
}

impl Tool for Describe {
    const NAME: &'static str = "switchboard_describe_tool";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Described;

    async fn call(self, cx: &Call) -> Result<Described> {
        let rows = cx.rows().await?;
        let row = rows.iter().find(|row| row.name() == self.tool);
        let near = || crate::text::nearest(&self.tool, rows.iter().map(|row| row.name()));
        let row = row.ok_or_else(|| unknown(&self.tool, near()))?;
        let call_with = if row.effect() == Effect::Reads { Look::NAME } else { Write::NAME };
        Ok(Described {
            name: row.name().to_owned(),
            description: row.description().to_owned(),
            arguments: row.input().to_string(),
            call_with: call_with.to_owned(),
        })
    }
}

/// Calls a tool that only looks and changes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the door reads them before")]
struct Look {
    /// The tool's name, such as `google_calendar_list_meetings`.
    tool: String,
    /// Its arguments as JSON text, such as `{"limit": 5}`.
    arguments: Option<String>,
}

/// Calls a tool that adds, changes, sends or deletes something. A person may be asked first.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the door reads them before")]
struct Write {
    /// The tool's name, such as `google_calendar_schedule_meeting`.
    tool: String,
    /// Its arguments as JSON text, such as `{"title": "Review"}`.
    arguments: Option<String>,
}

/// What never comes back from here: the door calls the tool itself.
#[derive(Serialize, JsonSchema)]
struct Nothing {}

impl Answer for Nothing {
    fn text(&self) -> String {
        String::new()
    }
}

impl Tool for Look {
    const NAME: &'static str = "switchboard_call_read";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Nothing;

    async fn call(self, _cx: &Call) -> Result<Nothing> {
        Err(Error::internal("the door takes these calls apart"))
    }
}

impl Tool for Write {
    const NAME: &'static str = "switchboard_call_write";
    const EFFECT: Effect = Effect::Changes;
    const IDEMPOTENT: bool = false;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Nothing;

    async fn call(self, _cx: &Call) -> Result<Nothing> {
        Err(Error::internal("the door takes these calls apart"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_four_are_cheap_to_know_and_portable() {
        let rows = rows();
        let names: Vec<_> = rows.iter().map(|row| row.name()).collect();
        assert_eq!(names, [Search::NAME, Describe::NAME, Look::NAME, Write::NAME]);
        let tokens: usize = rows.iter().map(|row| row.tokens()).sum();
        assert!(tokens < 1100, "{tokens}");
        for row in &rows {
            assert_eq!(crate::schema::violations(row.input()), Vec::<String>::new(), "{}", row.name());
        }
    }

    #[test]
    fn arguments_come_as_text_or_as_they_are() {
        let read =
            |given: Value| Meant::read(given.as_object().unwrap(), true).map(|meant| Value::Object(meant.arguments));
        let wanted = json!({"limit": 5});
        assert_eq!(read(json!({"tool": "a", "arguments": "{\"limit\": 5}"})).unwrap(), wanted);
        assert_eq!(read(json!({"tool": "a", "arguments": {"limit": 5}})).unwrap(), wanted);
        for nothing in
            [json!({"tool": "a"}), json!({"tool": "a", "arguments": ""}), json!({"tool": "a", "arguments": null})]
        {
            assert_eq!(read(nothing).unwrap(), json!({}));
        }
        for wrong in [
            json!({}),
            json!({"tool": "a", "arguments": "five"}),
            json!({"tool": "a", "arguments": [5]}),
            json!({"tool": "a", "limit": 5}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
