//! How Google says no: the error bodies of its JSON APIs.

use serde_json::{Value, json};

use crate::sandbox::{
    shape::{Misfit, Misfitting},
    twin::{Answer, Trouble},
};

/// An error body. `status` is the canonical code that newer services add.
pub fn error(code: u16, domain: &str, reason: &str, message: &str, status: Option<&str>) -> Answer {
    let one = json!({ "domain": domain, "reason": reason, "message": message });
    body(code, message, &one, status)
}

/// 404: there is no such thing, or it is not for you.
pub fn not_found() -> Answer {
    error(404, "global", "notFound", "Not Found", None)
}

/// 410: it was deleted.
pub fn gone() -> Answer {
    error(410, "global", "deleted", "Resource has been deleted", None)
}

/// 400: a value that the vendor cannot use.
pub fn invalid(message: &str) -> Answer {
    error(400, "global", "invalid", message, None)
}

/// 400: a value that has to be there.
pub fn required(message: &str) -> Answer {
    error(400, "global", "required", message, None)
}

/// 400: an end that is not after its start.
pub fn empty_range() -> Answer {
    error(400, "calendar", "timeRangeEmpty", "The specified time range is empty.", None)
}

/// 409: an id that is taken.
pub fn duplicate() -> Answer {
    error(409, "global", "duplicate", "The requested identifier already exists.", None)
}

/// 403: the calendar may be read, not written.
pub fn needs_writer() -> Answer {
    let message = "You need to have writer access to this calendar.";
    error(403, "calendar", "requiredAccessLevel", message, None)
}

/// 403: a guest wants to change what belongs to the organizer.
pub fn not_organizer() -> Answer {
    let message = "Shared properties can only be changed by the organizer of the event.";
    error(403, "calendar", "forbiddenForNonOrganizer", message, None)
}

/// 412: the thing has changed since it was read.
pub fn stale() -> Answer {
    let one = json!({
        "domain": "global", "reason": "conditionNotMet", "message": "Precondition Failed",
        "location": "If-Match", "locationType": "header",
    });
    body(412, "Precondition Failed", &one, None)
}

/// Puts the refusals of the surrounding layer in Google's words.
pub fn refuse(trouble: &Trouble) -> Answer {
    match trouble {
        Trouble::UnknownPath | Trouble::UnknownMethod => {
            let page = "<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title><p><b>404.</b> Not found.";
            Answer::html(404, page.into())
        }
        Trouble::NoToken => unauthenticated("required", "Login Required.", ""),
        Trouble::BadToken => unauthenticated("authError", "Invalid Credentials", ", error=\"invalid_token\""),
        Trouble::MissingScope(scopes) => missing_scope(scopes),
        Trouble::Query(misfit) => bad_query(misfit),
        Trouble::Body(misfit) => bad_body(misfit),
        Trouble::Unreadable(why) => {
            error(400, "global", "parseError", &format!("Parse Error: {why}"), Some("INVALID_ARGUMENT"))
        }
        Trouble::UnexpectedBody => {
            error(400, "global", "badRequest", "The request has a body", Some("INVALID_ARGUMENT"))
        }
        Trouble::RateLimited(seconds) => {
            let refused =
                error(429, "usageLimits", "rateLimitExceeded", "Rate Limit Exceeded", Some("RESOURCE_EXHAUSTED"));
            refused.with("retry-after", seconds.to_string())
        }
        Trouble::Quota => error(403, "usageLimits", "userRateLimitExceeded", "User Rate Limit Exceeded", None),
        Trouble::Broken => error(500, "global", "backendError", "Backend Error", Some("INTERNAL")),
    }
}

fn unauthenticated(reason: &str, message: &str, challenge: &str) -> Answer {
    let one = json!({
        "domain": "global", "reason": reason, "message": message,
        "location": "Authorization", "locationType": "header",
    });
    let challenge = format!("Bearer realm=\"https://accounts.google.com/\"{challenge}");
    body(401, message, &one, Some("UNAUTHENTICATED")).with("www-authenticate", challenge)
}

fn missing_scope(scopes: &[&str]) -> Answer {
    let message = "Request had insufficient authentication scopes.";
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scopes.join(" "));
    let refused = error(403, "global", "insufficientPermissions", message, Some("PERMISSION_DENIED"));
    refused.with("www-authenticate", challenge)
}

fn bad_query(misfit: &Misfit) -> Answer {
    let at = &misfit.at;
    let (reason, message) = match &misfit.fault {
        Misfitting::Unknown => ("badRequest", format!("Unknown name \"{at}\": cannot bind query parameter.")),
        Misfitting::Missing => ("required", format!("Required parameter: {at}")),
        Misfitting::Wrong { got, wants } => ("invalidParameter", format!("Invalid value '{got}': must be {wants}.")),
    };
    let one = json!({
        "domain": "global", "reason": reason, "message": message, "location": at, "locationType": "parameter",
    });
    body(400, &message, &one, Some("INVALID_ARGUMENT"))
}

fn bad_body(misfit: &Misfit) -> Answer {
    let at = &misfit.at;
    let (reason, message) = match &misfit.fault {
        Misfitting::Unknown => ("badRequest", format!("Unknown name \"{at}\": cannot find field.")),
        Misfitting::Missing => ("required", format!("Required: {at}")),
        Misfitting::Wrong { got, wants } => ("invalid", format!("Invalid value at '{at}': \"{got}\" must be {wants}.")),
    };
    error(400, "global", reason, &message, Some("INVALID_ARGUMENT"))
}

fn body(code: u16, message: &str, one: &Value, status: Option<&str>) -> Answer {
    let mut whole = json!({ "code": code, "message": message, "errors": [one] });
    if let Some(status) = status {
        whole["status"] = json!(status);
    }
    Answer::json(code, json!({ "error": whole }))
}
