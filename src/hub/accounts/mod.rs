//! Connected accounts: where a tool's integration and a credential are brought together.

mod apps;
mod arrivals;
mod base;
mod choices;
mod connect;
mod ending;
mod scopes;
mod signer;
#[cfg(test)]
mod tests;
mod time;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::Filters;
use crate::{
    agents::Agents,
    clock::SharedClock,
    http::{self, Authorize, Lane},
    id::{CallId, SharedEntropy, UserId},
    oauth::{self, Bearer, Broker, Endpoints, Refreshes},
    store::{self, Key, Report, SharedStore},
    tool::{Account, Asking, Call, CallParts, Error, Host, Integration, Kind, Memory, Row, State, Upstream},
    vault::{Connection, ConnectionKey, Credential, Status, Vault},
};
pub use arrivals::{Arrived, Recipient};
pub use base::Base;
use choices::Labels;
pub use connect::{Begun, Consent, NEEDS_RECONNECT, Standing, Tested, expiry};
use signer::Signer;
use tokio::time::Instant;
use url::Url;

/// One integration as this installation reaches it.
#[derive(Clone, Debug)]
pub struct Site {
    /// The vendor.
    pub integration: &'static Integration,
    /// Where its API is.
    pub base: Base,
    /// Where its OAuth is, when it has it.
    pub endpoints: Option<Endpoints>,
    /// The OAuth client from the settings; the vault is asked when there is none.
    pub app: Option<oauth::App>,
    /// Scopes to ask for instead of those that the tools need.
    pub scopes: Option<Vec<String>>,
    /// Where second hosts of the vendor are, unless they are where the vendor has them.
    pub hosts: BTreeMap<&'static str, Url>,
}

impl Site {
    /// The vendor's own addresses.
    ///
    /// # Errors
    /// An address of the integration is none.
    pub fn of(integration: &'static Integration) -> Result<Site, oauth::Error> {
        Site::set(integration, None, oauth::Overrides::default())
    }

    /// The addresses that an operator set, and the vendor's own for the others.
    ///
    /// # Errors
    /// An address is none.
    pub fn set(
        integration: &'static Integration,
        base: Option<&str>,
        mut overrides: oauth::Overrides,
    ) -> Result<Site, oauth::Error> {
        let provider = integration.oauth.as_ref();
        let own = provider.map(|provider| Endpoints::of(provider, &overrides)).transpose()?;
        let own = Base::of(integration, own.as_ref())?;
        let base = base.map_or_else(|| Ok(own.clone()), |address| own.clone().set_to(address))?;
        if let Some(look_up) = provider.and_then(|provider| provider.look_up).filter(|_| base.is_operators()) {
            overrides.look_up_url = Some(base.beside(url_path(look_up.url)));
        }
        let endpoints = provider.map(|provider| Endpoints::of(provider, &overrides)).transpose()?;
        Ok(Site { integration, base, endpoints, app: None, scopes: None, hosts: BTreeMap::new() })
    }
}

/// The accounts of all users. Clones share them.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

/// What accounts are made of.
pub struct Parts {
    /// Where credentials are.
    pub vault: Vault,
    /// Asks for consent and keeps grants fresh.
    pub broker: Broker,
    /// The way out.
    pub client: http::Client,
    /// Whose tools decide which rights are asked for; without it, all tools do.
    pub agents: Option<Agents>,
    /// The integrations that can be connected.
    pub sites: Vec<Site>,
    /// The time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
}

struct Inner {
    parts: Parts,
    sites: BTreeMap<&'static str, Site>,
    memories: Mutex<HashMap<ConnectionKey, Memory>>,
    labels: Labels,
    /// The tools that the operator offers at all.
    bound: OnceLock<Filters>,
}

impl Accounts {
    /// The accounts in a vault, at their sites.
    pub fn new(mut parts: Parts) -> Self {
        let sites = std::mem::take(&mut parts.sites).into_iter().map(|site| (site.integration.id, site)).collect();
        Accounts(Arc::new(Inner {
            parts,
            sites,
            memories: Mutex::default(),
            labels: Labels::default(),
            bound: OnceLock::new(),
        }))
    }

    /// Asks for no more rights than the tools within `filters` need. The first bound counts.
    pub fn bound_to(&self, filters: Filters) {
        let _ = self.0.bound.set(filters);
    }

    /// What everything is made of.
    pub(super) fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// Every integration that can be connected, by id.
    pub fn integrations(&self) -> impl Iterator<Item = &'static Integration> {
        self.0.sites.values().map(|site| site.integration)
    }

    /// The integration of that id.
    ///
    /// # Errors
    /// There is none; the error names the nearest.
    pub fn integration(&self, id: &str) -> Result<&'static Integration, Error> {
        self.site(id).map(|site| site.integration)
    }

    /// Every account of `user`, by integration and name.
    pub async fn connections(&self, user: &UserId) -> Result<Vec<Connection>, Error> {
        self.0.parts.vault.connections(user).await.map_err(Error::internal)
    }

    /// The names of the accounts of `user`, by integration.
    pub async fn names(&self, user: &UserId) -> Result<Vec<ConnectionKey>, Error> {
        let names = self.0.parts.vault.connection_names(&[user.as_str()]).await.map_err(Error::internal)?;
        Ok(names.into_iter().map(|(key, _)| key).collect())
    }

    /// The account of `user` that is meant: the one that is named, or the only one.
    ///
    /// # Errors
    /// There is none, or there are several and none is named.
    pub async fn connection(
        &self,
        user: &UserId,
        integration: &str,
        account: Option<&str>,
    ) -> Result<Connection, Error> {
        self.pick(user, self.site(integration)?.integration, account).await
    }

    /// The vendor as the account of `user` sees it, for one run of `row`.
    pub(super) async fn upstream(
        &self,
        user: &UserId,
        row: &Row,
        account: Option<&str>,
        until: Instant,
    ) -> Result<Upstream, Error> {
        let site = self.site(&row.toolset.id)?;
        let connection = self.pick(user, site.integration, account).await?;
        if let Status::NeedsReconnect { reason } = &connection.status {
            return Err(needs_reconnect(site.integration, &reason.to_string()));
        }
        let is_oauth = matches!(connection.credential, Credential::OAuth { .. });
        if is_oauth && !row.scopes().are_met_by(&connection.scopes) {
            return Err(missing_scope(site.integration, row));
        }
        self.upstream_of(site, connection, until).await
    }

    /// Requests signed for `connection`.
    async fn upstream_of(&self, site: &Site, connection: Connection, until: Instant) -> Result<Upstream, Error> {
        let mut lane = Lane::new(site.integration.id, site.base.of_connection(&connection)?)
            .on_behalf_of(connection.key.to_string(), self.signer(site, &connection).await?)
            .until(until);
        lane.rate = site.integration.rate;
        lane.rest = site.integration.rate.and_then(|rate| rate.rest);
        lane.is_limit = site.integration.is_limit;
        lane.status = site.integration.status;
        lane.allow_private = site.base.is_operators() || site.endpoints.as_ref().is_some_and(|one| one.allow_private);
        Ok(Upstream {
            client: self.0.parts.client.clone(),
            lane,
            memory: self.memory(&connection.key),
            account: Account { name: connection.key.account, metadata: connection.metadata },
            explain: site.integration.explain,
            hosts: hosts(site)?,
        })
    }

    async fn signer(&self, site: &Site, connection: &Connection) -> Result<Arc<dyn Authorize>, Error> {
        match (&connection.credential, &site.endpoints) {
            (Credential::Fields(fields), _) => Ok(Arc::new(Signer::new(site.integration.sign, fields.clone()))),
            (Credential::OAuth { .. }, Some(endpoints)) => {
                let app = self.app(site).await?;
                let broker = self.0.parts.broker.clone();
                Ok(Arc::new(Bearer::new(broker, connection.key.clone(), endpoints.clone(), app)))
            }
            (Credential::OAuth { .. }, None) => Err(needs_reconnect(site.integration, "it has no OAuth here any more")),
        }
    }

    /// A call that belongs to no tool: for probes.
    fn call(&self, user: UserId, upstream: Upstream) -> Call {
        let Parts { clock, entropy, .. } = &self.0.parts;
        Call::new(CallParts {
            id: CallId::fresh(&**entropy),
            user,
            clock: clock.clone(),
            entropy: entropy.clone(),
            upstream: Some(upstream),
            progress: None,
            confirmed: BTreeSet::new(),
            asking: Asking::default(),
            state: State::default(),
        })
    }

    /// The account that is meant: the one that is named, or the only one.
    async fn pick(
        &self,
        user: &UserId,
        integration: &'static Integration,
        account: Option<&str>,
    ) -> Result<Connection, Error> {
        let vault = &self.0.parts.vault;
        let key = if let Some(name) = account {
            // Nothing has such a name, and the store would not take it for one.
            if name.is_empty() || name.contains('\0') {
                return Err(not_connected(integration));
            }
            ConnectionKey::new(user.clone(), integration.id, name)
        } else {
            let names = vault.connection_names(&[user.as_str(), integration.id]).await.map_err(Error::internal)?;
            match &names[..] {
                [(only, _)] => only.clone(),
                [] => return Err(not_connected(integration)),
                several => return Err(ambiguous(integration, several.iter().map(|(key, _)| key))),
            }
        };
        let found = vault.listed_connection(&key).await.map_err(Error::internal)?;
        found.ok_or_else(|| not_connected(integration))
    }

    fn site(&self, integration: &str) -> Result<&Site, Error> {
        self.0.sites.get(integration).ok_or_else(|| {
            let near = crate::text::nearest(integration, self.0.sites.keys().copied());
            let known = || self.0.sites.keys().copied().collect::<Vec<_>>().join(", ");
            Error::not_found(format!("integration `{integration}`"))
                .next(near.map_or_else(|| format!("There are: {}.", known()), |near| format!("Did you mean `{near}`?")))
        })
    }

    fn memory(&self, key: &ConnectionKey) -> Memory {
        let mut memories = self.0.memories.lock().unwrap_or_else(PoisonError::into_inner);
        memories.entry(key.clone()).or_default().clone()
    }

    /// The vendors that are left alone for a while, because they failed again and again.
    pub fn resting(&self) -> BTreeSet<String> {
        self.0.parts.client.resting()
    }

    /// How attempts to renew a grant ended since the start.
    pub fn refreshes(&self) -> Refreshes {
        self.0.parts.broker.refreshes()
    }

    /// How large the store is.
    pub async fn store_report(&self) -> store::Result<Report> {
        self.store().report().await
    }

    /// The store below.
    pub(super) fn store(&self) -> &SharedStore {
        self.0.parts.vault.store()
    }

    /// [`forget`](Self::forget) for the connection that is stored under `record`.
    pub(super) fn forget_record(&self, record: &Key) {
        if let Some(key) = ConnectionKey::of_record(record) {
            self.forget(&key);
        }
    }

    /// Forgets what was looked up for any account.
    pub(super) fn forget_all(&self) {
        self.0.memories.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What was looked up for an account is no longer true when the account is another one.
    fn forget(&self, key: &ConnectionKey) {
        self.0.memories.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accounts at {} sites", self.0.sites.len())
    }
}

/// The second hosts of the vendor: where the operator or the sandbox has put them, or where the vendor has them.
fn hosts(site: &Site) -> Result<BTreeMap<&'static str, Url>, Error> {
    let address = |host: &Host| match site.hosts.get(host.id) {
        Some(moved) => Ok(moved.clone()),
        None => host.base_url.parse().map_err(Error::internal),
    };
    site.integration.hosts().into_iter().map(|host| Ok((host.id, address(host)?))).collect()
}

fn url_path(address: &str) -> &str {
    address.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("")
}

/// Nobody has connected the account yet.
pub(super) fn not_connected(integration: &Integration) -> Error {
    Error::new(Kind::NotConnected, format!("{} is not connected.", integration.title)).next(connect_it(integration))
}

fn needs_reconnect(integration: &Integration, reason: &str) -> Error {
    Error::new(Kind::Expired, format!("{} has to be connected again: {reason}.", integration.title))
        .next(connect_it(integration))
}

fn missing_scope(integration: &Integration, row: &Row) -> Error {
    let scopes = row.scopes().0.iter().map(|scope| (*scope).to_owned());
    let what =
        format!("The connected account of {} lacks a permission that `{}` needs.", integration.title, row.name());
    Error::missing_scope(what, scopes).next(format!(
        "Ask the person to connect it again: `switchboard connect {} --tool {}`.",
        integration.id,
        row.name()
    ))
}

/// What a model tells the person to do.
pub(super) fn connect_it(integration: &Integration) -> String {
    format!("Ask the person to connect it: `switchboard connect {}`.", integration.id)
}

fn ambiguous<'a>(integration: &Integration, several: impl Iterator<Item = &'a ConnectionKey>) -> Error {
    let names = several.map(|key| format!("`{}`", key.account));
    let names = names.collect::<Vec<_>>().join(", ");
    Error::new(Kind::Ambiguous, format!("Several accounts of {} are connected: {names}.", integration.title))
        .next("Say which one is meant.")
}
