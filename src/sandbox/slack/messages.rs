//! Messages and threads, and reading them: `conversations.history` and `conversations.replies`.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Slack, errors::refusal, flag, number, ok, text};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// The longest page of messages.
const LONGEST_PAGE: i64 = 999;

/// A message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Message {
    /// Its id in the channel: seconds, a dot and six digits.
    pub ts: String,
    pub user: String,
    pub text: String,
    /// The message that it answers; a message that was answered names itself.
    pub thread_ts: Option<String>,
    /// An answer that the channel sees, too.
    pub broadcast: bool,
    /// When it was edited, as a `ts`.
    pub edited: Option<String>,
    pub reactions: Vec<Reaction>,
    /// The ids of its files.
    pub files: Vec<String>,
    /// Blocks, as they came.
    pub blocks: Value,
}

/// An emoji, and who gave it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reaction {
    pub name: String,
    pub users: Vec<String>,
}

impl Message {
    /// Whether the channel itself shows it.
    fn is_on_top(&self) -> bool {
        self.broadcast || self.thread_ts.as_ref().is_none_or(|thread| *thread == self.ts)
    }

    fn is_reply_to(&self, thread: &str) -> bool {
        self.ts != thread && self.thread_ts.as_deref() == Some(thread)
    }
}

impl Slack {
    /// The messages of a conversation, oldest first.
    pub fn messages_of(&self, channel: &str) -> &[Message] {
        self.messages.get(channel).map_or(&[], Vec::as_slice)
    }

    /// A message as Slack shows it.
    pub fn message_json(&self, channel: &str, message: &Message) -> Value {
        let mut shown = json!({
            "type": "message", "user": message.user, "text": message.text, "ts": message.ts, "team": self.team.id,
        });
        let replies = self.messages_of(channel).iter().filter(|one| one.is_reply_to(&message.ts));
        let replies: Vec<_> = replies.map(|reply| &reply.user).collect();
        if let Some(thread) = &message.thread_ts {
            shown["thread_ts"] = json!(thread);
        }
        if !replies.is_empty() {
            shown["reply_count"] = json!(replies.len());
            let mut users = replies;
            users.sort();
            users.dedup();
            shown["reply_users_count"] = json!(users.len());
            shown["reply_users"] = json!(users);
        }
        if let Some(at) = &message.edited {
            shown["edited"] = json!({ "user": message.user, "ts": at });
        }
        if message.blocks.is_array() {
            shown["blocks"] = message.blocks.clone();
        }
        let reaction = |one: &Reaction| json!({ "name": one.name, "users": one.users, "count": one.users.len() });
        if !message.reactions.is_empty() {
            shown["reactions"] = message.reactions.iter().map(reaction).collect();
        }
        let files: Vec<_> = message.files.iter().filter_map(|id| self.file(id)).map(super::files::File::json).collect();
        if !files.is_empty() {
            shown["files"] = json!(files);
        }
        shown
    }

    /// The world at this moment: what was scheduled for an earlier one is there.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Slack {
        let mut slack = self.clone();
        slack.deliver(now);
        slack
    }
}

pub fn history(slack: &Slack, call: &Call<'_>) -> Outcome {
    let slack = slack.at(call.now);
    let channel = slack.channel(text(call, "channel"))?;
    let window = Window::of(call, 100)?;
    let messages = slack.messages_of(&channel.id).iter().rev();
    let found: Vec<_> = messages.filter(|message| message.is_on_top() && window.holds(&message.ts)).collect();
    let shown = |message: &&Message| slack.message_json(&channel.id, message);
    let page: Vec<_> = found.iter().take(window.limit).map(shown).collect();
    let last = found.get(window.limit.saturating_sub(1)).filter(|_| found.len() > window.limit);
    let mut body = json!({ "messages": page, "has_more": last.is_some(), "pin_count": 0 });
    if let Some(last) = last {
        body["response_metadata"] = json!({ "next_cursor": cursor(&last.ts) });
    }
    Ok(ok(body))
}

pub fn replies(slack: &Slack, call: &Call<'_>) -> Outcome {
    let slack = slack.at(call.now);
    let channel = slack.channel(text(call, "channel"))?;
    let ts = text(call, "ts");
    let messages = slack.messages_of(&channel.id);
    let asked = messages.iter().find(|message| message.ts == ts).ok_or_else(|| refusal("thread_not_found"))?;
    let thread = asked.thread_ts.as_deref().unwrap_or(ts);
    let window = Window::of(call, 1000)?;
    // Threads go forward in time, so a cursor means what comes after it.
    let is_next = |message: &&Message| window.before.as_ref().is_none_or(|before| message.ts > *before);
    let in_thread = messages.iter().filter(|message| message.ts == thread || message.is_reply_to(thread));
    let found: Vec<_> = in_thread.filter(is_next).filter(|message| window.is_between(&message.ts)).collect();
    let shown = |message: &&Message| slack.message_json(&channel.id, message);
    let page: Vec<_> = found.iter().take(window.limit).map(shown).collect();
    let last = found.get(window.limit.saturating_sub(1)).filter(|_| found.len() > window.limit);
    let mut body = json!({ "messages": page, "has_more": last.is_some() });
    if let Some(last) = last {
        body["response_metadata"] = json!({ "next_cursor": cursor(&last.ts) });
    }
    Ok(ok(body))
}

/// Which messages are asked for. Two of Slack's timestamps compare as texts.
struct Window {
    oldest: String,
    latest: Option<String>,
    inclusive: bool,
    /// The last one of the page before.
    before: Option<String>,
    limit: usize,
}

impl Window {
    fn of(call: &Call<'_>, usual: i64) -> Result<Window, Answer> {
        let limit = number(call, "limit").unwrap_or(usual);
        if limit < 1 {
            return Err(refusal("invalid_limit"));
        }
        let ts = |name: &str, code: &str| match text(call, name) {
            "" => Ok(None),
            ts => moment(ts).map(Some).ok_or_else(|| refusal(code)),
        };
        let before = match text(call, "cursor") {
            "" => None,
            cursor => Some(last_of(cursor).ok_or_else(|| refusal("invalid_cursor"))?),
        };
        Ok(Window {
            oldest: ts("oldest", "invalid_ts_oldest")?.unwrap_or_default(),
            latest: ts("latest", "invalid_ts_latest")?,
            inclusive: flag(call, "inclusive"),
            before,
            limit: usize::try_from(limit.min(LONGEST_PAGE)).unwrap_or(1),
        })
    }

    fn holds(&self, ts: &str) -> bool {
        self.before.as_ref().is_none_or(|before| ts < before.as_str()) && self.is_between(ts)
    }

    fn is_between(&self, ts: &str) -> bool {
        let latest = self.latest.as_deref();
        let at_edge = ts == self.oldest || Some(ts) == latest;
        if at_edge {
            return self.inclusive;
        }
        ts > self.oldest.as_str() && latest.is_none_or(|latest| ts < latest)
    }
}

/// A timestamp with all its digits.
fn moment(text: &str) -> Option<String> {
    let (seconds, rest) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = (1..=10).contains(&seconds.len()) && rest.len() <= 6 && is_digits(seconds) && is_digits(rest);
    fits.then(|| format!("{seconds:0>10}.{rest:0<6}"))
}

fn cursor(ts: &str) -> String {
    STANDARD.encode(format!("next_ts:{ts}"))
}

fn last_of(cursor: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("next_ts:").map(str::to_owned)
}
