//! Makes an even stream of frames out of the packets of a caller: in order, with losses concealed, and with silence
//! where the caller's side sends nothing.

use std::time::Duration;

use tokio::time::Instant;

use crate::voice::{
    codec::{Arrived, Decoder, HEARD_FRAME},
    reorder::{Next, Reorder},
};

/// What one frame lasts.
const STEP: Duration = Duration::from_millis(20);

/// A packet of at most so many bytes says that silence follows (RFC 7587 §3.1.3: DTX).
const DTX: usize = 2;

/// When silence was announced, a missing frame is one.
const ANNOUNCED: Duration = Duration::from_millis(60);

/// When it was not, the network is waited for so long, because a turn must not end for a hiccup of it. After that the
/// microphone is most probably off.
const UNANNOUNCED: Duration = Duration::from_millis(500);

/// One stream of packets on its way to frames.
#[derive(Debug, Default)]
pub struct Hearing {
    reorder: Reorder<Vec<u8>>,
    decoder: Decoder,
    /// Samples that do not fill a frame yet.
    rest: Vec<i16>,
    /// Up to when there are frames.
    until: Option<Instant>,
    pause: Pause,
}

/// What a gap in the stream means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pause {
    /// Nobody knows yet.
    #[default]
    Unannounced,
    /// The caller is silent.
    Announced,
    /// It is being filled with silence.
    Filled,
}

impl Hearing {
    /// Takes in a packet, and gives the frames that are whole now.
    pub fn packet(&mut self, now: Instant, sequence: u16, payload: Vec<u8>) -> Vec<Vec<i16>> {
        self.pause = if payload.len() <= DTX { Pause::Announced } else { Pause::Unannounced };
        self.until = Some(now);
        let ready = self.reorder.push(sequence, payload);
        for (at, next) in ready.iter().enumerate() {
            let arrived = match (next, ready.get(at + 1)) {
                (Next::Packet(packet), _) => Arrived::Packet(packet),
                (Next::Lost, Some(Next::Packet(following))) => Arrived::Before(following),
                (Next::Lost, _) => Arrived::Lost,
            };
            self.rest.extend(self.decoder.decode(arrived));
        }
        let whole = self.rest.len() / HEARD_FRAME * HEARD_FRAME;
        let frames = self.rest.drain(..whole).collect::<Vec<_>>();
        frames.chunks_exact(HEARD_FRAME).map(<[i16]>::to_vec).collect()
    }

    /// When to ask for [`silence`](Self::silence) next. `None` before the first packet.
    pub fn due(&self) -> Option<Instant> {
        let wait = match self.pause {
            Pause::Unannounced => UNANNOUNCED,
            Pause::Announced => ANNOUNCED,
            Pause::Filled => STEP,
        };
        self.until.map(|until| until + wait)
    }

    /// The frames of silence in the place of packets that do not come.
    pub fn silence(&mut self, now: Instant) -> Vec<Vec<i16>> {
        let mut frames = vec![];
        while self.due().is_some_and(|due| due <= now) {
            // What came before the pause is not made good for: nobody listens to it twice as fast.
            self.until = if self.pause == Pause::Filled { self.until.map(|until| until + STEP) } else { Some(now) };
            self.pause = Pause::Filled;
            frames.push(vec![0; HEARD_FRAME]);
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::{codec::Encoder, mouth::FRAME};

    fn packets(count: usize) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::default();
        // A triangle of 127 samples up and down.
        let wave = |n: usize| i16::try_from(n % 254).map_or(0, |at| (at.min(253 - at) - 63) * 120);
        let frames = (0..count).map(|frame| (0..FRAME).map(|n| wave(frame * FRAME + n)).collect::<Vec<_>>());
        frames.map(|frame| encoder.encode(&frame)).collect()
    }

    /// How many frames come out of packets with these numbers.
    fn check(sequences: &[u16], expected: usize) {
        let packets = packets(40);
        let mut hearing = Hearing::default();
        let frames = sequences.iter().map(|&n| hearing.packet(Instant::now(), n, packets[n as usize].clone()).len());
        assert_eq!(frames.sum::<usize>(), expected, "{sequences:?}");
    }

    #[test]
    fn every_packet_is_a_frame_the_lost_ones_too() {
        check(&[0, 1, 2, 3], 4);
        check(&[0, 2, 1, 3], 4);
        check(&[0, 1, 3, 4, 5], 6);
        check(&[0, 3, 4, 5], 6);
        check(&[0, 0, 1], 2);
    }

    #[test]
    fn packets_of_other_lengths_become_frames_of_twenty_milliseconds() {
        let builder = ropus::Encoder::builder(48_000, ropus::Channels::Stereo, ropus::Application::Voip);
        let mut encoder = builder.build().unwrap();
        let mut hearing = Hearing::default();
        let mut total = 0;
        for n in 0..6 {
            let mut packet = vec![0; 1_276];
            let length = encoder.encode(&[0; 2 * 480], &mut packet).unwrap();
            packet.truncate(length);
            total += hearing.packet(Instant::now(), n, packet).iter().map(Vec::len).sum::<usize>();
        }
        assert_eq!(total, 3 * HEARD_FRAME);
    }

    #[test]
    fn a_hiccup_is_waited_for_and_a_pause_is_silence() {
        let begin = Instant::now();
        let at = |millis: u64| begin + Duration::from_millis(millis);
        let mut hearing = Hearing::default();
        assert_eq!(hearing.due(), None);
        hearing.packet(begin, 0, packets(1).remove(0));
        assert_eq!(hearing.silence(at(499)).len(), 0);
        assert_eq!(hearing.silence(at(500)).len(), 1);
        assert_eq!(hearing.silence(at(519)).len(), 0);
        assert_eq!(hearing.silence(at(560)).len(), 3);
        assert_eq!(hearing.silence(at(560)).len(), 0);
    }

    #[test]
    fn an_announced_pause_is_silence_at_once() {
        let begin = Instant::now();
        let mut hearing = Hearing::default();
        hearing.packet(begin, 0, packets(1).remove(0));
        hearing.packet(begin, 1, vec![0xF8]);
        assert_eq!(hearing.silence(begin + Duration::from_millis(100)).len(), 1);
        assert_eq!(hearing.silence(begin + Duration::from_millis(140)).len(), 2);
    }

    #[test]
    fn nonsense_is_borne() {
        let mut hearing = Hearing::default();
        for n in 0..200_u16 {
            hearing.packet(Instant::now(), n.wrapping_mul(7919), vec![n.to_le_bytes()[0]; usize::from(n) % 90]);
        }
    }
}
