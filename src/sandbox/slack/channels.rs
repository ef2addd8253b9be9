//! Channels and direct messages, and how lists of Slack are paged.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Slack, errors::refusal, flag, number, ok, text};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// The longest page of a list.
const LONGEST_PAGE: i64 = 1000;

/// A conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// `C…` for channels, `D…` for direct messages, `G…` for those of several people.
    pub id: String,
    /// Empty for direct messages.
    pub name: String,
    pub is_private: bool,
    pub is_archived: bool,
    /// Whether people of another company are in it.
    pub is_shared: bool,
    pub topic: String,
    pub purpose: String,
    pub creator: String,
    /// In seconds.
    pub created: i64,
    /// The ids of who is in it.
    pub members: Vec<String>,
}

impl Channel {
    pub fn is_direct(&self) -> bool {
        self.name.is_empty()
    }

    pub fn has(&self, member: &str) -> bool {
        self.members.iter().any(|one| one == member)
    }

    /// Its kind, as `types` names it.
    fn kind(&self) -> &'static str {
        match (self.is_direct(), self.is_private) {
            (true, _) if self.members.len() > 2 => "mpim",
            (true, _) => "im",
            (false, true) => "private_channel",
            (false, false) => "public_channel",
        }
    }

    /// Who is at the other end of a direct message.
    pub fn partner<'a>(&'a self, me: &'a str) -> &'a str {
        self.members.iter().find(|member| *member != me).map_or(me, String::as_str)
    }

    pub fn json(&self, me: &str) -> Value {
        if self.is_direct() {
            return json!({
                "id": self.id, "created": self.created, "is_archived": false, "is_im": true, "is_org_shared": false,
                "user": self.partner(me),
            });
        }
        let worded = |value: &str| json!({ "value": value, "creator": self.creator, "last_set": self.created });
        json!({
            "id": self.id, "name": self.name, "name_normalized": self.name, "is_channel": !self.is_private,
            "is_group": self.is_private, "is_im": false, "is_mpim": false, "is_private": self.is_private,
            "created": self.created, "creator": self.creator, "is_archived": self.is_archived,
            "is_general": self.name == "general", "is_member": self.has(me), "is_shared": self.is_shared,
            "is_ext_shared": self.is_shared, "is_org_shared": false, "is_pending_ext_shared": false,
            "pending_shared": [], "previous_names": [], "unlinked": 0, "topic": worded(&self.topic),
            "purpose": worded(&self.purpose), "num_members": self.members.len(),
        })
    }
}

impl Slack {
    /// A conversation that the account may know of: private ones only from inside.
    pub fn channel(&self, id: &str) -> Result<&Channel, Answer> {
        let found = self.channels.iter().find(|channel| channel.id == id && self.sees(channel));
        found.ok_or_else(|| refusal("channel_not_found"))
    }

    /// The same, to change it.
    pub fn channel_mut(&mut self, id: &str) -> Result<&mut Channel, Answer> {
        let me = self.me.clone();
        let sees = |channel: &Channel| channel.has(&me) || !(channel.is_private || channel.is_direct());
        let found = self.channels.iter_mut().find(|channel| channel.id == id && sees(channel));
        found.ok_or_else(|| refusal("channel_not_found"))
    }

    /// What people call a conversation.
    pub fn title_of(&self, channel: &Channel) -> String {
        if !channel.is_direct() {
            return format!("#{}", channel.name);
        }
        let others = channel.members.iter().filter(|member| **member != self.me);
        let names: Vec<_> = others.filter_map(|id| self.member(id)).map(|member| member.real_name.as_str()).collect();
        names.join(", ")
    }

    fn sees(&self, channel: &Channel) -> bool {
        channel.has(&self.me) || !(channel.is_private || channel.is_direct())
    }
}

pub fn list(slack: &Slack, call: &Call<'_>) -> Outcome {
    let types = match text(call, "types") {
        "" => "public_channel",
        types => types,
    };
    let types: Vec<_> = types.split(',').map(str::trim).collect();
    let known = ["public_channel", "private_channel", "mpim", "im"];
    if types.iter().any(|kind| !known.contains(kind)) {
        return Err(refusal("invalid_types"));
    }
    let is_wanted = |channel: &&Channel| {
        let is_left_out = flag(call, "exclude_archived") && channel.is_archived;
        slack.sees(channel) && types.contains(&channel.kind()) && !is_left_out
    };
    let channels: Vec<_> = slack.channels.iter().filter(is_wanted).collect();
    let (channels, next) = page(&channels, call, "team")?;
    let channels: Vec<_> = channels.iter().map(|channel| channel.json(&slack.me)).collect();
    Ok(ok(json!({ "channels": channels, "response_metadata": { "next_cursor": next } })))
}

pub fn info(slack: &Slack, call: &Call<'_>) -> Outcome {
    let channel = slack.channel(text(call, "channel"))?;
    let mut shown = channel.json(&slack.me);
    if !flag(call, "include_num_members") {
        shown.as_object_mut().map(|fields| fields.remove("num_members"));
    }
    Ok(ok(json!({ "channel": shown })))
}

/// One page of a list, and the cursor of the next one, which is empty at the end.
pub fn page<'a, T>(all: &'a [T], call: &Call<'_>, kind: &str) -> Result<(&'a [T], String), Answer> {
    let limit = number(call, "limit").unwrap_or(100);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(refusal("invalid_limit"));
    }
    let from = start(text(call, "cursor"), kind).filter(|from| *from <= all.len());
    let from = from.ok_or_else(|| refusal("invalid_cursor"))?;
    let until = all.len().min(from + usize::try_from(limit).unwrap_or(1));
    let next = if until < all.len() { STANDARD.encode(format!("{kind}:{until}")) } else { String::new() };
    Ok((&all[from..until], next))
}

fn start(cursor: &str, kind: &str) -> Option<usize> {
    if cursor.is_empty() {
        return Some(0);
    }
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix(kind)?.strip_prefix(':')?.parse().ok()
}
