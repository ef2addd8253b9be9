//! What Salesforce answers, as far as it is read here.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A record as it comes: its fields, `attributes` with its type, parents and children inside.
pub(super) type Raw = Map<String, Value>;

/// A page of a query, and of the children inside a record.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Page {
    pub(super) total_size: u64,
    pub(super) done: bool,
    pub(super) next_records_url: Option<String>,
    pub(super) records: Vec<Raw>,
}

impl Page {
    /// The children of a record under this relationship, such as `Contacts`; `null` when there are none.
    pub(super) fn of_children(raw: &mut Raw, relationship: &str) -> Page {
        let children = raw.remove(relationship).filter(Value::is_object);
        children.and_then(|page| serde_json::from_value(page).ok()).unwrap_or_default()
    }
}

/// What a search finds.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Hits {
    pub(super) search_records: Vec<Raw>,
}

/// What comes of making a record.
#[derive(Debug, Deserialize)]
pub(super) struct Created {
    pub(super) id: String,
}

/// A field that is text; empty when it is not there.
pub(super) fn text<'a>(raw: &'a Raw, name: &str) -> &'a str {
    raw.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The text of a parent's field, such as `Account.Name`.
pub(super) fn of_parent<'a>(raw: &'a Raw, parent: &str, name: &str) -> &'a str {
    raw.get(parent).and_then(|parent| parent.get(name)).and_then(Value::as_str).unwrap_or_default()
}

/// What kind of record it is, such as `Contact`.
pub(super) fn kind(raw: &Raw) -> &str {
    of_parent(raw, "attributes", "type")
}
