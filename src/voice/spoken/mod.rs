//! The spoken form of a question: what people say for what they write.
//!
//! Questions come from tools, written for the eye. A voice reads "2026-12-03T08:00+01:00" digit by digit, and nobody
//! understands what they agree to. So days, times, amounts, numbers, telephone numbers and addresses are put into words
//! of the line's language, and ids are left out or spelled. The page shows the question as it was written.
//!
//! It takes time linear in the question, of which only the beginning is read when it is long.

mod calendar;
mod money;
mod numbers;
mod reading;
mod words;

use jiff::civil::{Date, Time};

use self::{
    numbers::{cardinal, digits},
    reading::{Moment, Reader},
    words::signs,
};
use super::language::Language;

/// A question's spoken form has at most about so many bytes: a minute and a half of speech.
const LONGEST: usize = 1_500;

/// Of a longer question only so many bytes are looked at.
const LONGEST_WRITTEN: usize = 2 * LONGEST;

/// A longer id is not spelled; its end has to do.
const MOST_SPELLED: usize = 12;

/// A question as it is read out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The words.
    pub text: String,
    /// Whether they are all of it. If not, a spoken yes cannot be one to the whole question.
    pub is_whole: bool,
}

/// How a question is read out in `language` on the day `today`.
pub fn question(written: &str, language: Language, today: Date) -> Spoken {
    let looked_at = &written[..written.floor_char_boundary(LONGEST_WRITTEN)];
    let mut speaker = Speaker { language, today, said: String::with_capacity(looked_at.len()) };
    let mut reader = Reader::new(looked_at);
    while !reader.is_at_end() && speaker.said.len() < LONGEST {
        speaker.say_next(&mut reader);
    }
    let is_whole = reader.is_at_end() && looked_at.len() == written.len();
    Spoken { text: tidy(&speaker.said), is_whole }
}

/// Puts one thing after the other into words.
struct Speaker {
    language: Language,
    today: Date,
    said: String,
}

impl Speaker {
    fn say_next(&mut self, reader: &mut Reader<'_>) {
        if reader.is_at_word() && self.say_something_known(reader) {
            return;
        }
        let Some(letter) = reader.next() else { return };
        match letter {
            // Marks for the eye.
            '*' | '`' | '[' | ']' | '{' | '}' | '<' | '>' | '|' | '~' | '^' | '\\' => self.said.push(' '),
            '#' | '_' => {}
            letter if letter.is_control() => self.said.push(' '),
            letter => self.said.push(letter),
        }
    }

    /// Whether there was anything here that is said in another way than it is written.
    fn say_something_known(&mut self, reader: &mut Reader<'_>) -> bool {
        if reader.id_in_brackets() {
            return true;
        }
        if let Some(moment) = reader.moment() {
            self.say_moment(moment, reader);
        } else if let Some(url) = reader.url() {
            let host = self.host(url);
            self.put(&format!("{} {host}", signs(self.language).link));
        } else if let Some(address) = reader.email() {
            let address = self.address(address);
            self.put(&address);
        } else if let Some(amount) = reader.amount() {
            let amount = amount.in_words(self.language);
            self.put(&amount);
        } else if let Some(number) = reader.telephone() {
            let number = self.telephone(number);
            self.put(&number);
        } else if let Some(number) = reader.number() {
            let number = number.in_words(self.language);
            self.put(&number);
        } else if let Some(id) = reader.id() {
            let id = self.spelled(id);
            self.put(&id);
        } else if let Some(word) = reader.word() {
            self.said.push_str(word);
        } else {
            return false;
        }
        true
    }

    fn put(&mut self, words: &str) {
        if self.said.ends_with(|last: char| last.is_alphanumeric()) {
            self.said.push(' ');
        }
        self.said.push_str(words);
    }

    /// Takes back a word that was said last, such as the "on" in front of a day, which each language puts otherwise.
    fn take_back(&mut self, word: &str) -> bool {
        let Some(head) = self.said.strip_suffix(' ') else { return false };
        let at = head.len().saturating_sub(word.len());
        let is_it = head.get(at..).is_some_and(|tail| tail.eq_ignore_ascii_case(word));
        let is_whole = head.get(..at).is_some_and(|rest| !rest.ends_with(|last: char| last.is_alphanumeric()));
        if is_it && is_whole {
            self.said.truncate(at);
        }
        is_it && is_whole
    }

    fn say_moment(&mut self, from: Moment, reader: &mut Reader<'_>) {
        let to = reader.end_of(&from);
        let began = self.said.trim_end().is_empty();
        let is_when = self.take_back("on") || self.take_back("at") || self.take_back("from");
        let is_capital = began || is_when && self.said.trim_end().is_empty();
        let words = match (from, to) {
            (Moment { day, time: Some(begin) }, Some(Moment { day: end_day, time: Some(end) }))
                if end_day.is_none() || end_day == day =>
            {
                let hours = calendar::from_to(begin, end, self.language);
                day.map_or_else(|| hours.clone(), |day| format!("{} {hours}", self.day(day, is_when)))
            }
            (from, Some(to)) => {
                let until = calendar::until(self.language);
                format!("{} {until} {}", self.moment(from, is_when), self.moment(to, false))
            }
            (from, None) => self.moment(from, is_when),
        };
        if is_capital { self.put(&capital(&words)) } else { self.put(&words) }
    }

    fn moment(&self, moment: Moment, is_when: bool) -> String {
        let time = |time: Time, is_when| calendar::time(time, self.language, is_when);
        match (moment.day, moment.time) {
            (Some(day), Some(at)) => format!("{} {}", self.day(day, is_when), time(at, true)),
            (Some(day), None) => self.day(day, is_when),
            (None, at) => at.map_or_else(String::new, |at| time(at, is_when)),
        }
    }

    fn day(&self, day: Date, is_when: bool) -> String {
        calendar::day(day, self.today, self.language, is_when)
    }

    /// An address as it is dictated.
    fn address(&self, address: &str) -> String {
        let signs = signs(self.language);
        let mut said = String::new();
        let mut run = String::new();
        for letter in address.chars() {
            let sign = match letter {
                '@' => signs.at,
                '.' => signs.dot,
                '_' => signs.underscore,
                '-' => signs.dash,
                '+' => signs.plus,
                '/' => signs.slash,
                letter => {
                    // Letters and digits are said apart.
                    if run.ends_with(|last: char| last.is_ascii_digit() != letter.is_ascii_digit()) {
                        self.flush(&mut run, &mut said);
                    }
                    run.push(letter);
                    continue;
                }
            };
            self.flush(&mut run, &mut said);
            said.extend([sign, " "]);
        }
        self.flush(&mut run, &mut said);
        said.trim_end().to_owned()
    }

    fn flush(&self, run: &mut String, said: &mut String) {
        let run = std::mem::take(run);
        if run.starts_with(|first: char| first.is_ascii_digit()) {
            said.push_str(&digits(&run, self.language));
        } else {
            said.push_str(&run);
        }
        if !run.is_empty() {
            said.push(' ');
        }
    }

    /// The host of a link. The rest of it is for the eye.
    fn host(&self, url: &str) -> String {
        let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = bare.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        self.address(host.strip_prefix("www.").unwrap_or(host))
    }

    /// Digit by digit, in the groups in which it is written.
    fn telephone(&self, number: &str) -> String {
        let plus = if number.starts_with('+') { format!("{} ", signs(self.language).plus) } else { String::new() };
        let groups = number.split(|letter: char| !letter.is_ascii_digit()).filter(|group| !group.is_empty());
        let groups = groups.map(|group| digits(group, self.language)).collect::<Vec<_>>();
        format!("{plus}{}", groups.join(", "))
    }

    /// An id, sign by sign, or how it ends.
    fn spelled(&self, id: &str) -> String {
        let signs = id.chars().filter(|letter| letter.is_alphanumeric()).collect::<Vec<_>>();
        let is_long = signs.len() > MOST_SPELLED;
        let end = if is_long { &signs[signs.len() - 4..] } else { &signs[..] };
        let sign = |letter: &char| match letter.to_digit(10) {
            Some(digit) => cardinal(digit.into(), self.language),
            None => letter.to_uppercase().collect(),
        };
        let spelled = end.iter().map(sign).collect::<Vec<_>>().join(" ");
        if is_long { format!("{} {spelled}", words::signs(self.language).ending) } else { spelled }
    }
}

/// With a capital letter at its beginning.
fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// With single spaces, and none in front of a mark.
fn tidy(said: &str) -> String {
    let mut tidied = String::with_capacity(said.len());
    let words = said.split(|letter: char| letter.is_whitespace() || letter.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        let is_mark = word.starts_with(['?', '!', ',', '.', ';', ':', ')', '”']);
        if !tidied.is_empty() && !is_mark {
            tidied.push(' ');
        }
        tidied.push_str(word);
    }
    tidied
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 23);

    fn said(written: &str, language: Language) -> String {
        let spoken = question(written, language, TODAY);
        assert!(spoken.is_whole, "{written}");
        spoken.text
    }

    /// The same question in each language.
    #[track_caller]
    fn check(written: &str, expected: [&str; 7]) {
        for (language, expected) in Language::ALL.into_iter().zip(expected) {
            assert_eq!(said(written, language), expected, "{language:?}");
        }
    }

    #[test]
    fn a_meeting_is_named_as_people_say_it() {
        check(
            "Cancel \"Design review\" on Thu 2026-12-03T08:00+01:00 with ana.ruiz@northwind.example (guests will be told)?",
            [
                "Cancel \"Design review\" on Thursday the third of December at eight in the morning with ana dot ruiz at \
                 northwind dot example (guests will be told)?",
                "Cancel \"Design review\" am Donnerstag, dem dritten Dezember um acht Uhr with ana Punkt ruiz at northwind \
                 Punkt example (guests will be told)?",
                "Cancel \"Design review\" le jeudi trois décembre à huit heures with ana point ruiz arobase northwind point \
                 example (guests will be told)?",
                "Cancel \"Design review\" el jueves tres de diciembre a las ocho de la mañana with ana punto ruiz arroba \
                 northwind punto example (guests will be told)?",
                "Cancel \"Design review\" giovedì tre dicembre alle otto with ana punto ruiz chiocciola northwind punto \
                 example (guests will be told)?",
                "Cancel \"Design review\" na quinta-feira, três de dezembro às oito da manhã with ana ponto ruiz arroba \
                 northwind ponto example (guests will be told)?",
                "Cancel \"Design review\" op donderdag drie december om acht uur with ana punt ruiz apenstaartje northwind \
                 punt example (guests will be told)?",
            ],
        );
    }

    #[test]
    fn a_time_with_an_end_is_said_once() {
        check(
            "2026-12-03 09:00-10:30",
            [
                "Thursday the third of December from nine in the morning to ten thirty in the morning",
                "Donnerstag, der dritte Dezember von neun Uhr bis zehn Uhr dreißig",
                "Jeudi trois décembre de neuf heures à dix heures trente",
                "Jueves tres de diciembre desde las nueve de la mañana hasta las diez y treinta de la mañana",
                "Giovedì tre dicembre dalle nove alle dieci e trenta",
                "Quinta-feira, três de dezembro das nove da manhã às dez e trinta da manhã",
                "Donderdag drie december van negen uur tot tien uur dertig",
            ],
        );
        let english = |written| said(written, Language::English);
        assert_eq!(
            english("Move it from 2026-12-03T09:00Z to 2026-12-04T09:00Z?"),
            "Move it on Thursday the third of December at nine in the morning to Friday the fourth of December at nine in \
             the morning?"
        );
        assert_eq!(
            english("On Thu 2026-12-03 14:00 send it?"),
            "On Thursday the third of December at two in the afternoon send it?"
        );
        assert_eq!(english("Close it at 17:45?"), "Close it at five forty-five in the afternoon?");
        assert_eq!(
            english("Free 2027-12-24/2027-12-26?"),
            "Free Friday the twenty-fourth of December twenty \
             twenty-seven to Sunday the twenty-sixth of December twenty twenty-seven?"
        );
    }

    #[test]
    fn amounts_have_their_currency() {
        check(
            "Refund $500?",
            [
                "Refund five hundred dollars?",
                "Refund fünfhundert Dollar?",
                "Refund cinq cents dollars?",
                "Refund quinientos dólares?",
                "Refund cinquecento dollari?",
                "Refund quinhentos dólares?",
                "Refund vijfhonderd dollar?",
            ],
        );
        check(
            "Pay 1,201.50 EUR?",
            [
                "Pay one thousand two hundred and one euros and fifty cents?",
                "Pay eintausendzweihundertein Euro fünfzig?",
                "Pay mille deux cent un euros cinquante?",
                "Pay mil doscientos un euros con cincuenta?",
                "Pay milleduecentouno euro e cinquanta?",
                "Pay mil duzentos e um euros e cinquenta?",
                "Pay duizend tweehonderd één euro vijftig?",
            ],
        );
        check(
            "Take £1?",
            [
                "Take one pound?",
                "Take ein Pfund?",
                "Take une livre?",
                "Take una libra?",
                "Take una sterlina?",
                "Take uma libra?",
                "Take één pond?",
            ],
        );
        let english = |written| said(written, Language::English);
        assert_eq!(
            english("Pay USD 3,000,000 or -€2.05?"),
            "Pay three million dollars or minus two euros and five cents?"
        );
        assert_eq!(english("Add 12 CAD"), "Add twelve C A D");
        assert_eq!(said("Pay 2.000.000 €?", Language::French), "Pay deux millions d'euros?");
        assert_eq!(said("Pay 1.234,50 €?", Language::German), "Pay eintausendzweihundertvierunddreißig Euro fünfzig?");
    }

    #[test]
    fn numbers_are_put_into_words() {
        check(
            "Clear 1,200 cells, 2.5% of it?",
            [
                "Clear one thousand two hundred cells, two point five percent of it?",
                "Clear eintausendzweihundert cells, zwei Komma fünf Prozent of it?",
                "Clear mille deux cents cells, deux virgule cinq pour cent of it?",
                "Clear mil doscientos cells, dos coma cinco por ciento of it?",
                "Clear milleduecento cells, due virgola cinque per cento of it?",
                "Clear mil e duzentos cells, dois vírgula cinco por cento of it?",
                "Clear duizend tweehonderd cells, twee komma vijf procent of it?",
            ],
        );
    }

    #[test]
    fn telephone_numbers_are_dictated() {
        check(
            "Call +49 30 5551?",
            [
                "Call plus four nine, three zero, five five five one?",
                "Call plus vier neun, drei null, fünf fünf fünf eins?",
                "Call plus quatre neuf, trois zéro, cinq cinq cinq un?",
                "Call más cuatro nueve, tres cero, cinco cinco cinco uno?",
                "Call più quattro nove, tre zero, cinque cinque cinque uno?",
                "Call mais quatro nove, três zero, cinco cinco cinco um?",
                "Call plus vier negen, drie nul, vijf vijf vijf één?",
            ],
        );
        assert_eq!(
            said("Ring (030) 555-1234", Language::English),
            "Ring zero three zero, five five five, one two three four"
        );
        assert_eq!(
            said("account 0012345678", Language::English),
            "account zero zero one two three four five six seven eight"
        );
    }

    #[test]
    fn ids_are_left_out_or_spelled() {
        let english = |written| said(written, Language::English);
        assert_eq!(
            english("Delete \"Lamp\" [recA1b2C3d4E5f6G] from the table Stock?"),
            "Delete \"Lamp\" from the table Stock?"
        );
        assert_eq!(english("Cancel it [id abc123def]?"), "Cancel it?");
        assert_eq!(english("Refund pi_1X9?"), "Refund P I one X nine?");
        assert_eq!(english("Delete recA1b2C3d4E5f6G7?"), "Delete ending in F six G seven?");
        assert_eq!(english("the channel #sales in Q3"), "the channel sales in Q3");
        assert_eq!(english("See [the plan] and *this*"), "See the plan and this");
    }

    #[test]
    fn links_name_their_host() {
        assert_eq!(
            said("Post https://www.northwind.example/a?token=1 now?", Language::English),
            "Post a link to northwind dot example now?"
        );
        assert_eq!(
            said("Mail jo_2-b+c@a.example", Language::German),
            "Mail jo Unterstrich zwei Bindestrich b plus c at a \
             Punkt example"
        );
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        for text in ["Cancel the meeting with Ana?", "Lösche „Größe“?", "Is 3rd fine, or v2?", "", "?", "日本語?"]
        {
            for language in Language::ALL {
                assert_eq!(said(text, language), text);
            }
        }
    }

    #[test]
    fn what_is_too_long_says_so() {
        let long = format!("Send it to {}?", "ana@northwind.example, ".repeat(1_000));
        let spoken = question(&long, Language::English, TODAY);
        assert!(!spoken.is_whole && spoken.text.len() < LONGEST + 200, "{}", spoken.text.len());
        assert!(question(&"x".repeat(LONGEST - 100), Language::English, TODAY).is_whole);
        assert!(!question(&"x".repeat(3 * LONGEST), Language::English, TODAY).is_whole);
        for nasty in [
            "2026-99-99T99:99",
            "1,2,3,4,5",
            "$",
            "+",
            "[",
            "[id",
            "@",
            "a@",
            "https://",
            "--",
            "9".repeat(400).as_str(),
        ] {
            question(nasty, Language::German, TODAY);
        }
    }

    #[test]
    fn no_digit_is_left_to_the_voice() {
        let written = "On Mon 2026-11-30T10:15:30.5+01:00[Europe/Berlin] pay 12,345.67 USD, 40 %, to 4111111111111111 or \
                       +1 (555) 010-9999, [id a1], code AB12CD34, 007, 3.14159, at 09:05.";
        for language in Language::ALL {
            let said = said(written, language);
            assert!(!said.contains(|letter: char| letter.is_ascii_digit()), "{said}");
            assert!(!said.contains("T10") && !said.contains("Europe"), "{said}");
        }
    }
}
