//! Changing a meeting that exists, and how a change is answered.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Notify, event_is_missing, event_path,
    event::{Meeting, Series},
    read,
    wire::Event,
};
use crate::{
    http::Request,
    moment::Zone,
    tool::{Answer, Call, Kind, Result},
};

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

/// An event after a change.
pub(super) struct Altered {
    event: Event,
    is_changed: bool,
}

impl Altered {
    /// The answer, which says what it meant where the meeting belongs to a series.
    pub(super) fn done(self, deed: Deed, zone: &Zone, mut notes: Vec<String>) -> Done {
        notes.extend(Series::of(&self.event).map(|series| series.scope()));
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
        if patch.as_object().is_none_or(Map::is_empty) {
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
