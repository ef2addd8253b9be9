//! The token endpoint and the revocation endpoint.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Accounts, ClientAuth, Granted, Handed, Refusal, device, value};
use crate::{
    sandbox::{
        server::Incoming,
        shape::{Field, Kind, check_pairs},
        twin::{Answer, plainly},
    },
    secret::Secret,
};

/// The fields of a code's trade.
const EXCHANGE: &[Field] = &[
    Field::required("grant_type", Kind::Text),
    Field::required("code", Kind::Text),
    Field::required("redirect_uri", Kind::Text),
    Field::optional("code_verifier", Kind::Text),
    Field::optional("client_id", Kind::Text),
    Field::optional("client_secret", Kind::Text),
];

/// The fields of a refresh.
const REFRESH: &[Field] = &[
    Field::required("grant_type", Kind::Text),
    Field::required("refresh_token", Kind::Text),
    Field::optional("scope", Kind::Text),
    Field::optional("client_id", Kind::Text),
    Field::optional("client_secret", Kind::Text),
];

type Pairs = Vec<(String, String)>;

impl Accounts {
    /// Trades a code or a refresh token.
    pub(super) fn token(&self, incoming: &Incoming) -> Answer {
        let pairs = match self.token_request(incoming) {
            Ok(pairs) => pairs,
            Err(refused) => return refused,
        };
        match value(&pairs, "grant_type") {
            Some("authorization_code") => self.checked(&pairs, EXCHANGE, Self::exchange),
            Some("refresh_token") => self.checked(&pairs, REFRESH, Self::refresh),
            Some(device::GRANT) if self.quirks.device_path.is_some() => {
                self.checked(&pairs, device::TRADE, Self::trade_device)
            }
            Some(_) => {
                let why = "grant_type must be authorization_code or refresh_token";
                self.refuse(400, "unsupported_grant_type", why)
            }
            None => self.refuse(400, "invalid_request", "\"grant_type\" is required"),
        }
    }

    /// Which of the two a token request is, so that refreshes can be counted.
    pub(super) fn token_operation(&self, incoming: &Incoming) -> &'static str {
        let pairs = self.pairs(incoming).unwrap_or_default();
        match value(&pairs, "grant_type") {
            Some("authorization_code") => "oauth.exchange",
            Some("refresh_token") => "oauth.refresh",
            Some(device::GRANT) => "oauth.device.exchange",
            _ => "oauth.token",
        }
    }

    fn checked(&self, pairs: &Pairs, own: &[Field], run: fn(&Self, &Pairs) -> Result<Granted, Answer>) -> Answer {
        let fields: Vec<Field> = own.iter().chain(self.quirks.token_extra).copied().collect();
        if let Err(misfit) = check_pairs(pairs, &fields) {
            return self.refuse(400, "invalid_request", &plainly(&misfit));
        }
        run(self, pairs).map_or_else(|refused| refused, |granted| self.granted(&granted))
    }

    fn exchange(&self, pairs: &Pairs) -> Result<Granted, Answer> {
        let invalid = |why: &str| self.refuse(400, "invalid_grant", why);
        let text = value(pairs, "code").unwrap_or_default();
        let now = self.clock.now();
        let mut grants = self.grants();
        let code = grants.open_code(text, now).map_err(|refusal| invalid(explain(refusal)))?;
        if value(pairs, "redirect_uri") != Some(&code.redirect_uri) {
            return Err(self.refuse(400, "redirect_uri_mismatch", "redirect_uri is not the one of the request"));
        }
        if !proves(code.challenge.as_deref(), value(pairs, "code_verifier")) {
            return Err(invalid("code_verifier does not fit the code_challenge"));
        }
        Ok(grants.trade(text, code, self.quirks, now))
    }

    fn refresh(&self, pairs: &Pairs) -> Result<Granted, Answer> {
        let token = value(pairs, "refresh_token").unwrap_or_default();
        let renewed = self.grants().refresh(token, self.quirks, self.clock.now());
        renewed.map_err(|refusal| self.refuse(400, "invalid_grant", explain(refusal)))
    }

    fn granted(&self, granted: &Granted) -> Answer {
        Answer::ok(self.handed(granted)).with("cache-control", "no-store").with("pragma", "no-cache")
    }

    /// What the vendor answers when it hands out tokens.
    pub(super) fn handed(&self, granted: &Granted) -> Value {
        let lifetime = self.quirks.access_lifetime.filter(|_| self.quirks.tells_lifetime);
        let handed = Handed {
            granted,
            scope: self.join(&granted.scopes),
            lifetime: lifetime.map(|lifetime| lifetime.as_secs().unsigned_abs()),
            api: self.api.get().map_or("", String::as_str),
            account: &self.account(),
        };
        (self.quirks.answer)(&handed)
    }

    /// Reads the body and checks who sends it.
    pub(super) fn token_request(&self, incoming: &Incoming) -> Result<Pairs, Answer> {
        let pairs = self
            .pairs(incoming)
            .ok_or_else(|| self.refuse(400, "invalid_request", "the body has another content type"))?;
        let Some((id, secret)) = self.client(incoming, &pairs) else {
            return Err(self.refuse(401, "invalid_client", "the client did not say who it is"));
        };
        if !self.is_client(&id, &secret) {
            return Err(self.refuse(401, "invalid_client", "client_id or client_secret is wrong"));
        }
        Ok(pairs)
    }

    pub(super) fn is_client(&self, id: &str, secret: &str) -> bool {
        id == self.client_id && Secret::new(secret) == self.client_secret
    }

    pub(super) fn pairs(&self, incoming: &Incoming) -> Option<Pairs> {
        if self.quirks.json_body { json_pairs(incoming) } else { form_pairs(incoming) }
    }

    fn client(&self, incoming: &Incoming, pairs: &Pairs) -> Option<(String, String)> {
        let allowed = |way| self.quirks.client_auth.contains(&way);
        if let Some((user, password)) = incoming.basic() {
            if allowed(ClientAuth::SecretAsUser) && password.is_empty() {
                return Some((self.client_id.clone(), user));
            }
            if allowed(ClientAuth::Basic) {
                return Some((user, password));
            }
        }
        let (id, secret) = (value(pairs, "client_id")?, value(pairs, "client_secret")?);
        allowed(ClientAuth::Post).then(|| (id.to_owned(), secret.to_owned()))
    }
}

impl Incoming {
    /// The client of a Basic header, each half form-encoded (RFC 6749 §2.3.1).
    pub(super) fn basic(&self) -> Option<(String, String)> {
        let header = self.headers.get("authorization")?.to_str().ok()?;
        let pair = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
        let pair = String::from_utf8(pair).ok()?;
        let (id, secret) = pair.split_once(':')?;
        let decode = |half: &str| Some(percent_decode_str(half).decode_utf8().ok()?.into_owned());
        Some((decode(id)?, decode(secret)?))
    }
}

fn form_pairs(incoming: &Incoming) -> Option<Pairs> {
    incoming.is_of_type("application/x-www-form-urlencoded").then(|| incoming.form())
}

fn json_pairs(incoming: &Incoming) -> Option<Pairs> {
    let object: Map<String, Value> = serde_json::from_slice(&incoming.body).ok()?;
    let pair = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
    object.into_iter().map(pair).collect()
}

/// Whether a verifier is the one behind the challenge; without a challenge there must be none.
fn proves(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge,
        _ => false,
    }
}

fn explain(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Unknown => "the grant is unknown or has been revoked",
        Refusal::Expired => "the grant has expired",
        Refusal::Spent => "the grant was used before; everything it brought has ended",
    }
}
