//! Notion's refusals in our words.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    http::Response,
    tool::{Error, Kind, in_short},
};

/// What a refusal says, after <https://developers.notion.com/reference/status-codes>.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: String,
    message: String,
}

/// Turns a refusal into ours. What it was about is added where that is known.
pub(super) fn explain(response: &Response) -> Error {
    let refused: Refusal = response.json().unwrap_or_default();
    let words = in_short(&refused.message);
    let error = match (response.status.as_u16(), refused.code.as_str()) {
        (400, _) => Error::new(Kind::Arguments, format!("Notion refused: {words}")),
        (401, _) => Error::new(Kind::Expired, "Notion no longer accepts the sign-in.").next("Connect Notion again."),
        (403, _) => Error::new(Kind::NotAllowed, format!("The connection may not do this in Notion: {words}"))
            .next("The owner of the integration can give it the capability, or connect Notion again."),
        (404, _) => Error::not_found("such page or database, or it is not shared with the connection")
            .next("`notion_search` shows what is shared; more is shared in the menu of a page, under Connections."),
        (409, _) => Error::new(Kind::Conflict, "Somebody else changed it at the same moment.").next("Try again."),
        (429, _) => Error::new(Kind::Busy, "Notion takes no more requests for now.").after(pause(response)),
        (500.., _) => Error::new(Kind::Vendor, "Notion failed.").next("Try again in a minute."),
        _ => Error::new(Kind::Vendor, format!("Notion refused: {words}")),
    };
    error.because(format!("{} {}: {}", response.status.as_u16(), refused.code, refused.message))
}

fn pause(response: &Response) -> Option<Duration> {
    response.header("retry-after").and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::{HeaderMap, StatusCode};

    #[test]
    fn every_refusal_has_its_case() {
        for (status, code, kind, phrase) in [
            (400, "validation_error", Kind::Arguments, "Notion refused: Some words."),
            (401, "unauthorized", Kind::Expired, "Connect Notion again."),
            (403, "restricted_resource", Kind::NotAllowed, "capability"),
            (404, "object_not_found", Kind::NotFound, "notion_search"),
            (409, "conflict_error", Kind::Conflict, "Somebody else"),
            (418, "teapot", Kind::Vendor, "Some words"),
            (429, "rate_limited", Kind::Busy, "no more requests"),
            (500, "internal_server_error", Kind::Vendor, "Notion failed."),
            (503, "service_unavailable", Kind::Vendor, "Notion failed."),
        ] {
            let body = json!({ "object": "error", "status": status, "code": code, "message": "Some words" });
            let error = explain(&Response {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: serde_json::to_vec(&body).unwrap(),
                unsure: false,
            });
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(phrase), "{error}");
        }
    }
}
