//! Salesforce's refusals in our words.

use serde::Deserialize;

use crate::{
    http::Response,
    tool::{Error, Kind, Written},
};

/// How much of Salesforce's own words is shown, in characters.
const LONGEST: usize = 300;

/// One refusal; they come in a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Refusal {
    message: String,
    error_code: String,
    fields: Vec<String>,
}

/// Tells a refusal that passes by itself within moments: another transaction has the record, or too many long requests
/// run at a time. The day's quota is none, because it takes hours to come back.
pub(super) fn is_limit(response: &Response) -> bool {
    let refusal = read(response);
    match refusal.error_code.as_str() {
        "UNABLE_TO_LOCK_ROW" => true,
        "REQUEST_LIMIT_EXCEEDED" => refusal.message.contains("Concurrent"),
        _ => false,
    }
}

/// What a refusal means for the caller.
pub(super) fn explain(response: &Response) -> Error {
    let refusal = read(response);
    let status = response.status.as_u16();
    let error = match (status, refusal.error_code.as_str()) {
        _ if refusal.message.contains("not valid for use") => missing_scope(),
        (401, _) | (_, "INVALID_SESSION_ID" | "INVALID_AUTH_HEADER") => {
            Error::new(Kind::Expired, "Salesforce no longer accepts the sign-in.").next("Connect Salesforce again.")
        }
        (_, "REQUEST_LIMIT_EXCEEDED") => Error::new(Kind::Busy, "The organisation has used up its API requests of the last 24 hours.")
            .next("They come back hour by hour; an administrator of Salesforce can see and raise the limit."),
        (_, "UNABLE_TO_LOCK_ROW") => Error::new(Kind::Busy, "Somebody else is changing this record right now.")
            .next("Nothing was changed; try again in a moment."),
        (_, code) if is_about_rights(code) => not_allowed(&refusal),
        (_, code) if is_about_presence(code) => missing(&refusal),
        (_, "DUPLICATES_DETECTED" | "DUPLICATE_VALUE") => {
            Error::new(Kind::Conflict, format!("Salesforce already has such a record: {}", refusal.words()))
                .next("Look it up and change that one.")
        }
        (_, "INVALID_QUERY_LOCATOR") => Error::new(Kind::Arguments, "The list has been closed since.")
            .next("Leave `cursor` out to begin at the first page."),
        (_, "QUERY_TIMEOUT" | "QUERY_TOO_COMPLICATED") => {
            Error::new(Kind::Vendor, "The query took Salesforce too long.").next("Ask for less: add conditions or a LIMIT.")
        }
        (404, _) => missing(&refusal),
        (403, _) => not_allowed(&refusal),
        (429, _) => Error::new(Kind::Busy, "Salesforce takes no more requests for now."),
        (500.., _) => Error::new(Kind::Vendor, "Salesforce failed.").next("Try again in a minute."),
        (400, _) => bad_request(&refusal),
        _ => Error::new(Kind::Vendor, format!("Salesforce refused: {}", refusal.words())),
    };
    error.because(format!("{status} {}: {}", refusal.error_code, refusal.message))
}

fn missing_scope() -> Error {
    Error::missing_scope("Salesforce is connected without the permission that this needs.", ["api".to_owned()])
        .next("Connect Salesforce again and allow it.")
}

fn is_about_rights(code: &str) -> bool {
    code.starts_with("INSUFFICIENT_ACCESS")
        || matches!(code, "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" | "FUNCTIONALITY_NOT_ENABLED" | "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
}

fn is_about_presence(code: &str) -> bool {
    matches!(code, "NOT_FOUND" | "ENTITY_IS_DELETED" | "MALFORMED_ID" | "INVALID_CROSS_REFERENCE_KEY")
}

fn not_allowed(refusal: &Refusal) -> Error {
    Error::new(Kind::NotAllowed, format!("The account may not do this in Salesforce: {}", refusal.words()))
        .next("An administrator of Salesforce can give it the right.")
}

fn missing(refusal: &Refusal) -> Error {
    Error::new(Kind::NotFound, format!("Salesforce does not have it, or the account may not see it: {}", refusal.words()))
        .next("`salesforce_search_records` finds records and their ids.")
}

/// The request was understood and found wrong; the code says what to look at.
fn bad_request(refusal: &Refusal) -> Error {
    let error = Error::new(Kind::Arguments, format!("Salesforce refused: {}", refusal.words()));
    match refusal.error_code.as_str() {
        "INVALID_FIELD" | "INVALID_FIELD_FOR_INSERT_UPDATE" => {
            error.next("`salesforce_describe_object` tells the fields that there are.")
        }
        "INVALID_TYPE" => error.next("Write the object's API name, such as Opportunity; those made by the organisation end in `__c`."),
        "MALFORMED_QUERY" => error.next("Mend the query; text stands in single quotes, and `\\'` is a quote in it."),
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" => {
            error.next("`salesforce_describe_object` tells the values that the field allows.")
        }
        _ => error,
    }
}

fn read(response: &Response) -> Refusal {
    let refusals: Vec<Refusal> = response.json().unwrap_or_default();
    refusals.into_iter().next().unwrap_or_default()
}

impl Refusal {
    /// Salesforce's own words on one line and short, and the fields that they are about.
    fn words(&self) -> String {
        let words = self.message.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.is_empty() {
            return "it gives no reason.".into();
        }
        // A message may quote what stands in a record.
        let words = Written::by_others(words.trim_end_matches('.')).line(LONGEST);
        let named: Vec<_> = self.fields.iter().take(10).map(String::as_str).collect();
        if named.is_empty() { format!("{words}.") } else { format!("{words} ({}).", named.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::StatusCode;

    fn refusal(status: u16, code: &str, message: &str) -> Response {
        let body = json!([{ "message": message, "errorCode": code, "fields": ["Email"] }]);
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            body: serde_json::to_vec(&body).unwrap(),
            ..Response::default()
        }
    }

    #[track_caller]
    fn check(status: u16, code: &str, kind: Kind, phrase: &str) {
        let error = explain(&refusal(status, code, "Some words"));
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(phrase), "{error}");
    }

    #[test]
    fn every_refusal_has_its_case() {
        check(401, "INVALID_SESSION_ID", Kind::Expired, "Connect Salesforce again.");
        check(403, "REQUEST_LIMIT_EXCEEDED", Kind::Busy, "hour by hour");
        check(400, "UNABLE_TO_LOCK_ROW", Kind::Busy, "Somebody else is changing");
        check(403, "INSUFFICIENT_ACCESS_OR_READONLY", Kind::NotAllowed, "Some words⟧ (Email).");
        check(403, "API_DISABLED_FOR_ORG", Kind::NotAllowed, "An administrator");
        check(404, "NOT_FOUND", Kind::NotFound, "salesforce_search_records");
        check(400, "ENTITY_IS_DELETED", Kind::NotFound, "does not have it");
        check(400, "MALFORMED_ID", Kind::NotFound, "does not have it");
        check(400, "DUPLICATES_DETECTED", Kind::Conflict, "Look it up");
        check(400, "INVALID_FIELD", Kind::Arguments, "salesforce_describe_object");
        check(400, "INVALID_TYPE", Kind::Arguments, "API name");
        check(400, "MALFORMED_QUERY", Kind::Arguments, "single quotes");
        check(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", Kind::Arguments, "values that the field allows");
        check(400, "REQUIRED_FIELD_MISSING", Kind::Arguments, "Some words");
        check(400, "INVALID_QUERY_LOCATOR", Kind::Arguments, "Leave `cursor` out");
        check(400, "QUERY_TIMEOUT", Kind::Vendor, "too long");
        check(500, "UNKNOWN_EXCEPTION", Kind::Vendor, "Salesforce failed.");
        check(503, "SERVER_UNAVAILABLE", Kind::Vendor, "Try again in a minute.");
        check(418, "TEAPOT", Kind::Vendor, "Some words");
    }

    #[test]
    fn a_session_without_the_scope_is_told_from_one_that_ended() {
        let words = "This session is not valid for use with the REST API";
        let error = explain(&refusal(403, "INVALID_SESSION_ID", words));
        assert_eq!((error.kind(), error.scopes()), (Kind::MissingScope, &["api".to_owned()][..]));
    }

    #[test]
    fn what_passes_by_itself_is_told_from_the_quota_of_the_day() {
        assert!(is_limit(&refusal(400, "UNABLE_TO_LOCK_ROW", "")));
        assert!(is_limit(&refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.")));
        assert!(!is_limit(&refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")));
        assert!(!is_limit(&refusal(401, "INVALID_SESSION_ID", "")));
    }

    #[test]
    fn a_page_instead_of_a_refusal_is_no_reason() {
        let page = Response { body: b"<html>".to_vec(), ..refusal(400, "", "") };
        assert!(explain(&page).to_string().contains("it gives no reason"));
    }
}
