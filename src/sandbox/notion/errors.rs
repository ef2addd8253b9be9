//! How Notion says no.

use serde_json::json;

use crate::sandbox::twin::{Answer, Trouble, plainly};

/// An error body.
pub fn error(status: u16, code: &str, message: &str) -> Answer {
    let id = "7d1b1f0e-0000-4000-8000-000000000000";
    let body = json!({ "object": "error", "status": status, "code": code, "message": message, "request_id": id });
    Answer::json(status, body)
}

/// 400: a value that the vendor cannot use.
pub fn invalid(message: &str) -> Answer {
    error(400, "validation_error", message)
}

/// 404: there is no such thing, or it is not shared.
pub fn not_found(what: &str, id: &str) -> Answer {
    let message = format!(
        "Could not find {what} with ID: {id}. Make sure the relevant pages and databases are shared with your integration."
    );
    error(404, "object_not_found", &message)
}

/// 400: the request names no version, or an unknown one.
pub fn no_version(version: &str) -> Answer {
    let message =
        format!("Notion-Version header failed validation: it must be a known version, instead was `{version}`.");
    error(400, "missing_version", &message)
}

/// Puts the refusals of the surrounding layer in Notion's words.
pub fn refuse(trouble: &Trouble) -> Answer {
    match trouble {
        Trouble::UnknownPath | Trouble::UnknownMethod => error(400, "invalid_request_url", "Invalid request URL."),
        Trouble::NoToken | Trouble::BadToken => error(401, "unauthorized", "API token is invalid."),
        Trouble::MissingScope(_) => error(403, "restricted_resource", "Insufficient permissions for this endpoint."),
        Trouble::Query(misfit) => invalid(&format!("path failed validation: {}", plainly(misfit))),
        Trouble::Body(misfit) => invalid(&format!("body failed validation: {}", plainly(misfit))),
        Trouble::Unreadable(_) => error(400, "invalid_json", "Error parsing JSON body."),
        Trouble::UnexpectedBody => invalid("body failed validation: there is a body"),
        Trouble::RateLimited(seconds) => limited().with("retry-after", seconds.to_string()),
        Trouble::Quota => limited().with("retry-after", "1"),
        Trouble::Broken => error(500, "internal_server_error", "Unexpected error occurred."),
    }
}

fn limited() -> Answer {
    error(429, "rate_limited", "You have been rate limited. Please try again in a few minutes.")
}
