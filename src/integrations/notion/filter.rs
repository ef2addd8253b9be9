//! Conditions as Notion's filters, by the types of properties.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    place::{Property, Source, id_in, person_id},
    properties::{flag, number, option, point},
    wrong,
};
use crate::tool::{Call, Error, Result};

/// A condition on a property.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct Condition {
    /// Such as `Status`.
    name: String,
    /// Such as `equals`; days and numbers compare with `greater` and `less`.
    is: Test,
    /// Such as `In progress`.
    value: Option<String>,
}

// How a property is compared.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Test {
    Equals,
    NotEquals,
    Contains,
    Greater,
    Less,
    Empty,
    NotEmpty,
}

/// The filter of all conditions.
pub(super) async fn filter(cx: &Call, source: &Source, conditions: &[Condition]) -> Result<Option<Value>> {
    let mut all = Vec::new();
    for condition in conditions {
        all.push(condition.filter(cx, source.property(&condition.name)?).await?);
    }
    Ok(match all.len() {
        0 => None,
        1 => all.pop(),
        _ => Some(json!({ "and": all })),
    })
}

impl Condition {
    async fn filter(&self, cx: &Call, property: &Property) -> Result<Value> {
        let kind = property.kind.as_str();
        let value = self.value.as_deref().map(str::trim).unwrap_or_default();
        let needs_value = !matches!(self.is, Test::Empty | Test::NotEmpty);
        if needs_value && value.is_empty() {
            return Err(wrong(format!("the condition on `{}` needs a `value`", property.name)));
        }
        let test = match (self.is, kind) {
            (_, "formula" | "rollup" | "button" | "verification" | "place") => return Err(Self::unfit(property)),
            (Test::Empty, "checkbox") => json!({ "equals": false }),
            (Test::NotEmpty, "checkbox") => json!({ "equals": true }),
            (Test::Empty | Test::NotEmpty, "unique_id" | "created_time" | "last_edited_time") => {
                return Err(Self::unfit(property));
            }
            (Test::Empty, _) => json!({ "is_empty": true }),
            (Test::NotEmpty, _) => json!({ "is_not_empty": true }),
            (_, "title" | "rich_text" | "url" | "email" | "phone_number") => self.about_text(property, value)?,
            (_, "number") => self.about_number(property, number(property, value)?)?,
            (_, "unique_id") => self.about_number(property, unique(property, value)?)?,
            (_, "checkbox") => self.about_flag(property, value)?,
            (_, "select" | "status") => self.about_option(property, value)?,
            (_, "multi_select") => self.about_list(property, json!(option(property, value)?))?,
            (_, "people" | "created_by" | "last_edited_by") => {
                self.about_list(property, json!(person_id(cx, value).await?))?
            }
            (_, "relation") => {
                let id = id_in(value).ok_or_else(|| wrong(format!("`{}` takes the id of a page", property.name)))?;
                self.about_list(property, json!(id))?
            }
            (_, "date" | "created_time" | "last_edited_time") => self.about_date(property, value)?,
            _ => return Err(Self::unfit(property)),
        };
        Ok(json!({ "property": property.name, kind: test }))
    }

    fn about_text(&self, property: &Property, value: &str) -> Result<Value> {
        match self.is {
            Test::Equals => Ok(json!({ "equals": value })),
            Test::NotEquals => Ok(json!({ "does_not_equal": value })),
            Test::Contains => Ok(json!({ "contains": value })),
            _ => Err(Self::unfit(property)),
        }
    }

    fn about_number(&self, property: &Property, value: Value) -> Result<Value> {
        match self.is {
            Test::Equals => Ok(json!({ "equals": value })),
            Test::NotEquals => Ok(json!({ "does_not_equal": value })),
            Test::Greater => Ok(json!({ "greater_than": value })),
            Test::Less => Ok(json!({ "less_than": value })),
            _ => Err(Self::unfit(property)),
        }
    }

    fn about_flag(&self, property: &Property, value: &str) -> Result<Value> {
        let flag = flag(property, value)?;
        match self.is {
            Test::Equals => Ok(json!({ "equals": flag })),
            Test::NotEquals => Ok(json!({ "equals": !flag })),
            _ => Err(Self::unfit(property)),
        }
    }

    fn about_option(&self, property: &Property, value: &str) -> Result<Value> {
        let value = option(property, value)?;
        match self.is {
            Test::Equals | Test::Contains => Ok(json!({ "equals": value })),
            Test::NotEquals => Ok(json!({ "does_not_equal": value })),
            _ => Err(Self::unfit(property)),
        }
    }

    fn about_list(&self, property: &Property, value: Value) -> Result<Value> {
        match self.is {
            Test::Equals | Test::Contains => Ok(json!({ "contains": value })),
            Test::NotEquals => Ok(json!({ "does_not_contain": value })),
            _ => Err(Self::unfit(property)),
        }
    }

    fn about_date(&self, property: &Property, value: &str) -> Result<Value> {
        let value = point(property, value)?;
        match self.is {
            Test::Equals => Ok(json!({ "equals": value })),
            Test::Greater => Ok(json!({ "after": value })),
            Test::Less => Ok(json!({ "before": value })),
            _ => Err(Self::unfit(property)),
        }
    }

    fn unfit(property: &Property) -> Error {
        wrong(format!("`{}` ({}) cannot be compared in this way", property.name, property.kind))
            .next("Texts have `equals` and `contains`, numbers and days `equals`, `greater` and `less`.")
    }
}

/// The number of `T-7`.
fn unique(property: &Property, value: &str) -> Result<Value> {
    number(property, value.rsplit('-').next().unwrap_or_default())
}
