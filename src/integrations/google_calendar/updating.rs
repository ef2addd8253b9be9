//! Changing what a meeting is called, where it is, and who comes.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Notify, WRITE_EVENTS,
    calendar,
    change::{Deed, Done, alter},
    event,
    span::wrong,
    wire::{Attendee, Event},
    zone,
};
use crate::tool::{
    Call, Effect, Error, Kind, Leads, Question, Result, Scopes, Tool, addresses, excerpt, people,
};

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
            if patch.as_object().is_some_and(|patch| !patch.is_empty()) {
                let reached = guests.reached(event);
                cx.confirm_reaching(&reached, self.question(event, &reached, &guests))?;
            }
            Ok(patch)
        };
        // Known before the write, so that nothing can fail once the meeting is changed.
        let zone = zone(cx, calendar_id, None).await?;
        let altered = alter(cx, calendar_id, &self.event_id, self.notify, change).await?;
        Ok(altered.done(Deed::Updated, &zone, notes.unwrap_or_default()))
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

    /// What a person is asked before others see the change, and the change itself.
    fn question(&self, event: &Event, reached: &[String], guests: &GuestChange) -> Question {
        let asks = format!("Change \"{}\", and show the change to {}?", event::title(event), people(reached));
        let texts = [
            ("The new title:", self.title.clone()),
            ("The new text:", self.description.clone()),
            ("The new place:", self.location.clone()),
            ("Invited:", Some(guests.add.join(", ")).filter(|all| !all.is_empty())),
            ("No longer invited:", Some(guests.remove.join(", ")).filter(|all| !all.is_empty())),
        ];
        let (mut question, mut leads) = (Question::new(asks), Leads::default());
        for (says, text) in texts.into_iter().filter_map(|(says, text)| Some((says, text?))) {
            leads = leads.with(Leads::in_text(&text));
            question = question.note(if text.is_empty() { format!("{says} none.") } else { format!("{says} {}", excerpt(text)) });
        }
        if reached.is_empty() { question } else { question.leading_to(leads.outside(&["google.com"])) }
    }

    /// The texts that differ.
    fn texts(&self, event: &Event) -> Value {
        let wishes = [
            ("summary", self.title.as_deref().map(str::trim), &event.summary),
            ("description", self.description.as_deref(), &event.description),
            ("location", self.location.as_deref(), &event.location),
        ];
        let changed = wishes.into_iter().filter_map(|(name, wish, old)| Some((name, wish.filter(|wish| wish != old)?)));
        changed.map(|(name, wish)| (name.to_owned(), wish.into())).collect::<Map<_, Value>>().into()
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
            return Err(too_many_guests());
        }
        let stays = event.attendees.iter().filter(|guest| !goes(guest)).map(|guest| json!(guest));
        Ok(Some(stays.chain(new.into_iter().map(|email| json!({ "email": email }))).collect()))
    }

    /// Everybody who sees the meeting as it will be, beside the account.
    fn reached(&self, event: &Event) -> Vec<String> {
        let stays = event.others().into_iter().filter(|guest| !self.remove.contains(guest));
        let mut all: Vec<String> = stays.chain(self.add.iter().cloned()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// What turned out to be needless.
    fn notes(&self, event: &Event) -> Vec<String> {
        let missing = self.remove.iter().filter(|email| !is_invited(event, email));
        missing.map(|email| format!("{email} was not invited.")).collect()
    }
}

/// Writing a shortened list would uninvite everybody who is not on it.
fn too_many_guests() -> Error {
    Error::new(Kind::NotAllowed, "Google Calendar does not show all guests of this meeting, so they cannot be changed.")
        .next("Change the guests in Google Calendar itself.")
}

fn is_invited(event: &Event, email: &str) -> bool {
    event.attendees.iter().any(|guest| guest.email.to_lowercase() == email)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
