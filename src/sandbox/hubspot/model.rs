//! What the account has set up: kinds of records, their properties, pipelines, and how records belong together.

use serde_json::{Value, json};

/// A kind of record.
#[derive(Debug)]
pub struct Kind {
    /// What requests call it: `contacts`.
    pub name: &'static str,
    /// What people call one.
    pub noun: &'static str,
    /// Its properties.
    pub properties: &'static [Property],
    /// Those that words are looked for in.
    pub words: &'static [&'static str],
    /// Those that a new record must have.
    pub required: &'static [&'static str],
}

/// A property.
#[derive(Debug)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Whether HubSpot alone sets it.
    pub is_calculated: bool,
}

/// What a property holds.
#[derive(Clone, Copy, Debug)]
pub enum Holds {
    /// Text.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// A moment.
    Moment,
    /// One of these: value and label.
    One(&'static [(&'static str, &'static str)]),
    /// Some of these.
    Many(&'static [(&'static str, &'static str)]),
    /// The id of an owner.
    Owner,
    /// The id of a stage of a pipeline of this kind.
    Stage(&'static str),
}

const fn own(name: &'static str, label: &'static str, holds: Holds) -> Property {
    Property { name, label, holds, is_calculated: false }
}

const fn calculated(name: &'static str, label: &'static str, holds: Holds) -> Property {
    Property { name, label, holds, is_calculated: true }
}

const PRIORITIES: &[(&str, &str)] = &[("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High")];
const LIFECYCLE: &[(&str, &str)] =
    &[("lead", "Lead"), ("opportunity", "Opportunity"), ("customer", "Customer"), ("evangelist", "Evangelist")];
const TOPICS: &[(&str, &str)] = &[("picking", "Picking"), ("sorting", "Sorting"), ("vision", "Vision module")];
const OUTCOMES: &[(&str, &str)] = &[
    ("f240bbac-87c9-4f6e-bf70-924b57d47db7", "Connected"),
    ("b2cf5968-551e-4856-9783-52b3da59a7d0", "Left voicemail"),
    ("73a0d17f-1163-4015-bdd5-ec830791da20", "No answer"),
];
const DIRECTIONS: &[(&str, &str)] = &[("INBOUND", "Inbound"), ("OUTBOUND", "Outbound")];
const CALL_STATES: &[(&str, &str)] = &[("COMPLETED", "Completed"), ("NO_ANSWER", "No answer"), ("BUSY", "Busy")];

/// Every kind of record that there is.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "contacts",
        noun: "contact",
        properties: &[
            own("email", "Email", Holds::Text),
            own("firstname", "First Name", Holds::Text),
            own("lastname", "Last Name", Holds::Text),
            own("phone", "Phone Number", Holds::Text),
            own("company", "Company Name", Holds::Text),
            own("jobtitle", "Job Title", Holds::Text),
            own("city", "City", Holds::Text),
            own("lifecyclestage", "Lifecycle Stage", Holds::One(LIFECYCLE)),
            own("topics", "Topics", Holds::Many(TOPICS)),
            own("visits", "Visits", Holds::Number),
            own("newsletter", "Newsletter", Holds::Flag),
            own("hubspot_owner_id", "Contact owner", Holds::Owner),
            calculated("hs_searchable_calculated_phone_number", "Searchable phone number", Holds::Text),
            calculated("createdate", "Create Date", Holds::Moment),
            calculated("lastmodifieddate", "Last Modified Date", Holds::Moment),
            calculated("hs_object_id", "Record ID", Holds::Number),
        ],
        words: &["firstname", "lastname", "email", "phone", "company"],
        required: &[],
    },
    Kind {
        name: "companies",
        noun: "company",
        properties: &[
            own("name", "Company name", Holds::Text),
            own("domain", "Company Domain Name", Holds::Text),
            own("industry", "Industry", Holds::Text),
            own("phone", "Phone Number", Holds::Text),
            own("city", "City", Holds::Text),
            own("country", "Country/Region", Holds::Text),
            own("hubspot_owner_id", "Company owner", Holds::Owner),
            calculated("createdate", "Create Date", Holds::Moment),
            calculated("hs_lastmodifieddate", "Last Modified Date", Holds::Moment),
            calculated("hs_object_id", "Record ID", Holds::Number),
        ],
        words: &["name", "domain", "phone"],
        required: &[],
    },
    Kind {
        name: "deals",
        noun: "deal",
        properties: &[
            own("dealname", "Deal Name", Holds::Text),
            own("amount", "Amount", Holds::Number),
            own("pipeline", "Pipeline", Holds::Text),
            own("dealstage", "Deal Stage", Holds::Stage("deals")),
            own("closedate", "Close Date", Holds::Moment),
            own("hs_next_step", "Next step", Holds::Text),
            own("hs_priority", "Priority", Holds::One(PRIORITIES)),
            own("hubspot_owner_id", "Deal owner", Holds::Owner),
            calculated("hs_is_closed", "Is Deal Closed?", Holds::Flag),
            calculated("createdate", "Create Date", Holds::Moment),
            calculated("hs_lastmodifieddate", "Last Modified Date", Holds::Moment),
            calculated("hs_object_id", "Record ID", Holds::Number),
        ],
        words: &["dealname"],
        required: &["dealname"],
    },
    Kind {
        name: "tickets",
        noun: "ticket",
        properties: &[
            own("subject", "Ticket name", Holds::Text),
            own("content", "Ticket description", Holds::Text),
            own("hs_pipeline", "Pipeline", Holds::Text),
            own("hs_pipeline_stage", "Ticket status", Holds::Stage("tickets")),
            own("hs_ticket_priority", "Priority", Holds::One(PRIORITIES)),
            own("hubspot_owner_id", "Ticket owner", Holds::Owner),
            calculated("createdate", "Create date", Holds::Moment),
            calculated("hs_lastmodifieddate", "Last modified date", Holds::Moment),
            calculated("hs_object_id", "Record ID", Holds::Number),
        ],
        words: &["subject", "content"],
        required: &["subject", "hs_pipeline_stage"],
    },
    Kind {
        name: "calls",
        noun: "call",
        properties: &[
            own("hs_timestamp", "Activity date", Holds::Moment),
            own("hs_call_title", "Call Title", Holds::Text),
            own("hs_call_body", "Call notes", Holds::Text),
            own("hs_call_direction", "Call direction", Holds::One(DIRECTIONS)),
            own("hs_call_status", "Call status", Holds::One(CALL_STATES)),
            own("hs_call_duration", "Call duration", Holds::Number),
            own("hs_call_disposition", "Call outcome", Holds::One(OUTCOMES)),
            own("hubspot_owner_id", "Activity assigned to", Holds::Owner),
            calculated("hs_object_id", "Record ID", Holds::Number),
        ],
        words: &["hs_call_title", "hs_call_body"],
        required: &["hs_timestamp"],
    },
    Kind {
        name: "notes",
        noun: "note",
        properties: &[
            own("hs_timestamp", "Activity date", Holds::Moment),
            own("hs_note_body", "Note body", Holds::Text),
            own("hubspot_owner_id", "Activity assigned to", Holds::Owner),
            calculated("hs_object_id", "Record ID", Holds::Number),
        ],
        words: &["hs_note_body"],
        required: &["hs_timestamp"],
    },
];

/// A pipeline: kind, id, label and stages.
type Pipeline = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

/// The pipelines.
pub const PIPELINES: &[Pipeline] = &[
    (
        "deals",
        "default",
        "Sales pipeline",
        &[
            ("appointmentscheduled", "Appointment scheduled"),
            ("qualifiedtobuy", "Qualified to buy"),
            ("presentationscheduled", "Presentation scheduled"),
            ("decisionmakerboughtin", "Decision maker bought-in"),
            ("contractsent", "Contract sent"),
            ("closedwon", "Closed won"),
            ("closedlost", "Closed lost"),
        ],
    ),
    (
        "deals",
        "7042",
        "Service renewals",
        &[("70421", "Renewal due"), ("70422", "Contract sent"), ("70423", "Renewed")],
    ),
    (
        "tickets",
        "0",
        "Support pipeline",
        &[("1", "New"), ("2", "Waiting on contact"), ("3", "Waiting on us"), ("4", "Closed")],
    ),
];

/// How a new record belongs to another: its kind, the other's kind, and the number of it (HubSpot's own).
pub const LINKS: &[(&str, &str, i64)] = &[
    ("deals", "contacts", 3),
    ("deals", "companies", 5),
    ("tickets", "contacts", 16),
    ("tickets", "companies", 26),
    ("calls", "contacts", 194),
    ("calls", "deals", 206),
    ("notes", "contacts", 202),
    ("notes", "deals", 214),
    ("notes", "tickets", 228),
    ("contacts", "companies", 279),
];

/// A kind by its name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// The pipeline of a stage.
pub fn pipeline_of(kind: &str, stage: &str) -> Option<&'static str> {
    let mut own = PIPELINES.iter().filter(|(of, ..)| *of == kind);
    own.find(|(.., stages)| stages.iter().any(|(id, _)| *id == stage)).map(|(_, id, ..)| *id)
}

impl Kind {
    /// A property by its name.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

impl Property {
    /// As `GET properties` describes it.
    pub fn described(&self) -> Value {
        let (kind, field_type, options) = match self.holds {
            Holds::Text => ("string", "text", &[][..]),
            Holds::Number => ("number", "number", &[][..]),
            Holds::Flag => ("bool", "booleancheckbox", &[][..]),
            Holds::Moment => ("datetime", "date", &[][..]),
            Holds::One(options) => ("enumeration", "select", options),
            Holds::Many(options) => ("enumeration", "checkbox", options),
            Holds::Owner | Holds::Stage(_) => ("enumeration", "select", &[][..]),
        };
        let option = |(value, label): &(&str, &str)| json!({ "value": value, "label": label, "hidden": false });
        json!({
            "name": self.name, "label": self.label, "type": kind, "fieldType": field_type, "description": "",
            "groupName": "information", "options": options.iter().map(option).collect::<Vec<_>>(),
            "calculated": self.is_calculated, "hidden": false,
            "modificationMetadata": {
                "archivable": false, "readOnlyDefinition": true, "readOnlyValue": self.is_calculated,
            },
        })
    }
}
