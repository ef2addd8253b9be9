//! Looking at meetings and calendars, and answering invitations.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    READ_EVENTS, WRITE_EVENTS, calendar, calendar_is_missing,
    change::{Deed, Done, alter},
    event::{self, Meeting},
    read, seconds,
    span::{Span, wrong},
    wire::{CalendarList, CalendarListEntry, Event, Events},
    zone,
};
use crate::{
    http::Request,
    moment::{Moment, Shown, Zone},
    path,
    tool::{
        Answer, Call, Cursor, Effect, Error, Finder, Kind, Leads, Left, Question, Readable, Result, Scopes, Tool, Written,
        excerpt,
    },
};

/// The kinds of events that take somebody's time; birthdays and working locations are none.
const MEETINGS: [&str; 4] = ["default", "focusTime", "fromGmail", "outOfOffice"];

/// Shows the meetings in a window, soonest first, with the ids that other tools take. For free time check
/// availability instead.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListMeetings {
    /// From when, such as `2026-11-23T09:00` or `2026-11-23`; else now.
    start: Option<Moment>,
    /// Until when, like `start`; a day is included.
    end: Option<Moment>,
    /// Words to look for, such as `review`.
    query: Option<String>,
    /// How many; else 10.
    #[schemars(range(min = 1, max = 250))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
    /// Such as `team@example.com`; else the main calendar.
    calendar_id: Option<String>,
    /// Such as `Europe/Berlin`; else the calendar's.
    time_zone: Option<Zone>,
}

/// Some meetings.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Meetings {
    /// In the order in which they begin.
    #[serde(rename = "meetings")]
    page: Vec<Meeting>,
    /// The zone of the times.
    time_zone: String,
    /// What had to be decided about the times.
    notes: Vec<String>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Answer for Meetings {
    fn text(&self) -> String {
        let none = self.page.is_empty().then(|| "No meetings.".to_owned());
        let lines = self.page.iter().map(Meeting::line);
        let more = Left::line(self.next_cursor.as_deref());
        none.into_iter().chain(lines).chain(self.notes.iter().cloned()).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ListMeetings {
    const NAME: &'static str = "google_calendar_list_meetings";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ_EVENTS;
    type Output = Meetings;

    async fn call(self, cx: &Call) -> Result<Meetings> {
        let calendar_id = calendar(self.calendar_id.as_deref());
        let going_on = self.cursor.as_deref().map(|cursor| Page::unwrap(Self::NAME, cursor)).transpose()?;
        let zone = zone(cx, calendar_id, self.time_zone.as_ref()).await?;
        let (from, until, notes) = self.window(cx.now(), &zone, going_on.as_ref())?;
        let request = Request::get(path!["calendars", calendar_id, "events"])
            .query("singleEvents", true)
            .query("orderBy", "startTime")
            .query("maxResults", self.limit.unwrap_or(10))
            .query("timeMin", seconds(from));
        let request = MEETINGS.iter().fold(request, |request, kind| request.query("eventTypes", kind));
        let request = request
            .query_opt("timeMax", until.map(seconds))
            .query_opt("q", self.query.as_deref().map(str::trim).filter(|words| !words.is_empty()))
            .query_opt("pageToken", going_on.map(|page| page.token));
        let events: Events = cx.fetch(request).await.map_err(|error| calendar_is_missing(error, calendar_id))?;
        let next_cursor = events.next_page_token.map(|token| Page { from, token }.wrap(Self::NAME));
        let page = events.items.into_iter().map(|event| Meeting::brief(event, &zone)).collect();
        Ok(Meetings { page, time_zone: zone.to_string(), notes, next_cursor })
    }
}

impl ListMeetings {
    fn window(
        &self,
        now: Timestamp,
        zone: &Zone,
        page: Option<&Page>,
    ) -> Result<(Timestamp, Option<Timestamp>, Vec<String>)> {
        let start = self.start.as_ref().map(|start| start.resolve(zone));
        let end = self.end.as_ref().map(|end| through(end).resolve(zone));
        let notes = [&start, &end].into_iter().flatten().filter_map(|moment| moment.note.clone()).collect();
        let from = page.map(|page| page.from).or(start.map(|start| start.instant)).unwrap_or(now);
        let until = end.map(|end| end.instant);
        match until.filter(|until| *until <= from) {
            Some(until) => {
                let (from, until) = (Shown::new(from, zone), Shown::new(until, zone));
                Err(wrong(&format!("`end` ({until}) is not after `start` ({from})")))
            }
            None => Ok((from, until, notes)),
        }
    }
}

/// The end of a window, where a day counts in full.
pub(super) fn through(end: &Moment) -> Moment {
    end.day().map_or_else(|| end.clone(), |day| Moment::Day(crate::moment::day_after(day)))
}

/// Where a list goes on: Google's own token, and the beginning of the window it belongs to, which moves when it is
/// "now".
struct Page {
    from: Timestamp,
    token: String,
}

impl Page {
    fn wrap(&self, tool: &str) -> String {
        Cursor::wrap(tool, &format!("{} {}", self.from, self.token))
    }

    fn unwrap(tool: &str, cursor: &str) -> Result<Page> {
        let text = Cursor::unwrap(tool, cursor)?;
        let parts = text.split_once(' ').and_then(|(from, token)| Some((from.parse().ok()?, token)));
        let (from, token) = parts.ok_or_else(|| wrong("`cursor` is damaged; leave it out to begin at the first page"))?;
        Ok(Page { from, token: token.to_owned() })
    }
}

/// The next meetings whose words fit.
const BY_TITLE: Finder =
    Finder { tool: ListMeetings::NAME, words: "query", beside: &[], list: "meetings", id: "id", name: "title" };

/// Shows everything about one meeting: guests and their answers, place, video link, text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetMeeting {
    /// The `id` in the list of meetings, such as `7c9k2m`.
    event_id: String,
    /// Such as `team@example.com`; else the main calendar.
    calendar_id: Option<String>,
    /// Such as `Europe/Berlin`; else the calendar's.
    time_zone: Option<Zone>,
}

impl Tool for GetMeeting {
    const NAME: &'static str = "google_calendar_get_meeting";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ_EVENTS;
    const READABLE: &'static [Readable] =
        &[Readable::record("google-calendar://event/{event_id}", "Meeting").found_by(BY_TITLE)];
    type Output = Meeting;

    async fn call(self, cx: &Call) -> Result<Meeting> {
        let calendar_id = calendar(self.calendar_id.as_deref());
        let event = read(cx, calendar_id, &self.event_id).await?;
        let zone = zone(cx, calendar_id, self.time_zone.as_ref()).await?;
        Ok(Meeting::of(event, &zone))
    }
}

/// Accepts or declines an invitation for the connected account; the organizer is told. Not for the account's own
/// meetings.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RespondToInvitation {
    /// The `id` in the list of meetings, such as `7c9k2m`.
    event_id: String,
    /// Such as `accepted`.
    response: Response,
    /// A word to the organizer, such as `I may be late`.
    comment: Option<String>,
    /// Such as `team@example.com`; else the main calendar.
    calendar_id: Option<String>,
}

/// An answer to an invitation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Response {
    Accepted,
    Declined,
    Tentative,
}

impl Response {
    fn word(self) -> &'static str {
        match self {
            Response::Accepted => "accepted",
            Response::Declined => "declined",
            Response::Tentative => "tentative",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Response::Accepted => "Accept",
            Response::Declined => "Decline",
            Response::Tentative => "Tentatively accept",
        }
    }
}

impl Tool for RespondToInvitation {
    const NAME: &'static str = "google_calendar_respond_to_invitation";
    const EFFECT: Effect = Effect::Sends;
    const SCOPES: Scopes = WRITE_EVENTS;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let calendar_id = calendar(self.calendar_id.as_deref());
        let zone = zone(cx, calendar_id, None).await?;
        let change = |event: &Event| {
            let patch = self.patch(event)?;
            if patch.as_object().is_some_and(|patch| !patch.is_empty()) {
                // Asked before the first write; a yes lets the next round pass.
                // A word of our own is a message; a yes or a no tells the organizer nothing else.
                let told = self.comment.as_ref().map(|_| event.organizer.email.as_str());
                cx.confirm_sending_to(told, self.question(event, &zone))?;
            }
            Ok(patch)
        };
        let altered = alter(cx, calendar_id, &self.event_id, None, change).await?;
        Ok(altered.done(Deed::Answered, &zone, Vec::new()))
    }
}

impl RespondToInvitation {
    /// The list of guests with our own answer in it. Where Google leaves guests out, it takes one entry for itself.
    fn patch(&self, event: &Event) -> Result<Value> {
        let me = event.attendees.iter().position(|guest| guest.is_self).ok_or_else(|| not_invited(event))?;
        let said = event.attendees[me].rest.get("comment").and_then(Value::as_str);
        let comment = self.comment.as_deref().map(str::trim).filter(|comment| !comment.is_empty());
        if event::response(&event.attendees[me]) == self.response.word() && (comment.is_none() || comment == said) {
            return Ok(json!({}));
        }
        let mut guests = event.attendees.iter().map(|guest| json!(guest)).collect::<Vec<_>>();
        guests[me]["responseStatus"] = self.response.word().into();
        if let Some(comment) = comment {
            guests[me]["comment"] = comment.into();
        }
        if event.attendees_omitted {
            return Ok(json!({ "attendeesOmitted": true, "attendees": [guests[me]] }));
        }
        Ok(json!({ "attendees": guests }))
    }

    fn question(&self, event: &Event, zone: &Zone) -> Question {
        let start = Span::of(event, zone).map(|span| format!(" on {}", span.shown().0)).unwrap_or_default();
        let (verb, organizer) = (self.response.verb(), &event.organizer.email);
        let question = Question::new(format!("{verb} the invitation of {organizer} to \"{}\"{start}?", event::title(event)));
        match &self.comment {
            Some(word) => question
                .note(format!("They will read: {}", excerpt(word)))
                .leading_to(Leads::in_text(word).outside(&["google.com"])),
            None => question,
        }
    }
}

fn not_invited(event: &Event) -> Error {
    let title = event::title(event);
    if event.organizer.is_self {
        return Error::new(Kind::NotAllowed, format!("\"{title}\" is the account's own meeting, not an invitation."))
            .next("Reschedule, update or cancel it instead.");
    }
    Error::new(Kind::NotAllowed, format!("The connected account is not invited to \"{title}\"."))
        .next("Only its organizer can invite it.")
}

/// Shows the calendars of the account with the ids that other tools take as `calendar_id`. Call it when somebody
/// names a calendar that is not the main one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListCalendars {
    /// How many; else 50.
    #[schemars(range(min = 1, max = 250))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// Some calendars.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Calendars {
    /// In Google's order.
    calendars: Vec<CalendarEntry>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// One calendar.
#[derive(Debug, Serialize, JsonSchema)]
struct CalendarEntry {
    /// Its id; the other tools take it as `calendar_id`.
    id: String,
    /// What it is called.
    title: Written,
    /// Whether it is the account's main calendar.
    is_main: bool,
    /// What the account may do: `owner`, `writer`, `reader` or `freeBusyReader`.
    access: String,
    /// Its zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
}

impl CalendarEntry {
    fn of(entry: CalendarListEntry) -> CalendarEntry {
        CalendarEntry {
            title: event::one_line(entry.title()),
            id: entry.id,
            is_main: entry.primary,
            access: entry.access_role,
            time_zone: entry.time_zone,
        }
    }

    fn line(&self) -> String {
        let main = if self.is_main { " (main)" } else { "" };
        let zone = self.time_zone.as_ref().map(|zone| format!(", {zone}")).unwrap_or_default();
        format!("{}{main}: {}{zone} [id {}]", self.title, self.access, self.id)
    }
}

impl Answer for Calendars {
    fn text(&self) -> String {
        let none = self.calendars.is_empty().then(|| "No calendars.".to_owned());
        let lines = self.calendars.iter().map(CalendarEntry::line);
        let more = Left::line(self.next_cursor.as_deref());
        none.into_iter().chain(lines).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ListCalendars {
    const NAME: &'static str = "google_calendar_list_calendars";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes(&[
        "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
        "https://www.googleapis.com/auth/calendar.readonly",
        "https://www.googleapis.com/auth/calendar",
    ]);
    type Output = Calendars;

    async fn call(self, cx: &Call) -> Result<Calendars> {
        let token = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let request = Request::get(path!["users", "me", "calendarList"])
            .query("maxResults", self.limit.unwrap_or(50))
            .query_opt("pageToken", token);
        let list: CalendarList = cx.fetch(request).await?;
        let next_cursor = list.next_page_token.map(|token| Cursor::wrap(Self::NAME, &token));
        Ok(Calendars { calendars: list.items.into_iter().map(CalendarEntry::of).collect(), next_cursor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn respond(response: &str) -> RespondToInvitation {
        serde_json::from_value(json!({ "event_id": "abc", "response": response })).unwrap()
    }

    fn invitation(extra: Value) -> Event {
        let mut event = json!({ "summary": "Review", "organizer": { "email": "ana@example.com" }, "attendees": [
            { "email": "me@example.com", "self": true, "responseStatus": "needsAction" },
            { "email": "ben@example.com", "responseStatus": "accepted" } ] });
        event.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn only_our_own_answer_changes() {
        let patch = respond("declined").patch(&invitation(json!({}))).unwrap();
        let expected = json!({ "attendees": [
            { "email": "me@example.com", "responseStatus": "declined" },
            { "email": "ben@example.com", "responseStatus": "accepted" } ] });
        assert_eq!(patch, expected);
    }

    #[test]
    fn a_shortened_list_is_never_written_back() {
        let patch = respond("accepted").patch(&invitation(json!({ "attendeesOmitted": true }))).unwrap();
        assert_eq!(patch["attendeesOmitted"], true);
        assert_eq!(patch["attendees"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn who_is_not_invited_is_told_so() {
        let error = respond("accepted").patch(&invitation(json!({ "attendees": [] }))).unwrap_err();
        assert!(error.to_string().contains("not invited to \"⟦Review⟧\""), "{error}");
        let own = json!({ "attendees": [], "organizer": { "email": "me@example.com", "self": true } });
        let error = respond("accepted").patch(&invitation(own)).unwrap_err();
        assert!(error.to_string().contains("the account's own meeting"), "{error}");
    }

    #[test]
    fn a_page_goes_on_in_its_own_window() {
        let page = Page { from: "2026-11-23T09:00:00Z".parse().unwrap(), token: "a b=".into() };
        let back = Page::unwrap("t", &page.wrap("t")).unwrap();
        assert_eq!((back.from, back.token.as_str()), (page.from, "a b="));
        assert!(Page::unwrap("t", &Cursor::wrap("t", "nonsense")).is_err());
    }
}
