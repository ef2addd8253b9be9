//! Lists of events: windows, expansion of series, search, order and pages.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    GoogleCalendar,
    calendars::Calendar,
    errors,
    event::{Event, millis, zone},
};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// What a page token says: where to go on, and for which question.
#[derive(Serialize, Deserialize)]
struct PageToken {
    offset: usize,
    question: u64,
}

/// How many items a page has.
#[derive(Clone, Copy, Debug)]
pub struct PageSize {
    /// When the client does not say.
    pub usual: usize,
    /// Whatever the client says.
    pub most: usize,
}

/// From where on changes are wanted.
#[derive(Clone, Copy, Debug)]
enum Since {
    /// After the change with this number.
    Change(u64),
    /// At this moment or later.
    Moment(Timestamp),
}

/// Which events of a calendar are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Whether series come as their single events.
    pub single: bool,
    /// Whether cancelled events come along.
    pub deleted: bool,
    /// They end after this.
    pub from: Option<Timestamp>,
    /// They start before this.
    pub to: Option<Timestamp>,
}

impl GoogleCalendar {
    /// The events of a calendar that are wanted, in the order of their ids.
    pub fn gather(&self, calendar: &Calendar, wanted: Wanted) -> Vec<Event> {
        let zone = calendar.zone();
        let events = self.events_of(&calendar.id);
        let mut found = vec![];
        for event in events.values() {
            if event.is_series() && event.series().is_none() {
                self.gather_series(calendar, event, wanted, &zone, &mut found);
            } else if is_shown(event, wanted) && event.is_within(wanted.from, wanted.to, &zone) {
                found.push(event.clone());
            }
        }
        found
    }

    fn gather_series(
        &self,
        calendar: &Calendar,
        series: &Event,
        wanted: Wanted,
        zone: &TimeZone,
        into: &mut Vec<Event>,
    ) {
        if series.is_cancelled() {
            if wanted.deleted && !wanted.single {
                into.push(series.clone());
            }
            return;
        }
        let mut occurrences = series.occurrences(wanted.from, wanted.to, zone).into_iter();
        if wanted.single {
            let events = self.events_of(&calendar.id);
            into.extend(occurrences.filter(|one| !events.contains_key(one.id())));
        } else if occurrences.next().is_some() {
            into.push(series.clone());
        }
    }

    /// An event as the account sees it, perhaps in another zone and with fewer guests.
    pub fn render(&self, calendar: &Calendar, event: &Event, call: &Call<'_>) -> Result<Value, Answer> {
        let shown_in = call.query("timeZone").map(zone).transpose()?;
        let own_zone = calendar.zone();
        let mut shown = event.clone();
        if let Some((start, end)) = event.span(&own_zone) {
            let shown_in = shown_in.or(Some(own_zone));
            shown.set("start", start.write(shown_in.as_ref()));
            shown.set("end", end.write(shown_in.as_ref()));
        }
        if !calendar.allows("reader") {
            return Ok(Value::Object(veil(&shown).0));
        }
        self.mark_self(calendar, &mut shown);
        limit_guests(&mut shown, call.number("maxAttendees"));
        Ok(Value::Object(shown.0))
    }

    /// Marks the account among creator, organizer and guests.
    fn mark_self(&self, calendar: &Calendar, event: &mut Event) {
        let mark = |who: &mut Value, email: &str| {
            if who["email"] == email {
                who["self"] = json!(true);
            }
        };
        if let Some(who) = event.0.get_mut("creator") {
            mark(who, &self.account);
        }
        let organizer = event.organizer().to_owned();
        if let Some(who) = event.0.get_mut("organizer") {
            mark(who, &calendar.id);
        }
        for guest in event.0.get_mut("attendees").and_then(Value::as_array_mut).into_iter().flatten() {
            mark(guest, &calendar.id);
            if guest["email"] == organizer.as_str() {
                guest["organizer"] = json!(true);
            }
        }
    }
}

/// `events.list`
pub fn list(world: &GoogleCalendar, call: &Call<'_>) -> Outcome {
    let calendar = world.calendar(call.segment("calendarId"))?;
    let mut wanted = window(call)?;
    wanted.single = call.flag("singleEvents");
    if call.query("orderBy") == Some("startTime") && !wanted.single {
        return Err(errors::invalid("The requested ordering is not available for the particular query."));
    }
    let since = since(call)?;
    wanted.deleted |= since.is_some();
    let mut events = world.gather(calendar, wanted);
    events.retain(|event| fits(event, call) && since.is_none_or(|since| since.includes(event)));
    let own_zone = calendar.zone();
    match call.query("orderBy") {
        Some("startTime") => events.sort_by_cached_key(|event| event.instants(&own_zone)),
        Some(_) => events.sort_by(|one, other| one.text("updated").cmp(other.text("updated"))),
        None => {}
    }
    answer(world, calendar, &events, call)
}

/// `events.instances`
pub fn instances(world: &GoogleCalendar, call: &Call<'_>) -> Outcome {
    let calendar = world.calendar(call.segment("calendarId"))?;
    let series = world.event(calendar, call.segment("eventId"))?;
    let mut wanted = window(call)?;
    wanted.single = true;
    let original = call.query("originalStart");
    let belongs = |event: &Event| {
        let start = event.0.get("originalStartTime");
        let start = start.and_then(|start| start["dateTime"].as_str().or(start["date"].as_str()));
        event.series() == Some(series.id()) && original.is_none_or(|original| is_same(start, original))
    };
    let mut events = world.gather(calendar, wanted);
    events.retain(belongs);
    events.sort_by_cached_key(|event| event.instants(&calendar.zone()));
    answer(world, calendar, &events, call)
}

/// Cuts a page out of a list and puts it in a frame. A `nextSyncToken` of the frame goes with the last page only.
pub fn page<T>(
    call: &Call<'_>,
    items: &[T],
    mut frame: Value,
    size: PageSize,
    render: impl Fn(&T) -> Result<Value, Answer>,
) -> Outcome {
    let question = question(call);
    let start = match call.query("pageToken") {
        Some(token) => read_token(token, question, items.len()).ok_or_else(bad_token)?,
        None => 0,
    };
    let wanted = call.number("maxResults").unwrap_or(size.usual).clamp(1, size.most);
    let end = items.len().min(start + wanted);
    if end < items.len() {
        let token = serde_json::to_vec(&PageToken { offset: end, question }).expect("two numbers are JSON");
        frame["nextPageToken"] = json!(URL_SAFE_NO_PAD.encode(token));
        frame.as_object_mut().and_then(|frame| frame.remove("nextSyncToken"));
    }
    let shown: Result<Vec<Value>, Answer> = items[start..end].iter().map(render).collect();
    frame["items"] = Value::Array(shown?);
    Ok(Answer::ok(frame))
}

/// The token that asks for what has changed since now. It counts changes: two of them can have the same time.
pub fn sync_token(world: &GoogleCalendar) -> String {
    URL_SAFE_NO_PAD.encode(world.mint.made().to_string())
}

fn answer(world: &GoogleCalendar, calendar: &Calendar, events: &[Event], call: &Call<'_>) -> Outcome {
    let shown_in = call.query("timeZone").unwrap_or(&calendar.time_zone);
    let last = events.iter().map(|event| event.text("updated")).max().filter(|updated| !updated.is_empty());
    let mut frame = json!({
        "kind": "calendar#events", "etag": world.etag(), "summary": calendar.name, "timeZone": shown_in,
        "updated": last.map_or_else(|| millis(call.now), str::to_owned), "accessRole": calendar.access,
        "defaultReminders": [],
    });
    if !calendar.description.is_empty() {
        frame["description"] = json!(calendar.description);
    }
    // Only an unfiltered list can be brought up to date later.
    let filters = ["timeMin", "timeMax", "q", "orderBy", "iCalUID", "updatedMin"];
    let whole = filters.iter().all(|name| call.query(name).is_none());
    if whole {
        frame["nextSyncToken"] = json!(sync_token(world));
    }
    let size = PageSize { usual: 250, most: 2500 };
    page(call, events, frame, size, |event| world.render(calendar, event, call))
}

fn window(call: &Call<'_>) -> Result<Wanted, Answer> {
    let (from, to) = (call.moment("timeMin"), call.moment("timeMax"));
    if from.is_some() && to.is_some() && from >= to {
        return Err(errors::empty_range());
    }
    let (single, deleted) = (false, call.flag("showDeleted"));
    Ok(Wanted { single, deleted, from, to })
}

/// Cancelled exceptions are shown where their series is shown whole: a client could not know of them otherwise.
fn is_shown(event: &Event, wanted: Wanted) -> bool {
    !event.is_cancelled() || wanted.deleted || (event.series().is_some() && !wanted.single)
}

/// From where on changes are wanted: from a sync token or from `updatedMin`.
fn since(call: &Call<'_>) -> Result<Option<Since>, Answer> {
    let Some(token) = call.query("syncToken") else { return Ok(call.moment("updatedMin").map(Since::Moment)) };
    let excluded = ["iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin"];
    let excluded = excluded.iter().chain(&["timeMax", "updatedMin"]);
    if excluded.into_iter().any(|name| call.query(name).is_some()) {
        return Err(errors::invalid("Sync token cannot be combined with other query restrictions."));
    }
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let change = text.and_then(|text| text.parse().ok());
    let stale = || errors::error(410, "calendar", "fullSyncRequired", "Sync token is no longer valid.", None);
    change.map(|change| Some(Since::Change(change))).ok_or_else(stale)
}

impl Since {
    fn includes(self, event: &Event) -> bool {
        match self {
            Since::Change(change) => event.change() > change,
            Since::Moment(moment) => event.text("updated").parse::<Timestamp>().is_ok_and(|updated| updated >= moment),
        }
    }
}

/// Whether an event is one that the query's other filters let through.
fn fits(event: &Event, call: &Call<'_>) -> bool {
    let mut types = call.query_all("eventTypes").peekable();
    let own_type = event.0.get("eventType").and_then(Value::as_str).unwrap_or("default");
    let of_type = types.peek().is_none() || types.any(|one| one == own_type);
    let uid = call.query("iCalUID").is_none_or(|uid| uid == event.text("iCalUID"));
    of_type
        && uid
        && call.query("q").is_none_or(|words| has_words(event, words))
        && has_labels(event, "private", call.query_all("privateExtendedProperty"))
        && has_labels(event, "shared", call.query_all("sharedExtendedProperty"))
}

fn has_words(event: &Event, words: &str) -> bool {
    let mut text = ["summary", "description", "location"].map(|name| event.text(name).to_owned()).join("\n");
    let people = event.guests().iter().chain(event.0.get("organizer"));
    for name in people.flat_map(|who| [&who["displayName"], &who["email"]]).filter_map(Value::as_str) {
        text.push('\n');
        text.push_str(name);
    }
    let text = text.to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

fn has_labels<'a>(event: &Event, kind: &str, mut wanted: impl Iterator<Item = &'a str>) -> bool {
    let labels = event.0.get("extendedProperties").and_then(|all| all.get(kind));
    wanted.all(|pair| {
        let Some((name, value)) = pair.split_once('=') else { return false };
        labels.is_some_and(|labels| labels[name] == value)
    })
}

/// An event of which the account may see only that the time is taken.
fn veil(event: &Event) -> Event {
    let shown = ["kind", "etag", "id", "status", "htmlLink", "updated", "start", "end", "iCalUID"];
    let seen = event.0.iter().filter(|(name, _)| shown.contains(&name.as_str()));
    let mut veiled = Event(seen.map(|(name, value)| (name.clone(), value.clone())).collect());
    veiled.set("visibility", "private");
    veiled
}

fn limit_guests(event: &mut Event, most: Option<usize>) {
    let Some(guests) = event.0.get_mut("attendees").and_then(Value::as_array_mut) else { return };
    if most.is_some_and(|most| guests.len() > most) {
        guests.retain(|guest| guest["self"] == true);
        event.set("attendeesOmitted", true);
    }
}

/// Whether two spellings mean the same start.
fn is_same(start: Option<&str>, original: &str) -> bool {
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    start.is_some_and(|start| start == original || (moment(start).is_some() && moment(start) == moment(original)))
}

fn read_token(token: &str, question: u64, len: usize) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let token: PageToken = serde_json::from_slice(&bytes).ok()?;
    (token.question == question && token.offset <= len).then_some(token.offset)
}

fn bad_token() -> Answer {
    errors::invalid("Invalid page token value.")
}

/// A number for everything that a page token must not outlive: the operation, the path and the query.
fn question(call: &Call<'_>) -> u64 {
    let pairs = call.query.iter().filter(|(name, _)| !matches!(name.as_str(), "pageToken" | "maxResults"));
    let mut parts: Vec<&str> = pairs.flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
    parts.push(call.operation);
    parts.extend(call.path.values().map(String::as_str));
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    // FNV-1a: small, and the same in every build, unlike the standard library's hasher.
    bytes.fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
