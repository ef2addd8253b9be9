//! A spoken yes to something that cannot be undone.
//!
//! The question is read back word for word and the next thing that the person says decides. Only a plain yes is one:
//! a no, silence and talk about something else refuse, and so does a yes with a condition.

use std::time::Duration;

use super::{turn::At, words::words};

/// How long an answer is waited for before silence counts as a no.
const WAITS: Duration = Duration::from_secs(20);

/// Words that say yes.
const YES: &[&str] = &[
    "yes",
    "yeah",
    "yep",
    "yup",
    "sure",
    "ok",
    "okay",
    "correct",
    "right",
    "confirm",
    "confirmed",
    "absolutely",
    "definitely",
    "exactly",
    "ja",
    "jawohl",
    "genau",
    "richtig",
    "bestätigt",
    "einverstanden",
];

/// Words that may stand beside a yes without changing it.
const BESIDE: &[&str] = &[
    "please",
    "do",
    "it",
    "that",
    "thats",
    "is",
    "go",
    "ahead",
    "of",
    "course",
    "i",
    "am",
    "im",
    "you",
    "can",
    "thanks",
    "thank",
    "fine",
    "bitte",
    "mach",
    "das",
    "es",
    "tun",
    "sie",
    "danke",
    "gerne",
    "klar",
    "natürlich",
    "stimmt",
    "um",
    "uh",
    "well",
    "oh",
    "äh",
];

/// Whole sentences that say yes without any of the words for it.
const SAY_YES: &[&str] = &[
    "go ahead",
    "please do",
    "do it",
    "of course",
    "please go ahead",
    "mach das",
    "bitte",
    "gerne",
    "natürlich",
    "das stimmt",
];

/// What a person's answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be done.
    Yes,
    /// It may not, and the person said so.
    No,
    /// The person spoke of something else, or of a change: it may not be done, and what they said wants an answer.
    Else,
}

/// A question that waits for a spoken answer, bound to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The call that waits.
    pub call: String,
    /// What was asked, word for word.
    pub question: String,
    /// When the question had been said.
    asked: At,
}

impl Pending {
    /// A question that has just been said to its end.
    pub fn new(call: impl Into<String>, question: impl Into<String>, asked: At) -> Self {
        Pending { call: call.into(), question: question.into(), asked }
    }

    /// Whether the silence has become a no.
    pub fn has_lapsed(&self, now: At) -> bool {
        now.saturating_sub(self.asked) >= WAITS
    }
}

/// Judges what a person said after a question.
pub fn judge(said: &str) -> Verdict {
    let words = words(said);
    let sentence = words.join(" ");
    let has_no = words.iter().any(|word| is_no(word));
    let says_yes = words.iter().any(|word| YES.contains(&word.as_str()));
    let is_plain = words.iter().all(|word| YES.contains(&word.as_str()) || BESIDE.contains(&word.as_str()));
    if has_no {
        return Verdict::No;
    }
    // A question is no answer: "right?", "okay?".
    if said.trim_end().ends_with('?') {
        return Verdict::Else;
    }
    if SAY_YES.contains(&sentence.as_str()) || (says_yes && is_plain) { Verdict::Yes } else { Verdict::Else }
}

fn is_no(word: &str) -> bool {
    const NO: &[&str] = &[
        "no", "nope", "nah", "not", "dont", "never", "stop", "wait", "cancel", "wrong", "nein", "nicht", "kein",
        "keine", "halt", "warte", "warten", "stopp", "falsch",
    ];
    NO.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_yes_is_one() {
        for said in
            ["Yes.", "Yes, please do it.", "Okay", "Go ahead!", "Ja, bitte.", "That's correct.", "yeah sure", "Genau."]
        {
            assert_eq!(judge(said), Verdict::Yes, "{said}");
        }
        for said in ["No.", "No, thank you.", "Don't do it", "Yes, no, wait", "Stop", "Nein danke", "that is not right"]
        {
            assert_eq!(judge(said), Verdict::No, "{said}");
        }
        for said in [
            "",
            "Yes, but only half of it",
            "Make it fifty euros",
            "What time is it?",
            "Okay?",
            "yes for Ana",
            "please",
            "it is",
        ] {
            assert_eq!(judge(said), Verdict::Else, "{said}");
        }
    }

    #[test]
    fn silence_becomes_a_no() {
        let pending = Pending::new("c1", "Cancel it?", Duration::from_secs(5));
        assert!(!pending.has_lapsed(Duration::from_secs(24)));
        assert!(pending.has_lapsed(Duration::from_secs(25)));
    }
}
