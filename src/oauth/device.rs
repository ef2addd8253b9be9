//! Consent on another device (RFC 8628): a code to type in on a page, for machines without a browser.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::{
    Broker, Connected, Endpoints, Error, Result, Start,
    consent::{Consent, gone, record},
    refresh::unavailable,
    token, wire,
};
use crate::{
    config, http, id,
    secret::{self, Secret},
    store::{Expect, Key},
    vault::{ConnectionKey, Opened},
};

/// How often the vendor is asked when it does not say (RFC 8628 §3.2).
const USUAL_INTERVAL: u32 = 5;

/// How much longer the pause becomes when the vendor asks for patience (§3.5), or does not answer.
const SLOWER: u32 = 5;

/// How long a code counts at most, whatever the vendor says.
const LONGEST: SignedDuration = SignedDuration::from_mins(30);

/// A consent that a person gives elsewhere.
#[derive(Clone, Debug)]
pub struct StartedOnDevice {
    /// What the person types in.
    pub user_code: String,
    /// Where: a page of the vendor.
    pub page: Url,
    /// The same page with the code filled in, where the vendor has that.
    pub page_with_code: Option<Url>,
    /// How often [`Broker::poll_device`] makes sense.
    pub interval: Duration,
    /// When the code no longer counts.
    pub expires_at: Timestamp,
    /// Names this consent for [`Broker::poll_device`].
    pub ticket: Secret,
}

/// What is remembered of a code for a device.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Device {
    #[serde(serialize_with = "secret::exposed")]
    code: Secret,
    /// Seconds between two questions.
    interval: u32,
    /// The vendor is not asked before.
    next: Timestamp,
}

impl Broker {
    /// Begins: fetches a code, and says where the person types it in.
    ///
    /// # Errors
    /// The vendor has no such way, or hands out no code. Redirect URI, `return_to` and browser are not looked at.
    pub async fn start_on_device(&self, start: Start) -> Result<StartedOnDevice> {
        let endpoints = start.endpoints.at(&start.names)?;
        let key = ConnectionKey::new(start.user.clone(), start.integration.clone(), start.account.clone());
        key.record()?;
        let (lane, request) = wire::device(&endpoints, &start.app, &start.scopes)?;
        let failed = |why: &str| unavailable(&endpoints, why, Duration::ZERO);
        let answer = self.0.client.send(&lane, request.attempts(2)).await;
        let answer = answer.map_err(|error| failed(&format!("is out of reach: {error}")))?;
        if let Some(code) = token::code(&answer) {
            return Err(Error::ClientRefused { family: endpoints.family.clone(), code });
        }
        let now = self.0.clock.now();
        let handed = Handed::read(&answer).ok_or_else(|| failed("handed out no code"))?;
        let expires_at = now.checked_add(handed.lifetime).unwrap_or(now);
        let ticket = id::token(&*self.0.entropy);
        let device = Device { code: handed.code, interval: handed.interval, next: later(now, handed.interval) };
        let mut consent = Consent::of(start, endpoints, key, expires_at);
        consent.device = Some(device);
        self.0.vault.put(record(&ticket), &consent, Expect::Absent).await?;
        Ok(StartedOnDevice {
            user_code: handed.user_code,
            page: handed.page,
            page_with_code: handed.page_with_code,
            interval: Duration::from_secs(handed.interval.into()),
            expires_at,
            ticket,
        })
    }

    /// Asks whether the person has consented; `None` when not yet. Asking too often does no harm: the vendor hears
    /// of it only at its own pace.
    ///
    /// # Errors
    /// The person said no, the code is over, or the vendor refuses us.
    pub async fn poll_device(&self, ticket: &Secret) -> Result<Option<Connected>> {
        let key = record(ticket);
        let found = self.0.vault.get::<Consent>(&key).await?.ok_or(Error::BadState)?;
        let now = self.0.clock.now();
        let Some(device) = found.value.device.clone().filter(|_| found.value.expires_at > now) else {
            return Err(Error::BadState);
        };
        if now < device.next {
            return Ok(None);
        }
        let Some(held) = self.pace(&key, &found, device.interval).await? else { return Ok(None) };
        let broker = self.clone();
        // It goes on even when nobody waits any more: the code is spent once the vendor has answered.
        let asking = tokio::spawn(async move { broker.ask_for_device(&key, held, &device.code).await });
        asking.await.unwrap_or(Err(Error::BadCallback))
    }

    /// Notes when the next question is due; `None` when somebody else has just asked.
    async fn pace(&self, key: &Key, found: &Opened<Consent>, interval: u32) -> Result<Option<Opened<Consent>>> {
        let mut consent = found.value.clone();
        if let Some(device) = &mut consent.device {
            device.interval = interval;
            device.next = later(self.0.clock.now(), interval);
        }
        match self.0.vault.put(key.clone(), &consent, Expect::Version(found.version)).await {
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error.into()),
            Ok(version) => Ok(Some(Opened { value: consent, version })),
        }
    }

    async fn ask_for_device(&self, key: &Key, held: Opened<Consent>, code: &Secret) -> Result<Option<Connected>> {
        let consent = &held.value;
        let (lane, request) = wire::device_token(&consent.endpoints, &consent.app, code)?;
        let asked_at = self.0.clock.now();
        let answer = self.0.client.send(&lane, request.attempts(1)).await;
        let answer = answer.ok().filter(|answer| !answer.status.is_server_error());
        let said = answer.as_ref().and_then(token::code);
        let interval = consent.device.as_ref().map_or(USUAL_INTERVAL, |device| device.interval);
        let outcome = match (answer, said.as_deref()) {
            (Some(_), Some("authorization_pending")) => return Ok(None),
            // One that is not well is asked again later, and less often.
            (Some(_), Some("slow_down")) | (None, _) => {
                self.pace(key, &held, interval.saturating_add(SLOWER)).await?;
                return Ok(None);
            }
            (Some(_), Some("access_denied" | "authorization_declined")) => Err(Error::Denied),
            (Some(_), Some("expired_token")) => Err(Error::BadState),
            (Some(answer), _) => self.accept(consent, &answer, asked_at, gone(key.clone(), held.version)).await,
        };
        if outcome.is_err() {
            self.0.vault.delete(key.clone()).await?;
        }
        outcome.map(Some)
    }
}

fn later(now: Timestamp, seconds: u32) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(now)
}

/// What a device authorization endpoint hands out.
struct Handed {
    code: Secret,
    user_code: String,
    page: Url,
    page_with_code: Option<Url>,
    interval: u32,
    lifetime: SignedDuration,
}

impl Handed {
    fn read(answer: &http::Response) -> Option<Self> {
        let members: Map<String, Value> = token::members(answer)?;
        let text = |name: &str| members.get(name)?.as_str().filter(|text| !text.is_empty());
        let number = |name: &str| members.get(name).and_then(|value| token::seconds(Some(value)));
        // Google and older servers call it `verification_url`.
        let page = text("verification_uri").or_else(|| text("verification_url"))?;
        let lifetime = number("expires_in").and_then(|life| SignedDuration::try_from(life).ok());
        Some(Handed {
            code: Secret::new(text("device_code")?),
            user_code: text("user_code")?.chars().filter(char::is_ascii_graphic).take(40).collect(),
            page: safe(page)?,
            page_with_code: text("verification_uri_complete").and_then(safe),
            interval: number("interval")
                .and_then(|pause| u32::try_from(pause.as_secs()).ok())
                .map_or(USUAL_INTERVAL, |pause| pause.clamp(1, 60)),
            lifetime: lifetime.unwrap_or(LONGEST).min(LONGEST),
        })
    }
}

/// A page that a person may be sent to.
fn safe(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let fits = url.scheme() == "https" || (url.scheme() == "http" && config::is_loopback(&url));
    fits.then_some(url)
}

impl Endpoints {
    /// Whether consent can be given on another device.
    pub fn has_device_flow(&self) -> bool {
        self.device_url.is_some()
    }
}
