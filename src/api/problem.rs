//! Refusals and failures as problem documents (RFC 9457).

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::{
    agents, approvals, audit, hub, store,
    text::bounded,
    tool::{self, sentence},
};

/// Why a request was not done: `application/problem+json` with `type`, `title`, `status`, and beside these `code` for
/// programs, `detail` for people and `next`, what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem(Box<Inner>);

#[derive(Clone, Debug, PartialEq)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    detail: String,
    next: Option<String>,
    retry_after: Option<Duration>,
    more: Map<String, Value>,
}

impl Problem {
    /// A problem; `detail` is made a sentence.
    pub fn new(status: StatusCode, code: &'static str, detail: impl AsRef<str>) -> Self {
        let detail = sentence(detail.as_ref());
        // A question is as long as what it asks about.
        let detail = if code == tool::Kind::Ask.code() { detail } else { bounded(detail) };
        Problem(Box::new(Inner { status, code, detail, next: None, retry_after: None, more: Map::new() }))
    }

    /// The request does not fit.
    pub(super) fn input(detail: impl AsRef<str>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, tool::Kind::Arguments.code(), detail)
    }

    /// Whoever asks may not do this.
    pub(super) fn forbidden(detail: impl AsRef<str>) -> Self {
        Problem::new(StatusCode::FORBIDDEN, tool::Kind::NotAllowed.code(), detail)
    }

    /// It works again later.
    pub(super) fn unavailable(detail: impl AsRef<str>) -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).next("Try again in a moment.")
    }

    /// A fault of this program; `cause` goes into the log only.
    pub(super) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request over REST failed");
        tool::Error::internal("").into()
    }

    /// What to do next, if that is known.
    pub fn advice(&self) -> Option<&str> {
        self.0.next.as_deref()
    }

    /// Says what to do next, as a whole sentence.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.0.next = Some(bounded(next.into()));
        self
    }

    /// Says after how long it may be tried again.
    #[must_use]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.0.retry_after = Some(pause);
        self
    }

    /// Adds a member of its own, such as a reference number.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// Its HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What happened, as a sentence.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The document. Its type is `about:blank`: the status says what kind it is, and `code` says it closer.
    fn document(&self) -> Value {
        let Inner { status, code, detail, next, more, .. } = &*self.0;
        let mut document = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Problem"),
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
        });
        if let Some(next) = next {
            document["next"] = next.as_str().into();
        }
        for (name, value) in more {
            document[name] = value.clone();
        }
        document
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
        let mut response = (self.0.status, headers, self.document().to_string()).into_response();
        if let Some(pause) = self.0.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(pause.as_secs().max(1)));
        }
        response
    }
}

impl From<tool::Error> for Problem {
    fn from(error: tool::Error) -> Self {
        tracing::debug!(code = error.code(), cause = %error.chain(), "a request over REST was not done");
        let mut problem = Problem::new(status(error.kind()), error.code(), error.what());
        let page = error.page().map(|page| format!("Open {} and then call again.", page.url));
        problem.0.next = page.or_else(|| error.next_step().map(str::to_owned));
        problem.0.retry_after = error.retry_after();
        if !error.scopes().is_empty() {
            return problem.with("scopes", error.scopes());
        }
        problem
    }
}

impl From<hub::Error> for Problem {
    fn from(error: hub::Error) -> Self {
        match error {
            hub::Error::UnknownTool { .. } => Problem::new(StatusCode::NOT_FOUND, "unknown_tool", error.to_string())
                .next("`GET /api/v1/tools` lists what you may use."),
            hub::Error::Tool { call, error } => Problem::from(error).with("call", call.as_str()),
            hub::Error::BadTicket => Problem::input(error.to_string()),
            hub::Error::Closed(cause) => {
                tracing::warn!(%cause, "the store behind the door did not answer");
                Problem::unavailable("what stands behind the door is out of reach")
            }
        }
    }
}

impl From<approvals::Error> for Problem {
    fn from(error: approvals::Error) -> Self {
        match error {
            approvals::Error::Unknown => {
                Problem::new(StatusCode::NOT_FOUND, tool::Kind::NotFound.code(), "there is no such question")
                    .next("It may have expired: `GET /api/v1/approvals` lists what waits.")
            }
            approvals::Error::Settled | approvals::Error::Contended => {
                Problem::new(StatusCode::CONFLICT, tool::Kind::Conflict.code(), error.to_string())
            }
            approvals::Error::TooLong => Problem::input(error.to_string()),
            approvals::Error::TooMuch => Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", error.to_string()),
            approvals::Error::Altered => Problem::new(StatusCode::CONFLICT, "conflict", error.to_string()),
            approvals::Error::Store(store::Error::BadKey(_)) => approvals::Error::Unknown.into(),
            approvals::Error::Unfitting(_) | approvals::Error::Store(_) => Problem::internal(error),
        }
    }
}

impl From<agents::Error> for Problem {
    fn from(error: agents::Error) -> Self {
        match &error {
            agents::Error::NoSuchAgent(_) | agents::Error::NoSuchUser(_) => {
                Problem::new(StatusCode::NOT_FOUND, tool::Kind::NotFound.code(), error.to_string())
            }
            agents::Error::Nameless => Problem::input(error.to_string()),
            agents::Error::NameTaken(_) | agents::Error::Namesakes { .. } => {
                Problem::new(StatusCode::CONFLICT, tool::Kind::Conflict.code(), error.to_string())
            }
            agents::Error::Store(store::Error::BadKey(_)) => {
                Problem::new(StatusCode::NOT_FOUND, tool::Kind::NotFound.code(), "there is nothing of this id")
            }
            agents::Error::Unfitting(_) | agents::Error::Store(_) => Problem::internal(error),
        }
    }
}

impl From<audit::Error> for Problem {
    fn from(error: audit::Error) -> Self {
        Problem::internal(error)
    }
}

/// A status for each case that a caller treats differently.
fn status(kind: tool::Kind) -> StatusCode {
    use tool::Kind;
    match kind {
        Kind::Arguments => StatusCode::BAD_REQUEST,
        Kind::Ask
        | Kind::Input
        | Kind::Unable
        | Kind::NotConnected
        | Kind::Expired
        | Kind::Ambiguous
        | Kind::Cancelled
        | Kind::Conflict => StatusCode::CONFLICT,
        Kind::MissingScope | Kind::NotAllowed => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Busy => StatusCode::TOO_MANY_REQUESTS,
        Kind::Vendor => StatusCode::BAD_GATEWAY,
        Kind::TooLarge => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_happened_and_what_to_do() {
        let error = tool::Error::not_found("integration `gmial`").next("Did you mean `gmail`?");
        assert_eq!(
            Problem::from(error).document(),
            json!({
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "code": "not_found",
                "detail": "There is no integration `gmial`.",
                "next": "Did you mean `gmail`?",
            })
        );
    }

    #[test]
    fn a_fault_of_ours_keeps_its_cause_inside() {
        let document = Problem::internal("the disk is full").document().to_string();
        assert!(document.contains("internal") && !document.contains("disk"), "{document}");
    }

    #[test]
    fn a_pause_goes_into_the_header() {
        let error = tool::Error::new(tool::Kind::Busy, "Too many requests.").after(Some(Duration::from_secs(7)));
        let response = Problem::from(error).into_response();
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    }
}
