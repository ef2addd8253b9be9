//! Airtable, offline: bases, tables, records and comments, as the Web API answers.

mod cells;
mod comments;
mod errors;
mod formula;
mod listing;
mod records;
mod schema;
mod seed;
mod tables;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use self::{comments::Comment, schema::Base, tables as t};
use super::{
    Error,
    oauth::{ClientAuth, Pkce, Quirks, Rotation},
    pace::Limit,
    twin::{Answer, Body, Mail, Object, Profile, Route, Run, Spec, Trouble, Twin},
    world::{Mint, Person, Scene, SeedFile},
};
use crate::text::Transformation;

/// What Airtable's OAuth server does (airtable.com/developers/web/api/oauth-reference).
pub const AIRTABLE: Quirks = Quirks {
    family: "airtable",
    authorize_path: "/oauth2/v1/authorize",
    token_path: "/oauth2/v1/token",
    rotation: Rotation::SingleUse,
    pkce: Pkce::Required,
    client_auth: &[ClientAuth::Basic],
    extra_scopes: &["user.email:read"],
    ..Quirks::STANDARD
};

/// One account's bases and everything in them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Airtable {
    account: String,
    people: Vec<Person>,
    bases: Vec<Base>,
    comments: Vec<Comment>,
    outbox: Vec<Mail>,
    mint: Mint,
}

/// Five requests a second for one base and fifty of one account; then half a minute of refusals
/// (<https://airtable.com/developers/web/api/rate-limits>).
const LIMITS: &[Limit] = &[
    Limit {
        penalty: Some(SignedDuration::from_secs(30)),
        ..Limit::of(5, SignedDuration::from_secs(1), |call| call.path.get("baseId").cloned())
    },
    Limit {
        penalty: Some(SignedDuration::from_secs(30)),
        ..Limit::of(50, SignedDuration::from_secs(1), |_| Some(String::new()))
    },
];

impl Twin for Airtable {
    const PROFILE: Profile = Profile { id: "airtable", base_path: "/v0", oauth: &AIRTABLE, accepts_null: false };

    const LIMITS: &'static [Limit] = LIMITS;

    const ROUTES: &'static [Route<Self>] = &[
        Route {
            spec: Spec {
                operation: "whoami",
                method: "GET",
                path: "/v0/meta/whoami",
                scopes: &[],
                query: &[],
                body: Body::None,
            },
            run: Run::Read(schema::who_am_i),
        },
        Route {
            spec: Spec {
                operation: "listBases",
                method: "GET",
                path: "/v0/meta/bases",
                scopes: t::SCHEMA,
                query: &[t::OFFSET],
                body: Body::None,
            },
            run: Run::Read(schema::list_bases),
        },
        Route {
            spec: Spec {
                operation: "getBaseSchema",
                method: "GET",
                path: "/v0/meta/bases/{baseId}/tables",
                scopes: t::SCHEMA,
                query: &[t::INCLUDE],
                body: Body::None,
            },
            run: Run::Read(schema::get_tables),
        },
        Route {
            spec: Spec {
                operation: "listRecordsPost",
                method: "POST",
                path: "/v0/{baseId}/{tableIdOrName}/listRecords",
                scopes: t::READ,
                query: &[],
                body: Body::Json(t::LIST),
            },
            run: Run::Read(listing::list),
        },
        Route {
            spec: Spec {
                operation: "createRecords",
                method: "POST",
                path: "/v0/{baseId}/{tableIdOrName}",
                scopes: t::WRITE,
                query: &[],
                body: Body::Json(t::CREATE),
            },
            run: Run::Write(records::create),
        },
        Route {
            spec: Spec {
                operation: "updateMultiple",
                method: "PATCH",
                path: "/v0/{baseId}/{tableIdOrName}",
                scopes: t::WRITE,
                query: &[],
                body: Body::Json(t::UPDATE_MANY),
            },
            run: Run::Write(records::update_many),
        },
        Route {
            spec: Spec {
                operation: "getRecord",
                method: "GET",
                path: "/v0/{baseId}/{tableIdOrName}/{recordId}",
                scopes: t::READ,
                query: &[t::SHOW],
                body: Body::None,
            },
            run: Run::Read(records::get),
        },
        Route {
            spec: Spec {
                operation: "updateRecord",
                method: "PATCH",
                path: "/v0/{baseId}/{tableIdOrName}/{recordId}",
                scopes: t::WRITE,
                query: &[],
                body: Body::Json(t::UPDATE),
            },
            run: Run::Write(records::update),
        },
        Route {
            spec: Spec {
                operation: "deleteRecord",
                method: "DELETE",
                path: "/v0/{baseId}/{tableIdOrName}/{recordId}",
                scopes: t::WRITE,
                query: &[],
                body: Body::None,
            },
            run: Run::Write(records::delete),
        },
        Route {
            spec: Spec {
                operation: "listComments",
                method: "GET",
                path: "/v0/{baseId}/{tableIdOrName}/{recordId}/comments",
                scopes: &["data.recordComments:read"],
                query: &[t::OFFSET, t::PAGED],
                body: Body::None,
            },
            run: Run::Read(comments::list),
        },
        Route {
            spec: Spec {
                operation: "createComment",
                method: "POST",
                path: "/v0/{baseId}/{tableIdOrName}/{recordId}/comments",
                scopes: &["data.recordComments:write"],
                query: &[],
                body: Body::Json(t::COMMENT),
            },
            run: Run::Write(comments::create),
        },
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

/// What is made of texts of callers and vendors here, for the tests that hold it to its bounds.
pub(super) const TRANSFORMATIONS: &[Transformation] =
    &[Transformation { name: "sandbox: formula", run: formula::read }];
