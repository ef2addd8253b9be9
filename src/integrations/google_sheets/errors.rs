//! Google's refusals in our words.

use std::time::Duration;

use super::wire::Refusal;
use crate::{
    http::{Response, StatusCode},
    tool::{Error, Kind},
};

/// The reasons by which Drive says "slow down" with status 403.
const LIMITS: [&str; 3] = ["rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded"];

/// The longest piece of Google's own words that is passed on.
const LONGEST: usize = 200;

/// What Google says of a range that it cannot read; the sheet may not be there.
const UNREADABLE: &str = "Unable to parse range";

/// Whether a refusal means "slow down" although its status is not 429.
pub(super) fn is_limit(response: &Response) -> bool {
    let reasons = response.json::<Refusal>().unwrap_or_default().error.errors;
    response.status == StatusCode::FORBIDDEN && reasons.iter().any(|one| LIMITS.contains(&one.reason.as_str()))
}

/// Whether a refusal was about the range.
pub(super) fn is_about_range(error: &Error) -> bool {
    error.kind() == Kind::Arguments && error.what().contains(UNREADABLE)
}

/// Turns a refusal into ours. Which spreadsheet it was about is added where that is known.
pub(super) fn explain(response: &Response) -> Error {
    let body = response.json::<Refusal>().unwrap_or_default().error;
    let words = words(&body.message);
    let error = match response.status.as_u16() {
        400 => Error::new(Kind::Arguments, format!("Google Sheets refused: {words}")),
        401 => Error::new(Kind::Expired, "Google Sheets no longer accepts the sign-in.")
            .next("Connect Google Sheets again."),
        403 if is_limit(response) => busy(response),
        403 if body.message.contains("insufficient authentication scopes") => lacks_scope(response),
        403 => Error::new(Kind::NotAllowed, format!("The account may not do this in Google Sheets: {words}"))
            .next("Its owner can share the spreadsheet with the account, for editing where that is meant."),
        404 => Error::not_found("such spreadsheet, or it is not shared with the account")
            .next("`google_sheets_find_spreadsheet` shows what there is."),
        429 => busy(response),
        500.. => Error::new(Kind::Vendor, "Google Sheets failed.").next("Try again in a minute."),
        _ => Error::new(Kind::Vendor, format!("Google Sheets refused: {words}")),
    };
    error.because(format!("{} {}: {}", response.status.as_u16(), body.status, body.message))
}

fn busy(response: &Response) -> Error {
    let pause = response.header("retry-after").and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
    Error::new(Kind::Busy, "Google Sheets takes no more requests of this account for now.").after(pause)
}

/// The scopes that would do stand in the challenge of RFC 6750, section 3.
fn lacks_scope(response: &Response) -> Error {
    let challenge = response.header("www-authenticate").unwrap_or_default();
    let named = challenge.split_once("scope=\"").and_then(|(_, rest)| rest.split_once('"'));
    let scopes = named.map(|(named, _)| named).unwrap_or_default().split_whitespace().map(str::to_owned);
    Error::missing_scope("Google Sheets is connected without the permission that this needs.", scopes)
        .next("Connect Google Sheets again and allow it.")
}

/// Google's own words, on one line and short.
fn words(message: &str) -> String {
    let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match (words.is_empty(), words.char_indices().nth(LONGEST)) {
        (true, _) => "it gives no reason.".into(),
        (false, Some((end, _))) => format!("{}…", &words[..end]),
        (false, None) if words.ends_with('.') => words,
        (false, None) => format!("{words}."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::HeaderMap;

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
