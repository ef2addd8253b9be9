//! Plays what the agent says: frame after frame on a clock of its own, whenever the sound came.
//!
//! The schedule is absolute, so that a late timer does not make the next one late. In silence nothing is sent; the
//! clock of the packets goes on, and the first frame after it goes out at once.

use std::time::Duration;

use tokio::time::Instant;

use crate::voice::{
    codec::{CLOCK_RATE, Encoder},
    line::Event,
    mouth::{FRAME, Frame, Mouth},
};

/// What one frame lasts.
pub const STEP: Duration = Duration::from_millis(20);

/// The ticks of [`CLOCK_RATE`] in a frame.
const TICKS: u32 = CLOCK_RATE / 50;

/// So many frames of silence follow speech, before nothing is sent: the copy of the last frame travels in the first of
/// them, and the player's concealment comes to rest.
const AFTER: u32 = 5;

/// A clock that is late by more than this begins anew; what is less is caught up with.
const LATE: Duration = Duration::from_millis(60);

/// A packet on its way out, without what only the connection knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number (RFC 3550 §5.1).
    pub sequence: u16,
    /// Its time, at [`CLOCK_RATE`].
    pub timestamp: u32,
    /// Whether it is the first after a pause.
    pub marker: bool,
    /// The sound.
    pub payload: Vec<u8>,
}

/// The clock.
#[derive(Debug)]
pub struct Playout {
    encoder: Encoder,
    sequence: u16,
    /// When the last frame was due, and its time.
    last: Option<(Instant, u32)>,
    first_timestamp: u32,
    /// Frames since the last sound.
    silent: u32,
    /// Whether the last frame was sent.
    has_sent: bool,
    /// Whether the agent's turn to be heard was told.
    speaks: bool,
    has_more: bool,
}

impl Playout {
    /// A clock at rest. Both numbers are to be random (RFC 3550 §5.1).
    pub fn new(sequence: u16, timestamp: u32) -> Self {
        Playout {
            encoder: Encoder::default(),
            sequence,
            last: None,
            first_timestamp: timestamp,
            silent: AFTER,
            has_sent: false,
            speaks: false,
            has_more: false,
        }
    }

    /// When the next frame is due. `None` while there is nothing to say: then at the moment when there is.
    pub fn due(&self) -> Option<Instant> {
        let (last, _) = self.last?;
        (self.has_sent || self.has_more || self.speaks).then_some(last + STEP)
    }

    /// Whether a frame may go out before it is due: no packet stands in the way.
    pub fn may_hurry(&self) -> bool {
        !self.has_sent
    }

    /// Takes the next frame, at `now` or when it was due.
    pub fn frame(&mut self, now: Instant, mouth: &mut Mouth) -> (Option<Outgoing>, Option<Event>) {
        let timestamp = self.advance(now);
        let frame = mouth.frame(self.silent > 0);
        self.has_more = mouth.has_more();
        let (packet, event) = self.turn(frame, timestamp);
        self.has_sent = packet.is_some();
        (packet, event)
    }

    fn turn(&mut self, frame: Frame, timestamp: u32) -> (Option<Outgoing>, Option<Event>) {
        match frame {
            Frame::Sound { samples, .. } => {
                let marker = self.silent >= AFTER;
                self.silent = 0;
                let began = (!std::mem::replace(&mut self.speaks, true)).then_some(Event::AgentBegan);
                (Some(self.packet(&samples, timestamp, marker)), began)
            }
            Frame::Silence => {
                let packet = (self.silent < AFTER).then(|| self.packet(&[0; FRAME], timestamp, false));
                self.silent = (self.silent + 1).min(AFTER);
                let has_ended = self.speaks && !self.has_more;
                self.speaks &= !has_ended;
                (packet, has_ended.then_some(Event::AgentEnded))
            }
        }
    }

    /// Moves to the frame that is due at `now`, and gives its time.
    fn advance(&mut self, now: Instant) -> u32 {
        let Some((last, timestamp)) = self.last else {
            self.last = Some((now, self.first_timestamp));
            return self.first_timestamp;
        };
        let due = last + STEP;
        let is_on_time = now >= due && now - due <= LATE && self.due().is_some();
        let (at, ticks) = if is_on_time { (due, TICKS) } else { (now, ticks(now.saturating_duration_since(last))) };
        let timestamp = timestamp.wrapping_add(ticks);
        self.last = Some((at, timestamp));
        timestamp
    }

    fn packet(&mut self, samples: &[i16], timestamp: u32, marker: bool) -> Outgoing {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Outgoing { sequence, timestamp, marker, payload: self.encoder.encode(samples) }
    }
}

/// The clock wraps around, as it does in the packets.
fn ticks(time: Duration) -> u32 {
    let ticks = time.as_micros() * u128::from(CLOCK_RATE) / 1_000_000;
    u32::try_from(ticks % (1 << 32)).expect("the remainder fits")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock with a mouth, played along a time that only tests move.
    struct Play {
        playout: Playout,
        mouth: Mouth,
        now: Instant,
        sent: Vec<Outgoing>,
        events: Vec<Event>,
    }

    impl Play {
        fn new() -> Self {
            let playout = Playout::new(65_530, u32::MAX - 500);
            Play { playout, mouth: Mouth::default(), now: Instant::now(), sent: vec![], events: vec![] }
        }

        fn say(&mut self, frames: usize) {
            self.mouth.begin("words");
            self.mouth.add(&vec![4_000; frames * FRAME]);
            self.mouth.end();
        }

        fn frame(&mut self) {
            let (packet, event) = self.playout.frame(self.now, &mut self.mouth);
            self.sent.extend(packet);
            self.events.extend(event);
        }

        /// Plays until nothing is due.
        fn run(&mut self) {
            self.frame();
            while let Some(due) = self.playout.due() {
                self.now = due;
                self.frame();
            }
        }
    }

    #[test]
    fn speech_goes_out_with_a_little_silence_after_it() {
        let mut play = Play::new();
        play.say(10);
        play.run();
        assert_eq!(play.sent.len(), 10 + AFTER as usize);
        assert!(play.sent[0].marker && play.sent[1..].iter().all(|packet| !packet.marker));
        for pair in play.sent.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
            assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(TICKS));
        }
        assert_eq!(play.events, [Event::AgentBegan, Event::AgentEnded]);
    }

    #[test]
    fn the_clock_goes_on_in_silence() {
        let mut play = Play::new();
        play.say(1);
        play.run();
        assert!(play.playout.may_hurry(), "who has nothing to say can begin at any moment");
        let (at, last) = (play.playout.last.unwrap().0, play.sent.len() - 1);
        play.now = at + Duration::from_millis(1_007);
        play.say(1);
        play.frame();
        let (before, after) = (&play.sent[last], &play.sent[last + 1]);
        assert!(after.marker);
        // The pause began with a frame in which nothing was sent.
        assert_eq!(after.timestamp.wrapping_sub(before.timestamp), TICKS + 1_007 * 48);
        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
    }

    #[test]
    fn a_late_timer_does_not_make_the_next_one_late() {
        let mut play = Play::new();
        play.say(50);
        play.frame();
        let begin = play.now;
        play.now = begin + Duration::from_millis(47);
        play.frame();
        assert_eq!(play.playout.due(), Some(begin + 2 * STEP), "it catches up");
        play.frame();
        assert_eq!(play.sent[2].timestamp.wrapping_sub(play.sent[0].timestamp), 2 * TICKS);
    }

    #[test]
    fn a_clock_that_stood_still_begins_anew() {
        let mut play = Play::new();
        play.say(50);
        play.frame();
        play.now += Duration::from_millis(500);
        play.frame();
        assert_eq!(play.playout.due(), Some(play.now + STEP));
        assert_eq!(play.sent[1].timestamp.wrapping_sub(play.sent[0].timestamp), 500 * 48);
    }

    #[test]
    fn who_is_hushed_is_still_speaking() {
        let mut play = Play::new();
        play.say(10);
        play.frame();
        play.mouth.hush();
        for _ in 0..20 {
            play.now = play.playout.due().unwrap();
            play.frame();
        }
        assert_eq!(play.sent.len(), 1 + AFTER as usize, "and nothing is sent");
        assert!(play.playout.may_hurry());
        play.mouth.speak_on();
        play.now += Duration::from_millis(5);
        play.run();
        assert_eq!(play.events, [Event::AgentBegan, Event::AgentEnded]);
        assert!(play.sent[1 + AFTER as usize].marker);
    }

    #[test]
    fn who_is_stopped_has_ended() {
        let mut play = Play::new();
        play.say(10);
        play.frame();
        play.mouth.stop(0);
        play.now = play.playout.due().unwrap();
        play.frame();
        assert_eq!(play.events, [Event::AgentBegan, Event::AgentEnded]);
    }

    #[test]
    fn sound_that_comes_slowly_is_no_end() {
        let mut play = Play::new();
        play.mouth.begin("words");
        play.mouth.add(&[1; FRAME]);
        play.frame();
        for _ in 0..3 {
            play.now = play.playout.due().unwrap();
            play.frame();
        }
        play.mouth.add(&[1; FRAME]);
        play.mouth.end();
        play.now = play.playout.due().unwrap();
        play.run();
        assert_eq!(play.events, [Event::AgentBegan, Event::AgentEnded]);
    }
}
