//! Accounts come and go: consent, keys, tests, farewells.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Accounts, Site, connect_it, not_connected};
use crate::{
    id::UserId,
    oauth::{self, Callback, Endpoints, Revoked, Start, Started, StartedOnDevice},
    secret::Secret,
    tool::{Error, Identity, Integration, Kind, sentence},
    vault::{Connection, ConnectionKey, Credential, Status, When},
};

/// How long a vendor may take to say whose account it is.
const PROBE: Duration = Duration::from_secs(15);

/// How many idle grants are looked at side by side.
const AT_ONCE: usize = 8;

/// What a person is asked to consent to.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Whose account it will be.
    pub user: UserId,
    /// Such as `google-calendar`.
    pub integration: String,
    /// What the person calls the account.
    pub account: String,
    /// Where the vendor sends the person back, exactly as registered.
    pub redirect_uri: String,
    /// What the person named, where the vendor's addresses depend on it.
    pub names: oauth::Names,
    /// Tools whose rights are asked for in any case, beside those of the agents.
    pub tools: Vec<String>,
    /// The page of ours to go to afterwards.
    pub return_to: Option<String>,
    /// What only the browser that starts knows.
    pub browser: Option<Secret>,
}

/// A consent under way.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The vendor.
    pub integration: &'static Integration,
    /// Where to send the person, and until when.
    pub started: Started,
}

/// How a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `active`, `refreshing` or `needs_reconnect`.
    pub status: &'static str,
    /// Why it has to be connected again, or what keeps an active one from being renewed at the moment.
    pub reason: Option<String>,
}

/// The status that only a person can end.
pub const NEEDS_RECONNECT: &str = "needs_reconnect";

/// What a test found.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The vendor.
    pub integration: &'static Integration,
    /// Which connection.
    pub key: ConnectionKey,
    /// Whose account the vendor says it is.
    pub identity: Identity,
    /// How long it took.
    pub latency: Duration,
}

impl Accounts {
    /// Begins to connect an account through the vendor's consent page.
    pub async fn start(&self, consent: Consent) -> Result<Begun, Error> {
        let site = self.site(&consent.integration)?;
        let start = self.to_start(site, consent).await?;
        let started = self.0.parts.broker.start(start).await.map_err(|error| broken(site.integration, error))?;
        Ok(Begun { integration: site.integration, started })
    }

    /// Begins to connect an account through a code that the person types in elsewhere.
    pub async fn start_on_device(&self, consent: Consent) -> Result<StartedOnDevice, Error> {
        let site = self.site(&consent.integration)?;
        if !site.endpoints.as_ref().is_some_and(Endpoints::has_device_flow) {
            let what = format!("{} hands out no codes for devices.", site.integration.title);
            return Err(Error::new(Kind::NotAllowed, what)
                .next("Use `--print-url`: it works on a machine without a browser, too."));
        }
        let start = self.to_start(site, consent).await?;
        self.0.parts.broker.start_on_device(start).await.map_err(|error| broken(site.integration, error))
    }

    /// Asks whether the person has consented elsewhere; `None` when not yet.
    pub async fn finish_on_device(&self, ticket: &Secret) -> Result<Option<Connection>, Error> {
        let connected = self.0.parts.broker.poll_device(ticket).await.map_err(refused_consent)?;
        let Some(connected) = connected else { return Ok(None) };
        self.settled(connected.connection).await.map(Some)
    }

    async fn to_start(&self, site: &Site, consent: Consent) -> Result<Start, Error> {
        let endpoints = site.endpoints.clone().ok_or_else(|| no_consent_page(site.integration))?;
        check_asked(site.integration, &endpoints, &consent.names)?;
        let key = ConnectionKey::new(consent.user, consent.integration, named(&consent.account)?);
        Ok(Start {
            endpoints,
            app: self.app(site).await?,
            scopes: self.scopes_for(site, &key, &consent.tools).await?,
            integration: key.integration,
            user: key.user,
            account: key.account,
            names: consent.names,
            redirect_uri: consent.redirect_uri,
            return_to: consent.return_to,
            browser: consent.browser,
        })
    }

    /// Finishes what [`start`](Self::start) began, for somebody who knows whose account it becomes, such as the person
    /// at the terminal. The answer is the connection, and where the person wanted to go.
    ///
    /// # Errors
    /// Nothing of what the browser brought is repeated.
    pub async fn finish(&self, callback: Callback) -> Result<(Connection, Option<String>), Error> {
        let connected = self.0.parts.broker.callback(callback).await.map_err(refused_consent)?;
        Ok((self.settled(connected.connection).await?, connected.return_to))
    }

    /// A connection that was just stored, with the name that the vendor has for it.
    pub(super) async fn settled(&self, connection: Connection) -> Result<Connection, Error> {
        self.forget(&connection.key);
        self.kept_for_somebody(&connection).await?;
        Ok(self.introduce(connection).await)
    }

    /// Connects an account with keys or tokens. They are tried at the vendor before they are kept.
    pub async fn connect_with_fields(
        &self,
        user: &UserId,
        integration: &str,
        account: &str,
        fields: BTreeMap<String, Secret>,
    ) -> Result<Connection, Error> {
        let site = self.site(integration)?;
        check_fields(site.integration, &fields)?;
        let now = self.0.parts.clock.now();
        let mut connection = Connection {
            key: ConnectionKey::new(user.clone(), integration, named(account)?),
            credential: Credential::Fields(fields),
            generation: 1,
            status: Status::Active,
            scopes: Vec::new(),
            metadata: BTreeMap::new(),
            client_id: None,
            connected_at: now,
            updated_at: now,
        };
        let identity = self.probe(site, connection.clone()).await?;
        connection.metadata.insert("name".into(), identity.name);
        self.0.parts.vault.save_connection(&connection, When::Always).await.map_err(Error::internal)?;
        self.forget(&connection.key);
        self.kept_for_somebody(&connection).await?;
        Ok(connection)
    }

    /// Keeps a connection as it is: how the sandbox comes to its own.
    pub async fn adopt(&self, connection: &Connection) -> Result<(), Error> {
        self.0.parts.vault.save_connection(connection, When::Always).await.map_err(Error::internal)?;
        self.forget(&connection.key);
        Ok(())
    }

    /// Asks the vendor whether a connection works.
    pub async fn test(&self, user: &UserId, integration: &str, account: Option<&str>) -> Result<Tested, Error> {
        let site = self.site(integration)?;
        let connection = self.pick(user, site.integration, account).await?;
        if let Status::NeedsReconnect { reason } = &connection.status {
            return Err(super::needs_reconnect(site.integration, &reason.to_string()));
        }
        let key = connection.key.clone();
        let began = Instant::now();
        let identity = self.probe(site, connection).await?;
        Ok(Tested { integration: site.integration, key, identity, latency: began.elapsed() })
    }

    /// Ends a connection, at the vendor too where no other connection lives of the same grant.
    pub async fn disconnect(
        &self,
        user: &UserId,
        integration: &str,
        account: Option<&str>,
    ) -> Result<(ConnectionKey, Revoked), Error> {
        let site = self.site(integration)?;
        let key = self.pick(user, site.integration, account).await?.key;
        let revoked = if let (Some(endpoints), Ok(app)) = (&site.endpoints, self.app(site).await) {
            let gone = self.0.parts.broker.disconnect(&key, endpoints, &app).await;
            gone.map_err(|error| broken(site.integration, error))?
        } else {
            self.0.parts.vault.remove_connection(&key).await.map_err(Error::internal)?;
            Revoked::NotOffered
        };
        self.forget(&key);
        Ok((key, revoked))
    }

    /// Looks at every grant of every user, so that one whose token has run out is renewed before the vendor ends it
    /// for being idle. Trouble shows in the connection's status and is not repeated here.
    pub async fn keep_alive(&self) {
        let names = self.0.parts.vault.connection_names(&[]).await.unwrap_or_default();
        let keys = names.into_iter().map(|(key, _)| key);
        futures_util::stream::iter(keys).for_each_concurrent(AT_ONCE, |key| self.keep_one_alive(key)).await;
    }

    async fn keep_one_alive(&self, key: ConnectionKey) {
        let Some(site) = self.0.sites.get(key.integration.as_str()) else { return };
        if let (Some(endpoints), Ok(app)) = (&site.endpoints, self.app(site).await)
            && let Err(error) = self.0.parts.broker.credential(&key, endpoints, &app).await
        {
            tracing::debug!(connection = %key, %error, "an idle grant was not renewed");
        }
    }

    /// How a connection is, for people to see: also what only this process knows about it.
    pub fn standing(&self, connection: &Connection) -> Standing {
        let broker = &self.0.parts.broker;
        let key = &connection.key;
        match &connection.status {
            Status::NeedsReconnect { reason } => Standing { status: NEEDS_RECONNECT, reason: Some(reason.to_string()) },
            _ if broker.is_refreshing(key) => Standing { status: "refreshing", reason: None },
            Status::Refreshing => Standing { status: "refreshing", reason: None },
            Status::Active => Standing { status: "active", reason: broker.trouble(key) },
        }
    }

    /// The vendor families with a consent page: those that have an OAuth client here, and those that have none.
    pub async fn clients(&self) -> Result<(Vec<String>, Vec<String>), Error> {
        let kept = self.0.parts.vault.oauth_apps().await.map_err(Error::internal)?;
        let has =
            |site: &Site| site.app.is_some() || kept.iter().any(|(family, _)| family == site.integration.family());
        let sites = self.0.sites.values().filter(|site| site.endpoints.is_some());
        let (with, without): (Vec<&Site>, Vec<&Site>) = sites.partition(|site| has(site));
        let families = |sites: Vec<&Site>| {
            let families: BTreeSet<String> = sites.iter().map(|site| site.integration.family().to_owned()).collect();
            families.into_iter().collect()
        };
        Ok((families(with), families(without)))
    }

    /// Asks the vendor whose account it is, and remembers the name. A vendor that does not answer just now does not
    /// undo a consent.
    async fn introduce(&self, mut connection: Connection) -> Connection {
        let Ok(site) = self.site(&connection.key.integration) else { return connection };
        match self.probe(site, connection.clone()).await {
            Ok(identity) => {
                connection.metadata.insert("name".into(), identity.name);
                let kept =
                    self.0.parts.vault.save_connection(&connection, When::Generation(connection.generation)).await;
                if let Err(error) = kept {
                    tracing::warn!(%error, "the name of an account was not kept");
                }
            }
            Err(error) => tracing::warn!(%error, "a new connection was not tested"),
        }
        connection
    }

    async fn probe(&self, site: &Site, connection: Connection) -> Result<Identity, Error> {
        let user = connection.key.user.clone();
        let upstream = self.upstream_of(site, connection, Instant::now() + PROBE).await?;
        let call = self.call(user, upstream);
        (site.integration.probe)(&call).await
    }
}

/// Account names go into keys, commands and addresses.
fn named(account: &str) -> Result<String, Error> {
    let fits = |c: char| c.is_alphanumeric() || "-_.@+".contains(c);
    let account = account.trim();
    if !account.is_empty() && account.chars().count() <= 64 && account.chars().all(fits) {
        return Ok(account.to_owned());
    }
    Err(Error::arguments(["an account's name is 1 to 64 letters, digits or `-_.@+`".into()]))
}

/// What the person has to name, and what nobody asks for.
fn check_asked(integration: &Integration, endpoints: &Endpoints, names: &oauth::Names) -> Result<(), Error> {
    let asks = integration.oauth.as_ref().map_or(&[][..], |provider| provider.asks);
    let help = |name: &str| asks.iter().find(|ask| ask.name == name).map_or("", |ask| ask.help);
    let missing = endpoints.needs().filter(|name| names.get(*name).is_none_or(String::is_empty));
    let missing: BTreeSet<_> = missing.collect();
    let unknown = names.keys().filter(|name| !asks.iter().any(|ask| ask.name == **name));
    let problems: Vec<_> = missing
        .into_iter()
        .map(|name| format!("`{name}` is missing: {}", help(name)))
        .chain(unknown.map(|name| format!("{} does not ask for `{name}`", integration.title)))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::arguments(problems)) }
}

fn check_fields(integration: &Integration, fields: &BTreeMap<String, Secret>) -> Result<(), Error> {
    if integration.fields.is_empty() {
        return Err(
            Error::new(Kind::NotAllowed, format!("{} takes no key.", integration.title)).next(connect_it(integration))
        );
    }
    let missing = integration
        .fields
        .iter()
        .filter(|field| field.required && fields.get(field.name).is_none_or(|value| value.expose().trim().is_empty()));
    let unknown = fields.keys().filter(|name| !integration.fields.iter().any(|field| field.name == **name));
    let problems: Vec<_> = missing
        .map(|field| format!("`{}` is missing: {}", field.name, field.help))
        .chain(unknown.map(|name| format!("`{name}` is no field of {}", integration.title)))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::arguments(problems)) }
}

fn no_consent_page(integration: &Integration) -> Error {
    Error::new(Kind::NotAllowed, format!("{} has no sign-in page.", integration.title))
        .next(format!("Give a key: `switchboard connect {} --api-key-stdin`.", integration.id))
}

fn broken(integration: &Integration, error: oauth::Error) -> Error {
    let (kind, next) = match &error {
        oauth::Error::NotConnected(_) => return not_connected(integration),
        oauth::Error::NeedsReconnect { .. } | oauth::Error::OtherClient(_) => {
            (Kind::Expired, Some(connect_it(integration)))
        }
        oauth::Error::BadRequest(_) => (Kind::Arguments, None),
        oauth::Error::Unavailable { .. } => (Kind::Busy, None),
        oauth::Error::ClientRefused { .. } | oauth::Error::Setup(_) => (Kind::NotAllowed, None),
        _ => (Kind::Internal, None),
    };
    let pause = if let oauth::Error::Unavailable { retry_after, .. } = &error { Some(*retry_after) } else { None };
    let told = Error::new(kind, format!("{}: {error}.", integration.title)).after(pause);
    let told = if let Some(next) = next { told.next(next) } else { told };
    told.because(error)
}

/// A sign-in that did not come to its end. The texts of these errors hold nothing that the browser brought.
pub(super) fn refused_consent(error: oauth::Error) -> Error {
    let kind = match &error {
        oauth::Error::Unavailable { .. } => Kind::Busy,
        oauth::Error::Vault(_) => Kind::Internal,
        _ => Kind::NotAllowed,
    };
    Error::new(kind, sentence(&error.to_string())).because(error)
}

/// When an access token runs out, where the vendor says so.
pub fn expiry(connection: &Connection) -> Option<Timestamp> {
    match &connection.credential {
        Credential::OAuth { expires_at, .. } => *expires_at,
        Credential::Fields(_) => None,
    }
}
