//! What Slack's methods accept, and the scopes that open them for a bot or for a person.

use crate::sandbox::shape::{Field, Kind};

const fn text(name: &'static str) -> Field {
    Field::optional(name, Kind::Text)
}

const fn must(name: &'static str) -> Field {
    Field::required(name, Kind::Text)
}

const fn flag(name: &'static str) -> Field {
    Field::optional(name, Kind::Boolean)
}

const fn number(name: &'static str) -> Field {
    Field::optional(name, Kind::Integer(0, i64::MAX))
}

const fn json(name: &'static str) -> Field {
    Field::optional(name, Kind::Anything)
}

/// Channels and direct messages may be seen.
pub const SEE: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
/// Their messages may be read.
pub const READ: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];
/// Messages may be written.
pub const WRITE: &[&str] = &["chat:write"];
/// Channels may be made and changed: `channels:manage` for bots, `channels:write` for people.
pub const MANAGE: &[&str] = &["channels:manage", "channels:write", "groups:write"];
/// Direct messages may be opened.
pub const OPEN: &[&str] = &["im:write", "mpim:write"];
/// Files may be uploaded.
pub const FILES: &[&str] = &["files:write"];

/// What a person may be asked for; `channels:manage` is for bots only.
pub const OF_PEOPLE: &[&str] = &[
    "channels:history",
    "channels:read",
    "channels:write",
    "chat:write",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "mpim:write",
    "reactions:write",
    "search:read",
    "users:read",
    "users:read.email",
];

pub const CONVERSATIONS_LIST: &[Field] =
    &[text("cursor"), flag("exclude_archived"), number("limit"), text("team_id"), text("types")];

pub const CONVERSATIONS_INFO: &[Field] = &[must("channel"), flag("include_locale"), flag("include_num_members")];

pub const CONVERSATIONS_CREATE: &[Field] = &[must("name"), flag("is_private"), text("team_id")];

pub const CONVERSATIONS_SET_TOPIC: &[Field] = &[must("channel"), must("topic")];

pub const CONVERSATIONS_INVITE: &[Field] = &[must("channel"), must("users"), flag("force")];

pub const CONVERSATIONS_OPEN: &[Field] = &[text("channel"), flag("return_im"), text("users")];

pub const CONVERSATIONS_HISTORY: &[Field] = &[
    must("channel"),
    text("cursor"),
    flag("inclusive"),
    flag("include_all_metadata"),
    text("latest"),
    number("limit"),
    text("oldest"),
];

pub const CONVERSATIONS_REPLIES: &[Field] = &[
    must("channel"),
    must("ts"),
    text("cursor"),
    flag("inclusive"),
    flag("include_all_metadata"),
    text("latest"),
    number("limit"),
    text("oldest"),
];

pub const CHAT_POST: &[Field] = &[
    must("channel"),
    text("text"),
    json("attachments"),
    json("blocks"),
    text("thread_ts"),
    flag("reply_broadcast"),
    flag("unfurl_links"),
    flag("unfurl_media"),
    flag("mrkdwn"),
    flag("link_names"),
    text("parse"),
    text("markdown_text"),
];

pub const CHAT_UPDATE: &[Field] =
    &[must("channel"), must("ts"), text("text"), json("attachments"), json("blocks"), text("markdown_text")];

pub const CHAT_SCHEDULE: &[Field] = &[
    must("channel"),
    Field::required("post_at", Kind::Integer(0, i64::MAX)),
    text("text"),
    json("attachments"),
    json("blocks"),
    text("thread_ts"),
    flag("reply_broadcast"),
    flag("unfurl_links"),
    flag("unfurl_media"),
    text("markdown_text"),
];

pub const REACTIONS_ADD: &[Field] = &[must("channel"), must("name"), must("timestamp")];

pub const USERS_LIST: &[Field] = &[text("cursor"), flag("include_locale"), number("limit"), text("team_id")];

pub const USERS_INFO: &[Field] = &[must("user"), flag("include_locale")];

pub const USERS_LOOKUP: &[Field] = &[must("email")];

pub const SEARCH: &[Field] = &[
    must("query"),
    number("count"),
    text("cursor"),
    flag("highlight"),
    number("page"),
    text("sort"),
    text("sort_dir"),
    text("team_id"),
];

pub const FILES_GET_URL: &[Field] =
    &[must("filename"), Field::required("length", Kind::Integer(0, i64::MAX)), text("alt_txt"), text("snippet_type")];

pub const FILES_COMPLETE: &[Field] = &[
    Field::required("files", Kind::Anything),
    text("channel_id"),
    text("channels"),
    text("initial_comment"),
    text("thread_ts"),
];
