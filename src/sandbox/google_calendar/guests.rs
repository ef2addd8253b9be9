//! Guests: who is invited, who may change what, and the mails that go out.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{GoogleCalendar, calendars::Calendar, errors, event::Event};
use crate::sandbox::twin::{Answer, Call, Mail};

/// Who hears of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// All guests.
    All,
    /// Guests of other companies.
    External,
    /// Nobody.
    Nobody,
}

impl Told {
    /// What a request asks for; nobody hears of anything by default.
    pub fn of(call: &Call<'_>) -> Self {
        match call.query("sendUpdates") {
            Some("all") => Told::All,
            Some("externalOnly") => Told::External,
            None if call.flag("sendNotifications") => Told::All,
            _ => Told::Nobody,
        }
    }
}

/// What a guest may set on an event for himself.
const OWN: &[&str] = &[
    "attendees",
    "reminders",
    "colorId",
    "transparency",
    "visibility",
    "extendedProperties",
    "eventLabelId",
    "etag",
    "updated",
    "sequence",
];

/// What is worth a mail.
const NOTABLE: &[&str] = &["summary", "description", "location", "start", "end", "recurrence", "status", "hangoutLink"];

impl GoogleCalendar {
    /// Checks the guests of an event and writes them the way the vendor does.
    pub fn settle_guests(&self, event: &mut Event) -> Result<(), Answer> {
        let organizer = event.organizer().to_owned();
        let mut guests: Vec<Value> = vec![];
        for guest in event.guests() {
            let guest = self.settle_guest(guest, &organizer)?;
            if guests.iter().all(|earlier| earlier["email"] != guest["email"]) {
                guests.push(guest);
            }
        }
        if event.0.contains_key("attendees") {
            event.set("attendees", guests);
        }
        Ok(())
    }

    fn settle_guest(&self, guest: &Value, organizer: &str) -> Result<Value, Answer> {
        let email = guest["email"].as_str().ok_or_else(|| errors::required("Missing attendee email."))?;
        let email = email.to_lowercase();
        if !is_address(&email) {
            return Err(errors::invalid("Invalid attendee email."));
        }
        let mut settled = guest.clone();
        settled["email"] = json!(email);
        let usual = if email == organizer { "accepted" } else { "needsAction" };
        let fields = settled.as_object_mut().expect("the table lets only objects through");
        fields.retain(|name, value| !matches!(name.as_str(), "self" | "organizer" | "id") && !value.is_null());
        fields.entry("responseStatus").or_insert_with(|| json!(usual));
        if let Some(person) = self.people.iter().find(|person| person.email == email) {
            fields.entry("displayName").or_insert_with(|| json!(person.name));
        }
        Ok(settled)
    }

    /// A guest may answer, invite others where that is allowed, and keep notes of his own. Nothing else.
    pub fn check_guest_edit(&self, before: &Event, after: &Event) -> Result<(), Answer> {
        if before.0.get("guestsCanModify") == Some(&json!(true)) {
            return Ok(());
        }
        let names = before.0.keys().chain(after.0.keys()).filter(|name| !OWN.contains(&name.as_str()));
        let untouched = names.into_iter().all(|name| before.0.get(name) == after.0.get(name));
        let others_stay = before.guests().iter().filter(|guest| guest["email"] != self.account.as_str());
        let others_stay = others_stay.into_iter().all(|guest| after.guests().contains(guest));
        let new = after.guests().iter().any(|guest| before.guest(text(guest, "email")).is_none());
        let may_invite = before.0.get("guestsCanInviteOthers") != Some(&json!(false));
        if untouched && others_stay && (!new || may_invite) { Ok(()) } else { Err(errors::not_organizer()) }
    }

    /// Another time is another question: the guests have not answered it yet.
    pub fn ask_again(&self, event: &mut Event) {
        let organizer = event.organizer().to_owned();
        let guests = event.0.get_mut("attendees").and_then(Value::as_array_mut);
        for guest in guests.into_iter().flatten().filter(|guest| guest["email"] != organizer.as_str()) {
            guest["responseStatus"] = json!("needsAction");
        }
    }

    /// Sends what a new or changed event sends.
    pub fn tell_changes(
        &mut self,
        calendar: &Calendar,
        before: Option<&Event>,
        event: &Event,
        told: Told,
        now: Timestamp,
    ) {
        if event.organizer() != calendar.id {
            self.tell_answer(calendar, before, event, told, now);
            return;
        }
        let when = event.in_words(&calendar.zone());
        let notable = before.is_none_or(|before| NOTABLE.iter().any(|name| before.0.get(*name) != event.0.get(*name)));
        for guest in event.guests() {
            let email = text(guest, "email");
            match before.and_then(|before| before.guest(email)) {
                None => self.tell(email, told, now, event, &format!("Invitation: {} @ {when}", event.title())),
                Some(_) if notable => {
                    self.tell(email, told, now, event, &format!("Updated invitation: {} @ {when}", event.title()));
                }
                Some(_) => {}
            }
        }
        for guest in before.into_iter().flat_map(Event::guests) {
            let email = text(guest, "email");
            if event.guest(email).is_none() {
                self.tell(email, told, now, event, &format!("Canceled event: {} @ {when}", event.title()));
            }
        }
    }

    /// Sends what the end of an event sends: a cancellation by the organizer, a refusal by a guest.
    pub fn tell_end(&mut self, calendar: &Calendar, event: &Event, told: Told, now: Timestamp) {
        let when = event.in_words(&calendar.zone());
        if event.organizer() != calendar.id {
            let subject = format!("Declined: {} @ {when}", event.title());
            self.tell(event.organizer(), told, now, event, &subject);
            return;
        }
        for guest in event.guests() {
            let subject = format!("Canceled event: {} @ {when}", event.title());
            self.tell(text(guest, "email"), told, now, event, &subject);
        }
    }

    fn tell_answer(&mut self, calendar: &Calendar, before: Option<&Event>, event: &Event, told: Told, now: Timestamp) {
        let answer = |event: &Event| event.guest(&calendar.id).map(|guest| text(guest, "responseStatus").to_owned());
        let now_answered = answer(event);
        if before.and_then(answer) == now_answered {
            return;
        }
        let verb = match now_answered.as_deref() {
            Some("accepted") => "Accepted",
            Some("declined") => "Declined",
            Some("tentative") => "Tentatively accepted",
            _ => return,
        };
        let subject = format!("{verb}: {} @ {}", event.title(), event.in_words(&calendar.zone()));
        self.tell(event.organizer(), told, now, event, &subject);
    }

    /// Puts a mail in the outbox, unless its reader is not to be told or is the account itself.
    fn tell(&mut self, to: &str, told: Told, now: Timestamp, event: &Event, subject: &str) {
        let domain = |email: &str| email.rsplit('@').next().map(str::to_owned);
        let wanted = match told {
            Told::All => true,
            Told::External => domain(to) != domain(&self.account),
            Told::Nobody => false,
        };
        if wanted && to != self.account && !to.ends_with("@group.calendar.google.com") {
            let (to, subject, about) = (to.to_owned(), subject.to_owned(), event.id().to_owned());
            self.outbox.push(Mail { at: now, to, subject, about });
        }
    }
}

fn text<'a>(guest: &'a Value, name: &str) -> &'a str {
    guest[name].as_str().unwrap_or_default()
}

fn is_address(email: &str) -> bool {
    let plain = !email.contains(char::is_whitespace);
    plain
        && email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}
