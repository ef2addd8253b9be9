//! What Airtable's Web API accepts: parameters, fields and scopes, after its reference.

use crate::sandbox::shape::{Field, Kind};

const fn text(name: &'static str) -> Field {
    Field::optional(name, Kind::Text)
}

const fn flag(name: &'static str) -> Field {
    Field::optional(name, Kind::Boolean)
}

/// What opens records for reading.
pub const READ: &[&str] = &["data.records:read"];

/// What opens records for writing.
pub const WRITE: &[&str] = &["data.records:write"];

/// What opens the structure of bases.
pub const SCHEMA: &[&str] = &["schema.bases:read"];

/// How a list goes on.
pub const OFFSET: &[Field] = &[text("offset")];

/// How long a page is.
pub const PAGED: &[Field] = &[Field::optional("pageSize", Kind::Integer(1, 100))];

/// `getBaseSchema`.
pub const INCLUDE: &[Field] = &[Field::optional("include", Kind::List(&Kind::Choice(&["visibleFieldIds"])))];

const FORMAT: Kind = Kind::Choice(&["json", "string"]);

/// `getRecord`.
pub const SHOW: &[Field] =
    &[flag("returnFieldsByFieldId"), Field::optional("cellFormat", FORMAT), text("timeZone"), text("userLocale")];

const SORT: &[Field] =
    &[Field::required("field", Kind::Text), Field::optional("direction", Kind::Choice(&["asc", "desc"]))];

/// `listRecords`, as a body.
pub const LIST: &[Field] = &[
    text("timeZone"),
    text("userLocale"),
    Field::optional("pageSize", Kind::Integer(1, 100)),
    Field::optional("maxRecords", Kind::Integer(1, i32::MAX as i64)),
    text("offset"),
    text("view"),
    Field::optional("sort", Kind::List(&Kind::Object(SORT))),
    text("filterByFormula"),
    Field::optional("cellFormat", FORMAT),
    Field::optional("fields", Kind::List(&Kind::Text)),
    flag("returnFieldsByFieldId"),
    Field::optional("recordMetadata", Kind::List(&Kind::Choice(&["commentCount"]))),
];

const CELLS: Kind = Kind::Map(&Kind::Anything);

const NEW: Kind = Kind::Object(&[Field::required("fields", CELLS)]);

const ALTERED: Kind = Kind::Object(&[text("id"), Field::required("fields", CELLS)]);

const UPSERT: Kind = Kind::Object(&[Field::required("fieldsToMergeOn", Kind::List(&Kind::Text))]);

/// `createRecords`: one record as `fields`, or up to ten as `records`.
pub const CREATE: &[Field] = &[
    Field::optional("fields", CELLS),
    Field::optional("records", Kind::List(&NEW)),
    flag("typecast"),
    flag("returnFieldsByFieldId"),
];

/// `updateRecord`.
pub const UPDATE: &[Field] = &[Field::required("fields", CELLS), flag("typecast"), flag("returnFieldsByFieldId")];

/// `updateMultiple`.
pub const UPDATE_MANY: &[Field] = &[
    Field::required("records", Kind::List(&ALTERED)),
    flag("typecast"),
    flag("returnFieldsByFieldId"),
    Field::optional("performUpsert", UPSERT),
];

/// `createComment`.
pub const COMMENT: &[Field] = &[Field::required("text", Kind::Text), text("parentCommentId")];
