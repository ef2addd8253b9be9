//! Rules about meetings: what is on, when there is time, booking, moving and cancelling.

use jiff::{
    SignedDuration, ToSpan,
    civil::{Date, DateTime, Time},
};
use serde_json::{Value, json};

use super::{
    customers::{Person, find_person},
    english::{self, Said, listed},
    rules::{Move, Scene, no_tool},
    tell::{self, Meeting},
    times,
};

/// How long a meeting is unless it is said, in minutes.
const USUAL: i64 = 30;

/// So many days ahead a meeting is looked for when no day is said.
const AHEAD: i64 = 14;

/// Words that name no meeting.
const NO_SUBJECT: &[&str] = &[
    "am",
    "appointment",
    "calendar",
    "called",
    "cancel",
    "could",
    "delete",
    "do",
    "event",
    "have",
    "hello",
    "hey",
    "hi",
    "id",
    "ill",
    "its",
    "just",
    "lets",
    "like",
    "meetings",
    "move",
    "no",
    "not",
    "now",
    "o",
    "oclock",
    "off",
    "ok",
    "okay",
    "one",
    "past",
    "pm",
    "postpone",
    "push",
    "remove",
    "reschedule",
    "shift",
    "so",
    "then",
    "till",
    "us",
    "want",
    "what",
    "whats",
    "when",
    "will",
    "would",
    "yes",
];

pub(super) fn agenda(scene: &Scene<'_>) -> Move {
    let Some(tool) = scene.tool("list_meetings") else { return no_tool("calendars") };
    let said = scene.said();
    let days = times::days(&said.lows(), scene.today());
    let is_next = said.has(&["next"]) && days.is_none();
    let wants_one = said.says(&["when is", "when do"]);
    let Some(result) = scene.dialogue.result(tool) else {
        return Move::call(tool, list_arguments(scene, days, is_next || wants_one));
    };
    let Some(meetings) = read_list(result) else { return Move::say(tell::anything(result)) };
    let today = scene.today();
    if is_next {
        let now = scene.now.datetime();
        let next = meetings.iter().find(|meeting| begin(meeting).is_none_or(|begin| begin > now));
        return Move::say(next.map_or_else(
            || "You have no meetings in the next two weeks.".to_owned(),
            |meeting| format!("Your next meeting is {}.", meeting.named(today)),
        ));
    }
    if wants_one {
        let found = matching(&meetings, said, None);
        return Move::say(found.first().map_or_else(
            || "I find no such meeting in the next two weeks.".to_owned(),
            |meeting| format!("{} is {}.", meeting.title, meeting.when(today)),
        ));
    }
    Move::say(tell::agenda(&meetings, &window_name(said, days, today), today))
}

/// The window of a list: the days that were said, or today, or two weeks when something is looked for.
fn list_arguments(scene: &Scene<'_>, days: Option<(Date, Date)>, looks_ahead: bool) -> Value {
    let today = scene.today();
    let (first, last) =
        days.unwrap_or_else(|| (today, if looks_ahead { today.saturating_add(AHEAD.days()) } else { today }));
    // From now on, when it is about what comes.
    let start = if looks_ahead && first == today { json!(null) } else { json!(first.to_string()) };
    let mut arguments = json!({ "start": start, "end": last.to_string(), "limit": 50 });
    if let Some(object) = arguments.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    arguments
}

fn window_name(said: &Said, days: Option<(Date, Date)>, today: Date) -> String {
    match days {
        None => "today".into(),
        Some((first, last)) if first == last => times::day_name(first, today),
        Some(_) if said.has(&["weekend"]) => "at the weekend".into(),
        Some((first, _)) if first > today => "next week".into(),
        Some(_) => "this week".into(),
    }
}

/// The meetings of a result, or `None` when it is something else, such as a failure.
fn read_list(result: &str) -> Option<Vec<Meeting>> {
    let meetings = tell::meetings(result);
    (!meetings.is_empty() || tell::plain(result).starts_with("No meetings")).then_some(meetings)
}

fn begin(meeting: &Meeting) -> Option<DateTime> {
    meeting.times.map(|(begin, _)| meeting.day.to_datetime(begin))
}

pub(super) fn free(scene: &Scene<'_>) -> Move {
    let Some(tool) = scene.tool("check_availability") else { return no_tool("calendars") };
    let lows = scene.said().lows();
    let today = scene.today();
    let (first, last) = times::days(&lows, today).unwrap_or((today, today));
    let time = times::time(&lows);
    let minutes = times::minutes(&lows).unwrap_or(USUAL);
    let Some(result) = scene.dialogue.result(tool) else {
        return Move::call(
            tool,
            match time {
                Some(time) => window(first, time, minutes),
                None => json!({
                    "start": first.to_string(), "end": last.to_string(), "duration_minutes": minutes,
                    "working_hours_start": "09:00", "working_hours_end": "17:00",
                }),
            },
        );
    };
    if !result.contains("Busy:") {
        return Move::say(tell::anything(result));
    }
    let when = times::day_name(first, today);
    let busy = tell::stretches(result, "Busy:");
    if let Some(time) = time {
        return Move::say(match busy.first() {
            None => format!("Yes, you are free {when} at {}.", times::clock(time)),
            Some((_, begin, end)) => format!("No, {when} you are busy from {} to {end}.", times::clock(*begin)),
        });
    }
    let free = tell::stretches(result, "Free:");
    let slots = free.iter().take(3).map(|(_, begin, end)| format!("from {} to {end}", times::clock(*begin)));
    Move::say(match free.len() {
        0 => format!("You have no free time {when} in working hours."),
        _ => format!("You are free {when} {}.", listed(&slots.collect::<Vec<_>>(), "and")),
    })
}

fn window(day: Date, time: Time, minutes: i64) -> Value {
    let begin = day.to_datetime(time);
    let end = begin.saturating_add(SignedDuration::from_mins(minutes));
    json!({ "start": local(begin), "end": local(end) })
}

/// `2026-11-30T14:00`
fn local(moment: DateTime) -> String {
    moment.strftime("%Y-%m-%dT%H:%M").to_string()
}

pub(super) fn book(scene: &Scene<'_>) -> Move {
    let Some(tool) = scene.tool("schedule_meeting") else { return no_tool("booking meetings") };
    let said = scene.said();
    let lows = said.lows();
    let today = scene.today();
    let (day, time) = match (times::day(&lows, today), times::time(&lows)) {
        (Some(day), Some(time)) => (day, time),
        (Some(_), None) => return Move::say("At what time?"),
        (None, Some(_)) => return Move::say("On which day?"),
        (None, None) => return Move::say("On which day, and at what time?"),
    };
    if let Some(result) = scene.dialogue.result(tool) {
        return Move::say(booked(result, today));
    }
    let minutes = times::minutes(&lows).unwrap_or(USUAL);
    let checking = scene.tool("check_availability");
    let check = checking.filter(|check| scene.dialogue.result(check).is_none());
    let check = check.map(|check| (check.to_owned(), window(day, time, minutes)));
    let person = match said.address() {
        Some(address) => Person::Found(address.to_owned(), address.to_owned()),
        None => said.name_after(&["with"]).map_or(Person::Nobody, |name| find_person(scene, &name)),
    };
    let guest = match person {
        // Both are looked up at once.
        Person::LookUp(call) => return Move::Call(check.into_iter().chain([call]).collect()),
        _ if check.is_some() => return Move::Call(check.into_iter().collect()),
        Person::Ask(question) => return Move::Say(question),
        Person::Found(name, address) => Some((name, address)),
        Person::Nobody => None,
    };
    let is_busy = checking
        .and_then(|check| scene.dialogue.result(check))
        .is_some_and(|result| !tell::stretches(result, "Busy:").is_empty());
    let asked = scene.dialogue.question.as_deref().is_some_and(|question| question.contains("all the same"));
    match (is_busy, asked) {
        (true, true) if !scene.dialogue.latest.is_yes() => return Move::say("All right, I book nothing."),
        (true, false) => {
            let when = times::day_name(day, today);
            return Move::say(format!("You are busy {when} at {}. Shall I book it all the same?", times::clock(time)));
        }
        _ => {}
    }
    Move::call(tool, booking(said, day.to_datetime(time), minutes, guest))
}

fn booking(said: &Said, begin: DateTime, minutes: i64, guest: Option<(String, String)>) -> Value {
    let subject = ["about", "regarding"].iter().find_map(|cue| said.name_after(&[cue]));
    let title = match (&subject, &guest) {
        (Some(subject), _) => subject.clone(),
        (None, Some((name, _))) => format!("Meeting with {name}"),
        (None, None) => "Meeting".to_owned(),
    };
    let mut arguments = json!({ "title": title, "start": local(begin), "duration_minutes": minutes });
    if let Some((_, address)) = guest {
        arguments["attendees"] = json!([address]);
    }
    arguments
}

fn booked(result: &str, today: Date) -> String {
    let plain = tell::plain(result);
    let meeting = plain.split_once(": ").map(|(_, line)| tell::meetings(line)).and_then(|list| list.into_iter().next());
    match meeting {
        Some(meeting) if plain.starts_with("Booked") => format!("Booked: {}.", meeting.named(today)),
        Some(meeting) if plain.starts_with("Already") => format!("That was booked already: {}.", meeting.named(today)),
        Some(meeting) if plain.starts_with("Moved") => {
            format!("Moved: {} is now {}.", meeting.title, meeting.when(today))
        }
        _ => tell::anything(result),
    }
}

pub(super) fn cancel(scene: &Scene<'_>) -> Move {
    let Some(tool) = scene.tool("cancel_meeting") else { return no_tool("cancelling meetings") };
    if let Some(result) = scene.dialogue.result(tool) {
        return Move::say(cancelled(result));
    }
    match one_meeting(scene, scene.said(), scene.said()) {
        Ok(meeting) => Move::call(tool, json!({ "event_id": meeting.id })),
        Err(step) => step,
    }
}

fn cancelled(result: &str) -> String {
    let plain = tell::plain(result);
    match plain.strip_prefix("Cancelled: ") {
        Some(rest) => {
            let title = rest.split(" on ").next().unwrap_or(rest);
            format!("{title} is cancelled.")
        }
        None if ["said no", "refused", "declined", "not confirmed"].iter().any(|word| plain.contains(word)) => {
            "All right, I left it as it is.".to_owned()
        }
        None => tell::anything(result),
    }
}

pub(super) fn reschedule(scene: &Scene<'_>) -> Move {
    let Some(tool) = scene.tool("reschedule_meeting") else { return no_tool("moving meetings") };
    if let Some(result) = scene.dialogue.result(tool) {
        return Move::say(booked(result, scene.today()));
    }
    let said = scene.said();
    let (Some(what), Some(to)) = (said.before_last("to"), said.last_rest("to")) else {
        return Move::say("To which time shall I move it?");
    };
    let (day, time) = (times::day(&to.lows(), scene.today()), times::time(&to.lows()));
    if day.is_none() && time.is_none() {
        return Move::say("To which time shall I move it?");
    }
    let meeting = match one_meeting(scene, &what, &what) {
        Ok(meeting) => meeting,
        Err(step) => return step,
    };
    let Some(time) = time.or(meeting.times.map(|(begin, _)| begin)) else { return Move::say("At what time?") };
    let begin = day.unwrap_or(meeting.day).to_datetime(time);
    Move::call(tool, json!({ "event_id": meeting.id, "start": local(begin) }))
}

/// The one meeting that is meant, or what has to be done to know it.
fn one_meeting(scene: &Scene<'_>, what: &Said, when: &Said) -> Result<Meeting, Move> {
    let Some(tool) = scene.tool("list_meetings") else { return Err(no_tool("calendars")) };
    let days = times::days(&when.lows(), scene.today());
    let result = scene.dialogue.result(tool).ok_or_else(|| Move::call(tool, list_arguments(scene, days, true)))?;
    let meetings = read_list(result).ok_or_else(|| Move::say(tell::anything(result)))?;
    let mut found = matching(&meetings, what, times::time(&when.lows()));
    let is_same = found.windows(2).all(|pair| pair[0].title == pair[1].title);
    if what.has(&["next"]) || is_same {
        found.truncate(1);
    }
    match &found[..] {
        [] => Err(Move::say("I find no such meeting.")),
        [one] => Ok((*one).clone()),
        several => {
            let named = several.iter().take(3).map(|meeting| meeting.named(scene.today())).collect::<Vec<_>>();
            Err(Move::say(format!("Which one: {}?", listed(&named, "or"))))
        }
    }
}

/// The meetings that fit best to what was said: by words of their title and guests, and by their time.
fn matching<'a>(meetings: &'a [Meeting], said: &Said, time: Option<Time>) -> Vec<&'a Meeting> {
    let lows = said.lows();
    let subject = |word: &&&str| !NO_SUBJECT.contains(word) && !english::is_small(word);
    let words = lows.iter().filter(subject).collect::<Vec<_>>();
    let score = |meeting: &Meeting| words.iter().filter(|word| meeting.about.contains(***word)).count();
    let best = meetings.iter().map(score).max().unwrap_or(0);
    if best == 0 && !words.is_empty() {
        return vec![];
    }
    let fits = |meeting: &&Meeting| score(meeting) == best;
    let at_that_time = |meeting: &&Meeting| time.is_none() || meeting.times.map(|(begin, _)| begin) == time;
    let found = meetings.iter().filter(fits).collect::<Vec<_>>();
    let timed = found.iter().copied().filter(|meeting| at_that_time(meeting)).collect::<Vec<_>>();
    // A time that fits none of those whose words fit was perhaps misheard.
    if timed.is_empty() && best > 0 { found } else { timed }
}
