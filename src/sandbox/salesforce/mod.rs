//! Salesforce, offline: records of the standard objects, SOQL, search and descriptions, as REST API 66.0 answers.

mod errors;
mod grammar;
mod lexer;
mod model;
mod operations;
mod query;
mod search;
mod seed;
mod tables;
mod world;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::{operations as run, tables as t, world::Fields};
use super::{
    Error,
    oauth::{Handed, Pkce, Quirks, RefreshTokens, Rotation},
    shape::{Field, Kind},
    twin::{Answer, Body, Call, Mail, Object, Outcome, Profile, Route, Run, Spec, Trouble, Twin},
    world::{Mint, Scene, SeedFile},
};
use crate::text::Transformation;

/// What Salesforce's OAuth server does (help.salesforce.com, "OAuth 2.0 Web Server Flow"): the answer says where the
/// organisation is and never how long the token lasts.
pub const SALESFORCE: Quirks = Quirks {
    family: "salesforce",
    authorize_path: "/services/oauth2/authorize",
    token_path: "/services/oauth2/token",
    revoke_path: Some("/services/oauth2/revoke"),
    access_lifetime: Some(SignedDuration::from_hours(2)),
    tells_lifetime: false,
    refresh: RefreshTokens::Scope("refresh_token"),
    rotation: Rotation::SingleUse,
    pkce: Pkce::Required,
    extra: &[
        Field::optional("prompt", Kind::Text),
        Field::optional("login_hint", Kind::Text),
        Field::optional("nonce", Kind::Text),
        Field::optional("display", Kind::Choice(&["page", "popup", "touch", "mobile"])),
    ],
    extra_scopes: &["refresh_token", "offline_access", "openid", "id", "web"],
    answer: |handed: &Handed<'_>| {
        handed.with(json!({
            "instance_url": handed.api,
            "id": format!("{}/id/00DNw0000000001AAA/005Nw0000000001AAA", handed.api),
            "issued_at": "1700000000000",
            "signature": "c2FuZGJveA==",
        }))
    },
    ..Quirks::STANDARD
};

/// One organisation, as one of its users sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Salesforce {
    /// The id of the connected user.
    user: String,
    time_zone: String,
    records: Vec<Record>,
    /// How many cases were opened; their numbers follow from it.
    cases: u32,
    outbox: Vec<Mail>,
    mint: Mint,
}

/// A record and what kind it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    object: String,
    fields: Fields,
}

const fn route(
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static [&'static [Field]],
    body: Body,
    run: Run<Salesforce>,
) -> Route<Salesforce> {
    Route { spec: Spec { operation, method, path, scopes: t::SCOPES, query, body }, run }
}

impl Twin for Salesforce {
    const PROFILE: Profile =
        Profile { id: "salesforce", base_path: "/services/data/v66.0", oauth: &SALESFORCE, accepts_null: true };

    const ROUTES: &'static [Route<Self>] = &[
        route("query", "GET", "/services/data/{version}/query", &[t::QUERY], Body::None, Run::Read(run::query)),
        route(
            "queryMore",
            "GET",
            "/services/data/{version}/query/{queryLocator}",
            &[],
            Body::None,
            Run::Read(run::query_more),
        ),
        route(
            "parameterizedSearch",
            "POST",
            "/services/data/{version}/parameterizedSearch",
            &[],
            Body::Json(t::SEARCH),
            Run::Read(search::search),
        ),
        route(
            "describeGlobal",
            "GET",
            "/services/data/{version}/sobjects",
            &[],
            Body::None,
            Run::Read(run::describe_global),
        ),
        route(
            "describe",
            "GET",
            "/services/data/{version}/sobjects/{sobject}/describe",
            &[],
            Body::None,
            Run::Read(run::describe),
        ),
        route(
            "createRecord",
            "POST",
            "/services/data/{version}/sobjects/{sobject}",
            &[],
            Body::Open,
            Run::Write(run::create),
        ),
        route(
            "getRecord",
            "GET",
            "/services/data/{version}/sobjects/{sobject}/{id}",
            &[t::RECORD],
            Body::None,
            Run::Read(run::get),
        ),
        route(
            "updateRecord",
            "PATCH",
            "/services/data/{version}/sobjects/{sobject}/{id}",
            &[],
            Body::Open,
            Run::Write(run::update),
        ),
    ];

    fn seed(scene: &Scene, file: &SeedFile) -> Result<Self, Error> {
        seed::plant(scene, file)
    }

    fn refuse(trouble: &Trouble) -> Answer {
        errors::refuse(trouble)
    }

    /// A version that there is not is no resource either.
    fn finish(answer: Answer, call: &Call<'_>) -> Outcome {
        let version = call.segment("version").strip_prefix('v').and_then(|version| version.strip_suffix(".0"));
        let is_known =
            version.and_then(|version| version.parse().ok()).is_some_and(|version| (36..=66).contains(&version));
        if is_known { Ok(answer) } else { Err(errors::not_found()) }
    }

    fn objects(&self) -> Vec<Object> {
        seed::objects(self)
    }

    fn mails(&self) -> &[Mail] {
        &self.outbox
    }
}

/// What is made of texts of callers and vendors here, for the tests that hold it to its bounds.
pub(super) const TRANSFORMATIONS: &[Transformation] = &[
    Transformation { name: "sandbox: SOQL", run: grammar::read },
    Transformation {
        name: "sandbox: SOQL condition",
        run: |text| grammar::read(&format!("SELECT Id FROM Account WHERE {text}")),
    },
    Transformation { name: "sandbox: LIKE", run: query::matches },
];
