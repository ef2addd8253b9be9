//! Time from outside: the wall clock as a value that tests can set.
//!
//! Deadlines and pauses use tokio's timers, which a test can pause; everything that is written down or
//! compared with a date asks a [`Clock`].

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};

/// Tells the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A clock that many parts share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where time comes in")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The machine's clock, shared.
pub fn system() -> SharedClock {
    Arc::new(SystemClock)
}

/// A clock that runs like the machine's own, and was set to another time when it was made.
#[derive(Debug)]
pub struct ShiftedClock {
    ahead: SignedDuration,
}

impl ShiftedClock {
    /// A clock that is `ahead` of the machine's, or behind it when that is negative.
    pub fn ahead_by(ahead: SignedDuration) -> SharedClock {
        Arc::new(ShiftedClock { ahead })
    }

    /// A clock that shows `start` now, and goes on from there.
    pub fn starting_at(start: Timestamp) -> SharedClock {
        ShiftedClock::ahead_by(start.duration_since(SystemClock.now()))
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().checked_add(self.ahead).unwrap_or(Timestamp::MAX)
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`, to the millisecond.
    pub fn at(start: Timestamp) -> Arc<Self> {
        Arc::new(ManualClock(AtomicI64::new(start.as_millisecond())))
    }

    /// Moves the hands by `by`, backwards when it is negative.
    pub fn advance(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(0);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_clock_goes_on_from_its_start() {
        let start: Timestamp = "2028-02-29T12:00:00Z".parse().unwrap();
        let clock = ShiftedClock::starting_at(start);
        let first = clock.now();
        assert!(first >= start && clock.now() >= first, "{first}");
        assert!(first.duration_since(start) < SignedDuration::from_hours(1), "{first}");
    }

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let start: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let clock = ManualClock::at(start);
        assert_eq!(clock.now(), start);
        clock.advance(SignedDuration::from_mins(5));
        assert_eq!(clock.now(), "2026-11-23T09:05:00Z".parse().unwrap());
    }
}
