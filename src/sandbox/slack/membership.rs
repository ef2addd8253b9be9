//! Making channels, who is in them, and opening direct messages.

use serde_json::json;

use super::{Slack, channels::Channel, errors::refusal, flag, ok, text};
use crate::sandbox::twin::{Answer, Call, Mail, Outcome};

/// The longest name of a channel, in characters.
const LONGEST_NAME: usize = 80;
/// The longest topic, in characters.
const LONGEST_TOPIC: usize = 250;
/// The most people that are invited at once.
const MOST_INVITED: usize = 100;

pub fn create(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    let name = text(call, "name");
    check_name(name)?;
    if slack.channels.iter().any(|channel| channel.name == name) {
        return Err(refusal("name_taken"));
    }
    let channel = Channel {
        id: slack.fresh_id('C'),
        name: name.to_owned(),
        is_private: flag(call, "is_private"),
        is_archived: false,
        is_shared: false,
        topic: String::new(),
        purpose: String::new(),
        creator: slack.me.clone(),
        created: call.now.as_second(),
        members: vec![slack.me.clone()],
    };
    let shown = channel.json(&slack.me);
    slack.channels.push(channel);
    Ok(ok(json!({ "channel": shown })))
}

fn check_name(name: &str) -> Result<(), Answer> {
    let fits = |c: char| c == '-' || c == '_' || (c.is_alphanumeric() && !c.is_uppercase());
    match name {
        "" => Err(refusal("invalid_name_required")),
        _ if name.chars().count() > LONGEST_NAME => Err(refusal("invalid_name_maxlength")),
        _ if !name.chars().any(char::is_alphanumeric) => Err(refusal("invalid_name_punctuation")),
        _ if !name.chars().all(fits) => Err(refusal("invalid_name_specials")),
        _ => Ok(()),
    }
}

pub fn set_topic(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    let topic = text(call, "topic");
    if topic.chars().count() > LONGEST_TOPIC {
        return Err(refusal("too_long"));
    }
    let me = slack.me.clone();
    let channel = slack.channel_mut(text(call, "channel"))?;
    check_inside(channel, &me)?;
    topic.clone_into(&mut channel.topic);
    Ok(ok(json!({})))
}

/// Only somebody who is in a channel that is in use may change it.
pub fn check_inside(channel: &Channel, me: &str) -> Result<(), Answer> {
    match (channel.is_archived, channel.has(me)) {
        (true, _) => Err(refusal("is_archived")),
        (false, false) => Err(refusal("not_in_channel")),
        (false, true) => Ok(()),
    }
}

pub fn invite(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    let users: Vec<_> = text(call, "users").split(',').map(|user| user.trim().to_owned()).collect();
    if users.len() > MOST_INVITED {
        return Err(refusal("too_many_users"));
    }
    let me = slack.me.clone();
    let channel = slack.channel(text(call, "channel"))?;
    check_inside(channel, &me)?;
    let mut mails = vec![];
    for user in &users {
        let member = slack.member(user).ok_or_else(|| refusal("user_not_found"))?;
        match () {
            () if *user == me => return Err(refusal("cant_invite_self")),
            () if member.deleted => return Err(refusal("cant_invite")),
            () if channel.has(user) => return Err(refusal("already_in_channel")),
            () => {}
        }
        let subject = format!("Added to #{}", channel.name);
        mails.push(Mail { at: call.now, to: member.email.clone(), subject, about: channel.id.clone() });
    }
    let channel = slack.channel_mut(text(call, "channel"))?;
    channel.members.extend(users);
    let shown = channel.json(&me);
    slack.outbox.extend(mails);
    Ok(ok(json!({ "channel": shown })))
}

/// Opens a direct message, or finds the one that is open.
pub fn open(slack: &mut Slack, call: &Call<'_>) -> Outcome {
    let mut members: Vec<String> =
        text(call, "users").split(',').map(|user| user.trim().to_owned()).filter(|user| !user.is_empty()).collect();
    if members.is_empty() {
        return Err(refusal("users_list_not_supplied"));
    }
    let is_known = |user: &String| slack.member(user).is_some_and(|member| !member.deleted);
    if !members.iter().all(is_known) {
        return Err(refusal("user_not_found"));
    }
    members.push(slack.me.clone());
    members.sort();
    members.dedup();
    let same = |channel: &&Channel| channel.is_direct() && channel.members == members;
    if let Some(channel) = slack.channels.iter().find(same) {
        return Ok(ok(json!({ "no_op": true, "already_open": true, "channel": { "id": channel.id } })));
    }
    let channel = Channel {
        id: slack.fresh_id('D'),
        name: String::new(),
        is_private: true,
        is_archived: false,
        is_shared: false,
        topic: String::new(),
        purpose: String::new(),
        creator: slack.me.clone(),
        created: call.now.as_second(),
        members,
    };
    let id = channel.id.clone();
    slack.channels.push(channel);
    Ok(ok(json!({ "channel": { "id": id } })))
}
