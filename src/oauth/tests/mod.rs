//! The broker against small token servers on loopback.

mod consent;
mod device;
mod disk;
mod quirks;
mod refresh;
mod revoke;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};

use super::{App, Broker, Endpoints, Fresh, Overrides, Provider, Result};
use crate::{
    clock::ManualClock,
    http::testing::{Arrived, Reply, Server, client},
    id::{SeededEntropy, UserId},
    secret::Secret,
    store::{MemoryStore, Store},
    vault::{Connection, ConnectionKey, Credential, KeyRing, Status, Vault, When},
};

/// As Google's integrations have it.
const GOOGLE: Provider = Provider {
    family: "google",
    authorize_url: "https://accounts.google.com/o/oauth2/v2/auth",
    token_url: "https://oauth2.googleapis.com/token",
    revoke_url: Some("https://oauth2.googleapis.com/revoke"),
    extra: &[("access_type", "offline"), ("prompt", "consent")],
    ..Provider::STANDARD
};

/// One that rotates and notices a refresh token that comes back.
const ROTATING: Provider = Provider { family: "rotating", rotates: true, ..GOOGLE };

/// A node: a broker over a store that other nodes may share.
struct Node {
    broker: Broker,
    vault: Vault,
    clock: Arc<ManualClock>,
}

/// What nodes of one installation have in common.
struct Site {
    store: Arc<dyn Store>,
    keys: KeyRing,
    clock: Arc<ManualClock>,
}

impl Site {
    fn new() -> Self {
        Site::over(MemoryStore::new())
    }

    fn over(store: Arc<dyn Store>) -> Self {
        let clock = ManualClock::at(start());
        let keys = KeyRing::generate();
        Site { store, keys, clock }
    }

    async fn node(&self, seed: u64) -> Node {
        let clock = Arc::clone(&self.clock);
        let vault = Vault::open(Arc::clone(&self.store), self.keys.clone(), clock.clone()).await.unwrap();
        let broker = Broker::new(vault.clone(), client(), clock.clone(), SeededEntropy::new(seed));
        Node { broker, vault, clock }
    }
}

impl Node {
    async fn new() -> Self {
        Site::new().node(1).await
    }

    /// Stores a connection whose token lives for an hour.
    async fn connected(&self) -> ConnectionKey {
        self.connected_as("google-calendar", "anna@example.com").await
    }

    async fn connected_as(&self, integration: &str, email: &str) -> ConnectionKey {
        let connection = connection(integration, email);
        self.vault.save_connection(&connection, When::Absent).await.unwrap();
        connection.key
    }

    async fn stored(&self, key: &ConnectionKey) -> Connection {
        self.vault.connection(key).await.unwrap().unwrap()
    }

    fn later(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    async fn credential(&self, key: &ConnectionKey, server: &Server) -> Result<Fresh> {
        self.broker.credential(key, &endpoints(&ROTATING, server), &app()).await
    }

    async fn renew(&self, key: &ConnectionKey, tried: u64, server: &Server) -> Result<Fresh> {
        self.broker.renew(key, tried, &endpoints(&ROTATING, server), &app()).await
    }
}

fn start() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

fn connection(integration: &str, email: &str) -> Connection {
    Connection {
        key: ConnectionKey::new(UserId::new("local"), integration, "default"),
        credential: Credential::OAuth {
            access: Secret::new("access-1"),
            refresh: Some(Secret::new("refresh-1")),
            expires_at: start().checked_add(SignedDuration::from_hours(1)).ok(),
            extra: BTreeMap::from([("instance_url".to_owned(), "https://na1.example".to_owned())]),
        },
        generation: 1,
        status: Status::Active,
        scopes: vec!["events".to_owned()],
        metadata: BTreeMap::from([("email".to_owned(), email.to_owned()), ("family".to_owned(), "google".to_owned())]),
        client_id: Some("client-1".to_owned()),
        connected_at: start(),
        updated_at: start(),
    }
}

fn app() -> App {
    App { client_id: "client-1".to_owned(), client_secret: Some(Secret::new("s3cret")) }
}

/// The provider, with its servers on loopback.
fn endpoints(provider: &Provider, server: &Server) -> Endpoints {
    let url = |path: &str| Some(server.url(path).to_string());
    let overrides = Overrides {
        authorize_url: url("/authorize"),
        token_url: url("/token"),
        revoke_url: url("/revoke"),
        issuer: None,
        ..Overrides::default()
    };
    Endpoints::of(provider, &overrides).unwrap()
}

/// A token server that rotates: it takes only the newest refresh token, and ends the grant when an older one comes.
async fn rotating() -> Server {
    let newest = Mutex::new(Some(1));
    Server::start(move |_, request| {
        let mut newest = newest.lock().unwrap();
        let Some(number) = *newest else {
            return invalid_grant();
        };
        if request.form("refresh_token") != Some(format!("refresh-{number}")) {
            *newest = None;
            return invalid_grant();
        }
        *newest = Some(number + 1);
        pair(number + 1)
    })
    .await
}

fn pair(number: u32) -> Reply {
    let body = format!(r#"{{"access_token":"access-{number}","refresh_token":"refresh-{number}","expires_in":3600}}"#);
    Reply::json(200, &body)
}

fn invalid_grant() -> Reply {
    Reply::json(400, r#"{"error":"invalid_grant","error_description":"canary-description"}"#)
}

fn access(fresh: Result<Fresh>) -> String {
    fresh.unwrap().access.expose().to_owned()
}

impl Arrived {
    fn form(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.body.as_bytes());
        Some(pairs.find(|(known, _)| known == name)?.1.into_owned())
    }
}
