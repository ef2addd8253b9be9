//! Calls that were made, and tasks that are to be done.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    API,
    creating::{Fields, create},
    given, resolve, wrong, zone,
};
use crate::{
    moment::Moment,
    tool::{Call, Effect, Result, Saved, Scopes, Tool},
};

/// The longest subject that Salesforce keeps, in characters.
const LONGEST_SUBJECT: usize = 255;

/// Notes a phone call that took place, with the person and the deal or case. For what is still to be done make a task.
/// Twice notes two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogCall {
    /// Such as `Call about the offer`.
    subject: String,
    /// What was said and agreed.
    notes: String,
    /// With whom: id of a contact or lead, or e-mail.
    who_id: Option<String>,
    /// About what: id, account, opportunity or case number.
    what_id: Option<String>,
    /// Such as `340`.
    #[schemars(range(min = 0, max = 86_400))]
    duration_seconds: Option<u32>,
    /// Outcome, such as `Left voicemail`.
    disposition: Option<String>,
}

impl Tool for LogCall {
    const NAME: &'static str = "salesforce_log_call";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = API;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let about = About::of(cx, self.who_id.as_deref(), self.what_id.as_deref()).await?;
        let today = zone(cx).await?.day_of(cx.now()).to_string();
        let fields = about
            .fields(&self.subject)?
            .text("Description", Some(&self.notes))
            .text("Status", Some("Completed"))
            .text("TaskSubtype", Some("Call"))
            .text("ActivityDate", Some(&today))
            .value("CallDurationInSeconds", self.duration_seconds)
            .text("CallDisposition", self.disposition.as_deref());
        create(cx, "Task", self.subject.trim(), fields).await
    }
}

/// Makes a task to be done later, such as to call somebody back. Calling twice makes two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateTask {
    /// Such as `Send the revised offer`.
    subject: String,
    /// Such as `2026-11-30`.
    due_date: Option<Moment>,
    /// With whom: id of a contact or lead, or e-mail.
    who_id: Option<String>,
    /// About what: id, name of an account or opportunity, or case number.
    what_id: Option<String>,
    /// Whose it is: id, e-mail or name of a colleague; else yours.
    owner_id: Option<String>,
    /// `High`, `Normal` or `Low`.
    priority: Option<String>,
}

impl Tool for CreateTask {
    const NAME: &'static str = "salesforce_create_task";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = API;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let due = match &self.due_date {
            Some(moment) => Some(moment.day().ok_or_else(|| wrong("`due_date` is a day, such as 2026-11-30"))?.to_string()),
            None => None,
        };
        let about = About::of(cx, self.who_id.as_deref(), self.what_id.as_deref()).await?;
        let owner = match given(self.owner_id.as_deref()) {
            Some(wanted) => Some(resolve::owner(cx, wanted).await?),
            None => None,
        };
        let fields = about
            .fields(&self.subject)?
            .text("ActivityDate", due.as_deref())
            .text("OwnerId", owner.as_deref())
            .chosen(cx, "Task", "Priority", self.priority.as_deref())
            .await?;
        create(cx, "Task", self.subject.trim(), fields).await
    }
}

/// The person and the record that an activity belongs to.
struct About {
    who: Option<String>,
    what: Option<String>,
}

impl About {
    async fn of(cx: &Call, who: Option<&str>, what: Option<&str>) -> Result<About> {
        let who = match given(who) {
            Some(wanted) => Some(resolve::person(cx, wanted).await?),
            None => None,
        };
        let what = match given(what) {
            Some(wanted) => Some(resolve::subject(cx, wanted).await?),
            None => None,
        };
        Ok(About { who, what })
    }

    fn fields(&self, subject: &str) -> Result<Fields> {
        if subject.trim().chars().count() > LONGEST_SUBJECT {
            return Err(wrong("`subject` is at most 255 characters; the rest belongs elsewhere"));
        }
        let fields = Fields::new().must("Subject", "subject", subject)?;
        Ok(fields.text("WhoId", self.who.as_deref()).text("WhatId", self.what.as_deref()))
    }
}
