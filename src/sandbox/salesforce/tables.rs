//! What Salesforce accepts beside the fields of records: parameters, the body of a search, scopes.

use crate::sandbox::shape::{Field, Kind};

/// Either opens the data API.
pub const SCOPES: &[&str] = &["api", "full"];

/// `query`.
pub const QUERY: &[Field] = &[Field::required("q", Kind::Text)];

/// One record.
pub const RECORD: &[Field] = &[Field::optional("fields", Kind::Text)];

const TEXTS: Kind = Kind::List(&Kind::Text);

const PLACE: Kind = Kind::Object(&[
    Field::required("name", Kind::Text),
    Field::optional("fields", TEXTS),
    Field::optional("limit", Kind::Integer(1, 2000)),
    Field::optional("where", Kind::Text),
    Field::optional("orderBy", Kind::Text),
]);

/// The body of a search.
pub const SEARCH: &[Field] = &[
    Field::required("q", Kind::Text),
    Field::optional("in", Kind::Choice(&["ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR"])),
    Field::optional("fields", TEXTS),
    Field::optional("sobjects", Kind::List(&PLACE)),
    Field::optional("overallLimit", Kind::Integer(1, 2000)),
    Field::optional("defaultLimit", Kind::Integer(1, 2000)),
    Field::optional("offset", Kind::Integer(0, 2000)),
    Field::optional("spellCorrection", Kind::Boolean),
];
