//! Who comes in over HTTP with what: our own tokens, and those of an issuer outside.

use std::sync::Arc;

use axum::Router;
use url::Url;

use super::{house, options::Trust, order::Failure};
use crate::{
    agents::{Agents, Principal, Scope, TOKEN_PREFIX},
    clock, id,
    issuer::{self, Issuer, Refusal},
    secret::Secret,
    transport::{
        self, Access, Admission, Authenticate, Denied, Hosts, ProtectedResource,
        access::{Admitting, Authenticating},
    },
};

/// The way in.
#[derive(Debug)]
pub struct Door {
    /// Who may come in.
    pub access: Access,
    /// What clients without a token learn, when an issuer is trusted.
    pub resource: Option<ProtectedResource>,
}

impl Door {
    /// The door for everybody on this machine. Who brings a token of an agent is that agent all the same.
    pub fn open(agents: Agents) -> Door {
        let tokens = Arc::new(Tokens::new(agents, None));
        Door { access: Access::Welcoming(house::local_principal(), tokens), resource: None }
    }

    /// The door for those with a token, at a server whose address is `own`.
    pub fn guarded(trust: &Trust, own: &Url, is_read_only: bool, agents: Agents) -> Result<Door, Failure> {
        let scope = if is_read_only { Scope::Read } else { Scope::Write };
        let resource = trust.auth_issuer.as_ref().map(|issuer| ProtectedResource::new(own, issuer, scope));
        let issuer = resource.as_ref().map(|resource| trusted(trust, resource, agents.clone())).transpose()?;
        Ok(Door { access: Access::Bearer(Arc::new(Tokens::new(agents, issuer))), resource })
    }

    /// The transports' options, with this door in them.
    pub fn options(&self) -> transport::Options {
        let resource_metadata = self.resource.as_ref().map(ProtectedResource::metadata_address);
        transport::Options { resource_metadata, ..transport::Options::new(self.access.clone()) }
    }

    /// `router`, and what clients without a token may read.
    pub fn with_metadata(&self, router: Router, hosts: &Arc<Hosts>) -> Router {
        match &self.resource {
            Some(resource) => router.merge(resource.router(Arc::clone(hosts))),
            None => router,
        }
    }
}

fn trusted(trust: &Trust, resource: &ProtectedResource, agents: Agents) -> Result<Issuer, Failure> {
    let options = issuer::Options {
        issuer: trust.auth_issuer.clone().unwrap_or_default(),
        audiences: trust.auth_audience.clone().map_or_else(|| resource.audiences(), |audience| vec![audience]),
        provision: trust.auth_provision,
    };
    Issuer::new(options, agents, clock::system(), id::os()).map_err(Failure::of)
}

/// Our own tokens, and those of the issuer. What a token begins with says which it is.
#[derive(Debug)]
pub struct Tokens {
    agents: Agents,
    issuer: Option<Issuer>,
}

impl Tokens {
    /// The tokens of `agents`, and those of `issuer`.
    pub fn new(agents: Agents, issuer: Option<Issuer>) -> Self {
        Tokens { agents, issuer }
    }

    async fn own(&self, token: &Secret) -> Result<Principal, Denied> {
        let principal = self.agents.principal_of(token).await.map_err(|_| Denied::Unavailable)?;
        principal.ok_or(Denied::Invalid)
    }

    async fn admission(&self, token: &Secret) -> Result<Admission, Denied> {
        match &self.issuer {
            Some(issuer) if !token.expose().starts_with(TOKEN_PREFIX) => {
                let visitor = issuer.visitor(token).await.map_err(|refusal| denied(issuer, &refusal))?;
                let counts_for = Some(visitor.counts_for);
                Ok(Admission { principal: visitor.principal, scope: visitor.scope, counts_for })
            }
            _ => self.own(token).await.map(Admission::whole),
        }
    }
}

/// Browsers that signed in, by their cookies.
#[derive(Debug)]
pub struct Sessions(pub Agents);

impl Authenticate for Sessions {
    fn authenticate<'a>(&'a self, cookie: &'a Secret) -> Authenticating<'a> {
        Box::pin(async {
            let principal = self.0.principal_in_session(cookie).await.map_err(|_| Denied::Unavailable)?;
            principal.ok_or(Denied::Invalid)
        })
    }
}

impl Authenticate for Tokens {
    fn authenticate<'a>(&'a self, token: &'a Secret) -> Authenticating<'a> {
        Box::pin(async { self.admission(token).await.map(|admission| admission.principal) })
    }

    fn admit<'a>(&'a self, token: &'a Secret) -> Admitting<'a> {
        Box::pin(self.admission(token))
    }
}

/// What the caller learns of a refusal; the log learns the reason, and nothing of the token.
fn denied(issuer: &Issuer, refusal: &Refusal) -> Denied {
    tracing::debug!(issuer = issuer.name(), %refusal, "an access token was refused");
    match refusal {
        Refusal::Invalid(_) => Denied::Invalid,
        Refusal::NoScope => Denied::Scope(Scope::Read.needed().to_owned()),
        Refusal::Stranger => Denied::Stranger,
        Refusal::Unavailable | Refusal::Agents(_) => Denied::Unavailable,
    }
}
