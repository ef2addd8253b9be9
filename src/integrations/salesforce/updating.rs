//! Changing opportunities and cases.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    API,
    creating::{Fields, custom},
    describe::For,
    given, resolve,
    shape::shown,
    soql::{self, quoted},
    wire::Raw,
    wrong,
};
use crate::{
    http::{Repeat, Request},
    moment::Moment,
    path,
    tool::{Call, Effect, Error, Pair, Result, Saved, Saving, Scopes, Tool},
};

/// Changes an opportunity (a deal): stage, amount, close date, next step. Only what is given changes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateOpportunity {
    /// Id or name, such as `Contoso: six cells`.
    opportunity_id: String,
    /// Such as `Closed Won`.
    stage: Option<String>,
    /// Such as `480000`, in its currency.
    amount: Option<f64>,
    /// Such as `2026-12-18`.
    close_date: Option<Moment>,
    /// Such as `Send the offer`.
    next_step: Option<String>,
    /// Replaces the text.
    description: Option<String>,
    /// Other fields, such as `Type`.
    custom: Option<Vec<Pair>>,
}

impl Tool for UpdateOpportunity {
    const NAME: &'static str = "salesforce_update_opportunity";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = API;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let close_date = match &self.close_date {
            Some(moment) => {
                let day = moment.day().ok_or_else(|| wrong("`close_date` is a day, such as 2026-12-18"))?;
                Some(day.to_string())
            }
            None => None,
        };
        let fields = Fields::new()
            .value("Amount", self.amount)
            .text("CloseDate", close_date.as_deref())
            .text("NextStep", self.next_step.as_deref())
            .text("Description", self.description.as_deref())
            .chosen(cx, "Opportunity", "StageName", self.stage.as_deref())
            .await?;
        let fields = fields.and(custom(cx, "Opportunity", self.custom.as_deref(), For::Updating).await?)?;
        let id = resolve::opportunity(cx, self.opportunity_id.trim()).await?;
        alter(cx, "Opportunity", "Name, Account.Name, StageName, Amount, CloseDate, NextStep", &id, fields, false).await
    }
}

/// Changes the status or priority of a support case, or adds an internal comment to it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateCase {
    /// Its id, or its number such as `00001026`.
    case_id: String,
    /// Such as `Working` or `Closed`.
    status: Option<String>,
    /// Such as `High`.
    priority: Option<String>,
    /// A comment that only colleagues see.
    comments: Option<String>,
}

impl Tool for UpdateCase {
    const NAME: &'static str = "salesforce_update_case";
    const EFFECT: Effect = Effect::Changes;
    // Each comment stands by itself.
    const IDEMPOTENT: bool = false;
    const SCOPES: Scopes = API;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let comment = given(self.comments.as_deref());
        let fields = Fields::new()
            .chosen(cx, "Case", "Status", self.status.as_deref())
            .await?
            .chosen(cx, "Case", "Priority", self.priority.as_deref())
            .await?
            .text("Comments", comment);
        let id = resolve::case(cx, self.case_id.trim()).await?;
        let fields_shown = "CaseNumber, Subject, Account.Name, Status, Priority";
        let saved = alter(cx, "Case", fields_shown, &id, fields, comment.is_some()).await?;
        Ok(if comment.is_some() { saved.note("The comment was added; customers do not see it.") } else { saved })
    }
}

/// Reads a record, sends what is different, and answers with the record as it is then.
///
/// Setting the same values again changes nothing more, so a lost answer is made good by sending once more; but not
/// when the change adds something each time.
async fn alter(
    cx: &Call,
    object: &'static str,
    shown_fields: &str,
    id: &str,
    fields: Fields,
    adds: bool,
) -> Result<Saved> {
    if fields.0.is_empty() {
        return Err(wrong("nothing is given that would change the record"));
    }
    let names = fields.0.keys().filter(|name| *name != "Comments" && !shown_fields.split(", ").any(|shown| shown == *name));
    let names = names.fold(format!("Id, {shown_fields}"), |names, name| format!("{names}, {name}"));
    let query = format!("SELECT {names} FROM {object} WHERE Id = {} LIMIT 1", quoted(id));
    let mut raw = soql::first(cx, &query).await?.ok_or_else(|| {
        Error::not_found(format!("{} `{id}` that the account may see", object.to_lowercase()))
            .next("`salesforce_search_records` finds records and their ids.")
    })?;
    let different: Raw = fields.0.into_iter().filter(|(name, value)| !is_same(raw.get(name), value)).collect();
    let done = if different.is_empty() { Saving::Unchanged } else { Saving::Updated };
    if done == Saving::Updated {
        let mut request = Request::patch(path!["sobjects", object, id]).json(&different);
        request.repeat = if adds { Repeat::Once } else { Repeat::Keyed };
        cx.send(request).await?;
    }
    raw.extend(different);
    raw.remove("Comments");
    Ok(Saved::new(done, shown(cx, vec![raw]).await?.remove(0)))
}

/// Whether a field holds the value already; numbers are compared as numbers.
fn is_same(there: Option<&Value>, wanted: &Value) -> bool {
    match (there, wanted) {
        (Some(Value::Number(there)), Value::Number(wanted)) => there.as_f64() == wanted.as_f64(),
        (Some(there), wanted) => there == wanted,
        (None, wanted) => wanted.is_null(),
    }
}
