//! Whether a caller is still there: from what the connection and the caller's page give to know.
//!
//! Who loses the network is waited for, and may come back by another way. Who hangs up is gone, after a moment in which
//! a page that connects anew can do so.

use std::time::Duration;

use tokio::time::Instant;

/// A page gives a sign of life each second. So long without one is a lost network.
const QUIET: Duration = Duration::from_secs(3);

/// A look at the time that comes so late says that this machine stood still, and nothing of the caller.
const STOOD_STILL: Duration = Duration::from_millis(500);

/// How long a caller may take to connect after the offer was answered. Until then they take up a line.
const CONNECTS: Duration = Duration::from_secs(15);

/// How long a caller who lost the network is waited for, and one who comes back by another connection.
const WAITS: Duration = Duration::from_secs(30);

/// How long one is waited for who has no way to come back but the network itself.
const WAITS_BRIEFLY: Duration = Duration::from_secs(4);

/// How long after a hang-up a page may still connect anew.
const LINGERS: Duration = Duration::from_secs(2);

/// What is noticed of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The connection stands.
    Connected,
    /// Nothing comes any more.
    Disconnected,
    /// The page says that it is there.
    Ping,
    /// The other side closed the connection.
    HungUp,
    /// A new connection takes the place of the old one, and is not there yet.
    Replaced,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The caller can be heard for the first time, or again.
    Here {
        /// Whether they were away.
        again: bool,
    },
    /// The network is lost.
    Lost,
    /// The caller is gone.
    Gone,
}

/// What is known of a caller's presence.
#[derive(Debug)]
pub struct Presence {
    can_return: bool,
    stands: bool,
    /// When the page last gave a sign; not every client does.
    pinged: Option<Instant>,
    told: Told,
    /// When the caller counts as gone, if nothing else comes.
    gone_at: Option<Instant>,
}

/// What the conversation was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Here,
    Lost,
}

impl Presence {
    /// Waits for a caller to connect. `can_return` says whether the client knows how to come back by a new connection.
    pub fn new(now: Instant, can_return: bool) -> Self {
        Presence { can_return, stands: false, pinged: None, told: Told::Nothing, gone_at: Some(now + CONNECTS) }
    }

    /// Takes in a sign.
    pub fn on(&mut self, now: Instant, sign: Sign) -> Option<Change> {
        match sign {
            Sign::Connected => {
                self.stands = true;
                self.pinged = self.pinged.map(|_| now);
                self.here()
            }
            Sign::Ping => {
                self.pinged = Some(now);
                if self.stands { self.here() } else { None }
            }
            Sign::Disconnected => {
                self.stands = false;
                self.lost(now)
            }
            Sign::HungUp => {
                self.stands = false;
                self.gone_at = Some(now + LINGERS);
                None
            }
            Sign::Replaced => {
                self.stands = false;
                self.gone_at = Some(now + WAITS);
                None
            }
        }
    }

    /// When to ask [`passed`](Self::passed) next.
    pub fn due(&self) -> Option<Instant> {
        let quiet = self.pinged.filter(|_| self.told == Told::Here).map(|pinged| pinged + QUIET);
        self.gone_at.into_iter().chain(quiet).min()
    }

    /// Takes in that time has passed.
    pub fn passed(&mut self, now: Instant) -> Option<Change> {
        if self.gone_at.is_some_and(|at| at <= now) {
            return Some(Change::Gone);
        }
        match self.due() {
            Some(due) if due + STOOD_STILL <= now => {
                self.pinged = Some(now);
                None
            }
            Some(due) if due <= now => self.lost(now),
            _ => None,
        }
    }

    fn here(&mut self) -> Option<Change> {
        self.gone_at = None;
        match std::mem::replace(&mut self.told, Told::Here) {
            Told::Here => None,
            told => Some(Change::Here { again: told == Told::Lost }),
        }
    }

    fn lost(&mut self, now: Instant) -> Option<Change> {
        if self.told != Told::Here {
            return None;
        }
        self.told = Told::Lost;
        let wait = if self.can_return { WAITS } else { WAITS_BRIEFLY };
        self.gone_at.get_or_insert(now + wait);
        Some(Change::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What follows, with the second at which it does, from signs with theirs, up to a minute.
    fn check(can_return: bool, signs: &[(u64, Sign)], expected: &[(u64, Change)]) {
        let begin = Instant::now();
        let mut presence = Presence::new(begin, can_return);
        let mut changes = vec![];
        for second in 0..=60 {
            let now = begin + Duration::from_secs(second);
            let mut follows = |change: Option<Change>| changes.extend(change.map(|change| (second, change)));
            follows(presence.passed(now));
            for (_, sign) in signs.iter().filter(|(at, _)| *at == second) {
                follows(presence.on(now, *sign));
            }
            if changes.last().is_some_and(|(_, change)| *change == Change::Gone) {
                break;
            }
        }
        assert_eq!(changes, expected, "{signs:?}");
    }

    const HERE: Change = Change::Here { again: false };
    const BACK: Change = Change::Here { again: true };

    fn pings(seconds: std::ops::Range<u64>) -> Vec<(u64, Sign)> {
        seconds.map(|second| (second, Sign::Ping)).collect()
    }

    #[test]
    fn who_never_connects_is_gone() {
        check(true, &[], &[(15, Change::Gone)]);
        check(true, &[(2, Sign::Ping)], &[(15, Change::Gone)]);
    }

    #[test]
    fn a_page_that_falls_silent_is_lost_and_then_gone() {
        let signs = [&[(0, Sign::Connected)], &pings(1..6)[..]].concat();
        check(true, &signs, &[(0, HERE), (8, Change::Lost), (38, Change::Gone)]);
        let signs = [signs, pings(10..61)].concat();
        check(true, &signs, &[(0, HERE), (8, Change::Lost), (10, BACK)]);
    }

    #[test]
    fn a_machine_that_stood_still_says_nothing_of_the_caller() {
        let begin = Instant::now();
        let mut presence = Presence::new(begin, true);
        presence.on(begin, Sign::Connected);
        presence.on(begin, Sign::Ping);
        assert_eq!(presence.passed(begin + Duration::from_secs(5)), None);
        assert_eq!(presence.passed(begin + Duration::from_secs(8)), Some(Change::Lost));
    }

    #[test]
    fn who_gives_no_signs_of_life_is_there_as_long_as_the_connection() {
        check(true, &[(1, Sign::Connected)], &[(1, HERE)]);
        let signs = [(1, Sign::Connected), (5, Sign::Disconnected), (7, Sign::Connected)];
        check(true, &signs, &[(1, HERE), (5, Change::Lost), (7, BACK)]);
    }

    #[test]
    fn a_lost_caller_is_waited_for_as_long_as_there_is_hope() {
        let signs = [(1, Sign::Connected), (5, Sign::Disconnected), (15, Sign::Disconnected)];
        check(true, &signs, &[(1, HERE), (5, Change::Lost), (35, Change::Gone)]);
        check(false, &signs, &[(1, HERE), (5, Change::Lost), (9, Change::Gone)]);
    }

    #[test]
    fn who_hangs_up_is_gone_in_a_moment() {
        check(true, &[(1, Sign::Connected), (5, Sign::HungUp)], &[(1, HERE), (7, Change::Gone)]);
        let signs = [(1, Sign::Connected), (5, Sign::HungUp), (6, Sign::Disconnected)];
        check(true, &signs, &[(1, HERE), (6, Change::Lost), (7, Change::Gone)]);
    }

    #[test]
    fn a_new_connection_goes_on_where_the_old_one_ended() {
        let signs =
            [&[(0, Sign::Connected)], &pings(1..4)[..], &[(20, Sign::Replaced), (22, Sign::Connected)], &pings(23..61)]
                .concat();
        check(true, &signs, &[(0, HERE), (6, Change::Lost), (22, BACK)]);
        let signs = [(0, Sign::Connected), (5, Sign::HungUp), (6, Sign::Replaced), (8, Sign::Connected)];
        check(true, &signs, &[(0, HERE)]);
        check(true, &signs[..3], &[(0, HERE), (36, Change::Gone)]);
    }
}
