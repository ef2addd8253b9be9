//! Days and times as people say them.

use jiff::civil::{Date, Time};

use super::{
    super::language::Language,
    numbers::{Gender, cardinal, counted},
};

/// A day that is nearer than this needs no year, because its weekday tells which one is meant.
const NEAR: i32 = 300;

/// A day, with its weekday, and with its year when it is not near. `is_when` makes it say when something is ("on …").
pub fn day(date: Date, today: Date, language: Language, is_when: bool) -> String {
    let (weekday, month) = names(date, language);
    let number = u64::from(date.day().unsigned_abs());
    let distance = (date - today).get_days();
    let year = if distance.abs() <= NEAR { String::new() } else { year(date.year(), language) };
    let said = match language {
        Language::English => format!("{weekday} the {} of {month}{year}", english_ordinal(number)),
        Language::German if is_when => format!("{weekday}, dem {} {month}{year}", german_ordinal(number)),
        Language::German => format!("{weekday}, der {} {month}{year}", german_ordinal(number).trim_end_matches('n')),
        Language::French => format!("{weekday} {} {month}{year}", first(number, "premier", language)),
        Language::Spanish => format!("{weekday} {} de {month}{year}", cardinal(number, language)),
        Language::Italian => format!("{weekday} {} {month}{year}", first(number, "primo", language)),
        Language::Portuguese => format!("{weekday}, {} de {month}{year}", first(number, "primeiro", language)),
        Language::Dutch => format!("{weekday} {} {month}{year}", cardinal(number, language)),
    };
    let is_weekend = date.weekday().to_monday_zero_offset() >= 5;
    let when = match language {
        _ if !is_when => "",
        Language::English => "on ",
        Language::German => "am ",
        Language::French => "le ",
        Language::Spanish => "el ",
        Language::Italian => "",
        Language::Portuguese if is_weekend => "no ",
        Language::Portuguese => "na ",
        Language::Dutch => "op ",
    };
    format!("{when}{said}")
}

/// The weekdays from Monday on, in the order of [`Language::ALL`].
#[rustfmt::skip]
const WEEKDAYS: [[&str; 7]; 7] = [
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
    ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
    ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"],
    ["segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"],
    ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
];

/// The months, in the order of [`Language::ALL`].
#[rustfmt::skip]
const MONTHS: [[&str; 12]; 7] = [
    ["January", "February", "March", "April", "May", "June", "July", "August", "September",
     "October", "November", "December"],
    ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
     "Oktober", "November", "Dezember"],
    ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
     "octobre", "novembre", "décembre"],
    ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
     "octubre", "noviembre", "diciembre"],
    ["gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre",
     "ottobre", "novembre", "dicembre"],
    ["janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro",
     "outubro", "novembro", "dezembro"],
    ["januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
     "oktober", "november", "december"],
];

/// The name of the weekday and of the month.
fn names(date: Date, language: Language) -> (&'static str, &'static str) {
    let row = Language::ALL.iter().position(|one| *one == language).unwrap_or_default();
    let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
    let month = usize::from(date.month().unsigned_abs()).saturating_sub(1);
    (WEEKDAYS[row][weekday.min(6)], MONTHS[row][month.min(11)])
}

fn english_ordinal(number: u64) -> String {
    const ORDINALS: [&str; 20] = [
        "zeroth",
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
    ];
    let small = |number: u64| usize::try_from(number).ok().and_then(|at| ORDINALS.get(at)).copied().unwrap_or_default();
    match number {
        0..20 => small(number).to_owned(),
        20 => "twentieth".into(),
        30 => "thirtieth".into(),
        21..30 => format!("twenty-{}", small(number - 20)),
        _ => format!("thirty-{}", small(number - 30)),
    }
}

/// As in "dem dritten".
fn german_ordinal(number: u64) -> String {
    match number {
        1 => "ersten".into(),
        3 => "dritten".into(),
        7 => "siebten".into(),
        8 => "achten".into(),
        0..20 => format!("{}ten", cardinal(number, Language::German)),
        _ => format!("{}sten", cardinal(number, Language::German)),
    }
}

fn first(number: u64, first: &str, language: Language) -> String {
    if number == 1 { first.to_owned() } else { cardinal(number, language) }
}

fn year(year: i16, language: Language) -> String {
    let year = u64::from(year.unsigned_abs());
    match language {
        Language::English if (2010..2100).contains(&year) || (1100..2000).contains(&year) && year % 100 != 0 => {
            let (century, rest) = (cardinal(year / 100, language), cardinal(year % 100, language));
            let oh = if year % 100 < 10 { "oh " } else { "" };
            format!(" {century} {oh}{rest}")
        }
        Language::German if (1100..2000).contains(&year) => {
            let rest = if year % 100 == 0 { String::new() } else { cardinal(year % 100, language) };
            format!(" {}hundert{rest}", cardinal(year / 100, language))
        }
        Language::Spanish | Language::Portuguese => format!(" de {}", cardinal(year, language)),
        _ => format!(" {}", cardinal(year, language)),
    }
}

/// A time of day by itself ("eight in the morning"), or as the moment of something ("at eight in the morning").
pub fn time(time: Time, language: Language, is_when: bool) -> String {
    let bare = clock(time, language);
    let when = match language {
        _ if !is_when => "",
        Language::English => "at ",
        Language::German => "um ",
        Language::French => "à ",
        Language::Spanish => "a ",
        Language::Dutch => "om ",
        Language::Italian => return italian_when(time, "a", "alle", "all'"),
        Language::Portuguese => return portuguese_when(time, "à", "às", "ao"),
    };
    format!("{when}{bare}")
}

/// From one time of a day to another.
pub fn from_to(from: Time, to: Time, language: Language) -> String {
    let (begin, end) = (clock(from, language), clock(to, language));
    match language {
        Language::English => format!("from {begin} to {end}"),
        Language::German => format!("von {begin} bis {end}"),
        Language::French => format!("de {begin} à {end}"),
        Language::Spanish => format!("desde {begin} hasta {end}"),
        Language::Italian => {
            format!("{} {}", italian_when(from, "da", "dalle", "dall'"), italian_when(to, "a", "alle", "all'"))
        }
        Language::Portuguese => {
            format!("{} {}", portuguese_when(from, "da", "das", "do"), portuguese_when(to, "à", "às", "ao"))
        }
        Language::Dutch => format!("van {begin} tot {end}"),
    }
}

/// What stands between the first and the last day of a time.
pub fn until(language: Language) -> &'static str {
    match language {
        Language::English => "to",
        Language::German => "bis",
        Language::French => "jusqu'à",
        Language::Spanish => "hasta",
        Language::Italian => "fino a",
        Language::Portuguese => "até",
        Language::Dutch => "tot",
    }
}

fn clock(time: Time, language: Language) -> String {
    let (hour, minute) = (u64::from(time.hour().unsigned_abs()), u64::from(time.minute().unsigned_abs()));
    let number = |number| cardinal(number, language);
    match language {
        Language::English => english_clock(hour, minute),
        Language::German => {
            let hour = if hour == 1 { "ein".into() } else { number(hour) };
            format!("{hour} Uhr{}", after(minute, " ", language))
        }
        Language::French => {
            let minutes = after(minute, " ", language);
            match hour {
                0 => format!("minuit{minutes}"),
                12 => format!("midi{minutes}"),
                1 => format!("une heure{minutes}"),
                _ => format!("{} heures{minutes}", counted(hour, language, Gender::Feminine)),
            }
        }
        Language::Spanish => {
            let minutes = after(minute, " y ", language);
            let part = match hour {
                0 if minute == 0 => return "medianoche".into(),
                12 if minute == 0 => return "mediodía".into(),
                0..6 => "de la madrugada",
                6..12 => "de la mañana",
                12..20 => "de la tarde",
                _ => "de la noche",
            };
            match twelve(hour) {
                1 => format!("la una{minutes} {part}"),
                hour => format!("las {}{minutes} {part}", number(hour)),
            }
        }
        Language::Italian | Language::Portuguese => {
            let said = if language == Language::Italian {
                italian_when(time, "", "", "")
            } else {
                portuguese_when(time, "", "", "")
            };
            said.trim_start().to_owned()
        }
        Language::Dutch => format!("{} uur{}", number(hour), after(minute, " ", language)),
    }
}

fn english_clock(hour: u64, minute: u64) -> String {
    let part = match hour {
        0 if minute == 0 => return "midnight".into(),
        12 if minute == 0 => return "noon".into(),
        0..12 => "in the morning",
        12..18 => "in the afternoon",
        18..22 => "in the evening",
        _ => "at night",
    };
    let hour = cardinal(twelve(hour), Language::English);
    match minute {
        0 => format!("{hour} {part}"),
        1..10 => format!("{hour} oh {} {part}", cardinal(minute, Language::English)),
        _ => format!("{hour} {} {part}", cardinal(minute, Language::English)),
    }
}

/// "alle otto e trenta", "all'una", "a mezzogiorno", with other words in front.
fn italian_when(time: Time, to_noon: &str, to_hours: &str, to_one: &str) -> String {
    let (hour, minute) = (u64::from(time.hour().unsigned_abs()), u64::from(time.minute().unsigned_abs()));
    let minutes = after(minute, " e ", Language::Italian);
    match hour {
        0 => format!("{to_noon} mezzanotte{minutes}"),
        12 => format!("{to_noon} mezzogiorno{minutes}"),
        1 => format!("{to_one}una{minutes}"),
        _ => format!("{to_hours} {}{minutes}", cardinal(hour, Language::Italian)),
    }
}

/// "às oito e trinta da manhã", "à uma da tarde", "ao meio-dia", with other words in front.
fn portuguese_when(time: Time, to_one: &str, to_hours: &str, to_noon: &str) -> String {
    let (hour, minute) = (u64::from(time.hour().unsigned_abs()), u64::from(time.minute().unsigned_abs()));
    let minutes = after(minute, " e ", Language::Portuguese);
    let part = match hour {
        0 if minute == 0 => return format!("{to_one} meia-noite"),
        12 if minute == 0 => return format!("{to_noon} meio-dia"),
        0..6 => "da madrugada",
        6..12 => "da manhã",
        12..19 => "da tarde",
        _ => "da noite",
    };
    match twelve(hour) {
        1 => format!("{to_one} uma{minutes} {part}"),
        hour => format!("{to_hours} {}{minutes} {part}", counted(hour, Language::Portuguese, Gender::Feminine)),
    }
}

fn twelve(hour: u64) -> u64 {
    if hour.is_multiple_of(12) { 12 } else { hour % 12 }
}

/// The minutes, where there are any.
fn after(minute: u64, joint: &str, language: Language) -> String {
    if minute == 0 { String::new() } else { format!("{joint}{}", cardinal(minute, language)) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time as at};

    use super::*;

    const TODAY: Date = date(2026, 11, 23);

    #[track_caller]
    fn check(language: Language, expected: [&str; 6]) {
        let near = date(2026, 12, 3);
        let said = [
            format!("{} {}", day(near, TODAY, language, true), time(at(8, 0, 0, 0), language, true)),
            day(date(2028, 1, 1), TODAY, language, false),
            time(at(13, 30, 0, 0), language, true),
            time(at(12, 0, 0, 0), language, true),
            time(at(0, 0, 0, 0), language, true),
            from_to(at(9, 5, 0, 0), at(13, 0, 0, 0), language),
        ];
        for (said, expected) in said.iter().zip(expected) {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn days_and_times_are_said_in_each_language() {
        check(
            Language::English,
            [
                "on Thursday the third of December at eight in the morning",
                "Saturday the first of January twenty twenty-eight",
                "at one thirty in the afternoon",
                "at noon",
                "at midnight",
                "from nine oh five in the morning to one in the afternoon",
            ],
        );
        check(
            Language::German,
            [
                "am Donnerstag, dem dritten Dezember um acht Uhr",
                "Samstag, der erste Januar zweitausendachtundzwanzig",
                "um dreizehn Uhr dreißig",
                "um zwölf Uhr",
                "um null Uhr",
                "von neun Uhr fünf bis dreizehn Uhr",
            ],
        );
        check(
            Language::French,
            [
                "le jeudi trois décembre à huit heures",
                "samedi premier janvier deux mille vingt-huit",
                "à treize heures trente",
                "à midi",
                "à minuit",
                "de neuf heures cinq à treize heures",
            ],
        );
        check(
            Language::Spanish,
            [
                "el jueves tres de diciembre a las ocho de la mañana",
                "sábado uno de enero de dos mil veintiocho",
                "a la una y treinta de la tarde",
                "a mediodía",
                "a medianoche",
                "desde las nueve y cinco de la mañana hasta la una de la tarde",
            ],
        );
        check(
            Language::Italian,
            [
                "giovedì tre dicembre alle otto",
                "sabato primo gennaio duemilaventotto",
                "alle tredici e trenta",
                "a mezzogiorno",
                "a mezzanotte",
                "dalle nove e cinque alle tredici",
            ],
        );
        check(
            Language::Portuguese,
            [
                "na quinta-feira, três de dezembro às oito da manhã",
                "sábado, primeiro de janeiro de dois mil e vinte e oito",
                "à uma e trinta da tarde",
                "ao meio-dia",
                "à meia-noite",
                "das nove e cinco da manhã à uma da tarde",
            ],
        );
        check(
            Language::Dutch,
            [
                "op donderdag drie december om acht uur",
                "zaterdag één januari tweeduizend achtentwintig",
                "om dertien uur dertig",
                "om twaalf uur",
                "om nul uur",
                "van negen uur vijf tot dertien uur",
            ],
        );
    }

    #[test]
    fn every_day_and_minute_is_said_differently() {
        for language in Language::ALL {
            let days = (0..366).map(|days| TODAY.saturating_add(jiff::Span::new().days(days)));
            let mut all = days.map(|one| day(one, TODAY, language, true)).collect::<Vec<_>>();
            let times = (0..24).flat_map(|hour| (0..60).map(move |minute| at(hour, minute, 0, 0)));
            all.extend(times.map(|one| time(one, language, true)));
            all.sort_unstable();
            assert_eq!(all.windows(2).find(|pair| pair[0] == pair[1]), None, "{language:?}");
        }
    }
}
