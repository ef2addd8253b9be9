//! One vendor: how to reach it, how to sign in, and what it offers.

use std::{collections::BTreeMap, fmt};

use super::{Call, Error, Result, ToolDef, Toolset};
use crate::{
    http::{HeaderMap, HeaderValue, Pending, Rate, Response, StatusCode, header::AUTHORIZATION},
    secret::Secret,
};

/// One vendor. Each integration is one constant of this type.
pub struct Integration {
    /// Such as `google-calendar`; the tools begin with it, `_` for `-`.
    pub id: &'static str,
    /// Such as `Google Calendar`.
    pub title: &'static str,
    /// Where the console lists it.
    pub category: Category,
    /// Where the vendor describes its API.
    pub docs: &'static str,
    /// Where a person registers an OAuth client, for vendors that have OAuth.
    pub console: Option<&'static str>,
    /// Where its API is, version segment included.
    pub base_url: &'static str,
    /// How its OAuth works, for vendors that have it.
    pub oauth: Option<crate::oauth::Provider>,
    /// What a person enters instead, for vendors that have keys or tokens.
    pub fields: &'static [Field],
    /// How a credential is put on a request.
    pub sign: fn(&BTreeMap<String, Secret>) -> HeaderMap,
    /// How often one account may ask.
    pub rate: Option<Rate>,
    /// Turns the vendor's refusals into ours.
    pub explain: fn(&Response) -> Error,
    /// Tells a refusal that means "slow down" although its status is not 429.
    pub is_limit: Option<fn(&Response) -> bool>,
    /// Tells the status that an answer should have had, for vendors that refuse with 200.
    pub status: Option<fn(&Response) -> StatusCode>,
    /// Asks the vendor, cheaply, whose account this is.
    pub probe: for<'a> fn(&'a Call) -> Probing<'a>,
    /// Scopes that the probe and the sign-in need beside those of the tools.
    pub base_scopes: &'static [&'static str],
    /// Everything it offers.
    pub tools: &'static [ToolDef],
    /// At most six names: what an agent gets when it enables the integration.
    pub core: &'static [&'static str],
}

/// A second host of a vendor, with an address of its own: Google's Drive beside its Sheets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// The name under which an operator may set its address, such as `google-drive`.
    pub id: &'static str,
    /// Where its API is, version segment included.
    pub base_url: &'static str,
}

/// A probe under way.
pub type Probing<'a> = Pending<'a, Result<Identity>>;

/// Whose account it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// What people recognise, such as the e-mail address.
    pub name: String,
    /// One line more, such as "3 calendars, Europe/Berlin".
    pub detail: String,
}

/// Where the console lists an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Customers and deals.
    Crm,
    /// Meetings.
    Calendar,
    /// Mail, chat, calls.
    Communication,
    /// Tables.
    Database,
    /// Documents.
    Productivity,
    /// Money.
    Payments,
    /// Tickets.
    Support,
    /// Code.
    Development,
}

/// One thing that a person enters to connect an account without OAuth.
#[derive(Clone, Copy, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Field {
    /// Its name in the credentials.
    pub name: &'static str,
    /// What people see.
    pub label: &'static str,
    /// Whether it must be hidden.
    pub secret: bool,
    /// Whether it must be given.
    pub required: bool,
    /// Where to find it.
    pub help: &'static str,
}

impl Integration {
    /// The second hosts that its tools ask.
    pub fn hosts(&self) -> Vec<&'static Host> {
        let mut hosts: Vec<_> = self.tools.iter().flat_map(|tool| tool.hosts).collect();
        hosts.sort_by_key(|host| host.id);
        hosts.dedup();
        hosts
    }

    /// As a set of tools.
    pub fn toolset(&self) -> Toolset {
        Toolset { id: self.id.into(), title: self.title.into() }
    }

    /// The vendor family that shares one OAuth client; the integration itself where there is none.
    pub fn family(&self) -> &'static str {
        self.oauth.as_ref().map_or(self.id, |provider| provider.family)
    }
}

impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Integration").field(&self.id).finish()
    }
}

/// `Authorization: Bearer …` with the field `token`: how most vendors want it.
pub fn bearer(fields: &BTreeMap<String, Secret>) -> HeaderMap {
    let token = fields.get("token").map(Secret::expose).unwrap_or_default();
    let mut headers = HeaderMap::new();
    // A token with a line break cannot be sent; the vendor answers 401 to a request without one.
    if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {token}")) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    headers
}
