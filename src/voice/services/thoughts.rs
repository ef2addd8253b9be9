//! Models that think aloud: what stands between `<think>` and `</think>` is not for a caller's ears.

const BEGIN: &str = "<think>";
const END: &str = "</think>";

/// Leaves thoughts out of a text that comes in pieces. They stand at its beginning or nowhere.
#[derive(Debug, Default)]
pub(super) enum Thoughts {
    /// Nothing was said yet; this may become the mark.
    #[default]
    Unsure,
    /// The beginning so far, which may become the mark.
    Held(String),
    /// In thought; the end of what came, which may become the mark.
    Thinking(String),
    /// Speaking.
    Over,
}

impl Thoughts {
    /// What may be said of a piece.
    pub fn leave_out(&mut self, piece: &str) -> String {
        match std::mem::replace(self, Thoughts::Over) {
            Thoughts::Over => piece.to_owned(),
            Thoughts::Unsure => self.begin(piece.to_owned()),
            Thoughts::Held(held) => self.begin(held + piece),
            Thoughts::Thinking(held) => self.think(held + piece),
        }
    }

    /// What was held back and turned out to be speech.
    pub fn rest(&mut self) -> String {
        match std::mem::replace(self, Thoughts::Over) {
            Thoughts::Held(held) => held,
            _ => String::new(),
        }
    }

    fn begin(&mut self, text: String) -> String {
        let bare = text.trim_start();
        if let Some(thought) = bare.strip_prefix(BEGIN) {
            return self.think(thought.to_owned());
        }
        if BEGIN.starts_with(bare) {
            *self = if text.is_empty() { Thoughts::Unsure } else { Thoughts::Held(text) };
            return String::new();
        }
        text
    }

    fn think(&mut self, text: String) -> String {
        if let Some((_, said)) = text.split_once(END) {
            return said.trim_start().to_owned();
        }
        // Only so much can be the beginning of the mark.
        let from = text.char_indices().rev().take(END.len() - 1).last().map_or(0, |(at, _)| at);
        *self = Thoughts::Thinking(text[from..].to_owned());
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        // In one piece, and in the smallest ones.
        let pieces = text.chars().map(String::from).collect::<Vec<_>>();
        for pieces in [vec![text.to_owned()], pieces] {
            let mut thoughts = Thoughts::default();
            let mut said: String = pieces.iter().map(|piece| thoughts.leave_out(piece)).collect();
            said.push_str(&thoughts.rest());
            assert_eq!(said, expected, "{text:?} in {} pieces", pieces.len());
        }
    }

    #[test]
    fn thoughts_are_left_out_and_speech_is_not() {
        check("Hello.", "Hello.");
        check("<think>Hm, näher…</think>Hello.", "Hello.");
        check("\n<think></think>Hello.", "Hello.");
        check("<b", "<b");
        check("<think>for ever", "");
        check("", "");
        check("I <think> so", "I <think> so");
    }
}
