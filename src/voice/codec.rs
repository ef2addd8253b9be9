//! Opus, for both directions of a call: 24 kHz out, because that is what speech comes in, and 16 kHz in, because that
//! is what is recognised. The codec resamples by itself, so nothing else has to.
//!
//! `ropus` does the work: it needs no C compiler, conceals losses, and recovers a lost packet from the copy that the
//! next one carries (in-band FEC, RFC 6716 §2.1.7). It is known in this file only.

use std::fmt;

use ropus::{Application, Bitrate, Channels, DecodeMode, InbandFec, Signal};

use super::{
    mouth::{FRAME, RATE},
    services::HEARD_RATE,
};

/// The samples of 20 ms as they are heard.
pub const HEARD_FRAME: usize = HEARD_RATE / 50;

/// The rate of the clock in RTP headers, whatever the sound's own rate is (RFC 7587 §4.1).
pub const CLOCK_RATE: u32 = 48_000;

/// Bits a second: clear speech, with room for the copies.
const BITS: u32 = 32_000;

/// Half of what the codec can do; more is not heard in speech and costs twice as much.
const COMPLEXITY: u8 = 5;

/// The losses that are reckoned with, in percent. It is what makes the encoder add copies at all.
const LOSSES: u8 = 10;

/// The longest packet is 120 ms (RFC 6716 §2.1.4).
const LONGEST: usize = HEARD_RATE * 120 / 1000;

/// More than any packet of one frame has (RFC 6716 §3.4).
const MOST_BYTES: usize = 1276;

/// A rate as the codec takes it.
fn hertz(rate: usize) -> u32 {
    u32::try_from(rate).expect("rates of sound fit")
}

/// Packs what the agent says.
pub struct Encoder(ropus::Encoder);

impl Default for Encoder {
    fn default() -> Self {
        let encoder = ropus::Encoder::builder(hertz(RATE), Channels::Mono, Application::Voip)
            .bitrate(Bitrate::Bits(BITS))
            .complexity(COMPLEXITY)
            .signal(Signal::Voice)
            .inband_fec(InbandFec::Enabled)
            .packet_loss_perc(LOSSES)
            .build();
        Encoder(encoder.expect("the settings are in Opus's bounds"))
    }
}

impl Encoder {
    /// Packs one frame: [`FRAME`] samples at [`RATE`]. A shorter one is filled with silence, a longer one cut.
    #[expect(clippy::missing_panics_doc, reason = "the frame and the buffer have sizes that the codec takes")]
    pub fn encode(&mut self, frame: &[i16]) -> Vec<u8> {
        let mut samples = [0; FRAME];
        let count = frame.len().min(FRAME);
        samples[..count].copy_from_slice(&frame[..count]);
        let mut packet = vec![0; MOST_BYTES];
        let length = self.0.encode(&samples, &mut packet).expect("the frame is 20 ms and the buffer large enough");
        packet.truncate(length);
        packet
    }
}

/// What the network did with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived<'a> {
    /// It is here.
    Packet(&'a [u8]),
    /// It is lost, and so is the one after it.
    Lost,
    /// It is lost; the one after it is here, and may carry a copy of it.
    Before(&'a [u8]),
}

/// Unpacks what the caller says.
pub struct Decoder {
    opus: ropus::Decoder,
    /// The samples of the last packet; a lost one probably had as many.
    usual: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        let opus = ropus::Decoder::new(hertz(HEARD_RATE), Channels::Mono);
        Decoder { opus: opus.expect("Opus decodes to 16 kHz"), usual: HEARD_FRAME }
    }
}

impl Decoder {
    /// Unpacks to samples at [`HEARD_RATE`]: as many as the packet has, 20 ms as a rule. What is lost is recovered, or
    /// concealed; what is no Opus counts as lost.
    pub fn decode(&mut self, arrived: Arrived<'_>) -> Vec<i16> {
        match arrived {
            // Nothing in it: a packet that only fills the line.
            Arrived::Packet([]) => vec![],
            Arrived::Packet(packet) => match self.run(packet, LONGEST, DecodeMode::Normal) {
                Some(samples) => {
                    self.usual = samples.len();
                    samples
                }
                None => self.conceal(),
            },
            Arrived::Lost | Arrived::Before([]) => self.conceal(),
            Arrived::Before(next) => self.run(next, self.usual, DecodeMode::Fec).unwrap_or_else(|| vec![0; self.usual]),
        }
    }

    /// Goes on as the sound was, ever more quietly.
    fn conceal(&mut self) -> Vec<i16> {
        self.run(&[], self.usual, DecodeMode::Normal).unwrap_or_else(|| vec![0; self.usual])
    }

    fn run(&mut self, packet: &[u8], most: usize, mode: DecodeMode) -> Option<Vec<i16>> {
        let mut samples = vec![0; most];
        let count = self.opus.decode(packet, &mut samples, mode).ok().filter(|count| *count > 0)?;
        samples.truncate(count);
        Some(samples)
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("usual", &self.usual).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the sound is made of small numbers")]
mod tests {
    use super::*;

    /// A vowel of a deep voice, rising: harmonics of 120 to 180 Hz.
    fn voice(frames: usize) -> Vec<Vec<i16>> {
        let mut phase = 0.0;
        let mut sample = |n: usize| {
            let pitch = 120.0 + 60.0 * n as f64 / (frames * FRAME) as f64;
            phase += std::f64::consts::TAU * pitch / RATE as f64;
            let harmonics = (1..12).map(|k| (phase * f64::from(k)).sin() / f64::from(k));
            (harmonics.sum::<f64>() * 6_000.0) as i16
        };
        (0..frames).map(|frame| (0..FRAME).map(|n| sample(frame * FRAME + n)).collect()).collect()
    }

    /// The energy of what differs, in decibels below the sound itself.
    fn likeness(decoded: &[i16], expected: &[i16]) -> f64 {
        let energy = |samples: &mut dyn Iterator<Item = f64>| samples.map(|x| x * x).sum::<f64>().max(1.0);
        let sound = energy(&mut expected.iter().map(|&x| f64::from(x)));
        let error = energy(&mut decoded.iter().zip(expected).map(|(&a, &b)| f64::from(a) - f64::from(b)));
        10.0 * (sound / error).log10()
    }

    fn packets() -> Vec<Vec<u8>> {
        let mut encoder = Encoder::default();
        voice(30).iter().map(|frame| encoder.encode(frame)).collect()
    }

    #[test]
    fn twenty_milliseconds_stay_twenty_milliseconds() {
        let packets = packets();
        let mut decoder = Decoder::default();
        let samples = packets.iter().flat_map(|packet| decoder.decode(Arrived::Packet(packet))).collect::<Vec<_>>();
        assert_eq!(samples.len(), 30 * HEARD_FRAME);
        assert!(samples[10 * HEARD_FRAME..].iter().any(|&x| x > 3_000), "it can be heard");
        let bits = packets.iter().map(Vec::len).sum::<usize>() * 8 * 50 / 30;
        assert!((16_000..48_000).contains(&bits), "{bits} bits a second");
    }

    #[test]
    fn a_lost_packet_comes_back_from_the_next_one() {
        let packets = packets();
        let play = |lost: Option<Arrived<'_>>| {
            let mut decoder = Decoder::default();
            let arrived =
                |(n, packet)| if n == 20 { lost.unwrap_or(Arrived::Packet(packet)) } else { Arrived::Packet(packet) };
            let arrived = packets.iter().map(Vec::as_slice).enumerate().map(arrived);
            arrived.map(|one| decoder.decode(one)).collect::<Vec<_>>()
        };
        let whole = play(None);
        let recovered = likeness(&play(Some(Arrived::Before(&packets[21])))[20], &whole[20]);
        let concealed = likeness(&play(Some(Arrived::Lost))[20], &whole[20]);
        assert!(recovered > 6.0 && recovered > concealed, "recovered {recovered} dB, concealed {concealed} dB");
    }

    #[test]
    fn what_is_no_opus_is_concealed() {
        let mut decoder = Decoder::default();
        for packet in packets() {
            decoder.decode(Arrived::Packet(&packet));
        }
        for rubbish in [&[0xFF; 3][..], &[0x03], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]] {
            assert_eq!(decoder.decode(Arrived::Packet(rubbish)).len(), HEARD_FRAME, "{rubbish:?}");
            assert_eq!(decoder.decode(Arrived::Before(rubbish)).len(), HEARD_FRAME, "{rubbish:?}");
        }
        assert_eq!(decoder.decode(Arrived::Packet(&[])), Vec::<i16>::new());
        assert_eq!(decoder.decode(Arrived::Before(&[])).len(), HEARD_FRAME);
    }

    #[test]
    fn a_long_silence_fades_away() {
        let mut decoder = Decoder::default();
        for packet in packets() {
            decoder.decode(Arrived::Packet(&packet));
        }
        let last = (0..50).map(|_| decoder.decode(Arrived::Lost)).last().unwrap();
        assert!(last.iter().all(|x| x.abs() < 100), "{last:?}");
    }
}
