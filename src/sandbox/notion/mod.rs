//! Notion, offline: databases with data sources, pages, blocks, comments and people, as API version 2025-09-03 answers.

mod blocks;
mod comments;
mod errors;
mod pages;
mod properties;
mod query;
mod rich;
mod search;
mod seed;
mod sources;
mod tables;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::{blocks::Block, comments::Comment, pages::Page, sources::Database, tables as t};
use super::{
    Error,
    oauth::{ClientAuth, Pkce, Quirks, Rotation},
    pace::Limit,
    shape::{Field, Kind},
    twin::{Answer, Body, Call, Mail, Object, Outcome, Profile, Route, Run, Spec, Trouble, Twin},
    world::{Mint, Person, Scene, SeedFile},
};

/// What Notion's OAuth server does (developers.notion.com/docs/authorization).
pub const NOTION: Quirks = Quirks {
    family: "notion",
    authorize_path: "/v1/oauth/authorize",
    token_path: "/v1/oauth/token",
    revoke_path: Some("/v1/oauth/revoke"),
    access_lifetime: None,
    tells_lifetime: false,
    rotation: Rotation::SingleUse,
    pkce: Pkce::Off,
    client_auth: &[ClientAuth::Basic],
    json_body: true,
    extra: &[Field::optional("owner", Kind::Choice(&["user"]))],
    ..Quirks::STANDARD
};

/// The versions that the twin speaks; without one of them every request is refused.
const VERSIONS: [&str; 2] = ["2025-09-03", "2026-03-11"];

/// One workspace, as far as it is shared with the connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notion {
    company: String,
    me: String,
    /// People by the ids that Notion gives them.
    people: Vec<(String, Person)>,
    bot: String,
    databases: Vec<Database>,
    pages: Vec<Page>,
    blocks: BTreeMap<String, Block>,
    comments: Vec<Comment>,
    mint: Mint,
}

/// Three requests a second on average, at any pace within a minute
/// (<https://developers.notion.com/reference/request-limits>).
const LIMITS: &[Limit] = &[Limit::of(180, SignedDuration::from_mins(1), |_| Some(String::new()))];

impl Twin for Notion {
    const PROFILE: Profile = Profile { id: "notion", base_path: "", oauth: &NOTION, accepts_null: false };

    const LIMITS: &'static [Limit] = LIMITS;

    const ROUTES: &'static [Route<Self>] = &[
        Route { spec: spec("getSelf", "GET", "/v1/users/me", &[], Body::None), run: Run::Read(who_am_i) },
        Route { spec: spec("listUsers", "GET", "/v1/users", &[t::PAGED], Body::None), run: Run::Read(list_users) },
        Route {
            spec: spec("search", "POST", "/v1/search", &[], Body::Json(t::SEARCH)),
            run: Run::Read(search::search),
        },
        Route {
            spec: spec("getDatabase", "GET", "/v1/databases/{database_id}", &[], Body::None),
            run: Run::Read(sources::get_database),
        },
        Route {
            spec: spec("getDataSource", "GET", "/v1/data_sources/{data_source_id}", &[], Body::None),
            run: Run::Read(sources::get_source),
        },
        Route {
            spec: spec(
                "queryDataSource",
                "POST",
                "/v1/data_sources/{data_source_id}/query",
                &[t::ONLY],
                Body::Json(t::QUERY),
            ),
            run: Run::Read(query::query),
        },
        Route {
            spec: spec("createPage", "POST", "/v1/pages", &[t::ONLY], Body::Json(t::CREATE_PAGE)),
            run: Run::Write(pages::create),
        },
        Route {
            spec: spec("getPage", "GET", "/v1/pages/{page_id}", &[t::ONLY], Body::None),
            run: Run::Read(pages::get),
        },
        Route {
            spec: spec("updatePage", "PATCH", "/v1/pages/{page_id}", &[t::ONLY], Body::Json(t::UPDATE_PAGE)),
            run: Run::Write(pages::update),
        },
        Route {
            spec: spec("listBlockChildren", "GET", "/v1/blocks/{block_id}/children", &[t::PAGED], Body::None),
            run: Run::Read(blocks::list),
        },
        Route {
            spec: spec("appendBlockChildren", "PATCH", "/v1/blocks/{block_id}/children", &[], Body::Json(t::APPEND)),
            run: Run::Write(blocks::append),
        },
        Route {
            spec: spec("listComments", "GET", "/v1/comments", &[t::PAGED, t::ON_BLOCK], Body::None),
            run: Run::Read(comments::list),
        },
        Route {
            spec: spec("createComment", "POST", "/v1/comments", &[], Body::Json(t::COMMENT)),
            run: Run::Write(comments::create),
        },
    ];

    fn seed(scene: &Scene, file: &SeedFile) -> Result<Self, Error> {
        seed::plant(scene, file)
    }

    fn refuse(trouble: &Trouble) -> Answer {
        errors::refuse(trouble)
    }

    fn finish(answer: Answer, call: &Call<'_>) -> Outcome {
        let version = call.header("notion-version").unwrap_or_default();
        if VERSIONS.contains(&version) { Ok(answer) } else { Err(errors::no_version(version)) }
    }

    fn objects(&self) -> Vec<Object> {
        seed::objects(self)
    }

    fn mails(&self) -> &[Mail] {
        &[]
    }
}

/// Notion knows no scopes.
const fn spec(
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static [&'static [Field]],
    body: Body,
) -> Spec {
    Spec { operation, method, path, scopes: &[], query, body }
}

impl Notion {
    /// A new id: eight, four, four, four and twelve hexadecimal digits.
    fn new_id(&mut self) -> String {
        let digit = |c: char| char::from_digit(c.to_digit(32).unwrap_or_default() % 16, 16).unwrap_or('0');
        let digits: String = self.mint.id(32).chars().map(digit).collect();
        let part = |from: usize, to: usize| &digits[from..to];
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }

    /// A person in full.
    fn person(&self, id: &str) -> Option<Value> {
        let (_, person) = self.people.iter().find(|(known, _)| known == id)?;
        Some(json!({ "object": "user", "id": id, "type": "person", "person": { "email": person.email },
            "name": person.name, "avatar_url": null }))
    }

    /// The integration itself.
    fn bot(&self) -> Value {
        let owner = json!({ "type": "user", "user": self.person(&self.me) });
        json!({ "object": "user", "id": self.bot, "type": "bot", "name": "Switchboard", "avatar_url": null,
            "bot": { "owner": owner, "workspace_name": self.company, "workspace_id": self.bot,
                "workspace_limits": { "max_file_upload_size_in_bytes": 5_242_880 } } })
    }

    fn by_bot(&self) -> Value {
        json!({ "object": "user", "id": self.bot })
    }
}

/// `users/me`
#[expect(clippy::unnecessary_wraps, reason = "a row of the route table takes functions of one shape")]
fn who_am_i(world: &Notion, _: &Call<'_>) -> Outcome {
    Ok(Answer::ok(world.bot()))
}

/// `users`
fn list_users(world: &Notion, call: &Call<'_>) -> Outcome {
    let people = world.people.iter().filter_map(|(id, _)| world.person(id));
    let all: Vec<Value> = people.chain([world.bot()]).collect();
    page(all, "user", call.query("start_cursor"), call.number("page_size"))
}

/// One page of a list. A cursor is the id of what comes next.
fn page(all: Vec<Value>, kind: &str, cursor: Option<&str>, size: Option<usize>) -> Outcome {
    let from = match cursor {
        None => 0,
        Some(cursor) => all
            .iter()
            .position(|one| one["id"] == cursor)
            .ok_or_else(|| errors::invalid(&format!("The start_cursor provided is invalid: {cursor}")))?,
    };
    let size = size.unwrap_or(100);
    let next = all.get(from + size).map(|one| one["id"].clone());
    let results: Vec<_> = all.into_iter().skip(from).take(size).collect();
    let mut page = json!({ "object": "list", "results": results, "has_more": next.is_some(), "next_cursor": next,
        "type": kind });
    page[kind] = json!({});
    Ok(Answer::ok(page))
}

/// A moment as Notion writes it.
fn time(instant: Timestamp) -> String {
    format!("{instant:.3}")
}
