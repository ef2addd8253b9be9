//! What is special about a vendor's OAuth server.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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
    /// The consent page. URLs may hold `{name}` for what differs from connection to connection, such as
    /// `{subdomain}`; see [`asks`](Self::asks).
    pub authorize_url: &'static str,
    /// Where codes and refresh tokens are traded.
    pub token_url: &'static str,
    /// Where a grant is ended, if the vendor has such a place; `{client_id}` may stand in it.
    pub revoke_url: Option<&'static str>,
    /// How a grant is ended there.
    pub revocation: Revocation,
    /// Who the server says it is in the callback's `iss` (RFC 9207). Where it is known, a callback with another one is
    /// refused, and so is one without any: name it only for a server that always says it.
    pub issuer: Option<&'static str>,
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
    /// How long a grant lasts while the OAuth client is in testing (Google: seven days), to be able to say so.
    pub in_testing: Option<Duration>,
    /// Headers of every request to the OAuth server, such as a version.
    pub headers: &'static [(&'static str, &'static str)],
    /// What the person names before consenting, for `{name}` in addresses: the subdomain of a Zendesk account.
    pub asks: &'static [Ask],
    /// Where the token answer says that the account's API is (Salesforce). The integration's `base_url` then begins
    /// with `{instance_url}`.
    pub instance: Option<Instance>,
    /// What is asked of the vendor with the first token, for `{name}` in the integration's `base_url`: the cloud id
    /// of a Jira site.
    pub look_up: Option<LookUp>,
    /// Where codes for devices without a browser are handed out (RFC 8628), if the vendor does so for the scopes in
    /// use.
    pub device_url: Option<&'static str>,
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
        in_testing: None,
        headers: &[],
        asks: &[],
        instance: None,
        look_up: None,
        device_url: None,
    };
}

/// Something that a person names when connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Ask {
    /// Its name in addresses: `subdomain` for `{subdomain}`.
    pub name: &'static str,
    /// What people see.
    pub label: &'static str,
    /// Where to find it.
    pub help: &'static str,
}

/// The member of a token answer that says where the account's API is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name, such as `instance_url`: an https address, of which only the host counts.
    pub member: &'static str,
    /// The domains in which that host must lie, such as `salesforce.com`. A token goes nowhere else.
    pub domains: &'static [&'static str],
}

/// A list at the vendor of the places that a grant reaches. The one that the person named is taken, or the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// Where it is: a JSON list of objects, read with the access token.
    pub url: &'static str,
    /// The member of an entry that is looked for, such as `id`.
    pub member: &'static str,
    /// The name under which it is kept, such as `cloudId` for `{cloudId}`.
    pub kept_as: &'static str,
    /// The members by which people know an entry: a title, or an address.
    pub known_by: &'static [&'static str],
    /// The [`Ask`] by which the person chooses.
    pub ask: &'static str,
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
