//! A spoken yes to something that cannot be undone.
//!
//! The question is read to the person and the next thing that they say decides. Only plain consent is a yes: every word
//! has to be one of consent or one that may stand beside it (`tables`). So nothing has to be recognised as a condition,
//! a question, another amount or a quotation: whatever is said beyond a yes makes it none.
//!
//! The judge is a pure function, takes time linear in what it is given, and looks at the first words only.

mod tables;

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use self::tables::{Table, table};
use super::{language::Language, turn::At};

/// How long an answer is waited for before silence counts as a no.
const WAITS: Duration = Duration::from_secs(20);

/// A yes has at most so many words; of a longer answer only these are looked at, and a no is found among them.
const MOST_WORDS: usize = 16;

/// A longer answer, in bytes, is never a yes. What stands behind is not looked at.
const LONGEST: usize = 512;

/// Phrases of the tables have at most so many words, however a recogniser splits them.
const LONGEST_PHRASE: usize = 7;

/// An answer of so few words is an attempt to answer, even when none of them is known.
const SHORT: usize = 3;

/// What a person's answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be done.
    Yes,
    /// It may not, and the person said so.
    No,
    /// Neither: a question, a doubt, a condition, a sign of listening. It may not be done; ask again.
    Unclear,
    /// The person spoke of something else: it may not be done, and what they said wants an answer.
    Other,
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

/// Judges what a person said after a question in `language`, in which they may answer, or in English. If the language
/// is not known, an answer counts in any of ours, unless it means something else in another one.
pub fn judge(said: &str, language: Option<Language>) -> Verdict {
    let answer = Answer::of(said);
    let languages = match language {
        Some(language) => &[language, Language::English][..],
        None => &Language::ALL[..],
    };
    let read = languages.iter().map(|language| lexicon(*language).read(&answer)).collect::<Vec<_>>();
    // The language that knows most of the words is the one that was spoken; where several do, all have to agree.
    let most = read.iter().map(|(_, known)| *known).max().unwrap_or_default();
    let spoken = read.into_iter().filter(|(_, known)| *known == most).map(|(reading, _)| reading);
    together(&spoken.collect::<Vec<_>>()).verdict()
}

/// What an answer is in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Yes,
    No,
    /// Words of this language that are neither.
    Unclear,
    /// Too short to be talk about something else, and not of this language.
    Unknown,
    Other,
}

impl Reading {
    fn verdict(self) -> Verdict {
        match self {
            Reading::Yes => Verdict::Yes,
            Reading::No => Verdict::No,
            Reading::Unclear | Reading::Unknown => Verdict::Unclear,
            Reading::Other => Verdict::Other,
        }
    }
}

/// A yes counts if no language objects, a no if none hears a yes.
fn together(readings: &[Reading]) -> Reading {
    let has = |reading| readings.contains(&reading);
    match () {
        () if has(Reading::Yes) && !has(Reading::No) && !has(Reading::Unclear) => Reading::Yes,
        () if has(Reading::No) && !has(Reading::Yes) => Reading::No,
        () if has(Reading::Yes) || has(Reading::Unclear) => Reading::Unclear,
        () if has(Reading::Unknown) => Reading::Unknown,
        () => Reading::Other,
    }
}

/// What was said, cut into words.
struct Answer {
    words: Vec<String>,
    /// Whether these are all the words.
    is_whole: bool,
    /// Whether it is written as a question anywhere.
    asks: bool,
    /// How many words stand in front of the first mark that is not the end of a question.
    first_clause: Option<usize>,
    /// Whether there are letters that English does not have.
    has_accents: bool,
}

impl Answer {
    fn of(said: &str) -> Answer {
        let looked_at = &said[..said.floor_char_boundary(LONGEST)];
        let mut answer = Answer {
            words: vec![],
            is_whole: looked_at.len() == said.len(),
            asks: looked_at.contains(['?', '¿', '？', '؟']),
            first_clause: None,
            has_accents: false,
        };
        let mut word = String::new();
        let mut asked = false;
        for letter in looked_at.chars().chain([' ']) {
            if is_inside(letter) {
                answer.has_accents |= letter.is_alphabetic() && !letter.is_ascii();
                fold(letter, &mut word);
            } else {
                if !word.is_empty() {
                    answer.push(std::mem::take(&mut word));
                }
                asked |= letter == '?';
                if matches!(letter, ',' | '.' | '!' | ';' | ':' | '…' | '—' | '–') && !asked && !answer.words.is_empty()
                {
                    answer.first_clause.get_or_insert(answer.words.len());
                }
            }
        }
        answer
    }

    fn push(&mut self, word: String) {
        if self.words.len() < MOST_WORDS {
            self.words.push(word);
        } else {
            self.is_whole = false;
        }
    }

    /// The words from `from` on, written as one, for phrases of one word, of two, and so on.
    fn phrases(&self, from: usize) -> impl Iterator<Item = (usize, String)> {
        let mut phrase = String::new();
        self.words[from..].iter().take(LONGEST_PHRASE).enumerate().map(move |(at, word)| {
            phrase.push_str(word);
            (from + at + 1, phrase.clone())
        })
    }
}

/// Whether a letter belongs to a word. Apostrophes and combining accents do, and are left out of it.
fn is_inside(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '\'' | '’' | '‘' | '`' | '´' | '\u{300}'..='\u{36f}')
}

/// Adds a letter without what recognisers write in different ways: case, accents, apostrophes.
fn fold(letter: char, word: &mut String) {
    for letter in letter.to_lowercase() {
        match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => word.push('a'),
            'ç' => word.push('c'),
            'è' | 'é' | 'ê' | 'ë' => word.push('e'),
            'ì' | 'í' | 'î' | 'ï' => word.push('i'),
            'ñ' => word.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => word.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => word.push('u'),
            'œ' => word.push_str("oe"),
            'ß' => word.push_str("ss"),
            _ if letter.is_alphanumeric() => word.push(letter),
            _ => {}
        }
    }
}

/// What a phrase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Particle,
    Consent,
    Beside,
    Listening,
    Tag,
    Filler,
    Refusal,
    Neither,
}

/// A table, ready to be looked up.
struct Lexicon {
    phrases: HashMap<String, Kind>,
    has_accents: bool,
}

fn lexicon(language: Language) -> &'static Lexicon {
    static ALL: LazyLock<[Lexicon; 7]> =
        LazyLock::new(|| Language::ALL.map(|language| Lexicon::of(table(language), language != Language::English)));
    let at = Language::ALL.iter().position(|one| *one == language).unwrap_or_default();
    &ALL[at]
}

impl Lexicon {
    fn of(table: &Table, has_accents: bool) -> Lexicon {
        let lists = [
            (table.particles, Kind::Particle),
            (table.consents, Kind::Consent),
            (table.beside, Kind::Beside),
            (table.listening, Kind::Listening),
            (table.tags, Kind::Tag),
            (table.fillers, Kind::Filler),
            (table.refusals, Kind::Refusal),
            (table.neither, Kind::Neither),
        ];
        let all = lists.into_iter().flat_map(|(list, kind)| list.iter().map(move |phrase| (folded(phrase), kind)));
        Lexicon { phrases: all.collect(), has_accents }
    }

    /// What the answer is in this language, and how many of its words the language knows.
    fn read(&self, answer: &Answer) -> (Reading, usize) {
        // What has letters that a language lacks is not of it: `sûre` is no "sure".
        let is_foreign = answer.has_accents && !self.has_accents;
        let found = if is_foreign { vec![] } else { self.find(answer) };
        let is_known = |at: &usize| found.iter().any(|found| (found.from..found.to).contains(at));
        (self.judge(answer, &found), (0..answer.words.len()).filter(is_known).count())
    }

    fn judge(&self, answer: &Answer, found: &[Found]) -> Reading {
        if self.refuses(answer, found) {
            return Reading::No;
        }
        let knows = |kinds: &[Kind]| found.iter().any(|found| kinds.contains(&found.kind));
        let is_doubted = answer.asks || !answer.is_whole || knows(&[Kind::Refusal, Kind::Neither]);
        if !is_doubted && !found.is_empty() && self.is_plain(answer, 0) {
            return Reading::Yes;
        }
        let is_about_it =
            knows(&[Kind::Particle, Kind::Consent, Kind::Listening, Kind::Tag, Kind::Refusal, Kind::Neither]);
        match () {
            () if is_about_it => Reading::Unclear,
            () if answer.words.len() <= SHORT => Reading::Unknown,
            () => Reading::Other,
        }
    }

    /// The known phrases, wherever they stand. Nothing counts that stands inside of a longer one: there is no "not" in
    /// "not sure", and no "aucun" in "sans aucun doute".
    fn find(&self, answer: &Answer) -> Vec<Found> {
        let mut found = vec![];
        for from in 0..answer.words.len() {
            let here = answer.phrases(from).filter_map(|(to, phrase)| {
                let kind = *self.phrases.get(&phrase)?;
                Some(Found { from, to, kind })
            });
            found.extend(here);
        }
        let all = found.clone();
        let is_within = |one: &Found, other: &Found| {
            other.from <= one.from && one.to <= other.to && one.to - one.from < other.to - other.from
        };
        found.retain(|one| !all.iter().any(|other| is_within(one, other)));
        found
    }

    /// Whether the answer is a no: it has one, and neither asks nor goes on with a yes.
    fn refuses(&self, answer: &Answer, found: &[Found]) -> bool {
        let of = |kind| found.iter().filter(move |found| found.kind == kind);
        if answer.asks {
            // "No! What are you doing?"
            let clause = answer.first_clause.unwrap_or_default();
            return of(Kind::Refusal).any(|no| no.to <= clause) && !of(Kind::Neither).any(|doubt| doubt.to <= clause);
        }
        let Some(last_no) = of(Kind::Refusal).map(|no| no.to).max() else { return false };
        !of(Kind::Particle).any(|yes| yes.from >= last_no && self.is_plain(answer, yes.from))
    }

    /// Whether every word from `begin` on is one of consent or may stand beside it, and there is consent.
    fn is_plain(&self, answer: &Answer, begin: usize) -> bool {
        const NOT_YET: u8 = 1;
        const CONSENTED: u8 = 2;
        let count = answer.words.len();
        let mut reached = vec![0u8; count + 1];
        reached[begin] = NOT_YET;
        for from in begin..count {
            if reached[from] == 0 {
                continue;
            }
            for (to, phrase) in answer.phrases(from) {
                let Some(kind) = self.phrases.get(&phrase) else { continue };
                reached[to] |= match kind {
                    Kind::Particle | Kind::Consent => CONSENTED,
                    Kind::Beside | Kind::Listening => reached[from],
                    Kind::Tag | Kind::Filler => reached[from] & NOT_YET,
                    Kind::Refusal | Kind::Neither => 0,
                };
            }
        }
        reached[count] & CONSENTED != 0
    }
}

/// A phrase that was found, from a word to before another.
#[derive(Clone, Copy, Debug)]
struct Found {
    from: usize,
    to: usize,
    kind: Kind,
}

fn folded(phrase: &str) -> String {
    let mut folded = String::new();
    phrase.chars().for_each(|letter| fold(letter, &mut folded));
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHRASES: [(Language, &str); 7] = [
        (Language::English, include_str!("phrases/en.txt")),
        (Language::German, include_str!("phrases/de.txt")),
        (Language::French, include_str!("phrases/fr.txt")),
        (Language::Spanish, include_str!("phrases/es.txt")),
        (Language::Italian, include_str!("phrases/it.txt")),
        (Language::Portuguese, include_str!("phrases/pt.txt")),
        (Language::Dutch, include_str!("phrases/nl.txt")),
    ];

    /// The lines of a file of phrases: `phrase → yes`.
    fn phrases(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
        file.lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| line.rsplit_once(" → ").unwrap_or_else(|| panic!("no verdict: {line}")))
    }

    fn name(verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Yes => "yes",
            Verdict::No => "no",
            Verdict::Unclear | Verdict::Other => "unclear",
        }
    }

    #[test]
    fn every_phrase_is_judged_as_people_mean_it() {
        let mut wrong = vec![];
        for (language, file) in PHRASES {
            for (said, meant) in phrases(file) {
                let judged = name(judge(said, Some(language)));
                if judged != meant {
                    wrong.push(format!("{}: {said:?} is {meant}, judged {judged}", language.code()));
                }
            }
        }
        assert!(wrong.is_empty(), "{} phrases:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn there_are_enough_different_phrases_in_each_language() {
        for (language, file) in PHRASES {
            let mut all = phrases(file).map(|(said, _)| said).collect::<Vec<_>>();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count, "{}: some phrases stand there twice", language.code());
            for (verdict, least) in [("yes", 60), ("no", 50), ("unclear", 100)] {
                let of_it = phrases(file).filter(|(_, meant)| *meant == verdict).count();
                assert!(of_it >= least, "{}: {of_it} phrases are {verdict}", language.code());
            }
            assert!(count >= 300, "{}: {count} phrases", language.code());
        }
    }

    #[test]
    fn what_is_no_yes_in_a_language_is_none_where_the_language_is_not_known() {
        let mut wrong = vec![];
        for (language, file) in PHRASES {
            // In French it is "if", and for a Spaniard's or an Italian's yes nobody hears the difference.
            for (said, meant) in phrases(file).filter(|(said, meant)| *meant != "yes" && *said != "si") {
                if judge(said, None) == Verdict::Yes {
                    wrong.push(format!("{}: {said:?} is {meant}", language.code()));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_plain_yes_is_one_where_the_language_is_not_known() {
        for said in
            ["Yes.", "Yes, please do it.", "sure", "go ahead", "Ja, bitte.", "Oui.", "Sí.", "Sì", "sim", "ja hoor"]
        {
            assert_eq!(judge(said, None), Verdict::Yes, "{said}");
        }
        for said in
            ["No.", "Nein danke", "Non merci", "não", "nee", "Yes, no, wait", "that is not right", "Don't do it"]
        {
            assert_eq!(judge(said, None), Verdict::No, "{said}");
        }
    }

    #[test]
    fn who_speaks_of_something_else_is_told_from_who_is_in_doubt() {
        for said in ["What time is it?", "Make it fifty euros", "Make it Ben's instead.", "tell Ana that it rains"] {
            assert_eq!(judge(said, Some(Language::English)), Verdict::Other, "{said}");
        }
        for said in ["", "?", "yes for Ana", "Okay?", "what", "please", "it is", "Yes, but only half of it", "👍"] {
            assert_eq!(judge(said, Some(Language::English)), Verdict::Unclear, "{said}");
        }
    }

    #[test]
    fn a_question_mark_at_the_end_takes_every_yes_away() {
        for (language, file) in PHRASES {
            for (said, _) in phrases(file).filter(|(_, meant)| *meant == "yes") {
                let asked = format!("{}?", said.trim_end_matches(['.', '!']));
                assert_ne!(judge(&asked, Some(language)), Verdict::Yes, "{asked}");
            }
        }
    }

    #[test]
    fn whatever_is_added_to_a_yes_takes_it_away() {
        for (language, file) in PHRASES {
            for (said, _) in phrases(file).filter(|(_, meant)| *meant == "yes") {
                let said = said.trim_end_matches(['.', '!']);
                // "Aber ja", "mais oui" and "ma sì" are consent.
                let behind = ["but", "aber", "mais", "pero", "ma", "mas", "wenn", "si vous", "and", "und", "et"];
                let behind = behind.map(|more| format!("{said} {more}"));
                let around =
                    ["Karl", "500", "if", "tomorrow"].map(|more| [format!("{said} {more}"), format!("{more} {said}")]);
                for together in behind.iter().chain(around.as_flattened()) {
                    assert_ne!(judge(together, Some(language)), Verdict::Yes, "{together}");
                }
            }
        }
    }

    #[test]
    fn a_phrase_stands_in_one_list_only() {
        for language in Language::ALL {
            let table = table(language);
            let lists = [
                table.particles,
                table.consents,
                table.beside,
                table.listening,
                table.tags,
                table.fillers,
                table.refusals,
                table.neither,
            ];
            let mut all = lists.concat().into_iter().map(folded).collect::<Vec<_>>();
            all.sort_unstable();
            let twice = all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect::<Vec<_>>();
            assert!(twice.is_empty(), "{language:?}: {twice:?}");
            let words = lists.concat().into_iter().map(|phrase| phrase.split([' ', '-', '\'']).count()).max();
            assert!(words <= Some(LONGEST_PHRASE), "{language:?}: a phrase of {words:?} words is never found");
        }
    }

    #[test]
    fn the_work_is_bounded_whatever_is_said() {
        let long = "yes ".repeat(100_000);
        assert_eq!(judge(&long, None), Verdict::Unclear);
        assert_eq!(Answer::of(&long).words.len(), MOST_WORDS);
        assert_eq!(judge(&"y".repeat(1_000_000), None), Verdict::Unclear);
        assert_eq!(judge(&format!("no {}", "what ".repeat(1_000)), None), Verdict::No);
    }

    #[test]
    fn silence_becomes_a_no() {
        let pending = Pending::new("c1", "Cancel it?", Duration::from_secs(5));
        assert!(!pending.has_lapsed(Duration::from_secs(24)));
        assert!(pending.has_lapsed(Duration::from_secs(25)));
    }
}
