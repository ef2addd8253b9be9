//! As much English as the rules need: words, phrases and names.

/// Words after which a name is over.
const NO_NAME: &[&str] = &[
    "address",
    "after",
    "again",
    "are",
    "as",
    "because",
    "before",
    "by",
    "channel",
    "contact",
    "customer",
    "deal",
    "deals",
    "email",
    "into",
    "mail",
    "number",
    "open",
    "or",
    "phone",
    "regarding",
    "saying",
    "tonight",
    "up",
    "via",
    "we",
    "your",
];

/// Words that stand in every sentence and name nothing: neither somebody nor a meeting.
const SMALL: &[&str] = &[
    "a",
    "about",
    "afternoon",
    "all",
    "an",
    "and",
    "at",
    "call",
    "can",
    "day",
    "evening",
    "for",
    "friday",
    "from",
    "half",
    "i",
    "in",
    "is",
    "it",
    "me",
    "meeting",
    "monday",
    "morning",
    "my",
    "next",
    "noon",
    "of",
    "on",
    "our",
    "please",
    "quarter",
    "saturday",
    "sunday",
    "that",
    "the",
    "this",
    "thursday",
    "to",
    "today",
    "tomorrow",
    "tuesday",
    "until",
    "was",
    "wednesday",
    "week",
    "with",
    "you",
];

/// Words that end in `'s` and own nothing.
const NO_OWNER: &[&str] = &["what", "it", "that", "who", "let", "where", "here", "there", "he", "she", "when", "how"];

/// Whether a word in small letters names nothing: a number and a time are none either.
pub(super) fn is_small(word: &str) -> bool {
    SMALL.contains(&word) || super::times::number(word).is_some() || word.contains(':')
}

/// Something that was said, word by word.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub raw: String,
    words: Vec<Word>,
}

#[derive(Clone, Debug)]
struct Word {
    /// As it was written, without what stands around it.
    written: String,
    /// In small letters.
    low: String,
    /// Whether `'s` stood behind it.
    owns: bool,
    /// Whether the sentence or a part of it ends here.
    ends: bool,
}

impl Said {
    pub fn new(text: &str) -> Self {
        let words = text.split_whitespace().map(Word::new).filter(|word| !word.low.is_empty()).collect();
        Said { raw: text.trim().to_owned(), words }
    }

    /// Its words in small letters.
    pub fn lows(&self) -> Vec<&str> {
        self.words.iter().map(|word| word.low.as_str()).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether any of the words is said.
    pub fn has(&self, any: &[&str]) -> bool {
        self.words.iter().any(|word| any.contains(&word.low.as_str()))
    }

    /// Whether any of the phrases is said.
    pub fn says(&self, any: &[&str]) -> bool {
        any.iter().any(|phrase| self.find(phrase).is_some())
    }

    /// What was said after a phrase.
    pub fn rest(&self, phrase: &str) -> Option<Said> {
        let from = self.find(phrase)? + phrase.split(' ').count();
        Some(self.part(from, self.words.len()))
    }

    /// What was said after a phrase for the last time.
    pub fn last_rest(&self, word: &str) -> Option<Said> {
        let at = self.words.iter().rposition(|one| one.low == word)?;
        Some(self.part(at + 1, self.words.len()))
    }

    /// What was said before a word was said for the last time.
    pub fn before_last(&self, word: &str) -> Option<Said> {
        let at = self.words.iter().rposition(|one| one.low == word)?;
        Some(self.part(0, at))
    }

    /// As it was written, without the signs at its end.
    pub fn written(&self) -> String {
        let words =
            self.words.iter().map(|word| if word.owns { format!("{}'s", word.written) } else { word.written.clone() });
        words.collect::<Vec<_>>().join(" ")
    }

    /// The name that follows one of the words, such as `Ana Ruiz` after `with`.
    pub fn name_after(&self, cues: &[&str]) -> Option<String> {
        cues.iter().find_map(|cue| {
            let at = self.words.iter().position(|word| word.low == *cue)?;
            self.name_from(at + 1)
        })
    }

    /// The name that owns something: `Olivia Grant's number`.
    pub fn owner(&self) -> Option<String> {
        let at = self.words.iter().position(|word| word.owns)?;
        let begins = (0..=at).rev().take_while(|&at| self.words[at].can_be_a_name()).last()?;
        Some(self.name(begins, at + 1)).filter(|name| !name.is_empty())
    }

    /// The words with a capital letter that do not begin the sentence.
    pub fn capitals(&self) -> Option<String> {
        let is_capital = |word: &Word| word.written.starts_with(char::is_uppercase) && word.can_be_a_name();
        let begin = (1..self.words.len()).find(|&at| is_capital(&self.words[at]))?;
        let end = (begin..self.words.len()).find(|&at| !is_capital(&self.words[at])).unwrap_or(self.words.len());
        Some(self.name(begin, end))
    }

    /// An e-mail address, as it is written.
    pub fn address(&self) -> Option<&str> {
        let is_address =
            |word: &&Word| word.low.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
        self.words.iter().find(is_address).map(|word| word.low.as_str())
    }

    /// A channel and where it is said: `#sales`, `the sales channel`.
    pub fn channel(&self) -> Option<(String, Said, Said)> {
        if let Some(at) = self.words.iter().position(|word| word.low.starts_with('#')) {
            let name = format!("#{}", self.words[at].low.trim_start_matches('#'));
            return Some((name, self.part(0, at), self.part(at + 1, self.words.len())));
        }
        let at = self.words.iter().position(|word| word.low == "channel").filter(|at| *at > 0)?;
        let is_border =
            |at: &usize| ["the", "to", "in", "our", "a", "from", "into"].contains(&self.words[*at].low.as_str());
        let begin = (0..at).rev().find(is_border).map_or(at - 1, |border| border + 1);
        let name = self.words[begin..at].iter().map(|word| word.low.as_str()).collect::<Vec<_>>().join("-");
        let after = self.part(at + 1, self.words.len());
        (!name.is_empty()).then(|| (format!("#{name}"), self.part(0, begin), after))
    }

    pub fn is_yes(&self) -> bool {
        self.has(&["yes", "yeah", "yep", "sure", "ok", "okay", "please", "correct", "right"]) && !self.is_no()
            || self.says(&["go ahead", "do it"])
    }

    pub fn is_no(&self) -> bool {
        self.has(&["no", "nope", "not", "dont", "stop", "never", "cancel"])
    }

    fn find(&self, phrase: &str) -> Option<usize> {
        let wanted = phrase.split(' ').collect::<Vec<_>>();
        self.words
            .windows(wanted.len())
            .position(|window| window.iter().map(|word| word.low.as_str()).eq(wanted.iter().copied()))
    }

    fn part(&self, from: usize, to: usize) -> Said {
        let words = self.words[from..to].to_vec();
        let mut part = Said { raw: String::new(), words };
        part.raw = part.written();
        part
    }

    fn name_from(&self, from: usize) -> Option<String> {
        let skips = |at: &usize| {
            ["the", "a", "my", "our", "customer", "contact", "company"].contains(&self.words[*at].low.as_str())
        };
        let begin = (from..self.words.len()).find(|at| !skips(at))?;
        let mut end = begin;
        while end < self.words.len() && self.words[end].can_be_a_name() {
            end += 1;
            if self.words[end - 1].owns || self.words[end - 1].ends {
                break;
            }
        }
        (end > begin).then(|| self.name(begin, end))
    }

    /// The words as a name: each with a capital letter.
    fn name(&self, begin: usize, end: usize) -> String {
        let capital = |word: &Word| {
            let mut letters = word.written.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase).collect::<String>();
            first + letters.as_str()
        };
        self.words[begin..end].iter().map(capital).collect::<Vec<_>>().join(" ")
    }
}

impl Word {
    fn new(text: &str) -> Word {
        let ends = text.ends_with(['.', ',', '?', '!', ';', ':']);
        let is_edge = |c: char| !c.is_alphanumeric() && !matches!(c, '#' | '@');
        let mut written = text.trim_end_matches(is_edge).trim_start_matches(is_edge).replace('’', "'");
        let mut owns = false;
        if let Some(owner) = written.strip_suffix("'s")
            && !NO_OWNER.contains(&owner.to_lowercase().as_str())
        {
            written = owner.to_owned();
            owns = true;
        }
        let low = match written.to_lowercase().replace('\'', "") {
            low if low == "p.m" => "pm".to_owned(),
            low if low == "a.m" => "am".to_owned(),
            low => low,
        };
        Word { written, low, owns, ends }
    }

    fn can_be_a_name(&self) -> bool {
        !NO_NAME.contains(&self.low.as_str()) && !is_small(&self.low)
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(things: &[String], and: &str) -> String {
    match things {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {and} {last}", first.join(", ")),
    }
}

/// A number in words, for the small ones.
pub(super) fn count(number: usize) -> String {
    const WORDS: &[&str] = &["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    WORDS.get(number).map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_people_say_them() {
        let with = |text: &str| Said::new(text).name_after(&["with"]).unwrap_or_default();
        assert_eq!(with("Book a meeting with Ana Ruiz tomorrow at ten."), "Ana Ruiz");
        assert_eq!(with("book a meeting with ana at 10"), "Ana");
        assert_eq!(with("book it with the customer Contoso Foods, please"), "Contoso Foods");
        assert_eq!(with("book a meeting with"), "");
        assert_eq!(Said::new("What is Olivia Grant's phone number?").owner().unwrap(), "Olivia Grant");
        assert_eq!(Said::new("What's on my calendar?").owner(), None);
        assert_eq!(Said::new("Find Maarten Visser for me").capitals().unwrap(), "Maarten Visser");
    }

    #[test]
    fn channels_are_found_by_sign_and_by_word() {
        let channel = |text: &str| Said::new(text).channel().map(|(name, ..)| name).unwrap_or_default();
        assert_eq!(channel("post hello to #sales"), "#sales");
        assert_eq!(channel("Post hello in the Contoso pilot channel."), "#contoso-pilot");
        assert_eq!(channel("tell support channel that we are late"), "#support");
        assert_eq!(channel("post hello"), "");
    }

    #[test]
    fn lists_are_read_out_as_people_do() {
        let things = |count: usize| ["a", "b", "c"][..count].iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        assert_eq!([0, 1, 2, 3].map(|count| listed(&things(count), "and")), ["", "a", "a and b", "a, b and c"]);
    }
}
