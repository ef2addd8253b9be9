//! Numbers as people say them.

use super::super::language::Language;

/// The grammatical gender of what is counted, where a language asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    /// As in counting, and for most things.
    Masculine,
    /// As for pounds in Romance languages.
    Feminine,
}

/// Larger numbers are read digit by digit.
pub const LARGEST: u64 = 999_999_999_999;

/// A whole number in words. Numbers above [`LARGEST`] are given digit by digit.
pub fn cardinal(number: u64, language: Language) -> String {
    counted(number, language, Gender::Masculine)
}

/// A number in words in front of what it counts, of this gender.
pub fn counted(number: u64, language: Language, gender: Gender) -> String {
    if number > LARGEST {
        return digits(&number.to_string(), language);
    }
    match language {
        Language::English => english(number),
        Language::German => german(number),
        Language::French => french(number, gender),
        Language::Spanish => spanish(number, gender),
        Language::Italian => italian(number),
        Language::Portuguese => portuguese(number, gender),
        Language::Dutch => dutch(number),
    }
}

/// Digits one by one; anything else in the text is left out.
pub fn digits(text: &str, language: Language) -> String {
    let values = text.bytes().filter(u8::is_ascii_digit).map(|digit| u64::from(digit - b'0'));
    values.map(|digit| cardinal(digit, language)).collect::<Vec<_>>().join(" ")
}

/// What is left of a number and its words from the millions up. `scale` says a count of them.
fn large(number: u64, scale: impl Fn(u64, u64) -> String) -> (u64, Vec<String>) {
    let mut words = vec![];
    let mut rest = number;
    for size in [1_000_000_000, 1_000_000] {
        if rest >= size {
            words.push(scale(rest / size, size));
            rest %= size;
        }
    }
    (rest, words)
}

/// The words together, or zero.
fn joined(words: Vec<String>, zero: &str) -> String {
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>();
    if words.is_empty() { zero.to_owned() } else { words.join(" ") }
}

fn at<'a>(words: &[&'a str], index: u64) -> &'a str {
    usize::try_from(index).ok().and_then(|index| words.get(index)).copied().unwrap_or_default()
}

fn english(number: u64) -> String {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    fn below_thousand(number: u64) -> String {
        match number {
            0 => String::new(),
            1..20 => at(&SMALL, number).to_owned(),
            20..100 if number.is_multiple_of(10) => at(&TENS, number / 10).to_owned(),
            20..100 => format!("{}-{}", at(&TENS, number / 10), at(&SMALL, number % 10)),
            _ if number.is_multiple_of(100) => format!("{} hundred", at(&SMALL, number / 100)),
            _ => format!("{} hundred and {}", at(&SMALL, number / 100), below_thousand(number % 100)),
        }
    }
    let name = |size| if size == 1_000_000_000 { "billion" } else { "million" };
    let (rest, mut words) = large(number, |count, size| format!("{} {}", below_thousand(count), name(size)));
    if rest >= 1_000 {
        words.push(format!("{} thousand", below_thousand(rest / 1_000)));
    }
    let last = rest % 1_000;
    let and = if !words.is_empty() && (1..100).contains(&last) { "and " } else { "" };
    words.push(if last == 0 { String::new() } else { format!("{and}{}", below_thousand(last)) });
    joined(words, "zero")
}

fn german(number: u64) -> String {
    const SMALL: [&str; 20] = [
        "null",
        "eins",
        "zwei",
        "drei",
        "vier",
        "fünf",
        "sechs",
        "sieben",
        "acht",
        "neun",
        "zehn",
        "elf",
        "zwölf",
        "dreizehn",
        "vierzehn",
        "fünfzehn",
        "sechzehn",
        "siebzehn",
        "achtzehn",
        "neunzehn",
    ];
    const TENS: [&str; 10] =
        ["", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"];
    fn stem(number: u64) -> &'static str {
        if number == 1 { "ein" } else { at(&SMALL, number) }
    }
    fn below_thousand(number: u64) -> String {
        match number {
            0 => String::new(),
            1..20 => at(&SMALL, number).to_owned(),
            20..100 if number.is_multiple_of(10) => at(&TENS, number / 10).to_owned(),
            20..100 => format!("{}und{}", stem(number % 10), at(&TENS, number / 10)),
            _ => format!("{}hundert{}", stem(number / 100), below_thousand(number % 100)),
        }
    }
    let scale = |count: u64, size: u64| {
        let (one, many) = if size == 1_000_000_000 { ("Milliarde", "Milliarden") } else { ("Million", "Millionen") };
        if count == 1 { format!("eine {one}") } else { format!("{} {many}", below_thousand(count)) }
    };
    let (rest, mut words) = large(number, scale);
    let thousands = below_thousand(rest / 1_000);
    let thousands = thousands.strip_suffix("eins").map(|head| format!("{head}ein")).unwrap_or(thousands);
    let thousands = if thousands.is_empty() { thousands } else { thousands + "tausend" };
    words.push(thousands + &below_thousand(rest % 1_000));
    joined(words, "null")
}

fn french(number: u64, gender: Gender) -> String {
    const SMALL: [&str; 20] = [
        "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze",
        "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
    ];
    const TENS: [&str; 7] = ["", "", "vingt", "trente", "quarante", "cinquante", "soixante"];
    fn below_hundred(number: u64) -> String {
        match number {
            0 => String::new(),
            1..20 => at(&SMALL, number).to_owned(),
            80 => "quatre-vingts".into(),
            81..100 => format!("quatre-vingt-{}", at(&SMALL, number - 80)),
            71 => "soixante et onze".into(),
            70..80 => format!("soixante-{}", at(&SMALL, number - 60)),
            _ if number.is_multiple_of(10) => at(&TENS, number / 10).to_owned(),
            _ if number % 10 == 1 => format!("{} et un", at(&TENS, number / 10)),
            _ => format!("{}-{}", at(&TENS, number / 10), at(&SMALL, number % 10)),
        }
    }
    fn below_thousand(number: u64) -> String {
        let rest = below_hundred(number % 100);
        match number / 100 {
            0 => rest,
            1 => format!("cent {rest}").trim_end().to_owned(),
            count if rest.is_empty() => format!("{} cents", at(&SMALL, count)),
            count => format!("{} cent {rest}", at(&SMALL, count)),
        }
    }
    let scale = |count: u64, size: u64| {
        let name = if size == 1_000_000_000 { "milliard" } else { "million" };
        if count == 1 { format!("un {name}") } else { format!("{} {name}s", below_thousand(count)) }
    };
    let (rest, mut words) = large(number, scale);
    match rest / 1_000 {
        0 => {}
        1 => words.push("mille".into()),
        // "quatre-vingts" and "cents" lose their s before "mille".
        count => {
            let head = below_thousand(count);
            words.push(format!("{}{} mille", head.trim_end_matches('s'), ending(count)));
        }
    }
    words.push(below_thousand(rest % 1_000));
    let said = joined(words, "zéro");
    let is_one = gender == Gender::Feminine && number % 10 == 1 && !matches!(number % 100, 11 | 71 | 91);
    if is_one { said + "e" } else { said }
}

/// The s that "trois", "six" and "dix"... keep when a plural's s is cut.
fn ending(count: u64) -> &'static str {
    match count % 100 {
        3 | 23 | 33 | 43 | 53 | 63 | 83 => "s",
        _ => "",
    }
}

fn spanish(number: u64, gender: Gender) -> String {
    const SMALL: [&str; 30] = [
        "cero",
        "uno",
        "dos",
        "tres",
        "cuatro",
        "cinco",
        "seis",
        "siete",
        "ocho",
        "nueve",
        "diez",
        "once",
        "doce",
        "trece",
        "catorce",
        "quince",
        "dieciséis",
        "diecisiete",
        "dieciocho",
        "diecinueve",
        "veinte",
        "veintiuno",
        "veintidós",
        "veintitrés",
        "veinticuatro",
        "veinticinco",
        "veintiséis",
        "veintisiete",
        "veintiocho",
        "veintinueve",
    ];
    const TENS: [&str; 10] =
        ["", "", "veinte", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];
    const HUNDREDS: [&str; 10] = [
        "",
        "ciento",
        "doscientos",
        "trescientos",
        "cuatrocientos",
        "quinientos",
        "seiscientos",
        "setecientos",
        "ochocientos",
        "novecientos",
    ];
    fn below_thousand(number: u64) -> String {
        let rest = match number % 100 {
            0 => String::new(),
            rest @ 1..30 => at(&SMALL, rest).to_owned(),
            rest if rest.is_multiple_of(10) => at(&TENS, rest / 10).to_owned(),
            rest => format!("{} y {}", at(&TENS, rest / 10), at(&SMALL, rest % 10)),
        };
        match number / 100 {
            0 => rest,
            1 if rest.is_empty() => "cien".into(),
            hundreds => format!("{} {rest}", at(&HUNDREDS, hundreds)).trim_end().to_owned(),
        }
    }
    fn short(said: String) -> String {
        // "uno" loses its o before what it counts.
        if let Some(head) = said.strip_suffix("veintiuno") {
            return format!("{head}veintiún");
        }
        said.strip_suffix("uno").map(|head| format!("{head}un")).unwrap_or(said)
    }
    fn below_million(number: u64) -> Vec<String> {
        let thousands = match number / 1_000 {
            0 => String::new(),
            1 => "mil".into(),
            count => format!("{} mil", short(below_thousand(count))),
        };
        vec![thousands, below_thousand(number % 1_000)]
    }
    let (millions, rest) = (number / 1_000_000, number % 1_000_000);
    let mut words = match millions {
        0 => vec![],
        1 => vec!["un millón".into()],
        count => vec![format!("{} millones", short(joined(below_million(count), "")))],
    };
    words.extend(below_million(rest));
    let said = joined(words, "cero");
    match gender {
        Gender::Masculine => said,
        Gender::Feminine => {
            let said = said.strip_suffix("uno").map(|head| format!("{head}una")).unwrap_or(said);
            said.replace("cientos", "cientas").replace("quinientos", "quinientas")
        }
    }
}

fn italian(number: u64) -> String {
    const SMALL: [&str; 20] = [
        "zero",
        "uno",
        "due",
        "tre",
        "quattro",
        "cinque",
        "sei",
        "sette",
        "otto",
        "nove",
        "dieci",
        "undici",
        "dodici",
        "tredici",
        "quattordici",
        "quindici",
        "sedici",
        "diciassette",
        "diciotto",
        "diciannove",
    ];
    const TENS: [&str; 10] =
        ["", "", "venti", "trenta", "quaranta", "cinquanta", "sessanta", "settanta", "ottanta", "novanta"];
    fn below_hundred(number: u64) -> String {
        match (number / 10, number % 10) {
            (0 | 1, _) => {
                if number == 0 {
                    String::new()
                } else {
                    at(&SMALL, number).to_owned()
                }
            }
            (tens, 0) => at(&TENS, tens).to_owned(),
            // The vowel falls before another one.
            (tens, ones @ (1 | 8)) => {
                let head = at(&TENS, tens);
                format!("{}{}", &head[..head.len() - 1], at(&SMALL, ones))
            }
            (tens, 3) => format!("{}tré", at(&TENS, tens)),
            (tens, ones) => format!("{}{}", at(&TENS, tens), at(&SMALL, ones)),
        }
    }
    fn below_thousand(number: u64) -> String {
        let rest = below_hundred(number % 100);
        match number / 100 {
            0 => rest,
            1 => format!("cento{rest}"),
            count => format!("{}cento{rest}", at(&SMALL, count)),
        }
    }
    let scale = |count: u64, size: u64| {
        let (one, many) = if size == 1_000_000_000 { ("miliardo", "miliardi") } else { ("milione", "milioni") };
        if count == 1 { format!("un {one}") } else { format!("{} {many}", below_thousand(count)) }
    };
    let (rest, mut words) = large(number, scale);
    let thousands = match rest / 1_000 {
        0 => String::new(),
        1 => "mille".into(),
        count => below_thousand(count) + "mila",
    };
    words.push(thousands + &below_thousand(rest % 1_000));
    joined(words, "zero")
}

fn portuguese(number: u64, gender: Gender) -> String {
    const SMALL: [&str; 20] = [
        "zero",
        "um",
        "dois",
        "três",
        "quatro",
        "cinco",
        "seis",
        "sete",
        "oito",
        "nove",
        "dez",
        "onze",
        "doze",
        "treze",
        "catorze",
        "quinze",
        "dezesseis",
        "dezessete",
        "dezoito",
        "dezenove",
    ];
    const TENS: [&str; 10] =
        ["", "", "vinte", "trinta", "quarenta", "cinquenta", "sessenta", "setenta", "oitenta", "noventa"];
    const HUNDREDS: [&str; 10] = [
        "",
        "cento",
        "duzentos",
        "trezentos",
        "quatrocentos",
        "quinhentos",
        "seiscentos",
        "setecentos",
        "oitocentos",
        "novecentos",
    ];
    fn below_thousand(number: u64) -> String {
        let rest = match number % 100 {
            0 => String::new(),
            rest @ 1..20 => at(&SMALL, rest).to_owned(),
            rest if rest.is_multiple_of(10) => at(&TENS, rest / 10).to_owned(),
            rest => format!("{} e {}", at(&TENS, rest / 10), at(&SMALL, rest % 10)),
        };
        match number / 100 {
            0 => rest,
            1 if rest.is_empty() => "cem".into(),
            hundreds if rest.is_empty() => at(&HUNDREDS, hundreds).to_owned(),
            hundreds => format!("{} e {rest}", at(&HUNDREDS, hundreds)),
        }
    }
    let scale = |count: u64, size: u64| {
        let (one, many) = if size == 1_000_000_000 { ("bilhão", "bilhões") } else { ("milhão", "milhões") };
        if count == 1 { format!("um {one}") } else { format!("{} {many}", below_thousand(count)) }
    };
    let (rest, mut words) = large(number, scale);
    match rest / 1_000 {
        0 => {}
        1 => words.push("mil".into()),
        count => words.push(format!("{} mil", below_thousand(count))),
    }
    let last = rest % 1_000;
    let and = if !words.is_empty() && (last < 100 || last % 100 == 0) { "e " } else { "" };
    words.push(if last == 0 { String::new() } else { format!("{and}{}", below_thousand(last)) });
    let said = joined(words, "zero");
    match gender {
        Gender::Masculine => said,
        Gender::Feminine => {
            let mut words = said.split(' ').map(str::to_owned).collect::<Vec<_>>();
            for word in &mut words {
                match word.as_str() {
                    "um" => *word = "uma".into(),
                    "dois" => *word = "duas".into(),
                    hundreds if hundreds.ends_with("entos") => *word = format!("{}as", &hundreds[..hundreds.len() - 2]),
                    _ => {}
                }
            }
            words.join(" ")
        }
    }
}

fn dutch(number: u64) -> String {
    const SMALL: [&str; 20] = [
        "nul",
        "één",
        "twee",
        "drie",
        "vier",
        "vijf",
        "zes",
        "zeven",
        "acht",
        "negen",
        "tien",
        "elf",
        "twaalf",
        "dertien",
        "veertien",
        "vijftien",
        "zestien",
        "zeventien",
        "achttien",
        "negentien",
    ];
    const TENS: [&str; 10] =
        ["", "", "twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig"];
    fn below_thousand(number: u64) -> String {
        match number {
            0 => String::new(),
            1..20 => at(&SMALL, number).to_owned(),
            20..100 if number.is_multiple_of(10) => at(&TENS, number / 10).to_owned(),
            20..100 => {
                let ones = match number % 10 {
                    1 => "een",
                    ones => at(&SMALL, ones),
                };
                let and = if ones.ends_with('e') { "ën" } else { "en" };
                format!("{ones}{and}{}", at(&TENS, number / 10))
            }
            100..200 => format!("honderd {}", below_thousand(number % 100)).trim_end().to_owned(),
            _ => format!("{}honderd {}", at(&SMALL, number / 100), below_thousand(number % 100)).trim_end().to_owned(),
        }
    }
    let name = |size| if size == 1_000_000_000 { "miljard" } else { "miljoen" };
    let (rest, mut words) = large(number, |count, size| format!("{} {}", below_thousand(count), name(size)));
    match rest / 1_000 {
        0 => {}
        1 => words.push("duizend".into()),
        count => words.push(format!("{}duizend", below_thousand(count))),
    }
    words.push(below_thousand(rest % 1_000));
    joined(words, "nul")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [u64; 16] = [0, 1, 8, 21, 30, 71, 80, 91, 100, 101, 253, 500, 1_000, 1_234, 21_300, 3_000_001];

    #[rustfmt::skip]
    const SAID: [(Language, [&str; 16]); 7] = [
        (Language::English, [
            "zero", "one", "eight", "twenty-one", "thirty", "seventy-one", "eighty", "ninety-one", "one hundred",
            "one hundred and one", "two hundred and fifty-three", "five hundred", "one thousand",
            "one thousand two hundred and thirty-four", "twenty-one thousand three hundred", "three million and one"]),
        (Language::German, [
            "null", "eins", "acht", "einundzwanzig", "dreißig", "einundsiebzig", "achtzig", "einundneunzig",
            "einhundert", "einhunderteins", "zweihundertdreiundfünfzig", "fünfhundert", "eintausend",
            "eintausendzweihundertvierunddreißig", "einundzwanzigtausenddreihundert", "drei Millionen eins"]),
        (Language::French, [
            "zéro", "un", "huit", "vingt et un", "trente", "soixante et onze", "quatre-vingts", "quatre-vingt-onze",
            "cent", "cent un", "deux cent cinquante-trois", "cinq cents", "mille", "mille deux cent trente-quatre",
            "vingt et un mille trois cents", "trois millions un"]),
        (Language::Spanish, [
            "cero", "uno", "ocho", "veintiuno", "treinta", "setenta y uno", "ochenta", "noventa y uno", "cien",
            "ciento uno", "doscientos cincuenta y tres", "quinientos", "mil", "mil doscientos treinta y cuatro",
            "veintiún mil trescientos", "tres millones uno"]),
        (Language::Italian, [
            "zero", "uno", "otto", "ventuno", "trenta", "settantuno", "ottanta", "novantuno", "cento", "centouno",
            "duecentocinquantatré", "cinquecento", "mille", "milleduecentotrentaquattro", "ventunomilatrecento",
            "tre milioni uno"]),
        (Language::Portuguese, [
            "zero", "um", "oito", "vinte e um", "trinta", "setenta e um", "oitenta", "noventa e um", "cem",
            "cento e um", "duzentos e cinquenta e três", "quinhentos", "mil", "mil duzentos e trinta e quatro",
            "vinte e um mil e trezentos", "três milhões e um"]),
        (Language::Dutch, [
            "nul", "één", "acht", "eenentwintig", "dertig", "eenenzeventig", "tachtig", "eenennegentig", "honderd",
            "honderd één", "tweehonderd drieënvijftig", "vijfhonderd", "duizend", "duizend tweehonderd vierendertig",
            "eenentwintigduizend driehonderd", "drie miljoen één"]),
    ];

    #[test]
    fn numbers_are_said_in_each_language() {
        for (language, expected) in SAID {
            for (number, words) in NUMBERS.into_iter().zip(expected) {
                assert_eq!(cardinal(number, language), words, "{number}");
            }
        }
    }

    #[test]
    fn what_is_counted_may_be_feminine() {
        for (language, number, words) in [
            (Language::French, 21, "vingt et une"),
            (Language::French, 71, "soixante et onze"),
            (Language::Spanish, 521, "quinientas veintiuna"),
            (Language::Portuguese, 202, "duzentas e duas"),
        ] {
            assert_eq!(counted(number, language, Gender::Feminine), words);
        }
    }

    #[test]
    fn every_number_is_said_differently() {
        for language in Language::ALL {
            let mut all = (0..2_500).map(|number| cardinal(number, language)).collect::<Vec<_>>();
            all.sort_unstable();
            let twice = all.windows(2).find(|pair| pair[0] == pair[1]);
            assert_eq!(twice, None, "{language:?}");
        }
        assert_eq!(cardinal(u64::MAX, Language::English).split(' ').count(), 20, "digit by digit");
        assert_eq!(digits("030-5", Language::German), "null drei null fünf");
    }
}
