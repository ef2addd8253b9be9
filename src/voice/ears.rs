//! Hears whether there is a voice, and remembers what was heard a moment before.
//!
//! `earshot` says it for every 16 ms; it is a small network with its weights inside the program, and known here only.
//! It finds a beginning within about 70 ms, and so the words before it are kept: a recogniser gets them first.

use std::{collections::VecDeque, fmt, time::Duration};

use super::services::HEARD_RATE;

/// What one word of the detector stands for.
pub const STEP: Duration = Duration::from_millis(16);

/// The detector still hears a voice for about so long after its end: 70 to 95 ms with the voices that were tried. Who
/// counts silence takes it off.
pub const TAIL: Duration = Duration::from_millis(80);

/// How much of what was heard is remembered.
pub const BEFORE: Duration = Duration::from_millis(300);

/// The samples of a [`STEP`].
const WINDOW: usize = HEARD_RATE * 16 / 1000;

/// The samples of [`BEFORE`].
const KEPT: usize = HEARD_RATE * 300 / 1000;

/// From here on it is more probably a voice than not.
const VOICE: f32 = 0.5;

/// Hears one caller.
pub struct Ears {
    detector: Box<earshot::Detector>,
    /// Less than a window, until more comes.
    waiting: Vec<i16>,
    heard: VecDeque<i16>,
}

impl Default for Ears {
    fn default() -> Self {
        Ears {
            detector: earshot::Detector::default_boxed(),
            waiting: Vec::with_capacity(WINDOW),
            heard: VecDeque::with_capacity(KEPT),
        }
    }
}

impl Ears {
    /// Hears samples at [`HEARD_RATE`], as many as there are, and tells for every [`STEP`] that is complete now whether
    /// there is a voice. Of 20 ms it makes one step, and every fourth time two.
    pub fn hear(&mut self, samples: &[i16]) -> Vec<bool> {
        self.remember(samples);
        self.waiting.extend(samples);
        let whole = self.waiting.len() / WINDOW * WINDOW;
        let steps = self.waiting[..whole].chunks_exact(WINDOW);
        let voices = steps.map(|step| self.detector.predict_i16(step) > VOICE).collect();
        self.waiting.drain(..whole);
        voices
    }

    /// What was heard last, up to [`BEFORE`] of it, with what [`hear`](Self::hear) was given last at its end. When a
    /// voice has begun, its beginning is in there.
    pub fn before(&self) -> Vec<i16> {
        self.heard.iter().copied().collect()
    }

    fn remember(&mut self, samples: &[i16]) {
        let samples = &samples[samples.len().saturating_sub(KEPT)..];
        let too_many = (self.heard.len() + samples.len()).saturating_sub(KEPT);
        self.heard.drain(..too_many);
        self.heard.extend(samples);
    }
}

impl fmt::Debug for Ears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ears").field("heard", &self.heard.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning and the end of the voice in a clip, in samples: where it is loud.
    fn voice(samples: &[i16]) -> (usize, usize) {
        let is_loud = |sample: &i16| sample.unsigned_abs() > 300;
        (samples.iter().position(is_loud).unwrap(), samples.iter().rposition(is_loud).unwrap())
    }

    fn clip(name: &str) -> Vec<i16> {
        let path = format!("{}/tests/voice/clips/{name}.wav", env!("CARGO_MANIFEST_DIR"));
        hound::WavReader::open(path).unwrap().into_samples().map(Result::unwrap).collect()
    }

    /// Every step's end in samples, with the detector's word on it.
    fn steps(samples: &[i16]) -> Vec<(usize, bool)> {
        let mut ears = Ears::default();
        let voices = samples.chunks(320).flat_map(|frame| ears.hear(frame));
        voices.enumerate().map(|(n, has_voice)| ((n + 1) * WINDOW, has_voice)).collect()
    }

    #[test]
    fn a_voice_is_heard_where_it_is() {
        for name in ["meeting", "frei"] {
            let samples = clip(name);
            let (begin, end) = voice(&samples);
            let steps = steps(&samples);
            let first = steps.iter().find(|(_, has_voice)| *has_voice).unwrap().0;
            let last = steps.iter().rfind(|(_, has_voice)| *has_voice).unwrap().0;
            let millis = |samples: usize| samples * 1000 / HEARD_RATE;
            assert!(first >= begin && millis(first - begin) <= 100, "{name}: {first} for {begin}");
            assert!(last >= end && millis(last - end) <= 120, "{name}: {last} for {end}");
        }
    }

    #[test]
    fn silence_and_faint_noise_are_no_voice() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16 / 400
        };
        let noise = (0..3 * HEARD_RATE).map(|_| noise()).collect::<Vec<_>>();
        for samples in [vec![0; 3 * HEARD_RATE], noise] {
            assert_eq!(steps(&samples).iter().filter(|(_, has_voice)| *has_voice).count(), 0);
        }
    }

    #[test]
    fn steps_do_not_depend_on_how_the_samples_come() {
        let samples = clip("frei");
        let mut ears = Ears::default();
        let voices = samples.chunks(37).flat_map(|some| ears.hear(some)).collect::<Vec<_>>();
        assert_eq!(voices, steps(&samples).into_iter().map(|(_, has_voice)| has_voice).collect::<Vec<_>>());
    }

    #[test]
    fn the_moment_before_is_kept() {
        let mut ears = Ears::default();
        ears.hear(&[1; 100]);
        assert_eq!(ears.before(), [1; 100]);
        ears.hear(&[2; KEPT - 1]);
        assert_eq!(ears.before().len(), KEPT);
        assert_eq!(ears.before()[..2], [1, 2]);
        ears.hear(&vec![3; 2 * KEPT]);
        assert_eq!(ears.before(), [3; KEPT]);
    }
}
