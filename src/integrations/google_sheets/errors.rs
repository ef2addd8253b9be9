//! Google's refusals in our words.

use crate::{
    http::Response,
    integrations::google::{self, Refused},
    tool::{Error, Kind},
};

/// What Google says of a range that it cannot read; the sheet may not be there.
const UNREADABLE: &str = "Unable to parse range";

/// Whether a refusal was about the range.
pub(super) fn is_about_range(error: &Error) -> bool {
    error.kind() == Kind::Arguments && error.what().contains(UNREADABLE)
}

/// Turns a refusal into ours. Which spreadsheet it was about is added where that is known.
pub(super) fn explain(response: &Response) -> Error {
    let refused = Refused::read(response);
    let error = match response.status.as_u16() {
        400 => Error::new(Kind::Arguments, format!("Google Sheets refused: {}", refused.words())),
        404 => Error::not_found("such spreadsheet, or it is not shared with the account")
            .next("`google_sheets_find_spreadsheet` shows what there is."),
        _ => return shared(google::explain("Google Sheets", response)),
    };
    google::because(error, response, &refused)
}

fn shared(error: Error) -> Error {
    if error.kind() != Kind::NotAllowed {
        return error;
    }
    error.next("Its owner can share the spreadsheet with the account, for editing where that is meant.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::{HeaderMap, StatusCode};

    fn refusal(status: u16, reason: &str, message: &str) -> Response {
        let body = json!({ "error": { "code": status, "message": message, "status": "X",
            "errors": [{ "domain": "global", "reason": reason, "message": message }] } });
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: serde_json::to_vec(&body).unwrap(),
            unsure: false,
        }
    }

    #[test]
    fn every_refusal_has_its_case() {
        for (status, reason, message, kind, phrase) in [
            (400, "", "Unable to parse range: X!A1", Kind::Arguments, "Unable to parse range: X!A1."),
            (401, "", "x", Kind::Expired, "Connect Google Sheets again."),
            (403, "", "The caller does not have permission", Kind::NotAllowed, "can share the spreadsheet"),
            (403, "", "Request had insufficient authentication scopes.", Kind::MissingScope, "allow it"),
            (403, "userRateLimitExceeded", "x", Kind::Busy, "no more requests"),
            (404, "", "Requested entity was not found.", Kind::NotFound, "google_sheets_find_spreadsheet"),
            (418, "", "", Kind::Vendor, "it gives no reason."),
            (429, "", "Quota exceeded", Kind::Busy, "no more requests"),
            (500, "", "x", Kind::Vendor, "Google Sheets failed."),
        ] {
            let error = explain(&refusal(status, reason, message));
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(phrase), "{error}");
        }
        assert!(is_about_range(&explain(&refusal(400, "", "Unable to parse range: X"))));
        assert!(!is_about_range(&explain(&refusal(400, "", "Something else"))));
    }
}
