//! Free and busy times of several calendars at once.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{
    GoogleCalendar,
    calendars::Calendar,
    errors,
    event::{Event, rfc3339, zone},
    listing::Wanted,
};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// How many calendars one question may name; the vendor's own upper bound of `calendarExpansionMax`.
const MOST_CALENDARS: usize = 50;

/// How long the window may be: clients have found 90 days (github.com/calcom/cal.diy/pull/11962).
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(90 * 24);

/// `freebusy.query`
pub fn query(world: &GoogleCalendar, call: &Call<'_>) -> Outcome {
    let (from, to) = (moment(call, "timeMin")?, moment(call, "timeMax")?);
    if from >= to {
        return Err(errors::empty_range());
    }
    if to.duration_since(from) > LONGEST_WINDOW {
        let message = "The requested time range is too long.";
        return Err(errors::error(400, "calendar", "timeRangeTooLong", message, None));
    }
    let shown_in = zone(call.body["timeZone"].as_str().unwrap_or("UTC"))?;
    let items = call.body["items"].as_array().map_or(&[][..], Vec::as_slice);
    let ids: Vec<&str> = items.iter().filter_map(|item| item["id"].as_str()).collect();
    if ids.len() > MOST_CALENDARS {
        let message = "Too many calendars requested.";
        return Err(errors::error(400, "global", "tooManyCalendarsRequested", message, None));
    }
    let calendars: Map<String, Value> =
        ids.iter().map(|id| ((*id).to_owned(), world.answer_for(id, from, to, &shown_in))).collect();
    let written = |moment: Timestamp| moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    Ok(Answer::ok(json!({
        "kind": "calendar#freeBusy", "timeMin": written(from), "timeMax": written(to), "calendars": calendars,
    })))
}

impl GoogleCalendar {
    fn answer_for(&self, id: &str, from: Timestamp, to: Timestamp, shown_in: &TimeZone) -> Value {
        let Ok(calendar) = self.calendar(id) else {
            return json!({ "errors": [{ "domain": "global", "reason": "notFound" }], "busy": [] });
        };
        let written = |moment: Timestamp| rfc3339(&moment.to_zoned(shown_in.clone()));
        let busy = self.busy(calendar, from, to).into_iter();
        let busy: Vec<Value> =
            busy.map(|(start, end)| json!({ "start": written(start), "end": written(end) })).collect();
        json!({ "busy": busy })
    }

    /// The times that are taken, soonest first, without overlaps.
    fn busy(&self, calendar: &Calendar, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let wanted = Wanted { single: true, deleted: false, from: Some(from), to: Some(to) };
        let own = self.gather(calendar, wanted).into_iter().map(|event| (event, calendar.zone()));
        let invited = self.calendars.iter().filter(|other| other.id != calendar.id).flat_map(|other| {
            let events = self.gather(other, wanted).into_iter();
            let invited = events.filter(|event| event.guest(&calendar.id).is_some());
            invited.map(|event| (event, other.zone()))
        });
        let taken = own.chain(invited).filter(|(event, _)| takes_time(event, &calendar.id));
        let mut blocks: Vec<_> = taken.filter_map(|(event, zone)| event.instants(&zone)).collect();
        blocks.sort_unstable();
        let blocks = blocks.into_iter().map(|(start, end)| (start.max(from), end.min(to)));
        blocks.filter(|(start, end)| start < end).fold(vec![], join)
    }
}

/// Whether an event takes the time of the calendar's owner.
fn takes_time(event: &Event, owner: &str) -> bool {
    let declined = event.guest(owner).is_some_and(|guest| guest["responseStatus"] == "declined");
    !declined && event.text("transparency") != "transparent" && event.text("eventType") != "workingLocation"
}

fn join(mut blocks: Vec<(Timestamp, Timestamp)>, next: (Timestamp, Timestamp)) -> Vec<(Timestamp, Timestamp)> {
    match blocks.last_mut() {
        Some(last) if next.0 <= last.1 => last.1 = last.1.max(next.1),
        _ => blocks.push(next),
    }
    blocks
}

fn moment(call: &Call<'_>, name: &str) -> Result<Timestamp, Answer> {
    let text = call.body[name].as_str().unwrap_or_default();
    text.parse().map_err(|_| errors::invalid(&format!("Invalid value for: {name}")))
}
