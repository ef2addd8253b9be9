//! Amounts and other written numbers.

use super::{
    super::language::Language,
    numbers::{Gender, LARGEST, cardinal, counted, digits},
    words::{Currency, signs},
};

/// A number as it was written: its whole part and its fraction, as digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Whether it is below zero.
    pub is_negative: bool,
    /// The digits of the whole part.
    pub whole: String,
    /// The digits of the fraction.
    pub fraction: String,
    /// Whether `%` follows.
    pub is_percent: bool,
}

impl Number {
    /// The number in words.
    pub fn in_words(&self, language: Language) -> String {
        let signs = signs(language);
        let minus = if self.is_negative { format!("{} ", signs.minus) } else { String::new() };
        let whole = self.whole_in_words(language);
        let fraction = if self.fraction.is_empty() {
            String::new()
        } else {
            format!(" {} {}", signs.point, digits(&self.fraction, language))
        };
        let percent = if self.is_percent { format!(" {}", signs.percent) } else { String::new() };
        format!("{minus}{whole}{fraction}{percent}")
    }

    fn value(&self) -> Option<u64> {
        self.whole.parse().ok().filter(|value| *value <= LARGEST)
    }

    /// A number with zeros in front is a code, and a very long one too: both are dictated.
    fn whole_in_words(&self, language: Language) -> String {
        let is_code =
            self.whole.len() > 1 && self.whole.starts_with('0') || self.whole.len() > 9 && self.fraction.is_empty();
        match self.value().filter(|_| !is_code) {
            Some(value) => cardinal(value, language),
            None => digits(&self.whole, language),
        }
    }
}

/// A number with a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// How much.
    pub number: Number,
    /// Of what, by sign or code.
    pub currency: String,
}

impl Amount {
    /// The amount in words.
    pub fn in_words(&self, language: Language) -> String {
        let Some(currency) = Currency::of(&self.currency) else { return self.with_code(language) };
        // Hundredths; anything finer is no price.
        let cents = match self.number.fraction.as_str() {
            "" | "0" | "00" => 0,
            fraction if fraction.len() == 1 => fraction.parse::<u64>().unwrap_or_default() * 10,
            fraction if fraction.len() == 2 => fraction.parse().unwrap_or_default(),
            _ => return self.plain(currency, language),
        };
        let Some(value) = self.number.value() else { return self.plain(currency, language) };
        let (name, gender) = currency.name(value == 1, language);
        let minus = if self.number.is_negative { format!("{} ", signs(language).minus) } else { String::new() };
        let of = of(value, name, language);
        format!("{minus}{}{of}{name}{}", before(value, language, gender), minor(cents, currency, language))
    }

    fn plain(&self, currency: Currency, language: Language) -> String {
        format!("{} {}", self.number.in_words(language), currency.name(false, language).0)
    }

    /// A currency that has no name here is spelled.
    fn with_code(&self, language: Language) -> String {
        let code = self.currency.chars().map(String::from).collect::<Vec<_>>().join(" ");
        format!("{} {code}", self.number.in_words(language))
    }
}

/// A count in front of a masculine or feminine noun.
fn before(value: u64, language: Language, gender: Gender) -> String {
    let said = counted(value, language, gender);
    match (language, gender) {
        (Language::German, _) => said.strip_suffix("eins").map(|head| format!("{head}ein")).unwrap_or(said),
        (Language::Spanish, Gender::Masculine) => {
            if let Some(head) = said.strip_suffix("veintiuno") {
                return format!("{head}veintiún");
            }
            said.strip_suffix("uno").map(|head| format!("{head}un")).unwrap_or(said)
        }
        (Language::Italian, Gender::Masculine) if value == 1 => "un".into(),
        (Language::Italian, Gender::Feminine) if value == 1 => "una".into(),
        _ => said,
    }
}

/// What stands between whole millions and what they are of.
fn of(value: u64, name: &str, language: Language) -> &'static str {
    let is_millions = value >= 1_000_000 && value.is_multiple_of(1_000_000);
    match language {
        Language::French if is_millions && name.starts_with('e') => " d'",
        Language::French | Language::Spanish | Language::Portuguese if is_millions => " de ",
        Language::Italian if is_millions => " di ",
        _ => " ",
    }
}

/// What is beyond the whole part.
fn minor(cents: u64, currency: Currency, language: Language) -> String {
    if cents == 0 {
        return String::new();
    }
    let said = cardinal(cents, language);
    let joint = match language {
        Language::English => {
            let name = match (currency, cents) {
                (Currency::Pound, 1) => "penny",
                (Currency::Pound, _) => "pence",
                (Currency::Franc, 1) => "centime",
                (Currency::Franc, _) => "centimes",
                (_, 1) => "cent",
                _ => "cents",
            };
            return format!(" and {said} {name}");
        }
        Language::German | Language::French | Language::Dutch => " ",
        Language::Spanish => " con ",
        Language::Italian | Language::Portuguese => " e ",
    };
    format!("{joint}{said}")
}
