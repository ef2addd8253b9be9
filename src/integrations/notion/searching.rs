//! Finding pages, databases and people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    get,
    place::{Found, Person, found_of},
    post,
};
use crate::{
    path,
    tool::{Answer, Call, Cursor, Effect, Finder, Left, Result, Scopes, Tool, Written},
};

/// How a page or a database is found by words.
pub(super) const fn by_title(beside: &'static [(&'static str, &'static str)]) -> Finder {
    Finder { tool: Search::NAME, words: "query", beside, list: "found", id: "id", name: "title" }
}

/// Finds pages and databases by words in their titles, the latest first. Content is not searched.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// Such as `launch`; empty for all.
    query: String,
    /// `page` or `database`; else both.
    #[serde(rename = "type")]
    kind: Option<What>,
    /// How many; else 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

// What is looked for. The field says what a model must know, so the schema stays short.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum What {
    Page,
    Database,
}

/// Some pages and databases.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Hits {
    /// The one that was edited last comes first.
    found: Vec<Hit>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A page or a database.
#[derive(Debug, Serialize, JsonSchema)]
struct Hit {
    /// Its id; other tools take it.
    id: String,
    /// What it is called.
    title: Written,
    /// `page` or `database`.
    #[serde(rename = "type")]
    kind: String,
}

impl Hit {
    fn of(found: Found) -> Hit {
        let title = Written::by_others(&found.title).line(200).non_empty();
        let kind = if found.is_page { "page" } else { "database" };
        Hit { id: found.id, title: title.unwrap_or_else(|| Written::by_account("(no title)")), kind: kind.into() }
    }
}

impl Answer for Hits {
    fn text(&self) -> String {
        let none = self.found.is_empty().then(|| "Nothing found.".to_owned());
        let lines = self.found.iter().map(|hit| format!("{} [{}]  {}", hit.title, hit.id, hit.kind));
        none.into_iter().chain(lines).chain(Left::line(self.next_cursor.as_deref())).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for Search {
    const NAME: &'static str = "notion_search";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Hits;

    async fn call(self, cx: &Call) -> Result<Hits> {
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let newest = json!({ "timestamp": "last_edited_time", "direction": "descending" });
        let mut body = json!({ "query": self.query.trim(), "page_size": self.limit.unwrap_or(20), "sort": newest });
        if let Some(kind) = self.kind {
            let kind = if matches!(kind, What::Page) { "page" } else { "data_source" };
            body["filter"] = json!({ "property": "object", "value": kind });
        }
        if let Some(cursor) = cursor {
            body["start_cursor"] = cursor.into();
        }
        let found: Value = cx.fetch(post(path!["v1", "search"], &body).reads()).await?;
        let next_cursor = found["next_cursor"].as_str().map(|cursor| Cursor::wrap(Self::NAME, cursor));
        let hits = found["results"].as_array().into_iter().flatten().map(|one| Hit::of(found_of(one))).collect();
        Ok(Hits { found: hits, next_cursor })
    }
}

/// Shows the people of the workspace, to assign or mention them. Other tools take their names, too.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListUsers {
    /// How many; else 50.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// Some people.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Users {
    /// In Notion's order.
    users: Vec<User>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Somebody, or a bot.
#[derive(Debug, Serialize, JsonSchema)]
struct User {
    /// Its id.
    id: String,
    /// What they are called.
    name: Written,
    /// The address, where it may be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Whether it is an integration.
    is_bot: bool,
}

impl User {
    fn of(person: Person) -> User {
        let name = Written::by_others(&person.name).line(100);
        User { id: person.id, name, email: person.email, is_bot: person.is_bot }
    }

    fn line(&self) -> String {
        let email = self.email.as_ref().map(|email| format!("  {email}")).unwrap_or_default();
        let bot = if self.is_bot { "  bot" } else { "" };
        format!("{} [{}]{email}{bot}", self.name, self.id)
    }
}

impl Answer for Users {
    fn text(&self) -> String {
        let lines = self.users.iter().map(User::line);
        lines.chain(Left::line(self.next_cursor.as_deref())).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ListUsers {
    const NAME: &'static str = "notion_list_users";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Users;

    async fn call(self, cx: &Call) -> Result<Users> {
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let request = get(path!["v1", "users"])
            .query("page_size", self.limit.unwrap_or(50))
            .query_opt("start_cursor", cursor);
        let page: Value = cx.fetch(request).await?;
        let next_cursor = page["next_cursor"].as_str().map(|cursor| Cursor::wrap(Self::NAME, cursor));
        let users = page["results"].as_array().into_iter().flatten().map(|one| User::of(Person::of(one))).collect();
        Ok(Users { users, next_cursor })
    }
}
