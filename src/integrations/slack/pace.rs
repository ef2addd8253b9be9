//! How often each method of Slack may be asked, after its tiers at
//! <https://docs.slack.dev/apis/web-api/rate-limits> and the tier that each method's own page names.

use std::{borrow::Cow, num::NonZeroU32, time::Duration};

use serde_json::Value;

use crate::http::{Body, Rate, Request};

/// Twenty a minute.
const SECOND_TIER: Rate = bursts(8, 5_000);
/// Fifty a minute.
const THIRD_TIER: Rate = bursts(20, 2_000);
/// A hundred a minute.
const FOURTH_TIER: Rate = bursts(40, 1_000);
/// A message a second into one channel, with short bursts.
const INTO_A_CHANNEL: Rate = bursts(3, 1_500);

const fn bursts(burst: u32, millis: u64) -> Rate {
    Rate::bursts(NonZeroU32::new(burst).expect("a burst is not empty"), Duration::from_millis(millis))
}

/// The rate of a request's method. The methods without a tier take hundreds a minute.
pub(super) fn of_method(request: &Request) -> Option<(Cow<'static, str>, Rate)> {
    let method = request.path.segments().last()?;
    let rate = match method {
        "conversations.list" | "conversations.create" | "conversations.setTopic" | "users.list" | "search.messages" => {
            SECOND_TIER
        }
        "users.info" | "files.getUploadURLExternal" | "files.completeUploadExternal" => FOURTH_TIER,
        "chat.postMessage" => return Some((format!("{method} {}", channel(request)?).into(), INTO_A_CHANNEL)),
        "auth.test" => return None,
        _ => THIRD_TIER,
    };
    Some((method.to_owned().into(), rate))
}

/// The channel in a body of ours.
fn channel(request: &Request) -> Option<String> {
    let Body::Bytes { bytes, .. } = &request.body else { return None };
    let body: Value = serde_json::from_slice(bytes).ok()?;
    body["channel"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{read, write};
    use super::*;

    #[test]
    fn messages_count_for_their_channel_and_methods_for_themselves() {
        let class = |request: &Request| of_method(request).map(|(class, _)| class.into_owned());
        let post = write("chat.postMessage", &json!({ "channel": "C1", "text": "x" }));
        assert_eq!(class(&post).as_deref(), Some("chat.postMessage C1"));
        assert_eq!(class(&read("users.list", &[])).as_deref(), Some("users.list"));
        assert_eq!(class(&read("auth.test", &[])), None);
    }
}
