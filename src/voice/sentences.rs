//! Cuts what a model writes into pieces to be spoken: early for the first one, whole sentences after it.

use std::time::Duration;

use super::turn::At;

/// The first piece may end at a comma once it has so many characters.
const FIRST_AT_COMMA: usize = 12;

/// The first piece is taken after so many words when no mark comes.
const FIRST_AT_WORDS: usize = 6;

/// How long a mark is waited for, once there are that many words.
const FIRST_WAITS: Duration = Duration::from_millis(150);

/// A piece is cut at the last blank when it grows beyond this, so that nothing is waited for in vain.
const LONGEST: usize = 240;

/// Words with a full stop that end no sentence, in small letters.
const SHORTENED: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "st", "no", "vs", "approx", "etc", "e.g", "i.e", "a.m", "p.m", "z.b", "d.h",
    "bzw", "ca", "nr",
];

/// Cuts a stream of text into pieces.
#[derive(Debug, Default)]
pub struct Sentences {
    text: String,
    has_begun: bool,
    /// Since when there have been enough words for a first piece without a mark.
    ripe: Option<At>,
}

impl Sentences {
    /// Takes more of the text, and gives the pieces that are ready.
    pub fn push(&mut self, now: At, delta: &str) -> Vec<String> {
        self.text.push_str(delta);
        let mut ready = vec![];
        while let Some(end) = self.end() {
            ready.extend(self.take(end));
        }
        ready.extend(self.tick(now));
        ready
    }

    /// Gives a first piece that has waited long enough for a mark.
    pub fn tick(&mut self, now: At) -> Option<String> {
        if self.has_begun || self.text.split_whitespace().count() <= FIRST_AT_WORDS {
            return None;
        }
        let ripe = *self.ripe.get_or_insert(now);
        if now.saturating_sub(ripe) < FIRST_WAITS {
            return None;
        }
        let end = self.text.trim_end().rfind(char::is_whitespace)?;
        self.take(end)
    }

    /// Gives what is left at the end of the text.
    pub fn finish(&mut self) -> Option<String> {
        self.take(self.text.len())
    }

    /// Where the next piece ends, when that can be told already.
    fn end(&self) -> Option<usize> {
        let marked =
            self.text.char_indices().find_map(|(at, mark)| self.ends_at(at, mark).then_some(at + mark.len_utf8()));
        marked.or_else(|| {
            let head = self.text.char_indices().nth(LONGEST).map(|(at, _)| &self.text[..at])?;
            Some(head.rfind(char::is_whitespace).unwrap_or(head.len()))
        })
    }

    fn ends_at(&self, at: usize, mark: char) -> bool {
        let (before, rest) = (&self.text[..at], &self.text[at + mark.len_utf8()..]);
        // Only what follows tells whether a mark ends anything: `2.5`, `v1.`, `?!`.
        let is_followed = rest.starts_with(char::is_whitespace);
        match mark {
            '\n' => !before.trim().is_empty(),
            '!' | '?' | '…' => is_followed,
            '.' => is_followed && !is_shortened(before),
            ',' | ';' | ':' | '–' | '—' => {
                !self.has_begun && is_followed && before.trim().chars().count() >= FIRST_AT_COMMA
            }
            _ => false,
        }
    }

    fn take(&mut self, end: usize) -> Option<String> {
        let rest = self.text.split_off(end);
        let piece = speakable(&std::mem::replace(&mut self.text, rest));
        if piece.is_empty() {
            return None;
        }
        self.has_begun = true;
        Some(piece)
    }
}

/// Whether the text before a full stop ends in a shortened word, an initial or the number of a list.
fn is_shortened(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    is_initial || is_number || SHORTENED.contains(&word.to_lowercase().as_str())
}

/// The text without what is only there for the eye: Markdown's marks, the addresses behind links, rows of dashes.
pub fn speakable(text: &str) -> String {
    let lines = text.lines().map(|line| without_links(line.trim().trim_start_matches(['#', '>', '|']).trim_start()));
    let lines =
        lines.map(|line| line.strip_prefix("- ").or(line.strip_prefix("* ")).map(str::to_owned).unwrap_or(line));
    let spoken = lines.filter(|line| line.chars().any(char::is_alphanumeric)).collect::<Vec<_>>().join(" ");
    let plain = spoken.replace("**", "").replace("__", "").replace(['`', '*'], "");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `[words](address)` is spoken as its words.
fn without_links(line: &str) -> String {
    let mut spoken = String::new();
    let mut rest = line;
    while let Some((before, words, after)) = next_link(rest) {
        spoken.push_str(before);
        spoken.push_str(words);
        rest = after;
    }
    spoken + rest
}

fn next_link(line: &str) -> Option<(&str, &str, &str)> {
    let middle = line.find("](")?;
    let open = line[..middle].rfind('[')?;
    let close = middle + line[middle..].find(')')?;
    Some((&line[..open], &line[open + 1..middle], &line[close + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pieces of a text that comes word by word, 15 ms apart.
    fn pieces(text: &str) -> Vec<String> {
        let mut sentences = Sentences::default();
        let mut pieces = vec![];
        for (count, word) in text.split_inclusive(' ').enumerate() {
            pieces.extend(sentences.push(Duration::from_millis(15 * count as u64), word));
        }
        pieces.extend(sentences.finish());
        pieces
    }

    #[test]
    fn the_first_piece_is_short_and_the_others_are_sentences() {
        assert_eq!(
            pieces("Good morning Lena, you are free at ten, or at two. Which one, then? Tell me."),
            ["Good morning Lena,", "you are free at ten, or at two.", "Which one, then?", "Tell me."]
        );
    }

    #[test]
    fn full_stops_that_end_nothing_are_passed_over() {
        assert_eq!(
            pieces("It costs 2.5 euros. Ask Mr. Kern, e.g. J. Weber, or no. 7 in Berlin."),
            ["It costs 2.5 euros.", "Ask Mr. Kern, e.g. J. Weber, or no. 7 in Berlin."]
        );
    }

    #[test]
    fn a_first_piece_without_a_mark_does_not_wait_long() {
        let mut sentences = Sentences::default();
        let text = "I have looked at your calendar for tomorrow";
        assert_eq!(sentences.push(Duration::ZERO, text), Vec::<String>::new());
        assert_eq!(sentences.tick(Duration::from_millis(100)), None);
        assert_eq!(sentences.tick(Duration::from_millis(150)).as_deref(), Some("I have looked at your calendar for"));
        assert_eq!(sentences.finish().as_deref(), Some("tomorrow"));
    }

    #[test]
    fn what_is_for_the_eye_is_not_spoken() {
        let text = "## Free\n\n- **Ten** o'clock\n- `two` o'clock\n\n---\nSee [the page](https://example.com/a)!";
        assert_eq!(pieces(text).join(" "), "Free Ten o'clock two o'clock See the page!");
        assert_eq!(speakable("| --- | --- |"), "");
    }

    #[test]
    fn a_text_without_an_end_is_cut() {
        let text = "word ".repeat(200);
        assert!(pieces(&text).iter().all(|piece| piece.len() <= LONGEST));
    }

    proptest! {
        #[test]
        fn no_word_is_lost_or_said_twice(words in proptest::collection::vec("[a-zA-Z0-9]{1,8}[.,!?]?", 0..40)) {
            let text = words.join(" ");
            prop_assert_eq!(pieces(&text).join(" "), text);
        }
    }
}
