//! The OAuth servers of the twins: one for each family of vendors, with that family's habits.

mod authorize;
mod grants;
mod token;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use self::grants::Grants;
pub use self::grants::{Granted, Refusal};
use super::{
    Error,
    server::{Answered, Desk, Host, Incoming},
    shape::{Field, Kind},
    twin::{Answer, Trouble},
    world::{Keeper, Mint, Scene},
};
use crate::{clock::SharedClock, secret::Secret};

/// How the OAuth server of a family behaves where families differ.
#[derive(Clone, Copy, Debug)]
pub struct Quirks {
    /// The family: `google`.
    pub family: &'static str,
    /// The path of the consent page.
    pub authorize_path: &'static str,
    /// The path that trades codes and refresh tokens.
    pub token_path: &'static str,
    /// The path that ends a grant, where there is one.
    pub revoke_path: Option<&'static str>,
    /// How long an access token lasts; `None` is for ever.
    pub access_lifetime: Option<SignedDuration>,
    /// When a refresh token is handed out.
    pub refresh: RefreshTokens,
    /// What a refresh does to the refresh token.
    pub rotation: Rotation,
    /// Whether a code is bound to its asker.
    pub pkce: Pkce,
    /// What stands between two scopes.
    pub separator: char,
    /// The ways in which a client may say who it is.
    pub client_auth: &'static [ClientAuth],
    /// Whether the token request is JSON rather than a form.
    pub json_body: bool,
    /// Whether the redirect says who issued the code (RFC 9207).
    pub says_issuer: bool,
    /// Whether revoking one token ends everything that the client was granted.
    pub revokes_all: bool,
    /// Parameters of the consent page beside those of RFC 6749 and RFC 7636.
    pub extra: &'static [Field],
    /// Scopes that no route asks for and that may be asked for all the same.
    pub extra_scopes: &'static [&'static str],
}

/// When a refresh token is handed out with the first access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshTokens {
    /// Never: the access token is all there is.
    Never,
    /// Always.
    Always,
    /// When the consent page was opened with `access_type=offline` and `prompt=consent`.
    OfflineConsent,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It stays, and the answer carries none.
    Keeps,
    /// It is spent. Using it again ends the grant.
    SingleUse,
    /// The answer carries a new one, and the old one stays good.
    Adds,
}

/// Whether a code is bound to its asker (RFC 7636).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkce {
    /// The parameters are unknown.
    Off,
    /// A challenge is honoured when it is there.
    Supported,
    /// A request without a challenge is refused.
    Required,
}

/// A way in which a client says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// `client_id` and `client_secret` in the body.
    Post,
    /// HTTP Basic.
    Basic,
}

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
        Grant {
            access: Secret::new(granted.access),
            refresh: granted.refresh.map(Secret::new),
            expires_at: granted.expires_at,
            scopes: granted.scopes,
            client_id: self.client_id.clone(),
            account: self.account(),
        }
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
            ("POST", path) if path == quirks.token_path => Some(self.token_operation(incoming)),
            ("POST", path) if Some(path) == quirks.revoke_path => Some("oauth.revoke"),
            _ => None,
        }
    }

    fn run(&self, operation: &str, incoming: &Incoming) -> Answer {
        match operation {
            "oauth.authorize" => self.consent_page(incoming),
            "oauth.approve" => self.decide(incoming),
            "oauth.revoke" => self.end(incoming),
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
            Some(trouble) => (fail(&trouble), false),
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
    Field::optional("state", Kind::Text),
    Field::optional("code_challenge", Kind::Text),
    Field::optional("code_challenge_method", Kind::Text),
];

/// Fails as ordered.
fn fail(trouble: &Trouble) -> Answer {
    let (status, code) = match trouble {
        Trouble::RateLimited(_) | Trouble::Quota => (429, "slow_down"),
        Trouble::BadToken => (401, "invalid_client"),
        _ => (500, "internal_failure"),
    };
    oauth_error(status, code, "the sandbox was told to fail")
}

/// An error of a token endpoint (RFC 6749 §5.2).
fn oauth_error(status: u16, code: &str, description: &str) -> Answer {
    let body = serde_json::json!({ "error": code, "error_description": description });
    Answer::json(status, body).with("cache-control", "no-store")
}

/// A value among pairs.
fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
}
