//! Asking a person for consent, and taking the answer.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

use super::{
    App, Broker, Endpoints, Error, Names, Pkce, Result,
    confirm::Held,
    device::Device,
    place,
    refresh::{renewed, unavailable},
    token::{self, Refusal, Tokens},
    wire,
};
use crate::{
    http::Response,
    id::{self, UserId},
    secret::{self, Secret},
    store::{Change, Expect, Key, Table},
    vault::{Connection, ConnectionKey, Credential, Opened, Status},
};

/// How long a person may take.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// The longest code that is traded. Microsoft's are about two thousand characters.
const LONGEST_CODE: usize = 8192;

/// How often the result is written against others who write the same connection.
const WRITES: u32 = 5;

/// What consent is asked for.
#[derive(Clone, Debug)]
pub struct Start {
    /// The integration, such as `google-calendar`.
    pub integration: String,
    /// Its OAuth server.
    pub endpoints: Endpoints,
    /// Our registration there.
    pub app: App,
    /// Who asks.
    pub user: UserId,
    /// What the person calls the account.
    pub account: String,
    /// What the person named, where addresses depend on it.
    pub names: Names,
    /// What is asked for. The caller chooses the smallest that will do.
    pub scopes: Vec<String>,
    /// Where the vendor sends the person back, exactly as registered.
    pub redirect_uri: String,
    /// The page of ours to go to afterwards, such as `/integrations`.
    pub return_to: Option<String>,
    /// What only the browser that starts knows (a cookie), so that only it can finish. Without it, a person says on a
    /// page of ours whose account it becomes; see [`Broker::receive`].
    pub browser: Option<Secret>,
}

/// A consent under way.
#[derive(Clone, Debug)]
pub struct Started {
    /// Where to send the person.
    pub authorize_url: Url,
    /// When the answer is no longer taken.
    pub expires_at: Timestamp,
    /// What the callback brings back, for callers that wait for it.
    pub state: Secret,
}

/// What the vendor sends the browser back with.
#[derive(Clone, Debug, Default)]
pub struct Callback {
    /// To be traded for tokens.
    pub code: Option<Secret>,
    /// What [`Broker::start`] gave along.
    pub state: Option<Secret>,
    /// Who answers (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// What the browser knows, if it started.
    pub browser: Option<Secret>,
}

/// A consent that came to its good end.
#[derive(Clone, Debug)]
pub struct Connected {
    /// The connection, as it is stored.
    pub connection: Connection,
    /// Where the person wanted to go.
    pub return_to: Option<String>,
}

impl Callback {
    /// Reads the query of a callback. A parameter that comes twice is refused, because two readers could take
    /// different ones.
    pub fn parse(query: &str) -> Result<Self> {
        let mut callback = Callback::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            let twice = match &*name {
                "code" => callback.code.replace(Secret::new(value)).is_some(),
                "state" => callback.state.replace(Secret::new(value)).is_some(),
                "iss" => callback.iss.replace(value).is_some(),
                "error" => callback.error.replace(value).is_some(),
                _ => false,
            };
            if twice {
                return Err(Error::BadCallback);
            }
        }
        Ok(callback)
    }
}

/// What is remembered while the person is at the vendor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Consent {
    pub(super) key: ConnectionKey,
    pub(super) endpoints: Endpoints,
    pub(super) app: App,
    names: Names,
    scopes: Vec<String>,
    redirect_uri: String,
    return_to: Option<String>,
    /// The digest of what the browser knows.
    pub(super) browser: Option<String>,
    #[serde(serialize_with = "secret::exposed_option")]
    verifier: Option<Secret>,
    /// The code for a device, when there is no callback to wait for.
    #[serde(default)]
    pub(super) device: Option<Device>,
    /// The vendor's answer, while a person is asked whether it is meant.
    #[serde(default)]
    pub(super) held: Option<Held>,
    pub(super) expires_at: Timestamp,
    /// An answer came in and is being looked at; another one is too late.
    pub(super) claimed: bool,
}

impl Consent {
    pub(super) fn of(start: Start, endpoints: Endpoints, key: ConnectionKey, expires_at: Timestamp) -> Self {
        Consent {
            key,
            endpoints,
            app: start.app,
            names: start.names,
            scopes: start.scopes,
            redirect_uri: start.redirect_uri,
            return_to: start.return_to,
            browser: start.browser.as_ref().map(digest),
            verifier: None,
            device: None,
            held: None,
            expires_at,
            claimed: false,
        }
    }
}

impl Broker {
    /// Begins: remembers what is asked for and says where to send the person.
    pub async fn start(&self, start: Start) -> Result<Started> {
        check_redirect(&start.redirect_uri)?;
        if let Some(path) = start.return_to.as_deref().filter(|path| !is_local(path)) {
            return Err(Error::BadRequest(format!("return_to must be a path of this server, not {path:?}")));
        }
        let endpoints = start.endpoints.at(&start.names)?;
        let key = ConnectionKey::new(start.user.clone(), start.integration.clone(), start.account.clone());
        key.record()?;
        let state = id::token(&*self.0.entropy);
        let verifier = (endpoints.pkce != Pkce::Off).then(|| id::token(&*self.0.entropy));
        let now = self.0.clock.now();
        let expires_at = now.checked_add(PATIENCE).unwrap_or(now);
        let question = wire::Question {
            redirect_uri: &start.redirect_uri,
            scopes: &start.scopes,
            state: &state,
            verifier: verifier.as_ref(),
        };
        let authorize_url = wire::authorize_url(&endpoints, &start.app, &question)?;
        let consent = Consent { verifier, ..Consent::of(start, endpoints, key, expires_at) };
        self.0.vault.put(record(&state), &consent, Expect::Absent).await?;
        Ok(Started { authorize_url, expires_at, state })
    }

    /// Ends: checks that the answer is to a question of ours, trades the code and stores the connection.
    ///
    /// Whoever calls this for a consent that is bound to no browser has asked the person, who knows whose account it
    /// becomes; an answer that a browser brings goes through [`Broker::receive`], which asks.
    pub async fn callback(&self, callback: Callback) -> Result<Connected> {
        let state = callback.state.clone().ok_or(Error::BadState)?;
        let (key, consent) = self.open(&state).await?;
        if consent.value.browser.is_some() && consent.value.browser != callback.browser.as_ref().map(digest) {
            return Err(Error::OtherBrowser);
        }
        let consent = self.claim(&key, consent).await?;
        let code = check_answer(&consent.value, &callback);
        self.end(key, consent, code).await
    }

    /// Trades the code of a consent that was claimed, or forgets the consent when there is none.
    ///
    /// It goes on to its end even when the caller goes away, because the code is spent once the vendor has it.
    pub(super) async fn end(&self, key: Key, consent: Opened<Consent>, code: Result<Secret>) -> Result<Connected> {
        let broker = self.clone();
        let ending = tokio::spawn(async move {
            let outcome = match code {
                Ok(code) => broker.complete(&key, consent, &code).await,
                Err(error) => Err(error),
            };
            if outcome.is_err() {
                broker.0.vault.delete(key).await?;
            }
            outcome
        });
        ending.await.unwrap_or(Err(Error::BadCallback))
    }

    /// Forgets every consent of `user` that is under way. One whose code is being traded just now comes to nothing:
    /// its connection is stored only together with the end of its record.
    pub async fn forget_consents(&self, user: &UserId) -> Result<()> {
        let all = self.0.vault.list::<Consent>(Table::OAuthStates, b"").await?;
        for (id, _) in all.into_iter().filter(|(_, consent)| consent.value.key.user == *user) {
            self.0.vault.delete(Key::raw(Table::OAuthStates, id)).await?;
        }
        Ok(())
    }

    /// Removes consents that nobody came back from. Returns how many.
    pub async fn sweep(&self) -> Result<usize> {
        let now = self.0.clock.now();
        let all = self.0.vault.list::<Consent>(Table::OAuthStates, b"").await?;
        let over = all.into_iter().filter(|(_, consent)| consent.value.expires_at <= now);
        let changes: Vec<Change> =
            over.map(|(id, consent)| gone(Key::raw(Table::OAuthStates, id), consent.version)).collect();
        let count = changes.len();
        for change in changes {
            // Each on its own: one that is just being claimed does not hold up the others.
            match self.0.vault.commit(vec![change]).await {
                Err(error) if error.is_conflict() => {}
                outcome => drop(outcome?),
            }
        }
        Ok(count)
    }

    /// Finds the question to which this state belongs, when it still waits for its answer.
    pub(super) async fn open(&self, state: &Secret) -> Result<(Key, Opened<Consent>)> {
        let key = record(state);
        let found = self.0.vault.get::<Consent>(&key).await?.ok_or(Error::BadState)?;
        let consent = &found.value;
        if consent.claimed || consent.device.is_some() || consent.expires_at <= self.0.clock.now() {
            return Err(Error::BadState);
        }
        Ok((key, found))
    }

    /// Lets no other answer to the question through.
    pub(super) async fn claim(&self, key: &Key, mut found: Opened<Consent>) -> Result<Opened<Consent>> {
        found.value.claimed = true;
        self.keep(key, found).await
    }

    /// Writes what is remembered of a consent, unless somebody else was first.
    pub(super) async fn keep(&self, key: &Key, found: Opened<Consent>) -> Result<Opened<Consent>> {
        match self.0.vault.put(key.clone(), &found.value, Expect::Version(found.version)).await {
            Err(error) if error.is_conflict() => Err(Error::BadState),
            Err(error) => Err(error.into()),
            Ok(version) => Ok(Opened { version, ..found }),
        }
    }

    async fn complete(&self, key: &Key, consent: Opened<Consent>, code: &Secret) -> Result<Connected> {
        let Opened { value: consent, version } = consent;
        let asked_at = self.0.clock.now();
        let answer = self.trade(&consent, code).await?;
        self.accept(&consent, &answer, asked_at, gone(key.clone(), version)).await
    }

    /// Reads what came of a consent and stores it.
    pub(super) async fn accept(
        &self,
        consent: &Consent,
        answer: &Response,
        asked_at: Timestamp,
        done: Change,
    ) -> Result<Connected> {
        let mut tokens = token::read(answer, &consent.endpoints).map_err(|refusal| refused(consent, refusal))?;
        self.settle_place(consent, &mut tokens).await?;
        let connection = self.connect(consent, tokens, asked_at, done).await?;
        Ok(Connected { connection, return_to: consent.return_to.clone() })
    }

    async fn trade(&self, consent: &Consent, code: &Secret) -> Result<Response> {
        let trade = wire::Trade { code, redirect_uri: &consent.redirect_uri, verifier: consent.verifier.as_ref() };
        let (lane, request) = wire::exchange(&consent.endpoints, &consent.app, &trade)?;
        // A code is good for one use; the client repeats only what surely did not arrive.
        let answer = self.0.client.send(&lane, request.attempts(2)).await;
        answer.map_err(|error| refused(consent, Refusal::Passing(error.to_string())))
    }

    /// Finds out where the account's API is. Before anything is stored: a token must not go to a place that is not
    /// the vendor's.
    async fn settle_place(&self, consent: &Consent, tokens: &mut Tokens) -> Result<()> {
        if !place::cleaned(&consent.endpoints, tokens) {
            return Err(Error::ForeignInstance(consent.endpoints.family.clone()));
        }
        let found = self.place(&consent.endpoints, tokens, &consent.names).await?;
        tokens.extra.extend(consent.names.clone());
        tokens.extra.extend(found);
        Ok(())
    }

    /// Stores the connection and forgets the question, in one transaction.
    async fn connect(&self, consent: &Consent, tokens: Tokens, at: Timestamp, done: Change) -> Result<Connection> {
        for attempt in 1.. {
            let earlier = self.0.vault.opened_connection(&consent.key).await?;
            let (generation, expect) = match &earlier {
                Some(earlier) => (earlier.value.generation, Expect::Version(earlier.version)),
                None => (0, Expect::Absent),
            };
            let connection = granted(consent, tokens.clone(), at, generation);
            let put = self.0.vault.seal_connection(&connection, expect)?;
            match self.0.vault.commit(vec![put, done.clone()]).await {
                Err(error) if error.is_conflict() && !self.is_under_way(&done).await? => {
                    return self.too_late(consent, &connection).await;
                }
                Err(error) if error.is_conflict() && attempt < WRITES => {}
                outcome => {
                    outcome?;
                    self.forget_unsaved(&consent.key);
                    return Ok(connection);
                }
            }
        }
        unreachable!("the loop ends by returning")
    }

    /// Whether the record that `done` ends is still there.
    async fn is_under_way(&self, done: &Change) -> Result<bool> {
        let Change::Delete { key, .. } = done else { return Ok(true) };
        Ok(self.0.vault.get::<Consent>(key).await?.is_some())
    }

    /// The consent was taken back while its code was traded: the grant must not live on at the vendor.
    async fn too_late(&self, consent: &Consent, connection: &Connection) -> Result<Connection> {
        let revoked = self.revoke(connection, &consent.endpoints, &consent.app).await;
        tracing::info!(connection = %connection.key, ?revoked, "a consent came after its end");
        Err(Error::BadState)
    }
}

/// The code of an answer, when the answer comes from the server that was asked and says yes.
pub(super) fn check_answer(consent: &Consent, callback: &Callback) -> Result<Secret> {
    check_issuer(&consent.endpoints, callback.iss.as_deref())?;
    if callback.error.is_some() {
        return Err(Error::Denied);
    }
    let code = callback.code.clone().filter(|code| (1..=LONGEST_CODE).contains(&code.expose().len()));
    code.ok_or(Error::BadCallback)
}

/// The connection that a consent leads to. Nothing of an earlier one of that name stays: it may be another account.
fn granted(consent: &Consent, tokens: Tokens, at: Timestamp, generation: u64) -> Connection {
    let blank = Connection {
        key: consent.key.clone(),
        credential: Credential::Fields(std::collections::BTreeMap::new()),
        generation,
        status: Status::Active,
        scopes: consent.scopes.clone(),
        metadata: std::collections::BTreeMap::new(),
        client_id: Some(consent.app.client_id.clone()),
        connected_at: at,
        updated_at: at,
    };
    let mut connection = renewed(&blank, tokens, at);
    connection.metadata.insert("family".to_owned(), consent.endpoints.family.clone());
    connection
}

fn refused(consent: &Consent, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Dead(_) => Error::BadCallback,
        Refusal::Passing(why) => unavailable(&consent.endpoints, &format!("{why}. Start again"), Duration::ZERO),
        Refusal::Client(code) => Error::ClientRefused { family: consent.endpoints.family.clone(), code },
    }
}

/// The record of a state. Its id is a digest, so that the store gives away no state that could be used.
pub(super) fn record(state: &Secret) -> Key {
    Key::raw(Table::OAuthStates, digest(state))
}

pub(super) fn gone(key: Key, version: u64) -> Change {
    Change::Delete { key, expect: Expect::Version(version) }
}

pub(super) fn digest(secret: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.expose().as_bytes()))
}

/// Mixing up servers is how a code gets into the wrong hands (RFC 9207). Where an issuer is known, an answer that does
/// not name it is as good as one that names another: whoever mixes servers up leaves the name out.
fn check_issuer(endpoints: &Endpoints, iss: Option<&str>) -> Result<()> {
    match &endpoints.issuer {
        Some(known) if iss != Some(known) => Err(Error::OtherIssuer),
        _ => Ok(()),
    }
}

fn check_redirect(uri: &str) -> Result<()> {
    let bad =
        || Error::Setup(format!("the redirect URI {uri:?} must be https, or http on loopback, without a fragment"));
    let url = Url::parse(uri).map_err(|_| bad())?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let fits = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    if fits && url.fragment().is_none() && url.username().is_empty() { Ok(()) } else { Err(bad()) }
}

/// A path of this server: browsers take `//host` and `/\host` for other servers.
fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(|c| c.is_control() || c.is_whitespace())
}
