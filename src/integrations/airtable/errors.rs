//! Airtable's refusals in our words.

use super::wire::{Refusal, Said};
use crate::{
    http::Response,
    tool::{Error, Kind, in_short},
};

/// Turns a refusal into ours. What it was about is added where that is known.
pub(super) fn explain(response: &Response) -> Error {
    let refused = Refused::read(response);
    let error = match response.status.as_u16() {
        401 => Error::new(Kind::Expired, "Airtable no longer accepts the sign-in.").next("Connect Airtable again."),
        403 => forbidden(&refused),
        404 => Error::not_found("such base, table or record, or the account may not see it"),
        413 => Error::new(Kind::Arguments, "Airtable takes no request of this size.").next("Send less at once."),
        429 => Error::new(Kind::Busy, "Airtable takes no more requests for now."),
        400 | 422 => unfit(&refused),
        500.. => Error::new(Kind::Vendor, "Airtable failed.").next("Try again in a minute."),
        _ => Error::new(Kind::Vendor, format!("Airtable refused: {}", refused.words())),
    };
    error.because(format!("{} {}: {}", response.status.as_u16(), refused.kind, refused.message))
}

/// Airtable does not tell a thing that is missing from one that the account, or its token, may not touch.
fn forbidden(refused: &Refused) -> Error {
    let what = match refused.kind.as_str() {
        "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND" => {
            "Airtable says that this is not there, or that the account may not do it.".to_owned()
        }
        _ => format!("The account may not do this in Airtable: {}", refused.words()),
    };
    Error::new(Kind::NotAllowed, what).next(
        "`airtable_list_bases` shows what the account may do in each base. If it may, the connection lacks the base \
         or the permission: connect Airtable again and allow both.",
    )
}

/// The request was understood and found wrong.
fn unfit(refused: &Refused) -> Error {
    let said = || format!("Airtable refused: {}", refused.words());
    match refused.kind.as_str() {
        "ROW_DOES_NOT_EXIST" => Error::new(Kind::NotFound, said()).next("`airtable_get_records` shows what there is."),
        "LIST_RECORDS_ITERATOR_NOT_AVAILABLE" => {
            Error::arguments(["`cursor` is no longer good".into()]).next("Begin again without it.")
        }
        "INVALID_FILTER_BY_FORMULA" => Error::new(Kind::Arguments, said())
            .next("Field names stand in braces and texts in quotes: `AND({Amount}>100, {Stage}=\"Won\")`."),
        _ => Error::new(Kind::Arguments, said()),
    }
}

/// What Airtable said.
struct Refused {
    kind: String,
    message: String,
}

impl Refused {
    fn read(response: &Response) -> Refused {
        let body: Refusal = response.json().unwrap_or_default();
        match (body.error, body.errors.into_iter().next()) {
            (Some(Said::Words { kind, message }), _) => Refused { kind, message },
            (Some(Said::Word(kind)), _) => Refused { kind, message: String::new() },
            (None, Some(listed)) => Refused { kind: listed.error, message: listed.message },
            (None, None) => Refused { kind: String::new(), message: String::new() },
        }
    }

    /// Airtable's own words, on one line and short; its word for the case where it says no more.
    fn words(&self) -> String {
        let said = if self.message.is_empty() { &self.kind } else { &self.message };
        in_short(said)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::{HeaderMap, StatusCode};

    fn refusal(status: u16, body: &Value) -> Response {
        let status = StatusCode::from_u16(status).unwrap();
        Response { status, headers: HeaderMap::new(), body: serde_json::to_vec(body).unwrap(), unsure: false }
    }

    #[track_caller]
    fn check(status: u16, word: &str, kind: Kind, phrase: &str) {
        let error = explain(&refusal(status, &json!({ "error": { "type": word, "message": "Some words" } })));
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(phrase), "{error}");
    }

    #[test]
    fn every_refusal_has_its_case() {
        check(400, "INVALID_REQUEST_UNKNOWN", Kind::Arguments, "Airtable refused: Some words.");
        check(401, "AUTHENTICATION_REQUIRED", Kind::Expired, "Connect Airtable again.");
        check(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", Kind::NotAllowed, "not there, or");
        check(403, "INVALID_PERMISSIONS", Kind::NotAllowed, "may not do this in Airtable: Some words.");
        check(404, "NOT_FOUND", Kind::NotFound, "There is no such base");
        check(413, "REQUEST_TOO_LARGE", Kind::Arguments, "Send less at once.");
        check(418, "TEAPOT", Kind::Vendor, "Some words");
        check(422, "UNKNOWN_FIELD_NAME", Kind::Arguments, "Some words.");
        check(422, "ROW_DOES_NOT_EXIST", Kind::NotFound, "airtable_get_records");
        check(422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE", Kind::Arguments, "Begin again without it.");
        check(422, "INVALID_FILTER_BY_FORMULA", Kind::Arguments, "texts in quotes");
        check(429, "RATE_LIMIT_REACHED", Kind::Busy, "no more requests");
        check(500, "SERVER_ERROR", Kind::Vendor, "Airtable failed.");
    }

    #[test]
    fn all_three_shapes_of_a_refusal_are_read() {
        for (body, phrase) in [
            (json!({ "error": "NOT_READY" }), "NOT_READY."),
            (json!({ "errors": [{ "error": "X", "message": "Too  much\nof it" }] }), "Too much of it."),
            (json!({ "error": { "type": "Y" } }), "Airtable refused: Y."),
            (json!("<html>"), "it gives no reason."),
        ] {
            let error = explain(&refusal(422, &body));
            assert!(error.to_string().contains(phrase), "{body}: {error}");
        }
        let long = explain(&refusal(422, &json!({ "error": { "type": "Z", "message": "so long ".repeat(100) } })));
        assert!(long.what().len() < 260, "{long}");
    }
}
