//! Sound at another rate, as it comes: `rubato` does it, frame by frame.

use rubato::{Fft, FixedSync, Resampler, audioadapter_buffers::direct::SequentialSlice};

/// How many samples are taken at a time; some ten milliseconds.
const CHUNK: usize = 256;

/// Brings samples to another rate.
pub(super) struct Resampled {
    resampler: Fft<f32>,
    waiting: Vec<f32>,
    /// The resampler's own delay, which is still to be left out.
    late: usize,
    taken: usize,
    given: usize,
    rates: (usize, usize),
}

impl Resampled {
    /// From one rate to another; `None` when there is no such way.
    pub fn new(from: usize, to: usize) -> Option<Self> {
        let resampler = Fft::new(from, to, CHUNK, 1, FixedSync::Input).ok()?;
        let late = resampler.output_delay();
        Some(Resampled { resampler, waiting: vec![], late, taken: 0, given: 0, rates: (from, to) })
    }

    /// What has become of the samples so far.
    pub fn take(&mut self, samples: &[i16]) -> Vec<i16> {
        self.taken += samples.len();
        self.waiting.extend(samples.iter().map(|sample| f32::from(*sample) / 32_768.0));
        self.process()
    }

    /// What is left at the end.
    pub fn finish(&mut self) -> Vec<i16> {
        let all = (self.taken * self.rates.1).div_ceil(self.rates.0);
        let mut rest = Vec::new();
        while self.given < all {
            self.waiting.resize(self.waiting.len().max(self.resampler.input_frames_next()), 0.0);
            let more = self.process();
            if more.is_empty() && self.late == 0 {
                break;
            }
            rest.extend(more);
        }
        rest.truncate(rest.len().saturating_sub(self.given.saturating_sub(all)));
        rest
    }

    fn process(&mut self) -> Vec<i16> {
        let mut made = Vec::new();
        loop {
            let needed = self.resampler.input_frames_next();
            if self.waiting.len() < needed {
                break;
            }
            let chunk = self.waiting.drain(..needed).collect::<Vec<_>>();
            let Ok(input) = SequentialSlice::new(&chunk, 1, needed) else { break };
            let Ok(output) = self.resampler.process(&input, None) else { break };
            made.extend(output.take_data());
        }
        let left_out = self.late.min(made.len());
        self.late -= left_out;
        self.given += made.len() - left_out;
        made[left_out..].iter().map(|sample| whole(*sample)).collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the value is brought into range before")]
fn whole(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of a tone at a rate.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
    fn tone(rate: usize) -> Vec<i16> {
        (0..rate)
            .map(|at| ((at as f32 / rate as f32 * 440.0 * std::f32::consts::TAU).sin() * 10_000.0) as i16)
            .collect()
    }

    #[test]
    fn a_tone_stays_the_same_tone() {
        let mut resampled = Resampled::new(22_050, 24_000).unwrap();
        let mut made = tone(22_050).chunks(1_000).flat_map(|piece| resampled.take(piece)).collect::<Vec<_>>();
        made.extend(resampled.finish());
        let expected = tone(24_000);
        assert_eq!(made.len(), expected.len());
        // Away from its ends, where the filter meets silence.
        let worst = (1_000..23_000).map(|at| (i32::from(made[at]) - i32::from(expected[at])).abs()).max().unwrap();
        assert!(worst < 200, "off by {worst}");
    }

    #[test]
    fn a_short_sound_keeps_its_length() {
        let mut resampled = Resampled::new(22_050, 24_000).unwrap();
        let mut made = resampled.take(&[1_000; 147]);
        made.extend(resampled.finish());
        assert_eq!(made.len(), 160);
        let mut empty = Resampled::new(22_050, 24_000).unwrap();
        assert!(empty.take(&[]).is_empty() && empty.finish().is_empty());
    }
}
