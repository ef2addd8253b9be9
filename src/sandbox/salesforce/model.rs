//! The objects of the organisation and their fields: the standard ones as far as tools use them, and a few of its own.

/// An object, such as Contact.
#[derive(Debug)]
pub struct ObjectDef {
    /// Its API name.
    pub name: &'static str,
    /// What people call one.
    pub label: &'static str,
    /// What people call several.
    pub plural: &'static str,
    /// What its ids begin with.
    pub prefix: &'static str,
    /// Its fields.
    pub fields: &'static [FieldDef],
    /// Its lists of other records: relationship, object, and the field there that points here.
    pub children: &'static [(&'static str, &'static str, &'static str)],
}

/// A field of an object.
#[derive(Debug)]
pub struct FieldDef {
    /// Its API name.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Who sets it.
    pub access: Access,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The record's own id.
    Id,
    /// Text of so many characters at most.
    Text(usize),
    /// Text of several lines.
    Long(usize),
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// A date.
    Day,
    /// A moment.
    Moment,
    /// One of these, or anything else as well.
    Pick(&'static [&'static str]),
    /// One of these and nothing else.
    Only(&'static [&'static str]),
    /// Some of these, with `;` between them.
    Several(&'static [&'static str]),
    /// The id of a record of one of these objects; the relationship is the name without `Id`.
    Ref(&'static [&'static str]),
}

/// Who sets a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Callers, and it must be there.
    Required,
    /// Callers.
    Open,
    /// Callers, and without them Salesforce.
    Defaulted,
    /// Salesforce alone.
    System,
}

use Access::{Defaulted, Open, Required, System};
use Kind::{Day, Email, Flag, Id, Long, Moment, Number, Only, Phone, Pick, Ref, Several, Text, Whole};

const fn field(name: &'static str, label: &'static str, kind: Kind, access: Access) -> FieldDef {
    FieldDef { name, label, kind, access }
}

/// How far an opportunity may have come; the last two close it.
pub const STAGES: &[&str] = &[
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
];

const SOURCES: &[&str] = &["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Trade Show", "Other"];
const INDUSTRIES: &[&str] =
    &["Consumer Goods", "Food & Beverage", "Healthcare", "Manufacturing", "Retail", "Technology", "Transportation"];
const PRIORITIES: &[&str] = &["High", "Normal", "Low"];
const INTERESTS: &[&str] = &["Picking", "Sorting", "Vision", "Service"];

/// Every object that there is.
pub const OBJECTS: &[ObjectDef] = &[
    ObjectDef {
        name: "Account",
        label: "Account",
        plural: "Accounts",
        prefix: "001",
        fields: &[
            field("Id", "Account ID", Id, System),
            field("Name", "Account Name", Text(255), Required),
            field("Type", "Account Type", Pick(&["Prospect", "Customer", "Partner"]), Open),
            field("Industry", "Industry", Pick(INDUSTRIES), Open),
            field("Phone", "Account Phone", Phone, Open),
            field("Website", "Website", Text(255), Open),
            field("BillingCity", "Billing City", Text(40), Open),
            field("BillingCountry", "Billing Country", Text(80), Open),
            field("Description", "Account Description", Long(32_000), Open),
            field("AnnualRevenue", "Annual Revenue", Number, Open),
            field("Region__c", "Sales Region", Only(&["North", "South", "West"]), Open),
            field("OwnerId", "Owner ID", Ref(&["User"]), Defaulted),
            field("CreatedDate", "Created Date", Moment, System),
            field("LastModifiedDate", "Last Modified Date", Moment, System),
        ],
        children: &[
            ("Contacts", "Contact", "AccountId"),
            ("Opportunities", "Opportunity", "AccountId"),
            ("Cases", "Case", "AccountId"),
        ],
    },
    ObjectDef {
        name: "Contact",
        label: "Contact",
        plural: "Contacts",
        prefix: "003",
        fields: &[
            field("Id", "Contact ID", Id, System),
            field("LastName", "Last Name", Text(80), Required),
            field("FirstName", "First Name", Text(40), Open),
            field("Name", "Full Name", Text(121), System),
            field("AccountId", "Account ID", Ref(&["Account"]), Open),
            field("Title", "Title", Text(128), Open),
            field("Email", "Email", Email, Open),
            field("Phone", "Business Phone", Phone, Open),
            field("MobilePhone", "Mobile Phone", Phone, Open),
            field("Department", "Department", Text(80), Open),
            field("Description", "Contact Description", Long(32_000), Open),
            field("LeadSource", "Lead Source", Pick(SOURCES), Open),
            field("DoNotCall", "Do Not Call", Flag, Defaulted),
            field("LastActivityDate", "Last Activity", Day, System),
            field("OwnerId", "Owner ID", Ref(&["User"]), Defaulted),
            field("CreatedDate", "Created Date", Moment, System),
            field("LastModifiedDate", "Last Modified Date", Moment, System),
        ],
        children: &[("Cases", "Case", "ContactId"), ("Tasks", "Task", "WhoId")],
    },
    ObjectDef {
        name: "Lead",
        label: "Lead",
        plural: "Leads",
        prefix: "00Q",
        fields: &[
            field("Id", "Lead ID", Id, System),
            field("LastName", "Last Name", Text(80), Required),
            field("FirstName", "First Name", Text(40), Open),
            field("Name", "Full Name", Text(121), System),
            field("Company", "Company", Text(255), Required),
            field("Title", "Title", Text(128), Open),
            field("Email", "Email", Email, Open),
            field("Phone", "Phone", Phone, Open),
            field("LeadSource", "Lead Source", Pick(SOURCES), Open),
            field(
                "Status",
                "Lead Status",
                Pick(&["Open - Not Contacted", "Working - Contacted", "Closed - Converted"]),
                Defaulted,
            ),
            field("Industry", "Industry", Pick(INDUSTRIES), Open),
            field("Description", "Description", Long(32_000), Open),
            field("NumberOfEmployees", "Employees", Whole, Open),
            field("IsConverted", "Converted", Flag, System),
            field("Interests__c", "Interests", Several(INTERESTS), Open),
            field("Demo_At__c", "Demo at", Moment, Open),
            field("OwnerId", "Owner ID", Ref(&["User"]), Defaulted),
            field("CreatedDate", "Created Date", Moment, System),
            field("LastModifiedDate", "Last Modified Date", Moment, System),
        ],
        children: &[("Tasks", "Task", "WhoId")],
    },
    ObjectDef {
        name: "Opportunity",
        label: "Opportunity",
        plural: "Opportunities",
        prefix: "006",
        fields: &[
            field("Id", "Opportunity ID", Id, System),
            field("Name", "Name", Text(120), Required),
            field("AccountId", "Account ID", Ref(&["Account"]), Open),
            field("StageName", "Stage", Only(STAGES), Required),
            field("Amount", "Amount", Number, Open),
            field("CloseDate", "Close Date", Day, Required),
            field("NextStep", "Next Step", Text(255), Open),
            field("Description", "Description", Long(32_000), Open),
            field("Type", "Opportunity Type", Pick(&["New Customer", "Existing Customer - Upgrade"]), Open),
            field("LeadSource", "Lead Source", Pick(SOURCES), Open),
            field("Probability", "Probability (%)", Number, Defaulted),
            field("IsClosed", "Closed", Flag, System),
            field("IsWon", "Won", Flag, System),
            field("OwnerId", "Owner ID", Ref(&["User"]), Defaulted),
            field("CreatedDate", "Created Date", Moment, System),
            field("LastModifiedDate", "Last Modified Date", Moment, System),
        ],
        children: &[("Tasks", "Task", "WhatId")],
    },
    ObjectDef {
        name: "Case",
        label: "Case",
        plural: "Cases",
        prefix: "500",
        fields: &[
            field("Id", "Case ID", Id, System),
            field("CaseNumber", "Case Number", Text(30), System),
            field("Subject", "Subject", Text(255), Open),
            field("Description", "Description", Long(32_000), Open),
            field("AccountId", "Account ID", Ref(&["Account"]), Open),
            field("ContactId", "Contact ID", Ref(&["Contact"]), Open),
            field("Status", "Status", Pick(&["New", "Working", "Escalated", "Closed"]), Defaulted),
            field("Priority", "Priority", Only(&["High", "Medium", "Low"]), Defaulted),
            field("Origin", "Case Origin", Pick(&["Phone", "Email", "Web"]), Open),
            field("Comments", "Internal Comments", Long(4000), Open),
            field("IsClosed", "Closed", Flag, System),
            field("OwnerId", "Owner ID", Ref(&["User"]), Defaulted),
            field("CreatedDate", "Created Date", Moment, System),
            field("LastModifiedDate", "Last Modified Date", Moment, System),
        ],
        children: &[("Tasks", "Task", "WhatId")],
    },
    ObjectDef {
        name: "Task",
        label: "Task",
        plural: "Tasks",
        prefix: "00T",
        fields: &[
            field("Id", "Activity ID", Id, System),
            field("Subject", "Subject", Text(255), Open),
            field("WhoId", "Name ID", Ref(&["Contact", "Lead"]), Open),
            field("WhatId", "Related To ID", Ref(&["Account", "Opportunity", "Case"]), Open),
            field("ActivityDate", "Due Date Only", Day, Open),
            field("Status", "Status", Pick(&["Not Started", "In Progress", "Completed"]), Defaulted),
            field("Priority", "Priority", Only(PRIORITIES), Defaulted),
            field("Description", "Description", Long(32_000), Open),
            field("TaskSubtype", "Task Subtype", Only(&["Task", "Email", "Call"]), Defaulted),
            field("CallDurationInSeconds", "Call Duration", Whole, Open),
            field("CallDisposition", "Call Result", Text(255), Open),
            field("IsClosed", "Closed", Flag, System),
            field("OwnerId", "Assigned To ID", Ref(&["User"]), Defaulted),
            field("CreatedDate", "Created Date", Moment, System),
            field("LastModifiedDate", "Last Modified Date", Moment, System),
        ],
        children: &[],
    },
    ObjectDef {
        name: "User",
        label: "User",
        plural: "Users",
        prefix: "005",
        fields: &[
            field("Id", "User ID", Id, System),
            field("Name", "Full Name", Text(121), System),
            field("Username", "Username", Text(80), System),
            field("Email", "Email", Email, System),
            field("Title", "Title", Text(80), System),
            field("IsActive", "Active", Flag, System),
            field("CreatedDate", "Created Date", Moment, System),
            field("LastModifiedDate", "Last Modified Date", Moment, System),
        ],
        children: &[],
    },
    ObjectDef {
        name: "Organization",
        label: "Organization",
        plural: "Organizations",
        prefix: "00D",
        fields: &[
            field("Id", "Organization ID", Id, System),
            field("Name", "Name", Text(80), System),
            field("TimeZoneSidKey", "Time Zone", Text(40), System),
            field("IsSandbox", "Is Sandbox", Flag, System),
            field("CreatedDate", "Created Date", Moment, System),
            field("LastModifiedDate", "Last Modified Date", Moment, System),
        ],
        children: &[],
    },
];

/// An object by its API name, which is written in any case.
pub fn object(name: &str) -> Option<&'static ObjectDef> {
    OBJECTS.iter().find(|object| object.name.eq_ignore_ascii_case(name))
}

impl ObjectDef {
    /// A field by its API name, which is written in any case.
    pub fn field(&self, name: &str) -> Option<&'static FieldDef> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The field behind a relationship to a parent: `Account` is `AccountId`, `Who` is `WhoId`.
    pub fn parent(&self, relationship: &str) -> Option<&'static FieldDef> {
        let field = self.field(&format!("{relationship}Id"))?;
        matches!(field.kind, Kind::Ref(_)).then_some(field)
    }

    /// The list of other records behind a relationship.
    pub fn child(&self, relationship: &str) -> Option<(&'static str, &'static ObjectDef, &'static str)> {
        let found = self.children.iter().find(|(name, ..)| name.eq_ignore_ascii_case(relationship));
        found.and_then(|(name, child, field)| Some((*name, object(child)?, *field)))
    }
}

impl Kind {
    /// What Salesforce calls it in a description.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Id => "id",
            Kind::Text(_) => "string",
            Kind::Long(_) => "textarea",
            Kind::Email => "email",
            Kind::Phone => "phone",
            Kind::Whole => "int",
            Kind::Number => "currency",
            Kind::Flag => "boolean",
            Kind::Day => "date",
            Kind::Moment => "datetime",
            Kind::Pick(_) | Kind::Only(_) => "picklist",
            Kind::Several(_) => "multipicklist",
            Kind::Ref(_) => "reference",
        }
    }

    /// The values that are offered.
    pub fn choices(self) -> &'static [&'static str] {
        match self {
            Kind::Pick(choices) | Kind::Only(choices) | Kind::Several(choices) => choices,
            _ => &[],
        }
    }
}
