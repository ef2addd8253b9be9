//! The broker: who wants a token asks here.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use super::{
    App, Endpoints, Error, Result,
    refresh::{Flights, LEASE, Rest},
};
use crate::{
    clock::SharedClock,
    http::Client,
    id::{self, SharedEntropy},
    secret::Secret,
    vault::{Connection, ConnectionKey, Credential, Reason, Status, Vault},
};

/// How many refreshes of different connections may be under way at once.
const REFRESHES: usize = 64;

/// A token is renewed this long before it ends, or in the last tenth of its life when that is shorter.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Asks for consent, keeps grants fresh and ends them. Clones share everything.
#[derive(Clone)]
pub struct Broker(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) vault: Vault,
    pub(super) client: Client,
    pub(super) clock: SharedClock,
    pub(super) entropy: SharedEntropy,
    /// Who this node is, for leases.
    pub(super) holder: String,
    pub(super) flights: Mutex<Flights>,
    pub(super) resting: Mutex<HashMap<ConnectionKey, Rest>>,
    /// Connections that were renewed but could not be stored, with the generation that they replace.
    pub(super) unsaved: Mutex<HashMap<ConnectionKey, (u64, Connection)>>,
    pub(super) permits: Semaphore,
    /// How long a refresh may keep other nodes waiting.
    pub(super) lease: Duration,
    pub(super) refreshes: Mutex<Refreshes>,
}

/// How attempts to renew a grant ended since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshes {
    /// With new tokens.
    pub renewed: u64,
    /// With the end of the grant.
    pub ended: u64,
    /// For a reason that may pass.
    pub failed: u64,
}

/// An access token that works, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// Goes into the request.
    pub access: Secret,
    /// Which credential of the connection it is: to be named when the vendor refuses it.
    pub generation: u64,
    /// What the vendor sent along, such as `instance_url`.
    pub extra: BTreeMap<String, String>,
}

impl Fresh {
    pub(super) fn of(connection: &Connection) -> Result<Self> {
        let Credential::OAuth { access, extra, .. } = &connection.credential else {
            return Err(Error::NotOAuth(connection.key.clone()));
        };
        Ok(Fresh { access: access.clone(), generation: connection.generation, extra: extra.clone() })
    }
}

impl Broker {
    /// A broker over a vault.
    pub fn new(vault: Vault, client: Client, clock: SharedClock, entropy: SharedEntropy) -> Self {
        Broker::with_lease(vault, client, clock, entropy, LEASE)
    }

    /// A broker whose refreshes keep other nodes waiting for at most `lease`: what is left of one after a node died
    /// in the middle of it. It must be longer than a refresh takes.
    pub fn with_lease(
        vault: Vault,
        client: Client,
        clock: SharedClock,
        entropy: SharedEntropy,
        lease: Duration,
    ) -> Self {
        let holder = id::base32hex(&*entropy, 16);
        Broker(Arc::new(Inner {
            vault,
            client,
            clock,
            entropy,
            holder,
            flights: Mutex::default(),
            resting: Mutex::default(),
            unsaved: Mutex::default(),
            permits: Semaphore::new(REFRESHES),
            lease,
            refreshes: Mutex::default(),
        }))
    }

    /// An access token that is good for a while. One that is about to end is renewed first; as long as it has not
    /// ended, trouble with renewing it is no reason to fail.
    pub async fn credential(&self, key: &ConnectionKey, endpoints: &Endpoints, app: &App) -> Result<Fresh> {
        let connection = self.active(key).await?;
        let fresh = Fresh::of(&connection)?;
        let now = self.0.clock.now();
        if !is_due(&connection, now) {
            return Ok(fresh);
        }
        if refresh_token(&connection).is_none() {
            if is_over(&connection, now) {
                return self.bury(key, connection.generation, Reason::Expired).await;
            }
            return Ok(fresh);
        }
        match self.refreshed(key, connection.generation, endpoints, app).await {
            Err(error) if !is_final(&error) && !is_over(&connection, now) => {
                tracing::warn!(connection = %key, "using a token to its end, because it cannot be renewed: {error}");
                Ok(fresh)
            }
            outcome => outcome,
        }
    }

    /// A new access token in place of the one of generation `tried`, which the vendor refused. When it has been
    /// replaced already, the replacement.
    pub async fn renew(&self, key: &ConnectionKey, tried: u64, endpoints: &Endpoints, app: &App) -> Result<Fresh> {
        let connection = self.active(key).await?;
        if connection.generation > tried {
            return Fresh::of(&connection);
        }
        Fresh::of(&connection)?;
        if refresh_token(&connection).is_none() {
            return self.bury(key, connection.generation, Reason::Revoked).await;
        }
        self.refreshed(key, connection.generation, endpoints, app).await
    }

    /// How attempts to renew a grant ended since the start.
    pub fn refreshes(&self) -> Refreshes {
        *self.0.refreshes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a new token for the connection is being fetched by this process.
    pub fn is_refreshing(&self, key: &ConnectionKey) -> bool {
        self.flights().keys().any(|(flying, _)| flying == key)
    }

    /// The connection, unless a person has to do something about it.
    pub(super) async fn active(&self, key: &ConnectionKey) -> Result<Connection> {
        let connection = self.0.vault.connection(key).await?;
        let connection = connection.ok_or_else(|| Error::NotConnected(key.clone()))?;
        match connection.status {
            Status::NeedsReconnect { reason } => Err(Error::NeedsReconnect { key: key.clone(), reason }),
            Status::Active | Status::Refreshing => Ok(connection),
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broker({:?})", self.0.vault)
    }
}

pub(super) fn refresh_token(connection: &Connection) -> Option<&Secret> {
    match &connection.credential {
        Credential::OAuth { refresh, .. } => refresh.as_ref(),
        Credential::Fields(_) => None,
    }
}

fn ends(connection: &Connection) -> Option<Timestamp> {
    match connection.credential {
        Credential::OAuth { expires_at, .. } => expires_at,
        Credential::Fields(_) => None,
    }
}

pub(super) fn is_due(connection: &Connection, now: Timestamp) -> bool {
    let Some(end) = ends(connection) else { return false };
    let life = end.duration_since(connection.updated_at).max(SignedDuration::ZERO);
    now + MARGIN.min(life / 10) >= end
}

fn is_over(connection: &Connection, now: Timestamp) -> bool {
    ends(connection).is_some_and(|end| now >= end)
}

/// Whether the connection is gone, so that the old token must not be used either.
fn is_final(error: &Error) -> bool {
    matches!(error, Error::NeedsReconnect { .. } | Error::NotConnected(_) | Error::NotOAuth(_))
}
