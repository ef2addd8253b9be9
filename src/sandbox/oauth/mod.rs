//! The OAuth servers of the twins: one for each family of vendors, with that family's habits.

mod authorize;
mod device;
mod grants;
mod quirks;
mod revoke;
mod token;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use jiff::Timestamp;
use serde_json::Value;

use self::grants::Grants;
pub use self::{
    grants::{Decision, Granted, Refusal},
    quirks::{ClientAuth, Handed, Pkce, Quirks, RefreshTokens, Revoking, Rotation, standard},
};
use super::{
    Error,
    server::{Answered, Desk, Host, Incoming},
    shape::{Field, Kind},
    twin::{Answer, Trouble},
    world::{Keeper, Mint, Scene},
};
use crate::{clock::SharedClock, secret::Secret};

/// A connected account, made without a browser.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The access token.
    pub access: Secret,
    /// The refresh token, where the family has them.
    pub refresh: Option<Secret>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// What it opens.
    pub scopes: Vec<String>,
    /// What else the token answer tells, such as `instance_url`.
    pub extra: BTreeMap<String, String>,
    /// The client it belongs to.
    pub client_id: String,
    /// Whose account it is: an e-mail address.
    pub account: String,
}

/// The OAuth server of one family.
#[derive(Debug)]
pub(super) struct Accounts {
    pub quirks: &'static Quirks,
    pub client_id: String,
    pub client_secret: Secret,
    scopes: BTreeSet<&'static str>,
    /// Where the API of the family's first twin is.
    api: OnceLock<String>,
    desk: Desk,
    clock: SharedClock,
    grants: Mutex<Grants>,
}

impl Accounts {
    /// Opens the server of a family, with the grants that were saved.
    pub fn open(
        quirks: &'static Quirks,
        scopes: BTreeSet<&'static str>,
        dir: Option<&Path>,
        keep: usize,
        clock: SharedClock,
        scene: &Scene,
    ) -> Result<Self, Error> {
        let family = quirks.family;
        let name = format!("oauth-{family}");
        let keeper = Keeper::new(dir, &name);
        let grants = keeper.load()?.unwrap_or_else(|| Grants::new(Mint::new(scene.number, &name), &scene.company.me));
        Ok(Accounts {
            quirks,
            client_id: format!("sandbox-{family}.apps.example"),
            client_secret: Secret::new(format!("sandbox-{family}-client-secret")),
            scopes,
            api: OnceLock::new(),
            desk: Desk::open(family, keeper, keep)?,
            clock,
            grants: Mutex::new(grants),
        })
    }

    /// What a bearer token opens.
    pub fn check(&self, token: &str) -> Result<Vec<String>, Refusal> {
        self.grants().check(token, self.clock.now())
    }

    /// Connects the account without a browser. No scopes means all that the family has.
    pub fn grant(&self, scopes: &[&str]) -> Grant {
        let scopes: Vec<String> = match scopes {
            [] => self.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            some => some.iter().map(|scope| (*scope).to_owned()).collect(),
        };
        let with_refresh = self.quirks.refresh != RefreshTokens::Never;
        let now = self.clock.now();
        let granted = self.grants().grant(self.quirks, scopes, with_refresh, now);
        let extra = harmless(&self.handed(&granted));
        Grant {
            extra,
            access: Secret::new(granted.access),
            refresh: granted.refresh.map(Secret::new),
            expires_at: granted.expires_at,
            scopes: granted.scopes,
            client_id: self.client_id.clone(),
            account: self.account(),
        }
    }

    /// Says where the API is that the tokens open; the first one counts.
    pub fn serves(&self, api: String) {
        let _ = self.api.set(api);
    }

    /// Ends all access tokens; refresh tokens stay good.
    pub fn expire(&self) {
        self.grants().expire(self.clock.now());
    }

    /// Ends every grant, as a person does in the settings of the account.
    pub fn revoke(&self) {
        self.grants().end_all();
    }

    /// Whose account it is.
    pub fn account(&self) -> String {
        self.grants().account.clone()
    }

    /// Another person's account from now on: a new seed brings a new company.
    pub fn belongs_to(&self, email: &str) {
        email.clone_into(&mut self.grants().account);
    }

    /// How many refresh tokens and unexpired access tokens there are.
    pub fn live(&self) -> usize {
        self.grants().live(self.clock.now())
    }

    fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a request asks for; failing requests are counted under it, too.
    fn operation(&self, incoming: &Incoming) -> Option<&'static str> {
        let quirks = self.quirks;
        match (incoming.method.as_str(), incoming.path.as_str()) {
            ("GET", path) if path == quirks.authorize_path => Some("oauth.authorize"),
            ("POST", path) if path.strip_suffix("/approve") == Some(quirks.authorize_path) => Some("oauth.approve"),
            ("POST", path) if Some(path) == quirks.device_path => Some("oauth.device"),
            ("GET", device::PAGE) if quirks.device_path.is_some() => Some("oauth.device.page"),
            ("POST", device::PAGE) if quirks.device_path.is_some() => Some("oauth.device.approve"),
            ("POST", path) if path == quirks.token_path => Some(self.token_operation(incoming)),
            (method, path) if method == self.revoke_method() && self.is_revoke_path(path) => Some("oauth.revoke"),
            _ => None,
        }
    }

    /// Fails as ordered.
    fn fail(&self, trouble: &Trouble) -> Answer {
        let (status, code) = match trouble {
            Trouble::RateLimited(_) | Trouble::Quota => (429, "slow_down"),
            Trouble::BadToken => (401, "invalid_client"),
            _ => (500, "internal_failure"),
        };
        self.refuse(status, code, "the sandbox was told to fail")
    }

    /// Says no as the vendor does.
    fn refuse(&self, status: u16, code: &str, why: &str) -> Answer {
        (self.quirks.refuse)(status, code, why)
    }

    fn run(&self, operation: &str, incoming: &Incoming) -> Answer {
        match operation {
            "oauth.authorize" => self.consent_page(incoming),
            "oauth.approve" => self.decide(incoming),
            "oauth.revoke" => self.end(incoming),
            "oauth.device" => self.device(incoming),
            "oauth.device.page" => self.device_page(incoming),
            "oauth.device.approve" => self.decide_device(incoming),
            _ => self.token(incoming),
        }
    }
}

impl Host for Accounts {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn answer(&self, incoming: &Incoming, ordered: Option<Trouble>) -> Answered {
        let Some(operation) = self.operation(incoming) else {
            return Answered::refused(None, Answer::empty(404));
        };
        let (answer, changed) = match ordered {
            None => (self.run(operation, incoming), true),
            Some(trouble) => (self.fail(&trouble), false),
        };
        Answered { operation: Some(operation), answer, changed }
    }

    fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(&*self.grants()).expect("grants are plain JSON")
    }

    fn keeps_bodies(&self) -> bool {
        false
    }
}

/// The parameters of a consent page that every family has.
const AUTHORIZE: &[Field] = &[
    Field::required("client_id", Kind::Text),
    Field::required("redirect_uri", Kind::Text),
    Field::required("response_type", Kind::Text),
    Field::optional("scope", Kind::Text),
    Field::optional("user_scope", Kind::Text),
    Field::optional("state", Kind::Text),
    Field::optional("code_challenge", Kind::Text),
    Field::optional("code_challenge_method", Kind::Text),
];

/// What an answer tells beside the tokens.
fn harmless(answer: &Value) -> BTreeMap<String, String> {
    let hidden = |name: &str| name.contains("token") || ["expires_in", "scope"].contains(&name);
    let told = answer.as_object().into_iter().flatten().filter(|(name, _)| !hidden(name));
    told.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// An error of a token endpoint (RFC 6749 §5.2).
pub fn oauth_error(status: u16, code: &str, description: &str) -> Answer {
    let body = serde_json::json!({ "error": code, "error_description": description });
    Answer::json(status, body).with("cache-control", "no-store")
}

/// A value among pairs.
fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
}
