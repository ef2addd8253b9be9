//! What Gmail v1 accepts: parameters, fields and scopes, as its discovery document declares them.

use crate::sandbox::shape::{Field, Kind};

/// Groups of query parameters.
pub type Groups = &'static [&'static [Field]];

const fn text(name: &'static str) -> Field {
    Field::optional(name, Kind::Text)
}

const fn flag(name: &'static str) -> Field {
    Field::optional(name, Kind::Boolean)
}

const fn texts(name: &'static str) -> Field {
    Field::optional(name, Kind::List(&Kind::Text))
}

/// Parameters that every method has.
pub const COMMON: &[Field] =
    &[text("fields"), Field::optional("alt", Kind::Choice(&["json"])), flag("prettyPrint"), text("quotaUser")];

/// `messages.list`.
pub const LIST: &[Field] = &[
    flag("includeSpamTrash"),
    texts("labelIds"),
    Field::optional("maxResults", Kind::Integer(0, u32::MAX as i64)),
    text("pageToken"),
    text("q"),
];

const FORMATS: Kind = Kind::Choice(&["minimal", "full", "raw", "metadata"]);

/// `messages.get`.
pub const GET: &[Field] = &[Field::optional("format", FORMATS), texts("metadataHeaders")];

/// `threads.get`.
pub const GET_THREAD: &[Field] =
    &[Field::optional("format", Kind::Choice(&["full", "metadata", "minimal"])), texts("metadataHeaders")];

/// `drafts.get`.
pub const GET_DRAFT: &[Field] = &[Field::optional("format", FORMATS)];

/// A mail on its way: the text of RFC 5322 in base64url.
pub const MESSAGE: &[Field] = &[text("id"), texts("labelIds"), text("raw"), text("threadId")];

/// A draft.
pub const DRAFT: &[Field] = &[text("id"), Field::optional("message", Kind::Object(MESSAGE))];

/// `messages.modify`.
pub const MODIFY: &[Field] = &[texts("addLabelIds"), texts("removeLabelIds")];

const ALL: &str = "https://mail.google.com/";
const MODIFY_MAIL: &str = "https://www.googleapis.com/auth/gmail.modify";
const READ_MAIL: &str = "https://www.googleapis.com/auth/gmail.readonly";
const METADATA: &str = "https://www.googleapis.com/auth/gmail.metadata";
const COMPOSE: &str = "https://www.googleapis.com/auth/gmail.compose";
const SEND: &str = "https://www.googleapis.com/auth/gmail.send";
const LABELS: &str = "https://www.googleapis.com/auth/gmail.labels";
const ADDON_COMPOSE: &str = "https://www.googleapis.com/auth/gmail.addons.current.action.compose";
const ADDON_ACTION: &str = "https://www.googleapis.com/auth/gmail.addons.current.message.action";
const ADDON_METADATA: &str = "https://www.googleapis.com/auth/gmail.addons.current.message.metadata";
const ADDON_READ: &str = "https://www.googleapis.com/auth/gmail.addons.current.message.readonly";

pub const PROFILE: &[&str] = &[ALL, COMPOSE, METADATA, MODIFY_MAIL, READ_MAIL];
pub const LIST_SCOPES: &[&str] = &[ALL, METADATA, MODIFY_MAIL, READ_MAIL];
pub const GET_SCOPES: &[&str] = &[ALL, ADDON_ACTION, ADDON_METADATA, ADDON_READ, METADATA, MODIFY_MAIL, READ_MAIL];
pub const SEND_SCOPES: &[&str] = &[ALL, ADDON_COMPOSE, COMPOSE, MODIFY_MAIL, SEND];
pub const MODIFY_SCOPES: &[&str] = &[ALL, MODIFY_MAIL];
pub const ATTACHMENT_SCOPES: &[&str] = &[ALL, ADDON_ACTION, ADDON_READ, MODIFY_MAIL, READ_MAIL];
pub const DRAFT_SCOPES: &[&str] = &[ALL, ADDON_COMPOSE, COMPOSE, MODIFY_MAIL];
pub const DRAFT_READ_SCOPES: &[&str] = &[ALL, COMPOSE, MODIFY_MAIL, READ_MAIL];
pub const LABEL_SCOPES: &[&str] = &[ALL, LABELS, METADATA, MODIFY_MAIL, READ_MAIL];
