//! One turn of the agent: what the model writes for it, the calls in it, and its way to the voice.

use std::collections::BTreeSet;

use super::speech::Speech;
use crate::voice::{context::Entry, sentences::Sentences, turn::At};

/// A turn of the agent that is under way, or a draft of one.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// The caller's words that a draft answers.
    pub(super) words: String,
    /// Where it is.
    pub(super) round: Round,
    /// How often the model was asked for it.
    pub(super) rounds: usize,
    /// The pieces that are not in the mouth yet.
    pub(super) speech: Speech,
    /// The calls that the model wants made.
    pub(super) wanted: Vec<Wanted>,
    /// The calls that it waits for.
    pub(super) calls: BTreeSet<String>,
    /// Texts that are read and not heard.
    pub(super) shown: Vec<String>,
    /// What the page has not been told yet, because it is a draft.
    pub(super) untold: String,
    /// Whether it is spoken.
    pub(super) is_spoken: bool,
    /// Whether the caller was told that it takes long.
    pub(super) has_filled: bool,
    /// Whether the line is cut after it.
    pub(super) is_last: bool,
    /// The agent that goes on after it.
    pub(super) goes_to: Option<String>,
    /// Whether the caller knows already that something went wrong.
    pub(super) has_apologised: bool,
    sentences: Sentences,
    text: String,
    /// What was written in the rounds before, and where in the context it belongs.
    written: Vec<(usize, String)>,
}

/// Where a turn is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Round {
    /// The model is to be asked.
    #[default]
    Due,
    /// The model writes.
    Writing {
        /// Under this number.
        answer: u64,
        /// When it was asked.
        asked: At,
        /// When it wrote last.
        touched: At,
        /// Whether it has written anything.
        has_begun: bool,
    },
    /// The model has written, and wants calls made.
    Wanting,
    /// Calls are under way.
    Calling,
    /// Nothing more is written.
    Over,
}

/// A call that the model wants made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) tool: String,
    pub(super) arguments: String,
}

impl Reply {
    /// A turn that the model is asked for.
    pub(super) fn of_model(is_spoken: bool) -> Self {
        Reply { is_spoken, ..Reply::default() }
    }

    /// A turn that consists of a usual sentence.
    pub(super) fn of_us(is_spoken: bool) -> Self {
        Reply { is_spoken, round: Round::Over, ..Reply::default() }
    }

    /// A turn that waits for calls which an earlier one has begun.
    pub(super) fn of_calls(is_spoken: bool) -> Self {
        Reply { is_spoken, round: Round::Calling, ..Reply::default() }
    }

    /// The number of the model's answer, while it writes.
    pub(super) fn answer(&self) -> Option<u64> {
        match self.round {
            Round::Writing { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// Takes more text. Gives the pieces that are ready.
    pub(super) fn add(&mut self, now: At, delta: &str) -> Vec<String> {
        self.text.push_str(delta);
        self.sentences.push(now, delta)
    }

    /// Gives a first piece that has waited long enough for a mark.
    pub(super) fn tick(&mut self, now: At) -> Option<String> {
        self.sentences.tick(now)
    }

    /// The model has finished, and its text stands at `at` in the context. Gives the last piece.
    pub(super) fn finish_round(&mut self, at: usize) -> Option<String> {
        let last = self.sentences.finish();
        self.sentences = Sentences::default();
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            self.written.push((at, text));
        }
        self.round = if self.wanted.is_empty() { Round::Over } else { Round::Wanting };
        last
    }

    /// What was written and is no piece yet: the rest of an answer that is given up.
    pub(super) fn rest(&mut self) -> Option<String> {
        self.sentences.finish()
    }

    /// Whether the model has written any words in this turn.
    pub(super) fn has_words(&self) -> bool {
        !self.text.trim().is_empty() || !self.written.is_empty()
    }

    /// The context has what was written before.
    pub(super) fn forget_written(&mut self) {
        self.written.clear();
    }

    /// The conversation as the model has to see it in the middle of this turn: with what it wrote already, which the
    /// context has only when it was heard.
    pub(super) fn entries(&self, context: &[Entry]) -> Vec<Entry> {
        let mut entries = context.to_vec();
        for (at, text) in self.written.iter().rev() {
            entries.insert((*at).min(entries.len()), Entry::Agent(text.trim().to_owned()));
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_sees_what_it_wrote_before_its_calls() {
        let mut reply = Reply::of_model(true);
        reply.add(At::ZERO, "Let me look. ");
        reply.wanted.push(Wanted { tool: "t".into(), arguments: "{}".into() });
        reply.finish_round(1);
        assert_eq!(reply.round, Round::Wanting);
        let context = [Entry::Caller("When?".into()), Entry::Note("a call".into())];
        let expected = [context[0].clone(), Entry::Agent("Let me look.".into()), context[1].clone()];
        assert_eq!(reply.entries(&context), expected);
    }

    #[test]
    fn a_turn_without_calls_is_over() {
        let mut reply = Reply::of_model(true);
        assert_eq!(reply.add(At::ZERO, "Yes, of course. It"), ["Yes, of course."]);
        assert_eq!(reply.finish_round(1).as_deref(), Some("It"));
        assert_eq!(reply.round, Round::Over);
    }
}
