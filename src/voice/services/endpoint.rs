//! Where a service is, how it is asked, and what its failures come to.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_openai::{
    Client,
    config::Config,
    error::{ApiError, ApiErrorResponse, OpenAIError, StreamError},
    middleware::HttpRequestFactory,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::{Instant, timeout};
use url::Url;

use super::Trouble;
use crate::{
    http::{
        Error, HeaderMap, HeaderValue, Live, StatusCode,
        header::{AUTHORIZATION, HeaderName},
    },
    secret::Secret,
};

/// How much of a refusal's reason is told on, in characters.
const LONGEST_REASON: usize = 160;

/// How much of a refusal is read, in bytes.
const LONGEST_REFUSAL: usize = 16 * 1024;

/// A connection that was used so lately needs no warming.
const STAYS_WARM: Duration = Duration::from_secs(45);

/// How long a service is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the first sign of an answer.
    pub first: Duration,
    /// From one sign to the next.
    pub between: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { first: Duration::from_secs(10), between: Duration::from_secs(10) }
    }
}

impl Patience {
    /// Whether a request that failed after `elapsed` may be made once more: a caller does not wait twice.
    pub(super) fn allows_another(self, elapsed: Duration) -> bool {
        elapsed < self.first / 2
    }
}

/// How a key is shown to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Token …`
    Token,
    /// `xi-api-key: …`
    XiApiKey,
}

/// Where a service is, and with which key it is asked.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// What troubles call it.
    pub service: &'static str,
    /// Its address, without a slash at the end.
    pub base: String,
    pub patience: Patience,
    key: SecretString,
    headers: HeaderMap,
    live: Live,
    used: Arc<Mutex<Option<Instant>>>,
}

impl Endpoint {
    /// An endpoint. A key that cannot stand in a header is refused.
    pub fn new(
        service: &'static str,
        base: &Url,
        key: Option<&Secret>,
        scheme: Scheme,
        live: Live,
    ) -> Result<Self, Trouble> {
        let refused = || Trouble::Refuses { service, reason: "its key holds characters that no key has".into() };
        Ok(Endpoint {
            service,
            base: base.as_str().trim_end_matches('/').to_owned(),
            patience: Patience::default(),
            headers: key.map(|key| credential(key, scheme)).transpose().map_err(|()| refused())?.unwrap_or_default(),
            key: SecretString::from(key.map(Secret::expose).unwrap_or_default().to_owned()),
            live,
            used: Arc::default(),
        })
    }

    /// The same with another patience.
    pub fn patient(self, patience: Patience) -> Self {
        Endpoint { patience, ..self }
    }

    /// The headers that show the key.
    pub fn credential(&self) -> HeaderMap {
        self.headers.clone()
    }

    /// A client of a library for services of OpenAI's shape. It repeats nothing: in a live turn that is for the
    /// conversation to decide.
    pub fn openai(&self) -> Client<Endpoint> {
        let connections = self.live.connections();
        let exchange = move |factory: HttpRequestFactory| {
            let connections = connections.clone();
            async move {
                let answer = connections.execute(factory.build().await?).await?;
                let status = answer.status();
                if status.is_success() {
                    return Ok(answer);
                }
                // Read here because the library takes only refusals of OpenAI's exact form, and writes others to the
                // log.
                let body = answer.bytes().await.unwrap_or_default();
                let message = reason_in(&body[..body.len().min(LONGEST_REFUSAL)]);
                Err(OpenAIError::ApiError(ApiErrorResponse {
                    status_code: status,
                    api_error: ApiError { message, ..ApiError::default() },
                }))
            }
        };
        Client::build(self.live.connections(), self.clone()).with_http_service(tower::service_fn(exchange))
    }

    /// Sends JSON to a path below the address. Refusals are troubles.
    pub async fn post(&self, path: &str, json: &Value) -> Result<crate::http::live::Answer, Trouble> {
        let url = self.below(path)?;
        let body = serde_json::to_vec(json).map_err(|_| Trouble::Rubbish(self.service))?;
        let sent = self.live.post(&url, self.credential(), body).await;
        let answer = sent.map_err(|error| self.unanswered(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        Err(self.refused(status, &reason_in(answer.beginning(LONGEST_REFUSAL).await.as_bytes())))
    }

    /// Sees to it that a connection is there when it is needed.
    pub fn warm(&self) {
        let Ok(url) = self.below("/models") else { return };
        if self.used().replace(Instant::now()).is_some_and(|last| last.elapsed() < STAYS_WARM) {
            return;
        }
        let (live, headers) = (self.live.clone(), self.credential());
        tokio::spawn(async move { timeout(Duration::from_secs(5), live.knock(&url, headers)).await });
    }

    /// A connection has just been used.
    pub fn was_used(&self) {
        *self.used() = Some(Instant::now());
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn below(&self, path: &str) -> Result<Url, Trouble> {
        format!("{}{path}", self.base).parse().map_err(|_| Trouble::Away(self.service))
    }

    pub fn slow(&self) -> Trouble {
        Trouble::Slow(self.service)
    }

    pub fn away(&self) -> Trouble {
        Trouble::Away(self.service)
    }

    pub fn rubbish(&self) -> Trouble {
        Trouble::Rubbish(self.service)
    }

    /// What an error of the outgoing client comes to.
    pub fn unanswered(&self, error: &Error) -> Trouble {
        match error {
            Error::Timeout { .. } => self.slow(),
            Error::Refused(why) | Error::BadRequest(why) => self.refuses(why),
            _ => self.away(),
        }
    }

    /// What an error of the library comes to.
    pub fn trouble(&self, error: &OpenAIError) -> Trouble {
        match error {
            OpenAIError::Reqwest(error) if error.is_timeout() => self.slow(),
            OpenAIError::Reqwest(_) => self.away(),
            OpenAIError::ApiError(answer) => self.refused(answer.status_code, &answer.api_error.message),
            OpenAIError::StreamError(error) => match &**error {
                // The library tells a broken connection and a broken text apart only in words.
                StreamError::EventStream(why) if why.starts_with("Transport") => self.away(),
                _ => self.rubbish(),
            },
            _ => self.rubbish(),
        }
    }

    /// What an answer with the status of a failure comes to.
    pub fn refused(&self, status: StatusCode, reason: &str) -> Trouble {
        match status.as_u16() {
            408 => self.slow(),
            500.. => self.away(),
            // Some services quote a part of the key.
            401 | 403 => self.refuses(&format!("{}: the key is not accepted", status.as_u16())),
            number => self.refuses(format!("{number} {reason}").trim_end()),
        }
    }

    /// A refusal for a reason, which is shortened and cleaned of the key.
    pub fn refuses(&self, reason: &str) -> Trouble {
        let key = self.key.expose_secret();
        let line = reason.lines().next().unwrap_or_default();
        let line = if key.is_empty() { line.to_owned() } else { line.replace(key, "[redacted]") };
        Trouble::Refuses { service: self.service, reason: line.chars().take(LONGEST_REASON).collect() }
    }
}

impl Config for Endpoint {
    fn headers(&self) -> HeaderMap {
        self.credential()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        vec![]
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

fn credential(key: &Secret, scheme: Scheme) -> Result<HeaderMap, ()> {
    let (name, text) = match scheme {
        Scheme::Bearer => (AUTHORIZATION, format!("Bearer {}", key.expose())),
        Scheme::Token => (AUTHORIZATION, format!("Token {}", key.expose())),
        Scheme::XiApiKey => (HeaderName::from_static("xi-api-key"), key.expose().to_owned()),
    };
    let mut value = HeaderValue::from_str(&text).map_err(drop)?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(name, value)]))
}

/// The reason in a refusal: services write `{"error": {"message"}}`, `{"error"}`, `{"message"}` or `{"detail"}`.
pub(super) fn reason_in(body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return String::new() };
    let places = ["/error/message", "/error", "/message", "/detail/message", "/detail", "/err_msg"];
    let found = places.iter().find_map(|place| body.pointer(place).and_then(Value::as_str));
    found.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(key: &str) -> Endpoint {
        let base = "https://speech.example/v1/".parse().unwrap();
        Endpoint::new("voice", &base, Some(&Secret::new(key)), Scheme::Bearer, Live::new().unwrap()).unwrap()
    }

    #[test]
    fn the_reason_is_found_in_every_form() {
        for body in [
            r#"{"error": {"message": "no such model", "code": 404}}"#,
            r#"{"error": "no such model"}"#,
            r#"{"object": "error", "message": "no such model"}"#,
            r#"{"detail": "no such model"}"#,
            r#"{"detail": {"status": "x", "message": "no such model"}}"#,
        ] {
            assert_eq!(reason_in(body.as_bytes()), "no such model", "{body}");
        }
        assert_eq!(reason_in(b"<html>"), "");
    }

    #[test]
    fn a_key_is_in_no_reason_and_no_debug_text() {
        let endpoint = endpoint("sk-hunter2");
        let trouble = endpoint.refused(StatusCode::BAD_REQUEST, "the key sk-hunter2 has no quota\nsecond line");
        assert_eq!(trouble.to_string(), "the voice service refuses: 400 the key [redacted] has no quota");
        let trouble = endpoint.refused(StatusCode::UNAUTHORIZED, "Incorrect API key provided: sk-h***r2");
        assert_eq!(trouble.to_string(), "the voice service refuses: 401: the key is not accepted");
        assert!(!format!("{endpoint:?}").contains("hunter2"));
    }

    #[test]
    fn only_what_may_pass_is_worth_another_try() {
        let endpoint = endpoint("k");
        for (status, passes) in [(500, true), (503, true), (408, true), (400, false), (401, false), (429, false)] {
            let trouble = endpoint.refused(StatusCode::from_u16(status).unwrap(), "");
            assert_eq!(trouble.is_passing(), passes, "{status}");
        }
    }

    #[test]
    fn a_key_that_fits_no_header_is_refused() {
        let base = "https://speech.example".parse().unwrap();
        let made = Endpoint::new("voice", &base, Some(&Secret::new("a\nb")), Scheme::Token, Live::new().unwrap());
        assert!(made.is_err());
    }
}
