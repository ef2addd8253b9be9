//! HubSpot, offline: contacts, companies, deals, tickets, calls and notes, as version 3 of the CRM API answers.

mod errors;
mod model;
mod operations;
mod search;
mod seed;
mod tables;
mod world;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use self::{operations as run, tables as t};
use super::{
    Error,
    oauth::{ClientAuth, Quirks},
    pace::Limit,
    shape::{Field, Kind},
    twin::{Answer, Body, Mail, Object, Profile, Route, Run, Spec, Trouble, Twin},
    world::{Mint, Scene, SeedFile},
};

/// What HubSpot's OAuth server does: everything stands in the form body, and a token lasts half an hour.
pub const HUBSPOT: Quirks = Quirks {
    family: "hubspot",
    authorize_path: "/oauth/authorize",
    token_path: "/oauth/2026-03/token",
    revoke_path: Some("/oauth/2026-03/token/revoke"),
    access_lifetime: Some(SignedDuration::from_mins(30)),
    client_auth: &[ClientAuth::Post],
    extra: &[Field::optional("optional_scope", Kind::Text)],
    extra_scopes: &["oauth"],
    ..Quirks::STANDARD
};

/// One account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HubSpot {
    records: Vec<Record>,
    owners: Vec<Owner>,
    outbox: Vec<Mail>,
    mint: Mint,
}

/// A record.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    kind: String,
    id: String,
    properties: BTreeMap<String, String>,
    /// What it belongs to: kinds and ids.
    links: Vec<(String, String)>,
    created: Timestamp,
    updated: Timestamp,
}

/// Somebody to whom records belong.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Owner {
    id: String,
    name: String,
    email: String,
}

const fn route(
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    scopes: &'static [&'static str],
    query: &'static [&'static [Field]],
    body: Body,
    run: Run<HubSpot>,
) -> Route<HubSpot> {
    Route { spec: Spec { operation, method, path, scopes, query, body }, run }
}

/// 110 requests in ten seconds (<https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines>), and
/// four searches a second (<https://developers.hubspot.com/changelog/crm-search-api-rate-limit-increase>).
const LIMITS: &[Limit] = &[
    Limit::of(110, SignedDuration::from_secs(10), |_| Some(String::new())),
    Limit {
        refuse: Some(errors::too_many_searches),
        ..Limit::of(4, SignedDuration::from_secs(1), |call| call.operation.contains("/search_").then(String::new))
    },
];

impl Twin for HubSpot {
    const PROFILE: Profile = Profile { id: "hubspot", base_path: "", oauth: &HUBSPOT, accepts_null: true };

    const LIMITS: &'static [Limit] = LIMITS;

    const ROUTES: &'static [Route<Self>] = &[
        route(
            "get-/crm/v3/objects/contacts/{contactId}_getById",
            "GET",
            "/crm/v3/objects/contacts/{contactId}",
            t::READ_CONTACTS,
            &[t::READ],
            Body::None,
            Run::Read(run::read),
        ),
        route(
            "patch-/crm/v3/objects/contacts/{contactId}_update",
            "PATCH",
            "/crm/v3/objects/contacts/{contactId}",
            t::WRITE_CONTACTS,
            &[t::BY],
            Body::Json(t::UPDATE),
            Run::Write(run::update),
        ),
        route(
            "post-/crm/v3/objects/contacts/batch/upsert_upsert",
            "POST",
            "/crm/v3/objects/contacts/batch/upsert",
            t::WRITE_CONTACTS,
            &[],
            Body::Json(t::UPSERT),
            Run::Write(run::upsert),
        ),
        route(
            "post-/crm/v3/objects/contacts/search_doSearch",
            "POST",
            "/crm/v3/objects/contacts/search",
            t::READ_CONTACTS,
            &[],
            Body::Json(t::SEARCH),
            Run::Read(search::search),
        ),
        route(
            "get-/crm/v3/objects/companies/{companyId}_getById",
            "GET",
            "/crm/v3/objects/companies/{companyId}",
            t::READ_COMPANIES,
            &[t::READ],
            Body::None,
            Run::Read(run::read),
        ),
        route(
            "post-/crm/v3/objects/companies/search_doSearch",
            "POST",
            "/crm/v3/objects/companies/search",
            t::READ_COMPANIES,
            &[],
            Body::Json(t::SEARCH),
            Run::Read(search::search),
        ),
        route(
            "post-/crm/v3/objects/deals_create",
            "POST",
            "/crm/v3/objects/deals",
            t::WRITE_DEALS,
            &[],
            Body::Json(t::CREATE),
            Run::Write(run::create),
        ),
        route(
            "patch-/crm/v3/objects/deals/{dealId}_update",
            "PATCH",
            "/crm/v3/objects/deals/{dealId}",
            t::WRITE_DEALS,
            &[t::BY],
            Body::Json(t::UPDATE),
            Run::Write(run::update),
        ),
        route(
            "post-/crm/v3/objects/deals/search_doSearch",
            "POST",
            "/crm/v3/objects/deals/search",
            t::READ_DEALS,
            &[],
            Body::Json(t::SEARCH),
            Run::Read(search::search),
        ),
        route(
            "post-/crm/v3/objects/tickets_create",
            "POST",
            "/crm/v3/objects/tickets",
            t::TICKETS,
            &[],
            Body::Json(t::CREATE),
            Run::Write(run::create),
        ),
        route(
            "patch-/crm/v3/objects/tickets/{ticketId}_update",
            "PATCH",
            "/crm/v3/objects/tickets/{ticketId}",
            t::TICKETS,
            &[t::BY],
            Body::Json(t::UPDATE),
            Run::Write(run::update),
        ),
        route(
            "post-/crm/v3/objects/calls_create",
            "POST",
            "/crm/v3/objects/calls",
            t::WRITE_CONTACTS,
            &[],
            Body::Json(t::CREATE),
            Run::Write(run::create),
        ),
        route(
            "post-/crm/v3/objects/notes_create",
            "POST",
            "/crm/v3/objects/notes",
            t::WRITE_CONTACTS,
            &[],
            Body::Json(t::CREATE),
            Run::Write(run::create),
        ),
        route(
            "get-/crm/v3/owners_/crm/v3/owners",
            "GET",
            "/crm/v3/owners",
            t::OWNERS,
            &[t::OWNER_LIST],
            Body::None,
            Run::Read(run::owners),
        ),
        route(
            "get-/crm/v3/pipelines/{objectType}_getAll",
            "GET",
            "/crm/v3/pipelines/{objectType}",
            t::SETTINGS,
            &[],
            Body::None,
            Run::Read(run::pipelines),
        ),
        route(
            "get-/crm/v3/properties/{objectType}_getAll",
            "GET",
            "/crm/v3/properties/{objectType}",
            t::SETTINGS,
            &[t::PROPERTY_LIST],
            Body::None,
            Run::Read(run::properties),
        ),
    ];

    fn seed(scene: &Scene, file: &SeedFile) -> Result<Self, Error> {
        seed::plant(scene, file)
    }

    fn refuse(trouble: &Trouble) -> Answer {
        errors::refuse(trouble)
    }

    fn objects(&self) -> Vec<Object> {
        seed::objects(self)
    }

    fn mails(&self) -> &[Mail] {
        &self.outbox
    }
}
