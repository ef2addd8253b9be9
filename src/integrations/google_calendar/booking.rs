//! Booking meetings: from their parts, each once, or from one sentence.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Notify, WRITE_EVENTS,
    calendar, calendar_is_missing,
    change::{Deed, Done},
    read_any,
    span::{Span, Wish, wrong},
    wire::Event,
    zone,
};
use crate::{
    http::Request,
    id::encode_base32hex,
    moment::{Moment, Zone},
    path,
    tool::{
        Call, Effect, Error, Kind, Leads, Question, Result, Scopes, Tool, addresses, addresses_in, excerpt, people,
    },
};

/// How often the same booking may have been made and cancelled before we give up.
const BOOKINGS: u32 = 8;

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
        cx.confirm_reaching(&guests, self.invitation(&guests, &span))?;
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
    /// What a person is asked before guests are invited.
    fn invitation(&self, guests: &[String], span: &Span) -> Question {
        let asks =
            format!("Invite {} to \"{}\" on {}?", people(guests), excerpt(self.title.trim()), span.shown().0);
        let texts = [("The text:", &self.description), ("The place:", &self.location)];
        let texts = texts.into_iter().filter_map(|(says, text)| Some((says, text.as_deref()?)));
        let question = texts.fold(Question::new(asks), |question, (says, text)| {
            question.note(format!("{says} {}", excerpt(text)))
        });
        // Who comes reads the invitation, and its links are opened for them.
        let words = [Some(&*self.title), self.description.as_deref(), self.location.as_deref()];
        let leads = words.into_iter().flatten().fold(Leads::default(), |leads, text| leads.with(Leads::in_text(text)));
        if guests.is_empty() { question } else { question.leading_to(leads.outside(&["google.com"])) }
    }

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
        // Google may invite whoever's address stands in the sentence.
        let guests = addresses_in(&self.text);
        let question = format!("Book \"{}\", and invite {}?", excerpt(self.text.trim()), people(&guests));
        let leads = if guests.is_empty() { Leads::default() } else { Leads::in_text(&self.text) };
        cx.confirm_reaching(&guests, Question::new(question).leading_to(leads))?;
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
}
