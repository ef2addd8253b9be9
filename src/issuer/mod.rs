//! Access tokens that an authorization server outside issues for this one: whose they are, and how far they reach.
//!
//! A token is a signed JWT (RFC 9068). It counts when its issuer is the configured one, letter by letter, when one of
//! the issuer's present keys signed it, when it is meant for us, and as long as it has not run out. It is looked at
//! and dropped: nothing that leaves this module holds any of it, so none can reach a vendor.

mod cache;
mod claims;
mod discovery;
mod jws;
mod keys;

use std::{collections::BTreeSet, time::Duration};

use url::Url;

use self::{cache::Keys, claims::Claims, discovery::Discovery, jws::Jws};
use crate::{
    agents::{self, Acquaintance, Agents, Identity, LOCAL, Principal, Role, Scope, User},
    clock::SharedClock,
    http,
    id::{AgentId, SharedEntropy},
    secret::Secret,
};

/// Which issuer is trusted, and with what.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its identifier, such as `https://login.example.com/tenant`: an https address, or http on loopback.
    pub issuer: String,
    /// The names under which a token may be meant for us.
    pub audiences: Vec<String>,
    /// Whether somebody who was never seen before becomes a user.
    pub provision: bool,
}

/// Looks at the access tokens of one issuer.
#[derive(Debug)]
pub struct Issuer {
    name: String,
    audiences: BTreeSet<String>,
    provision: bool,
    keys: Keys,
    agents: Agents,
    clock: SharedClock,
}

/// Who comes with a good token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Who it is. An administrator only when the token says `admin` too.
    pub principal: Principal,
    /// How far the token reaches.
    pub scope: Scope,
    /// For how long it goes on to count.
    pub counts_for: Duration,
}

/// Why an issuer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no address that could be one.
    #[error("`{0}` is no issuer: write its https address, without a query (http is for loopback only)")]
    NoIssuer(String),
    /// Requests to it cannot be made.
    #[error(transparent)]
    Http(#[from] http::Error),
}

/// Why a token does not count. Callers learn only the kind; the log learns the reason.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The token is not good.
    #[error("{0}")]
    Invalid(&'static str),
    /// The token is good and holds none of our scopes.
    #[error("it has none of the scopes of this server")]
    NoScope,
    /// The token is good, and nobody here is the person whom it names.
    #[error("nobody here is the person whom it names")]
    Stranger,
    /// The issuer's keys cannot be had now.
    #[error("the keys of the issuer cannot be had now")]
    Unavailable,
    /// The store failed.
    #[error(transparent)]
    Agents(#[from] agents::Error),
}

impl Issuer {
    /// Trusts an issuer. Nothing is asked of it before the first token comes.
    pub fn new(options: Options, agents: Agents, clock: SharedClock, entropy: SharedEntropy) -> Result<Self, Error> {
        let url = address(&options.issuer).ok_or_else(|| Error::NoIssuer(options.issuer.clone()))?;
        let client = http::Client::new(bounds(), clock.clone(), entropy)?;
        let discovery = Discovery::new(client, options.issuer.clone(), url);
        Ok(Issuer {
            name: options.issuer,
            audiences: options.audiences.iter().map(|audience| canonical(audience)).collect(),
            provision: options.provision,
            keys: Keys::new(discovery, clock.clone()),
            agents,
            clock,
        })
    }

    /// Its identifier, as it was configured.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose `token` is.
    pub async fn visitor(&self, token: &Secret) -> Result<Visitor, Refusal> {
        let claims = self.claims(token.expose()).await?;
        let scope = Scope::greatest(claims.scopes()).ok_or(Refusal::NoScope)?;
        let user = self.user(&claims).await?;
        // Without the scope to administer, a token is what a model works with.
        let principal = match scope {
            Scope::Admin => Principal::of_person(&user),
            Scope::Read | Scope::Write => Principal { user: user.id, agent: AgentId::new(LOCAL), role: Role::Agent },
        };
        Ok(Visitor { principal, scope, counts_for: claims.counts_for(self.clock.now()) })
    }

    /// What a good token says.
    async fn claims(&self, token: &str) -> Result<Claims, Refusal> {
        let jws = Jws::read(token).map_err(Refusal::Invalid)?;
        let key = self.keys.find(jws.key_id(), jws.algorithm()).await?;
        if !key.has_signed(&jws) {
            return Err(Refusal::Invalid("its signature does not hold"));
        }
        let claims = Claims::read(jws.payload()).map_err(Refusal::Invalid)?;
        claims.check(&self.name, &self.audiences, self.clock.now()).map_err(Refusal::Invalid)?;
        Ok(claims)
    }

    async fn user(&self, claims: &Claims) -> Result<User, Refusal> {
        let identity = Identity { issuer: self.name.clone(), subject: claims.subject.clone() };
        let known = match self.agents.acquaintance(&identity).await? {
            Acquaintance::Stranger if self.provision => {
                self.agents.create_user_for(&identity, &claims.display_name(), false).await?
            }
            known => known,
        };
        match known {
            Acquaintance::Person(user) => Ok(user),
            Acquaintance::Removed | Acquaintance::Stranger => Err(Refusal::Stranger),
        }
    }
}

/// Documents of an issuer are small, and a caller waits for them.
fn bounds() -> http::Options {
    http::Options {
        attempt: Duration::from_secs(5),
        total: Duration::from_secs(8),
        response_limit: 256 << 10,
        attempts: 2,
        ..http::Options::default()
    }
}

/// The address of an issuer, if it can be one (RFC 8414, section 2).
fn address(issuer: &str) -> Option<Url> {
    let url: Url = issuer.parse().ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let is_local = || matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    (is_plain && (url.scheme() == "https" || url.scheme() == "http" && is_local())).then_some(url)
}

/// A name for a server in the one form in which names are compared: scheme and host small, no slash at the end.
/// What is no web address is compared letter by letter.
fn canonical(audience: &str) -> String {
    match audience.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "https" | "http") => url.as_str().trim_end_matches('/').to_owned(),
        _ => audience.to_owned(),
    }
}
