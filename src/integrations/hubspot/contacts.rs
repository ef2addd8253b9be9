//! Contacts: who is it, who else is there, and changing what is known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    READ_CONTACTS, WRITE_CONTACTS,
    catalog::properties,
    given,
    records::{COMPANY, CONTACT, DEAL, Filter, Wish, filters},
    wire::{List, Object},
    wrong,
};
use crate::{
    http::Request,
    path,
    tool::{Answer, Call, Effect, Error, Finder, Kind, Pair, Readable, Record, Records, Result, Saved, Saving, Scopes, Tool},
};

/// How many open deals are told of a contact.
const DEALS: u32 = 10;

/// How a contact is found by words.
const BY_WORDS: Finder =
    Finder { tool: SearchContacts::NAME, words: "query", beside: &[], list: "records", id: "id", name: "title" };

/// Shows a contact with company and open deals, by one of the three. To look for several use `hubspot_search_contacts`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetContact {
    /// Such as `ana@example.com`.
    email: Option<String>,
    /// Such as `151`.
    contact_id: Option<String>,
    /// In any format.
    phone: Option<String>,
    /// More to show, such as `birthday`.
    properties: Option<Vec<String>>,
}

/// A contact with what belongs to it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Person {
    /// The person.
    contact: Record,
    /// Where the person works.
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<Record>,
    /// Open deals.
    deals: Vec<Record>,
    /// What could not be told.
    notes: Vec<String>,
}

impl Answer for Person {
    fn text(&self) -> String {
        let company = self.company.as_ref().map(Record::line);
        let deals = self.deals.iter().map(|deal| format!("Open {}", deal.line()));
        let parts = std::iter::once(self.contact.block()).chain(company).chain(deals).chain(self.notes.iter().cloned());
        parts.collect::<Vec<_>>().join("\n")
    }
}

impl Tool for GetContact {
    const NAME: &'static str = "hubspot_get_contact";
    const EFFECT: Effect = Effect::Reads;
    const READABLE: &'static [Readable] =
        &[Readable::record("hubspot://contact/{contact_id}", "Contact").found_by(BY_WORDS)];
    const SCOPES: Scopes = READ_CONTACTS;
    type Output = Person;

    async fn call(self, cx: &Call) -> Result<Person> {
        let more = self.properties.clone().unwrap_or_default();
        let [email, id, phone] = [&self.email, &self.contact_id, &self.phone].map(|text| given(text.as_deref()));
        let contact = match (email, id, phone) {
            (Some(email), None, None) => CONTACT.read(cx, email, Some("email"), &more).await?,
            (None, Some(id), None) => CONTACT.read(cx, id, None, &more).await?,
            (None, None, Some(phone)) => {
                let id = with_phone(cx, phone).await?;
                CONTACT.read(cx, &id, None, &more).await?
            }
            _ => return Err(wrong("give exactly one of `email`, `contact_id` and `phone`")),
        };
        let mut notes = Vec::new();
        let company = or_note(company_of(cx, &contact).await, "the company", &mut notes)?.flatten();
        let deals = or_note(deals_of(cx, &contact).await, "deals", &mut notes)?.unwrap_or_default();
        Ok(Person { contact: CONTACT.shown(cx, &[contact]).await?.remove(0), company, deals, notes })
    }
}

/// Without the right to see something beside it, a contact is told all the same.
fn or_note<T>(outcome: Result<T>, what: &str, notes: &mut Vec<String>) -> Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), Kind::MissingScope | Kind::NotAllowed | Kind::NotFound) => {
            notes.push(format!("The account may not see {what}."));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn company_of(cx: &Call, contact: &Object) -> Result<Option<Record>> {
    let first = contact.associations.get("companies").and_then(|list| list.results.first());
    let Some(company) = first else { return Ok(None) };
    let company = COMPANY.read(cx, &company.id, None, &[]).await?;
    Ok(Some(COMPANY.shown(cx, &[company]).await?.remove(0)))
}

async fn deals_of(cx: &Call, contact: &Object) -> Result<Vec<Record>> {
    let mine = json!({ "propertyName": "associations.contact", "operator": "EQ", "value": contact.id });
    let open = json!({ "propertyName": "hs_is_closed", "operator": "EQ", "value": "false" });
    let wish = Wish { filters: vec![mine, open], sorts: vec!["closedate"], limit: DEALS, ..Wish::default() };
    let found = DEAL.find(cx, &wish).await?;
    if found.results.is_empty() { Ok(Vec::new()) } else { DEAL.shown(cx, &found.results).await }
}

/// The only contact with this number. HubSpot keeps numbers for searching without country code and punctuation.
async fn with_phone(cx: &Call, phone: &str) -> Result<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 5 {
        return Err(wrong("`phone` needs at least five digits"));
    }
    // The last digits are the same in every spelling of a number.
    let last = &digits[digits.len().saturating_sub(8)..];
    let filter = json!({
        "propertyName": "hs_searchable_calculated_phone_number", "operator": "CONTAINS_TOKEN", "value": format!("*{last}"),
    });
    let found: List<Object> = CONTACT.find(cx, &Wish { filters: vec![filter], limit: 8, ..Wish::default() }).await?;
    match found.results.as_slice() {
        [only] => Ok(only.id.clone()),
        [] => Err(Error::not_found(format!("contact with the number `{phone}`"))
            .next("`hubspot_search_contacts` finds people by name or company.")),
        several => {
            let lines = CONTACT.shown(cx, several).await?;
            let lines = lines.iter().map(Record::line).collect::<Vec<_>>().join("; ");
            Err(Error::new(Kind::Ambiguous, format!("Several contacts have the number `{phone}`: {lines}."))
                .next("Say which one by its id, as `contact_id`."))
        }
    }
}

/// Finds contacts (people) by words in name, e-mail, phone or company, or by properties.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchContacts {
    /// Such as `Contoso`.
    query: Option<String>,
    /// All have to hold.
    filters: Option<Vec<Filter>>,
    /// How many; else 10.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

impl Tool for SearchContacts {
    const NAME: &'static str = "hubspot_search_contacts";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ_CONTACTS;
    type Output = Records;

    async fn call(self, cx: &Call) -> Result<Records> {
        let wish = Wish {
            words: given(self.query.as_deref()),
            filters: filters(cx, &CONTACT, self.filters.as_deref()).await?,
            limit: self.limit.unwrap_or(10),
            ..Wish::default()
        };
        CONTACT.page(cx, Self::NAME, wish, self.cursor.as_deref()).await
    }
}

/// Makes a contact, or updates the one with this e-mail address.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateContact {
    /// Such as `ana@example.com`.
    email: String,
    /// Such as `Ana`.
    firstname: Option<String>,
    /// Such as `Ruiz`.
    lastname: Option<String>,
    /// Such as `+49 40 5550 1210`.
    phone: Option<String>,
    /// The employer, such as `Contoso Foods`.
    company: Option<String>,
    /// Others, such as `jobtitle`.
    properties: Option<Vec<Pair>>,
}

impl Tool for CreateContact {
    const NAME: &'static str = "hubspot_create_contact";
    const EFFECT: Effect = Effect::Adds;
    const IDEMPOTENT: bool = true;
    const SCOPES: Scopes = WRITE_CONTACTS;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let email = given(Some(&self.email)).filter(|email| email.contains('@'));
        let email = email.ok_or_else(|| wrong("`email` must be an address such as ana@example.com"))?.to_lowercase();
        let mut fields = properties(cx, CONTACT.object, CONTACT.noun, self.properties.as_deref()).await?;
        let own = [
            ("firstname", &self.firstname),
            ("lastname", &self.lastname),
            ("phone", &self.phone),
            ("company", &self.company),
        ];
        for (name, text) in own {
            if let Some(text) = given(text.as_deref()) {
                fields.insert(name.into(), text.into());
            }
        }
        fields.insert("email".into(), email.clone());
        let input = json!({ "id": email, "idProperty": "email", "properties": fields });
        let path = path!["crm", "v3", "objects", "contacts", "batch", "upsert"];
        let made: List<Object> = cx.fetch(Request::post(path).json(&json!({ "inputs": [input] })).keyed()).await?;
        let mut made = made.results.into_iter().next().ok_or_else(|| {
            Error::new(Kind::Vendor, "HubSpot does not say what it made.").next("Look the contact up by its address.")
        })?;
        let done = if made.new { Saving::Created } else { Saving::Updated };
        made.properties.extend(fields.into_iter().map(|(name, value)| (name, Some(value))));
        Ok(Saved::new(done, CONTACT.shown(cx, &[made]).await?.remove(0)))
    }
}

/// Changes properties of a contact. Give the id or the e-mail address of the contact, and what is to be different.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateContact {
    /// Such as `151`.
    contact_id: Option<String>,
    /// Such as `ana@example.com`.
    email: Option<String>,
    /// What changes, such as `jobtitle`; labels work, too.
    properties: Vec<Pair>,
}

impl Tool for UpdateContact {
    const NAME: &'static str = "hubspot_update_contact";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = WRITE_CONTACTS;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let fields = properties(cx, CONTACT.object, CONTACT.noun, Some(&self.properties)).await?;
        match (given(self.contact_id.as_deref()), given(self.email.as_deref())) {
            (Some(id), None) => CONTACT.update(cx, id, None, fields).await,
            (None, Some(email)) => CONTACT.update(cx, email, Some("email"), fields).await,
            _ => Err(wrong("give either `contact_id` or `email`")),
        }
    }
}
