//! What HubSpot accepts: parameters, bodies and scopes.

use crate::sandbox::shape::{Field, Kind};

const fn text(name: &'static str) -> Field {
    Field::optional(name, Kind::Text)
}

const TEXTS: Kind = Kind::List(&Kind::Text);

pub const READ_CONTACTS: &[&str] = &["crm.objects.contacts.read"];
pub const WRITE_CONTACTS: &[&str] = &["crm.objects.contacts.write"];
pub const READ_COMPANIES: &[&str] = &["crm.objects.companies.read"];
pub const READ_DEALS: &[&str] = &["crm.objects.deals.read"];
pub const WRITE_DEALS: &[&str] = &["crm.objects.deals.write"];
pub const TICKETS: &[&str] = &["tickets"];
pub const OWNERS: &[&str] = &["crm.objects.owners.read"];

/// Any of these opens the settings.
pub const SETTINGS: &[&str] = &[
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "tickets",
];

/// One record.
pub const READ: &[Field] = &[
    Field::optional("archived", Kind::Boolean),
    Field::optional("associations", TEXTS),
    text("idProperty"),
    Field::optional("properties", TEXTS),
    Field::optional("propertiesWithHistory", TEXTS),
];

/// A change of one record.
pub const BY: &[Field] = &[text("idProperty")];

/// The list of owners.
pub const OWNER_LIST: &[Field] = &[
    text("after"),
    Field::optional("archived", Kind::Boolean),
    text("email"),
    Field::optional("limit", Kind::Integer(1, 500)),
];

/// The list of properties.
pub const PROPERTY_LIST: &[Field] =
    &[Field::optional("archived", Kind::Boolean), text("dataSensitivity"), text("locale"), text("properties")];

const PROPERTIES: Field = Field::required("properties", Kind::Map(&Kind::Text));

const TYPE: Kind = Kind::Object(&[
    Field::required(
        "associationCategory",
        Kind::Choice(&["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"]),
    ),
    Field::required("associationTypeId", Kind::Integer(1, i32::MAX as i64)),
]);

const LINK: Kind = Kind::Object(&[
    Field::required("to", Kind::Object(&[Field::required("id", Kind::Text)])),
    Field::required("types", Kind::List(&TYPE)),
]);

/// A new record.
pub const CREATE: &[Field] = &[PROPERTIES, Field::optional("associations", Kind::List(&LINK))];

/// A changed record.
pub const UPDATE: &[Field] = &[PROPERTIES];

/// Records by a property that only one has.
pub const UPSERT: &[Field] = &[Field::required(
    "inputs",
    Kind::List(&Kind::Object(&[Field::required("id", Kind::Text), text("idProperty"), PROPERTIES])),
)];

const FILTER: Kind = Kind::Object(&[
    Field::required("propertyName", Kind::Text),
    Field::required(
        "operator",
        Kind::Choice(&[
            "BETWEEN",
            "CONTAINS_TOKEN",
            "EQ",
            "GT",
            "GTE",
            "HAS_PROPERTY",
            "IN",
            "LT",
            "LTE",
            "NEQ",
            "NOT_CONTAINS_TOKEN",
            "NOT_HAS_PROPERTY",
            "NOT_IN",
        ]),
    ),
    text("value"),
    text("highValue"),
    Field::optional("values", TEXTS),
]);

/// A search.
pub const SEARCH: &[Field] = &[
    Field::optional("filterGroups", Kind::List(&Kind::Object(&[Field::required("filters", Kind::List(&FILTER))]))),
    Field::optional("sorts", TEXTS),
    text("query"),
    Field::optional("properties", TEXTS),
    Field::optional("limit", Kind::Integer(1, 200)),
    text("after"),
];
