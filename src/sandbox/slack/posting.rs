//! Writing: `chat.postMessage`, `chat.update`, `chat.scheduleMessage` and `reactions.add`.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Slack,
    channels::Channel,
    errors::refusal,
    flag,
    membership::check_inside,
    messages::{Message, Reaction},
    number, ok, text,
};
use crate::sandbox::twin::{Answer, Call, Mail, Outcome};

/// The longest text, in characters.
const LONGEST: usize = 40_000;
/// The longest Markdown, in characters.
const LONGEST_MARKDOWN: usize = 12_000;
/// The most blocks of a message.
const MOST_BLOCKS: usize = 50;
/// How far ahead a message may be scheduled.
const FARTHEST: SignedDuration = SignedDuration::from_hours(120 * 24);

/// A message that waits for its time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scheduled {
    /// `Q…`.
    pub id: String,
    pub channel: String,
    /// In seconds.
    pub post_at: i64,
    pub message: Message,
}

pub fn post(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    slack.deliver(call.now);
    let channel = slack.destination(text(call, "channel"))?;
    let mut message = slack.written(call, &channel)?;
    message.ts = slack.next_ts(call.now);
    let ts = message.ts.clone();
    slack.add(call.now, &channel, message.clone());
    Ok(ok(json!({ "channel": channel, "ts": ts, "message": slack.message_json(&channel, &message) })))
}

pub fn update(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    slack.deliver(call.now);
    let channel = slack.channel(text(call, "channel"))?.id.clone();
    let (me, ts) = (slack.me.clone(), text(call, "ts").to_owned());
    let new = content(call)?;
    let edited = slack.next_ts(call.now);
    let message = slack.message_mut(&channel, &ts)?;
    if message.user != me {
        return Err(refusal("cant_update_message"));
    }
    (message.text, message.blocks, message.edited) = (new.text, new.blocks, Some(edited));
    let shown = json!({ "text": message.text, "user": me });
    Ok(ok(json!({ "channel": channel, "ts": ts, "text": shown["text"], "message": shown })))
}

pub fn schedule(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    slack.deliver(call.now);
    let channel = slack.destination(text(call, "channel"))?;
    let post_at = number(call, "post_at").unwrap_or_default();
    let ahead = SignedDuration::from_secs(post_at - call.now.as_second());
    match () {
        () if ahead <= SignedDuration::ZERO => return Err(refusal("time_in_past")),
        () if ahead > FARTHEST => return Err(refusal("time_too_far")),
        () => {}
    }
    let message = slack.written(call, &channel)?;
    let shown = json!({ "type": "delayed_message", "text": message.text, "bot_id": "B0SANDBOX" });
    let id = slack.fresh_id('Q');
    let answer = json!({
        "channel": channel, "scheduled_message_id": id, "post_at": post_at.to_string(), "message": shown,
    });
    slack.scheduled.push(Scheduled { id, channel, post_at, message });
    Ok(ok(answer))
}

pub fn react(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    slack.deliver(call.now);
    let channel = slack.channel(text(call, "channel"))?.id.clone();
    let (me, name) = (slack.me.clone(), text(call, "name").to_owned());
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-+".contains(c);
    if name.is_empty() || !name.chars().all(fits) {
        return Err(refusal("invalid_name"));
    }
    let message = slack.message_mut(&channel, text(call, "timestamp"))?;
    match message.reactions.iter_mut().find(|reaction| reaction.name == name) {
        Some(reaction) if reaction.users.contains(&me) => return Err(refusal("already_reacted")),
        Some(reaction) => reaction.users.push(me),
        None => message.reactions.push(Reaction { name, users: vec![me] }),
    }
    Ok(ok(json!({})))
}

/// Text and blocks of a body, checked.
fn content(call: &Call<'_>) -> Result<Message, Answer> {
    let (plain, markdown) = (text(call, "text"), text(call, "markdown_text"));
    let blocks = call.body["blocks"].clone();
    let has_blocks = blocks.as_array().is_some_and(|blocks| !blocks.is_empty());
    if !markdown.is_empty() && (!plain.is_empty() || has_blocks) {
        return Err(refusal("markdown_text_conflict"));
    }
    if plain.chars().count() > LONGEST || markdown.chars().count() > LONGEST_MARKDOWN {
        return Err(refusal("msg_too_long"));
    }
    if !blocks.is_null() {
        check_blocks(&blocks)?;
    }
    let text = if markdown.is_empty() { plain } else { markdown };
    if text.is_empty() && !has_blocks {
        return Err(refusal("no_text"));
    }
    Ok(Message { text: text.to_owned(), blocks, ..Message::default() })
}

fn check_blocks(blocks: &Value) -> Result<(), Answer> {
    let Some(blocks) = blocks.as_array() else { return Err(refusal("invalid_blocks_format")) };
    let is_block = |block: &Value| block["type"].is_string();
    if blocks.len() > MOST_BLOCKS || !blocks.iter().all(is_block) {
        return Err(refusal("invalid_blocks"));
    }
    Ok(())
}

impl Slack {
    /// The message that a body describes, for a conversation.
    fn written(&self, call: &Call<'_>, channel: &str) -> Result<Message, Answer> {
        let mut message = content(call)?;
        message.user.clone_from(&self.me);
        message.broadcast = flag(call, "reply_broadcast");
        let thread = text(call, "thread_ts");
        if !thread.is_empty() {
            let found = self.messages_of(channel).iter().find(|one| one.ts == thread);
            let root = found.ok_or_else(|| refusal("thread_not_found"))?;
            message.thread_ts = Some(root.thread_ts.clone().unwrap_or_else(|| root.ts.clone()));
        }
        Ok(message)
    }

    /// The conversation that is meant: by its id, by its name, or a person, with whom a message is opened.
    fn destination(&mut self, given: &str) -> Result<String, Answer> {
        let named = given.trim_start_matches('#');
        let is_meant = |channel: &&Channel| channel.id == given || (!channel.is_direct() && channel.name == named);
        let found = self.channels.iter().find(is_meant).map(|channel| channel.id.clone());
        let channel = self.channel(&found.ok_or_else(|| refusal("channel_not_found"))?)?;
        check_inside(channel, &self.me)?;
        Ok(channel.id.clone())
    }

    /// Puts a message in its place and tells those whom it concerns.
    pub fn add(&mut self, now: Timestamp, channel: &str, message: Message) {
        let mails = self.notices(now, channel, &message);
        self.outbox.extend(mails);
        let messages = self.messages.entry(channel.to_owned()).or_default();
        if let Some(thread) = &message.thread_ts
            && let Some(root) = messages.iter_mut().find(|one| one.ts == *thread)
        {
            root.thread_ts = Some(thread.clone());
        }
        messages.push(message);
        messages.sort_by(|one, other| one.ts.cmp(&other.ts));
    }

    /// Who gets a notice: the other end of a direct message, and whoever is mentioned.
    fn notices(&self, now: Timestamp, channel: &str, message: &Message) -> Vec<Mail> {
        let Some(place) = self.channels.iter().find(|one| one.id == channel) else { return vec![] };
        let from = self.member(&message.user).map_or("Somebody", |member| &member.real_name);
        let first = message.text.lines().next().unwrap_or_default();
        let is_told =
            |id: &&String| **id != message.user && (place.is_direct() || message.text.contains(&format!("<@{id}>")));
        let told = place.members.iter().filter(is_told).filter_map(|id| self.member(id));
        let mail = |to: &super::people::Member| Mail {
            at: now,
            to: to.email.clone(),
            subject: format!("{from}: {first}"),
            about: format!("{channel}/{}", message.ts),
        };
        told.map(mail).collect()
    }

    /// Posts what was scheduled for a moment that has come.
    pub fn deliver(&mut self, now: Timestamp) {
        let (due, waiting) =
            self.scheduled.drain(..).partition::<Vec<_>, _>(|scheduled| scheduled.post_at <= now.as_second());
        self.scheduled = waiting;
        for Scheduled { channel, post_at, mut message, .. } in due {
            let at = Timestamp::from_second(post_at).unwrap_or(now);
            message.ts = self.next_ts(at);
            self.add(at, &channel, message);
        }
    }

    /// A message that is there, to change it.
    pub fn message_mut(&mut self, channel: &str, ts: &str) -> Result<&mut Message, Answer> {
        let messages = self.messages.get_mut(channel).map_or(&mut [] as &mut [Message], Vec::as_mut_slice);
        messages.iter_mut().find(|message| message.ts == ts).ok_or_else(|| refusal("message_not_found"))
    }

    /// A timestamp that no other message has.
    pub fn next_ts(&mut self, at: Timestamp) -> String {
        format!("{:0>10}.{:06}", at.as_second(), self.mint.count_on() % 1_000_000)
    }
}
