//! How much of something one person may have at once, and all together: connections, streams, bytes in flight.
//!
//! A bound for all alone lets one token take everything; a bound for each alone lets many of them take the machine.
//! Whatever is taken is given back when its [`Permit`] is dropped, wherever that happens.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// A mebibyte.
const MIB: u64 = 1 << 20;

/// An amount of something that people share. Clones share it, too.
#[derive(Clone)]
pub struct Quota(Arc<Shared>);

struct Shared {
    each: u64,
    all: u64,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: u64,
    by_person: HashMap<Arc<str>, u64>,
}

/// Why nothing could be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// This person has as much as one may have.
    Person,
    /// All together have as much as there is.
    All,
    /// It is more than one person may ever have: waiting does not help.
    Never,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Exceeded::Person => "you have too much of it under way: wait until something has ended, then try again",
            Exceeded::All => "this server has too much of it under way: try again in a second",
            Exceeded::Never => "it is more than one person may have at once: send less in one message",
        })
    }
}

impl Quota {
    /// At most `each` for one person, and `all` together.
    pub fn new(each: u64, all: u64) -> Self {
        Quota(Arc::new(Shared { each, all, taken: Mutex::default() }))
    }

    /// Takes `amount` for `person`.
    pub fn take(&self, person: &str, amount: u64) -> Result<Permit, Exceeded> {
        let permit = Permit { quota: self.clone(), person: person.into(), amount: AtomicU64::new(0) };
        permit.resize(amount)?;
        Ok(permit)
    }

    /// How much is left for all together.
    pub fn left(&self) -> u64 {
        self.0.all.saturating_sub(self.taken().all)
    }

    /// How much `person` has.
    pub fn held_by(&self, person: &str) -> u64 {
        self.taken().by_person.get(person).copied().unwrap_or(0)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} left, {} each", self.left(), self.0.all, self.0.each)
    }
}

/// What somebody has of a [`Quota`]; given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    quota: Quota,
    person: Arc<str>,
    amount: AtomicU64,
}

impl Permit {
    /// How much it is.
    pub fn amount(&self) -> u64 {
        self.amount.load(Ordering::Relaxed)
    }

    /// Makes it `amount`. Less is always possible; what cannot be more stays as it was.
    pub fn resize(&self, amount: u64) -> Result<(), Exceeded> {
        let mut taken = self.quota.taken();
        let before = self.amount();
        if amount > before {
            let by_person = taken.by_person.get(&*self.person).copied().unwrap_or(0);
            self.quota.0.check(amount, by_person - before, taken.all - before)?;
        }
        self.set(&mut taken, amount);
        Ok(())
    }

    /// Makes it `more` larger, if there is so much.
    pub fn grow(&self, more: u64) -> Result<(), Exceeded> {
        self.resize(self.amount().saturating_add(more))
    }

    /// Makes it `amount`, over every bound: for what is there already. Nothing more is given out before it is back.
    pub fn force(&self, amount: u64) {
        self.set(&mut self.quota.taken(), amount);
    }

    fn set(&self, taken: &mut Taken, amount: u64) {
        let before = self.amount.swap(amount, Ordering::Relaxed);
        taken.all = taken.all - before + amount;
        let by_person = taken.by_person.entry(Arc::clone(&self.person)).or_default();
        *by_person = *by_person - before + amount;
        if *by_person == 0 {
            taken.by_person.remove(&self.person);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.force(0);
    }
}

impl Shared {
    fn check(&self, amount: u64, by_person: u64, by_all: u64) -> Result<(), Exceeded> {
        if amount > self.each {
            Err(Exceeded::Never)
        } else if by_person.saturating_add(amount) > self.each {
            Err(Exceeded::Person)
        } else if by_all.saturating_add(amount) > self.all {
            Err(Exceeded::All)
        } else {
            Ok(())
        }
    }
}

/// The quotas of one process.
#[derive(Clone, Debug)]
pub struct Quotas {
    /// Bytes of what is under way: bodies, queued and running requests, answers that are not read yet; see [`weight`].
    pub bytes: Quota,
    /// Bytes of messages of WebSockets that are not whole yet.
    pub arriving: Quota,
    /// Bytes of what was said on streams that a client may come back to.
    pub replay: Quota,
    /// Bytes of the addresses that clients of the revisions with a handshake watch.
    pub watched: Quota,
    /// Requests over HTTP at once.
    pub requests: Quota,
    /// WebSockets.
    pub sockets: Quota,
    /// Subscriptions and other streams that stay open.
    pub streams: Quota,
    /// Calls that go on as tasks.
    pub tasks: Quota,
    /// Sessions of the revisions with a handshake that are remembered.
    pub sessions: Quota,
}

impl Quotas {
    /// Quotas for a process that takes so many connections: one person's stay well below them.
    pub fn for_connections(connections: usize) -> Self {
        let connections = (connections as u64).max(8);
        Quotas {
            requests: Quota::new(connections / 4, connections * 2),
            sockets: Quota::new(connections / 4, connections - connections / 8),
            streams: Quota::new((connections / 8).min(256), connections.min(1024)),
            ..Quotas::default()
        }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Quotas {
            bytes: Quota::new(24 * MIB, 48 * MIB),
            arriving: Quota::new(11 * MIB, 22 * MIB),
            replay: Quota::new(2 * MIB, 8 * MIB),
            watched: Quota::new(MIB, 8 * MIB),
            requests: Quota::new(1024, 8192),
            sockets: Quota::new(1024, 3584),
            streams: Quota::new(256, 1024),
            tasks: Quota::new(128, 1024),
            sessions: Quota::new(4096, 16_384),
        }
    }
}

/// What a message costs while it is worked on: its text twice, and every member of it as a value in memory. Many small
/// values take far more memory than the text that they are written in.
pub fn weight(message: &[u8]) -> u64 {
    /// What one value takes beside its text.
    const VALUE: usize = 48;
    let (mut values, mut in_string, mut is_escaped) = (0, false, false);
    for byte in message {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' | b':' if !in_string => values += 1,
            _ => {}
        }
    }
    (2 * message.len() + VALUE * values) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_everything_and_all_together_take_no_more_than_there_is() {
        let quota = Quota::new(6, 10);
        let (ann, bob) = (quota.take("ann", 6).unwrap(), quota.take("bob", 4).unwrap());
        assert_eq!(quota.take("ann", 1).unwrap_err(), Exceeded::Person);
        assert_eq!(quota.take("cem", 1).unwrap_err(), Exceeded::All);
        assert_eq!(quota.take("cem", 7).unwrap_err(), Exceeded::Never);
        drop(ann);
        assert_eq!((quota.held_by("ann"), quota.left()), (0, 6));
        bob.grow(2).unwrap();
        assert_eq!(bob.grow(1).unwrap_err(), Exceeded::Never);
        assert_eq!(bob.amount(), 6);
    }

    #[test]
    fn what_is_there_already_counts_over_the_bound_and_comes_back() {
        let quota = Quota::new(6, 10);
        let permit = quota.take("ann", 1).unwrap();
        permit.force(50);
        assert_eq!(quota.left(), 0);
        assert_eq!(quota.take("bob", 1).unwrap_err(), Exceeded::All);
        permit.resize(2).unwrap();
        quota.take("bob", 6).unwrap();
        drop(permit);
        assert_eq!(quota.left(), 10);
        assert!(quota.taken().by_person.is_empty());
    }

    #[test]
    fn a_long_text_weighs_little_and_many_small_values_much() {
        assert!(weight("x".repeat(1000).as_bytes()) < 2100);
        assert!(weight("[0,".repeat(1000).as_bytes()) > 90_000);
        let prose = format!("[{:?}]", "He said: \"well, {yes}, [no],\" and \\ left.".repeat(100));
        assert!(weight(prose.as_bytes()) < 2 * prose.len() as u64 + 100);
        assert!(weight("x".repeat(10 << 20).as_bytes()) < Quotas::default().bytes.0.each);
    }
}
