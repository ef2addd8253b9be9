//! What Airtable sends and takes, as far as we use it. Nothing here leaves the integration.
//!
//! Fields after the reference at <https://airtable.com/developers/web/api/introduction>.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whose token it is.
#[derive(Debug, Deserialize)]
pub(super) struct WhoAmI {
    pub(super) id: String,
    pub(super) email: Option<String>,
}

/// A page of bases.
#[derive(Debug, Deserialize)]
pub(super) struct Bases {
    pub(super) bases: Vec<Base>,
    pub(super) offset: Option<String>,
}

/// A base.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Base {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) permission_level: String,
}

/// The tables of a base.
#[derive(Debug, Deserialize)]
pub(super) struct Tables {
    pub(super) tables: Vec<Table>,
}

/// A table with its fields and views.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) primary_field_id: String,
    pub(super) fields: Vec<Field>,
    #[serde(default)]
    pub(super) views: Vec<View>,
}

impl Table {
    /// The field by which people know a record.
    pub(super) fn primary(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == self.primary_field_id).or(self.fields.first())
    }
}

/// A field.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Field {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) options: Options,
}

/// What the types of fields say about themselves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Options {
    pub(super) choices: Vec<Choice>,
    pub(super) linked_table_id: Option<String>,
    /// The currency's sign.
    pub(super) symbol: Option<String>,
    /// An IANA zone, `utc`, or `client` for the zone of whoever looks.
    pub(super) time_zone: Option<String>,
    /// What a formula, a rollup or a look-up results in.
    pub(super) result: Option<Box<Outcome>>,
}

/// The type of a computed value.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Outcome {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) options: Options,
}

/// One of the values of a select field.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Choice {
    pub(super) name: String,
}

/// A view.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct View {
    pub(super) id: String,
    pub(super) name: String,
}

/// A page of records.
#[derive(Debug, Deserialize)]
pub(super) struct Records {
    pub(super) records: Vec<Record>,
    pub(super) offset: Option<String>,
}

/// A record; fields without a value are left out.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    #[serde(default)]
    pub(super) fields: Map<String, Value>,
}

/// What became of an upsert.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Upserted {
    pub(super) records: Vec<Record>,
    #[serde(default)]
    pub(super) created_records: Vec<String>,
}

/// What to list.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fields: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter_by_formula: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) sort: Vec<Sort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) view: Option<String>,
    pub(super) page_size: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<String>,
}

/// One order within another.
#[derive(Debug, Serialize)]
pub(super) struct Sort {
    pub(super) field: String,
    pub(super) direction: &'static str,
}

/// A comment that was made.
#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    pub(super) id: String,
    pub(super) text: String,
}

/// A refusal in any of the three shapes in which Airtable says no.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    pub(super) error: Option<Said>,
    pub(super) errors: Vec<Listed>,
}

/// A refusal's type, with or without words.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Said {
    Word(String),
    Words {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        message: String,
    },
}

/// A refusal in a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Listed {
    pub(super) error: String,
    pub(super) message: String,
}
