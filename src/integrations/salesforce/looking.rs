//! Who is it? Contacts, and everything about a customer.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    API, given,
    resolve,
    searching::SearchRecords,
    shape::shown,
    soql::{self, quoted, rows},
    wire::{self, Hits, Page, Raw},
    wrong,
};
use crate::{
    http::Request,
    path,
    tool::{
        Answer, Call, Effect, Error, Finder, Kind, Readable, Record, Records, Result, Scopes, Tool, Written, ambiguous,
        one_of,
    },
};

/// What is told of a contact.
const CONTACT: &str =
    "Id, Name, Title, Email, Phone, MobilePhone, AccountId, Account.Name, Owner.Name, LastActivityDate";

/// How many children of each kind are told of a customer.
const CHILDREN: usize = 10;

/// Finds contacts (people at customers), such as whoever calls, by one of e-mail, phone and name. For all about their
/// company use `salesforce_lookup_customer`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupContact {
    /// Such as `ana@example.com`.
    email: Option<String>,
    /// In any format.
    phone: Option<String>,
    /// All or part, such as `Ana Ruiz`.
    name: Option<String>,
    /// How many; else 5.
    #[schemars(range(min = 1, max = 50))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

impl Tool for LookupContact {
    const NAME: &'static str = "salesforce_lookup_contact";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = API;
    type Output = Records;

    async fn call(self, cx: &Call) -> Result<Records> {
        let condition = match (given(self.email.as_deref()), given(self.phone.as_deref()), given(self.name.as_deref())) {
            (Some(email), None, None) => format!("Email = {}", quoted(email)),
            (None, Some(phone), None) => match ids(&with_phone(cx, phone, "Contact").await?) {
                Some(ids) => format!("Id IN ({ids})"),
                None => return Ok(Records::default()),
            },
            (None, None, Some(name)) => format!("Name LIKE {}", soql::containing(name)),
            _ => return Err(wrong("give exactly one of `email`, `phone` and `name`")),
        };
        let query = format!("SELECT {CONTACT} FROM Contact WHERE {condition} ORDER BY Name, Id");
        let found = rows(cx, Self::NAME, &query, self.limit.unwrap_or(5), self.cursor.as_deref()).await?;
        let (total, next_cursor) = (Some(found.total), found.next_cursor);
        Ok(Records { records: shown(cx, found.records).await?, total, next_cursor, notes: Vec::new() })
    }
}

/// Records of an object with this number in any of their phone fields, however it is written there.
async fn with_phone(cx: &Call, phone: &str, object: &str) -> Result<Vec<Raw>> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 4 {
        return Err(wrong("`phone` needs at least four digits"));
    }
    let body = json!({ "q": phone, "in": "PHONE", "sobjects": [{ "name": object, "fields": fields_of(object) }], "overallLimit": 200 });
    let hits: Hits = cx.fetch(Request::post(path!["parameterizedSearch"]).json(&body).reads()).await?;
    Ok(hits.search_records)
}

fn fields_of(object: &str) -> &'static [&'static str] {
    if object == "Contact" { &["Id", "AccountId"] } else { &["Id"] }
}

/// `'a','b'` of some records, if there are any.
fn ids(records: &[Raw]) -> Option<String> {
    let ids: Vec<_> = records.iter().map(|raw| quoted(wire::text(raw, "Id"))).collect();
    (!ids.is_empty()).then(|| ids.join(","))
}

/// How a customer is found by words.
const BY_NAME: Finder = Finder {
    tool: SearchRecords::NAME,
    words: "query",
    beside: &[("objects", "[\"Account\"]")],
    list: "records",
    id: "id",
    name: "title",
};

/// Shows a customer (an account) with contacts, open opportunities and open cases. Give one of the four; e-mail and
/// phone may be a contact's.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupCustomer {
    /// Such as `001D000000IRFmaIAH`.
    account_id: Option<String>,
    /// All or part, such as `Contoso Foods`.
    name: Option<String>,
    /// Such as `ana@example.com`.
    email: Option<String>,
    /// Such as `+49 40 5550 1200`.
    phone: Option<String>,
}

/// A customer with what belongs to it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Customer {
    /// The company.
    account: Record,
    /// People there.
    contacts: Vec<Record>,
    /// Open opportunities, the next to close first.
    opportunities: Vec<Record>,
    /// Open cases, the newest first.
    cases: Vec<Record>,
    /// What is left out.
    notes: Vec<String>,
}

impl Answer for Customer {
    fn text(&self) -> String {
        let mut text = self.account.block();
        for (title, records) in
            [("Contacts", &self.contacts), ("Open opportunities", &self.opportunities), ("Open cases", &self.cases)]
        {
            let lines: Vec<_> = records.iter().map(Record::line).collect();
            let lines = if lines.is_empty() { " none".to_owned() } else { format!("\n- {}", lines.join("\n- ")) };
            let _ = write!(text, "\n\n{title}:{lines}");
        }
        self.notes.iter().fold(text, |text, note| format!("{text}\n\n{note}"))
    }
}

impl Tool for LookupCustomer {
    const NAME: &'static str = "salesforce_lookup_customer";
    const EFFECT: Effect = Effect::Reads;
    const READABLE: &'static [Readable] =
        &[Readable::record("salesforce://account/{account_id}", "Customer").found_by(BY_NAME)];
    const SCOPES: Scopes = API;
    type Output = Customer;

    async fn call(self, cx: &Call) -> Result<Customer> {
        let id = self.account(cx).await?;
        let query = format!(
            "SELECT Id, Name, Industry, Type, Phone, Website, BillingCity, BillingCountry, Owner.Name, \
             (SELECT Id, Name, Title, Email, Phone FROM Contacts ORDER BY Name LIMIT {CHILDREN}), \
             (SELECT Id, Name, StageName, Amount, CloseDate, NextStep, Owner.Name FROM Opportunities \
             WHERE IsClosed = false ORDER BY CloseDate LIMIT {CHILDREN}), \
             (SELECT Id, CaseNumber, Subject, Status, Priority, CreatedDate FROM Cases \
             WHERE IsClosed = false ORDER BY CreatedDate DESC LIMIT {CHILDREN}) \
             FROM Account WHERE Id = {}",
            quoted(&id)
        );
        let mut raw = soql::first(cx, &query).await?.ok_or_else(|| {
            Error::not_found(format!("account `{id}` that may be seen"))
                .next("`salesforce_search_records` finds accounts and their ids.")
        })?;
        let [contacts, opportunities, cases] =
            ["Contacts", "Opportunities", "Cases"].map(|name| Page::of_children(&mut raw, name).records);
        let full = [("contacts", &contacts), ("opportunities", &opportunities), ("cases", &cases)];
        let full = full.iter().filter(|(_, rows)| rows.len() == CHILDREN);
        let notes = full.map(|(what, _)| {
            format!("There may be more {what} than {CHILDREN}; `salesforce_run_soql` lists them with AccountId = '{id}'.")
        });
        Ok(Customer {
            notes: notes.collect(),
            account: shown(cx, vec![raw]).await?.remove(0),
            contacts: shown(cx, contacts).await?,
            opportunities: shown(cx, opportunities).await?,
            cases: shown(cx, cases).await?,
        })
    }
}

impl LookupCustomer {
    /// The account that is meant.
    async fn account(&self, cx: &Call) -> Result<String> {
        let [id, name, email, phone] =
            [&self.account_id, &self.name, &self.email, &self.phone].map(|text| given(text.as_deref()));
        match (id, name, email, phone) {
            (Some(id), None, None, None) => Ok(id.to_owned()),
            (None, Some(name), None, None) => by_name(cx, name).await,
            (None, None, Some(email), None) => {
                let query = format!(
                    "SELECT AccountId, Account.Name FROM Contact WHERE Email = {} AND AccountId != null LIMIT 200",
                    quoted(email)
                );
                only(cx, email, accounts_of(&soql::all(cx, &query).await?)).await
            }
            (None, None, None, Some(phone)) => {
                let mut accounts: Vec<_> = accounts_of(&with_phone(cx, phone, "Contact").await?);
                let own = with_phone(cx, phone, "Account").await?;
                accounts.extend(own.iter().map(|raw| wire::text(raw, "Id").to_owned()));
                only(cx, phone, accounts).await
            }
            _ => Err(wrong("give exactly one of `account_id`, `name`, `email` and `phone`")),
        }
    }
}

/// The account with this name, or the only one with it as a part: looking at a wrong one does no harm.
async fn by_name(cx: &Call, name: &str) -> Result<String> {
    let found = resolve::accounts(cx, name).await?;
    let wanted = name.to_lowercase();
    let parts: Vec<_> = found.iter().filter(|account| account.name.to_lowercase().contains(&wanted)).collect();
    if let [only] = parts[..] {
        return Ok(only.id.clone());
    }
    match one_of("account", name, found.clone()) {
        Ok(account) => Ok(account.id),
        Err(error) if error.kind() == Kind::NotFound && parts.len() > 1 => Err(ambiguous("account", name, parts)),
        Err(error) => Err(error),
    }
}

/// The accounts of some contacts.
fn accounts_of(contacts: &[Raw]) -> Vec<String> {
    contacts.iter().map(|raw| wire::text(raw, "AccountId").to_owned()).filter(|id| !id.is_empty()).collect()
}

/// The only account among those that were found; several are offered by name.
async fn only(cx: &Call, wanted: &str, mut accounts: Vec<String>) -> Result<String> {
    accounts.sort();
    accounts.dedup();
    if accounts.len() > 1 {
        let ids: Vec<_> = accounts.iter().take(20).map(|id| quoted(id)).collect();
        let query = format!("SELECT Id, Name FROM Account WHERE Id IN ({}) ORDER BY Name", ids.join(","));
        let named = soql::all(cx, &query).await?;
        let name = |raw: &Raw| Written::by_others(wire::text(raw, "Name")).line(100);
        let choices = named.iter().map(|raw| format!("{} [{}]", name(raw), wire::text(raw, "Id")));
        let what = format!("`{wanted}` belongs to {} accounts: {}.", accounts.len(), choices.collect::<Vec<_>>().join(", "));
        return Err(Error::new(Kind::Ambiguous, what).next("Say which one by its id, as `account_id`."));
    }
    accounts.pop().ok_or_else(|| {
        Error::not_found(format!("customer with `{wanted}`"))
            .next("Try the name; `salesforce_search_records` looks everywhere.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_literals() {
        let raw = |id: &str| json!({ "Id": id }).as_object().unwrap().clone();
        assert_eq!(ids(&[raw("a"), raw("b'")]).as_deref(), Some(r"'a','b\''"));
        assert_eq!(ids(&[]), None);
    }
}
