//! Quoted history: a mail without the earlier ones that it repeats at its end.
//!
//! Every mail of a long conversation carries all of it, and whoever writes one decides how much that is, so each line
//! is looked at a fixed number of times.

use std::cell::Cell;

/// The text without the earlier mails that it quotes at its end, and how many lines those were. A text that answers
/// between quoted lines stays whole.
///
/// ```
/// # use switchboard::tool::quotes;
/// assert_eq!(quotes::folded("Yes.\n\n> Can you?"), ("Yes.".to_owned(), 1));
/// ```
pub fn folded(text: &str) -> (String, usize) {
    Lines::of(text).folded(text)
}

/// Whether a text has earlier mails in it, wherever they stand.
pub fn has_quotes(text: &str) -> bool {
    let lines = Lines::of(text);
    let begins = |at: usize| {
        let line = lines.line(at);
        is_quoted(line) || introduces(line) || is_separator(line) || lines.is_outlook(at)
    };
    (0..lines.lines.len()).any(begins)
}

/// What whoever is quoted did.
const VERBS: [&str; 8] = ["wrote", "schrieb", "a écrit", "escribió", "ha scritto", "schreef", "escreveu", "skrev"];

/// The lines of a text, trimmed, with what has to be known of those that follow.
struct Lines<'a> {
    lines: Vec<&'a str>,
    /// From here on there are only quoted and empty lines, and introductions of them.
    quotes_from: usize,
    /// The last quoted line.
    last_quote: Option<usize>,
    /// How often a line was looked at.
    looks: Cell<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Lines<'a> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let is_part = |line: &&&str| line.is_empty() || is_quoted(line) || introduces(line);
        let quotes_from = lines.len() - lines.iter().rev().take_while(is_part).count();
        let last_quote = lines.iter().rposition(|line| is_quoted(line));
        let looks = Cell::new(3 * lines.len());
        Lines { lines, quotes_from, last_quote, looks }
    }

    fn folded(&self, text: &str) -> (String, usize) {
        let whole = || (text.trim_end().to_owned(), 0);
        let Some(begin) = (0..self.lines.len()).find(|&at| self.begins_history(at)) else { return whole() };
        let own = text.lines().take(begin).collect::<Vec<_>>().join("\n");
        // A mail that was only passed on has nothing else to say.
        if own.trim().is_empty() { whole() } else { (own.trim_end().to_owned(), self.lines.len() - begin) }
    }

    /// A line; empty behind the end.
    fn line(&self, at: usize) -> &'a str {
        self.looks.set(self.looks.get() + 1);
        self.lines.get(at).copied().unwrap_or_default()
    }

    /// Whether from this line on there are only earlier mails.
    fn begins_history(&self, at: usize) -> bool {
        let line = self.line(at);
        if is_quoted(line) {
            return self.are_quoted_from(at);
        }
        if introduces(line) && self.are_quoted_from(at + 1) {
            return true;
        }
        is_separator(line) || self.is_broken_introduction(at) || self.is_outlook(at)
    }

    /// Whether there are quoted lines from here on, and nothing of one's own between them.
    fn are_quoted_from(&self, at: usize) -> bool {
        at >= self.quotes_from && self.last_quote.is_some_and(|last| last >= at)
    }

    /// Long introductions are broken into two lines.
    fn is_broken_introduction(&self, at: usize) -> bool {
        let (line, next) = (self.line(at), self.line(at + 1));
        let may_begin = begins_introduction(line) && !line.ends_with(':') && next.ends_with(':');
        may_begin && self.are_quoted_from(at + 2) && introduces(&format!("{line} {next}"))
    }

    /// The headers with which Outlook begins an earlier mail.
    fn is_outlook(&self, at: usize) -> bool {
        let begins = |at: usize, words: &[&str]| {
            // A bold name of a header keeps its stars.
            let plain: String = self.line(at).chars().filter(|c| *c != '*').take(16).collect();
            words.iter().any(|word| plain.trim_start().starts_with(word))
        };
        let near = at + 1..at + 7;
        !self.line(at).ends_with(':')
            && begins(at, &["From:", "Von:", "De :", "De:"])
            && near.clone().any(|at| begins(at, &["Sent:", "Gesendet:", "Envoyé", "Enviado", "Date:"]))
            && near.clone().any(|at| begins(at, &["Subject:", "Betreff:", "Objet", "Asunto:"]))
    }
}

fn is_quoted(line: &str) -> bool {
    line.starts_with('>')
}

fn begins_introduction(line: &str) -> bool {
    ["On ", "Am ", "Le ", "El ", "Il ", "Op ", "Em ", "Den "].iter().any(|word| line.starts_with(word))
}

/// `On Monday, Ana wrote:` in the languages of many.
fn introduces(line: &str) -> bool {
    begins_introduction(line) && line.ends_with(':') && VERBS.iter().any(|verb| line.contains(verb))
}

fn is_separator(line: &str) -> bool {
    let words = line.trim_matches(['-', ' ', '*']);
    line.starts_with("---")
        && ["Original Message", "Ursprüngliche Nachricht", "Message d'origine", "Mensaje original"].contains(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::linear;

    #[track_caller]
    fn check(text: &str, own: &str, lines: usize) {
        assert_eq!(folded(text), (own.to_owned(), lines), "{text}");
    }

    #[test]
    fn quoted_history_is_folded() {
        check("Yes.\n\nOn Mon, Ana <a@b.example> wrote:\n> Can you?\n>\n> Ana\n", "Yes.", 4);
        check("Ja.\n\nAm 23.11.2026 um 10:00 schrieb Ana Ruiz\n<a@b.example>:\n\n> Kannst du?", "Ja.", 4);
        check("Yes.\n\n> quoted\n> text", "Yes.", 2);
        check("Yes.\n\n-----Original Message-----\nFrom: Ana\n\nCan you?", "Yes.", 4);
        check("Yes.\n\n**From:** Ana\n**Sent:** Monday\n**To:** Lena\n**Subject:** x\n\nCan you?", "Yes.", 6);
        check("  Yes.\n  No.\n\nOn Mon, Ana wrote:\n\n> a", "  Yes.\n  No.", 3);
    }

    #[test]
    fn what_is_no_history_stays() {
        check("> Can you?\nYes.\n> When?\nNow.", "> Can you?\nYes.\n> When?\nNow.", 0);
        check(
            "---------- Forwarded message ---------\nFrom: Ana\n\nText",
            "---------- Forwarded message ---------\nFrom: Ana\n\nText",
            0,
        );
        check("On Monday we wrote:\nall is well.", "On Monday we wrote:\nall is well.", 0);
        check("> only quoted", "> only quoted", 0);
        check("a > b\n--\nAna", "a > b\n--\nAna", 0);
        check("", "", 0);
    }

    #[test]
    fn earlier_mails_are_found_wherever_they_stand() {
        for text in ["a\n> b\nc", "On Mon, Ana wrote:", "From: Ana\nSent: Monday\nSubject: x\n\na"] {
            assert!(has_quotes(text), "{text}");
        }
        assert!(!has_quotes("a > b\nOn Monday we wrote a lot\nFrom: here"));
    }

    #[test]
    fn folding_looks_at_each_line_a_fixed_number_of_times() {
        let pieces = [
            ">\n",
            "> a\n",
            "> > a\n",
            "\n",
            "a\n",
            "On Mon, Ana wrote:\n",
            "On Mon, Ana wrote:\n\n",
            "On Mon, Ana\n",
            "On Mon, Ana wrote:\n> a\n",
            "From: a\n",
            "From: a\nSent: b\n",
            "---\n",
            "*",
            ">",
            "On ",
        ];
        for piece in pieces {
            for end in ["", "b\n", "> c\nb\n", "On Mon, Ana wrote:\nb"] {
                linear::check(&format!("{piece:?} with {end:?}"), |size| {
                    let text = piece.repeat(size) + end;
                    let lines = Lines::of(&text);
                    lines.folded(&text);
                    lines.looks.get()
                });
            }
        }
    }
}
