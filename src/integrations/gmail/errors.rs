//! Gmail's refusals in our words.

use crate::{
    http::Response,
    integrations::google::{self, Refused},
    tool::{Error, Kind},
};

/// Turns a refusal into ours. Which mail or draft it was about is added where that is known.
pub(super) fn explain(response: &Response) -> Error {
    let refused = Refused::read(response);
    let error = match response.status.as_u16() {
        400 => bad_request(&refused),
        404 => Error::not_found("such mail, thread, draft or label"),
        409 => Error::new(Kind::Conflict, "Somebody else changed the mail at the same moment."),
        _ => return google::explain("Gmail", response),
    };
    google::because(error, response, &refused)
}

fn bad_request(refused: &Refused) -> Error {
    let error = Error::new(Kind::Arguments, format!("Gmail refused: {}", refused.words()));
    let words = refused.message.to_lowercase();
    match () {
        () if words.contains("invalid id") => error.next("Ids come from `gmail_search_emails` and must be copied exactly."),
        () if words.contains("label") => error.next("`gmail_list_labels` shows the labels."),
        () if words.contains("pagetoken") => error.next("Leave `cursor` out to begin at the first page."),
        () => error,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::{HeaderMap, StatusCode};

    #[track_caller]
    fn check(status: u16, reason: &str, message: &str, kind: Kind, phrase: &str) {
        let body = json!({ "error": { "code": status, "message": message,
            "errors": [{ "domain": "global", "reason": reason, "message": message }] } });
        let error = explain(&Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: serde_json::to_vec(&body).unwrap(),
            unsure: false,
        });
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(phrase), "{error}");
    }

    #[test]
    fn every_refusal_has_its_case() {
        check(400, "invalidArgument", "Invalid id value", Kind::Arguments, "must be copied exactly");
        check(400, "invalidArgument", "labelId not found: X", Kind::Arguments, "gmail_list_labels");
        check(400, "invalidArgument", "Recipient address required", Kind::Arguments, "Recipient address required.");
        check(401, "authError", "Invalid Credentials", Kind::Expired, "Connect Gmail again.");
        check(403, "insufficientPermissions", "x", Kind::MissingScope, "without the permission");
        check(403, "userRateLimitExceeded", "x", Kind::Busy, "no more requests");
        check(403, "forbidden", "Delegation denied", Kind::NotAllowed, "Delegation denied.");
        check(404, "notFound", "Requested entity was not found.", Kind::NotFound, "no such mail");
        check(429, "rateLimitExceeded", "x", Kind::Busy, "no more requests");
        check(503, "backendError", "x", Kind::Vendor, "Gmail failed.");
    }
}
