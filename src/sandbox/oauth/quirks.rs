//! How the OAuth servers of vendors differ.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Granted, oauth_error};
use crate::sandbox::{shape::Field, twin::Answer};

/// How the OAuth server of a family behaves where families differ. A family's constant begins with
/// [`STANDARD`](Quirks::STANDARD) and says what is otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Quirks {
    /// The family: `google`.
    pub family: &'static str,
    /// The path of the consent page.
    pub authorize_path: &'static str,
    /// The path that trades codes and refresh tokens.
    pub token_path: &'static str,
    /// The path that ends a grant, where there is one; `{client_id}` may stand in it.
    pub revoke_path: Option<&'static str>,
    /// How it is asked to.
    pub revoking: Revoking,
    /// The path that hands out codes for devices without a browser (RFC 8628), where there is one.
    pub device_path: Option<&'static str>,
    /// How long an access token lasts; `None` is for ever.
    pub access_lifetime: Option<SignedDuration>,
    /// Whether the answer says how long.
    pub tells_lifetime: bool,
    /// When a refresh token is handed out.
    pub refresh: RefreshTokens,
    /// What a refresh does to the refresh token.
    pub rotation: Rotation,
    /// Whether a code is bound to its asker.
    pub pkce: Pkce,
    /// What stands between two scopes.
    pub separator: char,
    /// Scopes that are asked for as `user_scope` and come as a second token (Slack).
    pub user_scopes: &'static [&'static str],
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
    /// Parameters of the token endpoint beside those.
    pub token_extra: &'static [Field],
    /// Scopes that no route asks for and that may be asked for all the same.
    pub extra_scopes: &'static [&'static str],
    /// What the token endpoint answers: [`standard`], or that with the vendor's own members.
    pub answer: fn(&Handed<'_>) -> Value,
    /// How it says no: [`oauth_error`], or the vendor's own way. Status, code and a sentence come in.
    pub refuse: fn(u16, &str, &str) -> Answer,
}

impl Quirks {
    /// A server that keeps to RFC 6749 and 7636, with tokens for an hour and refresh tokens that stay.
    pub const STANDARD: Quirks = Quirks {
        family: "",
        authorize_path: "/oauth/authorize",
        token_path: "/oauth/token",
        revoke_path: None,
        revoking: Revoking::Token,
        device_path: None,
        access_lifetime: Some(SignedDuration::from_secs(3600)),
        tells_lifetime: true,
        refresh: RefreshTokens::Always,
        rotation: Rotation::Keeps,
        pkce: Pkce::Supported,
        separator: ' ',
        user_scopes: &[],
        client_auth: &[ClientAuth::Post, ClientAuth::Basic],
        json_body: false,
        says_issuer: false,
        revokes_all: false,
        extra: &[],
        token_extra: &[],
        extra_scopes: &[],
        answer: standard,
        refuse: oauth_error,
    };
}

/// How the end of a grant is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoking {
    /// POST with `token` (RFC 7009), in the form of the token endpoint.
    Token,
    /// POST with the access token as bearer (Slack).
    BearerPost,
    /// DELETE with the access token as bearer (Zendesk).
    BearerDelete,
    /// DELETE by the client, with `access_token` in a JSON body (GitHub).
    ClientDelete,
    /// POST by the client with the account's id, which the token answer told as this member (Stripe).
    Account(&'static str),
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
    /// When this scope was asked for (`offline_access`).
    Scope(&'static str),
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
    /// HTTP Basic with the secret as user name and no password (Stripe).
    SecretAsUser,
}

/// Tokens that are about to be handed out, and what an answer may tell beside them.
pub struct Handed<'a> {
    /// The tokens.
    pub granted: &'a Granted,
    /// Their scopes, as they go over the wire.
    pub scope: String,
    /// How long the access token lasts, in seconds, where the server tells.
    pub lifetime: Option<u64>,
    /// Where the family's API is: `http://127.0.0.1:40123`, without a path.
    pub api: &'a str,
    /// Whose account it is: an e-mail address.
    pub account: &'a str,
}

impl Handed<'_> {
    /// The standard answer with these members, too; one that is `null` is taken out.
    pub fn with(&self, members: Value) -> Value {
        let mut answer = standard(self);
        if let (Value::Object(answer), Value::Object(members)) = (&mut answer, members) {
            for (name, value) in members {
                if value.is_null() {
                    answer.remove(&name)
                } else {
                    answer.insert(name, value)
                };
            }
        }
        answer
    }
}

/// What RFC 6749 §5.1 says.
pub fn standard(handed: &Handed<'_>) -> Value {
    let mut answer = json!({ "access_token": handed.granted.access, "token_type": "Bearer" });
    if let Some(lifetime) = handed.lifetime {
        answer["expires_in"] = json!(lifetime);
    }
    if let Some(refresh) = &handed.granted.refresh {
        answer["refresh_token"] = json!(refresh);
    }
    if !handed.scope.is_empty() {
        answer["scope"] = json!(handed.scope);
    }
    answer
}
