//! Circuit breakers: a vendor that fails again and again is left alone for a while.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// When a breaker opens and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many failures in a row open it.
    pub(super) failures: u32,
    /// How long it stays open before one probe is let through.
    pub(super) rest: Duration,
}

/// One breaker as a state machine; time is passed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Requests go through; so many have failed in a row.
    Closed(u32),
    /// Nothing goes through until then.
    Open(Instant),
    /// One probe is under way; its outcome decides. After this moment it counts as lost.
    Probing(Instant),
}

impl State {
    /// Whether a request may go out now; otherwise how long to wait.
    fn admit(&mut self, now: Instant, limits: Limits) -> Result<(), Duration> {
        match *self {
            State::Closed(_) => Ok(()),
            State::Open(until) | State::Probing(until) if now < until => Err(until - now),
            State::Open(_) | State::Probing(_) => {
                *self = State::Probing(now + limits.rest);
                Ok(())
            }
        }
    }

    fn failed(&mut self, now: Instant, limits: Limits) {
        *self = match *self {
            State::Closed(failures) if failures + 1 < limits.failures => State::Closed(failures + 1),
            State::Closed(_) | State::Probing(_) => State::Open(now + limits.rest),
            // A request that left before the breaker opened says nothing new.
            State::Open(until) => State::Open(until),
        };
    }
}

/// The breakers of all vendors and base URLs. Healthy ones take no room.
#[derive(Clone, Debug)]
pub(super) struct Breakers {
    limits: Limits,
    ill: Arc<Mutex<HashMap<String, State>>>,
}

impl Breakers {
    pub(super) fn new(limits: Limits) -> Self {
        Breakers { limits, ill: Arc::default() }
    }

    /// Lets a request to `key` out, or says how long the vendor still rests.
    pub(super) fn admit(&self, key: &str, now: Instant) -> Result<Pass, Duration> {
        if let Some(state) = self.lock().get_mut(key) {
            state.admit(now, self.limits)?;
        }
        Ok(Pass { breakers: self.clone(), key: key.to_owned(), told: false })
    }

    /// Those through which nothing goes at present.
    pub(super) fn resting(&self, now: Instant) -> Vec<String> {
        let is_resting = |state: &State| matches!(state, State::Open(until) | State::Probing(until) if now < *until);
        self.lock().iter().filter(|(_, state)| is_resting(state)).map(|(key, _)| key.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, State>> {
        self.ill.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one attempt, to be told how it went. Dropped untold (a cancelled call), it frees the probe.
#[derive(Debug)]
pub(super) struct Pass {
    breakers: Breakers,
    key: String,
    told: bool,
}

impl Pass {
    /// The vendor answered, be it with a refusal.
    pub(super) fn answered(mut self) {
        self.told = true;
        self.breakers.lock().remove(&self.key);
    }

    /// The vendor did not answer, or only that it is broken.
    pub(super) fn failed(mut self, now: Instant) {
        self.told = true;
        let limits = self.breakers.limits;
        self.breakers.lock().entry(self.key.clone()).or_insert(State::Closed(0)).failed(now, limits);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        if let Some(state) = self.breakers.lock().get_mut(&self.key)
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

    fn breakers() -> (Breakers, Instant) {
        (Breakers::new(Limits { failures: 3, rest: REST }), Instant::now())
    }

    fn fail(breakers: &Breakers, times: u32, now: Instant) {
        for _ in 0..times {
            breakers.admit("v", now).unwrap().failed(now);
        }
    }

    #[test]
    fn failures_in_a_row_open_it_for_a_while() {
        let (breakers, now) = breakers();
        fail(&breakers, 2, now);
        breakers.admit("v", now).unwrap().answered();
        fail(&breakers, 3, now);
        assert_eq!(breakers.admit("v", now).unwrap_err(), REST);
        assert!(breakers.admit("another", now).is_ok());
    }

    #[test]
    fn after_the_rest_one_probe_decides() {
        let (breakers, now) = breakers();
        fail(&breakers, 3, now);
        let later = now + REST;
        let probe = breakers.admit("v", later).unwrap();
        assert_eq!(breakers.admit("v", later).unwrap_err(), REST);
        probe.failed(later);
        assert_eq!(breakers.admit("v", later).unwrap_err(), REST);
        breakers.admit("v", later + REST).unwrap().answered();
        assert!(breakers.admit("v", later + REST).is_ok());
        assert!(breakers.lock().is_empty(), "a healthy vendor takes no room");
    }

    #[test]
    fn a_cancelled_probe_leaves_room_for_the_next() {
        let (breakers, now) = breakers();
        fail(&breakers, 3, now);
        drop(breakers.admit("v", now + REST).unwrap());
        assert!(breakers.admit("v", now + REST).is_ok());
    }

    #[test]
    fn late_failures_do_not_prolong_the_rest() {
        let (breakers, now) = breakers();
        let late = breakers.admit("v", now).unwrap();
        fail(&breakers, 3, now);
        late.failed(now + Duration::from_secs(10));
        assert!(breakers.admit("v", now + REST).is_ok());
    }
}
