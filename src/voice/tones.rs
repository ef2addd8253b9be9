//! The keys of a telephone as sound (DTMF, ITU-T Q.23): whoever listens at the other end, a person or a machine, hears
//! which were pressed.

use std::f64::consts::TAU;

use super::mouth::RATE;

/// So many keys at most are pressed in one go.
const MOST: usize = 32;

/// Each key sounds for so many samples, and is followed by as many of silence: ITU-T Q.24 asks for 40 ms of both.
const KEY: usize = RATE / 10;

/// How loud each of the two tones of a key is.
const LOUD: f64 = 7_000.0;

/// In each row of the keypad the lower tone, in each column the higher one, in hertz.
const ROWS: [(f64, &str); 4] = [(697.0, "123A"), (770.0, "456B"), (852.0, "789C"), (941.0, "*0#D")];
const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

/// The sound of `keys` at [`RATE`]. Blanks and dashes between them are passed over. `None` when there is none, too many,
/// or one that no telephone has.
pub fn tones(keys: &str) -> Option<Vec<i16>> {
    let keys = keys.chars().filter(|key| !" -".contains(*key)).map(pair).collect::<Option<Vec<_>>>()?;
    let is_fitting = (1..=MOST).contains(&keys.len());
    is_fitting.then(|| keys.into_iter().flat_map(|pair| sound(pair).chain([0; KEY])).collect())
}

/// The two tones of a key.
fn pair(key: char) -> Option<(f64, f64)> {
    ROWS.iter().find_map(|(low, keys)| Some((*low, COLUMNS[keys.find(key.to_ascii_uppercase())?])))
}

#[expect(clippy::cast_possible_truncation, reason = "two tones of this loudness fit")]
#[expect(clippy::cast_precision_loss, reason = "samples of a tenth of a second are counted")]
fn sound((low, high): (f64, f64)) -> impl Iterator<Item = i16> {
    let at = |hertz: f64, sample: usize| (TAU * hertz * sample as f64 / RATE as f64).sin();
    (0..KEY).map(move |sample| (LOUD * (at(low, sample) + at(high, sample))) as i16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::{
        codec::{Arrived, Decoder, Encoder},
        mouth::FRAME,
        services::HEARD_RATE,
    };

    /// How much of a tone there is in samples (Goertzel's algorithm).
    #[expect(clippy::cast_precision_loss, reason = "the rate is a small number")]
    fn strength(samples: &[i16], hertz: f64) -> f64 {
        let turn = 2.0 * (TAU * hertz / HEARD_RATE as f64).cos();
        let (one, two) =
            samples.iter().fold((0.0, 0.0), |(one, two), sample| (f64::from(*sample) + turn * one - two, one));
        one * one + two * two - turn * one * two
    }

    /// The key that is heard in samples at the rate of listeners.
    fn heard(samples: &[i16]) -> char {
        let loudest = |tones: &[f64]| {
            let by_strength =
                |a: &usize, b: &usize| strength(samples, tones[*a]).total_cmp(&strength(samples, tones[*b]));
            (0..tones.len()).max_by(by_strength).unwrap()
        };
        let row = loudest(&ROWS.map(|(low, _)| low));
        ROWS[row].1.chars().nth(loudest(&COLUMNS)).unwrap()
    }

    #[test]
    fn a_listener_behind_the_codec_hears_every_key() {
        let keys = "1234567890*#ABCD";
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        let sound = tones(keys).unwrap();
        let packets = sound.chunks(FRAME).map(|frame| encoder.encode(frame));
        let played = packets.flat_map(|packet| decoder.decode(Arrived::Packet(&packet))).collect::<Vec<_>>();
        let key = KEY * HEARD_RATE / RATE;
        let middles = played.chunks(2 * key).map(|samples| &samples[key / 4..key * 3 / 4]);
        assert_eq!(middles.map(heard).collect::<String>(), keys);
    }

    #[test]
    fn only_keys_are_pressed() {
        assert_eq!(tones("12-3 4").map(|sound| sound.len()), Some(4 * 2 * KEY));
        for wrong in ["", " ", "12x", "+49", &"1".repeat(MOST + 1)] {
            assert_eq!(tones(wrong), None, "{wrong}");
        }
    }
}
