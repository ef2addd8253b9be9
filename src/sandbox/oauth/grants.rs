//! What has been granted: codes and tokens, by their digests, so that the saved file opens nothing.

use std::{collections::BTreeMap, fmt::Write};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Quirks, Rotation};
use crate::sandbox::world::Mint;

/// How long a code waits to be traded.
pub const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// How long a device waits between two questions.
pub const DEVICE_INTERVAL: SignedDuration = SignedDuration::from_secs(1);

/// Everything one family has granted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grants {
    /// Whose account it is: an e-mail address.
    pub account: String,
    mint: Mint,
    codes: BTreeMap<String, Code>,
    tokens: BTreeMap<String, Token>,
    #[serde(default)]
    devices: BTreeMap<String, DeviceCode>,
}

/// What a code stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    /// Where it was sent; the trade must name the same.
    pub redirect_uri: String,
    /// The S256 challenge, when there was one.
    pub challenge: Option<String>,
    /// What was asked for.
    pub scopes: Vec<String>,
    /// What was asked for on behalf of the person, for a second token.
    #[serde(default)]
    pub user_scopes: Vec<String>,
    /// Whether a refresh token goes with it.
    pub with_refresh: bool,
    expires_at: Option<Timestamp>,
    /// The grant that came of it, once it has been traded.
    grant: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Token {
    grant: u64,
    refreshes: bool,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
    spent: bool,
}

/// A pair of tokens on its way out.
#[derive(Clone)]
pub struct Granted {
    /// The access token.
    pub access: String,
    /// The refresh token, if the answer carries one.
    pub refresh: Option<String>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// What it opens.
    pub scopes: Vec<String>,
    /// The person's own token, where one was asked for.
    pub user: Option<Box<Granted>>,
}

/// Why a code or token is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was never made, or its grant has ended.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was good for one use, and this is another. Its grant has ended now.
    Spent,
}

/// A code for a device without a browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceCode {
    user_code: String,
    scopes: Vec<String>,
    with_refresh: bool,
    decision: Decision,
    expires_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
}

/// What a person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Nothing yet.
    None,
    /// Access is granted.
    Yes,
    /// It is not.
    No,
}

/// Why a code for a device brings no tokens (RFC 8628 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceRefusal {
    /// The person has not decided.
    Pending,
    /// It was asked before the interval was over.
    TooFast,
    /// The person said no.
    Denied,
    /// Its time is over, or it was never made.
    Expired,
}

impl DeviceCode {
    /// A code that is to be made.
    pub fn new(scopes: Vec<String>, with_refresh: bool) -> Self {
        let (user_code, expires_at, asked_at) = (String::new(), None, None);
        DeviceCode { user_code, scopes, with_refresh, decision: Decision::None, expires_at, asked_at }
    }
}

impl Code {
    /// A code that is to be made.
    pub fn new(redirect_uri: String, challenge: Option<String>, scopes: Vec<String>, with_refresh: bool) -> Self {
        let (expires_at, grant, user_scopes) = (None, None, Vec::new());
        Code { redirect_uri, challenge, scopes, user_scopes, with_refresh, expires_at, grant }
    }
}

impl Grants {
    /// Nothing granted yet.
    pub fn new(mint: Mint, account: &str) -> Self {
        let (codes, tokens, devices) = Default::default();
        let account = account.to_owned();
        Grants { account, mint, codes, tokens, devices }
    }

    /// Makes a code and returns its text.
    pub fn code(&mut self, mut code: Code, now: Timestamp) -> String {
        let text = format!("sandbox-code-{}", self.mint.id(40));
        code.expires_at = now.checked_add(CODE_LIFETIME).ok();
        self.codes.retain(|_, code| !is_over(code.expires_at, now));
        self.codes.insert(digest(&text), code);
        text
    }

    /// What a code stands for. A second use ends what the first one brought (RFC 6749 §4.1.2).
    pub fn open_code(&mut self, text: &str, now: Timestamp) -> Result<Code, Refusal> {
        let code = self.codes.get(&digest(text)).cloned().ok_or(Refusal::Unknown)?;
        if let Some(grant) = code.grant {
            self.end(grant);
            return Err(Refusal::Spent);
        }
        if is_over(code.expires_at, now) {
            return Err(Refusal::Expired);
        }
        Ok(code)
    }

    /// Trades a code that [`Grants::open_code`] returned.
    pub fn trade(&mut self, text: &str, code: Code, quirks: &Quirks, now: Timestamp) -> Granted {
        let grant = self.mint.count_on();
        if let Some(kept) = self.codes.get_mut(&digest(text)) {
            kept.grant = Some(grant);
        }
        if code.user_scopes.is_empty() {
            return self.pair(quirks, grant, code.scopes, code.with_refresh, now);
        }
        let user = self.pair(quirks, grant, code.user_scopes, code.with_refresh, now);
        let bot = self.pair(quirks, grant, code.scopes, code.with_refresh, now);
        Granted { user: Some(Box::new(user)), ..bot }
    }

    /// Makes a code for a device and returns its text.
    pub fn device_code(&mut self, mut device: DeviceCode, now: Timestamp) -> (String, String) {
        let text = format!("sandbox-device-{}", self.mint.id(40));
        let letters = self.mint.id(8).to_uppercase();
        device.user_code = format!("{}-{}", &letters[..4], &letters[4..]);
        device.expires_at = now.checked_add(CODE_LIFETIME).ok();
        let user_code = device.user_code.clone();
        self.devices.retain(|_, device| !is_over(device.expires_at, now));
        self.devices.insert(digest(&text), device);
        (text, user_code)
    }

    /// Takes a person's decision about a code for a device. False when there is no such code.
    pub fn decide_device(&mut self, user_code: &str, decision: Decision, now: Timestamp) -> bool {
        let fits = |device: &&mut DeviceCode| device.user_code.eq_ignore_ascii_case(user_code);
        let found = self.devices.values_mut().filter(|device| !is_over(device.expires_at, now)).find(fits);
        found.map(|device| device.decision = decision).is_some()
    }

    /// Trades a code for a device, or says how things stand with it.
    pub fn trade_device(&mut self, text: &str, quirks: &Quirks, now: Timestamp) -> Result<Granted, DeviceRefusal> {
        let key = digest(text);
        let device = self.devices.get_mut(&key).ok_or(DeviceRefusal::Expired)?;
        if is_over(device.expires_at, now) {
            return Err(DeviceRefusal::Expired);
        }
        if device.asked_at.is_some_and(|at| now.duration_since(at) < DEVICE_INTERVAL) {
            return Err(DeviceRefusal::TooFast);
        }
        device.asked_at = Some(now);
        match device.decision {
            Decision::None => Err(DeviceRefusal::Pending),
            Decision::No => Err(DeviceRefusal::Denied),
            Decision::Yes => {
                let device = self.devices.remove(&key).ok_or(DeviceRefusal::Expired)?;
                Ok(self.grant(quirks, device.scopes, device.with_refresh, now))
            }
        }
    }

    /// Grants without a code.
    pub fn grant(&mut self, quirks: &Quirks, scopes: Vec<String>, with_refresh: bool, now: Timestamp) -> Granted {
        let grant = self.mint.count_on();
        self.pair(quirks, grant, scopes, with_refresh, now)
    }

    /// Trades a refresh token.
    pub fn refresh(&mut self, text: &str, quirks: &Quirks, now: Timestamp) -> Result<Granted, Refusal> {
        let found = self.tokens.get_mut(&digest(text)).filter(|token| token.refreshes);
        let token = found.ok_or(Refusal::Unknown)?;
        let (grant, scopes) = (token.grant, token.scopes.clone());
        if token.spent {
            self.end(grant);
            return Err(Refusal::Spent);
        }
        token.spent = quirks.rotation == Rotation::SingleUse;
        let with_refresh = quirks.rotation != Rotation::Keeps;
        Ok(self.pair(quirks, grant, scopes, with_refresh, now))
    }

    /// What an access token opens.
    pub fn check(&self, text: &str, now: Timestamp) -> Result<Vec<String>, Refusal> {
        let found = self.tokens.get(&digest(text)).filter(|token| !token.refreshes);
        let token = found.ok_or(Refusal::Unknown)?;
        if is_over(token.expires_at, now) {
            return Err(Refusal::Expired);
        }
        Ok(token.scopes.clone())
    }

    /// Ends the grant behind a token, or all of them. False when there is no such token.
    pub fn revoke(&mut self, text: &str, everything: bool) -> bool {
        let Some(grant) = self.tokens.get(&digest(text)).map(|token| token.grant) else {
            return false;
        };
        if everything {
            self.end_all();
        } else {
            self.end(grant);
        }
        true
    }

    /// Ends every grant.
    pub fn end_all(&mut self) {
        self.devices.clear();
        self.tokens.clear();
        self.codes.clear();
    }

    /// Ends the access tokens, not the grants.
    pub fn expire(&mut self, now: Timestamp) {
        let access = self.tokens.values_mut().filter(|token| !token.refreshes);
        access.for_each(|token| token.expires_at = Some(now));
    }

    /// How many tokens would be accepted.
    pub fn live(&self, now: Timestamp) -> usize {
        let live = |token: &&Token| !token.spent && !is_over(token.expires_at, now);
        self.tokens.values().filter(live).count()
    }

    fn end(&mut self, grant: u64) {
        self.tokens.retain(|_, token| token.grant != grant);
    }

    fn pair(&mut self, quirks: &Quirks, grant: u64, scopes: Vec<String>, refresh: bool, now: Timestamp) -> Granted {
        self.forget_old(now);
        let expires_at = quirks.access_lifetime.and_then(|lifetime| now.checked_add(lifetime).ok());
        let access = format!("sandbox-access-{}", self.mint.id(48));
        self.keep(&access, grant, false, &scopes, expires_at);
        let refresh = refresh.then(|| format!("sandbox-refresh-{}", self.mint.id(48)));
        if let Some(refresh) = &refresh {
            self.keep(refresh, grant, true, &scopes, None);
        }
        Granted { access, refresh, expires_at, scopes, user: None }
    }

    fn keep(&mut self, text: &str, grant: u64, refreshes: bool, scopes: &[String], expires_at: Option<Timestamp>) {
        let (scopes, spent) = (scopes.to_vec(), false);
        let token = Token { grant, refreshes, scopes, expires_at, spent };
        self.tokens.insert(digest(text), token);
    }

    /// Forgets access tokens that ended a day ago; until then they are told apart from unknown ones.
    fn forget_old(&mut self, now: Timestamp) {
        let yesterday = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now);
        self.tokens.retain(|_, token| !is_over(token.expires_at, yesterday));
    }
}

fn is_over(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_some_and(|end| end <= now)
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes every write");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::google_calendar::GOOGLE;

    const ROTATING: Quirks = Quirks { rotation: Rotation::SingleUse, ..GOOGLE };

    fn grants() -> Grants {
        Grants::new(Mint::new(1, "test"), "me@example.com")
    }

    fn at(minute: i8) -> Timestamp {
        jiff::civil::date(2026, 11, 23).at(9, minute, 0, 0).in_tz("UTC").unwrap().timestamp()
    }

    #[test]
    fn a_spent_refresh_token_ends_its_grant() {
        let mut grants = grants();
        let first = grants.grant(&ROTATING, vec!["a".into()], true, at(0));
        let old = first.refresh.unwrap();
        let second = grants.refresh(&old, &ROTATING, at(1)).unwrap();
        assert_ne!(Some(&old), second.refresh.as_ref());
        assert_eq!(grants.check(&second.access, at(1)), Ok(vec!["a".into()]));
        assert_eq!(grants.refresh(&old, &ROTATING, at(2)).err(), Some(Refusal::Spent));
        assert_eq!(grants.check(&second.access, at(2)), Err(Refusal::Unknown));
        let newest = second.refresh.unwrap();
        assert_eq!(grants.refresh(&newest, &ROTATING, at(2)).err(), Some(Refusal::Unknown));
    }

    #[test]
    fn a_kept_refresh_token_stays_good_and_is_not_sent_again() {
        let mut grants = grants();
        let refresh = grants.grant(&GOOGLE, vec![], true, at(0)).refresh.unwrap();
        for minute in 1..4 {
            let renewed = grants.refresh(&refresh, &GOOGLE, at(minute)).unwrap();
            assert_eq!(renewed.refresh, None);
        }
    }

    #[test]
    fn an_access_token_does_not_refresh_and_a_refresh_token_opens_nothing() {
        let mut grants = grants();
        let pair = grants.grant(&GOOGLE, vec![], true, at(0));
        assert_eq!(grants.refresh(&pair.access, &GOOGLE, at(0)).err(), Some(Refusal::Unknown));
        assert_eq!(grants.check(&pair.refresh.unwrap(), at(0)), Err(Refusal::Unknown));
    }

    #[test]
    fn a_code_is_good_once_and_for_ten_minutes() {
        let mut grants = grants();
        let code = Code::new("http://localhost/".into(), None, vec![], true);
        let text = grants.code(code.clone(), at(0));
        let opened = grants.open_code(&text, at(1)).unwrap();
        let granted = grants.trade(&text, opened, &GOOGLE, at(1));
        assert_eq!(grants.open_code(&text, at(2)).err(), Some(Refusal::Spent));
        assert_eq!(grants.check(&granted.access, at(2)), Err(Refusal::Unknown));
        let late = grants.code(code, at(0));
        assert_eq!(grants.open_code(&late, at(10)).err(), Some(Refusal::Expired));
    }

    #[test]
    fn what_is_saved_holds_no_token() {
        let mut grants = grants();
        let pair = grants.grant(&GOOGLE, vec![], true, at(0));
        let saved = serde_json::to_string(&grants).unwrap();
        assert!(!saved.contains(&pair.access) && !saved.contains(&pair.refresh.unwrap()));
    }
}
