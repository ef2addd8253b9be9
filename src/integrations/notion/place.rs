//! Which page, which database and which person are meant.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{PAGE, get, post, rich::words, wrong};
use crate::{
    path,
    tool::{Call, Error, Kind, Named, Result, Written, one_of},
};

/// How long a look-up is remembered: over the calls of one task, and no longer, because people change their databases.
const KEPT: Duration = Duration::from_mins(2);

/// How many pages of people are read at most.
const PAGES_OF_PEOPLE: usize = 10;

/// A data source: the table in a database, with the types of its properties.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) id: String,
    pub(super) title: String,
    /// The properties by name, as Notion describes them.
    pub(super) properties: Vec<Property>,
    /// What it is for, if somebody wrote that down.
    pub(super) description: String,
}

/// A property of a data source.
#[derive(Clone, Debug)]
pub(super) struct Property {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    /// What the kind says about itself, such as the options of a select.
    pub(super) config: Value,
}

impl Source {
    pub(super) fn of(value: &Value) -> Source {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let property = |(name, value): (&String, &Value)| {
            let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            let kind = text("type");
            Property { id: text("id"), name: name.clone(), config: value[kind.as_str()].clone(), kind }
        };
        let properties = value["properties"].as_object().into_iter().flatten().map(property).collect();
        Source {
            id: text("id"),
            title: words(&value["title"]),
            properties,
            description: words(&value["description"]),
        }
    }

    /// One of its properties, by name or id.
    pub(super) fn property(&self, name: &str) -> Result<&Property> {
        one_of("property", name, &self.properties).map_err(|error| {
            let names: Vec<_> = self.properties.iter().take(40).map(|property| property.name.as_str()).collect();
            match (error.kind(), error.next_step()) {
                (Kind::NotFound, None) => error.next(format!("`{}` has {}.", self.title, names.join(", "))),
                _ => error,
            }
        })
    }

    /// The property that holds the titles of its pages.
    pub(super) fn title_property(&self) -> &str {
        let found = self.properties.iter().find(|property| property.kind == "title");
        found.map_or("title", |property| property.name.as_str())
    }
}

impl Property {
    /// The names of its options, where it has any.
    pub(super) fn options(&self) -> Vec<&str> {
        self.config["options"].as_array().into_iter().flatten().filter_map(|option| option["name"].as_str()).collect()
    }
}

impl Named for &Property {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

impl Named for Source {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.title]
    }
}

/// A person or a bot of the workspace.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: Option<String>,
    pub(super) is_bot: bool,
}

impl Person {
    pub(super) fn of(value: &Value) -> Person {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Person {
            id: text("id"),
            name: text("name"),
            email: value["person"]["email"].as_str().map(str::to_owned),
            is_bot: value["type"] == "bot",
        }
    }
}

impl Named for Person {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        [self.name.as_str()].into_iter().chain(self.email.as_deref()).collect()
    }

    fn detail(&self) -> Option<&str> {
        self.email.as_deref()
    }
}

/// A page that was found by its title.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) is_page: bool,
}

impl Named for Found {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.title]
    }

    fn detail(&self) -> Option<&str> {
        Some(if self.is_page { "page" } else { "database" })
    }
}

/// Where a new page goes.
#[derive(Debug)]
pub(super) enum Parent {
    /// Into a data source.
    Source(Source),
    /// Below a page.
    Page(String),
}

/// The id in an id, with dashes or without, or in the address of a page.
pub(super) fn id_in(given: &str) -> Option<String> {
    let given = given.trim();
    let last = given.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let tail = if given.starts_with("http") { last.rsplit('-').next().unwrap_or_default() } else { last };
    [last, tail].into_iter().find_map(dashed)
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn dashed(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_id = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let part = |from: usize, to: usize| digits[from..to].to_lowercase();
    is_id.then(|| [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

/// A page's id, given as that, as its address, or by its title.
pub(super) async fn page_id(cx: &Call, given: &str) -> Result<String> {
    if let Some(id) = id_in(given) {
        return Ok(id);
    }
    let found = search(cx, given, Some("page")).await?;
    Ok(one_of("page", given, found).map_err(see)?.id)
}

/// A database, given by the name of it, by its id or address, or by the id of its data source.
pub(super) async fn source(cx: &Call, given: &str) -> Result<Source> {
    let given = given.trim();
    if given.is_empty() {
        return Err(wrong("`database` must be a name, an id or an address"));
    }
    let look_up = async {
        match id_in(given) {
            Some(id) => source_by_id(cx, &id).await?.ok_or_else(|| no_database(given)),
            None => source_by_name(cx, given).await,
        }
    };
    cx.recall(&format!("source {given}"), KEPT, look_up).await
}

async fn source_by_name(cx: &Call, name: &str) -> Result<Source> {
    let body = json!({ "query": name, "page_size": 50, "filter": { "property": "object", "value": "data_source" } });
    let found: Value = cx.fetch(post(path!["v1", "search"], &body).reads()).await?;
    let all: Vec<Source> = found["results"].as_array().into_iter().flatten().map(Source::of).collect();
    let found = one_of("database", name, all).map_err(see)?;
    // What a search shows of a database may be less than all of it.
    if found.properties.is_empty() { read_source(cx, &found.id).await } else { Ok(found) }
}

/// The data source of this id, or the only one in the database of this id; nothing where there is neither.
async fn source_by_id(cx: &Call, id: &str) -> Result<Option<Source>> {
    match cx.fetch::<Value>(get(path!["v1", "databases", id])).await {
        Ok(database) => only_source(cx, &database).await.map(Some),
        Err(error) if is_elsewhere(&error) => match read_source(cx, id).await {
            Ok(source) => Ok(Some(source)),
            Err(error) if is_elsewhere(&error) => Ok(None),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// Notion answers 404 for what is missing, and 400 for an id of something else.
fn is_elsewhere(error: &Error) -> bool {
    matches!(error.kind(), Kind::NotFound | Kind::Arguments)
}

async fn only_source(cx: &Call, database: &Value) -> Result<Source> {
    let title = words(&database["title"]);
    let all = database["data_sources"].as_array().cloned().unwrap_or_default();
    match &all[..] {
        [only] => read_source(cx, only["id"].as_str().unwrap_or_default()).await,
        [] => Err(Error::not_found(format!("data source in the database `{title}` that the connection may see"))),
        several => {
            let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
            let choice = |one: &Value| format!("{} [{}]", Written::by_others(text(one, "name")).line(100), text(one, "id"));
            let choices: Vec<_> = several.iter().map(choice).collect();
            Err(Error::new(Kind::Ambiguous, format!("The database `{title}` has several data sources: {}.", choices.join(", ")))
                .next("Give the id of one of them as `database`."))
        }
    }
}

/// A data source with its properties.
pub(super) async fn read_source(cx: &Call, id: &str) -> Result<Source> {
    let value: Value = cx.fetch(get(path!["v1", "data_sources", id])).await?;
    Ok(Source::of(&value))
}

/// The page or database in which something new goes.
pub(super) async fn parent(cx: &Call, given: &str) -> Result<Parent> {
    if let Some(id) = id_in(given) {
        return match source(cx, given).await {
            Ok(source) => Ok(Parent::Source(source)),
            Err(error) if error.kind() == Kind::NotFound => Ok(Parent::Page(id)),
            Err(error) => Err(error),
        };
    }
    let found = one_of("page or database", given, search(cx, given, None).await?).map_err(see)?;
    Ok(if found.is_page { Parent::Page(found.id) } else { Parent::Source(read_source(cx, &found.id).await?) })
}

/// Pages and databases with these words in their titles.
pub(super) async fn search(cx: &Call, words: &str, kind: Option<&str>) -> Result<Vec<Found>> {
    if words.trim().is_empty() {
        return Err(wrong("a page or database must be named"));
    }
    let mut body = json!({ "query": words.trim(), "page_size": 50 });
    if let Some(kind) = kind {
        body["filter"] = json!({ "property": "object", "value": kind });
    }
    let found: Value = cx.fetch(post(path!["v1", "search"], &body).reads()).await?;
    Ok(found["results"].as_array().into_iter().flatten().map(found_of).collect())
}

pub(super) fn found_of(value: &Value) -> Found {
    let is_page = value["object"] == "page";
    let title = if is_page { title_of(value) } else { words(&value["title"]) };
    Found { id: value["id"].as_str().unwrap_or_default().to_owned(), title, is_page }
}

/// The title of a page.
pub(super) fn title_of(page: &Value) -> String {
    let none = Map::new();
    let properties = page["properties"].as_object().unwrap_or(&none);
    properties.values().find(|value| value["type"] == "title").map(|value| words(&value["title"])).unwrap_or_default()
}

/// Everybody in the workspace.
pub(super) async fn people(cx: &Call) -> Result<Vec<Person>> {
    cx.recall("people", KEPT, all_people(cx)).await
}

async fn all_people(cx: &Call) -> Result<Vec<Person>> {
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_OF_PEOPLE {
        let request = get(path!["v1", "users"]).query("page_size", PAGE).query_opt("start_cursor", cursor.as_deref());
        let page: Value = cx.fetch(request).await?;
        all.extend(page["results"].as_array().into_iter().flatten().map(Person::of));
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    Ok(all)
}

/// The id of a person, by name, address or id.
pub(super) async fn person_id(cx: &Call, given: &str) -> Result<String> {
    if let Some(id) = id_in(given) {
        return Ok(id);
    }
    let address = given.rsplit_once('<').map_or(given, |(_, rest)| rest.trim_end_matches('>'));
    let found = one_of("person", address, people(cx).await?).map_err(|error| match error.next_step() {
        None => error.next("`notion_list_users` shows who is there."),
        Some(_) => error,
    })?;
    Ok(found.id)
}

fn no_database(given: &str) -> Error {
    Error::not_found(format!("database `{given}` that is shared with the connection"))
        .next("`notion_search` shows what is shared; more is shared in the menu of a page, under Connections.")
}

fn see(error: Error) -> Error {
    match (error.kind(), error.next_step()) {
        (Kind::NotFound, None) => {
            error.next("`notion_search` shows what is shared; more is shared in the menu of a page, under Connections.")
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_all_forms() {
        let id = "1b2f3a4c-5d6e-7f80-9a0b-1c2d3e4f5061";
        for given in [
            id,
            "1b2f3a4c5d6e7f809a0b1c2d3e4f5061",
            "https://www.notion.so/acme/Launch-plan-1b2f3a4c5d6e7f809a0b1c2d3e4f5061?v=1",
            "https://www.notion.so/1B2F3A4C5D6E7F809A0B1C2D3E4F5061#part",
        ] {
            assert_eq!(id_in(given).as_deref(), Some(id), "{given}");
        }
        for given in ["Launch plan", "1b2f", "", "https://www.notion.so/"] {
            assert_eq!(id_in(given), None, "{given}");
        }
    }
}
