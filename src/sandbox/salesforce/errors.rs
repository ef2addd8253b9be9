//! How Salesforce says no: a list of refusals, each with a code and the fields that it is about.

use serde_json::json;

use crate::sandbox::{
    shape::Misfit,
    twin::{Answer, Trouble, plainly},
};

/// A refusal.
pub fn error(status: u16, code: &str, message: &str, fields: &[&str]) -> Answer {
    let mut one = json!({ "message": message, "errorCode": code });
    if !fields.is_empty() {
        one["fields"] = json!(fields);
    }
    Answer::json(status, json!([one]))
}

/// 400 without fields.
pub fn bad(code: &str, message: &str) -> Answer {
    error(400, code, message, &[])
}

/// There is no such resource or record.
pub fn not_found() -> Answer {
    error(404, "NOT_FOUND", "The requested resource does not exist", &[])
}

/// There is no such object.
pub fn unknown_object(name: &str) -> Answer {
    bad("INVALID_TYPE", &format!("sObject type '{name}' is not supported."))
}

/// An object has no such field.
pub fn unknown_field(object: &str, name: &str) -> Answer {
    bad("INVALID_FIELD", &format!("No such column '{name}' on sobject of type {object}"))
}

/// Puts the refusals of the surrounding layer in Salesforce's words.
pub fn refuse(trouble: &Trouble) -> Answer {
    match trouble {
        Trouble::UnknownPath => not_found(),
        Trouble::UnknownMethod => error(405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed", &[]),
        Trouble::NoToken | Trouble::BadToken => error(401, "INVALID_SESSION_ID", "Session expired or invalid", &[])
            .with("www-authenticate", "Bearer realm=\"https://login.salesforce.com/\""),
        Trouble::MissingScope(_) => {
            error(403, "INVALID_SESSION_ID", "This session is not valid for use with the REST API", &[])
        }
        Trouble::Query(misfit) => bad("MALFORMED_QUERY", &plainly(misfit)),
        Trouble::Body(misfit) => unreadable(misfit),
        Trouble::Unreadable(why) => bad("JSON_PARSER_ERROR", why),
        Trouble::UnexpectedBody => bad("INVALID_FIELD", "The request has a body"),
        Trouble::RateLimited(_) => error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", &[]),
        Trouble::Quota => error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", &[]),
        Trouble::Broken => {
            error(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: 1-1 (0)", &[])
        }
    }
}

fn unreadable(misfit: &Misfit) -> Answer {
    bad("JSON_PARSER_ERROR", &plainly(misfit))
}
