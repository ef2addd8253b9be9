//! What is still to be said, and what has been: a queue of sound with the text it speaks, played frame by frame.
//!
//! The context of a conversation must hold what the caller heard, not what was made. So every piece of sound carries
//! its text, and the samples that went out are counted.

use std::collections::VecDeque;

/// The rate of the sound, in samples a second: what speech comes in, and what the codec takes.
pub const RATE: usize = 24_000;

/// The samples of one frame of 20 ms.
pub const FRAME: usize = RATE / 50;

/// At most so many samples wait: half a minute.
const MOST_WAITING: usize = 30 * RATE;

/// Speaks.
#[derive(Debug, Default)]
pub struct Mouth {
    pieces: VecDeque<Piece>,
    waiting: usize,
    is_hushed: bool,
    /// The pieces of this turn that were begun or finished, oldest first.
    said: Vec<Said>,
    /// What was played since somebody looked, for a recording.
    played: Option<Vec<i16>>,
}

/// A stretch of text with its sound, which may still be growing.
#[derive(Debug)]
struct Piece {
    text: String,
    samples: VecDeque<i16>,
    played: usize,
    is_whole: bool,
}

/// How much of a piece went out.
#[derive(Debug)]
struct Said {
    text: String,
    played: usize,
    /// How long it is in all, once that is known.
    total: Option<usize>,
}

/// One frame on its way out.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// Sound. `begins` says that there was none before it.
    Sound {
        /// Exactly [`FRAME`] samples.
        samples: Vec<i16>,
        /// Whether this is the first after a silence.
        begins: bool,
    },
    /// Nothing is to be heard.
    Silence,
}

impl Mouth {
    /// Begins a piece of text; its sound follows with [`add`](Self::add). What is no part of a turn has an empty text.
    pub fn begin(&mut self, text: impl Into<String>) {
        if let Some(last) = self.pieces.back_mut() {
            last.is_whole = true;
        }
        self.pieces.push_back(Piece { text: text.into(), samples: VecDeque::new(), played: 0, is_whole: false });
    }

    /// Adds sound to the piece that was begun last. Gives back what does not fit: then wait before adding it again.
    pub fn add<'a>(&mut self, samples: &'a [i16]) -> &'a [i16] {
        let Some(piece) = self.pieces.back_mut() else { return &[] };
        let room = MOST_WAITING.saturating_sub(self.waiting).min(samples.len());
        let (taken, left) = samples.split_at(room);
        piece.samples.extend(taken);
        self.waiting += taken.len();
        left
    }

    /// Says that the piece that was begun last is whole.
    pub fn end(&mut self) {
        if let Some(last) = self.pieces.back_mut() {
            last.is_whole = true;
        }
    }

    /// Falls silent and keeps what is to be said.
    pub fn hush(&mut self) {
        self.is_hushed = true;
    }

    /// Speaks on from where it stopped.
    pub fn speak_on(&mut self) {
        self.is_hushed = false;
    }

    /// Whether there is something to be said.
    pub fn has_more(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// The next 20 ms. `was_silent` says what the frame before it was.
    pub fn frame(&mut self, was_silent: bool) -> Frame {
        if self.is_hushed {
            return Frame::Silence;
        }
        let mut samples = Vec::with_capacity(FRAME);
        while samples.len() < FRAME {
            let Some(piece) = self.pieces.front_mut() else { break };
            let count = piece.samples.len().min(FRAME - samples.len());
            samples.extend(piece.samples.drain(..count));
            piece.played += count;
            self.waiting -= count;
            if !piece.samples.is_empty() || !piece.is_whole {
                break;
            }
            self.retire();
        }
        if samples.is_empty() {
            return Frame::Silence;
        }
        samples.resize(FRAME, 0);
        if let Some(played) = &mut self.played {
            played.extend(&samples);
            played.truncate(MOST_WAITING);
        }
        Frame::Sound { samples, begins: was_silent }
    }

    /// Keeps what is played from now on, for [`played`](Self::played), or keeps nothing any more.
    pub fn record(&mut self, is_wanted: bool) {
        self.played = is_wanted.then(Vec::new);
    }

    /// What was played since this was asked last.
    pub fn played(&mut self) -> Vec<i16> {
        self.played.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Writes down the first piece as said.
    fn retire(&mut self) {
        if let Some(piece) = self.pieces.pop_front() {
            self.said.push(Said { text: piece.text, played: piece.played, total: Some(piece.played) });
        }
    }

    /// Forgets what was still to be said and tells what the caller heard of this turn, and what not.
    ///
    /// `under_way` is how much sound had left and was not yet heard: half a round trip and the player's buffer.
    pub fn stop(&mut self, under_way: usize) -> Heard {
        if let Some(piece) = self.pieces.pop_front() {
            let total = piece.is_whole.then(|| piece.played + piece.samples.len());
            self.said.push(Said { text: piece.text, played: piece.played, total });
        }
        let never = self.pieces.drain(..).map(|piece| piece.text).collect::<Vec<_>>();
        self.waiting = 0;
        self.is_hushed = false;
        let mut heard = tell(std::mem::take(&mut self.said), under_way);
        heard.missed.extend(never);
        heard
    }

    /// Tells what the caller heard of a turn that was said to its end.
    pub fn finish(&mut self) -> Heard {
        self.stop(0)
    }
}

/// What a caller heard of a turn.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The text that was heard.
    pub text: String,
    /// The pieces of text that were not, or not to their end.
    pub missed: Vec<String>,
}

/// Takes what was still under way off the end, piece by piece, and cuts the one in which it ends.
fn tell(said: Vec<Said>, mut under_way: usize) -> Heard {
    let mut kept = vec![];
    let mut missed = vec![];
    for piece in said.into_iter().rev() {
        let heard = piece.played.saturating_sub(under_way);
        under_way = under_way.saturating_sub(piece.played);
        match piece.total {
            Some(total) if heard >= total => kept.push(piece.text),
            total => {
                let (begin, rest) = split(&piece.text, heard, total);
                kept.extend(Some(begin).filter(|begin| !begin.is_empty()));
                missed.extend(Some(rest).filter(|rest| !rest.is_empty()));
            }
        }
    }
    // Asides have no text.
    kept.retain(|text| !text.is_empty());
    kept.reverse();
    missed.reverse();
    Heard { text: kept.join(" "), missed }
}

/// The words that were heard, in proportion to the sound, and the others. Where the sound's length is not known yet,
/// it is reckoned from the text: people and machines speak about fifteen characters a second.
fn split(text: &str, heard: usize, total: Option<usize>) -> (String, String) {
    let total = total.unwrap_or_else(|| text.chars().count() * RATE / 15).max(1);
    let words = text.split_whitespace().collect::<Vec<_>>();
    let count = (words.len() * heard / total).min(words.len());
    (words[..count].join(" "), words[count..].join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "one two three four five six seven eight nine ten";

    /// A mouth with a second of sound for ten words.
    fn mouth() -> Mouth {
        let mut mouth = Mouth::default();
        mouth.begin(TEXT);
        assert!(mouth.add(&vec![7; RATE]).is_empty());
        mouth.end();
        mouth
    }

    fn play(mouth: &mut Mouth, frames: usize) -> usize {
        (0..frames).filter(|_| matches!(mouth.frame(false), Frame::Sound { .. })).count()
    }

    #[test]
    fn sound_goes_out_in_frames_and_pads_its_last() {
        let mut mouth = Mouth::default();
        mouth.begin("a");
        mouth.add(&[1; FRAME + 1]);
        mouth.end();
        assert_eq!(mouth.frame(true), Frame::Sound { samples: vec![1; FRAME], begins: true });
        let Frame::Sound { samples, begins } = mouth.frame(false) else { panic!("there is more") };
        assert!(samples.len() == FRAME && samples[..2] == [1, 0] && !begins);
        assert_eq!(mouth.frame(false), Frame::Silence);
        assert_eq!(mouth.finish(), Heard { text: "a".into(), missed: vec![] });
    }

    #[test]
    fn pieces_follow_each_other_without_a_gap() {
        let mut mouth = Mouth::default();
        for (text, value) in [("a", 1), ("b", 2)] {
            mouth.begin(text);
            mouth.add(&vec![value; FRAME / 2]);
        }
        mouth.end();
        let Frame::Sound { samples, .. } = mouth.frame(false) else { panic!("there is sound") };
        assert_eq!((samples[0], samples[FRAME - 1]), (1, 2));
        assert_eq!(mouth.finish().text, "a b");
    }

    #[test]
    fn what_is_hushed_goes_on_where_it_was() {
        let mut mouth = mouth();
        assert_eq!(play(&mut mouth, 10), 10);
        mouth.hush();
        assert_eq!(play(&mut mouth, 100), 0);
        mouth.speak_on();
        assert_eq!(play(&mut mouth, 100), 40);
        assert_eq!(mouth.finish().text, TEXT);
    }

    #[test]
    fn only_what_was_heard_is_told() {
        let mut mouth = mouth();
        mouth.begin("never begun");
        play(&mut mouth, 25);
        let heard = mouth.stop(RATE / 10);
        assert_eq!(heard.text, "one two three four");
        assert_eq!(heard.missed, ["five six seven eight nine ten", "never begun"]);
        assert!(!mouth.has_more());
        assert_eq!(mouth.finish(), Heard::default(), "it is told once");
    }

    #[test]
    fn a_piece_whose_sound_still_comes_is_reckoned() {
        let mut mouth = Mouth::default();
        mouth.begin(TEXT);
        mouth.add(&vec![7; RATE]);
        play(&mut mouth, 50);
        let heard = mouth.stop(0);
        assert_eq!(heard.text, "one two three");
    }

    #[test]
    fn no_more_than_half_a_minute_waits() {
        let mut mouth = mouth();
        let long = vec![0; MOST_WAITING];
        let left = mouth.add(&long).len();
        assert_eq!(left, RATE);
    }
}
