//! Rules about messages: channels and mail.

use serde_json::json;

use super::{
    customers::{Person, find_person},
    english::{Said, listed},
    rules::{Move, Scene, no_tool},
    tell,
};

/// Words that order a message and are no part of it.
const ORDERS: &[&str] = &["post", "send", "write", "tell", "say", "announce", "message"];

pub(super) fn post(scene: &Scene<'_>) -> Move {
    let Some(tool) = scene.tool("send_message") else { return no_tool("messages") };
    if let Some(result) = scene.dialogue.result(tool) {
        return Move::say(sent(result));
    }
    let said = scene.said();
    let (to, text) = match said.channel() {
        Some((channel, before, after)) => (channel, text_in_channel(&before, &after)),
        None => match addressee(scene) {
            Ok((address, text)) => (address, text),
            Err(step) => return step,
        },
    };
    let asked = scene.dialogue.question.as_deref().is_some_and(|question| question.contains("What shall I write"));
    let text = if asked { Some(scene.dialogue.latest.raw.clone()) } else { text };
    match text {
        Some(text) => Move::call(tool, json!({ "channel": to, "text": text })),
        None => Move::say("What shall I write?"),
    }
}

/// What is to be written: after "saying" or "that", or between the order and the channel.
fn text_in_channel(before: &Said, after: &Said) -> Option<String> {
    let behind = ["saying", "that"]
        .iter()
        .find_map(|cue| after.rest(cue).or_else(|| before.rest(cue).and_then(|text| text.before_last("to"))));
    let text = behind.or_else(|| Some(after.clone()).filter(|after| !after.is_empty())).or_else(|| {
        let order = ORDERS.iter().find_map(|order| before.rest(order))?;
        ["to", "in", "into"].iter().find_map(|word| order.before_last(word)).or(Some(order))
    });
    let text = text
        .map(|text| text.written())
        .filter(|text| !["", "a message", "a message to the", "the", "to the", "a"].contains(&text.as_str()))?;
    let mut letters = text.chars();
    Some(letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect())
}

/// The address of a person, and what is to be written to them.
fn addressee(scene: &Scene<'_>) -> Result<(String, Option<String>), Move> {
    let said = scene.said();
    let text = ["saying", "that"].iter().find_map(|cue| said.rest(cue)).map(|text| text.written());
    let Some(name) = said.name_after(&["to", "tell", "message"]) else {
        return Err(Move::say("To which channel, or to whom?"));
    };
    match find_person(scene, &name) {
        Person::Found(_, address) => Ok((address, text)),
        Person::LookUp((tool, arguments)) => Err(Move::call(&tool, arguments)),
        Person::Ask(question) => Err(Move::Say(question)),
        Person::Nobody => Err(Move::say("To which channel, or to whom?")),
    }
}

fn sent(result: &str) -> String {
    let plain = tell::plain(result);
    let to = plain.strip_prefix("Sent to ").and_then(|rest| rest.split([' ', ',']).next());
    match to.map(|to| (to, to.strip_prefix('#'))) {
        Some((_, Some(channel))) => format!("Sent to the {} channel.", channel.replace('-', " ")),
        Some(_) => "Sent.".to_owned(),
        None => tell::anything(result),
    }
}

pub(super) fn read(scene: &Scene<'_>) -> Move {
    let Some(tool) = scene.tool("read_channel") else { return no_tool("channels") };
    let Some((channel, ..)) = scene.said().channel() else { return Move::say("Which channel?") };
    let Some(result) = scene.dialogue.result(tool) else {
        return Move::call(tool, json!({ "channel": channel, "limit": 3 }));
    };
    let plain = tell::plain(result).replace(['*', '_'], "");
    // `Thu 2026-11-26T12:00+01:00  Ana Ruiz: text [ts 1795690800.000041]`
    let message = |line: &str| {
        let (_, said) = line.split_once("  ").filter(|(when, _)| when.contains('T'))?;
        let text = said.split(" [ts ").next().unwrap_or(said);
        Some(text.split(" (you)").collect::<String>())
    };
    let messages = plain.lines().filter_map(message).collect::<Vec<_>>();
    Move::say(match messages.last() {
        None if plain.contains("the latest last") => "There is nothing in that channel.".to_owned(),
        None => tell::anything(result),
        Some(last) => format!("The latest is from {}.", last.replacen(": ", ", ", 1).trim_end_matches('.')),
    })
}

pub(super) fn mail(scene: &Scene<'_>) -> Move {
    let Some(tool) = scene.tools.first(&["search_emails", "search_messages"], scene.said()) else {
        return no_tool("mail");
    };
    let Some(result) = scene.dialogue.result(tool) else {
        let from = scene.said().name_after(&["from"]);
        let query = from.map_or_else(|| "is:unread".to_owned(), |name| format!("from:{}", name.to_lowercase()));
        return Move::call(tool, json!({ "query": query, "limit": 5 }));
    };
    // `Fri 2026-11-27T07:20+00:00  Olivia Grant <…>: subject — beginning`
    let plain = tell::plain(result);
    let mail = |line: &str| {
        let (_, rest) = line.split_once("  ")?;
        let (from, rest) = rest.split_once('<')?;
        let subject = rest.split_once(">: ")?.1.split(" — ").next()?;
        Some(format!("{} about {}", from.trim(), subject.trim_start_matches("Re: ")))
    };
    let mails = plain.lines().filter_map(mail).collect::<Vec<_>>();
    Move::say(match mails.len() {
        0 if plain.starts_with("No") => "You have no new mail.".to_owned(),
        0 => tell::anything(result),
        _ => format!("You have mail from {}.", listed(&mails[..mails.len().min(3)], "and from")),
    })
}
