//! How Google Sheets says no: the error bodies of Google's newer APIs.

use serde_json::json;

use crate::sandbox::{
    shape::{Misfit, Misfitting},
    twin::{Answer, Trouble},
};

/// An error body.
pub fn error(code: u16, status: &str, message: &str) -> Answer {
    Answer::json(code, json!({ "error": { "code": code, "message": message, "status": status } }))
}

/// 400: a value that the vendor cannot use.
pub fn invalid(message: &str) -> Answer {
    error(400, "INVALID_ARGUMENT", message)
}

/// 400: no sheet, no named range and no cells.
pub fn bad_range(range: &str) -> Answer {
    invalid(&format!("Unable to parse range: {range}"))
}

/// 404: there is no such spreadsheet, or it is not for you.
pub fn not_found() -> Answer {
    error(404, "NOT_FOUND", "Requested entity was not found.")
}

/// 403: it may be read, not written.
pub fn not_allowed() -> Answer {
    error(403, "PERMISSION_DENIED", "The caller does not have permission")
}

/// Puts the refusals of the surrounding layer in Google's words.
pub fn refuse(trouble: &Trouble) -> Answer {
    match trouble {
        Trouble::UnknownPath | Trouble::UnknownMethod => {
            Answer::html(404, "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>".into())
        }
        Trouble::NoToken | Trouble::BadToken => {
            let message = "Request had invalid authentication credentials.";
            let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
            error(401, "UNAUTHENTICATED", message).with("www-authenticate", challenge)
        }
        Trouble::MissingScope(scopes) => {
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scopes.join(" "));
            error(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.")
                .with("www-authenticate", challenge)
        }
        Trouble::Query(misfit) => invalid(&unfit(misfit, "Cannot bind query parameter.")),
        Trouble::Body(misfit) => invalid(&unfit(misfit, "Cannot find field.")),
        Trouble::Unreadable(why) => invalid(&format!("Invalid JSON payload received. {why}")),
        Trouble::UnexpectedBody => invalid("Invalid JSON payload received. There is a body."),
        Trouble::RateLimited(seconds) => exhausted("Read").with("retry-after", seconds.to_string()),
        Trouble::Quota => exhausted("Read"),
        Trouble::Broken => error(500, "INTERNAL", "Internal error encountered."),
    }
}

/// 429: more writes than a minute takes.
pub fn too_many_writes(seconds: u32) -> Answer {
    exhausted("Write").with("retry-after", seconds.to_string())
}

fn exhausted(kind: &str) -> Answer {
    let message =
        format!("Quota exceeded for quota metric '{kind} requests' and limit '{kind} requests per minute per user'");
    error(429, "RESOURCE_EXHAUSTED", &message)
}

fn unfit(misfit: &Misfit, unknown: &str) -> String {
    let at = &misfit.at;
    match &misfit.fault {
        Misfitting::Unknown => format!("Invalid JSON payload received. Unknown name \"{at}\": {unknown}"),
        Misfitting::Missing => format!("Missing required field \"{at}\""),
        Misfitting::Wrong { got, wants } => format!("Invalid value at '{at}', \"{got}\": must be {wants}"),
    }
}
