//! Airtable: bases, tables, records, comments.

use std::{borrow::Cow, num::NonZeroU32, time::Duration};

use self::{
    comments::AddComment,
    creating::{CreateRecord, CreateRecords},
    deleting::DeleteRecord,
    reading::{GetRecord, GetRecords},
    showing::{ListBases, ListTables},
    updating::{UpdateRecord, UpsertRecords},
    wire::WhoAmI,
};
use crate::{
    http::{Rate, Request},
    oauth::{ClientAuth, Pkce, Provider},
    path,
    text::Transformation,
    tool::{self, Call, Category, Error, Field, Identity, Integration, Result, Scopes, ToolDef},
};

mod batches;
mod cells;
mod comments;
mod creating;
mod deleting;
mod errors;
mod formula;
mod links;
mod place;
mod reading;
mod record;
mod showing;
mod shown;
mod updating;
mod wire;

/// Airtable's Web API.
pub const INTEGRATION: Integration = Integration {
    id: "airtable",
    title: "Airtable",
    category: Category::Database,
    docs: "https://airtable.com/developers/web/api/introduction",
    console: Some("https://airtable.com/create/oauth"),
    base_url: "https://api.airtable.com/v0",
    oauth: Some(AIRTABLE),
    fields: &[Field {
        name: "token",
        label: "Personal access token",
        secret: true,
        required: true,
        help: "Made at airtable.com/create/tokens, with the scopes data.records:read, data.records:write, \
               data.recordComments:write and schema.bases:read, and with the bases that it may use.",
    }],
    sign: tool::bearer,
    rate: Some(RATE),
    explain: errors::explain,
    is_limit: None,
    status: None,
    probe: |cx| Box::pin(probe(cx)),
    // Every tool looks names and the types of fields up.
    base_scopes: &["schema.bases:read", "user.email:read"],
    tools: &[
        ToolDef::of::<GetRecords>(),
        ToolDef::of::<CreateRecord>(),
        ToolDef::of::<UpdateRecord>(),
        ToolDef::of::<GetRecord>(),
        ToolDef::of::<ListTables>(),
        ToolDef::of::<ListBases>(),
        ToolDef::of::<CreateRecords>(),
        ToolDef::of::<UpsertRecords>(),
        ToolDef::of::<DeleteRecord>(),
        ToolDef::of::<AddComment>(),
    ],
    core: &[
        "airtable_get_records",
        "airtable_create_record",
        "airtable_update_record",
        "airtable_get_record",
        "airtable_list_tables",
        "airtable_list_bases",
    ],
};

/// Sign-in with Airtable: a refresh ends both tokens that it replaces.
const AIRTABLE: Provider = Provider {
    family: "airtable",
    authorize_url: "https://airtable.com/oauth2/v1/authorize",
    token_url: "https://airtable.com/oauth2/v1/token",
    pkce: Pkce::Required,
    client_auth: ClientAuth::Basic,
    rotates: true,
    lifetime: Some(Duration::from_hours(1)),
    ..Provider::STANDARD
};

/// Airtable takes five requests a second for one base and fifty of one account, and then refuses for 30 seconds without
/// saying so (<https://airtable.com/developers/web/api/rate-limits>). A second of these are forty, and five for a base.
const RATE: Rate = Rate::bursts(NonZeroU32::new(20).expect("twenty is not zero"), Duration::from_millis(50))
    .resting(Duration::from_secs(30))
    .and(by_base);

const OF_A_BASE: Rate = Rate::bursts(NonZeroU32::new(2).expect("two is not zero"), Duration::from_millis(334));

/// Bases have ids that begin with `app`, here and below `meta/bases`.
fn by_base(request: &Request) -> Option<(Cow<'static, str>, Rate)> {
    let base = request.path.segments().find(|segment| segment.starts_with("app"))?;
    Some((base.to_owned().into(), OF_A_BASE))
}

const READ_RECORDS: Scopes = Scopes(&["data.records:read"]);

const WRITE_RECORDS: Scopes = Scopes(&["data.records:write"]);

const READ_SCHEMA: Scopes = Scopes(&["schema.bases:read"]);

/// How many records Airtable takes in one request that writes.
const BATCH: usize = 10;

/// Whose account it is. Airtable tells the address only where the scope for it was given.
async fn probe(cx: &Call) -> Result<Identity> {
    let who: WhoAmI = cx.fetch(Request::get(path!["meta", "whoami"])).await?;
    let detail = if who.email.is_some() { who.id.clone() } else { String::new() };
    Ok(Identity { name: who.email.unwrap_or(who.id), detail })
}

/// An argument that does not fit.
fn wrong(what: impl Into<String>) -> Error {
    Error::arguments([what.into()])
}

/// What is made of texts of callers and vendors here, for the tests that hold it to its bounds.
pub(super) const TRANSFORMATIONS: &[Transformation] = &[
    Transformation { name: "airtable: text to a formula", run: formula::text },
    Transformation { name: "airtable: text to a list", run: |text| cells::list(text).join(" ") },
    Transformation { name: "airtable: text to a number", run: |text| format!("{:?}", cells::read_number(text)) },
];
