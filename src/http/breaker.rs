//! Circuit breakers: a vendor that fails most of its calls is left alone for a while.
//!
//! What counts is how calls end, repeats included: a vendor whose every tenth answer is bad is worked with, not rested.
//! And it counts how many of the calls fail, not how many in a row: of many that are under way at once, one short
//! stumble makes all fail, and among a hundred good ones that means nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// All calls that ended within this time count.
const RECENT: Duration = Duration::from_secs(10);
/// Where fewer ended, so many count, back to [`STALE`].
const LEAST: usize = 20;
/// What ended longer ago says nothing about now. Five calls in a row that each hang for their half a minute fit in.
const STALE: Duration = Duration::from_mins(3);
/// No more than this are looked at.
const MOST: usize = 1_000;
/// How many vendors are remembered before those that nobody asks any more are looked for.
const TIDY_AT: usize = 1_024;

/// When a breaker opens and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many calls must have failed, and two of three with them.
    pub(super) failures: u32,
    /// How long it stays open before one probe is let through.
    pub(super) rest: Duration,
}

/// How the latest calls ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Window {
    ends: VecDeque<(Instant, bool)>,
    failures: usize,
}

impl Window {
    fn add(&mut self, now: Instant, is_alive: bool) {
        self.ends.push_back((now, is_alive));
        self.failures += usize::from(!is_alive);
        while let Some((_, is_alive)) = self.ends.front().copied().filter(|(at, _)| self.is_past(now, *at)) {
            self.ends.pop_front();
            self.failures -= usize::from(!is_alive);
        }
    }

    fn is_past(&self, now: Instant, at: Instant) -> bool {
        let age = now.saturating_duration_since(at);
        age > STALE || self.ends.len() > MOST || (age > RECENT && self.ends.len() > LEAST)
    }

    fn is_ill(&self, limits: Limits) -> bool {
        self.failures >= limits.failures as usize && self.failures * 3 >= self.ends.len() * 2
    }
}

/// One breaker as a state machine; time is passed in.
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Requests go through.
    Closed(Window),
    /// Nothing goes through until then.
    Open(Instant),
    /// One probe is under way; its outcome decides. After this moment it counts as lost.
    Probing(Instant),
}

impl Default for State {
    fn default() -> Self {
        State::Closed(Window::default())
    }
}

impl State {
    /// Whether a request may go out now, and whether it is the probe; otherwise how long to wait.
    fn admit(&mut self, now: Instant, limits: Limits) -> Result<bool, Duration> {
        match *self {
            State::Closed(_) => Ok(false),
            State::Open(until) | State::Probing(until) if now < until => Err(until - now),
            State::Open(_) | State::Probing(_) => {
                *self = State::Probing(now + limits.rest);
                Ok(true)
            }
        }
    }

    fn ended(&mut self, now: Instant, is_alive: bool, limits: Limits) {
        match self {
            State::Closed(window) => {
                window.add(now, is_alive);
                if !is_alive && window.is_ill(limits) {
                    *self = State::Open(now + limits.rest);
                }
            }
            State::Probing(_) if is_alive => *self = State::default(),
            State::Probing(_) => *self = State::Open(now + limits.rest),
            // A request that left before the breaker opened says nothing new.
            State::Open(_) => {}
        }
    }

    /// Whether nobody would miss it.
    fn is_idle(&self, now: Instant) -> bool {
        let last = match self {
            State::Closed(window) => window.ends.back().map(|(at, _)| *at),
            State::Open(until) | State::Probing(until) => Some(*until),
        };
        last.is_none_or(|last| now.saturating_duration_since(last) > STALE)
    }
}

/// The breakers of all vendors and base URLs.
#[derive(Clone, Debug)]
pub(super) struct Breakers {
    limits: Limits,
    states: Arc<Mutex<HashMap<String, State>>>,
}

impl Breakers {
    pub(super) fn new(limits: Limits) -> Self {
        Breakers { limits, states: Arc::default() }
    }

    /// Lets a call to `key` begin, or says how long the vendor still rests.
    pub(super) fn admit(&self, key: &str, now: Instant) -> Result<Pass, Duration> {
        let is_probe = self.lock().get_mut(key).map_or(Ok(false), |state| state.admit(now, self.limits))?;
        Ok(Pass { breakers: self.clone(), key: key.to_owned(), is_probe, last: None })
    }

    /// Those through which nothing goes at present.
    pub(super) fn resting(&self, now: Instant) -> Vec<String> {
        let is_resting = |state: &State| matches!(state, State::Open(until) | State::Probing(until) if now < *until);
        self.lock().iter().filter(|(_, state)| is_resting(state)).map(|(key, _)| key.clone()).collect()
    }

    fn ended(&self, key: &str, now: Instant, is_alive: bool) {
        let mut states = self.lock();
        if states.len() >= TIDY_AT {
            states.retain(|_, state| !state.is_idle(now));
        }
        states.entry(key.to_owned()).or_default().ended(now, is_alive, self.limits);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one call with all its attempts. Dropped, it counts as its last attempt went, however the call ended: a
/// vendor that hangs for longer than callers wait fails too. Where there was no attempt, it makes room for the next
/// probe.
#[derive(Debug)]
pub(super) struct Pass {
    breakers: Breakers,
    key: String,
    is_probe: bool,
    last: Option<(Instant, bool)>,
}

impl Pass {
    /// Lets the call try once more, unless the vendor rests by now.
    pub(super) fn again(mut self, now: Instant) -> Result<Pass, Duration> {
        if !self.is_probe
            && let Some(state) = self.breakers.lock().get_mut(&self.key)
        {
            self.is_probe = state.admit(now, self.breakers.limits)?;
        }
        Ok(self)
    }

    /// An attempt ended: the vendor answered, be it with a refusal; or it did not, or only that it is broken.
    pub(super) fn attempted(&mut self, now: Instant, is_alive: bool) {
        self.last = Some((now, is_alive));
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some((now, is_alive)) = self.last {
            return self.breakers.ended(&self.key, now, is_alive);
        }
        if self.is_probe
            && let Some(state) = self.breakers.lock().get_mut(&self.key)
            && let State::Probing(until) = *state
        {
            *state = State::Open(until - self.breakers.limits.rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(15);
    const SECOND: Duration = Duration::from_secs(1);

    fn breakers() -> (Breakers, Instant) {
        (Breakers::new(Limits { failures: 5, rest: REST }), Instant::now())
    }

    /// A call that ends at once.
    fn call(breakers: &Breakers, now: Instant, is_alive: bool) {
        breakers.admit("v", now).unwrap().attempted(now, is_alive);
    }

    fn fail(breakers: &Breakers, times: u32, now: Instant) {
        (0..times).for_each(|_| call(breakers, now, false));
    }

    fn is_open(breakers: &Breakers, now: Instant) -> bool {
        !breakers.resting(now).is_empty()
    }

    #[test]
    fn a_vendor_that_fails_most_calls_rests_for_a_while() {
        let (breakers, now) = breakers();
        fail(&breakers, 4, now);
        assert!(!is_open(&breakers, now));
        fail(&breakers, 1, now);
        assert_eq!(breakers.admit("v", now).unwrap_err(), REST);
        assert!(breakers.admit("another", now).is_ok());
    }

    #[test]
    fn a_stumble_among_good_calls_is_none() {
        let (breakers, now) = breakers();
        (0..20).for_each(|_| call(&breakers, now, true));
        // Under way at once, so they fail at once.
        fail(&breakers, 13, now + SECOND);
        assert!(!is_open(&breakers, now + SECOND));
        fail(&breakers, 27, now + SECOND);
        assert!(is_open(&breakers, now + SECOND), "and yet it is not borne for ever");
    }

    #[test]
    fn one_bad_answer_in_ten_makes_nobody_rest() {
        let (breakers, now) = breakers();
        let entropy = crate::id::SeededEntropy::new(1);
        for at in 0..100_000 {
            let mut random = [0; 4];
            crate::id::Entropy::fill(&*entropy, &mut random);
            let is_alive = u32::from_be_bytes(random) > u32::MAX / 10;
            call(&breakers, now + SECOND * at, is_alive);
        }
    }

    #[test]
    fn a_vendor_that_is_down_rests_soon_however_good_it_was() {
        let (breakers, now) = breakers();
        (0..1_000).for_each(|at| call(&breakers, now + SECOND * at / 10, true));
        let down = now + SECOND * 100;
        let failed = (1..1_000).find(|at| {
            fail(&breakers, 1, down + SECOND * *at / 10);
            is_open(&breakers, down + SECOND * *at / 10)
        });
        assert!(failed.is_some_and(|calls| calls <= 100), "ten seconds: {failed:?}");
    }

    #[test]
    fn who_asks_seldom_learns_it_from_five_calls() {
        let (breakers, now) = breakers();
        (0..20).for_each(|_| call(&breakers, now, true));
        (1..6).for_each(|at| call(&breakers, now + STALE + SECOND * 30 * at, false));
        assert!(is_open(&breakers, now + STALE + SECOND * 150));
    }

    #[test]
    fn a_call_counts_once_and_as_it_ended() {
        let (breakers, now) = breakers();
        for _ in 0..10 {
            let mut pass = breakers.admit("v", now).unwrap();
            for is_alive in [false, false, true] {
                pass = pass.again(now).unwrap();
                pass.attempted(now, is_alive);
            }
        }
        fail(&breakers, 4, now);
        assert!(!is_open(&breakers, now));
        let mut hung = breakers.admit("v", now).unwrap();
        hung.attempted(now, false);
        assert!(!is_open(&breakers, now), "it goes on");
    }

    #[test]
    fn calls_under_way_stop_when_it_opens() {
        let (breakers, now) = breakers();
        let mut pass = breakers.admit("v", now).unwrap();
        pass.attempted(now, false);
        fail(&breakers, 5, now);
        assert_eq!(pass.again(now + SECOND).unwrap_err() + SECOND, REST);
        assert!(breakers.admit("v", now + REST).is_ok(), "and do not prolong the rest");
    }

    #[test]
    fn after_the_rest_one_probe_decides() {
        let (breakers, now) = breakers();
        fail(&breakers, 5, now);
        let later = now + REST;
        let mut probe = breakers.admit("v", later).unwrap();
        assert_eq!(breakers.admit("v", later).unwrap_err(), REST);
        probe.attempted(later, false);
        probe = probe.again(later).unwrap();
        probe.attempted(later, false);
        drop(probe);
        assert_eq!(breakers.admit("v", later).unwrap_err(), REST);
        call(&breakers, later + REST, true);
        fail(&breakers, 4, later + REST);
        assert!(breakers.admit("v", later + REST).is_ok(), "it begins anew");
    }

    #[test]
    fn a_cancelled_probe_leaves_room_for_the_next() {
        let (breakers, now) = breakers();
        fail(&breakers, 5, now);
        drop(breakers.admit("v", now + REST).unwrap());
        assert!(breakers.admit("v", now + REST).is_ok());
    }

    #[test]
    fn vendors_that_nobody_asks_any_more_are_forgotten() {
        let (breakers, now) = breakers();
        for at in 0..TIDY_AT {
            breakers.admit(&at.to_string(), now).unwrap().attempted(now, true);
        }
        call(&breakers, now + STALE + SECOND, true);
        assert_eq!(breakers.lock().len(), 1);
    }
}
