//! What Slack sends, as far as we use it. Nothing here leaves the integration.
//!
//! Fields after the reference at <https://docs.slack.dev/reference/methods>.

use serde::Deserialize;
use serde_json::Value;

/// Who a token belongs to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AuthTest {
    pub(super) url: String,
    pub(super) team: String,
    pub(super) user: String,
    pub(super) user_id: String,
}

/// Where the next page begins; empty at the end.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub(super) next_cursor: String,
    /// What is wrong with the arguments of a refused call.
    pub(super) messages: Vec<String>,
}

impl Metadata {
    pub(super) fn next(self) -> Option<String> {
        Some(self.next_cursor).filter(|cursor| !cursor.is_empty())
    }
}

/// A conversation: a channel or direct messages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_private: bool,
    pub(super) is_archived: bool,
    pub(super) is_member: bool,
    pub(super) is_im: bool,
    pub(super) is_ext_shared: bool,
    pub(super) is_pending_ext_shared: bool,
    /// The other end of direct messages.
    pub(super) user: String,
    pub(super) topic: Worded,
    pub(super) purpose: Worded,
    pub(super) num_members: Option<u64>,
}

/// A topic or a purpose.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Worded {
    pub(super) value: String,
}

/// A page of conversations.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Channels {
    pub(super) channels: Vec<Channel>,
    pub(super) response_metadata: Metadata,
}

/// One conversation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OneChannel {
    pub(super) channel: Channel,
}

/// Somebody in the workspace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) real_name: String,
    pub(super) deleted: bool,
    pub(super) tz: Option<String>,
    pub(super) is_bot: bool,
    /// A guest of the workspace.
    pub(super) is_restricted: bool,
    /// Somebody of another workspace.
    pub(super) is_stranger: bool,
    pub(super) profile: Profile,
}

/// What people say of themselves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Profile {
    pub(super) display_name: String,
    pub(super) real_name: String,
    pub(super) email: Option<String>,
    pub(super) title: String,
}

/// A page of people.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Users {
    pub(super) members: Vec<User>,
    pub(super) response_metadata: Metadata,
}

/// One person.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OneUser {
    pub(super) user: User,
}

/// A message. An app's message may have no user.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    pub(super) ts: String,
    pub(super) user: String,
    /// The name under which an app posted.
    pub(super) username: String,
    pub(super) text: String,
    pub(super) thread_ts: Option<String>,
    pub(super) reply_count: u64,
    pub(super) edited: Option<Value>,
    pub(super) reactions: Vec<Reaction>,
    pub(super) files: Vec<File>,
    pub(super) blocks: Value,
    pub(super) attachments: Vec<Attachment>,
}

/// An emoji and how many gave it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reaction {
    pub(super) name: String,
    pub(super) count: u64,
}

/// A file at a message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) title: String,
}

/// What an app hung on a message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attachment {
    pub(super) text: String,
    pub(super) fallback: String,
}

/// A page of messages.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Messages {
    pub(super) messages: Vec<Message>,
    pub(super) response_metadata: Metadata,
}

/// A message that was posted or edited.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Posted {
    pub(super) channel: String,
    pub(super) ts: String,
}

/// A message that waits for its time.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Scheduled {
    pub(super) channel: String,
    pub(super) scheduled_message_id: String,
}

/// What a search found.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    pub(super) messages: Matches,
}

/// A page of what a search found.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Matches {
    pub(super) total: u64,
    pub(super) matches: Vec<Match>,
    pub(super) paging: Paging,
}

/// Which page it is, and of how many.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Paging {
    pub(super) page: u64,
    pub(super) pages: u64,
}

/// A message that a search found, and where it stands.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Match {
    pub(super) channel: Channel,
    pub(super) permalink: String,
    #[serde(flatten)]
    pub(super) message: Message,
}

/// Where the bytes of a file go.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UploadUrl {
    pub(super) upload_url: String,
    pub(super) file_id: String,
}

/// Whether a call went well, and why not.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Verdict {
    pub(super) ok: Option<bool>,
    pub(super) error: String,
    /// The scope that is missing.
    pub(super) needed: String,
    pub(super) response_metadata: Metadata,
}
