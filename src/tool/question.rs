//! What a person is asked: a question that can be read at a glance, and behind it everything that would leave.
//!
//! A tool never cuts what it asks about. It marks long texts with [`excerpt`], and here, at one place, the short form
//! gets their beginnings and the full form all of them. Whoever cuts a text has by that made the full form differ, and
//! whoever shows the short form offers the full one ([`Error::in_full`](super::Error::in_full)).

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

use super::{Leads, Written, closed, fenced};

/// Marks inside the program, as in [`Written`]: what stands between them may be shortened.
const BEGIN: char = '\u{FDD2}';
const END: char = '\u{FDD3}';

/// How much of a text the short form shows, in characters.
const GLANCE: usize = 600;

/// How long the short form is at most, in characters: clients show it in a window.
const SHORT: usize = 2_400;

/// How many addresses the short form names.
const NAMED: usize = 5;

/// A question before something is done.
///
/// ```
/// use switchboard::tool::{Question, excerpt};
///
/// let question = Question::new(format!("Send \"{}\"?", excerpt("Hello")));
/// assert_eq!(question.short(), "Send \"Hello\"?");
/// assert_eq!(question.full(), question.short());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Question {
    asks: String,
    notes: Vec<String>,
    leads: Leads,
    attached: Vec<(String, String)>,
    content: String,
}

impl Question {
    /// A question in one sentence, with the texts that leave in it.
    pub fn new(asks: impl Into<String>) -> Self {
        Question { asks: asks.into(), ..Question::default() }
    }

    /// The same with another sentence that has to be read: files at a mail, text that nobody would see.
    #[must_use]
    pub fn note(mut self, sentence: impl Into<String>) -> Self {
        self.notes.push(sentence.into());
        self
    }

    /// The same with something that leaves as well and is too much for a glance; only the full form shows it.
    #[must_use]
    pub fn attach(mut self, label: &str, text: impl fmt::Display) -> Self {
        self.attached.push((label.to_owned(), text.to_string()));
        self
    }

    /// The same, with the addresses that will be asked, or offered to be opened, by what is written. They count as
    /// recipients; see [`Call::confirm_leading`](super::Call::confirm_leading).
    #[must_use]
    pub fn leading_to(mut self, leads: Leads) -> Self {
        self.leads = leads;
        self
    }

    /// The same about this very content: a yes counts only while it is the same. For what lies at the vendor and may
    /// change before it is sent.
    #[must_use]
    pub fn about(mut self, content: impl Into<String>) -> Self {
        self.content = content.into();
        self
    }

    /// What a yes is for: the question where that says all, else a hash of everything.
    pub(super) fn seal(&self, short: &str, full: &str) -> String {
        if short == full && self.content.is_empty() {
            return short.to_owned();
        }
        let mut hash = Sha256::new();
        for part in [short, full, &self.content] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        format!("{:x}", hash.finalize())
    }

    /// The addresses that what is written leads to.
    pub(super) fn leads(&self) -> &Leads {
        &self.leads
    }

    /// For a glance: bounded, with the beginnings of long texts.
    pub fn short(&self) -> String {
        let text = fenced(&self.lines(&opened(&self.asks, GLANCE), &self.leads.short(NAMED), GLANCE));
        match text.char_indices().nth(SHORT) {
            None => text,
            Some((end, _)) => {
                let mut beginning = text[..end].to_owned();
                closed(&mut beginning);
                format!("{beginning}… ({} characters in all)", text.chars().count())
            }
        }
    }

    /// Everything.
    pub fn full(&self) -> String {
        let mut full = self.lines(&opened(&self.asks, usize::MAX), &self.leads.short(usize::MAX), usize::MAX);
        for (label, text) in &self.attached {
            let _ = write!(full, "\n\n{label}:\n{text}");
        }
        fenced(&full)
    }

    fn lines(&self, asks: &str, leads: &str, longest: usize) -> String {
        let notes = self.notes.iter().map(|note| opened(note, longest));
        let leads = Some(leads.to_owned()).filter(|leads| !leads.is_empty());
        std::iter::once(asks.to_owned()).chain(notes).chain(leads).collect::<Vec<_>>().join(" ")
    }
}

impl From<String> for Question {
    fn from(asks: String) -> Self {
        Question::new(asks)
    }
}

impl From<&str> for Question {
    fn from(asks: &str) -> Self {
        Question::new(asks)
    }
}

/// A text in a question, of which the short form may show the beginning only.
pub fn excerpt(text: impl fmt::Display) -> impl fmt::Display {
    Excerpt(text.to_string().replace([BEGIN, END], "\u{FFFD}"))
}

struct Excerpt(String);

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BEGIN}{}{END}", self.0)
    }
}

/// The text without the marks, and what stood between them cut to `longest` characters.
fn opened(text: &str, longest: usize) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, marked)) = rest.split_once(BEGIN) {
        let (inside, after) = marked.split_once(END).unwrap_or((marked, ""));
        whole.push_str(before);
        whole.push_str(&Written::shortened(inside, longest));
        rest = after;
    }
    whole.push_str(rest);
    whole.replace([BEGIN, END], "\u{FFFD}")
}

/// People in a sentence, with their number where it cannot be seen at once.
pub fn people(all: &[String]) -> String {
    let names = excerpt(all.join(", "));
    if all.len() > NAMED { format!("{} people ({names})", all.len()) } else { names.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_form_has_all_that_the_short_one_leaves_out() {
        let long = "wörter ".repeat(500);
        let question = Question::new(format!("Send \"{}\" to ana?", excerpt(&long))).attach("Source", "<b>");
        let (short, full) = (question.short(), question.full());
        assert!(short.contains("… (3499 characters in all)\" to ana?"), "{short}");
        assert!(full.contains(long.trim()) && full.ends_with("\n\nSource:\n<b>"), "{full}");
        assert!(short.chars().count() <= SHORT + 40);
    }

    #[test]
    fn what_others_wrote_stays_in_its_fence_when_it_is_cut() {
        let quoted = Written::by_others("x".repeat(900));
        let short = Question::new(format!("Send \"{}\"?", excerpt(quoted))).short();
        assert!(short.starts_with("Send \"⟦xxx") && short.ends_with("(900 characters in all)⟧\"?"), "{short}");
        let many = (0..40).map(|at| Written::by_others(format!("{at}{}", "y".repeat(90))).to_string());
        let short = Question::new(many.collect::<String>()).short();
        assert_eq!(short.matches('⟦').count(), short.matches('⟧').count(), "{short}");
    }

    #[test]
    fn nobody_brings_marks_along() {
        let question = Question::new(format!("Send \"{}\"?", excerpt("a\u{FDD3}b\u{FDD2}c")));
        assert_eq!(question.full(), "Send \"a\u{FFFD}b\u{FFFD}c\"?");
    }

    #[test]
    fn hidden_characters_are_shown_in_both_forms() {
        let question = Question::new(format!("Send \"{}\"?", excerpt("a\u{202E}b\u{200B}")));
        assert_eq!(question.full(), "Send \"a<U+202E>b<U+200B>\"?");
        assert_eq!(question.short(), question.full());
    }

    #[test]
    fn many_people_are_counted() {
        let all: Vec<_> = (0..7).map(|at| format!("p{at}@e.example")).collect();
        assert!(Question::new(people(&all)).full().starts_with("7 people (p0@e.example, "));
        assert_eq!(Question::new(people(&all[..2])).full(), "p0@e.example, p1@e.example");
    }
}
