//! Conditions as Notion's filters, by the types of properties.

use serde_json::{Value, json};

use super::{
    place::{Property, Source, id_in, person_id},
    properties::{flag, number, option, point},
    wrong,
};
use crate::tool::{Call, Condition, Error, Result, Test};

/// The filter of all conditions.
pub(super) async fn filter(cx: &Call, source: &Source, conditions: &[Condition]) -> Result<Option<Value>> {
    let mut all = Vec::new();
    for condition in conditions {
        all.push(On { is: condition.is, property: source.property(&condition.name)? }.filter(cx, condition).await?);
    }
    Ok(match all.len() {
        0 => None,
        1 => all.pop(),
        _ => Some(json!({ "and": all })),
    })
}

/// How a property is compared.
struct On<'a> {
    is: Test,
    property: &'a Property,
}

impl On<'_> {
    async fn filter(&self, cx: &Call, condition: &Condition) -> Result<Value> {
        let property = self.property;
        let (kind, value) = (property.kind.as_str(), condition.wanted(&property.name)?);
        let test = match (self.is, kind) {
            (_, "formula" | "rollup" | "button" | "verification" | "place") => return Err(self.unfit()),
            (Test::Empty, "checkbox") => json!({ "equals": false }),
            (Test::NotEmpty, "checkbox") => json!({ "equals": true }),
            (Test::Empty | Test::NotEmpty, "unique_id" | "created_time" | "last_edited_time") => {
                return Err(self.unfit());
            }
            (Test::Empty, _) => json!({ "is_empty": true }),
            (Test::NotEmpty, _) => json!({ "is_not_empty": true }),
            (_, "title" | "rich_text" | "url" | "email" | "phone_number") => self.about_text(value)?,
            (_, "number") => self.about_number(number(property, value)?)?,
            (_, "unique_id") => self.about_number(unique(property, value)?)?,
            (_, "checkbox") => self.about_flag(value)?,
            (_, "select" | "status") => self.about_option(value)?,
            (_, "multi_select") => self.about_list(json!(option(property, value)?))?,
            (_, "people" | "created_by" | "last_edited_by") => {
                self.about_list(json!(person_id(cx, value).await?))?
            }
            (_, "relation") => {
                let id = id_in(value).ok_or_else(|| wrong(format!("`{}` takes the id of a page", property.name)))?;
                self.about_list(json!(id))?
            }
            (_, "date" | "created_time" | "last_edited_time") => self.about_date(value)?,
            _ => return Err(self.unfit()),
        };
        Ok(json!({ "property": property.name, kind: test }))
    }

    fn about_text(&self, value: &str) -> Result<Value> {
        match self.is {
            Test::Equals => Ok(json!({ "equals": value })),
            Test::NotEquals => Ok(json!({ "does_not_equal": value })),
            Test::Contains => Ok(json!({ "contains": value })),
            _ => Err(self.unfit()),
        }
    }

    fn about_number(&self, value: Value) -> Result<Value> {
        match self.is {
            Test::Equals => Ok(json!({ "equals": value })),
            Test::NotEquals => Ok(json!({ "does_not_equal": value })),
            Test::Greater => Ok(json!({ "greater_than": value })),
            Test::Less => Ok(json!({ "less_than": value })),
            _ => Err(self.unfit()),
        }
    }

    fn about_flag(&self, value: &str) -> Result<Value> {
        let flag = flag(self.property, value)?;
        match self.is {
            Test::Equals => Ok(json!({ "equals": flag })),
            Test::NotEquals => Ok(json!({ "equals": !flag })),
            _ => Err(self.unfit()),
        }
    }

    fn about_option(&self, value: &str) -> Result<Value> {
        let value = option(self.property, value)?;
        match self.is {
            Test::Equals | Test::Contains => Ok(json!({ "equals": value })),
            Test::NotEquals => Ok(json!({ "does_not_equal": value })),
            _ => Err(self.unfit()),
        }
    }

    fn about_list(&self, value: Value) -> Result<Value> {
        match self.is {
            Test::Equals | Test::Contains => Ok(json!({ "contains": value })),
            Test::NotEquals => Ok(json!({ "does_not_contain": value })),
            _ => Err(self.unfit()),
        }
    }

    fn about_date(&self, value: &str) -> Result<Value> {
        let value = point(self.property, value)?;
        match self.is {
            Test::Equals => Ok(json!({ "equals": value })),
            Test::Greater => Ok(json!({ "after": value })),
            Test::Less => Ok(json!({ "before": value })),
            _ => Err(self.unfit()),
        }
    }

    fn unfit(&self) -> Error {
        let property = self.property;
        wrong(format!("`{}` ({}) cannot be compared in this way", property.name, property.kind))
            .next("Texts have `equals` and `contains`, numbers and days `equals`, `greater` and `less`.")
    }
}

/// The number of `T-7`.
fn unique(property: &Property, value: &str) -> Result<Value> {
    number(property, value.rsplit('-').next().unwrap_or_default())
}
