//! What may be sent again, and when. Pure: time and randomness are passed in.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};

use super::{Error, Repeat, Response, StatusCode, header::RETRY_AFTER};
use crate::id::Entropy;

/// How often and how fast to repeat.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Attempts in all.
    pub(super) attempts: u32,
    /// The widest pause after the first attempt; it doubles with each further one.
    pub(super) first: Duration,
    /// No pause of our own choice is longer.
    pub(super) longest: Duration,
}

impl Pace {
    /// A pause between nothing and the bound of this attempt ("full jitter"), so that callers that failed together
    /// do not come back together.
    fn pause(self, attempt: u32, entropy: &dyn Entropy) -> Duration {
        let widest = self.first.saturating_mul(1 << (attempt - 1).min(16)).min(self.longest);
        let mut random = [0; 4];
        entropy.fill(&mut random);
        widest.mul_f64(f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX))
    }
}

/// How one attempt ended.
pub(super) type Outcome = Result<Response, Error>;

/// What to do after an attempt.
#[derive(Debug)]
pub(super) enum Next {
    /// Wait, then send again.
    Again(Duration),
    /// This is the end.
    Done(Outcome),
}

/// The state of affairs when an attempt ends.
pub(super) struct Situation<'a> {
    pub(super) repeat: Repeat,
    /// 1 after the first attempt.
    pub(super) attempt: u32,
    /// Until the deadline of the whole.
    pub(super) left: Duration,
    /// For `Retry-After` in its date form.
    pub(super) now: Timestamp,
    pub(super) is_limit: Option<fn(&Response) -> bool>,
    /// The pause after a refusal because of the rate, where the vendor names none.
    pub(super) rest: Option<Duration>,
    pub(super) entropy: &'a dyn Entropy,
}

impl Situation<'_> {
    /// Decides whether to send again.
    pub(super) fn next(&self, pace: Pace, outcome: Outcome) -> Next {
        let limited = outcome.as_ref().is_ok_and(|response| self.is_limited(response));
        if !limited && !self.is_worth_repeating(&outcome) {
            return Next::Done(outcome);
        }
        let asked = outcome.as_ref().ok().and_then(|response| retry_after(response, self.now));
        let asked = asked.or(self.rest.filter(|_| limited));
        let pause = asked.unwrap_or_else(|| pace.pause(self.attempt, self.entropy));
        if self.attempt < pace.attempts && pause < self.left {
            return Next::Again(pause);
        }
        if limited {
            return Next::Done(Err(Error::Limited { retry_after: pause.max(Duration::from_secs(1)) }));
        }
        Next::Done(outcome.and_then(whole))
    }

    /// A refusal because of the rate was not carried out, so even a write may be sent again.
    fn is_limited(&self, response: &Response) -> bool {
        response.status == StatusCode::TOO_MANY_REQUESTS || self.is_limit.is_some_and(|is_limit| is_limit(response))
    }

    fn is_worth_repeating(&self, outcome: &Outcome) -> bool {
        let repeatable = self.repeat != Repeat::Once;
        match outcome {
            Ok(response) => repeatable && (is_failure(response.status) || response.is_torn()),
            Err(Error::Unreachable { .. }) => true,
            Err(Error::Timeout { .. } | Error::Broken { .. }) => repeatable,
            Err(_) => false,
        }
    }
}

/// Whether an attempt may have been carried out although it did not go well.
pub(super) fn may_have_happened(outcome: &Outcome) -> bool {
    match outcome {
        Ok(response) => is_failure(response.status) || response.is_torn(),
        Err(error) => error.may_have_happened(),
    }
}

/// Statuses by which a vendor says that it is ill rather than that the request is wrong; 529 is what Notion says when it
/// has too much to do (<https://developers.notion.com/reference/request-limits>).
pub(super) fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502..=504 | 529)
}

/// After the last attempt a torn answer is an error; a refusal stays an answer.
fn whole(response: Response) -> Outcome {
    if response.is_torn() {
        return Err(Error::Unreadable { why: "it says it is JSON and is not".to_owned() });
    }
    Ok(response)
}

/// `Retry-After` as seconds or as a date (RFC 9110, section 10.2.3); a date in the past means now.
pub fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let value = response.header(RETRY_AFTER.as_str())?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let date = DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::{HeaderMap, header::CONTENT_TYPE},
        id::SeededEntropy,
    };

    const PACE: Pace = Pace { attempts: 3, first: Duration::from_millis(200), longest: Duration::from_secs(5) };

    fn response(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
        let pair = |(name, value): &(&'static str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.iter().map(pair).collect::<HeaderMap>(),
            body: body.into(),
            ..Response::default()
        }
    }

    fn after(repeat: Repeat, attempt: u32, outcome: Outcome) -> Next {
        let situation = Situation {
            repeat,
            attempt,
            left: Duration::from_secs(10),
            now: "2026-11-23T09:00:00Z".parse().unwrap(),
            is_limit: Some(|response| response.body == b"quota"),
            rest: None,
            entropy: &*SeededEntropy::new(1),
        };
        situation.next(PACE, outcome)
    }

    #[track_caller]
    fn check(repeat: Repeat, outcome: Outcome, again: bool) {
        let shown = format!("{repeat:?} {outcome:?}");
        assert_eq!(matches!(after(repeat, 1, outcome), Next::Again(_)), again, "{shown}");
    }

    #[test]
    fn reads_are_repeated_when_the_vendor_is_ill() {
        for repeat in [Repeat::Safe, Repeat::Keyed] {
            for ill in [500, 502, 503, 504, 529, 429] {
                check(repeat, Ok(response(ill, &[], "")), true);
            }
            check(repeat, Err(Error::Timeout { after: Duration::ZERO }), true);
            check(repeat, Err(Error::Broken { why: String::new() }), true);
            check(repeat, Ok(response(200, &[(CONTENT_TYPE.as_str(), "application/json")], "{")), true);
            for fine in [200, 301, 400, 401, 403, 404, 409, 501] {
                check(repeat, Ok(response(fine, &[], "")), false);
            }
        }
    }

    #[test]
    fn a_write_is_repeated_only_when_it_surely_was_not_carried_out() {
        check(Repeat::Once, Ok(response(429, &[], "")), true);
        check(Repeat::Once, Ok(response(403, &[], "quota")), true);
        check(Repeat::Once, Err(Error::Unreachable { why: String::new() }), true);
        for unclear in [500, 502, 503, 504] {
            check(Repeat::Once, Ok(response(unclear, &[("retry-after", "1")], "")), false);
        }
        check(Repeat::Once, Err(Error::Timeout { after: Duration::ZERO }), false);
        check(Repeat::Once, Err(Error::Broken { why: String::new() }), false);
        check(Repeat::Once, Ok(response(200, &[(CONTENT_TYPE.as_str(), "application/json")], "{")), false);
    }

    #[test]
    fn what_a_repeat_cannot_mend_is_not_repeated() {
        check(Repeat::Safe, Err(Error::TooLarge { limit: 1 }), false);
        check(Repeat::Safe, Err(Error::Refused(String::new())), false);
        check(Repeat::Safe, Err(Error::Resting { retry_after: Duration::ZERO }), false);
    }

    #[track_caller]
    fn waits(value: &str, expected: Option<Duration>) {
        let response = response(429, &[("retry-after", value)], "");
        assert_eq!(retry_after(&response, "2026-11-23T09:00:00Z".parse().unwrap()), expected, "{value}");
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        waits("7", Some(Duration::from_secs(7)));
        waits(" 0 ", Some(Duration::ZERO));
        waits("1.5", Some(Duration::from_millis(1500)));
        waits("-3", Some(Duration::ZERO));
        waits("Mon, 23 Nov 2026 09:00:05 GMT", Some(Duration::from_secs(5)));
        waits("Mon, 23 Nov 2026 08:00:00 GMT", Some(Duration::ZERO));
        waits("soon", None);
        waits("NaN", Some(Duration::ZERO));
        waits("1e300", None);
    }

    #[test]
    fn the_vendors_wish_is_the_pause() {
        let Next::Again(pause) = after(Repeat::Safe, 1, Ok(response(503, &[("retry-after", "7")], ""))) else {
            panic!("a read is repeated");
        };
        assert_eq!(pause, Duration::from_secs(7));
    }

    #[test]
    fn a_wish_beyond_the_deadline_ends_it() {
        let Next::Done(Err(Error::Limited { retry_after })) =
            after(Repeat::Safe, 1, Ok(response(429, &[("retry-after", "10")], "")))
        else {
            panic!("the caller cannot wait that long");
        };
        assert_eq!(retry_after, Duration::from_secs(10));
    }

    #[test]
    fn a_vendor_that_names_no_pause_gets_the_one_it_is_known_for() {
        let entropy = SeededEntropy::new(1);
        let situation = |left| Situation {
            repeat: Repeat::Once,
            attempt: 1,
            left: Duration::from_secs(left),
            now: Timestamp::UNIX_EPOCH,
            is_limit: None,
            rest: Some(Duration::from_secs(30)),
            entropy: entropy.as_ref(),
        };
        let thirty = Duration::from_secs(30);
        let next = situation(60).next(PACE, Ok(response(429, &[], "")));
        assert!(matches!(next, Next::Again(pause) if pause == thirty));
        let next = situation(20).next(PACE, Ok(response(429, &[], "")));
        assert!(matches!(next, Next::Done(Err(Error::Limited { retry_after })) if retry_after == thirty));
        let next = situation(60).next(PACE, Ok(response(429, &[("retry-after", "2")], "")));
        assert!(matches!(next, Next::Again(pause) if pause == Duration::from_secs(2)));
    }

    #[test]
    fn after_the_last_attempt_the_answer_is_the_response() {
        let Next::Done(Ok(last)) = after(Repeat::Safe, 3, Ok(response(503, &[], ""))) else {
            panic!("attempts are counted");
        };
        assert_eq!(last.status, StatusCode::SERVICE_UNAVAILABLE);
        let torn = Ok(response(200, &[(CONTENT_TYPE.as_str(), "application/json")], "{"));
        assert!(matches!(after(Repeat::Safe, 3, torn), Next::Done(Err(Error::Unreadable { .. }))));
    }

    #[test]
    fn pauses_grow_and_stay_within_their_bound() {
        let entropy = SeededEntropy::new(3);
        for attempt in 1..40 {
            let bound = PACE.first * 2_u32.pow((attempt - 1).min(10));
            assert!(PACE.pause(attempt, &*entropy) <= bound.min(PACE.longest));
        }
    }
}
