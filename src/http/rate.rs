//! Token buckets, one per connection.
//!
//! `governor` is used because its cell-rate algorithm needs one number per bucket and forgets idle ones; it stays
//! inside this file.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use governor::{Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::keyed::HashMapStateStore};

/// How many buckets of one rate are kept before idle ones are looked for.
const TIDY_AT: usize = 1024;

use super::Request;

/// Names the requests that a narrower rate counts together, and that rate; `None` for those that it is not about.
pub type Narrower = fn(&Request) -> Option<(Cow<'static, str>, Rate)>;

/// How often a connection may ask.
///
/// Within any `period` a bucket lets `burst` requests out and what refills meanwhile: a rate keeps below what a vendor
/// allows in `period` where both together do.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// How many requests may go out at once.
    pub burst: NonZeroU32,
    /// After this long, one more request may go out.
    pub every: Duration,
    /// How long a vendor refuses once it has said "slow down", where it does not say so itself.
    pub rest: Option<Duration>,
    /// For vendors that count some requests by themselves, such as searches.
    pub narrower: Option<Narrower>,
}

impl Rate {
    /// `count` requests within `period`, at once or spread.
    pub const fn per(count: NonZeroU32, period: Duration) -> Self {
        let nanos = period.as_nanos() / count.get() as u128;
        // A period that needs more than 64 bits of nanoseconds is longer than 584 years.
        #[expect(clippy::cast_possible_truncation, reason = "see the line above")]
        Rate { burst: count, every: Duration::from_nanos(nanos as u64), rest: None, narrower: None }
    }

    /// `burst` requests at once, and one more each time that `every` has gone by.
    pub const fn bursts(burst: NonZeroU32, every: Duration) -> Self {
        Rate { burst, every, rest: None, narrower: None }
    }

    /// The same rate of a vendor that counts some requests by themselves, too.
    #[must_use]
    pub const fn and(mut self, narrower: Narrower) -> Self {
        self.narrower = Some(narrower);
        self
    }

    /// The same rate of a vendor that refuses for this long once it has said "slow down".
    #[must_use]
    pub const fn resting(mut self, rest: Duration) -> Self {
        self.rest = Some(rest);
        self
    }
}

type Limiter = RateLimiter<String, HashMapStateStore<String>, Ticks, NoOpMiddleware<Duration>>;

/// All buckets of the process.
#[derive(Debug)]
pub(super) struct Buckets {
    ticks: Ticks,
    limiters: Mutex<HashMap<(NonZeroU32, Duration), Arc<Limiter>>>,
}

impl Buckets {
    /// Buckets that refill as `elapsed` grows, which counts from any moment.
    pub(super) fn new(elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Buckets { ticks: Ticks(Arc::new(elapsed)), limiters: Mutex::default() }
    }

    /// Buckets that refill as time goes by.
    pub(super) fn from_now() -> Self {
        let start = Instant::now();
        Buckets::new(move || start.elapsed())
    }

    /// Takes one token from the bucket of `key`, or says how long to wait for one.
    pub(super) fn take(&self, rate: Rate, key: &str) -> Result<(), Duration> {
        let Some(limiter) = self.limiter(rate) else {
            return Ok(());
        };
        if limiter.len() >= TIDY_AT {
            limiter.retain_recent();
        }
        limiter.check_key(&key.to_owned()).map_err(|not_until| not_until.wait_time_from(self.ticks.now()))
    }

    /// Rates are constants of the integrations, so there are few limiters.
    fn limiter(&self, rate: Rate) -> Option<Arc<Limiter>> {
        let quota = Quota::with_period(rate.every)?.allow_burst(rate.burst);
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter = limiters
            .entry((rate.burst, rate.every))
            .or_insert_with(|| Arc::new(RateLimiter::new(quota, HashMapStateStore::default(), self.ticks.clone())));
        Some(Arc::clone(limiter))
    }
}

/// Time from outside.
#[derive(Clone)]
struct Ticks(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        (self.0)()
    }
}

impl fmt::Debug for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.now())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn rate() -> Rate {
        Rate::per(NonZeroU32::new(2).unwrap(), Duration::from_secs(2))
    }

    /// Buckets and the hand that moves their time, in seconds.
    fn buckets() -> (Buckets, Arc<AtomicU64>) {
        let hand = Arc::new(AtomicU64::new(0));
        let seconds = Arc::clone(&hand);
        (Buckets::new(move || Duration::from_secs(seconds.load(Ordering::SeqCst))), hand)
    }

    #[test]
    fn a_bucket_refills_with_time() {
        let (buckets, hand) = buckets();
        assert_eq!((buckets.take(rate(), "a"), buckets.take(rate(), "a")), (Ok(()), Ok(())));
        assert_eq!(buckets.take(rate(), "a"), Err(Duration::from_secs(1)));
        hand.store(1, Ordering::SeqCst);
        assert_eq!(buckets.take(rate(), "a"), Ok(()));
        assert!(buckets.take(rate(), "a").is_err());
    }

    #[test]
    fn connections_do_not_take_from_each_other() {
        let (buckets, _) = buckets();
        while buckets.take(rate(), "a").is_ok() {}
        assert_eq!(buckets.take(rate(), "b"), Ok(()));
    }

    #[test]
    fn idle_buckets_are_forgotten() {
        let (buckets, hand) = buckets();
        for n in 0..TIDY_AT {
            buckets.take(rate(), &n.to_string()).unwrap();
        }
        hand.store(60, Ordering::SeqCst);
        buckets.take(rate(), "last").unwrap();
        assert_eq!(buckets.limiter(rate()).unwrap().len(), 1);
    }
}
