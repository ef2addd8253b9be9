//! Reading channels and threads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    READ, me,
    message::{Message, Reader},
    place::{Place, at, timestamp},
    read,
    wire::Messages,
    zone,
};
use crate::{
    moment::{Moment, Zone, day_after},
    tool::{Answer, Call, Cursor, Effect, Left, Readable, Result, Scopes, Tool, Written},
};

/// Shows the latest messages of a channel, or of the direct messages with a person. Answers stand in threads: read
/// those with `slack_read_thread`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadChannel {
    /// Such as `#sales`, an id, or a person's `ana@example.com`.
    channel: String,
    /// How many; else 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// From when, such as `2026-11-23T09:00` or `2026-11-23`.
    oldest: Option<Moment>,
    /// Until when, like `oldest`; a day is included.
    latest: Option<Moment>,
    /// Such as `Europe/Berlin`; else the person's.
    time_zone: Option<Zone>,
    /// To go on to earlier messages: from the last answer.
    cursor: Option<String>,
}

/// Some messages of a channel.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct History {
    /// What the channel is called.
    channel: Written,
    /// Its id.
    channel_id: String,
    /// In the order in which they were written; the latest comes last.
    messages: Vec<Message>,
    /// Where earlier messages begin; left out when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Answer for History {
    fn text(&self) -> String {
        let head = match self.messages.len() {
            0 => format!("No messages in {}.", self.channel),
            _ => format!("{} [id {}], the latest last:", self.channel, self.channel_id),
        };
        let more = Left::line(self.next_cursor.as_deref()).map(|line| format!("Earlier ones: {line}"));
        let lines = self.messages.iter().map(Message::line);
        std::iter::once(head).chain(lines).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ReadChannel {
    const NAME: &'static str = "slack_read_channel";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ;
    type Output = History;

    async fn call(self, cx: &Call) -> Result<History> {
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let place = Place::find(cx, &self.channel).await?;
        let (id, title) = (place.open(cx).await?, place.title(cx).await?);
        let zone = zone(cx, self.time_zone.as_ref()).await?;
        let seconds = |moment: &Moment| format!("{}.000000", moment.at(&zone).as_second());
        let oldest = self.oldest.as_ref().map(seconds).unwrap_or_default();
        let latest = self.latest.as_ref().map(|latest| seconds(&through(latest))).unwrap_or_default();
        let limit = self.limit.unwrap_or(20).to_string();
        let mut arguments = vec![("channel", id.as_str()), ("limit", &limit), ("inclusive", "true")];
        let optional = [("oldest", oldest.as_str()), ("latest", &latest), ("cursor", cursor.as_deref().unwrap_or_default())];
        arguments.extend(optional.into_iter().filter(|(_, value)| !value.is_empty()));
        let page: Messages =
            cx.fetch(read("conversations.history", &arguments)).await.map_err(|error| at(error, &title))?;
        let reader = Reader { me: me(cx).await?.user_id, zone, longest: 1500 };
        let mut messages = reader.show(cx, page.messages).await?;
        messages.reverse();
        let next_cursor = page.response_metadata.next().map(|next| Cursor::wrap(Self::NAME, &next));
        Ok(History { channel: title, channel_id: id, messages, next_cursor })
    }
}

/// The end of a window, where a day counts in full.
fn through(end: &Moment) -> Moment {
    end.day().map_or_else(|| end.clone(), |day| Moment::Day(day_after(day)))
}

/// Shows a message and the answers in its thread, oldest first.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadThread {
    /// Such as `#sales`, an id, or a person's `ana@example.com`.
    channel: String,
    /// The `ts` of the first message, such as `1732345678.000100`.
    thread_ts: String,
    /// How many; else 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// Such as `Europe/Berlin`; else the person's.
    time_zone: Option<Zone>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// Some messages of a thread.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Thread {
    /// What the channel is called.
    channel: Written,
    /// Its id.
    channel_id: String,
    /// In the order in which they were written.
    messages: Vec<Message>,
    /// Where later messages begin; left out when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Answer for Thread {
    fn text(&self) -> String {
        let head = format!("Thread in {} [id {}], the latest last:", self.channel, self.channel_id);
        let lines = self.messages.iter().map(Message::line);
        let more = Left::line(self.next_cursor.as_deref());
        std::iter::once(head).chain(lines).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ReadThread {
    const NAME: &'static str = "slack_read_thread";
    const EFFECT: Effect = Effect::Reads;
    const READABLE: &'static [Readable] =
        &[Readable::record("slack://message/{channel}/{thread_ts}", "Message with its thread")];
    const SCOPES: Scopes = READ;
    type Output = Thread;

    async fn call(self, cx: &Call) -> Result<Thread> {
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let thread = timestamp("thread_ts", &self.thread_ts)?;
        let place = Place::find(cx, &self.channel).await?;
        let (id, title) = (place.open(cx).await?, place.title(cx).await?);
        let limit = self.limit.unwrap_or(50).to_string();
        let mut arguments = vec![("channel", id.as_str()), ("ts", &thread), ("limit", &limit)];
        arguments.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Messages =
            cx.fetch(read("conversations.replies", &arguments)).await.map_err(|error| at(error, &title))?;
        let reader = Reader { me: me(cx).await?.user_id, zone: zone(cx, self.time_zone.as_ref()).await?, longest: 3000 };
        let messages = reader.show(cx, page.messages).await?;
        let next_cursor = page.response_metadata.next().map(|next| Cursor::wrap(Self::NAME, &next));
        Ok(Thread { channel: title, channel_id: id, messages, next_cursor })
    }
}
