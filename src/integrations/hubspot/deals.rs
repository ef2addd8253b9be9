//! Deals: new ones, changed ones, and lists of them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    READ_DEALS, WRITE_DEALS,
    catalog::{self, Properties, properties},
    given,
    records::{DEAL, Filter, Link, Wish, filters},
    wrong,
};
use crate::{
    moment::Moment,
    tool::{Call, Effect, Pair, Records, Result, Saved, Scopes, Tool},
};

/// From a deal to a contact, and to its company.
const TO_CONTACT: u32 = 3;
const TO_COMPANY: u32 = 5;

/// Makes a deal (a sale under way). Calling twice makes two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateDeal {
    /// Such as `Contoso: six cells`.
    name: String,
    /// Such as `480000`.
    amount: Option<f64>,
    /// Such as `Contract sent`; else the first.
    stage: Option<String>,
    /// Such as `Sales pipeline`, where there are several.
    pipeline: Option<String>,
    /// Such as `2026-12-18`.
    close_date: Option<Moment>,
    /// Such as `151`.
    contact_id: Option<String>,
    /// Such as `151`.
    company_id: Option<String>,
}

impl Tool for CreateDeal {
    const NAME: &'static str = "hubspot_create_deal";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = WRITE_DEALS;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let name = given(Some(&self.name)).ok_or_else(|| wrong("`name` must not be empty"))?;
        let place = catalog::place(cx, "deals", self.pipeline.as_deref(), self.stage.as_deref()).await?;
        let mut fields = Properties::from([
            ("dealname".into(), name.into()),
            ("pipeline".into(), place.pipeline),
            ("dealstage".into(), place.stage),
        ]);
        put(&mut fields, self.amount, self.close_date.as_ref())?;
        let ids = [(&self.contact_id, TO_CONTACT), (&self.company_id, TO_COMPANY)];
        let links = ids.into_iter().filter_map(|(id, kind)| Some(Link { id: given(id.as_deref())?.to_owned(), kind }));
        DEAL.create(cx, fields, &links.collect::<Vec<_>>()).await
    }
}

/// Changes a deal: stage, amount, close date, any property. Only what is given changes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateDeal {
    /// Such as `151`.
    deal_id: String,
    /// Such as `Closed won`.
    stage: Option<String>,
    /// Such as `480000`.
    amount: Option<f64>,
    /// Such as `2026-12-18`.
    close_date: Option<Moment>,
    /// Others, such as `Next step`.
    properties: Option<Vec<Pair>>,
}

impl Tool for UpdateDeal {
    const NAME: &'static str = "hubspot_update_deal";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = WRITE_DEALS;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let id = given(Some(&self.deal_id)).ok_or_else(|| wrong("`deal_id` must not be empty"))?;
        let mut fields = properties(cx, DEAL.object, DEAL.noun, self.properties.as_deref()).await?;
        put(&mut fields, self.amount, self.close_date.as_ref())?;
        if let Some(stage) = given(self.stage.as_deref()) {
            let place = catalog::place(cx, "deals", None, Some(stage)).await?;
            fields.extend([("pipeline".to_owned(), place.pipeline), ("dealstage".to_owned(), place.stage)]);
        }
        DEAL.update(cx, id, None, fields).await
    }
}

/// Finds deals by words in their name or by properties, the next to close first.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchDeals {
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

impl Tool for SearchDeals {
    const NAME: &'static str = "hubspot_search_deals";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ_DEALS;
    type Output = Records;

    async fn call(self, cx: &Call) -> Result<Records> {
        let wish = Wish {
            words: given(self.query.as_deref()),
            filters: filters(cx, &DEAL, self.filters.as_deref()).await?,
            sorts: vec!["closedate"],
            limit: self.limit.unwrap_or(10),
            ..Wish::default()
        };
        DEAL.page(cx, Self::NAME, wish, self.cursor.as_deref()).await
    }
}

/// Amount and close date, as HubSpot writes them. A day is its noon in UTC, which is the same day almost everywhere.
fn put(fields: &mut Properties, amount: Option<f64>, close_date: Option<&Moment>) -> Result<()> {
    if let Some(amount) = amount {
        fields.insert("amount".into(), amount.to_string());
    }
    if let Some(moment) = close_date {
        let day = moment.day().ok_or_else(|| wrong("`close_date` is a day, such as 2026-12-18"))?;
        fields.insert("closedate".into(), format!("{day}T12:00:00Z"));
    }
    Ok(())
}
