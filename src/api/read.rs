//! Reads what a request brings, strictly: what is not known is refused by its name.
//!
//! Values are never quoted in a refusal, because a credential may stand in the wrong place.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::Problem;
use crate::quota::{self, Exceeded, Permit};

/// The largest body, in bytes: as large as a message on the other ways in.
const LARGEST_BODY: usize = 10 << 20;
/// The longest id or name in an address, in bytes.
const LONGEST_ID: usize = 512;
/// The largest body of somebody who is not known, in bytes: nobody answers for what it takes.
const LARGEST_OF_STRANGERS: usize = 16 << 10;
/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// A JSON body. None at all counts as `{}`.
pub(super) struct Json<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let permit = parts.extensions.get::<Arc<Permit>>().map(|permit| &**permit);
        let body = tokio::time::timeout(BODY_WITHIN, collect(&parts.headers, body, permit)).await;
        let body = body.unwrap_or_else(|_| {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body took too long to arrive"))
        })?;
        // The bytes themselves count already.
        count(permit, quota::weight(&body) - body.len() as u64)?;
        if body.is_empty() {
            return parse(b"{}").map(Json);
        }
        if !is_json(&parts.headers) {
            let problem =
                Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "the body is not JSON");
            return Err(problem.next("Send JSON with the header `Content-Type: application/json`."));
        }
        parse(&body).map(Json)
    }
}

/// Lets `bytes` more count against the caller.
fn count(permit: Option<&Permit>, bytes: u64) -> Result<(), Problem> {
    let grown = permit.map_or(Ok(()), |permit| permit.grow(bytes));
    grown.map_err(|why| match why {
        Exceeded::Never => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("the body is refused: {why}"))
        }
        _ => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", format!("the request was not begun: {why}")),
    })
}

async fn collect(headers: &HeaderMap, body: Body, permit: Option<&Permit>) -> Result<Vec<u8>, Problem> {
    let largest = if permit.is_some() { LARGEST_BODY } else { LARGEST_OF_STRANGERS };
    let claimed = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if claimed.is_some_and(|length| length > largest as u64) {
        return Err(too_large(largest));
    }
    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Problem::input("the body broke off"))?;
        if whole.len() + chunk.len() > largest {
            return Err(too_large(largest));
        }
        count(permit, chunk.len() as u64)?;
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

fn too_large(largest: usize) -> Problem {
    let detail = format!("the body is larger than {} KiB", largest >> 10);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") && !headers.contains_key(header::CONTENT_ENCODING)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::input(told(&error)))
}

/// What is wrong with a body. Of the parser's messages only those are passed on that hold names and no values.
fn told(error: &serde_json::Error) -> String {
    let place = format!("at line {}, column {}", error.line(), error.column());
    if !error.is_data() {
        return format!("the body is not valid JSON {place}");
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text);
    if ["unknown field", "missing field", "duplicate field"].iter().any(|known| text.starts_with(known)) {
        return format!("the body has a mistake: {text}");
    }
    format!("a value in the body is not of the kind that is wanted, {place}")
}

/// The one variable part of a path.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(|_| Problem::input("the address is not valid UTF-8"))?;
        checked(&id)?;
        Ok(Id(id))
    }
}

/// The two variable parts of a path.
pub(super) struct Ids(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((one, two)) = path.map_err(|_| Problem::input("the address is not valid UTF-8"))?;
        checked(&one)?;
        checked(&two)?;
        Ok(Ids(one, two))
    }
}

/// Nothing has an id with control characters in it, a NUL among them, nor a very long one.
fn checked(id: &str) -> Result<(), Problem> {
    if id.len() <= LONGEST_ID && !id.contains(char::is_control) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing of this id"))
}

/// The query, of which only `known` parameters are taken, each once.
pub(super) fn query(text: Option<&str>, known: &[&str]) -> Result<BTreeMap<String, String>, Problem> {
    let mut found = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
        if !known.contains(&&*name) {
            let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(Problem::input(format!("the query parameter `{name}` is not known; there is: {known}")));
        }
        if found.insert(name.to_string(), value.into_owned()).is_some() {
            return Err(Problem::input(format!("the query parameter `{name}` stands there twice")));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Credentials {
        account: Option<String>,
        credentials: BTreeMap<String, String>,
    }

    fn refusal(body: &str) -> String {
        parse::<Credentials>(body.as_bytes()).unwrap_err().detail().to_owned()
    }

    #[test]
    fn what_is_not_known_is_refused_by_its_name() {
        assert_eq!(
            refusal(r#"{"acount":"work","credentials":{}}"#),
            "The body has a mistake: unknown field `acount`, expected `account` or `credentials`."
        );
        assert_eq!(refusal("{}"), "The body has a mistake: missing field `credentials`.");
        assert!(refusal(r#"{"account":"a","account":"b"}"#).contains("duplicate field `account`"));
    }

    #[test]
    fn values_are_not_quoted() {
        for body in [
            r#"{"credentials":"s3cret"}"#,
            r#"{"credentials":{"token":{"s3cret":1}}}"#,
            r#"{"credentials":{"token":["s3cret"]}}"#,
            r#""s3cret""#,
            "s3cret",
            r#"{"credentials":{"token":"s3cret""#,
        ] {
            assert!(!refusal(body).contains("s3cret"), "{}", refusal(body));
        }
    }

    #[test]
    fn a_query_is_read_once_and_by_known_names() {
        assert_eq!(query(Some("account=my%20own"), &["account"]).unwrap()["account"], "my own");
        assert!(query(None, &["account"]).unwrap().is_empty());
        for wrong in ["account=a&account=b", "acount=a", "account=a&x"] {
            assert_eq!(query(Some(wrong), &["account"]).unwrap_err().status(), StatusCode::BAD_REQUEST, "{wrong}");
        }
    }
}
