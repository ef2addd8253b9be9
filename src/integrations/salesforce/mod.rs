//! Salesforce: customers, opportunities, cases, leads, activities, and read-only SOQL.

use std::{num::NonZeroU32, time::Duration};

use self::{
    activity::{CreateTask, LogCall},
    creating::{CreateCase, CreateContact, CreateLead},
    describe::DescribeObject,
    looking::{LookupContact, LookupCustomer},
    searching::{GetRecord, ListOpportunities, RunSoql, SearchRecords},
    updating::{UpdateCase, UpdateOpportunity},
};
use crate::{
    http::Rate,
    moment::Zone,
    oauth::{Instance, Pkce, Provider},
    text::Transformation,
    tool::{self, Call, Category, Error, Field, Identity, Integration, Result, Scopes, ToolDef},
};

mod activity;
mod creating;
mod describe;
mod errors;
mod looking;
mod resolve;
mod searching;
mod shape;
mod soql;
mod updating;
mod wire;

/// Salesforce, REST API version 66.0. Every organisation has a host of its own, which the token answer names.
pub const INTEGRATION: Integration = Integration {
    id: "salesforce",
    title: "Salesforce",
    category: Category::Crm,
    docs: "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest",
    console: Some("https://login.salesforce.com"),
    base_url: "{instance_url}/services/data/v66.0",
    oauth: Some(SALESFORCE),
    fields: &[
        Field {
            name: "instance_url",
            label: "Address of the organisation",
            secret: false,
            required: true,
            help: "Such as https://acme.my.salesforce.com: what stands in the browser after signing in.",
        },
        Field {
            name: "token",
            label: "Access token",
            secret: true,
            required: true,
            help: "A session id or an OAuth access token, for a short try: it ends after about two hours.",
        },
    ],
    sign: tool::bearer,
    rate: Some(RATE),
    explain: errors::explain,
    is_limit: Some(errors::is_limit),
    status: None,
    probe: |cx| Box::pin(probe(cx)),
    base_scopes: &["refresh_token"],
    tools: &[
        ToolDef::of::<LookupContact>(),
        ToolDef::of::<LookupCustomer>(),
        ToolDef::of::<CreateLead>(),
        ToolDef::of::<UpdateOpportunity>(),
        ToolDef::of::<CreateContact>(),
        ToolDef::of::<CreateCase>(),
        ToolDef::of::<UpdateCase>(),
        ToolDef::of::<LogCall>(),
        ToolDef::of::<CreateTask>(),
        ToolDef::of::<SearchRecords>(),
        ToolDef::of::<RunSoql>(),
        ToolDef::of::<GetRecord>(),
        ToolDef::of::<DescribeObject>(),
        ToolDef::of::<ListOpportunities>(),
    ],
    core: &[
        "salesforce_lookup_contact",
        "salesforce_lookup_customer",
        "salesforce_create_lead",
        "salesforce_update_opportunity",
        "salesforce_log_call",
        "salesforce_list_opportunities",
    ],
};

/// Sign-in with Salesforce. The answer never says how long a token lasts; the default of an organisation is two hours.
const SALESFORCE: Provider = Provider {
    family: "salesforce",
    authorize_url: "https://login.salesforce.com/services/oauth2/authorize",
    token_url: "https://login.salesforce.com/services/oauth2/token",
    revoke_url: Some("https://login.salesforce.com/services/oauth2/revoke"),
    pkce: Pkce::Required,
    rotates: true,
    lifetime: Some(Duration::from_hours(2)),
    instance: Some(Instance { member: "instance_url", domains: &["salesforce.com", "force.com"] }),
    ..Provider::STANDARD
};

/// Salesforce counts a day's requests and long ones at a time; this keeps one account from using up both.
const RATE: Rate = Rate::per(NonZeroU32::new(10).expect("ten is not zero"), Duration::from_secs(1));

/// Either opens the data API.
const API: Scopes = Scopes(&["api", "full"]);

/// The zone of the organisation, which is that of its people unless they say otherwise; looked up once an hour.
async fn zone(cx: &Call) -> Result<Zone> {
    let look_up = async {
        let name = organisation(cx).await?.time_zone;
        // Zones that only Java knows are rare; then times show their offset from UTC.
        Ok(name.parse().unwrap_or_else(|_| Zone::utc()))
    };
    cx.recall("zone", Duration::from_hours(1), look_up).await
}

/// What every user may see of the organisation.
struct Organisation {
    name: String,
    time_zone: String,
    is_sandbox: bool,
}

async fn organisation(cx: &Call) -> Result<Organisation> {
    let soql = "SELECT Id, Name, TimeZoneSidKey, IsSandbox FROM Organization LIMIT 1";
    let found = soql::first(cx, soql).await?.unwrap_or_default();
    Ok(Organisation {
        name: wire::text(&found, "Name").to_owned(),
        time_zone: wire::text(&found, "TimeZoneSidKey").to_owned(),
        is_sandbox: found.get("IsSandbox").and_then(serde_json::Value::as_bool).unwrap_or_default(),
    })
}

/// Whose account it is. Who the user is would need a scope of its own (`openid`); the organisation is always told.
async fn probe(cx: &Call) -> Result<Identity> {
    let organisation = organisation(cx).await?;
    let kind = if organisation.is_sandbox { "a sandbox of Salesforce, " } else { "" };
    Ok(Identity { name: organisation.name, detail: format!("{kind}{}", organisation.time_zone) })
}

/// The arguments make no sense.
fn wrong(problem: &str) -> Error {
    Error::arguments([problem.to_owned()])
}

/// What was given, unless it is empty: models leave a field empty where they mean nothing by it.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// What is made of texts of callers and vendors here, for the tests that hold it to its bounds.
pub(super) const TRANSFORMATIONS: &[Transformation] = &[
    Transformation { name: "salesforce: SOQL that only looks", run: |text| format!("{:?}", soql::must_only_look(text)) },
    Transformation { name: "salesforce: text to a literal", run: |text| soql::quoted(text) + &soql::containing(text) },
];
