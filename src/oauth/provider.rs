//! What is special about a vendor's OAuth server.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Error, Result};
use crate::config;

/// A vendor's OAuth server with its habits: a constant of the integration.
///
/// ```
/// # use std::time::Duration;
/// # use switchboard::oauth::{ClientAuth, Provider};
/// const EXAMPLE: Provider = Provider {
///     family: "example",
///     authorize_url: "https://example.com/oauth/authorize",
///     token_url: "https://example.com/oauth/token",
///     client_auth: ClientAuth::Basic,
///     rotates: true,
///     ..Provider::STANDARD
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Integrations of one family share an OAuth client and a grant: `google` for Calendar, Gmail and Sheets.
    pub family: &'static str,
    /// The consent page. URLs may hold `{name}` for a host that the person names, such as `{subdomain}`.
    pub authorize_url: &'static str,
    /// Where codes and refresh tokens are traded.
    pub token_url: &'static str,
    /// Where a grant is ended, if the vendor has such a place; `{client_id}` may stand in it.
    pub revoke_url: Option<&'static str>,
    /// How a grant is ended there.
    pub revocation: Revocation,
    /// Who the server says it is in the callback's `iss` (RFC 9207). Where it is known, another one is refused.
    pub issuer: Option<&'static str>,
    /// Whether `iss` always comes, so that a callback without it is refused.
    pub always_says_issuer: bool,
    /// Whether to bind the code to this client with a challenge.
    pub pkce: Pkce,
    /// More parameters for the consent page, such as `access_type=offline`.
    pub extra: &'static [(&'static str, &'static str)],
    /// More parameters for the token requests, such as `expires_in=172800`.
    pub token_extra: &'static [(&'static str, &'static str)],
    /// What stands between scopes: mostly a blank, a comma with Slack.
    pub separator: char,
    /// Scopes that go into `user_scope` instead of `scope` (Slack acts as a bot or as the person).
    pub user_scopes: &'static [&'static str],
    /// How the client proves who it is.
    pub client_auth: ClientAuth,
    /// How token requests are written.
    pub body: TokenBody,
    /// Whether a refresh ends the refresh token it used. An answer that is lost then costs the grant.
    pub rotates: bool,
    /// How long an access token lives when the answer does not say: `None` is until further notice.
    pub lifetime: Option<Duration>,
    /// The member of the answer that holds the tokens when they are not at the top, such as `authed_user`.
    pub nested: Option<&'static str>,
    /// Error codes that mean the grant has ended, beside `invalid_grant`.
    pub dead: &'static [&'static str],
}

impl Provider {
    /// A server that keeps to RFC 6749 and 7636: what a vendor's constant starts from.
    pub const STANDARD: Provider = Provider {
        family: "",
        authorize_url: "",
        token_url: "",
        revoke_url: None,
        revocation: Revocation::Token,
        issuer: None,
        always_says_issuer: false,
        pkce: Pkce::Supported,
        extra: &[],
        token_extra: &[],
        separator: ' ',
        user_scopes: &[],
        client_auth: ClientAuth::Post,
        body: TokenBody::Form,
        rotates: false,
        lifetime: None,
        nested: None,
        dead: &[],
    };
}

/// Proof key for code exchange (RFC 7636), always with S256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pkce {
    /// The server refuses a request without a challenge.
    Required,
    /// The server takes a challenge, so it gets one.
    Supported,
    /// A challenge does harm (Slack makes the app a public client) or is refused.
    Off,
}

/// How the client proves who it is at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientAuth {
    /// Id and secret in the body.
    Post,
    /// Id and secret as user name and password of HTTP Basic.
    Basic,
    /// The secret alone as the user name of HTTP Basic (Stripe).
    SecretAsUser,
}

/// How token requests are written. Answers may be either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenBody {
    /// As a form, as the standard says.
    Form,
    /// As a JSON object (Notion, Atlassian).
    Json,
}

/// How a grant is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Revocation {
    /// POST of `token` with the refresh token, or the access token where there is none (RFC 7009).
    Token,
    /// POST of `token` with the access token (Notion).
    AccessToken,
    /// POST of nothing with the access token as bearer (Slack).
    BearerPost,
    /// DELETE with the access token as bearer (Zendesk).
    BearerDelete,
    /// DELETE with HTTP Basic and `{"access_token"}` (GitHub).
    ClientDelete,
    /// POST of the client id and the account's own id, which came as this member of the token answer (Stripe).
    StripeAccount,
}

/// What an operator sets in place of a [`Provider`]'s URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The consent page.
    pub authorize_url: Option<String>,
    /// The token endpoint.
    pub token_url: Option<String>,
    /// The revocation endpoint.
    pub revoke_url: Option<String>,
    /// The issuer.
    pub issuer: Option<String>,
    /// What `{name}` in the URLs stands for, such as the subdomain of a Zendesk account.
    pub names: BTreeMap<String, String>,
}

/// A [`Provider`] for one installation: URLs checked, overrides and names put in. Owned, so that a consent that is
/// under way keeps the server it began with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// As in the [`Provider`].
    pub family: String,
    /// As in the [`Provider`].
    pub authorize_url: String,
    /// As in the [`Provider`].
    pub token_url: String,
    /// As in the [`Provider`].
    pub revoke_url: Option<String>,
    /// As in the [`Provider`].
    pub revocation: Revocation,
    /// As in the [`Provider`].
    pub issuer: Option<String>,
    /// As in the [`Provider`].
    pub always_says_issuer: bool,
    /// As in the [`Provider`].
    pub pkce: Pkce,
    /// As in the [`Provider`].
    pub extra: Vec<(String, String)>,
    /// As in the [`Provider`].
    pub token_extra: Vec<(String, String)>,
    /// As in the [`Provider`].
    pub separator: char,
    /// As in the [`Provider`].
    pub user_scopes: Vec<String>,
    /// As in the [`Provider`].
    pub client_auth: ClientAuth,
    /// As in the [`Provider`].
    pub body: TokenBody,
    /// As in the [`Provider`].
    pub rotates: bool,
    /// As in the [`Provider`].
    pub lifetime: Option<Duration>,
    /// As in the [`Provider`].
    pub nested: Option<String>,
    /// As in the [`Provider`].
    pub dead: Vec<String>,
    /// The operator named the servers, so they may stand in a private network.
    pub allow_private: bool,
}

impl Endpoints {
    /// The provider with its URLs put together and checked.
    pub fn of(provider: &Provider, overrides: &Overrides) -> Result<Self> {
        let Overrides { authorize_url, token_url, revoke_url, issuer, names } = overrides;
        let url = |own, theirs: &Option<String>| checked(&filled(theirs.as_deref().unwrap_or(own), names)?);
        // What was set up for one server says nothing about another: neither who it is nor where it ends grants.
        let own_issuer = provider.issuer.filter(|_| authorize_url.is_none());
        let own_revoke = provider.revoke_url.filter(|_| token_url.is_none());
        let revoke_url = revoke_url.as_deref().or(own_revoke);
        let issuer = issuer.as_deref().or(own_issuer);
        Ok(Endpoints {
            family: provider.family.to_owned(),
            authorize_url: url(provider.authorize_url, authorize_url)?,
            token_url: url(provider.token_url, token_url)?,
            revoke_url: revoke_url.map(|text| checked(&filled(text, names)?)).transpose()?,
            revocation: provider.revocation,
            issuer: issuer.map(str::to_owned),
            always_says_issuer: provider.always_says_issuer && issuer.is_some(),
            pkce: provider.pkce,
            extra: owned_pairs(provider.extra),
            token_extra: owned_pairs(provider.token_extra),
            separator: provider.separator,
            user_scopes: owned(provider.user_scopes),
            client_auth: provider.client_auth,
            body: provider.body,
            rotates: provider.rotates,
            lifetime: provider.lifetime,
            nested: provider.nested.map(str::to_owned),
            dead: owned(provider.dead),
            allow_private: token_url.is_some(),
        })
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn owned_pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    pairs.iter().map(pair).collect()
}

/// Puts the names in. A name is one label of a host, so that it cannot lead to another host.
fn filled(text: &str, names: &BTreeMap<String, String>) -> Result<String> {
    let mut text = text.to_owned();
    for (name, value) in names {
        if !is_label(value) {
            return Err(Error::Setup(format!("{name} must be letters, digits and hyphens, without dots")));
        }
        text = text.replace(&format!("{{{name}}}"), value);
    }
    let missing = text.replace("{client_id}", "");
    match missing.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
        Some((name, _)) => Err(Error::Setup(format!("{name} is not set, and the vendor's address depends on it"))),
        None => Ok(text),
    }
}

fn is_label(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=63).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('-') && !text.ends_with('-')
}

/// An address that a browser or the client may be sent to: https, or loopback.
fn checked(text: &str) -> Result<String> {
    let bad = |why: &str| Error::Setup(format!("the OAuth address {text:?} {why}"));
    let url = Url::parse(&text.replace("{client_id}", "id")).map_err(|_| bad("is not a URL"))?;
    if !url.has_host() {
        return Err(bad("has no host"));
    }
    match url.scheme() {
        "https" => Ok(text.to_owned()),
        "http" if config::is_loopback(&url) => Ok(text.to_owned()),
        _ => Err(bad("must begin with https; http is for loopback only")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZENDESK: Provider = Provider {
        family: "zendesk",
        authorize_url: "https://{subdomain}.zendesk.com/oauth/authorizations/new",
        token_url: "https://{subdomain}.zendesk.com/oauth/tokens",
        revoke_url: Some("https://{subdomain}.zendesk.com/api/v2/oauth/tokens/current.json"),
        issuer: Some("https://zendesk.example"),
        ..Provider::STANDARD
    };

    fn named(value: &str) -> Overrides {
        Overrides { names: BTreeMap::from([("subdomain".to_owned(), value.to_owned())]), ..Overrides::default() }
    }

    #[test]
    fn a_name_is_put_into_the_address() {
        let endpoints = Endpoints::of(&ZENDESK, &named("acme-1")).unwrap();
        assert_eq!(endpoints.token_url, "https://acme-1.zendesk.com/oauth/tokens");
        assert!(!endpoints.allow_private);
    }

    #[test]
    fn a_name_cannot_lead_to_another_host() {
        for name in ["evil.example/", "a.b", "a/b", "a@b", "", "-a", "a#", "a?", "ä"] {
            assert!(matches!(Endpoints::of(&ZENDESK, &named(name)), Err(Error::Setup(_))), "{name:?}");
        }
        let error = Endpoints::of(&ZENDESK, &Overrides::default()).unwrap_err();
        assert!(error.to_string().contains("subdomain"), "{error}");
    }

    #[test]
    fn addresses_are_https_or_loopback() {
        let set = |url: &str| Endpoints::of(&ZENDESK, &Overrides { token_url: Some(url.to_owned()), ..named("a") });
        for fine in ["https://10.0.0.1/token", "http://127.0.0.1:9/token", "http://localhost:9/t", "http://[::1]:9/t"] {
            assert!(set(fine).unwrap().allow_private, "{fine}");
        }
        for bad in ["http://example.com/t", "javascript:alert(1)", "file:///etc/passwd", "token", "data:,x", ""] {
            assert!(set(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_belongs_to_one_server_is_not_said_of_another() {
        let token_url = Some("http://127.0.0.1:9/token".to_owned());
        let endpoints = Endpoints::of(&ZENDESK, &Overrides { token_url, ..named("a") }).unwrap();
        assert_eq!(endpoints.revoke_url, None);
        let elsewhere = Some("http://127.0.0.1:9/authorize".to_owned());
        let overrides = Overrides { authorize_url: elsewhere, ..named("a") };
        assert_eq!(Endpoints::of(&ZENDESK, &overrides).unwrap().issuer, None);
        let overrides = Overrides { issuer: Some("http://127.0.0.1:9".to_owned()), ..overrides };
        assert_eq!(Endpoints::of(&ZENDESK, &overrides).unwrap().issuer.as_deref(), Some("http://127.0.0.1:9"));
    }
}
