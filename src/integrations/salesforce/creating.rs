//! New leads, contacts and cases.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    API,
    describe::{For, described},
    given, resolve,
    shape::label,
    wire::Created,
    wrong, zone,
};
use crate::{
    http::Request,
    path,
    tool::{Call, Effect, Pair, Record, Result, Saved, Saving, Scopes, Tool, typed},
};

/// Makes a lead: somebody who may buy and has no account yet. Look the person up first; at a customer make a contact.
/// Twice makes two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateLead {
    /// Such as `Ruiz`.
    last_name: String,
    /// Such as `Adventure Works`.
    company: String,
    /// Such as `Ana`.
    first_name: Option<String>,
    /// Such as `ana@example.com`.
    email: Option<String>,
    /// Such as `+49 40 5550 1210`.
    phone: Option<String>,
    /// Job, such as `Buyer`.
    title: Option<String>,
    /// Such as `Web`.
    source: Option<String>,
    /// What is known.
    description: Option<String>,
    /// Other fields, such as `Industry`.
    custom: Option<Vec<Pair>>,
}

impl Tool for CreateLead {
    const NAME: &'static str = "salesforce_create_lead";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = API;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let fields = Fields::new()
            .must("LastName", "last_name", &self.last_name)?
            .must("Company", "company", &self.company)?
            .text("FirstName", self.first_name.as_deref())
            .text("Email", self.email.as_deref())
            .text("Phone", self.phone.as_deref())
            .text("Title", self.title.as_deref())
            .text("LeadSource", self.source.as_deref())
            .text("Description", self.description.as_deref());
        let fields = fields.and(custom(cx, "Lead", self.custom.as_deref(), For::Creating).await?)?;
        let name = full_name(self.first_name.as_deref(), &self.last_name);
        create(cx, "Lead", &name, fields).await
    }
}

/// Makes a contact: a person at a customer. Look the person up first; calling twice makes two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateContact {
    /// Such as `Ruiz`.
    last_name: String,
    /// Such as `Ana`.
    first_name: Option<String>,
    /// Such as `ana@example.com`.
    email: Option<String>,
    /// Such as `+49 40 5550 1210`.
    phone: Option<String>,
    /// The customer: id, or name such as `Contoso Foods`.
    account_id: Option<String>,
    /// The job, such as `Buyer`.
    title: Option<String>,
    /// Other fields, such as `Department`.
    custom: Option<Vec<Pair>>,
}

impl Tool for CreateContact {
    const NAME: &'static str = "salesforce_create_contact";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = API;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let account = match given(self.account_id.as_deref()) {
            Some(wanted) => Some(resolve::account(cx, wanted).await?),
            None => None,
        };
        let fields = Fields::new()
            .must("LastName", "last_name", &self.last_name)?
            .text("FirstName", self.first_name.as_deref())
            .text("Email", self.email.as_deref())
            .text("Phone", self.phone.as_deref())
            .text("AccountId", account.as_deref())
            .text("Title", self.title.as_deref());
        let fields = fields.and(custom(cx, "Contact", self.custom.as_deref(), For::Creating).await?)?;
        let name = full_name(self.first_name.as_deref(), &self.last_name);
        create(cx, "Contact", &name, fields).await
    }
}

/// Makes a support case for a customer's question or trouble. Calling twice makes two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateCase {
    /// Such as `Gripper drops wet cartons`.
    subject: String,
    /// What was said, in full.
    description: Option<String>,
    /// Who asks: id or e-mail.
    contact_id: Option<String>,
    /// The customer: id, or name such as `Contoso Foods`.
    account_id: Option<String>,
    /// Such as `High`.
    priority: Option<String>,
    /// How it came, such as `Email`; else `Phone`.
    origin: Option<String>,
}

impl Tool for CreateCase {
    const NAME: &'static str = "salesforce_create_case";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = API;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let contact = match given(self.contact_id.as_deref()) {
            Some(wanted) => Some(resolve::contact(cx, wanted).await?),
            None => None,
        };
        let account = match given(self.account_id.as_deref()) {
            Some(wanted) => Some(resolve::account(cx, wanted).await?),
            None => None,
        };
        let fields = Fields::new()
            .must("Subject", "subject", &self.subject)?
            .text("Description", self.description.as_deref())
            .text("ContactId", contact.as_deref())
            .text("AccountId", account.as_deref())
            .chosen(cx, "Case", "Priority", self.priority.as_deref())
            .await?
            .chosen(cx, "Case", "Origin", Some(given(self.origin.as_deref()).unwrap_or("Phone")))
            .await?;
        create(cx, "Case", self.subject.trim(), fields).await
    }
}

/// Fields on their way to a record.
#[derive(Default)]
pub(super) struct Fields(pub(super) Map<String, Value>);

impl Fields {
    pub(super) fn new() -> Self {
        Fields::default()
    }

    /// Text that must be there; `argument` is what the caller knows it by.
    pub(super) fn must(self, name: &str, argument: &str, text: &str) -> Result<Self> {
        match given(Some(text)) {
            Some(text) => Ok(self.text(name, Some(text))),
            None => Err(wrong(&format!("`{argument}` must not be empty"))),
        }
    }

    /// Text that may be there.
    pub(super) fn text(mut self, name: &str, text: Option<&str>) -> Self {
        if let Some(text) = given(text) {
            self.0.insert(name.to_owned(), text.into());
        }
        self
    }

    /// Anything that may be there.
    pub(super) fn value(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    /// A choice of the object's field, by its label or value.
    pub(super) async fn chosen(self, cx: &Call, object: &str, name: &str, label: Option<&str>) -> Result<Self> {
        let Some(label) = given(label) else { return Ok(self) };
        let value = described(cx, object).await?.slot(name)?.convert(label, &crate::moment::Zone::utc())?;
        Ok(self.value(name, Some(value)))
    }

    /// With others, which must not set the same.
    pub(super) fn and(mut self, others: Map<String, Value>) -> Result<Self> {
        for (name, value) in others {
            if self.0.contains_key(&name) {
                return Err(wrong(&format!("`{name}` is set by an argument of its own; leave it out of `custom`")));
            }
            self.0.insert(name, value);
        }
        Ok(self)
    }
}

/// Fields by name and text, as the organisation's own types want them. Several choices go with `;` between them.
pub(super) async fn custom(
    cx: &Call,
    object: &str,
    pairs: Option<&[Pair]>,
    purpose: For,
) -> Result<Map<String, Value>> {
    let Some(pairs) = pairs.filter(|pairs| !pairs.is_empty()) else { return Ok(Map::new()) };
    let slots = described(cx, object).await?.slots(purpose);
    let fields = typed(&object.to_lowercase(), pairs, &slots, &zone(cx).await?)?;
    let joined = |value: Value| match value {
        Value::Array(choices) => choices.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";").into(),
        value => value,
    };
    Ok(fields.into_iter().map(|(name, value)| (name, joined(value))).collect())
}

/// Makes a record, once: Salesforce would not recognise a repeat.
pub(super) async fn create(cx: &Call, object: &'static str, title: &str, fields: Fields) -> Result<Saved> {
    let request = Request::post(path!["sobjects", object]).json(&fields.0);
    let made: Created = cx.fetch(request).await?;
    let record = Record::new(object, made.id, title);
    Ok(Saved::new(Saving::Created, of_fields(record, title, &fields.0)))
}

/// The record with the fields that were sent; ids say nothing to people.
fn of_fields(record: Record, title: &str, fields: &Map<String, Value>) -> Record {
    let told = fields.iter().filter(|(name, value)| !name.ends_with("Id") && value.as_str() != Some(title));
    let told = told.filter(|(name, _)| !matches!(name.as_str(), "FirstName" | "LastName"));
    told.fold(record, |record, (name, value)| record.with(label(name), value))
}

fn full_name(first: Option<&str>, last: &str) -> String {
    given(first).into_iter().chain([last.trim()]).collect::<Vec<_>>().join(" ")
}
