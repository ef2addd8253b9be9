//! Calls that were made, and notes on records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    WRITE_CONTACTS,
    catalog::{self, Properties},
    given,
    records::{self, Link, Sort},
    wrong,
};
use crate::{
    moment::{Moment, Zone},
    tool::{Call, Effect, Markup, Question, Result, Saved, Scopes, Tool, excerpt},
};

/// From a call, and from a note, to what it is about.
const CALL_TO_CONTACT: u32 = 194;
const NOTE_TO_CONTACT: u32 = 202;
const NOTE_TO_DEAL: u32 = 214;
const NOTE_TO_TICKET: u32 = 228;

const CALL: Sort = Sort {
    object: "calls",
    noun: "call",
    told: &[
        ("hs_call_title", ""),
        ("hs_timestamp", "Time"),
        ("hs_call_direction", "Direction"),
        ("hs_call_duration", "Milliseconds"),
        ("hs_call_body", "Notes"),
    ],
};

const NOTE: Sort = Sort { object: "notes", noun: "note", told: &[("hs_timestamp", "Time"), ("hs_note_body", "Text")] };

/// Asks before HTML is noted whose pictures lead elsewhere: they are fetched for every colleague who looks.
fn confirm(cx: &Call, what: &str, body: &str) -> Result<()> {
    let leads = Markup::read(body).fetched.outside(&["hubspot.com", "hubspotusercontent.com"]);
    if leads.is_empty() {
        return Ok(());
    }
    cx.confirm_leading(Question::new(format!("Note {what} in HubSpot: \"{}\"?", excerpt(body))).leading_to(leads))
}

/// Who called whom.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
enum Direction {
    Inbound,
    Outbound,
}

/// Notes a phone call that took place, at its contact. Twice notes two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogCall {
    /// With whom, such as `151`.
    contact_id: Option<String>,
    /// Or the e-mail address.
    contact_email: Option<String>,
    /// Such as `Call about the offer`.
    title: String,
    /// What was said and agreed.
    body: String,
    /// Who called; else `OUTBOUND`.
    direction: Option<Direction>,
    /// Such as `340`.
    #[schemars(range(min = 0, max = 86_400))]
    duration_seconds: Option<u32>,
    /// Outcome, such as `Left voicemail`.
    disposition: Option<String>,
    /// Such as `2026-11-23T09:00+01:00`; else now.
    started_at: Option<Moment>,
}

impl Tool for LogCall {
    const NAME: &'static str = "hubspot_log_call";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = WRITE_CONTACTS;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let title = given(Some(&self.title)).ok_or_else(|| wrong("`title` must not be empty"))?;
        let started = match &self.started_at {
            // HubSpot does not say in which zone an account lives.
            Some(Moment::Local(_)) => {
                return Err(wrong("`started_at` needs an offset, such as 2026-11-23T09:00+01:00"));
            }
            Some(moment) => moment.at(&Zone::utc()),
            None => cx.now(),
        };
        let direction = match self.direction {
            Some(Direction::Inbound) => "INBOUND",
            _ => "OUTBOUND",
        };
        let mut fields = Properties::from([
            ("hs_timestamp".into(), format!("{started:.0}")),
            ("hs_call_title".into(), title.into()),
            ("hs_call_body".into(), self.body.trim().into()),
            ("hs_call_direction".into(), direction.into()),
            ("hs_call_status".into(), "COMPLETED".into()),
        ]);
        if let Some(seconds) = self.duration_seconds {
            fields.insert("hs_call_duration".into(), (u64::from(seconds) * 1000).to_string());
        }
        if let Some(disposition) = given(self.disposition.as_deref()) {
            let value = catalog::chosen(cx, "calls", "hs_call_disposition", disposition).await?;
            fields.insert("hs_call_disposition".into(), value);
        }
        let contact = records::contact(cx, self.contact_id.as_deref(), self.contact_email.as_deref()).await?;
        let contact = contact.ok_or_else(|| wrong("give `contact_id` or `contact_email`"))?;
        confirm(cx, &format!("the call \"{title}\""), &self.body)?;
        CALL.create(cx, fields, &[Link { id: contact, kind: CALL_TO_CONTACT }]).await
    }
}

/// Puts a note on a contact, a deal or a ticket; colleagues see it there. Calling twice makes two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddNote {
    /// What to note.
    body: String,
    /// Such as `151`; one of the three is needed.
    contact_id: Option<String>,
    /// Such as `151`.
    deal_id: Option<String>,
    /// Such as `151`.
    ticket_id: Option<String>,
}

impl Tool for AddNote {
    const NAME: &'static str = "hubspot_add_note";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = WRITE_CONTACTS;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let body = given(Some(&self.body)).ok_or_else(|| wrong("`body` must not be empty"))?;
        let ids = [
            (&self.contact_id, NOTE_TO_CONTACT),
            (&self.deal_id, NOTE_TO_DEAL),
            (&self.ticket_id, NOTE_TO_TICKET),
        ];
        let links = ids.into_iter().filter_map(|(id, kind)| Some(Link { id: given(id.as_deref())?.to_owned(), kind }));
        let links: Vec<_> = links.collect();
        if links.is_empty() {
            return Err(wrong("give `contact_id`, `deal_id` or `ticket_id`"));
        }
        let fields = Properties::from([
            ("hs_timestamp".into(), format!("{:.0}", cx.now())),
            ("hs_note_body".into(), body.into()),
        ]);
        confirm(cx, "this", body)?;
        NOTE.create(cx, fields, &links).await
    }
}
