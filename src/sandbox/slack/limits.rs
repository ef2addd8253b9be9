//! Slack's tiers: how often each method may be asked within a minute, after
//! <https://docs.slack.dev/apis/web-api/rate-limits> and the page of each method. Slack promises at least these; the twin
//! grants no more.

use jiff::SignedDuration;

use crate::sandbox::{pace::Limit, twin::Call};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

const SECOND_TIER: &[&str] =
    &["conversations.list", "conversations.create", "conversations.setTopic", "users.list", "search.messages"];

const FOURTH_TIER: &[&str] = &["users.info", "files.getUploadURLExternal", "files.completeUploadExternal"];

/// What has no tier: the methods with a limit of their own, and the address that takes the bytes of a file.
const SPECIAL: &[&str] = &["auth.test", "chat.postMessage", "upload"];

pub const LIMITS: &[Limit] = &[
    Limit::of(20, MINUTE, |call| one_of(SECOND_TIER, call)),
    Limit::of(100, MINUTE, |call| one_of(FOURTH_TIER, call)),
    Limit::of(50, MINUTE, |call| {
        let others = [SECOND_TIER, FOURTH_TIER, SPECIAL];
        others.iter().all(|tier| !tier.contains(&call.operation)).then(|| call.operation.to_owned())
    }),
    // One message a second into a channel, with short bursts.
    Limit::of(10, SignedDuration::from_secs(10), |call| {
        (call.operation == "chat.postMessage").then(|| call.body["channel"].to_string())
    }),
];

fn one_of(tier: &[&str], call: &Call<'_>) -> Option<String> {
    tier.contains(&call.operation).then(|| call.operation.to_owned())
}
