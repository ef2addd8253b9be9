//! Messages as tools answer them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    people,
    text::{mentioned, readable},
    wire,
};
use crate::{
    moment::{Shown, Zone},
    tool::{Call, Result, Written},
};

/// One message.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Message {
    /// Its id within the channel; other tools take it as `ts` or `thread_ts`.
    pub(super) ts: String,
    /// Who wrote it.
    from: Written,
    #[serde(skip)]
    is_mine: bool,
    /// When: local time with offset and weekday.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Shown>,
    /// What it says, as Markdown.
    pub(super) text: Written,
    /// How many answers its thread has.
    replies: u64,
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<String>,
    /// Emoji and how many gave them, such as `thumbsup 3`.
    reactions: Vec<String>,
    /// Names of files.
    files: Vec<Written>,
    /// Whether it was changed later.
    edited: bool,
}

impl Message {
    /// Date, author and text; what comes after is indented.
    pub(super) fn line(&self) -> String {
        let at = self.at.as_ref().map(|at| format!("{at}  ")).unwrap_or_default();
        let text = self.text.as_str().replace('\n', "\n    ");
        let replies = match self.replies {
            0 => None,
            1 => Some("1 reply".to_owned()),
            many => Some(format!("{many} replies")),
        };
        let reactions = (!self.reactions.is_empty()).then(|| self.reactions.join(", "));
        let files: Vec<_> = self.files.iter().map(Written::as_str).collect();
        let files = (!files.is_empty()).then(|| format!("files: {}", files.join(", ")));
        let facts = [replies, reactions, files, self.edited.then(|| "edited".to_owned())];
        let facts = facts.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let facts = if facts.is_empty() { facts } else { format!(" ({facts})") };
        // One fence around all that others say, rather than one around each piece.
        let said = Written::by(self.is_mine, format!("{}: {text}{facts}", self.from.as_str()));
        format!("{at}{said} [ts {}]", self.ts)
    }
}

/// How messages are shown: whose they are, where and how much of them.
pub(super) struct Reader {
    /// The connected account.
    pub(super) me: String,
    pub(super) zone: Zone,
    /// The longest text of one message, in characters.
    pub(super) longest: usize,
}

impl Reader {
    /// The messages for people, with the names of all who wrote them and are mentioned in them.
    pub(super) async fn show(&self, cx: &Call, messages: Vec<wire::Message>) -> Result<Vec<Message>> {
        let texts: Vec<_> = messages.iter().map(whole_text).collect();
        let authors = messages.iter().map(|message| message.user.clone());
        let ids: BTreeSet<_> = authors.chain(texts.iter().flat_map(|text| mentioned(text)).map(str::to_owned)).collect();
        let names = people::names(cx, ids).await?;
        Ok(messages.into_iter().zip(texts).map(|(message, text)| self.one(message, &text, &names)).collect())
    }

    fn one(&self, message: wire::Message, text: &str, names: &BTreeMap<String, String>) -> Message {
        let is_mine = !message.user.is_empty() && message.user == self.me;
        let known = names.get(&message.user).cloned();
        let from = known.or(Some(message.username).filter(|name| !name.is_empty())).unwrap_or(message.user);
        // Own words may quote those of others, or hold nothing but what was passed on.
        let repeats = message.text.trim().is_empty() || text.lines().any(|line| line.trim_start().starts_with("&gt;"));
        let from = if is_mine { format!("{from} (you)") } else { from };
        let name = |file: wire::File| Written::by_others(if file.title.is_empty() { file.name } else { file.title }).line(100);
        Message {
            is_mine: is_mine && !repeats,
            from: Written::by(is_mine, from).line(100),
            at: moment(&message.ts).map(|at| Shown::new(at, &self.zone)),
            text: Written::by(is_mine && !repeats, readable(text, names)).cut(self.longest),
            replies: message.reply_count,
            thread_ts: message.thread_ts.filter(|thread| *thread != message.ts),
            reactions: message.reactions.into_iter().map(|one| format!("{} {}", one.name, one.count)).collect(),
            files: message.files.into_iter().map(name).collect(),
            edited: message.edited.is_some(),
            ts: message.ts,
        }
    }
}

/// What a message says. Apps may say it in blocks or attachments only.
fn whole_text(message: &wire::Message) -> String {
    if !message.text.trim().is_empty() {
        return message.text.clone();
    }
    let mut texts = texts_of(&message.blocks);
    for attachment in &message.attachments {
        let text = if attachment.text.is_empty() { &attachment.fallback } else { &attachment.text };
        texts.push(text.clone());
    }
    texts.join("\n")
}

/// The texts within blocks, in their order.
pub(super) fn texts_of(blocks: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    gather(blocks, &mut texts);
    texts
}

fn gather(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "text" => texts.push(text.clone()),
                    value => gather(value, texts),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, texts)),
        _ => {}
    }
}

/// When a message was written: its `ts` counts seconds.
pub(super) fn moment(ts: &str) -> Option<Timestamp> {
    let (seconds, _) = ts.split_once('.')?;
    Timestamp::from_second(seconds.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(message: Value) -> Message {
        let reader = Reader { me: "U1".into(), zone: Zone::utc(), longest: 20 };
        let message: wire::Message = serde_json::from_value(message).unwrap();
        let text = whole_text(&message);
        reader.one(message, &text, &BTreeMap::from([("U1".to_owned(), "Ana".to_owned())]))
    }

    #[test]
    fn a_message_of_an_app_is_read_where_it_says_something() {
        let blocks = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "In a block" } }]);
        assert_eq!(shown(json!({ "ts": "1", "blocks": blocks })).text.as_str(), "In a block");
        let attachments = json!([{ "fallback": "In short" }, { "text": "At length" }]);
        assert_eq!(shown(json!({ "ts": "1", "attachments": attachments })).text.as_str(), "In short\nAt length");
    }

    #[test]
    fn a_line_says_everything_once() {
        let message = json!({ "ts": "1732345678.000100", "user": "U1", "text": "a\nb", "reply_count": 2,
            "reactions": [{ "name": "tada", "count": 3 }], "files": [{ "id": "F1", "name": "x.txt" }], "edited": {} });
        let line = shown(message).line();
        assert!(line.starts_with("Sat 2024-11-23T07:07:58+00:00  Ana (you): a\n    b (2 replies; tada 3; files: "), "{line}");
        assert!(line.ends_with("; edited) [ts 1732345678.000100]"), "{line}");
    }
}
