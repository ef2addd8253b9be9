//! Sending, editing and scheduling messages, and giving emoji.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    WRITE, me,
    message::{moment, texts_of},
    place::{Content, Place, at, timestamp},
    text::to_slack,
    wire::{Posted, Scheduled},
    write, wrong, zone,
};
use crate::{
    moment::{Moment, Shown, Zone},
    tool::{Answer, Call, Effect, Kind, Result, Scopes, Tool, Written, convert},
};

/// The longest text of a message, in characters.
const LONGEST: usize = 40_000;

/// Sends a message to a channel, a person or into a thread, at once. To send it later use `slack_schedule_message`;
/// for long texts use `slack_upload_text_file`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendMessage {
    /// Such as `#sales`, an id, or a person's `ana@example.com`.
    channel: String,
    /// Markdown, such as `The offer is **ready**`; `<@U0123ABCD>` mentions a person.
    text: String,
    /// To answer in a thread: the `ts` of its first message.
    thread_ts: Option<String>,
    /// Block Kit as JSON text, such as `[{"type":"divider"}]`; `text` is then shown in notifications only.
    blocks: Option<String>,
    /// `false` to show no previews of links.
    unfurl: Option<bool>,
}

/// A message that was sent or changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    /// What was done: `sent`, `edited`, `scheduled` or `reacted`.
    done: &'static str,
    /// The channel or person.
    channel: Written,
    /// Its id.
    channel_id: String,
    /// The message; left out while it is scheduled.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<String>,
    /// When: local time with offset and weekday.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Shown>,
    /// The id under which it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_message_id: Option<String>,
    /// Its address for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// What had to be decided about the time, or was so before.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Answer for Done {
    fn text(&self) -> String {
        let at = self.at.as_ref().map(|at| format!(", {at}")).unwrap_or_default();
        let ts = self.ts.as_ref().map(|ts| format!(" [ts {ts}]")).unwrap_or_default();
        let waits = self.scheduled_message_id.as_ref().map(|id| format!(" [scheduled {id}]")).unwrap_or_default();
        let link = self.link.as_ref().map(|link| format!("\n{link}")).unwrap_or_default();
        let note = self.note.as_ref().map(|note| format!("\n{note}")).unwrap_or_default();
        let done = match self.done {
            "sent" => "Sent to",
            "edited" => "Edited in",
            "scheduled" => "Scheduled for",
            _ => "Reacted in",
        };
        format!("{done} {} [id {}]{at}{ts}{waits}{link}{note}", self.channel, self.channel_id)
    }
}

impl Tool for SendMessage {
    const NAME: &'static str = "slack_send_message";
    const EFFECT: Effect = Effect::Sends;
    const SCOPES: Scopes = WRITE;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let mut body = content(&self.text, self.blocks.as_deref()).await?;
        if let Some(thread) = self.thread_ts.as_deref().filter(|thread| !thread.trim().is_empty()) {
            body["thread_ts"] = timestamp("thread_ts", thread)?.into();
        }
        if let Some(unfurl) = self.unfurl {
            (body["unfurl_links"], body["unfurl_media"]) = (unfurl.into(), unfurl.into());
        }
        let place = Place::find(cx, &self.channel).await?;
        let text = readable(&self.text, &body);
        place.confirm(cx, "Send a message to", Content { text: &text, source: blocks(self.blocks.as_deref()) }).await?;
        let (id, channel) = (place.open(cx).await?, place.title(cx).await?);
        body["channel"] = id.as_str().into();
        let posted: Posted = cx.fetch(write("chat.postMessage", &body)).await.map_err(|error| at(error, &channel))?;
        let thread = body["thread_ts"].as_str();
        Ok(Done { link: link(cx, &posted, thread).await, ..Done::of("sent", channel, posted, cx).await })
    }
}

impl Done {
    /// What became of a message that is there; nothing may fail any more.
    async fn of(done: &'static str, channel: Written, posted: Posted, cx: &Call) -> Done {
        let at = shown(cx, &posted.ts).await;
        let (ts, channel_id) = (Some(posted.ts), posted.channel);
        Done { done, channel, channel_id, ts, at, scheduled_message_id: None, link: None, note: None }
    }
}

/// Where people see a message, as `chat.getPermalink` would say it; that would be a request more.
async fn link(cx: &Call, posted: &Posted, thread: Option<&str>) -> Option<String> {
    let me = me(cx).await.ok().filter(|me| me.url.starts_with("https://"))?;
    let (workspace, Posted { channel, ts }) = (me.url.trim_end_matches('/'), posted);
    let thread = thread.map(|thread| format!("?thread_ts={thread}&cid={channel}")).unwrap_or_default();
    Some(format!("{workspace}/archives/{channel}/p{}{thread}", ts.replace('.', "")))
}

/// All that will be read, for the question: where there are blocks, `text` is only what notifications show.
fn readable(text: &str, body: &Value) -> String {
    let blocks = texts_of(&body["blocks"]);
    if blocks.is_empty() { text.to_owned() } else { format!("{}\n(in notifications: {text})", blocks.join("\n")) }
}

/// Blocks that were given.
fn blocks(given: Option<&str>) -> Option<&str> {
    given.map(str::trim).filter(|blocks| !blocks.is_empty())
}

/// When a message was written; nothing may fail any more once it is.
async fn shown(cx: &Call, ts: &str) -> Option<Shown> {
    let zone = zone(cx, None).await.ok()?;
    moment(ts).map(|at| Shown::new(at, &zone))
}

/// Text and blocks, as Slack takes them.
async fn content(text: &str, blocks: Option<&str>) -> Result<Value> {
    if text.trim().is_empty() {
        return Err(wrong("`text` must not be empty"));
    }
    let too_long =
        || wrong("`text` is longer than the 40,000 characters that Slack takes; split it or upload it as a file");
    let is_long = |text: &str| text.chars().nth(LONGEST).is_some();
    if is_long(text.trim()) {
        return Err(too_long());
    }
    let text = convert(text.trim(), to_slack).await?;
    // Escapes make it longer.
    if is_long(&text) {
        return Err(too_long());
    }
    let mut body = json!({ "text": text });
    if let Some(blocks) = self::blocks(blocks) {
        let blocks: Value = serde_json::from_str(blocks).unwrap_or_default();
        if !blocks.as_array().is_some_and(|blocks| blocks.iter().all(|block| block["type"].is_string())) {
            return Err(wrong("`blocks` must be a JSON list of blocks, such as [{\"type\":\"divider\"}]"));
        }
        body["blocks"] = blocks;
    }
    Ok(body)
}

/// Changes the text of a message that the connected account wrote; it is then marked as edited.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateMessage {
    /// Such as `#sales`, an id, or a person's `ana@example.com`.
    channel: String,
    /// The message, such as `1732345678.000100`.
    ts: String,
    /// The new text as Markdown, such as `The offer is **sent**`.
    text: String,
    /// Block Kit as JSON text, such as `[{"type":"divider"}]`.
    blocks: Option<String>,
}

impl Tool for UpdateMessage {
    const NAME: &'static str = "slack_update_message";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = WRITE;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let mut body = content(&self.text, self.blocks.as_deref()).await?;
        body["ts"] = timestamp("ts", &self.ts)?.into();
        let place = Place::find(cx, &self.channel).await?;
        let text = readable(&self.text, &body);
        place.confirm(cx, "Change a message to", Content { text: &text, source: blocks(self.blocks.as_deref()) }).await?;
        let (id, channel) = (place.open(cx).await?, place.title(cx).await?);
        body["channel"] = id.as_str().into();
        // A repeat writes the same text again.
        let request = write("chat.update", &body).keyed();
        let posted: Posted = cx.fetch(request).await.map_err(|error| at(error, &channel))?;
        Ok(Done::of("edited", channel, posted, cx).await)
    }
}

/// Sends a message at a later time, up to 120 days ahead.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScheduleMessage {
    /// Such as `#sales`, an id, or a person's `ana@example.com`.
    channel: String,
    /// Markdown, such as `Please send your **slides**`.
    text: String,
    /// When, such as `2026-11-24T09:00`.
    post_at: Moment,
    /// Such as `Europe/Berlin`; else the person's.
    time_zone: Option<Zone>,
    /// To answer in a thread: the `ts` of its first message.
    thread_ts: Option<String>,
}

impl Tool for ScheduleMessage {
    const NAME: &'static str = "slack_schedule_message";
    const EFFECT: Effect = Effect::Sends;
    const SCOPES: Scopes = WRITE;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let mut body = content(&self.text, None).await?;
        if let Some(thread) = self.thread_ts.as_deref().filter(|thread| !thread.trim().is_empty()) {
            body["thread_ts"] = timestamp("thread_ts", thread)?.into();
        }
        if self.post_at.day().is_some() {
            return Err(wrong("`post_at` needs a time, such as 2026-11-24T09:00"));
        }
        let zone = zone(cx, self.time_zone.as_ref()).await?;
        let resolved = self.post_at.resolve(&zone);
        let when = Shown::new(resolved.instant, &zone);
        if resolved.instant <= cx.now() {
            return Err(wrong(&format!("`post_at` ({when}) is in the past")));
        }
        body["post_at"] = resolved.instant.as_second().into();
        let place = Place::find(cx, &self.channel).await?;
        place.confirm(cx, &format!("On {when} send a message to"), (&*self.text).into()).await?;
        let (id, channel) = (place.open(cx).await?, place.title(cx).await?);
        body["channel"] = id.as_str().into();
        let waits: Scheduled =
            cx.fetch(write("chat.scheduleMessage", &body)).await.map_err(|error| at(error, &channel))?;
        let (scheduled_message_id, channel_id) = (Some(waits.scheduled_message_id), waits.channel);
        let (at, note) = (Some(when), resolved.note);
        Ok(Done { done: "scheduled", channel, channel_id, ts: None, at, scheduled_message_id, link: None, note })
    }
}

/// Gives an emoji to a message; a second one of the same kind changes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddReaction {
    /// Such as `#sales`, an id, or a person's `ana@example.com`.
    channel: String,
    /// The message, such as `1732345678.000100`.
    ts: String,
    /// Its name in Slack, such as `thumbsup` or `white_check_mark`.
    emoji: String,
}

impl Tool for AddReaction {
    const NAME: &'static str = "slack_add_reaction";
    const EFFECT: Effect = Effect::Adds;
    const IDEMPOTENT: bool = true;
    const SCOPES: Scopes = Scopes(&["reactions:write"]);
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let ts = timestamp("ts", &self.ts)?;
        let name = self.emoji.trim().trim_matches(':').to_lowercase();
        if name.is_empty() {
            return Err(wrong("`emoji` must not be empty; give a name such as thumbsup"));
        }
        let place = Place::find(cx, &self.channel).await?;
        let (id, channel) = (place.open(cx).await?, place.title(cx).await?);
        let body = json!({ "channel": id, "timestamp": ts, "name": name });
        // Slack refuses an emoji that was given before, so a repeat has no further effect.
        let note = match cx.send(write("reactions.add", &body).keyed()).await {
            Ok(_) => None,
            Err(error) if error.kind() == Kind::Conflict => Some("It was there before.".to_owned()),
            Err(error) => return Err(at(error, &channel)),
        };
        let ts = Some(ts);
        let (at, scheduled_message_id, link) = (None, None, None);
        Ok(Done { done: "reacted", channel, channel_id: id, ts, at, scheduled_message_id, link, note })
    }
}
