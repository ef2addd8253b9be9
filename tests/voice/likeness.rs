//! How like two recordings of speech are: the correlation of their log-mel spectra, as recognisers see sound.

use std::f64::consts::PI;

use switchboard::voice::line::Event;

use crate::{caller::Caller, exchange::Conversation};

/// How well a conversation hears its caller: the best of three times at most, because a machine that is busy with other
/// tests stands still now and then, and the network seems to. Gives all else that happened, too.
pub async fn hears(conversation: &mut Conversation, caller: &Caller, said: &[i16]) -> (f64, Vec<Event>) {
    let (mut best, mut events) = (0.0, vec![]);
    for _ in 0..3 {
        let (heard, happened) = conversation.hear_out(caller.say(said)).await;
        best = likeness(&heard, said).max(best);
        events.extend(happened);
        if best > 0.95 {
            break;
        }
    }
    (best, events)
}

const RATE: f64 = 16_000.0;
const WINDOW: usize = 400;
const HOP: usize = 160;
const SIZE: usize = 512;
const BANDS: usize = 40;

/// The likeness of what was heard to what was said, at 16 kHz, wherever in it the speech begins: 1 is the same.
pub fn likeness(heard: &[i16], said: &[i16]) -> f64 {
    let (heard, said) = (spectra(heard), spectra(said));
    let offsets = 0..=heard.len().saturating_sub(said.len() / 2);
    offsets.map(|offset| correlation(&heard[offset..], &said)).fold(0.0, f64::max)
}

/// The correlation of all bands at all times at which something is said; what is missing at the end was not heard.
fn correlation(heard: &[Vec<f64>], said: &[Vec<f64>]) -> f64 {
    let silence = vec![FLOOR.ln(); BANDS];
    let loud = said.iter().map(|frame| frame.iter().sum::<f64>()).fold(f64::MIN, f64::max);
    let is_speech = |frame: &[f64]| frame.iter().sum::<f64>() > loud - 6.0 * BANDS as f64;
    let pairs = said.iter().enumerate().filter(|(_, frame)| is_speech(frame));
    let pairs = pairs.flat_map(|(n, frame)| frame.iter().zip(heard.get(n).unwrap_or(&silence)));
    let pairs = pairs.map(|(x, y)| (*x, *y)).collect::<Vec<_>>();
    let count = pairs.len() as f64;
    let (mx, my) = pairs.iter().fold((0.0, 0.0), |(mx, my), (x, y)| (mx + x / count, my + y / count));
    let (xy, xx, yy) = pairs.iter().fold((0.0, 0.0, 0.0), |(xy, xx, yy), (x, y)| {
        (xy + (x - mx) * (y - my), xx + (x - mx).powi(2), yy + (y - my).powi(2))
    });
    xy / (xx * yy).sqrt().max(1e-9)
}

/// What is fainter than this counts as silence.
const FLOOR: f64 = 1e4;

fn spectra(samples: &[i16]) -> Vec<Vec<f64>> {
    let filters = filters();
    let frame = |window: &[i16]| {
        let power = power(window);
        let band = |filter: &Vec<(usize, f64)>| filter.iter().map(|(bin, weight)| power[*bin] * weight).sum::<f64>();
        filters.iter().map(|filter| (band(filter) + FLOOR).ln()).collect()
    };
    samples.windows(WINDOW).step_by(HOP).map(frame).collect()
}

/// Triangles that are evenly spaced as the ear hears it.
fn filters() -> Vec<Vec<(usize, f64)>> {
    let mel = |hertz: f64| 2_595.0 * (1.0 + hertz / 700.0).log10();
    let edge = |n: usize| n as f64 * mel(7_600.0) / (BANDS + 1) as f64;
    let weight = |band: usize, bin: usize| {
        let at = mel(bin as f64 * RATE / SIZE as f64);
        let (low, middle, high) = (edge(band), edge(band + 1), edge(band + 2));
        ((at - low) / (middle - low)).min((high - at) / (high - middle)).max(0.0)
    };
    let filter = |band| (0..SIZE / 2).map(|bin| (bin, weight(band, bin))).filter(|(_, weight)| *weight > 0.0).collect();
    (0..BANDS).map(filter).collect()
}

fn power(window: &[i16]) -> Vec<f64> {
    let hann = |n: usize| 0.5 - 0.5 * (2.0 * PI * n as f64 / WINDOW as f64).cos();
    let mut wave = window.iter().enumerate().map(|(n, x)| (f64::from(*x) * hann(n), 0.0)).collect::<Vec<_>>();
    wave.resize(SIZE, (0.0, 0.0));
    fourier(&wave).into_iter().take(SIZE / 2).map(|(re, im)| re * re + im * im).collect()
}

fn fourier(wave: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if wave.len() == 1 {
        return wave.to_vec();
    }
    let half = |first: usize| fourier(&wave.iter().copied().skip(first).step_by(2).collect::<Vec<_>>());
    let (even, odd) = (half(0), half(1));
    let turned = odd.iter().enumerate().map(|(n, (re, im))| {
        let (sin, cos) = (-2.0 * PI * n as f64 / wave.len() as f64).sin_cos();
        (re * cos - im * sin, re * sin + im * cos)
    });
    let turned = turned.collect::<Vec<_>>();
    let add = even.iter().zip(&turned).map(|(e, t)| (e.0 + t.0, e.1 + t.1));
    let subtract = even.iter().zip(&turned).map(|(e, t)| (e.0 - t.0, e.1 - t.1));
    add.chain(subtract).collect()
}

#[test]
fn the_same_is_like_and_another_is_not() {
    let (meeting, frei) = (crate::caller::clip("meeting"), crate::caller::clip("frei"));
    let late = [vec![0; 5_000], meeting.clone()].concat();
    assert!(likeness(&late, &meeting) > 0.95);
    assert!(likeness(&frei, &meeting) < 0.8, "{}", likeness(&frei, &meeting));
    let broken = meeting.chunks(320).enumerate();
    let broken = broken.flat_map(|(n, frame)| if n % 5 == 0 { vec![0; frame.len()] } else { frame.to_vec() });
    let broken = likeness(&broken.collect::<Vec<_>>(), &meeting);
    assert!(broken < 0.9, "one frame in five missing: {broken}");
}
