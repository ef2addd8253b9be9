//! Bounds on texts of callers: what is repeated in an answer, what is listed in it, and what is compared.
//!
//! An error that repeats what somebody sent is as large as they like, and looking for the nearest name takes time that
//! grows with the product of both lengths. Whoever repeats, lists or compares goes through here. `strsim` is the
//! field's crate for likeness of words; it is used here alone, because only here is a bound on what it is given.

/// The longest name that is looked up, compared or suggested, in bytes: of tools, prompts, arguments, zones.
pub const LONGEST_NAME: usize = 128;

/// The longest piece that an error repeats, in characters.
pub const LONGEST_QUOTE: usize = 200;

/// The longest error, in bytes. Everything beyond is cut, with a sign that it was.
pub const LONGEST_ERROR: usize = 4_000;

/// How many names are compared for a suggestion; those that come after them are not looked at.
pub const MOST_COMPARED: usize = 5_000;

/// Something that is made of a text from outside. The tests run all of them with what is repeated without end: none may
/// take work that grows faster than the text.
pub struct Transformation {
    /// Whose it is, and what it does.
    pub name: &'static str,
    /// Does it, and shows what came of it.
    pub run: fn(&str) -> String,
}

/// How alike two names are, from 0 to 1 (Jaro-Winkler). One that is longer than any name is like none.
pub fn likeness(one: &str, other: &str) -> f64 {
    if one.len().max(other.len()) > LONGEST_NAME {
        return 0.0;
    }
    strsim::jaro_winkler(one, other)
}

/// The name in `known` that was probably meant by `written`.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > LONGEST_NAME {
        return None;
    }
    known
        .into_iter()
        .take(MOST_COMPARED)
        .map(|name| (likeness(written, name), name))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// `text`, and of a longer one the first `longest` characters with a sign that something is missing.
pub fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `text` as an error repeats it.
pub fn quote(text: &str) -> String {
    shortened(text, LONGEST_QUOTE)
}

/// The first `most` of `items` with commas between, and how many more there are.
pub fn listed(items: impl IntoIterator<Item = impl AsRef<str>>, most: usize) -> String {
    let mut items = items.into_iter();
    let shown: Vec<_> = items.by_ref().take(most).map(|item| quote(item.as_ref())).collect();
    let shown = shown.join(", ");
    match items.count() {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A sentence that may repeat what a caller wrote: each piece between backticks is short, and so is the whole.
///
/// This is the last line: whoever writes an error bounds what it repeats, and what was forgotten is bounded here.
pub fn bounded(sentence: String) -> String {
    if sentence.len() <= LONGEST_QUOTE {
        return sentence;
    }
    let pieces = sentence.split('`').enumerate();
    let pieces = pieces.map(|(at, piece)| if at % 2 == 1 { quote(piece) } else { piece.to_owned() });
    let mut whole = pieces.collect::<Vec<_>>().join("`");
    cut(&mut whole, LONGEST_ERROR);
    whole
}

/// Cuts `text` to `longest` bytes, at a character, with a sign that something is missing.
fn cut(text: &mut String, longest: usize) {
    if text.len() <= longest {
        return;
    }
    let end = (0..=longest).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text.truncate(end);
    text.push('…');
}

/// Lines about what is wrong, of which only the first are kept. A line that is not kept is not even written.
#[derive(Debug)]
pub struct Problems {
    lines: Vec<String>,
    most: usize,
    more: usize,
}

impl Problems {
    /// None yet, and at most `most` later.
    pub fn new(most: usize) -> Problems {
        Problems { lines: Vec::new(), most, more: 0 }
    }

    /// One more.
    pub fn add(&mut self, line: impl FnOnce() -> String) {
        if self.lines.len() < self.most {
            self.lines.push(line());
        } else {
            self.more += 1;
        }
    }

    /// The lines, the last of which says how many there are beside them.
    pub fn lines(mut self) -> Vec<String> {
        if self.more > 0 {
            self.lines.push(format!("and {} more", self.more));
        }
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        assert_eq!(nearest("tittle", ["title", "start"]), Some("title"));
        assert_eq!(nearest("colour", ["title", "start"]), None);
    }

    #[test]
    fn what_is_longer_than_any_name_is_compared_with_none() {
        let long = "a".repeat(LONGEST_NAME + 1);
        assert_eq!(nearest(&long, [&*long]), None);
        assert!(likeness(&long, &long).abs() < f64::EPSILON);
        let name = "a".repeat(LONGEST_NAME);
        assert_eq!(nearest(&name, [&*name]), Some(&*name));
    }

    #[test]
    fn lists_end_with_what_is_missing() {
        assert_eq!(listed(["a", "b"], 2), "a, b");
        assert_eq!(listed(["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(listed([""; 0], 2), "");
    }

    #[test]
    fn only_the_first_problems_are_written() {
        let mut problems = Problems::new(2);
        for at in 0..5 {
            problems.add(|| {
                assert!(at < 2, "a line too many was written");
                at.to_string()
            });
        }
        assert_eq!(problems.lines(), ["0", "1", "and 3 more"]);
    }

    #[test]
    fn a_sentence_keeps_its_own_words_and_shortens_what_it_repeats() {
        let sentence = bounded(format!("There is no channel `{}`. Did you mean `sales`?", "x".repeat(100_000)));
        assert!(sentence.ends_with("…`. Did you mean `sales`?"), "{sentence}");
        assert!(sentence.len() < 300, "{sentence}");
    }

    proptest! {
        #[test]
        fn no_error_is_long(text in "(?s).{0,300}", times in 0_usize..200) {
            let sentence = bounded(text.repeat(times));
            prop_assert!(sentence.len() <= LONGEST_ERROR + '…'.len_utf8());
        }

        #[test]
        fn short_sentences_stay(text in "[a-z `⟦]{0,60}") {
            prop_assert_eq!(bounded(text.clone()), text);
        }
    }
}
