//! Single events: looked up, made, changed, moved and deleted.

use serde_json::{Map, Value, json};

use super::{
    GoogleCalendar,
    calendars::Calendar,
    errors,
    event::{Event, millis},
    guests::Told,
};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// What a client may send along and the vendor does not take from it.
const READ_ONLY: &[&str] = &[
    "kind",
    "etag",
    "htmlLink",
    "created",
    "updated",
    "creator",
    "organizer",
    "recurringEventId",
    "originalStartTime",
    "hangoutLink",
    "locked",
    "endTimeUnspecified",
    "privateCopy",
    "iCalUID",
];

/// What a replacement of the whole event does not replace.
const KEPT: &[&str] = &["id", "sequence", "eventType", "status"];

impl GoogleCalendar {
    /// An event, or one occurrence of a series, deleted ones included.
    pub fn event(&self, calendar: &Calendar, id: &str) -> Result<Event, Answer> {
        let events = self.events_of(&calendar.id);
        if let Some(event) = events.get(id) {
            return Ok(event.clone());
        }
        let series = id.rsplit_once('_').and_then(|(series, _)| events.get(series));
        let series = series.filter(|series| series.is_series() && !series.is_cancelled());
        let mut occurrences = series.into_iter().flat_map(|series| series.occurrences(None, None, &calendar.zone()));
        occurrences.find(|one| one.id() == id).ok_or_else(errors::not_found)
    }

    /// Gives a new event what the vendor gives it.
    pub fn found(&mut self, calendar: &Calendar, event: &mut Event, id: String, call: &Call<'_>) {
        let created = millis(call.now);
        event.set("kind", "calendar#event");
        event.set("iCalUID", format!("{id}@google.com"));
        event.set("htmlLink", format!("https://www.google.com/calendar/event?eid={id}"));
        event.set("created", created);
        event.set("creator", json!({ "email": self.account }));
        event.set("organizer", self.organizer_of(calendar));
        event.set("id", id);
        event.set("sequence", 0);
        for (name, usual) in [("status", "confirmed"), ("eventType", "default")] {
            event.0.entry(name).or_insert_with(|| json!(usual));
        }
        event.0.entry("reminders").or_insert_with(|| json!({ "useDefault": true }));
    }

    /// Writes an event down with a new tag.
    pub fn store(&mut self, calendar: &Calendar, event: &mut Event, call: &Call<'_>) {
        event.tag(self.mint.count_on());
        event.set("updated", millis(call.now));
        let events = self.events.entry(calendar.id.clone()).or_default();
        events.insert(event.id().to_owned(), event.clone());
    }

    /// Makes a new event of what a client sent and tells the guests.
    pub fn add(&mut self, calendar: &Calendar, mut event: Event, call: &Call<'_>) -> Outcome {
        let id = self.new_id(calendar, &event)?;
        strip(&mut event.0, READ_ONLY);
        self.found(calendar, &mut event, id, call);
        self.settle_extras(&mut event, None, call)?;
        event.settle_times(&calendar.zone())?;
        self.settle_guests(&mut event)?;
        self.store(calendar, &mut event, call);
        self.tell_changes(calendar, None, &event, Told::of(call), call.now);
        self.answer(calendar, &event, call)
    }

    /// Puts a changed event in the place of the old one and tells the guests.
    fn rewrite(&mut self, calendar: &Calendar, before: &Event, mut event: Event, call: &Call<'_>) -> Outcome {
        let zone = calendar.zone();
        self.settle_extras(&mut event, Some(before), call)?;
        event.settle_times(&zone)?;
        self.settle_guests(&mut event)?;
        if before.organizer() != calendar.id {
            self.check_guest_edit(before, &event)?;
        }
        let moved = ["start", "end", "recurrence"].iter().any(|name| before.0.get(*name) != event.0.get(*name));
        if moved {
            event.set("sequence", before.sequence() + 1);
            if before.0.get("attendees") == event.0.get("attendees") {
                self.ask_again(&mut event);
            }
            self.forget_exceptions(calendar, &event);
        }
        self.store(calendar, &mut event, call);
        self.tell_changes(calendar, Some(before), &event, Told::of(call), call.now);
        self.answer(calendar, &event, call)
    }

    fn answer(&self, calendar: &Calendar, event: &Event, call: &Call<'_>) -> Outcome {
        let shown = self.render(calendar, event, call)?;
        let etag = event.text("etag").to_owned();
        Ok(Answer::ok(shown).with("etag", etag))
    }

    fn organizer_of(&self, calendar: &Calendar) -> Value {
        if calendar.id == self.account {
            return json!({ "email": self.account });
        }
        json!({ "email": calendar.id, "displayName": calendar.name })
    }

    /// The id that the client chose, or a new one. Deleted events keep theirs.
    fn new_id(&mut self, calendar: &Calendar, event: &Event) -> Result<String, Answer> {
        let Some(id) = event.0.get("id").and_then(Value::as_str) else { return Ok(self.mint.id(26)) };
        let is_base32hex = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'));
        if !is_base32hex || !(5..=1024).contains(&id.len()) {
            return Err(errors::invalid("Invalid resource id value."));
        }
        if self.events_of(&calendar.id).contains_key(id) {
            return Err(errors::duplicate());
        }
        Ok(id.to_owned())
    }

    /// Conference and attachments are taken only from clients that say they know them.
    fn settle_extras(&mut self, event: &mut Event, before: Option<&Event>, call: &Call<'_>) -> Result<(), Answer> {
        if !call.flag("supportsAttachments") {
            restore(event, before, "attachments");
        }
        if call.number("conferenceDataVersion") != Some(1) {
            restore(event, before, "conferenceData");
            restore(event, before, "hangoutLink");
            return Ok(());
        }
        let Some(data) = event.0.get("conferenceData") else {
            event.0.remove("hangoutLink");
            return Ok(());
        };
        let Some(request) = data.get("createRequest").cloned() else { return Ok(()) };
        let Some(request_id) = request["requestId"].as_str().filter(|id| !id.is_empty()) else {
            return Err(errors::invalid("Invalid conference create request: requestId is missing."));
        };
        let earlier = before.and_then(|before| before.0.get("conferenceData"));
        if earlier.is_some_and(|earlier| earlier["createRequest"]["requestId"] == request_id) {
            restore(event, before, "conferenceData");
            return Ok(());
        }
        self.open_meet(event, request_id);
        Ok(())
    }

    /// Gives an event a video link.
    pub fn open_meet(&mut self, event: &mut Event, request_id: &str) {
        let letters: String = self.mint.id(10).bytes().map(|byte| char::from(b'a' + byte % 26)).collect();
        let code = format!("{}-{}-{}", &letters[..3], &letters[3..7], &letters[7..]);
        let uri = format!("https://meet.google.com/{code}");
        event.set("hangoutLink", uri.as_str());
        let data = json!({
            "createRequest": {
                "requestId": request_id,
                "conferenceSolutionKey": { "type": "hangoutsMeet" },
                "status": { "statusCode": "success" },
            },
            "entryPoints": [{ "entryPointType": "video", "uri": uri, "label": format!("meet.google.com/{code}") }],
            "conferenceSolution": { "key": { "type": "hangoutsMeet" }, "name": "Google Meet" },
            "conferenceId": code,
        });
        event.set("conferenceData", data);
    }

    /// A series that has moved has new occurrences; what was changed about the old ones is lost.
    fn forget_exceptions(&mut self, calendar: &Calendar, series: &Event) {
        if let Some(events) = self.events.get_mut(&calendar.id) {
            events.retain(|_, event| event.series() != Some(series.id()));
        }
    }
}

/// `events.get`
pub fn get(world: &GoogleCalendar, call: &Call<'_>) -> Outcome {
    let calendar = world.calendar(call.segment("calendarId"))?;
    let event = world.event(calendar, call.segment("eventId"))?;
    if call.header("if-none-match") == Some(event.text("etag")) {
        return Err(Answer::empty(304));
    }
    world.answer(calendar, &event, call)
}

/// `events.insert`
pub fn insert(world: &mut GoogleCalendar, call: &Call<'_>) -> Outcome {
    let calendar = world.writable(call.segment("calendarId"))?.clone();
    let mut fields = call.fields();
    drop_nulls(&mut fields);
    world.add(&calendar, Event(fields), call)
}

/// `events.patch`: what is sent is merged in, arrays are replaced, `null` removes.
pub fn patch(world: &mut GoogleCalendar, call: &Call<'_>) -> Outcome {
    let (calendar, before) = target(world, call)?;
    let mut changes = call.fields();
    take_own_answer(&mut changes, &before, &calendar);
    strip(&mut changes, READ_ONLY);
    strip(&mut changes, &["id"]);
    let mut event = before.clone();
    merge(&mut event.0, changes);
    world.rewrite(&calendar, &before, event, call)
}

/// `events.update`: what is sent is the event from now on.
pub fn update(world: &mut GoogleCalendar, call: &Call<'_>) -> Outcome {
    let (calendar, before) = target(world, call)?;
    let mut fields = call.fields();
    take_own_answer(&mut fields, &before, &calendar);
    drop_nulls(&mut fields);
    strip(&mut fields, READ_ONLY);
    strip(&mut fields, &["id", "sequence"]);
    let mut event = Event(fields);
    for name in READ_ONLY {
        restore(&mut event, Some(&before), name);
    }
    for name in KEPT.iter().filter(|name| !event.0.contains_key(**name)).collect::<Vec<_>>() {
        restore(&mut event, Some(&before), name);
    }
    world.rewrite(&calendar, &before, event, call)
}

/// `events.delete`: the event stays as a cancelled one.
pub fn delete(world: &mut GoogleCalendar, call: &Call<'_>) -> Outcome {
    let (calendar, before) = target(world, call)?;
    if before.is_cancelled() {
        return Err(errors::gone());
    }
    let mut event = before.clone();
    event.set("status", "cancelled");
    event.set("sequence", before.sequence() + 1);
    world.forget_exceptions(&calendar, &event);
    world.store(&calendar, &mut event, call);
    world.tell_end(&calendar, &before, Told::of(call), call.now);
    Ok(Answer::empty(204))
}

/// `events.move`: another calendar becomes the organizer.
pub fn move_to(world: &mut GoogleCalendar, call: &Call<'_>) -> Outcome {
    let (calendar, mut event) = target(world, call)?;
    let destination = world.writable(call.query("destination").unwrap_or_default())?.clone();
    if event.organizer() != calendar.id {
        return Err(errors::not_organizer());
    }
    if event.series().is_some() || event.text("eventType") != "default" {
        let message = "Cannot change the organizer of this event.";
        return Err(errors::error(400, "calendar", "cannotChangeOrganizer", message, None));
    }
    if world.events_of(&destination.id).contains_key(event.id()) {
        return Err(errors::duplicate());
    }
    event.set("organizer", world.organizer_of(&destination));
    if let Some(events) = world.events.get_mut(&calendar.id) {
        events.remove(event.id());
    }
    world.store(&destination, &mut event, call);
    world.answer(&destination, &event, call)
}

/// The event that a write is about, if it may be written and is still the one that the client has read.
fn target(world: &GoogleCalendar, call: &Call<'_>) -> Result<(Calendar, Event), Answer> {
    let calendar = world.writable(call.segment("calendarId"))?;
    let event = world.event(calendar, call.segment("eventId"))?;
    let read = call.header("if-match").filter(|tag| *tag != "*");
    if read.is_some_and(|tag| tag != event.text("etag")) {
        return Err(errors::stale());
    }
    Ok((calendar.clone(), event))
}

/// `attendeesOmitted` says that the list holds the client's own answer only: the others stay as they are.
fn take_own_answer(fields: &mut Map<String, Value>, before: &Event, calendar: &Calendar) {
    let omitted = fields.remove("attendeesOmitted") == Some(Value::Bool(true));
    let Some(Value::Array(sent)) = fields.get("attendees") else { return };
    let Some(own) = sent.iter().find(|guest| guest["email"] == calendar.id.as_str()).filter(|_| omitted) else {
        return;
    };
    let mine = |guest: &Value| if guest["email"] == own["email"] { own.clone() } else { guest.clone() };
    let guests: Vec<Value> = before.guests().iter().map(mine).collect();
    fields.insert("attendees".into(), Value::Array(guests));
}

fn merge(into: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, change) in changes {
        match (into.get_mut(&name), change) {
            (_, Value::Null) => drop(into.remove(&name)),
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, mut new) => {
                if let Value::Object(fields) = &mut new {
                    drop_nulls(fields);
                }
                into.insert(name, new);
            }
        }
    }
}

fn drop_nulls(fields: &mut Map<String, Value>) {
    fields.retain(|_, value| !value.is_null());
    for value in fields.values_mut() {
        if let Value::Object(fields) = value {
            drop_nulls(fields);
        }
    }
}

fn strip(fields: &mut Map<String, Value>, names: &[&str]) {
    fields.retain(|name, _| !names.contains(&name.as_str()));
}

/// Sets a field back to what it was, or to nothing.
fn restore(event: &mut Event, before: Option<&Event>, name: &str) {
    match before.and_then(|before| before.0.get(name)) {
        Some(value) => event.set(name, value.clone()),
        None => drop(event.0.remove(name)),
    }
}
