//! Cancelling meetings, after a person said yes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Notify, WRITE_EVENTS, calendar,
    event::{self, Series},
    event_path, read,
    span::Span,
    wire::Event,
    zone,
};
use crate::{
    http::Request,
    moment::{Shown, Zone},
    tool::{Answer, Call, Effect, Kind, Result, Scopes, Tool, Written},
};

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
    title: Written,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
