//! HubSpot: contacts, companies, deals, tickets, calls and notes.

use std::{borrow::Cow, num::NonZeroU32, time::Duration};

use self::{
    companies::GetCompany,
    contacts::{CreateContact, GetContact, SearchContacts, UpdateContact},
    deals::{CreateDeal, SearchDeals, UpdateDeal},
    engagements::{AddNote, LogCall},
    lists::{ListOwners, ListPipelines},
    tickets::{CreateTicket, UpdateTicket},
};
use crate::{
    http::{Rate, Request},
    oauth::Provider,
    path,
    tool::{self, Call, Category, Error, Field, Identity, Integration, Result, Scopes, ToolDef},
};

mod catalog;
mod companies;
mod contacts;
mod deals;
mod engagements;
mod errors;
mod lists;
mod records;
mod tickets;
mod wire;

/// HubSpot's CRM API, version 3.
pub const INTEGRATION: Integration = Integration {
    id: "hubspot",
    title: "HubSpot",
    category: Category::Crm,
    docs: "https://developers.hubspot.com/docs/api-reference",
    console: Some("https://app.hubspot.com/developer"),
    base_url: "https://api.hubapi.com",
    oauth: Some(HUBSPOT),
    fields: &[Field {
        name: "token",
        label: "Access token of a private app",
        secret: true,
        required: true,
        help: "Settings, Integrations, Private apps: make one with the CRM scopes and copy its token.",
    }],
    sign: tool::bearer,
    rate: Some(RATE),
    explain: errors::explain,
    is_limit: None,
    status: None,
    probe: |cx| Box::pin(probe(cx)),
    base_scopes: &["oauth", "crm.objects.owners.read", "crm.objects.contacts.read"],
    tools: &[
        ToolDef::of::<GetContact>(),
        ToolDef::of::<CreateTicket>(),
        ToolDef::of::<LogCall>(),
        ToolDef::of::<CreateContact>(),
        ToolDef::of::<UpdateContact>(),
        ToolDef::of::<SearchContacts>(),
        ToolDef::of::<GetCompany>(),
        ToolDef::of::<CreateDeal>(),
        ToolDef::of::<UpdateDeal>(),
        ToolDef::of::<SearchDeals>(),
        ToolDef::of::<UpdateTicket>(),
        ToolDef::of::<AddNote>(),
        ToolDef::of::<ListOwners>(),
        ToolDef::of::<ListPipelines>(),
    ],
    core: &[
        "hubspot_get_contact",
        "hubspot_create_ticket",
        "hubspot_log_call",
        "hubspot_create_contact",
        "hubspot_search_deals",
        "hubspot_update_deal",
    ],
};

/// Sign-in with HubSpot. Everything goes in the form body; a token lasts half an hour, which the answer says.
const HUBSPOT: Provider = Provider {
    family: "hubspot",
    authorize_url: "https://app.hubspot.com/oauth/authorize",
    token_url: "https://api.hubapi.com/oauth/2026-03/token",
    revoke_url: Some("https://api.hubapi.com/oauth/2026-03/token/revoke"),
    lifetime: Some(Duration::from_mins(30)),
    ..Provider::STANDARD
};

/// HubSpot lets an app ask 110 times in ten seconds (<https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines>),
/// and search four times a second (<https://developers.hubspot.com/changelog/crm-search-api-rate-limit-increase>). Ten
/// seconds of these are 100 requests, a second of searches is four.
const RATE: Rate =
    Rate::bursts(NonZeroU32::new(20).expect("twenty is not zero"), Duration::from_millis(125)).and(searches);

const SEARCHES: Rate = Rate::bursts(NonZeroU32::new(2).expect("two is not zero"), Duration::from_millis(500));

fn searches(request: &Request) -> Option<(Cow<'static, str>, Rate)> {
    (request.path.segments().last() == Some("search")).then_some(("search".into(), SEARCHES))
}

const READ_CONTACTS: Scopes = Scopes(&["crm.objects.contacts.read"]);
const WRITE_CONTACTS: Scopes = Scopes(&["crm.objects.contacts.write"]);
const READ_COMPANIES: Scopes = Scopes(&["crm.objects.companies.read"]);
const READ_DEALS: Scopes = Scopes(&["crm.objects.deals.read"]);
const WRITE_DEALS: Scopes = Scopes(&["crm.objects.deals.write"]);
const TICKETS: Scopes = Scopes(&["tickets"]);

/// Whether the account answers. HubSpot tells its name to apps of the account only; the first owner is a person that
/// people recognise.
async fn probe(cx: &Call) -> Result<Identity> {
    let owners: wire::List<wire::Owner> = cx.fetch(Request::get(path!["crm", "v3", "owners"]).query("limit", 1)).await?;
    let name = owners.results.first().map(|owner| owner.email.clone()).unwrap_or_default();
    Ok(Identity { name: "HubSpot".into(), detail: format!("with {name}") })
}

/// The arguments make no sense.
fn wrong(problem: &str) -> Error {
    Error::arguments([problem.to_owned()])
}

/// What was given, unless it is empty: models leave a field empty where they mean nothing by it.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
