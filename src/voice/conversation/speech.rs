//! One answer on its way from text to sound: pieces in order, at most two of them being made at once.

use std::{collections::VecDeque, time::Duration};

use crate::voice::{
    mouth::{Mouth, RATE},
    services::{Spoken, Trouble},
    turn::At,
};

/// So many pieces are being made at most, or wait for their turn with their sound made.
const AHEAD: usize = 2;

/// A voice that has not made a sound for so long does not come any more.
const PATIENCE: Duration = Duration::from_secs(12);

/// More sound for one piece is none of ours: two minutes.
const LONGEST: usize = 120 * RATE;

/// The pieces of one answer that are not in the mouth yet.
#[derive(Debug, Default)]
pub(super) struct Speech {
    pieces: VecDeque<Piece>,
}

/// A piece of text that is to be heard.
#[derive(Debug)]
struct Piece {
    id: u64,
    text: String,
    kind: Kind,
    state: State,
    samples: Vec<i16>,
    has_sounded: bool,
    is_in_mouth: bool,
    was_tried: bool,
}

/// What a piece is to the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part of the answer.
    Answer,
    /// A usual sentence that stands in the context like an answer.
    Usual,
    /// A usual word meanwhile, which is no part of the answer.
    Aside,
    /// A question for a person's yes; the context has it with the call.
    Question,
}

impl Kind {
    /// Whether the sound is worth keeping.
    pub(super) fn is_usual(self) -> bool {
        matches!(self, Kind::Usual | Kind::Aside)
    }

    /// Whether the context has it as the agent's words.
    fn is_told(self) -> bool {
        matches!(self, Kind::Answer | Kind::Usual)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Made { since: At },
    Whole,
}

/// A piece that is to be made now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) id: u64,
    pub(super) text: String,
    pub(super) is_usual: bool,
}

/// What became of a piece of sound.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It was not wanted any more.
    Late,
    /// It was taken.
    Taken,
    /// It was the first of its piece, and was waited for so long.
    First(Duration),
    /// There will be no sound for this text, or no more of it.
    Failed(Unspoken, Trouble),
}

/// A text that cannot be heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unspoken {
    /// The text, where none of it was heard and the context wants it.
    pub(super) text: Option<String>,
    /// Whether it is a question that was not heard to its end.
    pub(super) is_question: bool,
}

/// What is left of an answer that was given up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// The pieces that were being made.
    pub(super) made: Vec<u64>,
    /// The texts of which nothing had reached the mouth.
    pub(super) texts: Vec<String>,
}

impl Speech {
    /// Takes a further piece.
    pub(super) fn say(&mut self, id: u64, text: String, kind: Kind) {
        self.pieces.push_back(Piece {
            id,
            text,
            kind,
            state: State::Waiting,
            samples: vec![],
            has_sounded: false,
            is_in_mouth: false,
            was_tried: false,
        });
    }

    /// Takes a sound that has no words.
    pub(super) fn play(&mut self, id: u64, samples: Vec<i16>) {
        self.pieces.push_back(Piece {
            id,
            text: String::new(),
            kind: Kind::Aside,
            state: State::Whole,
            samples,
            has_sounded: true,
            is_in_mouth: false,
            was_tried: true,
        });
    }

    /// The piece to make next, when there is one and its time has come.
    pub(super) fn start(&mut self, now: At, most: usize) -> Option<Start> {
        let ahead = self.pieces.iter().filter(|piece| piece.state != State::Waiting).count();
        if ahead >= most.min(AHEAD) {
            return None;
        }
        let piece = self.pieces.iter_mut().find(|piece| piece.state == State::Waiting)?;
        piece.state = State::Made { since: now };
        Some(Start { id: piece.id, text: piece.text.clone(), is_usual: piece.kind.is_usual() })
    }

    /// Whether it has this piece.
    pub(super) fn has(&self, id: u64) -> bool {
        self.pieces.iter().any(|piece| piece.id == id)
    }

    /// Takes sound.
    pub(super) fn spoken(&mut self, now: At, id: u64, what: Spoken) -> Came {
        let Some(piece) = self.pieces.iter_mut().find(|piece| piece.id == id) else { return Came::Late };
        let State::Made { since } = piece.state else { return Came::Late };
        match what {
            Spoken::Samples(samples) if piece.samples.len() + samples.len() > LONGEST => {
                self.fail(id, Trouble::Rubbish("voice"))
            }
            Spoken::Samples(samples) => {
                piece.samples.extend(samples);
                let is_first = !std::mem::replace(&mut piece.has_sounded, true);
                piece.state = State::Made { since: if is_first { since } else { now } };
                if is_first { Came::First(now.saturating_sub(since)) } else { Came::Taken }
            }
            Spoken::Done if !piece.has_sounded => self.fail(id, Trouble::Rubbish("voice")),
            Spoken::Done => {
                piece.state = State::Whole;
                Came::Taken
            }
            Spoken::Failed(trouble) => self.fail(id, trouble),
        }
    }

    /// The piece whose sound has been waited for too long.
    pub(super) fn overdue(&self, now: At) -> Option<u64> {
        let is_late = |since: At| now.saturating_sub(since) >= PATIENCE;
        let late = |piece: &&Piece| matches!(piece.state, State::Made { since } if is_late(since));
        self.pieces.iter().find(late).map(|piece| piece.id)
    }

    /// A piece fails: what was heard of it stays, and it is whole as it is. A voice that was only out of reach is tried
    /// once more.
    fn fail(&mut self, id: u64, trouble: Trouble) -> Came {
        let Some(at) = self.pieces.iter().position(|piece| piece.id == id) else { return Came::Late };
        let piece = &mut self.pieces[at];
        let is_question = piece.kind == Kind::Question;
        if piece.has_sounded {
            piece.state = State::Whole;
            return Came::Failed(Unspoken { text: None, is_question }, trouble);
        }
        if matches!(trouble, Trouble::Away(_)) && !std::mem::replace(&mut piece.was_tried, true) {
            piece.state = State::Waiting;
            return Came::Taken;
        }
        let text = self.pieces.remove(at).filter(|piece| piece.kind.is_told()).map(|piece| piece.text);
        Came::Failed(Unspoken { text, is_question }, trouble)
    }

    /// Moves what is ready into the mouth. Gives the pieces that it begins to speak.
    pub(super) fn pour(&mut self, mouth: &mut Mouth) -> Vec<(u64, String)> {
        let mut begun = vec![];
        while let Some(piece) = self.pieces.front_mut().filter(|piece| piece.has_sounded) {
            if !std::mem::replace(&mut piece.is_in_mouth, true) {
                mouth.begin(if piece.kind.is_told() { piece.text.as_str() } else { "" });
                begun.extend((!piece.text.is_empty()).then(|| (piece.id, piece.text.clone())));
            }
            let left = mouth.add(&piece.samples).len();
            piece.samples.drain(..piece.samples.len() - left);
            if left > 0 || piece.state != State::Whole {
                break;
            }
            mouth.end();
            self.pieces.pop_front();
        }
        begun
    }

    /// Whether everything is in the mouth.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Gives everything up.
    pub(super) fn stop(&mut self) -> Left {
        let mut left = Left::default();
        for piece in self.pieces.drain(..) {
            if matches!(piece.state, State::Made { .. }) {
                left.made.push(piece.id);
            }
            if !piece.is_in_mouth && piece.kind.is_told() {
                left.texts.push(piece.text);
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::mouth::Frame;

    fn speech(texts: &[&str]) -> Speech {
        let mut speech = Speech::default();
        for (id, text) in (1..).zip(texts) {
            speech.say(id, (*text).to_owned(), Kind::Answer);
        }
        speech
    }

    fn started(speech: &mut Speech, most: usize) -> Vec<u64> {
        std::iter::from_fn(|| speech.start(At::ZERO, most)).map(|start| start.id).collect()
    }

    #[test]
    fn at_most_two_pieces_are_made_at_once() {
        let mut speech = speech(&["a", "b", "c"]);
        assert_eq!(started(&mut speech, 1), [1], "a draft makes only its first sentence");
        assert_eq!(started(&mut speech, AHEAD), [2]);
        speech.spoken(At::ZERO, 2, Spoken::Samples(vec![2; 10]));
        speech.spoken(At::ZERO, 2, Spoken::Done);
        assert_eq!(started(&mut speech, AHEAD), Vec::<u64>::new(), "the second waits for the first");
        let mut mouth = Mouth::default();
        assert_eq!(speech.pour(&mut mouth), vec![]);
        speech.spoken(At::ZERO, 1, Spoken::Samples(vec![1; 10]));
        speech.spoken(At::ZERO, 1, Spoken::Done);
        assert_eq!(speech.pour(&mut mouth), [(1, "a".into()), (2, "b".into())], "in their order");
        assert_eq!(started(&mut speech, AHEAD), [3]);
        let Frame::Sound { samples, .. } = mouth.frame(true) else { panic!("there is sound") };
        assert_eq!((samples[0], samples[10]), (1, 2));
    }

    #[test]
    fn a_piece_without_sound_is_told_and_the_others_go_on() {
        let mut speech = speech(&["a", "b"]);
        started(&mut speech, AHEAD);
        assert_eq!(speech.spoken(At::ZERO, 1, Spoken::Failed(Trouble::Away("voice"))), Came::Taken);
        assert_eq!(started(&mut speech, AHEAD), [1], "it is tried once more");
        let failed = speech.spoken(At::ZERO, 1, Spoken::Failed(Trouble::Away("voice")));
        let unspoken = Unspoken { text: Some("a".into()), is_question: false };
        assert_eq!(failed, Came::Failed(unspoken, Trouble::Away("voice")));
        speech.spoken(At::ZERO, 2, Spoken::Samples(vec![2; 10]));
        assert_eq!(speech.pour(&mut Mouth::default()), [(2, "b".into())]);
        assert_eq!(speech.spoken(At::ZERO, 1, Spoken::Done), Came::Late);
    }

    #[test]
    fn a_voice_that_falls_silent_is_overdue() {
        let mut speech = speech(&["a"]);
        started(&mut speech, AHEAD);
        assert_eq!(speech.overdue(PATIENCE / 2), None);
        assert_eq!(speech.overdue(PATIENCE), Some(1));
        speech.spoken(PATIENCE / 2, 1, Spoken::Samples(vec![0; 10]));
        speech.spoken(PATIENCE / 2, 1, Spoken::Samples(vec![0; 10]));
        assert_eq!(speech.overdue(PATIENCE), None, "it sounded meanwhile");
    }

    #[test]
    fn what_is_given_up_tells_what_was_not_said() {
        let mut speech = speech(&["a", "b", "c"]);
        started(&mut speech, AHEAD);
        speech.spoken(At::ZERO, 1, Spoken::Samples(vec![1; 10]));
        speech.pour(&mut Mouth::default());
        assert_eq!(speech.stop(), Left { made: vec![1, 2], texts: vec!["b".into(), "c".into()] });
        assert!(speech.is_empty());
    }
}
