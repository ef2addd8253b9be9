//! Slack's refusals in our words. They come with status 200 and a code, after
//! <https://docs.slack.dev/reference/methods/chat.postMessage#errors> and its sisters.

use std::time::Duration;

use super::wire::Verdict;
use crate::{
    http::{Response, StatusCode},
    tool::{Error, Kind},
};

/// The longest piece of Slack's own words that is passed on.
const LONGEST: usize = 200;

/// The status that an answer should have had, so that credentials are renewed and requests repeated as elsewhere.
pub(super) fn status(response: &Response) -> StatusCode {
    if !response.is_success() {
        return response.status;
    }
    match read(response) {
        Verdict { ok: Some(false), error, .. } => status_of(&error),
        _ => response.status,
    }
}

fn status_of(code: &str) -> StatusCode {
    match code {
        "ratelimited" | "rate_limited" => StatusCode::TOO_MANY_REQUESTS,
        "internal_error" | "fatal_error" => StatusCode::INTERNAL_SERVER_ERROR,
        "service_unavailable" | "request_timeout" | "team_added_to_org" => StatusCode::SERVICE_UNAVAILABLE,
        _ => match kind_of(code) {
            Kind::Expired => StatusCode::UNAUTHORIZED,
            Kind::MissingScope | Kind::NotAllowed => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        },
    }
}

fn kind_of(code: &str) -> Kind {
    match code {
        "not_authed" | "invalid_auth" | "token_expired" | "token_revoked" | "account_inactive" => Kind::Expired,
        "missing_scope" => Kind::MissingScope,
        "name_taken" | "already_in_channel" | "already_reacted" | "already_archived" => Kind::Conflict,
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "team_added_to_org" => {
            Kind::Vendor
        }
        "ratelimited" | "rate_limited" => Kind::Busy,
        "not_in_channel" | "is_archived" | "not_allowed_token_type" | "no_permission" | "access_denied"
        | "ekm_access_denied" | "cant_update_message" | "edit_window_closed" | "cant_invite_self" | "cant_invite"
        | "user_is_restricted" | "user_is_ultra_restricted" | "user_is_bot" | "thread_locked"
        | "cannot_reply_to_message" | "accesslimited" => Kind::NotAllowed,
        _ if code.starts_with("restricted_action") => Kind::NotAllowed,
        _ if code.ends_with("_not_found") => Kind::NotFound,
        _ if code.starts_with("invalid_") || code.starts_with("no_") || code.starts_with("too_") => Kind::Arguments,
        "msg_too_long" | "msg_blocks_too_long" | "time_in_past" | "time_too_far" | "markdown_text_conflict" => {
            Kind::Arguments
        }
        _ => Kind::Vendor,
    }
}

/// Turns a refusal into ours. Which channel or message it was about is added where that is known.
pub(super) fn explain(response: &Response) -> Error {
    let verdict = read(response);
    let code = verdict.error.as_str();
    let error = match kind_of(code) {
        _ if response.status == StatusCode::TOO_MANY_REQUESTS => busy(response),
        Kind::Busy => busy(response),
        Kind::Expired => {
            Error::new(Kind::Expired, "Slack no longer accepts the sign-in.").next("Connect Slack again.")
        }
        Kind::MissingScope => missing_scope(&verdict),
        Kind::Vendor if response.status.is_server_error() => {
            Error::new(Kind::Vendor, "Slack failed.").next("Try again in a minute.")
        }
        kind => told(kind, &verdict),
    };
    error.because(format!("{} {code}", response.status.as_u16()))
}

/// What happened and what to do, by the code.
fn told(kind: Kind, verdict: &Verdict) -> Error {
    let code = verdict.error.as_str();
    let (what, next) = match code {
        "channel_not_found" => {
            ("There is no such channel, or the account may not see it.", "`slack_list_channels` shows the channels.")
        }
        "user_not_found" | "users_not_found" => ("There is no such person.", "`slack_find_user` finds people by name."),
        "message_not_found" | "thread_not_found" => (
            "There is no such message in that channel.",
            "`slack_read_channel` shows the `ts` of messages, which must be copied exactly.",
        ),
        "not_in_channel" => {
            ("The account is not in that channel.", "Let somebody of the channel invite it, or choose another channel.")
        }
        "is_archived" => ("The channel is archived.", "Choose another channel."),
        "name_taken" => ("A channel of that name exists, perhaps a private or archived one.", "Choose another name."),
        "already_in_channel" => ("The person is already in the channel.", ""),
        "already_reacted" => ("The account has already given this emoji.", ""),
        "cant_update_message" => ("Only messages of the connected account can be edited.", "Send a new message instead."),
        "edit_window_closed" => ("The workspace no longer lets this message be edited.", "Send a new message instead."),
        "cant_invite_self" => ("The connected account is already in the channel.", "Leave it out of `users`."),
        "not_allowed_token_type" => {
            ("Slack allows this only to a person, and a bot is connected.", "Connect Slack again with a user token (xoxp-…).")
        }
        "time_in_past" => ("The time is in the past.", "Give a later `post_at`, or send the message now."),
        "time_too_far" => ("Slack schedules at most 120 days ahead.", "Give an earlier `post_at`."),
        "msg_too_long" | "msg_blocks_too_long" => {
            ("The message is too long for Slack.", "Split it, or upload it as a text file.")
        }
        "no_text" => ("The message is empty.", "Give `text`."),
        "no_query" => ("The search has no words.", "Give `query`."),
        "invalid_cursor" => ("The cursor is no longer good.", "Leave `cursor` out to begin at the first page."),
        "invalid_blocks" | "invalid_blocks_format" => {
            ("Slack does not take these `blocks`.", "Check them against Block Kit, or leave them out.")
        }
        "invalid_name" => ("Slack has no emoji of this name.", "Give a name such as `thumbsup`."),
        _ if code.starts_with("invalid_name") => (
            "Slack does not take this name for a channel.",
            "Use at most 80 lower-case letters, digits, hyphens and underscores.",
        ),
        _ if code.starts_with("restricted_action") => {
            ("The workspace's settings do not allow this.", "An administrator of the workspace can change them.")
        }
        _ => return refused(kind, verdict),
    };
    let error = Error::new(kind, what);
    if next.is_empty() { error } else { error.next(next) }
}

/// A code that has no words of ours. Slack's codes are words, joined by underscores.
fn refused(kind: Kind, verdict: &Verdict) -> Error {
    let code = verdict.error.replace('_', " ");
    let details = verdict.response_metadata.messages.join("; ");
    let details = details.replace("[ERROR] ", "").split_whitespace().collect::<Vec<_>>().join(" ");
    let details: String = details.chars().take(LONGEST).collect();
    let reason = match (code.is_empty(), details.is_empty()) {
        (true, _) => "it gives no reason".to_owned(),
        (false, true) => code,
        (false, false) => format!("{code} ({details})"),
    };
    Error::new(kind, format!("Slack refused: {reason}."))
}

fn missing_scope(verdict: &Verdict) -> Error {
    let scopes: Vec<_> = verdict.needed.split(',').map(|scope| scope.trim().to_owned()).collect();
    let what = format!("Slack is connected without the permission that this needs ({}).", scopes.join(", "));
    Error::missing_scope(what, scopes).next("Connect Slack again and allow it.")
}

fn busy(response: &Response) -> Error {
    let pause = response.header("retry-after").and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
    Error::new(Kind::Busy, "Slack takes no more requests of this account for now.").after(pause)
}

fn read(response: &Response) -> Verdict {
    response.json().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::HeaderMap;

    fn refusal(code: &str) -> Response {
        let body = json!({ "ok": false, "error": code, "needed": "chat:write,im:write" });
        Response { status: StatusCode::OK, headers: HeaderMap::new(), body: serde_json::to_vec(&body).unwrap(), unsure: false }
    }

    #[track_caller]
    fn check(code: &str, shown: u16, kind: Kind, phrase: &str) {
        let mut response = refusal(code);
        response.status = status(&response);
        let error = explain(&response);
        assert_eq!((response.status.as_u16(), error.kind()), (shown, kind), "{code}: {error}");
        assert!(error.to_string().contains(phrase), "{error}");
    }

    #[test]
    fn every_refusal_has_its_case() {
        check("invalid_auth", 401, Kind::Expired, "Connect Slack again.");
        check("token_expired", 401, Kind::Expired, "Connect Slack again.");
        check("missing_scope", 403, Kind::MissingScope, "(chat:write, im:write)");
        check("channel_not_found", 404, Kind::NotFound, "slack_list_channels");
        check("users_not_found", 404, Kind::NotFound, "slack_find_user");
        check("thread_not_found", 404, Kind::NotFound, "copied exactly");
        check("name_taken", 409, Kind::Conflict, "Choose another name.");
        check("not_in_channel", 403, Kind::NotAllowed, "not in that channel");
        check("restricted_action_thread_only_channel", 403, Kind::NotAllowed, "An administrator");
        check("not_allowed_token_type", 403, Kind::NotAllowed, "xoxp-");
        check("time_in_past", 400, Kind::Arguments, "in the past");
        check("invalid_name_specials", 400, Kind::Arguments, "lower-case letters");
        check("invalid_arguments", 400, Kind::Arguments, "Slack refused: invalid arguments.");
        check("rate_limited", 429, Kind::Busy, "no more requests");
        check("internal_error", 500, Kind::Vendor, "Slack failed.");
        check("org_level_email_display_disabled", 400, Kind::Vendor, "org level email display disabled");
    }

    #[test]
    fn a_good_answer_stays_good() {
        for body in [r#"{"ok":true}"#, r#"{"messages":[]}"#, "OK - 12"] {
            let response = Response { body: body.into(), ..refusal("") };
            assert_eq!(status(&response), StatusCode::OK, "{body}");
        }
    }

    #[test]
    fn what_is_wrong_with_arguments_is_told() {
        let body = json!({ "ok": false, "error": "invalid_arguments",
            "response_metadata": { "messages": ["[ERROR] missing required field: channel"] } });
        let response = Response { body: serde_json::to_vec(&body).unwrap(), ..refusal("") };
        let error = explain(&response).to_string();
        assert_eq!(error, "Slack refused: invalid arguments (missing required field: channel).");
    }
}
