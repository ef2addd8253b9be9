//! Google Calendar's refusals in our words.

use crate::{
    http::Response,
    integrations::google::{self, Refused},
    tool::{Error, Kind},
};

/// What people call the service.
const TITLE: &str = "Google Calendar";

/// Turns a refusal into ours. Which event or calendar it was about is added where that is known.
pub(super) fn explain(response: &Response) -> Error {
    let refused = Refused::read(response);
    let error = match response.status.as_u16() {
        400 => bad_request(&refused),
        404 => Error::not_found("such event or calendar, or the account may not see it"),
        409 => Error::new(Kind::Conflict, "Google Calendar already has something under this identifier."),
        410 => Error::new(Kind::NotFound, "The event has already been cancelled."),
        412 => Error::new(Kind::Conflict, "Somebody else changed the event at the same moment.")
            .next("Look at it with `google_calendar_get_meeting`, then decide again."),
        _ => return common(response),
    };
    google::because(error, response, &refused)
}

/// The request was understood and found wrong. The arguments were checked before, so Google knows something more.
fn bad_request(refused: &Refused) -> Error {
    let error = Error::new(Kind::Arguments, format!("Google Calendar refused: {}", refused.words()));
    match refused.reason.as_str() {
        "timeRangeEmpty" => error.next("Let `end` be later than `start`."),
        "timeRangeTooLong" => error.next("Ask for a shorter window."),
        _ => error,
    }
}

fn common(response: &Response) -> Error {
    let error = google::explain(TITLE, response);
    if error.kind() != Kind::NotAllowed {
        return error;
    }
    error.next(
        "It may only look at this calendar, or only the organizer may change the event; \
         `google_calendar_list_calendars` shows what the account may do where.",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::integrations::google::is_limit;
    use crate::http::{HeaderMap, HeaderName, StatusCode};

    fn refusal(status: u16, reason: &str, message: &str) -> Response {
        let body = json!({ "error": { "code": status, "message": message,
            "errors": [{ "domain": "global", "reason": reason, "message": message }] } });
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: serde_json::to_vec(&body).unwrap(),
            ..Response::default()
        }
    }

    fn with(mut response: Response, name: &'static str, value: &str) -> Response {
        response.headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        response
    }

    #[track_caller]
    fn check(status: u16, reason: &str, kind: Kind, phrase: &str) {
        let error = explain(&refusal(status, reason, "Some words"));
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(phrase), "{error}");
    }

    #[test]
    fn every_refusal_has_its_case() {
        check(400, "invalid", Kind::Arguments, "Google Calendar refused: Some words.");
        check(400, "timeRangeTooLong", Kind::Arguments, "Ask for a shorter window.");
        check(401, "authError", Kind::Expired, "Connect Google Calendar again.");
        check(403, "insufficientPermissions", Kind::MissingScope, "without the permission");
        check(403, "rateLimitExceeded", Kind::Busy, "no more requests");
        check(403, "userRateLimitExceeded", Kind::Busy, "no more requests");
        check(403, "quotaExceeded", Kind::Busy, "no more requests");
        check(403, "requiredAccessLevel", Kind::NotAllowed, "may not do this");
        check(404, "notFound", Kind::NotFound, "There is no such event or calendar");
        check(409, "duplicate", Kind::Conflict, "already has something");
        check(410, "deleted", Kind::NotFound, "already been cancelled");
        check(412, "conditionNotMet", Kind::Conflict, "Somebody else changed the event");
        check(429, "rateLimitExceeded", Kind::Busy, "no more requests");
        check(418, "teapot", Kind::Vendor, "Some words");
        check(500, "backendError", Kind::Vendor, "Google Calendar failed.");
        check(503, "backendError", Kind::Vendor, "Google Calendar failed.");
    }

    #[test]
    fn a_quota_is_told_from_a_ban() {
        assert!(is_limit(&refusal(403, "rateLimitExceeded", "")));
        assert!(!is_limit(&refusal(403, "forbidden", "")));
        assert!(!is_limit(&refusal(400, "rateLimitExceeded", "")));
    }

    #[test]
    fn the_pause_that_google_wants_is_passed_on() {
        let error = explain(&with(refusal(429, "rateLimitExceeded", ""), "retry-after", "7"));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn missing_scopes_are_named() {
        let challenge = r#"Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="a b""#;
        let error = explain(&with(refusal(403, "insufficientPermissions", ""), "www-authenticate", challenge));
        assert_eq!(error.scopes(), ["a", "b"]);
    }

    #[test]
    fn googles_words_come_short_and_on_one_line() {
        let error = explain(&refusal(400, "invalid", &"so\nlong ".repeat(100)));
        assert!(error.what().len() < 260 && !error.what().contains('\n'), "{error}");
        let page = Response { body: b"<html>".to_vec(), ..refusal(400, "", "") };
        assert!(explain(&page).to_string().contains("it gives no reason"));
    }
}
