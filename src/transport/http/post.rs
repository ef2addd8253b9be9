//! One POST: its body, its message, its era.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::StreamExt;

use super::{Visit, crowded, failed};
use crate::{
    mcp::{
        RUNNING,
        envelope::{self, Envelope},
        era::{Meta, Version},
        exchange::Field,
        message::{invalid_request, refusal_text},
    },
    quota::{self, Permit},
};

impl Visit<'_> {
    /// Answers a POST.
    pub(super) async fn post(&self, headers: &HeaderMap, body: Body) -> Response {
        let body = match self.read(headers, body).await {
            Ok(body) => body,
            Err(refusal) => return *refusal,
        };
        if let Err(why) = self.permit.resize(quota::weight(&body) + RUNNING) {
            return crowded("the request was not begun", why);
        }
        if let Some(batch) = self.batch(&body).await {
            return batch;
        }
        let message = match envelope::decode(&body) {
            Ok(message) => message,
            Err(refusal) => return super::access::json(StatusCode::BAD_REQUEST, refusal_text(&refusal)),
        };
        match message {
            Envelope::Request(request) => {
                let meta = match Meta::of(request.params) {
                    Ok(meta) => meta,
                    Err(error) => return failed(StatusCode::BAD_REQUEST, Some(&request.id), &error),
                };
                if let Some(refusal) = self.lacks_scope(&request).await {
                    return refusal;
                }
                if self.names_modern() || meta.claims_modern() {
                    self.modern_request(&request, &meta).await
                } else {
                    self.legacy_request(&request, &meta).await
                }
            }
            Envelope::Notification(notification) => {
                let claims = Meta::of(notification.params).is_ok_and(|meta| meta.claims_modern());
                if self.names_modern() || claims {
                    self.modern_notification(&notification)
                } else {
                    self.legacy_notification(&notification).await
                }
            }
            Envelope::Response(_) if self.names_modern() => {
                let why = "a client of this revision answers in a request, with `inputResponses`";
                failed(StatusCode::BAD_REQUEST, None, &invalid_request(why))
            }
            Envelope::Response(response) => self.legacy_response(response).await,
        }
    }

    /// Whether the version header names a modern revision, or one that nobody knows.
    fn names_modern(&self) -> bool {
        match &self.headers.version {
            Field::Absent => false,
            Field::Spoilt => true,
            Field::Text(version) => Version::parse(version).is_none_or(Version::is_modern),
        }
    }

    /// Reads the body, and stops as soon as it is too large or too slow.
    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Box<Response>> {
        if !is_json(headers) {
            let why = "the body is application/json, and not encoded";
            return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, why).into());
        }
        let limit = self.options.largest_message;
        let claimed = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if claimed.is_some_and(|length| length > limit as u64) {
            return Err(too_large(limit).into());
        }
        let reading = tokio::time::timeout(self.options.body_within, collect(body, claimed, limit, &self.permit));
        reading.await.unwrap_or_else(|_| Err(late(self.options.body_within).into()))
    }
}

/// Reads a body; what has come counts as soon as it is there.
async fn collect(body: Body, claimed: Option<u64>, limit: usize, permit: &Permit) -> Result<Bytes, Box<Response>> {
    let mut stream = body.into_data_stream();
    let mut whole = Vec::with_capacity(claimed.and_then(|length| usize::try_from(length).ok()).unwrap_or(0));
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| refused(StatusCode::BAD_REQUEST, "the body broke off"))?;
        if whole.len() + chunk.len() > limit {
            return Err(too_large(limit).into());
        }
        if let Err(why) = permit.grow(chunk.len() as u64) {
            return Err(closing(crowded("the body was not read", why)).into());
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.into())
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = match (kinds.next(), kinds.next()) {
        (Some(only), None) => only.to_str().unwrap_or(""),
        _ => "",
    };
    let kind = kind.split(';').next().unwrap_or("").trim();
    let is_plain = headers.get_all(header::CONTENT_ENCODING).iter().all(|coding| coding == "identity");
    kind.eq_ignore_ascii_case("application/json") && is_plain
}

fn too_large(limit: usize) -> Response {
    refused(StatusCode::PAYLOAD_TOO_LARGE, &format!("a message is at most {limit} bytes long"))
}

fn late(limit: Duration) -> Response {
    refused(StatusCode::REQUEST_TIMEOUT, &format!("the body did not arrive within {} s", limit.as_secs()))
}

/// A refusal of a body that was not read to its end: the connection cannot be used again.
fn refused(status: StatusCode, why: &str) -> Response {
    closing(failed(status, None, &invalid_request(why)))
}

fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
