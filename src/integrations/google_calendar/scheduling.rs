//! Booking, moving, changing and cancelling meetings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Notify, WRITE_EVENTS, calendar, calendar_is_missing, event_is_missing, event_path,
    event::{self, Meeting, Series},
    read, read_any,
    span::{Span, Wish, wrong},
    wire::{Attendee, Event},
    zone,
};
use crate::{
    http::Request,
    id::encode_base32hex,
    moment::{Moment, Shown, Zone},
    path,
    tool::{Answer, Call, Effect, Error, Kind, Result, Scopes, Tool},
};

/// How often the same booking may have been made and cancelled before we give up.
const BOOKINGS: u32 = 8;

/// What was done to a meeting.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    /// What happened.
    #[serde(rename = "done")]
    deed: Deed,
    /// The meeting as it is now.
    meeting: Meeting,
    /// What the caller should know.
    notes: Vec<String>,
}

/// What happened.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deed {
    /// It is new in the calendar.
    Booked,
    /// It stood there already; nothing was made.
    AlreadyBooked,
    /// It has another time.
    Moved,
    /// Something about it is different.
    Updated,
    /// The invitation was answered.
    Answered,
    /// It already was as wished.
    Unchanged,
}

impl Done {
    pub(super) fn new(done: Deed, event: Event, zone: &Zone, notes: Vec<String>) -> Done {
        Done { deed: done, meeting: Meeting::of(event, zone), notes }
    }
}

impl Answer for Done {
    fn text(&self) -> String {
        let deed = match self.deed {
            Deed::Booked => "Booked",
            Deed::AlreadyBooked => "Already booked, no second one was made",
            Deed::Moved => "Moved",
            Deed::Updated => "Updated",
            Deed::Answered => "Answered",
            Deed::Unchanged => "Nothing to change",
        };
        let video = self.meeting.video_link.as_ref().map(|link| format!("Video: {link}"));
        let first = format!("{deed}: {}", self.meeting.line());
        std::iter::once(first).chain(video).chain(self.notes.iter().cloned()).collect::<Vec<_>>().join("\n")
    }
}

/// Books a meeting and invites guests. Check availability first; to move a meeting that exists, reschedule it.
/// Asking twice for the same meeting books it once.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScheduleMeeting {
    /// What it is about, such as `Design review`.
    title: String,
    /// Local time `2026-11-23T10:00`, with offset `2026-11-23T10:00+01:00`, or a whole day `2026-11-23`.
    start: Moment,
    /// Like `start`; of whole days the last one. Give this or `duration_minutes`.
    end: Option<Moment>,
    /// Such as 30.
    #[schemars(range(min = 1, max = 10080))]
    duration_minutes: Option<u32>,
    /// E-mail addresses, such as `ana@example.com`.
    attendees: Option<Vec<String>>,
    /// Agenda or notes, such as `Bring the drafts`.
    description: Option<String>,
    /// Room or address, such as `Room 4`.
    location: Option<String>,
    /// Zone of times without offset, such as `Europe/Berlin`; else the calendar's.
    time_zone: Option<Zone>,
    /// Such as `team@example.com`; else the main calendar.
    calendar_id: Option<String>,
    /// Which guests get mail; else `all`.
    notify: Option<Notify>,
    /// `true` adds a Google Meet link.
    video_link: Option<bool>,
    /// Any text, such as `review-1`; the same one never books twice.
    request_id: Option<String>,
}

impl Tool for ScheduleMeeting {
    const NAME: &'static str = "google_calendar_schedule_meeting";
    const EFFECT: Effect = Effect::Adds;
    const IDEMPOTENT: bool = true;
    const SCOPES: Scopes = WRITE_EVENTS;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        if self.title.trim().is_empty() {
            return Err(wrong("`title` must not be empty"));
        }
        let calendar_id = calendar(self.calendar_id.as_deref());
        let guests = addresses("attendees", self.attendees.as_deref())?;
        let zone = zone(cx, calendar_id, self.time_zone.as_ref()).await?;
        let wish = Wish { start: &self.start, end: self.end.as_ref(), minutes: self.duration_minutes };
        let (span, mut notes) = Span::wished(&wish, &zone, None)?;
        span.must_not_be_past(cx.now(), &zone)?;
        let booking = Booking { asked: &self, calendar_id, account: account(cx)?, guests: &guests, span: &span };
        let (deed, event) = booking.make(cx).await?;
        if self.wants_video() && event.hangout_link.is_empty() {
            notes.push("The video link is still being made; `google_calendar_get_meeting` will show it.".into());
        }
        if self.end.is_none() && self.duration_minutes.is_none() {
            notes.push("It takes the whole day.".into());
        }
        Ok(Done::new(deed, event, &zone, notes))
    }
}

impl ScheduleMeeting {
    fn wants_video(&self) -> bool {
        self.video_link == Some(true)
    }
}

/// Whose bookings are told apart: two accounts may write into one shared calendar.
fn account(cx: &Call) -> Result<&str> {
    let account = cx.account()?;
    Ok(account.metadata.get("email").unwrap_or(&account.name))
}

/// One booking, made once however often it is asked for.
///
/// Google takes the id of an event from its client and refuses an id that exists. Ours follows from the `request_id`;
/// without one from what makes a meeting the same for people: account, calendar, title, time and guests. So neither
/// a repeat after a lost answer nor a model that asks again books twice.
struct Booking<'a> {
    asked: &'a ScheduleMeeting,
    calendar_id: &'a str,
    account: &'a str,
    guests: &'a [String],
    span: &'a Span,
}

impl Booking<'_> {
    /// Inserts the event. An id stays taken when its event is cancelled, so the next one in a fixed row is tried.
    async fn make(&self, cx: &Call) -> Result<(Deed, Event)> {
        for round in 0..BOOKINGS {
            let id = self.id(round);
            match self.insert(cx, &id).await {
                Ok(event) => return Ok((Deed::Booked, event)),
                Err(error) if error.kind() == Kind::Conflict => {}
                Err(error) => return Err(calendar_is_missing(error, self.calendar_id)),
            }
            if let Some(event) = self.earlier(cx, &id).await? {
                return Ok((Deed::AlreadyBooked, event));
            }
        }
        Err(Error::new(Kind::Conflict, "This very meeting has been booked and cancelled many times.")
            .next("Give a `request_id` of your own, such as `review-2`."))
    }

    async fn insert(&self, cx: &Call, id: &str) -> Result<Event> {
        let notify = Notify::or_guests(self.asked.notify, !self.guests.is_empty());
        let request = Request::post(path!["calendars", self.calendar_id, "events"])
            .query("sendUpdates", notify.send_updates())
            .query_opt("conferenceDataVersion", self.asked.wants_video().then_some(1))
            .json(&self.body(id))
            .keyed();
        cx.fetch(request).await
    }

    /// The meeting that took the id, if it is this booking and still takes place.
    async fn earlier(&self, cx: &Call, id: &str) -> Result<Option<Event>> {
        let event = match read_any(cx, self.calendar_id, id).await {
            Ok(event) => event,
            // Google forgets cancelled events after a while, but never their ids.
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if self.asked.request_id.is_none() {
            // It may have been moved since; then the same time is free for a meeting of the same name.
            let is_here = |event: &Event| Span::of(event, &Zone::utc()).is_some_and(|span| span.is_same(self.span));
            return Ok(Some(event).filter(|event| !event.is_cancelled() && is_here(event)));
        }
        if event.is_cancelled() {
            return Err(Error::new(Kind::Conflict, "The meeting of this `request_id` was booked and cancelled since.")
                .next("Give another `request_id` to book it again."));
        }
        Ok(Some(event))
    }

    /// 32 characters of `0-9a-v`, as Google wants them.
    fn id(&self, round: u32) -> String {
        let mut digest = Sha256::new();
        let mut add = |part: &str| {
            // The length keeps `ab`, `c` apart from `a`, `bc`.
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        };
        add("switchboard booking");
        add(self.account);
        add(self.calendar_id);
        if let Some(request_id) = &self.asked.request_id {
            add(request_id);
        } else {
            let (start, end) = self.span.fields(Some(""));
            add(self.asked.title.trim());
            add(&start.to_string());
            add(&end.to_string());
            self.guests.iter().for_each(|guest| add(guest));
            add(&round.to_string());
        }
        encode_base32hex(&digest.finalize())
    }

    fn body(&self, id: &str) -> Value {
        let (start, end) = self.span.fields(None);
        let mut body = json!({ "id": id, "summary": self.asked.title.trim(), "start": start, "end": end });
        let texts = [("description", &self.asked.description), ("location", &self.asked.location)];
        for (name, text) in texts {
            if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
                body[name] = text.into();
            }
        }
        if !self.guests.is_empty() {
            body["attendees"] = self.guests.iter().map(|email| json!({ "email": email })).collect();
        }
        if self.asked.wants_video() {
            let meet = json!({ "requestId": id, "conferenceSolutionKey": { "type": "hangoutsMeet" } });
            body["conferenceData"] = json!({ "createRequest": meet });
        }
        body
    }
}

/// Moves a meeting to another time; it keeps its length unless told otherwise. Of a series, an occurrence's id
/// moves that one, the series' id all of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RescheduleMeeting {
    /// The `id` in the list of meetings, such as `7c9k2m`.
    event_id: String,
    /// New start: `2026-11-23T10:00`, `2026-11-23T10:00+01:00` or a whole day `2026-11-23`.
    start: Moment,
    /// New end, like `start`; of whole days the last one.
    end: Option<Moment>,
    /// New length instead of `end`, such as 45.
    #[schemars(range(min = 1, max = 10080))]
    duration_minutes: Option<u32>,
    /// Zone of times without offset, such as `Europe/Berlin`; else the calendar's.
    time_zone: Option<Zone>,
    /// Such as `team@example.com`; else the main calendar.
    calendar_id: Option<String>,
    /// Which guests get mail; else `all`.
    notify: Option<Notify>,
}

impl Tool for RescheduleMeeting {
    const NAME: &'static str = "google_calendar_reschedule_meeting";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = WRITE_EVENTS;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let calendar_id = calendar(self.calendar_id.as_deref());
        let zone = zone(cx, calendar_id, self.time_zone.as_ref()).await?;
        let now = cx.now();
        let mut notes = Vec::new();
        let change = |event: &Event| {
            let (span, decided) = self.span(event, &zone)?;
            notes = decided;
            let old = Span::of(event, &zone);
            if old.as_ref().is_some_and(|old| old.is_same(&span)) {
                return Ok(json!({}));
            }
            span.must_not_be_past(now, &zone)?;
            Ok(self.patch(event, old.as_ref(), &span))
        };
        let altered = alter(cx, calendar_id, &self.event_id, self.notify, change).await?;
        notes.extend(Series::of(&altered.event).map(|series| series.scope()));
        Ok(altered.done(Deed::Moved, &zone, notes))
    }
}

impl RescheduleMeeting {
    fn span(&self, event: &Event, zone: &Zone) -> Result<(Span, Vec<String>)> {
        let old = Span::of(event, zone);
        if let (Some(first), None, None) = (self.start.day(), &self.end, self.duration_minutes)
            && let Some(moved) = old.as_ref().and_then(|old| old.moved_to_day(first))
        {
            return Ok((moved, Vec::new()));
        }
        let wish = Wish { start: &self.start, end: self.end.as_ref(), minutes: self.duration_minutes };
        Span::wished(&wish, zone, old.and_then(|old| old.length()))
    }

    fn patch(&self, event: &Event, old: Option<&Span>, span: &Span) -> Value {
        // A series recurs in the zone of its event, which only an argument may change.
        let zone = self.time_zone.as_ref().map(Zone::name).or(event.start.time_zone.as_deref());
        let keeps_form = old.is_none_or(|old| old.is_days() == span.is_days());
        let (start, end) = if keeps_form { span.fields(zone) } else { span.fields_over_other_form(zone) };
        json!({ "start": start, "end": end })
    }
}

/// Changes what a meeting is called, where it is, its text or its guests; guests keep their answers. For another
/// time, reschedule it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateMeeting {
    /// The `id` in the list of meetings, such as `7c9k2m`.
    event_id: String,
    /// New title, such as `Design review`.
    title: Option<String>,
    /// New text in place of the old; empty removes it.
    description: Option<String>,
    /// New room or address, such as `Room 4`; empty removes it.
    location: Option<String>,
    /// E-mail addresses to invite, such as `ana@example.com`.
    add_attendees: Option<Vec<String>>,
    /// E-mail addresses to uninvite, such as `ben@example.com`.
    remove_attendees: Option<Vec<String>>,
    /// Such as `team@example.com`; else the main calendar.
    calendar_id: Option<String>,
    /// Which guests get mail; else `all`.
    notify: Option<Notify>,
}

impl Tool for UpdateMeeting {
    const NAME: &'static str = "google_calendar_update_meeting";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = WRITE_EVENTS;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let guests = GuestChange::of(self.add_attendees.as_deref(), self.remove_attendees.as_deref())?;
        self.must_say_something(&guests)?;
        let calendar_id = calendar(self.calendar_id.as_deref());
        let mut notes = None;
        let change = |event: &Event| {
            let mut patch = self.texts(event);
            if let Some(list) = guests.apply(event)? {
                patch["attendees"] = list;
            }
            notes.get_or_insert_with(|| guests.notes(event));
            Ok(patch)
        };
        // Known before the write, so that nothing can fail once the meeting is changed.
        let zone = zone(cx, calendar_id, None).await?;
        let altered = alter(cx, calendar_id, &self.event_id, self.notify, change).await?;
        let mut notes = notes.unwrap_or_default();
        notes.extend(Series::of(&altered.event).map(|series| series.scope()));
        Ok(altered.done(Deed::Updated, &zone, notes))
    }
}

impl UpdateMeeting {
    fn must_say_something(&self, guests: &GuestChange) -> Result<()> {
        if self.title.as_deref().is_some_and(|title| title.trim().is_empty()) {
            return Err(wrong("`title` must not be empty; leave it out to keep the title"));
        }
        let says_nothing = self.title.is_none() && self.description.is_none() && self.location.is_none();
        if says_nothing && guests.add.is_empty() && guests.remove.is_empty() {
            return Err(wrong(
                "nothing to change; give `title`, `description`, `location`, `add_attendees` or `remove_attendees`",
            ));
        }
        Ok(())
    }

    /// The texts that differ.
    fn texts(&self, event: &Event) -> Value {
        let wishes = [
            ("summary", self.title.as_deref().map(str::trim), &event.summary),
            ("description", self.description.as_deref(), &event.description),
            ("location", self.location.as_deref(), &event.location),
        ];
        let changed = wishes.into_iter().filter_map(|(name, wish, old)| Some((name, wish.filter(|wish| wish != old)?)));
        changed.map(|(name, wish)| (name.to_owned(), wish.into())).collect::<serde_json::Map<_, Value>>().into()
    }
}

/// Who comes and who goes.
struct GuestChange {
    add: Vec<String>,
    remove: Vec<String>,
}

impl GuestChange {
    fn of(add: Option<&[String]>, remove: Option<&[String]>) -> Result<GuestChange> {
        let change =
            GuestChange { add: addresses("add_attendees", add)?, remove: addresses("remove_attendees", remove)? };
        match change.add.iter().find(|guest| change.remove.contains(guest)) {
            Some(both) => Err(wrong(&format!("`{both}` is in `add_attendees` and in `remove_attendees`"))),
            None => Ok(change),
        }
    }

    /// The whole new list, when it differs; everybody who stays is kept with their answer.
    fn apply(&self, event: &Event) -> Result<Option<Value>> {
        let new = self.add.iter().filter(|email| !is_invited(event, email)).collect::<Vec<_>>();
        let goes = |guest: &&Attendee| self.remove.contains(&guest.email.to_lowercase());
        if new.is_empty() && !event.attendees.iter().any(|guest| goes(&guest)) {
            return Ok(None);
        }
        if event.attendees_omitted {
            return Err(Error::new(Kind::NotAllowed, "Google Calendar does not show all guests of this meeting, so their list cannot be changed without losing some.")
                .next("Change the guests in Google Calendar itself."));
        }
        let stays = event.attendees.iter().filter(|guest| !goes(guest)).map(|guest| json!(guest));
        Ok(Some(stays.chain(new.into_iter().map(|email| json!({ "email": email }))).collect()))
    }

    /// What turned out to be needless.
    fn notes(&self, event: &Event) -> Vec<String> {
        let missing = self.remove.iter().filter(|email| !is_invited(event, email));
        missing.map(|email| format!("{email} was not invited.")).collect()
    }
}

fn is_invited(event: &Event, email: &str) -> bool {
    event.attendees.iter().any(|guest| guest.email.to_lowercase() == email)
}

/// An event after a change.
pub(super) struct Altered {
    pub(super) event: Event,
    is_changed: bool,
}

impl Altered {
    pub(super) fn done(self, deed: Deed, zone: &Zone, notes: Vec<String>) -> Done {
        Done::new(if self.is_changed { deed } else { Deed::Unchanged }, self.event, zone, notes)
    }
}

/// Reads an event, makes the patch that `change` wants, and sends it on condition that nobody was faster; if somebody
/// was, it all happens once more. An empty patch is not sent.
///
/// The condition also makes a repeat harmless: when an answer was lost after the change, the second attempt is
/// refused, and reading again shows that nothing is left to change.
pub(super) async fn alter(
    cx: &Call,
    calendar_id: &str,
    event_id: &str,
    notify: Option<Notify>,
    mut change: impl FnMut(&Event) -> Result<Value> + Send,
) -> Result<Altered> {
    let mut event = read(cx, calendar_id, event_id).await?;
    let mut is_second = false;
    loop {
        let patch = change(&event)?;
        if patch.as_object().is_none_or(serde_json::Map::is_empty) {
            return Ok(Altered { event, is_changed: is_second });
        }
        match send_patch(cx, calendar_id, &event, notify, &patch).await {
            Ok(event) => return Ok(Altered { event, is_changed: true }),
            Err(error) if error.kind() == Kind::Conflict && !is_second => {
                event = read(cx, calendar_id, event_id).await?;
                is_second = true;
            }
            Err(error) => return Err(event_is_missing(error, calendar_id, event_id)),
        }
    }
}

async fn send_patch(
    cx: &Call,
    calendar_id: &str,
    event: &Event,
    notify: Option<Notify>,
    patch: &Value,
) -> Result<Event> {
    let has_guests = event.has_guests() || patch.get("attendees").is_some();
    let request = Request::patch(event_path(calendar_id, &event.id))
        .query("sendUpdates", Notify::or_guests(notify, has_guests).send_updates())
        .header("if-match", &event.etag)
        .json(patch)
        .keyed();
    cx.fetch(request).await
}

/// Cancels a meeting for good, after a person said yes. Of a series, an occurrence's id cancels that one, the
/// series' id all of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelMeeting {
    /// The `id` in the list of meetings, such as `7c9k2m`.
    event_id: String,
    /// Such as `team@example.com`; else the main calendar.
    calendar_id: Option<String>,
    /// Which guests get mail; else `all`.
    notify: Option<Notify>,
}

/// What was cancelled.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Cancelled {
    /// Its id.
    id: String,
    /// What it was about.
    title: String,
    /// When it would have begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Shown>,
    /// Who was told: `all`, `externalOnly` or `none`.
    notified: Notify,
}

impl Answer for Cancelled {
    fn text(&self) -> String {
        let start = self.start.as_ref().map(|start| format!(" on {start}")).unwrap_or_default();
        format!("Cancelled: {}{start} [id {}]", self.title, self.id)
    }
}

impl Tool for CancelMeeting {
    const NAME: &'static str = "google_calendar_cancel_meeting";
    const EFFECT: Effect = Effect::Irreversible;
    const SCOPES: Scopes = WRITE_EVENTS;
    type Output = Cancelled;

    async fn call(self, cx: &Call) -> Result<Cancelled> {
        let calendar_id = calendar(self.calendar_id.as_deref());
        let event = read(cx, calendar_id, &self.event_id).await?;
        let zone = zone(cx, calendar_id, None).await?;
        let notify = Notify::or_guests(self.notify, event.has_guests());
        cx.confirm(question(&event, &zone, notify))?;
        let request = Request::delete(event_path(calendar_id, &event.id))
            .query("sendUpdates", notify.send_updates())
            .keyed();
        match cx.send(request).await {
            // It was there a moment ago: the first attempt of ours did it and its answer was lost.
            Err(error) if error.kind() != Kind::NotFound => return Err(error),
            _ => {}
        }
        let start = Span::of(&event, &zone).map(|span| span.shown().0);
        Ok(Cancelled { title: event::title(&event), id: event.id, start, notified: notify })
    }
}

/// What a person is asked: everything by which they recognise the meeting, and what follows.
fn question(event: &Event, zone: &Zone, notify: Notify) -> String {
    let what = match Series::of(event) {
        Some(series) if series.is_whole => "all occurrences of ",
        Some(_) => "one occurrence of ",
        None => "",
    };
    let title = event::title(event);
    let start = Span::of(event, zone).map(|span| format!(" on {}", span.shown().0)).unwrap_or_default();
    let guests = event::names(&event.attendees);
    let organizer = &event.organizer;
    if !organizer.is_self && !organizer.email.is_empty() {
        return format!("Remove {what}\"{title}\"{start} from the calendar, organized by {}?", organizer.email);
    }
    if guests.is_empty() {
        return format!("Cancel {what}\"{title}\"{start}?");
    }
    format!("Cancel {what}\"{title}\"{start} with {guests} ({})?", notify.told())
}

/// Books what one English sentence says, as Google understands it. Prefer scheduling a meeting, which leaves nothing
/// to be guessed; check the time in the answer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuickAdd {
    /// Such as `Lunch with Ana on Monday at noon`.
    text: String,
    /// Such as `team@example.com`; else the main calendar.
    calendar_id: Option<String>,
}

impl Tool for QuickAdd {
    const NAME: &'static str = "google_calendar_quick_add";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = WRITE_EVENTS;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        if self.text.trim().is_empty() {
            return Err(wrong("`text` must not be empty"));
        }
        let calendar_id = calendar(self.calendar_id.as_deref());
        // Known before the write, so that nothing can fail once the meeting is there.
        let zone = zone(cx, calendar_id, None).await?;
        let request = Request::post(path!["calendars", calendar_id, "events", "quickAdd"])
            .query("text", self.text.trim())
            .query("sendUpdates", Notify::Nobody.send_updates());
        let event: Event = cx.fetch(request).await.map_err(|error| calendar_is_missing(error, calendar_id))?;
        let note = "Google read the time out of the sentence: check it.".to_owned();
        Ok(Done::new(Deed::Booked, event, &zone, vec![note]))
    }
}

/// Checked e-mail addresses in lower case, sorted, each once.
fn addresses(name: &str, given: Option<&[String]>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (at, address) in given.unwrap_or_default().iter().enumerate() {
        let address = address.trim().to_lowercase();
        if !is_address(&address) {
            return Err(wrong(&format!(
                "`{name}[{at}]` is no e-mail address: `{address}`; write one such as ana@example.com"
            )));
        }
        found.push(address);
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Whether mail could go there: enough to catch names and slips, and no more than RFC 5321 is sure of.
fn is_address(text: &str) -> bool {
    let Some((user, host)) = text.rsplit_once('@') else {
        return false;
    };
    let is_clean = !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"".contains(c));
    is_clean && !user.is_empty() && !user.contains('@') && text.len() <= 254 && is_host(host)
}

fn is_host(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: Value) -> ScheduleMeeting {
        serde_json::from_value(arguments).unwrap()
    }

    fn id(arguments: Value, guests: &[&str], round: u32) -> String {
        let asked = asked(arguments);
        let guests = guests.iter().map(ToString::to_string).collect::<Vec<_>>();
        let wish = Wish { start: &asked.start, end: asked.end.as_ref(), minutes: asked.duration_minutes };
        let (span, _) = Span::wished(&wish, &Zone::utc(), None).unwrap();
        Booking { asked: &asked, calendar_id: "primary", account: "me", guests: &guests, span: &span }.id(round)
    }

    fn review() -> Value {
        json!({ "title": "Review", "start": "2026-11-23T10:00", "duration_minutes": 60 })
    }

    #[test]
    fn the_same_booking_has_the_same_id() {
        let end = json!({ "title": " Review ", "start": "2026-11-23T11:00+01:00", "end": "2026-11-23T11:00Z" });
        assert_eq!(id(review(), &[], 0), id(end, &[], 0));
        assert!(id(review(), &[], 0).bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'v')));
        assert_eq!(id(review(), &[], 0).len(), 32);
    }

    #[test]
    fn another_booking_has_another_id() {
        let first = id(review(), &[], 0);
        let later = json!({ "title": "Review", "start": "2026-11-23T10:30", "duration_minutes": 60 });
        assert_ne!(first, id(later, &[], 0));
        assert_ne!(first, id(review(), &["ana@example.com"], 0));
        assert_ne!(first, id(review(), &[], 1));
    }

    #[test]
    fn a_request_id_stands_for_the_booking() {
        let mut one = review();
        one["request_id"] = "r-1".into();
        let mut other = one.clone();
        other["title"] = "Something else".into();
        assert_eq!(id(one.clone(), &[], 0), id(other, &[], 3));
        one["request_id"] = "r-2".into();
        assert_ne!(id(one, &[], 0), id(review(), &[], 0));
    }

    #[test]
    fn addresses_are_checked_and_put_in_order() {
        let given = ["Ben@Example.com", " ana@example.com ", "ben@example.com"].map(str::to_owned);
        assert_eq!(addresses("attendees", Some(&given)).unwrap(), ["ana@example.com", "ben@example.com"]);
        for slip in ["ana", "ana@", "@example.com", "ana@localhost", "a b@example.com", "a@b@example.com", "ana@x..y"] {
            let error = addresses("attendees", Some(&[slip.to_owned()])).unwrap_err();
            assert!(error.to_string().contains("`attendees[0]` is no e-mail address"), "{slip}: {error}");
        }
    }

    #[test]
    fn guests_who_stay_keep_what_google_says_of_them() {
        let event: Event = serde_json::from_value(json!({ "attendees": [
            { "email": "Ana@example.com", "responseStatus": "accepted", "additionalGuests": 2 },
            { "email": "ben@example.com", "responseStatus": "declined" } ] }))
        .unwrap();
        let change = GuestChange::of(
            Some(&["ana@example.com".to_owned(), "cem@example.com".to_owned()]),
            Some(&["ben@example.com".to_owned(), "dora@example.com".to_owned()]),
        )
        .unwrap();
        let expected = json!([
            { "email": "Ana@example.com", "responseStatus": "accepted", "additionalGuests": 2 },
            { "email": "cem@example.com" } ]);
        assert_eq!(change.apply(&event).unwrap(), Some(expected));
        assert_eq!(change.notes(&event), ["dora@example.com was not invited."]);
    }

    #[test]
    fn the_question_names_what_will_be_gone() {
        let event: Event = serde_json::from_value(json!({ "id": "abc", "summary": "Design review",
            "start": { "dateTime": "2026-11-23T09:00:00Z" }, "end": { "dateTime": "2026-11-23T10:00:00Z" },
            "organizer": { "email": "me@example.com", "self": true },
            "attendees": [{ "email": "me@example.com", "self": true }, { "email": "ana@example.com" }] }))
        .unwrap();
        let zone = "Europe/Berlin".parse().unwrap();
        assert_eq!(
            question(&event, &zone, Notify::All),
            "Cancel \"Design review\" on Mon 2026-11-23T10:00+01:00 with ana@example.com (guests will be told)?"
        );
    }
}
