//! Databases: what is in them, and what they are made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    filter::filter,
    page::{BRIEF, Page},
    place::{Property, Source, source},
    post,
    searching::by_title,
    titles::titles,
};
use crate::{
    path,
    tool::{Answer, Call, Condition, Cursor, Effect, Left, Readable, Result, Scopes, Tool, Written},
};

/// Shows pages of a database, filtered and sorted, with the ids that other tools take. Names of properties come from
/// `notion_get_database`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QueryDatabase {
    /// Name, id or address, such as `Tasks`.
    database: String,
    /// All have to hold.
    filter: Option<Vec<Condition>>,
    /// Properties, such as `Due desc`.
    sort: Option<Vec<String>>,
    /// How many; else 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// To go on: from the last answer, beside the same arguments.
    cursor: Option<String>,
}

/// Some pages.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Pages {
    /// The database's name.
    database: Written,
    /// In the order that was asked for.
    pages: Vec<Page>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Answer for Pages {
    fn text(&self) -> String {
        let none = self.pages.is_empty().then(|| "No pages.".to_owned());
        let lines = self.pages.iter().map(Page::line);
        none.into_iter().chain(lines).chain(Left::line(self.next_cursor.as_deref())).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for QueryDatabase {
    const NAME: &'static str = "notion_query_database";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Pages;

    async fn call(self, cx: &Call) -> Result<Pages> {
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let source = source(cx, &self.database).await?;
        let mut body = json!({ "page_size": self.limit.unwrap_or(20) });
        if let Some(filter) = filter(cx, &source, self.filter.as_deref().unwrap_or_default()).await? {
            body["filter"] = filter;
        }
        let sorts = self.sort.iter().flatten().map(|order| sort(&source, order)).collect::<Result<Vec<_>>>()?;
        if !sorts.is_empty() {
            body["sorts"] = sorts.into();
        }
        if let Some(cursor) = cursor {
            body["start_cursor"] = cursor.into();
        }
        let found: Value = cx.fetch(post(path!["v1", "data_sources", &source.id, "query"], &body).reads()).await?;
        let next_cursor = found["next_cursor"].as_str().map(|cursor| Cursor::wrap(Self::NAME, cursor));
        let found = found["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        let titles = titles(cx, found).await;
        let pages = found.iter().map(|page| Page::of(page, BRIEF, &titles)).collect();
        Ok(Pages { database: Written::by_others(&source.title).line(100), pages, next_cursor })
    }
}

/// `Due desc`; the last word is a direction unless it belongs to the name.
fn sort(source: &Source, order: &str) -> Result<Value> {
    let order = order.trim();
    let direction = |word: &str| match word.to_lowercase().as_str() {
        "desc" | "descending" => Some("descending"),
        "asc" | "ascending" => Some("ascending"),
        _ => None,
    };
    let split = order.rsplit_once(' ').and_then(|(name, word)| Some((name, direction(word)?)));
    let (name, direction) = split.filter(|_| source.property(order).is_err()).unwrap_or((order, "ascending"));
    Ok(json!({ "property": source.property(name)?.name, "direction": direction }))
}

/// Shows the properties of a database with their types and options. Call it before writing to a database that is not
/// known yet.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetDatabase {
    /// Name, id or address, such as `Tasks`.
    database: String,
}

/// A database.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Database {
    /// The id of its data source; other tools take it as `database`.
    id: String,
    /// What it is called.
    title: Written,
    /// What it is for, if somebody wrote that down.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Written>,
    /// Its properties; the one of type `title` names a page.
    properties: Vec<Entry>,
}

/// One property.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// What it is called.
    name: Written,
    /// Notion's type, such as `status`.
    #[serde(rename = "type")]
    kind: String,
    /// What it may hold, where that is limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Written>,
}

impl Entry {
    fn of(property: &Property) -> Entry {
        let options = property.options().join(" | ");
        Entry {
            name: Written::by_others(&property.name).line(100),
            kind: property.kind.clone(),
            options: Written::by_others(options).line(1_000).non_empty(),
        }
    }

    fn line(&self) -> String {
        let options = self.options.as_ref().map(|options| format!(": {}", options.as_str())).unwrap_or_default();
        format!("- {} ({}{options})", self.name.as_str(), self.kind)
    }
}

impl Answer for Database {
    fn text(&self) -> String {
        let about = self.description.as_ref().map(|about| format!("  {}", about.as_str())).unwrap_or_default();
        let head = format!("{} [{}]{about}", self.title.as_str(), self.id);
        let lines = std::iter::once(head).chain(self.properties.iter().map(Entry::line));
        // One fence around the whole: names are everywhere in it.
        Written::by_others(lines.collect::<Vec<_>>().join("\n")).to_string()
    }
}

impl Tool for GetDatabase {
    const NAME: &'static str = "notion_get_database";
    const EFFECT: Effect = Effect::Reads;
    const READABLE: &'static [Readable] = &[Readable::record("notion://database/{database}", "Database")
        .found_by(by_title(&[("query", ""), ("type", "database")]))];
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Database;

    async fn call(self, cx: &Call) -> Result<Database> {
        let source = source(cx, &self.database).await?;
        Ok(Database {
            title: Written::by_others(&source.title).line(200),
            description: Written::by_others(&source.description).line(300).non_empty(),
            properties: source.properties.iter().map(Entry::of).collect(),
            id: source.id,
        })
    }
}
