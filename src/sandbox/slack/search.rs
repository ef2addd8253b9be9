//! `search.messages`: words, phrases and Slack's modifiers.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::{Slack, channels::Channel, errors::refusal, messages::Message, number, ok, text};
use crate::sandbox::twin::{Answer, Call, Outcome};

pub fn messages(slack: &Slack, call: &Call<'_>) -> Outcome {
    let slack = slack.at(call.now);
    let query = Query::read(&slack, text(call, "query"))?;
    let count = number(call, "count").unwrap_or(20);
    let page = number(call, "page").unwrap_or(1);
    if !(1..=100).contains(&count) || !(1..=100).contains(&page) {
        return Err(refusal("invalid_arguments"));
    }
    let places = slack.channels.iter().filter(|channel| slack.channel(&channel.id).is_ok());
    let all = places.flat_map(|place| slack.messages_of(&place.id).iter().map(move |message| (place, message)));
    let mut found: Vec<_> = all.filter(|(place, message)| query.fits(place, message)).collect();
    // Slack's own ranking is not known; among equals the newest comes first.
    found.sort_by(|(_, one), (_, other)| other.ts.cmp(&one.ts));
    if text(call, "sort_dir") == "asc" {
        found.reverse();
    }
    let total = found.len();
    let (count, page) = (usize::try_from(count).unwrap_or(1), usize::try_from(page).unwrap_or(1));
    let pages = total.div_ceil(count);
    let first = (page - 1) * count;
    let matches: Vec<_> = found.iter().skip(first).take(count).map(|(place, one)| shown(&slack, place, one)).collect();
    let last = first + matches.len();
    Ok(ok(json!({
        "query": text(call, "query"),
        "messages": {
            "total": total, "matches": matches,
            "pagination": {
                "total_count": total, "page": page, "per_page": count, "page_count": pages,
                "first": first + 1, "last": last,
            },
            "paging": { "count": count, "total": total, "page": page, "pages": pages },
        },
    })))
}

fn shown(slack: &Slack, place: &Channel, message: &Message) -> Value {
    let name = if place.is_direct() { place.partner(&slack.me) } else { &place.name };
    let link = format!("{}archives/{}/p{}", slack.url(), place.id, message.ts.replace('.', ""));
    json!({
        "type": "message", "team": slack.team.id, "user": message.user, "ts": message.ts, "text": message.text,
        "username": slack.member(&message.user).map_or("", |member| &member.name),
        "channel": {
            "id": place.id, "name": name, "is_private": place.is_private, "is_shared": place.is_shared,
            "is_ext_shared": place.is_shared, "is_mpim": false, "is_org_shared": false,
            "is_pending_ext_shared": false, "pending_shared": [],
        },
        "permalink": link, "iid": format!("{}-{}", place.id, message.ts),
    })
}

/// A query, taken apart.
#[derive(Default)]
struct Query {
    words: Vec<String>,
    /// Ids of conversations and people; an unknown name finds nothing.
    places: Vec<String>,
    people: Vec<String>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Query {
    fn read(slack: &Slack, text: &str) -> Result<Query, Answer> {
        let mut query = Query::default();
        for word in words(text) {
            let (modifier, value) = word.split_once(':').unwrap_or(("", &word));
            match modifier {
                "in" => query.places.push(slack.place(value)),
                "from" => query.people.push(slack.person(value)),
                "after" => query.from = day(value).map(day_after),
                "before" => query.until = day(value),
                "on" => {
                    (query.from, query.until) = (day(value), day(value).map(day_after));
                }
                _ => query.words.push(word.to_lowercase()),
            }
        }
        let is_empty = query.words.is_empty() && query.places.is_empty() && query.people.is_empty();
        if is_empty && query.from.is_none() && query.until.is_none() { Err(refusal("no_query")) } else { Ok(query) }
    }

    fn fits(&self, place: &Channel, message: &Message) -> bool {
        let text = message.text.to_lowercase();
        let at = message.ts.split('.').next().and_then(|seconds| seconds.parse().ok());
        let at = at.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or_default();
        self.words.iter().all(|word| text.contains(word))
            && (self.places.is_empty() || self.places.contains(&place.id))
            && (self.people.is_empty() || self.people.contains(&message.user))
            && self.from.is_none_or(|from| at >= from)
            && self.until.is_none_or(|until| at < until)
    }
}

impl Slack {
    fn place(&self, given: &str) -> String {
        let name = given.trim_start_matches(['#', '@']);
        let by_name = self.channels.iter().find(|channel| channel.name == name && !channel.is_direct());
        by_name.map_or_else(|| given.trim_matches(['<', '>', '#', '@']).to_owned(), |channel| channel.id.clone())
    }

    fn person(&self, given: &str) -> String {
        let name = given.trim_matches(['<', '>', '@']);
        if name == "me" {
            return self.me.clone();
        }
        let is_meant = |member: &&super::people::Member| member.name == name || member.id == name;
        self.members.iter().find(is_meant).map_or_else(|| name.to_owned(), |member| member.id.clone())
    }
}

/// Words; what stands in quotation marks stays together.
pub fn words(text: &str) -> Vec<String> {
    let mut words = vec![];
    for (at, part) in text.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn day_after(day: Timestamp) -> Timestamp {
    day.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
}

fn day(text: &str) -> Option<Timestamp> {
    text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp())
}
