//! Meetings as tools answer them.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    span::Span,
    wire::{self, Attendee, Event},
};
use crate::{
    moment::{Shown, Zone},
    tool::{Answer, Written},
};

/// How much of a description is shown.
const LONGEST_DESCRIPTION: usize = 4000;

/// How many guests are shown in full.
const MOST_GUESTS: usize = 100;

/// How many guests a line names.
const GUESTS_IN_A_LINE: usize = 3;

/// One meeting.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Meeting {
    /// Its id; the other tools take it as `event_id`.
    pub(super) id: String,
    /// What it is about.
    pub(super) title: Written,
    /// When it begins: local time with offset and weekday, or a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<Shown>,
    /// When it ends; of a whole-day event its last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<Shown>,
    /// Whether it takes whole days.
    pub(super) all_day: bool,
    /// Where it takes place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<Written>,
    /// Where to join by video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) video_link: Option<String>,
    /// Who invited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) organizer: Option<String>,
    /// Who is invited.
    pub(super) guests: Vec<Guest>,
    /// Whether some guests are left out of the list.
    pub(super) more_guests: bool,
    /// What is written about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Written>,
    /// `tentative` or `cancelled`; left out when it takes place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    /// How it belongs to a series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) series: Option<Series>,
    /// Its page in Google Calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
}

/// How a meeting belongs to a series.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Series {
    /// The id of the whole series.
    pub(super) id: String,
    /// Whether this is the whole series rather than one occurrence.
    pub(super) is_whole: bool,
}

/// Somebody who is invited.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Guest {
    /// The address.
    pub(super) email: String,
    /// The name, where Google knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Written>,
    /// `accepted`, `declined`, `tentative` or `needs_action`.
    pub(super) response: String,
    /// Whether it is the connected account.
    pub(super) is_you: bool,
}

impl Meeting {
    /// Everything about an event, its times shown in `zone`.
    pub(super) fn of(event: Event, zone: &Zone) -> Meeting {
        let span = Span::of(&event, zone);
        let (start, end) = span.as_ref().map(Span::shown).unzip();
        Meeting {
            series: Series::of(&event),
            title: title(&event),
            start,
            end,
            all_day: span.as_ref().is_some_and(Span::is_days),
            location: event.written(&event.location).line(200).non_empty(),
            video_link: line(&event.hangout_link, 200),
            organizer: line(&event.organizer.email, 200),
            guests: event.attendees.iter().take(MOST_GUESTS).map(|guest| Guest::of(guest, &event)).collect(),
            more_guests: event.attendees_omitted || event.attendees.len() > MOST_GUESTS,
            description: event.written(&event.description).cut(LONGEST_DESCRIPTION).non_empty(),
            status: Some(event.status).filter(|status| !matches!(status.as_str(), "" | "confirmed")),
            link: line(&event.html_link, 500),
            id: event.id,
        }
    }

    /// Without what a list has no room for.
    pub(super) fn brief(event: Event, zone: &Zone) -> Meeting {
        Meeting { description: None, link: None, ..Meeting::of(event, zone) }
    }

    /// `Mon 2026-11-23T10:00+01:00 – 11:00  Design review  (ana@example.com) [id abc]`, with the account's own answer
    /// unless it is a yes.
    pub(super) fn line(&self) -> String {
        let status = self.status.as_ref().map(|status| format!("{status}: ")).unwrap_or_default();
        let place = self.location.as_ref().map(|location| format!("  at {location}")).unwrap_or_default();
        let guests = shortened(self.guests.iter().map(|guest| guest.email.as_str()));
        let guests = if guests.is_empty() { guests } else { format!("  ({guests})") };
        let (when, title, answer, id) = (self.when(), &self.title, self.own_answer(), &self.id);
        format!("{when}  {status}{title}{place}{guests}{answer} [id {id}]")
    }

    fn own_answer(&self) -> String {
        let own = self.guests.iter().find(|guest| guest.is_you && guest.response != "accepted");
        own.map(|guest| format!("  you: {}", guest.response.replace('_', " "))).unwrap_or_default()
    }

    /// When it takes place.
    pub(super) fn when(&self) -> String {
        match (&self.start, &self.end) {
            (Some(start), Some(end)) => stretch(start, end),
            (Some(start), None) => start.to_string(),
            _ => "no time".into(),
        }
    }

    fn details(&self) -> Vec<String> {
        let series = self.series.as_ref().map(Series::line);
        let guests = self.guests.iter().map(|guest| format!("- {}", guest.line()));
        let more = self.more_guests.then(|| "- and others".to_owned());
        let described = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}: {value}"));
        let description = self.description.as_ref().map(|text| format!("Description: {text}"));
        let facts = [
            described("Organizer", &self.organizer),
            described("Video", &self.video_link),
            described("Link", &self.link),
            series,
            (!self.guests.is_empty()).then(|| "Guests:".to_owned()),
        ];
        let facts = facts.into_iter().flatten().chain(guests).chain(more);
        facts.chain(description).collect()
    }
}

impl Answer for Meeting {
    fn text(&self) -> String {
        let first = self.line();
        std::iter::once(first).chain(self.details()).collect::<Vec<_>>().join("\n")
    }
}

impl Series {
    pub(super) fn of(event: &Event) -> Option<Series> {
        if !event.recurrence.is_empty() {
            return Some(Series { id: event.id.clone(), is_whole: true });
        }
        event.recurring_event_id.clone().map(|id| Series { id, is_whole: false })
    }

    /// What a change of the meeting meant.
    pub(super) fn scope(&self) -> String {
        if self.is_whole {
            return "This is the whole series: every occurrence is concerned.".into();
        }
        format!("Only this occurrence is concerned; the whole series has the id `{}`.", self.id)
    }

    fn line(&self) -> String {
        if self.is_whole {
            return "Repeats: this is the whole series".into();
        }
        format!("Repeats: one occurrence of the series [id {}]", self.id)
    }
}

impl Guest {
    fn of(attendee: &Attendee, event: &Event) -> Guest {
        Guest {
            email: line(&attendee.email, 254).unwrap_or_default(),
            name: attendee.display_name.as_deref().and_then(|name| event.written(name).line(100).non_empty()),
            response: response(attendee),
            is_you: attendee.is_self,
        }
    }

    fn line(&self) -> String {
        let name = self.name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
        let you = if self.is_you { " (you)" } else { "" };
        format!("{name}<{}>{you}: {}", self.email, self.response.replace('_', " "))
    }
}

/// What a guest answered, in the words of our arguments.
pub(super) fn response(attendee: &wire::Attendee) -> String {
    match attendee.response_status.as_deref() {
        Some("needsAction") | None => "needs_action".into(),
        Some(other) => other.into(),
    }
}

/// The title, or what people see instead.
pub(super) fn title(event: &Event) -> Written {
    let is_veiled = event.summary.is_empty() && event.visibility == "private";
    if is_veiled { Written::by_account("(private)") } else { one_line(event.written(&event.summary)) }
}

/// A name on one line.
pub(super) fn one_line(name: Written) -> Written {
    name.line(200).non_empty().unwrap_or_else(|| Written::by_account("(no title)"))
}

/// The guests beside the account, the first few by address.
pub(super) fn names(attendees: &[Attendee]) -> String {
    shortened(attendees.iter().filter(|attendee| !attendee.is_self).map(|attendee| attendee.email.as_str()))
}

/// The first few, and how many more there are.
fn shortened<'a>(addresses: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<_> = addresses.collect();
    let more = all.len().saturating_sub(GUESTS_IN_A_LINE);
    let first = all.into_iter().take(GUESTS_IN_A_LINE).map(str::to_owned);
    first.chain((more > 0).then(|| format!("{more} more"))).collect::<Vec<_>>().join(", ")
}

/// Where a stretch begins and ends; a day is written once where it is the same.
pub(super) fn stretch(start: &Shown, end: &Shown) -> String {
    if start == end {
        return start.to_string();
    }
    match (parts(start.as_str()), parts(end.as_str())) {
        (Some((day, _, offset)), Some((same_day, time, same_offset))) if (day, offset) == (same_day, same_offset) => {
            format!("{start} – {time}")
        }
        _ => format!("{start} – {end}"),
    }
}

/// `Mon 2026-11-23`, `09:00` and `+01:00` of `Mon 2026-11-23T09:00+01:00`.
fn parts(shown: &str) -> Option<(&str, &str, &str)> {
    // Weekdays have a `T` too.
    let (day, time) = shown.rsplit_once('T').filter(|(day, _)| day.len() > 3)?;
    let offset = time.find(['+', '-'])?;
    Some((day, &time[..offset], &time[offset..]))
}

/// An address on one line and not longer than `longest`; nothing for nothing.
pub(super) fn line(text: &str, longest: usize) -> Option<String> {
    Written::by_others(text).line(longest).non_empty().map(|line| line.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tool::fenced;

    fn berlin() -> Zone {
        "Europe/Berlin".parse().unwrap()
    }

    fn meeting(event: serde_json::Value) -> Meeting {
        Meeting::of(serde_json::from_value(event).unwrap(), &berlin())
    }

    #[test]
    fn a_line_names_time_title_guests_and_id() {
        let guests = ["ana@example.com", "ben@example.com", "cem@example.com", "dora@example.com"];
        let guests = guests.map(|email| json!({ "email": email, "responseStatus": "accepted" }));
        let shown = meeting(json!({ "id": "abc", "status": "confirmed", "summary": "Design\nreview",
            "start": { "dateTime": "2026-11-23T09:00:00Z" }, "end": { "dateTime": "2026-11-23T10:00:00Z" },
            "attendees": guests }));
        assert_eq!(
            fenced(&shown.line()),
            "Mon 2026-11-23T10:00+01:00 – 11:00  ⟦Design review⟧  \
             (ana@example.com, ben@example.com, cem@example.com, 1 more) [id abc]"
        );
    }

    #[test]
    fn what_the_account_wrote_has_no_fence() {
        let own = json!({ "id": "abc", "summary": "Mine", "organizer": { "email": "me@example.com", "self": true } });
        assert_eq!(fenced(&meeting(own.clone()).line()), "no time  Mine [id abc]");
        let mut shared = own;
        shared["guestsCanModify"] = true.into();
        assert_eq!(fenced(&meeting(shared).line()), "no time  ⟦Mine⟧ [id abc]");
    }

    #[track_caller]
    fn when(start: &str, end: &str, expected: &str) {
        let field = |text: &str| if text.contains('T') { json!({ "dateTime": text }) } else { json!({ "date": text }) };
        assert_eq!(meeting(json!({ "start": field(start), "end": field(end) })).when(), expected);
    }

    #[test]
    fn whole_days_end_on_their_last_day() {
        when("2026-11-23", "2026-11-24", "Mon 2026-11-23");
        when("2026-11-23", "2026-11-26", "Mon 2026-11-23 – Wed 2026-11-25");
        // The day of the clock change has 23 hours and is one day all the same.
        when("2026-03-29", "2026-03-30", "Sun 2026-03-29");
    }

    #[test]
    fn a_day_is_written_once() {
        when("2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z", "Tue 2026-11-24T10:00+01:00 – 11:00");
        when("2026-11-26T09:00:00Z", "2026-11-26T10:00:00Z", "Thu 2026-11-26T10:00+01:00 – 11:00");
        when("2026-11-24", "2026-11-27", "Tue 2026-11-24 – Thu 2026-11-26");
    }

    #[test]
    fn an_end_on_another_day_or_offset_is_written_out() {
        when(
            "2026-11-23T22:00:00Z",
            "2026-11-24T00:00:00Z",
            "Mon 2026-11-23T23:00+01:00 – Tue 2026-11-24T01:00+01:00",
        );
        when(
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "Sun 2026-10-25T02:30+02:00 – Sun 2026-10-25T02:30+01:00",
        );
    }

    #[test]
    fn details_leave_out_what_is_not_there() {
        let bare = meeting(json!({ "id": "abc", "start": { "date": "2026-11-23" }, "end": { "date": "2026-11-24" } }));
        assert_eq!(bare.text(), "Mon 2026-11-23  (no title) [id abc]");
    }

    #[test]
    fn long_descriptions_are_cut_and_say_so() {
        let long = meeting(json!({ "id": "abc", "description": "x".repeat(9000) }));
        let description = long.description.unwrap();
        assert!(description.as_str().ends_with("… (9000 characters in all)"), "{description}");
    }
}
