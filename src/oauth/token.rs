//! What token endpoints answer, in all the forms in which they do.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::Endpoints;
use crate::{http::Response, secret::Secret};

/// The longest lifetime that is believed: ten years.
const LONGEST: f64 = 10.0 * 365.0 * 86_400.0;

/// How many further members of an answer are kept, and how long each may be.
const EXTRA: (usize, usize) = (32, 512);

/// Tokens and what came with them.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    pub(super) access: Secret,
    pub(super) refresh: Option<Secret>,
    pub(super) expires_in: Option<Duration>,
    /// What was granted, where the answer says so.
    pub(super) scopes: Option<Vec<String>>,
    /// Further members that are no secrets, such as `instance_url` or `team.name`.
    pub(super) extra: BTreeMap<String, String>,
    /// What an identity token says about the account: `email` and `subject`.
    pub(super) identity: BTreeMap<String, String>,
}

/// Why there are no tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The grant has ended.
    Dead(String),
    /// The vendor refuses the client or the request.
    Client(String),
    /// The vendor is not well; the same request may succeed later.
    Passing(String),
}

/// Reads the answer of a token endpoint.
pub(super) fn read(answer: &Response, endpoints: &Endpoints) -> Result<Tokens, Refusal> {
    let status = answer.status.as_u16();
    if status == 429 || status >= 500 {
        return Err(Refusal::Passing(format!("answered {status}")));
    }
    let members = members(answer).unwrap_or_default();
    if let Some(code) = error_code(&members, answer.is_success()) {
        return Err(refusal(code, endpoints));
    }
    if !answer.is_success() {
        return Err(Refusal::Passing(format!("answered {status} and did not say why")));
    }
    tokens(&members, endpoints).ok_or_else(|| Refusal::Passing("answered without a token".to_owned()))
}

/// [`read`], where the server was shown this secret and must not say it back: neither as a reason nor beside the tokens.
pub(super) fn read_hiding(answer: &Response, endpoints: &Endpoints, secret: &Secret) -> Result<Tokens, Refusal> {
    let Ok(mut tokens) = read(answer, endpoints) else {
        return read(&answer.clone().without(std::slice::from_ref(secret)), endpoints);
    };
    tokens.extra.retain(|_, value| !repeats(value, secret));
    Ok(tokens)
}

/// Whether a text repeats a secret; what is very short is none.
fn repeats(text: &str, secret: &Secret) -> bool {
    secret.expose().len() >= 8 && text.contains(secret.expose())
}

/// The error code of an answer, where it has one.
pub(super) fn code(answer: &Response) -> Option<String> {
    error_code(&members(answer).unwrap_or_default(), answer.is_success())
}

/// The members of a JSON object, or of a form (GitHub, unless asked for JSON).
pub(super) fn members(answer: &Response) -> Option<Map<String, Value>> {
    if answer.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        let pairs = url::form_urlencoded::parse(&answer.body).into_owned();
        return Some(pairs.map(|(name, value)| (name, Value::String(value))).collect());
    }
    serde_json::from_slice(&answer.body).ok()
}

/// The error code, whichever way the vendor says it. Some say it with status 200.
fn error_code(members: &Map<String, Value>, success: bool) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let in_error = match members.get("error") {
        Some(Value::Object(error)) => {
            ["code", "type", "status"].iter().find_map(|name| error.get(*name).and_then(text))
        }
        Some(value) => text(value),
        None => None,
    };
    let said = || members.get("ok") == Some(&Value::Bool(false));
    let beside = || ["code", "status"].iter().find_map(|name| members.get(*name).and_then(text));
    let code = in_error.or_else(|| if success { None } else { beside() });
    let code = code.or_else(|| said().then(|| "not_ok".to_owned()))?;
    Some(if is_code(&code) { code } else { "an unknown error".to_owned() })
}

/// Codes are words. Anything else could be something that must not be shown.
fn is_code(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
}

fn refusal(code: String, endpoints: &Endpoints) -> Refusal {
    let passing = ["temporarily_unavailable", "server_error", "slow_down", "ratelimited", "rate_limited"];
    let lower = code.to_ascii_lowercase();
    if lower == "invalid_grant" || endpoints.dead.contains(&code) {
        return Refusal::Dead(code);
    }
    if passing.contains(&&*lower) {
        return Refusal::Passing(format!("answered {code}"));
    }
    Refusal::Client(code)
}

fn tokens(members: &Map<String, Value>, endpoints: &Endpoints) -> Option<Tokens> {
    let nested = endpoints.nested.as_ref().and_then(|name| members.get(name)?.as_object());
    // Where both are there, the one at the top is the one that was asked for.
    let holder = if secret(members, "access_token").is_some() { members } else { nested? };
    let (access, refresh) = (secret(holder, "access_token")?, secret(holder, "refresh_token"));
    let mut extra = extra(members);
    // What is kept beside the tokens is shown to people.
    extra.retain(|_, value| {
        !repeats(value, &access) && !refresh.as_ref().is_some_and(|refresh| repeats(value, refresh))
    });
    Some(Tokens {
        access,
        refresh,
        expires_in: seconds(holder.get("expires_in")).or(endpoints.lifetime),
        scopes: holder.get("scope").and_then(|value| scopes(value, endpoints.separator)),
        extra,
        identity: secret(members, "id_token").map(|token| identity(&token)).unwrap_or_default(),
    })
}

fn secret(members: &Map<String, Value>, name: &str) -> Option<Secret> {
    members.get(name)?.as_str().filter(|text| !text.is_empty()).map(Secret::new)
}

/// Seconds as a number or as text. Nothing, zero and less mean that the vendor does not say.
pub(super) fn seconds(value: Option<&Value>) -> Option<Duration> {
    let seconds = match value? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST)))
}

/// Scopes as text with blanks or commas, or as a list.
fn scopes(value: &Value, separator: char) -> Option<Vec<String>> {
    let texts = match value {
        Value::String(text) => vec![text.as_str()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let is_between = |c: char| c == separator || c == ',' || c.is_whitespace();
    let words = texts.into_iter().flat_map(|text| text.split(is_between)).filter(|word| !word.is_empty());
    Some(words.map(str::to_owned).collect())
}

/// Plain members, and those of objects one level down as `team.id`.
fn extra(members: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (name, value) in members {
        match value {
            Value::Object(inner) => {
                inner.iter().for_each(|(below, value)| keep(&mut kept, format!("{name}.{below}"), value));
            }
            value => keep(&mut kept, name.clone(), value),
        }
    }
    kept
}

fn keep(kept: &mut BTreeMap<String, String>, name: String, value: &Value) {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        _ => return,
    };
    let known = ["expires_in", "scope", "ok", "error", "issued_at"];
    let telling = ["token", "secret", "key", "code", "password", "signature", "hash"];
    let lower = name.to_ascii_lowercase();
    let skip = known.contains(&&*lower) || telling.iter().any(|part| lower.contains(part));
    if !skip && kept.len() < EXTRA.0 && text.len() <= EXTRA.1 {
        kept.insert(name, text);
    }
}

/// What an identity token says. It came from the token endpoint itself, over TLS, which section 3.1.3.7 of
/// the core specification accepts in place of its signature; it names the account and opens nothing.
fn identity(token: &Secret) -> BTreeMap<String, String> {
    let claims = token.expose().split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Map<String, Value> = claims.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    let named = [("email", "email"), ("sub", "subject")];
    let claim = |(claim, name): (&str, &str)| Some((name.to_owned(), claims.get(claim)?.as_str()?.to_owned()));
    named.into_iter().filter_map(claim).collect()
}
