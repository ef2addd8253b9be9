//! How Airtable says no. It has three forms for it: a word, a word with a sentence, and a list.

use serde_json::json;

use crate::sandbox::twin::{Answer, Trouble, plainly};

/// A word with a sentence.
pub fn error(status: u16, kind: &str, message: &str) -> Answer {
    Answer::json(status, json!({ "error": { "type": kind, "message": message } }))
}

/// 404: there is no such thing.
pub fn not_found() -> Answer {
    Answer::json(404, json!({ "error": "NOT_FOUND" }))
}

/// 403: there is no such thing, or it is not for you.
pub fn forbidden() -> Answer {
    let message = "Invalid permissions, or the requested model was not found. Check that both your user and your \
                   token have the required permissions, and that the model names and/or ids are correct.";
    error(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", message)
}

/// 422: a value that the vendor cannot use.
pub fn invalid(kind: &str, message: &str) -> Answer {
    error(422, kind, message)
}

/// 422: no field has this name.
pub fn unknown_field(name: &str) -> Answer {
    invalid("UNKNOWN_FIELD_NAME", &format!("Unknown field name: \"{name}\""))
}

/// 422: the value is not one of the field's type.
pub fn bad_value(field: &str) -> Answer {
    invalid("INVALID_VALUE_FOR_COLUMN", &format!("Field \"{field}\" cannot accept the provided value"))
}

/// 422: Airtable makes the values of this field.
pub fn computed(field: &str) -> Answer {
    let message = format!("Field \"{field}\" cannot accept a value because the field is computed");
    invalid("INVALID_VALUE_FOR_COLUMN", &message)
}

/// 422: the select field has no such choice.
pub fn new_choice(name: &str) -> Answer {
    let message = format!("Insufficient permissions to create new select option \"\"{name}\"\"");
    invalid("INVALID_MULTIPLE_CHOICE_OPTIONS", &message)
}

/// 422: a link leads to no record.
pub fn no_row(id: &str) -> Answer {
    invalid("ROW_DOES_NOT_EXIST", &format!("Record ID {id} does not exist"))
}

/// 422: the formula of a filter makes no sense.
pub fn bad_formula(why: &str) -> Answer {
    let message = format!("The formula for filtering records is invalid: {why}");
    invalid("INVALID_FILTER_BY_FORMULA", &message)
}

/// Puts the refusals of the surrounding layer in Airtable's words.
pub fn refuse(trouble: &Trouble) -> Answer {
    match trouble {
        Trouble::UnknownPath | Trouble::UnknownMethod => not_found(),
        Trouble::NoToken => error(401, "AUTHENTICATION_REQUIRED", "Authentication required"),
        Trouble::BadToken => error(401, "UNAUTHORIZED", "Invalid authentication token"),
        Trouble::MissingScope(_) => forbidden(),
        Trouble::Query(misfit) | Trouble::Body(misfit) => {
            invalid("INVALID_REQUEST_UNKNOWN", &format!("Invalid request: {}", plainly(misfit)))
        }
        Trouble::Unreadable(why) => error(400, "INVALID_REQUEST_BODY", &format!("Could not parse request body: {why}")),
        Trouble::UnexpectedBody => invalid("INVALID_REQUEST_UNKNOWN", "Invalid request: there is a body"),
        Trouble::RateLimited(_) => listed("RATE_LIMIT_REACHED", "Rate limit exceeded. Please try again later"),
        Trouble::Quota => {
            listed("PUBLIC_API_BILLING_LIMIT_EXCEEDED", "The workspace has used up its API calls of this month")
        }
        Trouble::Broken => error(500, "SERVER_ERROR", "There was a problem on our end"),
    }
}

/// 429 comes as a list, and never says when to come back.
fn listed(kind: &str, message: &str) -> Answer {
    Answer::json(429, json!({ "errors": [{ "error": kind, "message": message }] }))
}
