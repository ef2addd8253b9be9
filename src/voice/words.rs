//! What words tell about a turn: whether a sentence is complete, and whether somebody only says that they listen.
//!
//! Rules instead of a model: they cost nothing, work offline, and fail towards waiting a little longer.

/// A sentence that ends in one of these goes on.
const GOES_ON: &[&str] = &[
    "a", "about", "an", "and", "as", "at", "because", "but", "by", "for", "from", "if", "in", "into", "is", "my", "of",
    "on", "or", "our", "so", "than", "that", "the", "then", "to", "until", "when", "where", "which", "while", "who",
    "with", "your", "er", "erm", "hm", "hmm", "like", "uh", "uhm", "um", // German.
    "aber", "als", "am", "an", "auf", "aus", "bei", "bis", "dann", "das", "dass", "dem", "den", "der", "die", "ein",
    "eine", "einen", "einer", "für", "im", "mein", "meine", "mit", "nach", "oder", "ob", "und", "unser", "von", "vor",
    "weil", "wenn", "zu", "zum", "zur", "äh", "ähm",
];

/// What a listener says without wanting the turn.
const LISTENING: &[&str] = &[
    "ah", "aha", "hm", "hmm", "m", "mhm", "mm", "mmhm", "mmhmm", "mmm", "oh", "ok", "okay", "right", "sure", "uh",
    "uhhuh", "huh", "yeah", "yep", "yes", "i", "see", "got", "it", "go", "on", "ach", "genau", "ja", "so", "gut",
    "klar",
];

/// More words than this are never only a sign of listening.
const MOST_LISTENING: usize = 3;

/// Whether what was said so far sounds finished.
///
/// It does not after a conjunction, an article or a preposition, after a filler, after a comma, and in the middle of a
/// number that is read out digit by digit.
pub fn is_complete(said: &str) -> bool {
    let said = said.trim();
    if said.ends_with(['?', '!']) {
        return true;
    }
    if said.ends_with([',', '-', '–', '…', ':', ';']) || said.ends_with("...") {
        return false;
    }
    let words = words(said);
    match words.last() {
        None => false,
        Some(last) if GOES_ON.contains(&last.as_str()) => false,
        Some(last) => !is_digits(last) || ends_a_number(&words),
    }
}

/// Whether somebody only shows that they listen: "mm-hmm", "okay", "I see".
pub fn is_back_channel(said: &str) -> bool {
    let words = words(said);
    words.len() <= MOST_LISTENING && words.iter().all(|word| LISTENING.contains(&word.as_str()))
}

/// A number that is read out goes on in groups of up to four digits; one digit group after a word is whole ("at 9").
fn ends_a_number(words: &[String]) -> bool {
    let groups = words.iter().rev().take_while(|word| is_digits(word)).collect::<Vec<_>>();
    let digits: usize = groups.iter().map(|group| group.len()).sum();
    groups.len() == 1 || digits >= 7
}

fn is_digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words in small letters, without what stands around and inside them.
pub(super) fn words(said: &str) -> Vec<String> {
    let bare =
        |word: &str| word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    said.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_goes_on_is_not_complete() {
        for said in
            ["", "Book a meeting with", "I would like to", "My number is 030 55", "Well, um", "Ana, ", "Ich möchte am"]
        {
            assert!(!is_complete(said), "{said:?}");
        }
        for said in [
            "Book a meeting with Ana.",
            "Is that so?",
            "yes",
            "Let us meet at 9",
            "My number is 030 555 1234",
            "Morgen um zehn Uhr",
            "Where are you at?",
        ] {
            assert!(is_complete(said), "{said:?}");
        }
    }

    #[test]
    fn listening_is_told_from_speaking() {
        for said in ["Mm-hmm.", "okay", "Yeah, yeah", "uh-huh", "I see.", "Ja, genau.", ""] {
            assert!(is_back_channel(said), "{said:?}");
        }
        for said in ["No", "Stop", "Okay, but make it ten", "yes yes yes yes", "Wait a moment", "Nein"] {
            assert!(!is_back_channel(said), "{said:?}");
        }
    }
}
