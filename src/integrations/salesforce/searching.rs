//! Finding records of any object, one record in full, and SOQL.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    API,
    describe::described,
    given, resolve,
    shape::{self, shown},
    soql::{self, quoted, rows},
    wire::{Hits, Raw},
    wrong, zone,
};
use crate::{
    http::Request,
    path,
    tool::{Call, Cursor, Effect, Error, Kind, Readable, Record, Records, Result, Scopes, Tool},
};

/// Where a search looks when nothing else is said, and what it tells of each object.
const OBJECTS: [(&str, &[&str]); 5] = [
    ("Account", &["Id", "Name", "Industry", "Phone", "BillingCity"]),
    ("Contact", &["Id", "Name", "Title", "Email", "Phone"]),
    ("Lead", &["Id", "Name", "Company", "Email", "Status"]),
    ("Opportunity", &["Id", "Name", "StageName", "Amount", "CloseDate"]),
    ("Case", &["Id", "CaseNumber", "Subject", "Status", "Priority"]),
];

/// What a search finds at most, over all pages.
const MOST_HITS: u32 = 200;

/// Looks for words in all kinds of records: accounts, contacts, leads, opportunities, cases. What was changed in the
/// last minutes may be missing. To filter by fields use `salesforce_run_soql`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchRecords {
    /// At least two characters, such as `gripper`; `*` ends a word early.
    query: String,
    /// Only these objects, such as `Case`.
    objects: Option<Vec<String>>,
    /// How many; else 10.
    #[schemars(range(min = 1, max = 50))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

impl Tool for SearchRecords {
    const NAME: &'static str = "salesforce_search_records";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = API;
    type Output = Records;

    async fn call(self, cx: &Call) -> Result<Records> {
        let query = self.query.trim();
        if query.chars().filter(|char| char.is_alphanumeric()).count() < 2 {
            return Err(wrong("`query` needs at least two letters or digits"));
        }
        let skip: u32 = match &self.cursor {
            Some(cursor) => Cursor::unwrap(Self::NAME, cursor)?.parse().map_err(Error::internal)?,
            None => 0,
        };
        let limit = self.limit.unwrap_or(10);
        // One more than is shown tells whether there are more.
        let most = (skip + limit + 1).min(MOST_HITS);
        let body = json!({ "q": query, "in": "ALL", "sobjects": self.places(cx).await?, "overallLimit": most });
        let hits: Hits = cx.fetch(Request::post(path!["parameterizedSearch"]).json(&body).reads()).await?;
        let next = (hits.search_records.len() > (skip + limit) as usize).then(|| (skip + limit).to_string());
        let page = hits.search_records.into_iter().skip(skip as usize).take(limit as usize).collect();
        Ok(Records {
            records: shown(cx, page).await?,
            next_cursor: next.map(|next| Cursor::wrap(Self::NAME, &next)),
            ..Records::default()
        })
    }
}

impl SearchRecords {
    async fn places(&self, cx: &Call) -> Result<Vec<Value>> {
        let Some(objects) = self.objects.as_deref().filter(|objects| !objects.is_empty()) else {
            return Ok(OBJECTS.iter().map(|(name, fields)| json!({ "name": name, "fields": fields })).collect());
        };
        let mut places = Vec::new();
        for object in objects {
            let known = OBJECTS.iter().find(|(name, _)| name.eq_ignore_ascii_case(object.trim()));
            places.push(match known {
                Some((name, fields)) => json!({ "name": name, "fields": fields }),
                // Not every object has a name; its id is enough to read it.
                None => json!({ "name": described(cx, object).await?.name, "fields": ["Id"] }),
            });
        }
        Ok(places)
    }
}

/// Runs a query in SOQL, Salesforce's query language, which only looks. For questions that no other tool answers:
/// filters, dates, counts, groups. `salesforce_describe_object` tells field names.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunSoql {
    /// Such as `SELECT Name, Amount FROM Opportunity WHERE CloseDate = THIS_QUARTER`.
    soql: String,
    /// How many rows; else 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// To go on: from the last answer, with the same query.
    cursor: Option<String>,
}

impl Tool for RunSoql {
    const NAME: &'static str = "salesforce_run_soql";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = API;
    type Output = Records;

    async fn call(self, cx: &Call) -> Result<Records> {
        let soql = self.soql.trim().trim_end_matches(';').trim_end();
        soql::must_only_look(soql)?;
        let found = rows(cx, Self::NAME, soql, self.limit.unwrap_or(50), self.cursor.as_deref()).await?;
        // `SELECT COUNT()` answers with a number alone.
        let is_count = found.records.is_empty() && found.total > 0 && found.next_cursor.is_none();
        let notes = if is_count { vec![format!("Count: {}.", found.total)] } else { Vec::new() };
        Ok(Records {
            records: shown(cx, found.records).await?,
            total: Some(found.total),
            next_cursor: found.next_cursor,
            notes,
        })
    }
}

/// Shows one record in full, of any object, with the labels that people see.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetRecord {
    /// Such as `Contact` or `Invoice__c`.
    object: String,
    /// Such as `003D000000QV9n2IAD`.
    id: String,
    /// Only these, by name or label, such as `CloseDate`.
    fields: Option<Vec<String>>,
}

impl Tool for GetRecord {
    const NAME: &'static str = "salesforce_get_record";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = API;
    const READABLE: &'static [Readable] =
        &[Readable::record("salesforce://record/{object}/{id}", "Record of Salesforce")];
    type Output = Record;

    async fn call(self, cx: &Call) -> Result<Record> {
        let id = self.id.trim();
        if !soql::is_id(id) {
            return Err(Error::new(Kind::Arguments, format!("`{id}` is no id of Salesforce: 15 or 18 letters and digits."))
                .next("`salesforce_search_records` finds records and their ids."));
        }
        let object = described(cx, &self.object).await?;
        let fields = self.fields.as_deref().map(|fields| object.names(fields)).transpose()?;
        let fields = fields.filter(|fields| !fields.is_empty()).map(|fields| format!("Id,{}", fields.join(",")));
        let request = Request::get(path!["sobjects", &object.name, id]).query_opt("fields", fields);
        let raw: Raw = cx.fetch(request).await?;
        Ok(shape::record(&raw, &zone(cx).await?, |name| object.label_of(name)))
    }
}

/// Lists open opportunities (deals), the next to close first; of a customer, owner or stage.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListOpportunities {
    /// Id or name, such as `Contoso Foods`.
    account_id: Option<String>,
    /// Id, e-mail or name; `me` for yours.
    owner_id: Option<String>,
    /// Such as `Prospecting`; closed ones, too.
    stage: Option<String>,
    /// How many; else 20.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

impl Tool for ListOpportunities {
    const NAME: &'static str = "salesforce_list_opportunities";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = API;
    type Output = Records;

    async fn call(self, cx: &Call) -> Result<Records> {
        let (scope, conditions) = self.conditions(cx).await?;
        let query = format!(
            "SELECT Id, Name, AccountId, Account.Name, StageName, Amount, CloseDate, NextStep, Owner.Name \
             FROM Opportunity{scope} WHERE {} ORDER BY CloseDate, Id",
            conditions.into_values().collect::<Vec<_>>().join(" AND ")
        );
        let found = rows(cx, Self::NAME, &query, self.limit.unwrap_or(20), self.cursor.as_deref()).await?;
        let (total, next_cursor) = (Some(found.total), found.next_cursor);
        Ok(Records { records: shown(cx, found.records).await?, total, next_cursor, notes: Vec::new() })
    }
}

impl ListOpportunities {
    /// `USING SCOPE mine`, if wanted, and the conditions by field.
    async fn conditions(&self, cx: &Call) -> Result<(&'static str, BTreeMap<&'static str, String>)> {
        let mut conditions = BTreeMap::new();
        if let Some(wanted) = given(self.account_id.as_deref()) {
            let id = resolve::account(cx, wanted).await?;
            conditions.insert("AccountId", format!("AccountId = {}", quoted(&id)));
        }
        let owner = given(self.owner_id.as_deref());
        let is_mine = owner.is_some_and(|owner| owner.eq_ignore_ascii_case("me"));
        if let Some(wanted) = owner.filter(|_| !is_mine) {
            let id = resolve::owner(cx, wanted).await?;
            conditions.insert("OwnerId", format!("OwnerId = {}", quoted(&id)));
        }
        match given(self.stage.as_deref()) {
            Some(wanted) => {
                let stage = described(cx, "Opportunity").await?.slot("StageName")?;
                let stage = stage.convert(wanted, &crate::moment::Zone::utc())?;
                conditions.insert("Stage", format!("StageName = {}", quoted(stage.as_str().unwrap_or_default())));
            }
            None => drop(conditions.insert("Stage", "IsClosed = false".to_owned())),
        }
        Ok((if is_mine { " USING SCOPE mine" } else { "" }, conditions))
    }
}
