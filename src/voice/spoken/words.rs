//! Single words of the line's languages for what stands in texts as signs.

use super::super::language::Language;
use super::numbers::Gender;

/// What signs are called.
#[derive(Debug)]
pub struct Signs {
    /// `@` in an address.
    pub at: &'static str,
    /// `.` in an address.
    pub dot: &'static str,
    /// `_`.
    pub underscore: &'static str,
    /// `-` in an address.
    pub dash: &'static str,
    /// `+`.
    pub plus: &'static str,
    /// `/`.
    pub slash: &'static str,
    /// What parts a number from its fraction.
    pub point: &'static str,
    /// `%`.
    pub percent: &'static str,
    /// In front of the end of something that is too long to be spelled.
    pub ending: &'static str,
    /// In front of the host of a link.
    pub link: &'static str,
    /// In front of an amount that is taken away.
    pub minus: &'static str,
}

/// The signs of a language.
pub fn signs(language: Language) -> &'static Signs {
    match language {
        Language::English => &Signs {
            at: "at",
            dot: "dot",
            underscore: "underscore",
            dash: "dash",
            plus: "plus",
            slash: "slash",
            point: "point",
            percent: "percent",
            ending: "ending in",
            link: "a link to",
            minus: "minus",
        },
        Language::German => &Signs {
            at: "at",
            dot: "Punkt",
            underscore: "Unterstrich",
            dash: "Bindestrich",
            plus: "plus",
            slash: "Schrägstrich",
            point: "Komma",
            percent: "Prozent",
            ending: "endet auf",
            link: "ein Link zu",
            minus: "minus",
        },
        Language::French => &Signs {
            at: "arobase",
            dot: "point",
            underscore: "tiret bas",
            dash: "tiret",
            plus: "plus",
            slash: "barre oblique",
            point: "virgule",
            percent: "pour cent",
            ending: "finissant par",
            link: "un lien vers",
            minus: "moins",
        },
        Language::Spanish => &Signs {
            at: "arroba",
            dot: "punto",
            underscore: "guion bajo",
            dash: "guion",
            plus: "más",
            slash: "barra",
            point: "coma",
            percent: "por ciento",
            ending: "que termina en",
            link: "un enlace a",
            minus: "menos",
        },
        Language::Italian => &Signs {
            at: "chiocciola",
            dot: "punto",
            underscore: "trattino basso",
            dash: "trattino",
            plus: "più",
            slash: "barra",
            point: "virgola",
            percent: "per cento",
            ending: "che finisce con",
            link: "un link a",
            minus: "meno",
        },
        Language::Portuguese => &Signs {
            at: "arroba",
            dot: "ponto",
            underscore: "sublinhado",
            dash: "hífen",
            plus: "mais",
            slash: "barra",
            point: "vírgula",
            percent: "por cento",
            ending: "que termina em",
            link: "um link para",
            minus: "menos",
        },
        Language::Dutch => &Signs {
            at: "apenstaartje",
            dot: "punt",
            underscore: "liggend streepje",
            dash: "streepje",
            plus: "plus",
            slash: "schuine streep",
            point: "komma",
            percent: "procent",
            ending: "eindigend op",
            link: "een link naar",
            minus: "min",
        },
    }
}

/// A currency that has a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Currency {
    /// `$`, `USD`.
    Dollar,
    /// `€`, `EUR`.
    Euro,
    /// `£`, `GBP`.
    Pound,
    /// `CHF`.
    Franc,
    /// `¥`, `JPY`.
    Yen,
}

impl Currency {
    /// The currency of a sign or a code.
    pub fn of(text: &str) -> Option<Currency> {
        match text {
            "$" | "USD" | "US$" | "usd" => Some(Currency::Dollar),
            "€" | "EUR" | "eur" => Some(Currency::Euro),
            "£" | "GBP" | "gbp" => Some(Currency::Pound),
            "CHF" | "chf" => Some(Currency::Franc),
            "¥" | "JPY" | "jpy" => Some(Currency::Yen),
            _ => None,
        }
    }

    /// Its name for one and for several, and its gender.
    pub fn name(self, is_one: bool, language: Language) -> (&'static str, Gender) {
        let (one, many, gender) = match (self, language) {
            (Currency::Dollar, Language::English) => ("dollar", "dollars", Gender::Masculine),
            (Currency::Dollar, Language::German) => ("Dollar", "Dollar", Gender::Masculine),
            (Currency::Dollar, Language::French) => ("dollar", "dollars", Gender::Masculine),
            (Currency::Dollar, Language::Spanish) => ("dólar", "dólares", Gender::Masculine),
            (Currency::Dollar, Language::Italian) => ("dollaro", "dollari", Gender::Masculine),
            (Currency::Dollar, Language::Portuguese) => ("dólar", "dólares", Gender::Masculine),
            (Currency::Dollar, Language::Dutch) => ("dollar", "dollar", Gender::Masculine),
            (Currency::Euro, Language::German) => ("Euro", "Euro", Gender::Masculine),
            (Currency::Euro, Language::Italian | Language::Dutch) => ("euro", "euro", Gender::Masculine),
            (Currency::Euro, _) => ("euro", "euros", Gender::Masculine),
            (Currency::Pound, Language::English) => ("pound", "pounds", Gender::Masculine),
            (Currency::Pound, Language::German) => ("Pfund", "Pfund", Gender::Masculine),
            (Currency::Pound, Language::French) => ("livre", "livres", Gender::Feminine),
            (Currency::Pound, Language::Spanish | Language::Portuguese) => ("libra", "libras", Gender::Feminine),
            (Currency::Pound, Language::Italian) => ("sterlina", "sterline", Gender::Feminine),
            (Currency::Pound, Language::Dutch) => ("pond", "pond", Gender::Masculine),
            (Currency::Franc, Language::English | Language::French) => ("franc", "francs", Gender::Masculine),
            (Currency::Franc, Language::German) => ("Franken", "Franken", Gender::Masculine),
            (Currency::Franc, Language::Spanish | Language::Portuguese) => ("franco", "francos", Gender::Masculine),
            (Currency::Franc, Language::Italian) => ("franco", "franchi", Gender::Masculine),
            (Currency::Franc, Language::Dutch) => ("frank", "frank", Gender::Masculine),
            (Currency::Yen, Language::Spanish) => ("yen", "yenes", Gender::Masculine),
            (Currency::Yen, Language::Portuguese) => ("iene", "ienes", Gender::Masculine),
            (Currency::Yen, Language::French) => ("yen", "yens", Gender::Masculine),
            (Currency::Yen, _) => ("yen", "yen", Gender::Masculine),
        };
        (if is_one { one } else { many }, gender)
    }
}
