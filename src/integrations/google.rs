//! What Google's services share: the sign-in, and how they say no.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    http::{Response, StatusCode},
    oauth::Provider,
    tool::{Error, Kind, in_short},
};

/// Sign-in with Google. Without `offline` there is no refresh token, and without `consent` only the first time.
pub(super) const SIGN_IN: Provider = Provider {
    family: "google",
    authorize_url: "https://accounts.google.com/o/oauth2/v2/auth",
    token_url: "https://oauth2.googleapis.com/token",
    revoke_url: Some("https://oauth2.googleapis.com/revoke"),
    extra: &[("access_type", "offline"), ("prompt", "consent")],
    lifetime: Some(Duration::from_hours(1)),
    in_testing: Some(Duration::from_hours(7 * 24)),
    ..Provider::STANDARD
};

/// The reasons by which Google says "slow down" with status 403, after
/// <https://developers.google.com/workspace/gmail/api/guides/handle-errors> and its sisters.
const LIMITS: [&str; 4] = ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"];

/// Whether a refusal means "slow down" although its status is not 429.
pub(super) fn is_limit(response: &Response) -> bool {
    response.status == StatusCode::FORBIDDEN && LIMITS.contains(&Refused::read(response).reason.as_str())
}

/// Turns a refusal that every service may give into ours; `title` is the service, such as `Gmail`.
pub(super) fn explain(title: &str, response: &Response) -> Error {
    let refused = Refused::read(response);
    let error = match response.status.as_u16() {
        401 => Error::new(Kind::Expired, format!("{title} no longer accepts the sign-in."))
            .next(format!("Connect {title} again.")),
        403 if is_limit(response) => busy(title, response),
        403 => forbidden(title, response, &refused),
        429 => busy(title, response),
        500.. => Error::new(Kind::Vendor, format!("{title} failed.")).next("Try again in a minute."),
        _ => Error::new(Kind::Vendor, format!("{title} refused: {}", refused.words())),
    };
    because(error, response, &refused)
}

/// The refusal itself, for the log.
pub(super) fn because(error: Error, response: &Response, refused: &Refused) -> Error {
    error.because(format!("{} {}: {}", response.status.as_u16(), refused.reason, refused.message))
}

fn forbidden(title: &str, response: &Response, refused: &Refused) -> Error {
    let lacks_scope = refused.reason == "insufficientPermissions";
    if lacks_scope || refused.message.contains("insufficient authentication scopes") {
        let what = format!("{title} is connected without the permission that this needs.");
        return Error::missing_scope(what, scopes(response)).next(format!("Connect {title} again and allow it."));
    }
    Error::new(Kind::NotAllowed, format!("The account may not do this in {title}: {}", refused.words()))
}

fn busy(title: &str, response: &Response) -> Error {
    let pause = response.header("retry-after").and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
    Error::new(Kind::Busy, format!("{title} takes no more requests of this account for now.")).after(pause)
}

/// The scopes that would do, which Google names in the challenge of RFC 6750, section 3.
fn scopes(response: &Response) -> Vec<String> {
    let challenge = response.header("www-authenticate").unwrap_or_default();
    let named = challenge.split_once("scope=\"").and_then(|(_, rest)| rest.split_once('"'));
    let (named, _) = named.unwrap_or_default();
    named.split_whitespace().map(str::to_owned).collect()
}

/// What Google said.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: String,
    pub(super) message: String,
}

impl Refused {
    /// Out of the body of an answer.
    pub(super) fn read(response: &Response) -> Refused {
        let body = response.json::<Refusal>().unwrap_or_default().error;
        let reason = body.errors.into_iter().next().unwrap_or_default().reason;
        Refused { reason, message: body.message }
    }

    /// Google's own words, on one line and short.
    pub(super) fn words(&self) -> String {
        in_short(&self.message)
    }
}

/// A refusal, whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: RefusalBody,
}

/// What a refusal says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RefusalBody {
    message: String,
    errors: Vec<Reason>,
}

/// One reason in Google's own word.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reason {
    reason: String,
}
