//! Connected accounts: where a tool's integration and a credential are brought together.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;
use url::Url;

use crate::{
    http::{self, Authorize, AuthorizeError, HeaderMap, Lane, Pending},
    id::UserId,
    secret::Secret,
    tool::{Account, Error, Integration, Kind, Memory, Upstream},
    vault::{Connection, ConnectionKey, Credential, Status, Vault},
};

/// One integration as this installation reaches it.
#[derive(Clone, Debug)]
pub struct Site {
    /// The vendor.
    pub integration: &'static Integration,
    /// Where its API is.
    pub base: Url,
}

/// The accounts of all users.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    vault: Vault,
    client: http::Client,
    sites: BTreeMap<&'static str, Site>,
    memories: Mutex<HashMap<ConnectionKey, Memory>>,
}

impl Accounts {
    /// The accounts in `vault`, at these sites.
    pub fn new(vault: Vault, client: http::Client, sites: impl IntoIterator<Item = Site>) -> Self {
        let sites = sites.into_iter().map(|site| (site.integration.id, site)).collect();
        Accounts(Arc::new(Inner { vault, client, sites, memories: Mutex::default() }))
    }

    /// Every integration that can be connected, by id.
    pub fn integrations(&self) -> impl Iterator<Item = &'static Integration> {
        self.0.sites.values().map(|site| site.integration)
    }

    /// The integrations of which `user` has an account, working or not.
    pub async fn connected(&self, user: &UserId) -> Result<BTreeSet<String>, Error> {
        let connections = self.connections(user).await?;
        Ok(connections.into_iter().map(|connection| connection.key.integration).collect())
    }

    /// Every account of `user`, by integration and name.
    pub async fn connections(&self, user: &UserId) -> Result<Vec<Connection>, Error> {
        self.0.vault.connections(user).await.map_err(Error::internal)
    }

    /// The vendor as the account of `user` sees it.
    pub(super) async fn upstream(
        &self,
        user: &UserId,
        integration: &str,
        account: Option<&str>,
        until: Instant,
    ) -> Result<Upstream, Error> {
        let site = self.0.sites.get(integration).ok_or_else(|| Error::internal("an integration without a site"))?;
        let connection = self.pick(user, site.integration, account).await?;
        if let Status::NeedsReconnect { reason } = &connection.status {
            return Err(needs_reconnect(site.integration, &reason.to_string()));
        }
        let signer = Signer { sign: site.integration.sign, credential: connection.credential.clone() };
        let mut lane = Lane::new(integration.to_owned(), site.base.clone())
            .on_behalf_of(connection.key.to_string(), Arc::new(signer))
            .until(until);
        lane.rate = site.integration.rate;
        lane.is_limit = site.integration.is_limit;
        Ok(Upstream {
            client: self.0.client.clone(),
            lane,
            memory: self.memory(&connection.key),
            account: Account { name: connection.key.account, metadata: connection.metadata },
            explain: site.integration.explain,
        })
    }

    /// The account that is meant: the one that is named, or the only one.
    async fn pick(
        &self,
        user: &UserId,
        integration: &'static Integration,
        account: Option<&str>,
    ) -> Result<Connection, Error> {
        let mut connections = self.connections(user).await?;
        connections.retain(|connection| connection.key.integration == integration.id);
        connections.retain(|connection| account.is_none_or(|name| connection.key.account == name));
        match connections.len() {
            0 => Err(not_connected(integration)),
            1 => Ok(connections.remove(0)),
            _ => Err(ambiguous(integration, &connections)),
        }
    }

    fn memory(&self, key: &ConnectionKey) -> Memory {
        let mut memories = self.0.memories.lock().unwrap_or_else(PoisonError::into_inner);
        memories.entry(key.clone()).or_default().clone()
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accounts at {} sites", self.0.sites.len())
    }
}

fn not_connected(integration: &Integration) -> Error {
    Error::new(Kind::NotConnected, format!("{} is not connected.", integration.title))
        .next(format!("Ask the person to run `switchboard connect {}`.", integration.id))
}

fn ambiguous(integration: &Integration, connections: &[Connection]) -> Error {
    let names = connections.iter().map(|connection| format!("`{}`", connection.key.account));
    let names = names.collect::<Vec<_>>().join(", ");
    Error::new(Kind::Ambiguous, format!("Several accounts of {} are connected: {names}.", integration.title))
        .next("Say which one is meant.")
}

fn needs_reconnect(integration: &Integration, reason: &str) -> Error {
    Error::new(Kind::Expired, format!("{} has to be connected again: {reason}.", integration.title))
        .next(format!("Ask the person to run `switchboard connect {}`.", integration.id))
}

/// Puts one account's credential on requests.
struct Signer {
    sign: fn(&BTreeMap<String, Secret>) -> HeaderMap,
    credential: Credential,
}

impl Authorize for Signer {
    fn headers(&self) -> Pending<'_, Result<HeaderMap, AuthorizeError>> {
        Box::pin(async {
            Ok(match &self.credential {
                Credential::OAuth { access, .. } => (self.sign)(&BTreeMap::from([("token".into(), access.clone())])),
                Credential::Fields(fields) => (self.sign)(fields),
            })
        })
    }

    fn refused(&self) -> Pending<'_, Result<bool, AuthorizeError>> {
        Box::pin(async { Ok(false) })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}
