//! How often a vendor lets itself be asked, and what becomes of whoever asks more often.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
};

use jiff::{SignedDuration, Timestamp};

use super::twin::{Answer, Call};

/// One of a vendor's limits: so many requests within any stretch of time.
#[derive(Clone, Copy)]
pub struct Limit {
    /// What a request is counted with, such as the base that it is about; `None` where this limit is not about it.
    pub counts: fn(&Call<'_>) -> Option<String>,
    /// How many are let through.
    pub most: usize,
    /// Within any stretch of this length.
    pub within: SignedDuration,
    /// For how long the vendor refuses everything that is counted together, once there was one too many; else until there
    /// is room again.
    pub penalty: Option<SignedDuration>,
    /// The refusal, with the seconds after which there is room again, where the vendor has a word of its own for this limit.
    pub refuse: Option<fn(u32) -> Answer>,
}

impl Limit {
    /// A limit that ends when there is room again, told in the vendor's usual words.
    pub const fn of(most: usize, within: SignedDuration, counts: fn(&Call<'_>) -> Option<String>) -> Self {
        Limit { counts, most, within, penalty: None, refuse: None }
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} within {}", self.most, self.within)
    }
}

/// What was let through of late, for each limit and what it counts together.
#[derive(Debug, Default)]
pub struct Paces(HashMap<(usize, String), Count>);

#[derive(Debug, Default)]
struct Count {
    passed: VecDeque<Timestamp>,
    shut_until: Option<Timestamp>,
}

impl Paces {
    /// Lets a request through all limits, or says which one it breaks and after how many seconds there is room. What is
    /// refused is not counted.
    pub fn pass<'a>(&mut self, limits: &'a [Limit], call: &Call<'_>) -> Result<(), (&'a Limit, u32)> {
        let named = limits.iter().enumerate().filter_map(|(at, limit)| Some((limit, (at, (limit.counts)(call)?))));
        let named: Vec<_> = named.collect();
        for (limit, key) in &named {
            let room = self.0.entry(key.clone()).or_default().room(limit, call.now);
            room.map_err(|at| (*limit, seconds_until(at, call.now)))?;
        }
        for (_, key) in named {
            self.0.entry(key).or_default().passed.push_back(call.now);
        }
        Ok(())
    }
}

impl Count {
    /// Whether there is room now; else from when on.
    fn room(&mut self, limit: &Limit, now: Timestamp) -> Result<(), Timestamp> {
        if let Some(until) = self.shut_until.filter(|until| now < *until) {
            return Err(until);
        }
        while self.passed.front().is_some_and(|first| *first + limit.within <= now) {
            self.passed.pop_front();
        }
        if self.passed.len() < limit.most {
            return Ok(());
        }
        self.shut_until = limit.penalty.map(|penalty| now + penalty);
        Err(self.shut_until.unwrap_or(self.passed[0] + limit.within))
    }
}

/// Whole seconds, at least one.
fn seconds_until(at: Timestamp, now: Timestamp) -> u32 {
    let millis = at.duration_since(now).as_millis().max(1);
    u32::try_from((millis + 999) / 1_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::http::HeaderMap;
    use serde_json::Value;

    use super::*;

    const LIMIT: Limit = Limit::of(2, SignedDuration::from_secs(1), |call| call.query("base").map(str::to_owned));
    const PENALTY: Limit = Limit { penalty: Some(SignedDuration::from_secs(30)), ..LIMIT };

    /// Asks at a moment, in milliseconds; the seconds to wait, or none.
    fn asks(paces: &mut Paces, limits: &[Limit], millis: i64, base: &str) -> Option<u32> {
        let (headers, query) = (HeaderMap::new(), [("base".to_owned(), base.to_owned())]);
        let now = Timestamp::from_millisecond(millis).unwrap();
        let (operation, path, body) = ("x", BTreeMap::new(), Value::Null);
        let call = Call { now, operation, path, query: &query, headers: &headers, body };
        paces.pass(limits, &call).err().map(|(_, seconds)| seconds)
    }

    #[test]
    fn any_stretch_of_time_lets_so_many_through() {
        let mut paces = Paces::default();
        let mut at = |millis, base| asks(&mut paces, &[LIMIT], millis, base);
        assert_eq!((at(0, "a"), at(900, "a"), at(950, "a"), at(950, "b")), (None, None, Some(1), None));
        assert_eq!((at(1_000, "a"), at(1_100, "a"), at(1_900, "a")), (None, Some(1), None));
    }

    #[test]
    fn a_penalty_holds_however_long_the_stretch_is_over() {
        let mut paces = Paces::default();
        let mut at = |millis| asks(&mut paces, &[PENALTY], millis, "a");
        assert_eq!((at(0), at(0), at(0), at(20_000)), (None, None, Some(30), Some(10)));
        assert_eq!(at(30_000), None);
    }

    #[test]
    fn what_one_limit_refuses_another_does_not_count() {
        let wide = Limit::of(3, SignedDuration::from_mins(1), |_| Some(String::new()));
        let mut paces = Paces::default();
        let mut at = |base| asks(&mut paces, &[wide, LIMIT], 0, base);
        assert_eq!((at("a"), at("a"), at("a"), at("b"), at("b")), (None, None, Some(1), None, Some(60)));
    }
}
