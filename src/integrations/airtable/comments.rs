//! Comments on records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    place::{Place, record_is_missing},
    wire::Comment,
    wrong,
};
use crate::{
    http::Request,
    tool::{Answer, Call, Effect, Result, Scopes, Tool, Written},
};

/// Writes a comment on a record; whoever watches it is told.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddComment {
    /// The base's name or id, such as `Sales`.
    base: String,
    /// The table's name or id, such as `Deals`.
    table: String,
    /// The `id` of a record, such as `recA1b2C3d4E5f6G7`.
    record_id: String,
    /// Such as `Called them today`.
    text: String,
}

/// A comment that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Commented {
    /// Its id.
    id: String,
    /// On which record.
    record_id: String,
    /// What it says.
    text: Written,
}

impl Answer for Commented {
    fn text(&self) -> String {
        format!("Commented on {}: {} [{}]", self.record_id, self.text, self.id)
    }
}

impl Tool for AddComment {
    const NAME: &'static str = "airtable_add_comment";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = Scopes(&["data.recordComments:write"]);
    type Output = Commented;

    async fn call(self, cx: &Call) -> Result<Commented> {
        if self.text.trim().is_empty() {
            return Err(wrong("`text` must not be empty"));
        }
        let place = Place::find(cx, &self.base, &self.table).await?;
        let path = place.record_path(&self.record_id)?.and("comments");
        let request = Request::post(path).json(&json!({ "text": self.text }));
        let made: Comment = cx.fetch(request).await.map_err(|error| record_is_missing(error, &place, &self.record_id))?;
        Ok(Commented { id: made.id, record_id: self.record_id.trim().to_owned(), text: Written::by_account(made.text).line(200) })
    }
}
