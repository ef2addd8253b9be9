//! Tickets: customers' questions and troubles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    TICKETS,
    catalog::{self, Properties, properties},
    given,
    records::{self, Link, TICKET},
    wrong,
};
use crate::tool::{Call, Effect, Pair, Result, Saved, Scopes, Tool};

/// From a ticket to a contact.
const TO_CONTACT: u32 = 16;

/// How urgent a ticket is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
enum Priority {
    Low,
    Medium,
    High,
}

impl Priority {
    fn name(self) -> &'static str {
        match self {
            Priority::Low => "LOW",
            Priority::Medium => "MEDIUM",
            Priority::High => "HIGH",
        }
    }
}

/// Makes a ticket for a customer's question or trouble. Twice makes two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateTicket {
    /// Such as `Gripper is jammed`.
    subject: String,
    /// What was said.
    content: Option<String>,
    /// Who asks, such as `151`.
    contact_id: Option<String>,
    /// Or the e-mail address.
    contact_email: Option<String>,
    /// How urgent.
    priority: Option<Priority>,
    /// Where there are several.
    pipeline: Option<String>,
    /// Such as `New`; else the first.
    stage: Option<String>,
    /// A colleague: id or e-mail.
    owner_id: Option<String>,
}

impl Tool for CreateTicket {
    const NAME: &'static str = "hubspot_create_ticket";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = TICKETS;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let subject = given(Some(&self.subject)).ok_or_else(|| wrong("`subject` must not be empty"))?;
        let place = catalog::place(cx, "tickets", self.pipeline.as_deref(), self.stage.as_deref()).await?;
        let mut fields = Properties::from([
            ("subject".into(), subject.into()),
            ("hs_pipeline".into(), place.pipeline),
            ("hs_pipeline_stage".into(), place.stage),
        ]);
        if let Some(content) = given(self.content.as_deref()) {
            fields.insert("content".into(), content.into());
        }
        if let Some(priority) = self.priority {
            fields.insert("hs_ticket_priority".into(), priority.name().into());
        }
        if let Some(owner) = given(self.owner_id.as_deref()) {
            fields.insert("hubspot_owner_id".into(), catalog::owner(cx, owner).await?);
        }
        let contact = records::contact(cx, self.contact_id.as_deref(), self.contact_email.as_deref()).await?;
        let links: Vec<_> = contact.map(|id| Link { id, kind: TO_CONTACT }).into_iter().collect();
        TICKET.create(cx, fields, &links).await
    }
}

/// Changes a ticket: its stage, priority, or any property. Only what is given changes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateTicket {
    /// Such as `151`.
    ticket_id: String,
    /// Such as `Waiting on contact`.
    stage: Option<String>,
    /// How urgent.
    priority: Option<Priority>,
    /// Others, such as `content`.
    properties: Option<Vec<Pair>>,
}

impl Tool for UpdateTicket {
    const NAME: &'static str = "hubspot_update_ticket";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = TICKETS;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let id = given(Some(&self.ticket_id)).ok_or_else(|| wrong("`ticket_id` must not be empty"))?;
        let mut fields = properties(cx, TICKET.object, TICKET.noun, self.properties.as_deref()).await?;
        if let Some(priority) = self.priority {
            fields.insert("hs_ticket_priority".into(), priority.name().into());
        }
        if let Some(stage) = given(self.stage.as_deref()) {
            let place = catalog::place(cx, "tickets", None, Some(stage)).await?;
            fields.extend([("hs_pipeline".to_owned(), place.pipeline), ("hs_pipeline_stage".to_owned(), place.stage)]);
        }
        TICKET.update(cx, id, None, fields).await
    }
}
