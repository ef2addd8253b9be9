//! How we speak to OAuth servers.

use std::{borrow::Cow, fmt};

use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, TokenUrl,
    basic::BasicClient,
};
use serde_json::{Map, Value};
use url::Url;

use super::{App, ClientAuth, Endpoints, Error, Pkce, Result, TokenBody};
use crate::{
    http::{
        HeaderName, HeaderValue, Lane, Path, Request,
        header::{ACCEPT, AUTHORIZATION},
    },
    secret::Secret,
};

/// What goes into the address of a consent page.
pub(super) struct Question<'a> {
    pub(super) redirect_uri: &'a str,
    pub(super) scopes: &'a [String],
    pub(super) state: &'a Secret,
    pub(super) verifier: Option<&'a Secret>,
}

/// The address of the consent page.
pub(super) fn authorize_url(endpoints: &Endpoints, app: &App, question: &Question<'_>) -> Result<Url> {
    let page = AuthUrl::new(endpoints.authorize_url.clone()).map_err(|_| not_a_url(&endpoints.authorize_url))?;
    let client = BasicClient::new(ClientId::new(app.client_id.clone())).set_auth_uri(page);
    let state = question.state.expose().to_owned();
    let mut request =
        client.authorize_url(|| CsrfToken::new(state)).set_redirect_uri(Cow::Owned(redirect(question.redirect_uri)?));
    let (user, bot): (Vec<&str>, Vec<&str>) = question
        .scopes
        .iter()
        .map(String::as_str)
        .partition(|scope| endpoints.user_scopes.iter().any(|one| one == scope));
    let joined = |scopes: Vec<&str>| scopes.join(&endpoints.separator.to_string());
    if !bot.is_empty() {
        request = request.add_scope(Scope::new(joined(bot)));
    }
    if !user.is_empty() {
        request = request.add_extra_param("user_scope", joined(user));
    }
    if let Some(verifier) = question.verifier.filter(|_| endpoints.pkce != Pkce::Off) {
        let verifier = PkceCodeVerifier::new(verifier.expose().to_owned());
        request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    }
    for (name, value) in &endpoints.extra {
        request = request.add_extra_param(name, value);
    }
    Ok(request.url().0)
}

/// A code to trade for tokens.
pub(super) struct Trade<'a> {
    pub(super) code: &'a Secret,
    pub(super) redirect_uri: &'a str,
    pub(super) verifier: Option<&'a Secret>,
}

/// The request that trades a code for tokens, and where it goes.
pub(super) fn exchange(endpoints: &Endpoints, app: &App, trade: &Trade<'_>) -> Result<(Lane, Request)> {
    let client = client(endpoints, app)?;
    let code = AuthorizationCode::new(trade.code.expose().to_owned());
    let mut request = client.exchange_code(code).set_redirect_uri(Cow::Owned(redirect(trade.redirect_uri)?));
    if let Some(verifier) = trade.verifier.filter(|_| endpoints.pkce != Pkce::Off) {
        request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
    }
    for (name, value) in &endpoints.token_extra {
        request = request.add_extra_param(name, value);
    }
    formed(endpoints, request.request(&capture))
}

/// The request that trades a refresh token for new tokens, and where it goes.
pub(super) fn refresh(endpoints: &Endpoints, app: &App, refresh: &Secret) -> Result<(Lane, Request)> {
    let client = client(endpoints, app)?;
    let token = RefreshToken::new(refresh.expose().to_owned());
    let mut request = client.exchange_refresh_token(&token);
    for (name, value) in &endpoints.token_extra {
        request = request.add_extra_param(name, value);
    }
    formed(endpoints, request.request(&capture))
}

/// The grant of RFC 8628.
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The request for a code for a device, and where it goes.
pub(super) fn device(endpoints: &Endpoints, app: &App, scopes: &[String]) -> Result<(Lane, Request)> {
    let url = endpoints.device_url.as_deref();
    let url = url.ok_or_else(|| Error::BadRequest(format!("{} hands out no codes for devices", endpoints.family)))?;
    let scope = scopes.join(&endpoints.separator.to_string());
    let pairs = [("client_id", app.client_id.as_str()), ("scope", &scope)];
    Ok((lane(endpoints, url)?, by_hand(endpoints, app, &pairs)?))
}

/// The request that trades a code of a device for tokens, and where it goes.
pub(super) fn device_token(endpoints: &Endpoints, app: &App, code: &Secret) -> Result<(Lane, Request)> {
    let pairs = [("grant_type", DEVICE_GRANT), ("device_code", code.expose()), ("client_id", &app.client_id)];
    Ok((lane(endpoints, &endpoints.token_url)?, by_hand(endpoints, app, &pairs)?))
}

/// A request that `oauth2` has no place for, with the client's proof.
fn by_hand(endpoints: &Endpoints, app: &App, pairs: &[(&str, &str)]) -> Result<Request> {
    let Proof { header, pairs: proof } = proof(endpoints, app)?;
    let mut body: Vec<_> = pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    body.extend(proof.into_iter().filter(|(name, _)| name != "client_id"));
    let request = with_body(headed(Request::post(Path::new()), endpoints), endpoints.body, &body);
    Ok(match header {
        Some(header) => request.header(AUTHORIZATION.as_str(), header),
        None => request,
    })
}

/// Where an OAuth server is, as a lane for the client.
pub(super) fn lane(endpoints: &Endpoints, url: &str) -> Result<Lane> {
    let base = Url::parse(url).map_err(|_| not_a_url(url))?;
    let mut lane = Lane::new(format!("{} sign-in", endpoints.family), base);
    lane.allow_private = endpoints.allow_private;
    Ok(lane)
}

/// With the headers that every request to this server bears.
pub(super) fn headed(mut request: Request, endpoints: &Endpoints) -> Request {
    request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &endpoints.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            request.headers.insert(name, value);
        }
    }
    request
}

/// How the client proves who it is.
pub(super) struct Proof {
    /// The value of an authorization header, unless it is done in the body.
    pub(super) header: Option<String>,
    /// What goes into the body.
    pub(super) pairs: Vec<(String, String)>,
}

/// The client's id and secret for a request that is not a token request.
pub(super) fn proof(endpoints: &Endpoints, app: &App) -> Result<Proof> {
    let (_, request) = refresh(endpoints, app, &Secret::new("none"))?;
    let header = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut pairs = Vec::new();
    if header.is_none() {
        pairs.push(("client_id".to_owned(), app.client_id.clone()));
        let secret = app.client_secret.as_ref();
        pairs.extend(secret.map(|secret| ("client_secret".to_owned(), secret.expose().to_owned())));
    }
    Ok(Proof { header, pairs })
}

/// What a server must not say back to us. A refresh token is none of them: many hand out the same one again, and
/// [`token::read_hiding`](super::token::read_hiding) looks after it.
const HIDDEN: [&str; 6] = ["client_secret", "client_assertion", "code", "code_verifier", "device_code", "token"];

/// Writes pairs as the vendor wants bodies.
pub(super) fn with_body(request: Request, body: TokenBody, pairs: &[(String, String)]) -> Request {
    let hidden = pairs.iter().filter(|(name, _)| HIDDEN.contains(&&**name));
    let request = hidden.fold(request, |request, (_, value)| request.hiding(&Secret::new(value.clone())));
    match body {
        TokenBody::Form => request.form(pairs),
        TokenBody::Json => {
            let member = |(name, value): &(String, String)| (name.clone(), Value::String(value.clone()));
            request.json(&pairs.iter().map(member).collect::<Map<_, _>>())
        }
    }
}

type Client = BasicClient<
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

fn client(endpoints: &Endpoints, app: &App) -> Result<Client> {
    let secret = app.client_secret.as_ref().map(|secret| secret.expose().to_owned());
    let (id, secret, auth) = match (endpoints.client_auth, secret) {
        (ClientAuth::SecretAsUser, Some(secret)) => (secret, Some(String::new()), AuthType::BasicAuth),
        (ClientAuth::Basic, secret) => (app.client_id.clone(), secret, AuthType::BasicAuth),
        (_, secret) => (app.client_id.clone(), secret, AuthType::RequestBody),
    };
    let token_url = TokenUrl::new(endpoints.token_url.clone()).map_err(|_| not_a_url(&endpoints.token_url))?;
    let client = BasicClient::new(ClientId::new(id)).set_auth_type(auth).set_token_uri(token_url);
    Ok(match secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret)),
        None => client,
    })
}

fn redirect(uri: &str) -> Result<RedirectUrl> {
    RedirectUrl::new(uri.to_owned()).map_err(|_| not_a_url(uri))
}

fn not_a_url(text: &str) -> Error {
    Error::Setup(format!("{text:?} is not a URL"))
}

/// A request as `oauth2` formed it, taken out by the one way that it offers: as an error of sending.
struct Captured(Box<HttpRequest>);

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Captured")
    }
}

impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request is formed")
    }
}

impl std::error::Error for Captured {}

fn capture(request: HttpRequest) -> Result<HttpResponse, Captured> {
    Err(Captured(Box::new(request)))
}

/// Turns what was captured into our own request. Anything else that `oauth2` says is not shown.
fn formed<T, E: oauth2::ErrorResponse>(
    endpoints: &Endpoints,
    outcome: Result<T, RequestTokenError<Captured, E>>,
) -> Result<(Lane, Request)> {
    let Err(RequestTokenError::Request(Captured(formed))) = outcome else {
        return Err(Error::Setup("the token request cannot be formed".to_owned()));
    };
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(formed.body()).into_owned().collect();
    let mut request = with_body(headed(Request::post(Path::new()), endpoints), endpoints.body, &pairs);
    if let Some(proof) = formed.headers().get(AUTHORIZATION) {
        let mut proof = proof.clone();
        proof.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, proof);
    }
    Ok((lane(endpoints, &endpoints.token_url)?, request))
}
