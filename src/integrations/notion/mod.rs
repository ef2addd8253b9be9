//! Notion: databases, pages, comments.

use std::{num::NonZeroU32, time::Duration};

use serde_json::{Map, Value};

use self::{
    commenting::{AddComment, ListComments},
    creating::{AppendContent, CreatePage},
    databases::{GetDatabase, QueryDatabase},
    pages::{GetPage, UpdatePage},
    searching::{ListUsers, Search},
};
use crate::{
    http::{Path, Rate, Request},
    oauth::{ClientAuth, Pkce, Provider, Revocation, TokenBody},
    path,
    text::Transformation,
    tool::{
        self, Call, Category, Error, Field, Identity, Integration, Leads, Question, Result, ToolDef, excerpt,
    },
};

mod commenting;
mod creating;
mod databases;
mod errors;
mod filter;
mod markdown;
mod page;
mod pages;
mod place;
mod properties;
mod rendering;
mod rich;
mod searching;
mod titles;

/// Notion's API.
pub const INTEGRATION: Integration = Integration {
    id: "notion",
    title: "Notion",
    category: Category::Productivity,
    docs: "https://developers.notion.com/reference/intro",
    console: Some("https://www.notion.so/my-integrations"),
    base_url: "https://api.notion.com",
    oauth: Some(NOTION),
    fields: &[Field {
        name: "token",
        label: "Integration secret",
        secret: true,
        required: true,
        help: "Made at notion.so/my-integrations; then connect the integration to the pages that it may use, in their \
               menu under Connections.",
    }],
    sign: tool::bearer,
    rate: Some(RATE),
    explain: errors::explain,
    is_limit: None,
    status: None,
    probe: |cx| Box::pin(probe(cx)),
    base_scopes: &[],
    tools: &[
        ToolDef::of::<Search>(),
        ToolDef::of::<QueryDatabase>(),
        ToolDef::of::<GetPage>(),
        ToolDef::of::<CreatePage>(),
        ToolDef::of::<UpdatePage>(),
        ToolDef::of::<AppendContent>(),
        ToolDef::of::<GetDatabase>(),
        ToolDef::of::<AddComment>(),
        ToolDef::of::<ListComments>(),
        ToolDef::of::<ListUsers>(),
    ],
    core: &[
        "notion_search",
        "notion_query_database",
        "notion_get_page",
        "notion_create_page",
        "notion_update_page",
        "notion_append_content",
    ],
};

/// Sign-in with Notion. It knows no scopes: the person picks pages.
const NOTION: Provider = Provider {
    family: "notion",
    authorize_url: "https://api.notion.com/v1/oauth/authorize",
    token_url: "https://api.notion.com/v1/oauth/token",
    revoke_url: Some("https://api.notion.com/v1/oauth/revoke"),
    revocation: Revocation::AccessToken,
    extra: &[("owner", "user")],
    pkce: Pkce::Off,
    client_auth: ClientAuth::Basic,
    body: TokenBody::Json,
    rotates: true,
    headers: &[("notion-version", VERSION)],
    ..Provider::STANDARD
};

/// Notion lets a connection ask so often a minute as its plan says, three times a second at the least, in a row or spread
/// (<https://developers.notion.com/reference/request-limits>). A minute of these are 180 requests.
const RATE: Rate = Rate::bursts(NonZeroU32::new(30).expect("thirty is not zero"), Duration::from_millis(400));

/// The version whose databases hold data sources. Every request names it.
const VERSION: &str = "2025-09-03";

/// How many things Notion puts on a page at most.
const PAGE: u32 = 100;

fn get(path: Path) -> Request {
    Request::get(path).header("notion-version", VERSION)
}

fn post(path: Path, body: &Value) -> Request {
    Request::post(path).header("notion-version", VERSION).json(body)
}

fn patch(path: Path, body: &Value) -> Request {
    Request::patch(path).header("notion-version", VERSION).json(body)
}

/// Whose integration it is, and in which workspace.
async fn probe(cx: &Call) -> Result<Identity> {
    let me: Value = cx.fetch(get(path!["v1", "users", "me"])).await?;
    let text = |pointer: &str| me.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let owner = [text("/bot/owner/user/person/email"), text("/name")].into_iter().find(|name| !name.is_empty());
    Ok(Identity { name: owner.unwrap_or_else(|| "Notion".into()), detail: text("/bot/workspace_name") })
}

/// The addresses of files among properties, which Notion shows; an address as such is only a value.
fn files(properties: &Map<String, Value>) -> Leads {
    properties.values().fold(Leads::default(), |leads, value| leads.with(Leads::in_value(&value["files"])))
}

/// Asks before a page gets links and pictures that lead elsewhere: Notion fetches pictures for whoever looks at it.
fn confirm(cx: &Call, deed: &str, page: &str, leads: Leads, content: &str) -> Result<()> {
    let leads = leads.outside(&["notion.so", "notion.site", "notion.com"]);
    if leads.is_empty() {
        return Ok(());
    }
    let question = Question::new(format!("{deed} \"{}\" in Notion: \"{}\"?", excerpt(page), excerpt(content)));
    cx.confirm_leading(question.leading_to(leads))
}

/// An argument that does not fit.
fn wrong(what: impl Into<String>) -> Error {
    Error::arguments([what.into()])
}

/// What is made of texts of callers and vendors here, for the tests that hold it to its bounds.
pub(super) const TRANSFORMATIONS: &[Transformation] = &[
    Transformation { name: "notion: Markdown to blocks", run: |text| format!("{:?}", markdown::blocks(text)) },
    Transformation { name: "notion: text to rich text", run: |text| rich::plain(text).to_string() },
    Transformation { name: "notion: an id in an address", run: |text| place::id_in(text).unwrap_or_default() },
];
