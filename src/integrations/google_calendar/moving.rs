//! Moving meetings to another time.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Notify, WRITE_EVENTS, calendar,
    change::{Deed, Done, alter},
    event,
    span::{Span, Wish},
    wire::Event,
    zone,
};
use crate::{
    moment::{Moment, Zone},
    tool::{Call, Effect, Result, Scopes, Tool, people},
};

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
            let told = self.told(event);
            cx.confirm_reaching(&told, question(event, &span, &told))?;
            Ok(self.patch(event, old.as_ref(), &span))
        };
        let altered = alter(cx, calendar_id, &self.event_id, self.notify, change).await?;
        Ok(altered.done(Deed::Moved, &zone, notes))
    }
}

/// What a person is asked before others hear of the new time.
fn question(event: &Event, span: &Span, told: &[String]) -> String {
    format!("Move \"{}\" to {}, and tell {}?", event::title(event), span.shown().0, people(told))
}

impl RescheduleMeeting {
    /// Who hears of it.
    fn told(&self, event: &Event) -> Vec<String> {
        match Notify::or_guests(self.notify, event.has_guests()) {
            Notify::All | Notify::ExternalOnly => event.others(),
            Notify::Nobody => Vec::new(),
        }
    }

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
