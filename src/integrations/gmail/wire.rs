//! What Gmail sends, as far as we use it. Nothing here leaves the integration.
//!
//! Fields after the reference at <https://developers.google.com/workspace/gmail/api/reference/rest>.

use serde::Deserialize;

/// A mail; how much of it is there depends on the format that was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) thread_id: String,
    pub(super) label_ids: Vec<String>,
    pub(super) snippet: String,
    /// Milliseconds since 1970.
    pub(super) internal_date: String,
    pub(super) payload: Part,
    /// All of it as it is sent, in base64url, where that was asked for.
    pub(super) raw: String,
}

/// A part of a mail, or the whole of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Part {
    pub(super) part_id: String,
    pub(super) mime_type: String,
    pub(super) filename: String,
    pub(super) headers: Vec<Header>,
    pub(super) body: Body,
    pub(super) parts: Vec<Part>,
}

impl Part {
    /// A header, whatever the case of its name.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map_or("", |header| &header.value)
    }
}

/// A header of a part.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: String,
}

/// The bytes of a part: at hand, or to be fetched.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Body {
    pub(super) attachment_id: Option<String>,
    pub(super) size: u64,
    /// In base64url.
    pub(super) data: String,
}

/// A page of a list of mails: ids only.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Messages {
    pub(super) messages: Vec<Message>,
    pub(super) next_page_token: Option<String>,
    pub(super) result_size_estimate: u64,
}

/// All mails of a conversation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Thread {
    pub(super) messages: Vec<Message>,
}

/// A draft.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) message: Message,
}

/// The labels of the mailbox.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Labels {
    pub(super) labels: Vec<Label>,
}

/// One label.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Label {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// Whose mailbox it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Profile {
    pub(super) email_address: String,
    pub(super) messages_total: u64,
}
