//! What a page may send on its channel: messages of a bounded size, and no more of them than a page has to say.

use std::time::Duration;

use tokio::time::Instant;

/// A larger message is left out: what somebody types has at most 8,000 characters.
pub const LARGEST: usize = 32 * 1024;

/// So many messages may come at once, and so many a second in the long run. A page says a few.
const BURST: f64 = 200.0;
const PER_SECOND: f64 = 20.0;

/// The same in bytes.
const BURST_BYTES: f64 = 256.0 * 1024.0;
const BYTES_PER_SECOND: f64 = 32.0 * 1024.0;

/// A page is told at most so often that something was left out.
const TELLS: Duration = Duration::from_secs(1);

/// Why a message was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// It is too large.
    Size,
    /// There were too many, or too much of them.
    Pace,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It goes on.
    Yes,
    /// It is left out. The page hears why, unless it just has.
    LeftOut(Option<Excess>),
}

/// Looks at what comes.
#[derive(Debug)]
pub struct Inbox {
    messages: f64,
    bytes: f64,
    looked: Instant,
    told: Option<Instant>,
}

impl Inbox {
    pub fn new(now: Instant) -> Self {
        Inbox { messages: BURST, bytes: BURST_BYTES, looked: now, told: None }
    }

    /// Whether a message of so many bytes is taken now.
    pub fn take(&mut self, now: Instant, length: usize) -> Taken {
        let passed = now.saturating_duration_since(self.looked).as_secs_f64();
        self.looked = now;
        self.messages = (self.messages + passed * PER_SECOND).min(BURST);
        self.bytes = (self.bytes + passed * BYTES_PER_SECOND).min(BURST_BYTES);
        if length > LARGEST {
            return self.leave_out(now, Excess::Size);
        }
        #[expect(clippy::cast_precision_loss, reason = "a message has far fewer bytes than a float counts exactly")]
        let length = length as f64;
        if self.messages < 1.0 || self.bytes < length {
            return self.leave_out(now, Excess::Pace);
        }
        self.messages -= 1.0;
        self.bytes -= length;
        Taken::Yes
    }

    fn leave_out(&mut self, now: Instant, why: Excess) -> Taken {
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < TELLS) {
            return Taken::LeftOut(None);
        }
        self.told = Some(now);
        Taken::LeftOut(Some(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(inbox: &mut Inbox, now: Instant, messages: usize, length: usize) -> usize {
        (0..messages).filter(|_| inbox.take(now, length) == Taken::Yes).count()
    }

    #[test]
    fn a_flood_is_left_out_and_a_page_goes_on() {
        let begin = Instant::now();
        let mut inbox = Inbox::new(begin);
        assert_eq!(count(&mut inbox, begin, 10_000, 100), 200);
        let second = begin + Duration::from_secs(1);
        assert_eq!(count(&mut inbox, second, 10_000, 100), 20);
        assert_eq!(count(&mut inbox, begin + Duration::from_mins(5), 10_000, 100), 200);
    }

    #[test]
    fn bytes_count_too() {
        let begin = Instant::now();
        let mut inbox = Inbox::new(begin);
        assert_eq!(count(&mut inbox, begin, 200, LARGEST), 8);
        assert_eq!(count(&mut inbox, begin + Duration::from_secs(2), 200, LARGEST), 2);
    }

    #[test]
    fn a_page_is_told_once_a_second() {
        let begin = Instant::now();
        let mut inbox = Inbox::new(begin);
        assert_eq!(inbox.take(begin, LARGEST + 1), Taken::LeftOut(Some(Excess::Size)));
        assert_eq!(inbox.take(begin, usize::MAX), Taken::LeftOut(None));
        let later = begin + Duration::from_secs(1);
        assert_eq!(inbox.take(later, LARGEST + 1), Taken::LeftOut(Some(Excess::Size)));
    }
}
