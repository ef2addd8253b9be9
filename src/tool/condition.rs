//! Conditions on the fields of records, for vendors whose fields have names of the account's own.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Error, Result};

/// A condition on a field.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Condition {
    /// Such as `Status`.
    pub name: String,
    /// Such as `equals`; days and numbers compare with `greater` and `less`.
    pub is: Test,
    /// Such as `Won`.
    pub value: Option<String>,
}

// How a field is compared. The field above says what a model must know, so the schema stays short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
#[expect(missing_docs, reason = "the names say it, and models would read it")]
pub enum Test {
    Equals,
    NotEquals,
    Contains,
    Greater,
    Less,
    Empty,
    NotEmpty,
}

impl Condition {
    /// What the field is compared with; empty where the test needs nothing. `name` is what the vendor calls the field.
    pub fn wanted(&self, name: &str) -> Result<&str> {
        let value = self.value.as_deref().map(str::trim).unwrap_or_default();
        if value.is_empty() && !matches!(self.is, Test::Empty | Test::NotEmpty) {
            return Err(Error::arguments([format!("the condition on `{name}` needs a `value`")]));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_test_of_emptiness_needs_no_value() {
        let wanted = |is, value: Option<&str>| {
            let condition = Condition { name: "F".into(), is, value: value.map(str::to_owned) };
            condition.wanted("F").map(str::to_owned).ok()
        };
        assert_eq!(wanted(Test::Equals, Some(" Won ")).as_deref(), Some("Won"));
        assert_eq!(wanted(Test::Empty, None).as_deref(), Some(""));
        assert_eq!((wanted(Test::Less, None), wanted(Test::Contains, Some(" "))), (None, None));
    }
}
