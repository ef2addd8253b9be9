//! How HubSpot says no.

use serde_json::{Value, json};

use crate::sandbox::twin::{Answer, Trouble, plainly};

/// The id that HubSpot's support would ask for.
const CORRELATION: &str = "00000000-0000-4000-8000-000000000000";

fn error(status: u16, category: &str, message: &str) -> Answer {
    with(status, category, message, json!(null))
}

fn with(status: u16, category: &str, message: &str, errors: Value) -> Answer {
    let mut body = json!({ "status": "error", "message": message, "correlationId": CORRELATION, "category": category });
    if !errors.is_null() {
        body["errors"] = errors;
    }
    Answer::json(status, body)
}

/// 400: something about the request.
pub fn invalid(message: &str) -> Answer {
    error(400, "VALIDATION_ERROR", message)
}

/// 400: a property that is not there or holds something else.
pub fn bad_property(name: &str, why: &str) -> Answer {
    let one = json!({ "message": why, "context": { "propertyName": [name] } });
    with(400, "VALIDATION_ERROR", &format!("Property values were not valid: {why}"), json!([one]))
}

/// 404: no such record.
pub fn not_found() -> Answer {
    error(404, "OBJECT_NOT_FOUND", "resource not found")
}

/// Puts the refusals of the surrounding layer in HubSpot's words.
pub fn refuse(trouble: &Trouble) -> Answer {
    match trouble {
        Trouble::UnknownPath => error(404, "OBJECT_NOT_FOUND", "Unable to find the resource"),
        Trouble::UnknownMethod => error(405, "VALIDATION_ERROR", "Method not allowed"),
        Trouble::NoToken => error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found."),
        Trouble::BadToken => error(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired."),
        Trouble::MissingScope(scopes) => {
            let message = "This app hasn't been granted all required scopes to make this call.";
            let one = json!({
                "message": "One or more of the following scopes are required.",
                "context": { "requiredGranularScopes": scopes },
            });
            with(403, "MISSING_SCOPES", message, json!([one]))
        }
        Trouble::Query(misfit) | Trouble::Body(misfit) => invalid(&format!("Invalid input: {}", plainly(misfit))),
        Trouble::Unreadable(why) => invalid(&format!("Invalid input JSON: {why}")),
        Trouble::UnexpectedBody => invalid("The request has a body"),
        Trouble::RateLimited(seconds) => error(429, "RATE_LIMITS", "You have reached your ten_secondly_rolling limit.")
            .with("retry-after", seconds.to_string()),
        Trouble::Quota => error(429, "RATE_LIMITS", "You have reached your daily limit."),
        Trouble::Broken => error(500, "INTERNAL_ERROR", "internal error"),
    }
}

/// 429: searches have a limit of their own.
pub fn too_many_searches(seconds: u32) -> Answer {
    error(429, "RATE_LIMITS", "You have reached your secondly limit.").with("retry-after", seconds.to_string())
}
