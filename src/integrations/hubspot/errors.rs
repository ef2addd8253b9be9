//! HubSpot's refusals in our words.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use crate::{
    http::Response,
    tool::{Error, Kind, Written},
};

/// How much of HubSpot's own words is shown, in characters.
const LONGEST: usize = 300;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: String,
    category: String,
    errors: Vec<Detail>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    message: String,
    context: BTreeMap<String, Vec<String>>,
}

/// What a refusal means for the caller.
pub(super) fn explain(response: &Response) -> Error {
    let refusal: Refusal = response.json().unwrap_or_default();
    let status = response.status.as_u16();
    let error = match (status, refusal.category.as_str()) {
        (401, _) => {
            Error::new(Kind::Expired, "HubSpot no longer accepts the sign-in.").next("Connect HubSpot again.")
        }
        (403, "MISSING_SCOPES") => Error::missing_scope(
            "HubSpot is connected without the permission that this needs.",
            refusal.scopes(),
        )
        .next("Connect HubSpot again and allow it."),
        (403, _) => Error::new(Kind::NotAllowed, format!("The account may not do this in HubSpot: {}", refusal.words()))
            .next("An administrator of HubSpot can give it the right."),
        (404, _) => Error::new(Kind::NotFound, format!("HubSpot does not have it: {}", refusal.words()))
            .next("`hubspot_search_contacts` and `hubspot_search_deals` find records and their ids."),
        (409, _) => Error::new(Kind::Conflict, format!("HubSpot already has it: {}", refusal.words()))
            .next("Change the one that is there."),
        (429, _) => busy(response, &refusal),
        (400, _) => Error::new(Kind::Arguments, format!("HubSpot refused: {}", refusal.words())),
        (500.., _) => Error::new(Kind::Vendor, "HubSpot failed.").next("Try again in a minute."),
        _ => Error::new(Kind::Vendor, format!("HubSpot refused: {}", refusal.words())),
    };
    error.because(format!("{status} {}: {}", refusal.category, refusal.message))
}

fn busy(response: &Response, refusal: &Refusal) -> Error {
    let pause = response.header("retry-after").and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
    let what = if refusal.message.contains("daily") {
        "The account has used up its requests of today."
    } else {
        "HubSpot takes no more requests of this account for now."
    };
    Error::new(Kind::Busy, what).after(pause)
}

impl Refusal {
    /// The scopes any of which would do.
    fn scopes(&self) -> Vec<String> {
        let named = self.errors.iter().flat_map(|error| &error.context);
        let scopes = named.filter(|(name, _)| name.starts_with("required")).flat_map(|(_, scopes)| scopes.clone());
        scopes.collect()
    }

    /// HubSpot's own words on one line and short; it may quote what was sent.
    fn words(&self) -> String {
        let detail = self.errors.first().map(|error| error.message.as_str()).filter(|words| !words.is_empty());
        let words = detail.unwrap_or(&self.message);
        if words.trim().is_empty() {
            return "it gives no reason.".into();
        }
        format!("{}.", Written::by_others(words.trim().trim_end_matches('.')).line(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::StatusCode;

    fn refusal(status: u16, category: &str, message: &str) -> Response {
        let context = json!({ "requiredGranularScopes": ["crm.objects.deals.read"] });
        let errors = if category == "MISSING_SCOPES" { json!([{ "message": "", "context": context }]) } else { json!([]) };
        let body = json!({ "status": "error", "message": message, "correlationId": "c", "category": category, "errors": errors });
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            body: serde_json::to_vec(&body).unwrap(),
            ..Response::default()
        }
    }

    #[track_caller]
    fn check(status: u16, category: &str, kind: Kind, phrase: &str) {
        let error = explain(&refusal(status, category, "Some words"));
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(phrase), "{error}");
    }

    #[test]
    fn every_refusal_has_its_case() {
        check(400, "VALIDATION_ERROR", Kind::Arguments, "Some words");
        check(401, "EXPIRED_AUTHENTICATION", Kind::Expired, "Connect HubSpot again.");
        check(403, "MISSING_SCOPES", Kind::MissingScope, "without the permission");
        check(403, "BANNED", Kind::NotAllowed, "An administrator");
        check(404, "OBJECT_NOT_FOUND", Kind::NotFound, "hubspot_search_contacts");
        check(409, "CONFLICT", Kind::Conflict, "already has it");
        check(429, "RATE_LIMITS", Kind::Busy, "no more requests");
        check(500, "INTERNAL_ERROR", Kind::Vendor, "HubSpot failed.");
        check(418, "TEAPOT", Kind::Vendor, "Some words");
        let error = explain(&refusal(403, "MISSING_SCOPES", ""));
        assert_eq!(error.scopes(), ["crm.objects.deals.read"]);
        let page = Response { body: b"<html>".to_vec(), ..refusal(400, "", "") };
        assert!(explain(&page).to_string().contains("it gives no reason"));
    }
}
