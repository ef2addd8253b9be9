//! How Slack says no: status 200 and `"ok": false`, but for too many requests.

use serde_json::json;

use crate::sandbox::{
    shape::{Misfit, Misfitting},
    twin::{Answer, Trouble},
};

/// A refusal by its code, such as `channel_not_found`.
pub fn refusal(code: &str) -> Answer {
    Answer::ok(json!({ "ok": false, "error": code }))
}

/// Slack's word for a refusal of a token endpoint (RFC 6749, section 5.2).
pub fn of_oauth(code: &str) -> &str {
    match code {
        "invalid_grant" => "invalid_refresh_token",
        "invalid_client" => "bad_client_secret",
        "unsupported_grant_type" => "invalid_grant_type",
        "invalid_request" => "invalid_arguments",
        "redirect_uri_mismatch" => "bad_redirect_uri",
        other => other,
    }
}

/// Puts the refusals of the surrounding layer in Slack's words.
pub fn refuse(trouble: &Trouble) -> Answer {
    match trouble {
        Trouble::UnknownPath => refusal("unknown_method"),
        Trouble::UnknownMethod => refusal("invalid_post_type"),
        Trouble::NoToken => refusal("not_authed"),
        Trouble::BadToken => refusal("invalid_auth"),
        Trouble::MissingScope(scopes) => missing_scope(scopes),
        Trouble::Query(misfit) | Trouble::Body(misfit) => bad_arguments(misfit),
        Trouble::Unreadable(_) => refusal("invalid_json"),
        Trouble::UnexpectedBody => refusal("invalid_form_data"),
        Trouble::RateLimited(seconds) => {
            let limited = json!({ "ok": false, "error": "ratelimited" });
            Answer::json(429, limited).with("retry-after", seconds.to_string())
        }
        // Some limits of single methods are told with status 200 and without a time.
        Trouble::Quota => refusal("rate_limited"),
        Trouble::Broken => refusal("internal_error"),
    }
}

fn missing_scope(scopes: &[&str]) -> Answer {
    let needed = scopes.first().copied().unwrap_or_default();
    Answer::ok(json!({ "ok": false, "error": "missing_scope", "needed": needed, "provided": "identify" }))
}

fn bad_arguments(misfit: &Misfit) -> Answer {
    let at = &misfit.at;
    let what = match &misfit.fault {
        Misfitting::Unknown => format!("no such field: {at}"),
        Misfitting::Missing => format!("missing required field: {at}"),
        Misfitting::Wrong { wants, .. } => format!("must provide {wants} [json-pointer:/{at}]"),
    };
    let messages = [format!("[ERROR] {what}")];
    let metadata = json!({ "messages": messages });
    Answer::ok(json!({ "ok": false, "error": "invalid_arguments", "response_metadata": metadata }))
}
