//! What a mail says: the form that is worth reading, as Markdown.

use base64::{
    Engine,
    alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::wire::Part;
use crate::tool::{html, quotes};

/// base64url, with or without padding.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A text this short beside a longer page may be a mere note that there is a page.
const STUB: usize = 400;

/// How many parts of a mail are shown; whoever sends it on is asked about all. Mails have a handful; one with a hundred pictures has a hundred.
pub(super) const MOST_PARTS: usize = 1_000;

/// What a mail says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Body {
    /// Markdown, or the plain text as it came.
    pub(super) text: String,
    /// The page, where the mail has one.
    pub(super) html: Option<String>,
    /// What a reader has to know about the text.
    pub(super) note: Option<&'static str>,
}

/// A file at a mail.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct File {
    /// The number of the part, which stays the same; the id of the attachment does not.
    pub(super) part_id: String,
    pub(super) name: String,
    pub(super) mime_type: String,
    pub(super) bytes: u64,
}

impl Body {
    /// The words of a mail. Whoever wrote it decides how much work that is, so it belongs into the compute pool.
    pub(super) fn of(payload: &Part) -> Body {
        let (mut plain, mut page) = (Vec::new(), Vec::new());
        parts(payload).take(MOST_PARTS).for_each(|part| gather(part, &mut plain, &mut page));
        let (plain, page) = (plain.join("\n\n"), page.join("\n"));
        let shown = html::to_markdown(&page);
        let is_better = plain.trim().is_empty() || is_stub(&plain, &shown.text);
        let is_page = is_better && !shown.text.is_empty();
        let note = shown.reduced.filter(|_| is_page).map(html::TooMuch::note);
        let text = if is_page { shown.text } else { plain.replace("\r\n", "\n") };
        Body { text: text.trim().to_owned(), html: Some(page).filter(|page| !page.is_empty()), note }
    }
}

/// All words of a mail in both forms, nothing left out.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Texts {
    pub(super) plain: String,
    pub(super) page: String,
}

/// The words of a mail in the forms in which they are sent.
pub(super) fn texts(payload: &Part) -> Texts {
    let (mut plain, mut page) = (Vec::new(), Vec::new());
    parts(payload).for_each(|part| gather(part, &mut plain, &mut page));
    Texts { plain: plain.join("\n\n").replace("\r\n", "\n"), page: page.join("\n") }
}

/// With these a subject begins that somebody else may have made.
const ANSWERS: [&str; 12] =
    ["re:", "aw:", "antw:", "rv:", "sv:", "vs:", "fwd:", "fw:", "wg:", "tr:", "enc:", "doorst:"];

/// How programs begin a mail that is passed on.
const PASSED_ON: [&str; 7] = [
    "forwarded message",
    "weitergeleitete nachricht",
    "message transféré",
    "mensaje reenviado",
    "messaggio inoltrato",
    "doorgestuurd bericht",
    "mensagem encaminhada",
];

/// Whether a mail answers another one or passes it on, so that its subject may be somebody else's.
pub(super) fn answers_others(subject: &str) -> bool {
    let begin: String = subject.trim_start().chars().take(8).collect::<String>().to_lowercase();
    ANSWERS.iter().any(|answer| begin.starts_with(answer))
}

/// Whether a text has earlier mails in it. In a mail of one's own these are still the words of others.
pub(super) fn quotes_others(text: &str) -> bool {
    let passes_on = |line: &str| {
        let line = line.trim();
        line.len() < 120 && PASSED_ON.iter().any(|words| line.to_lowercase().contains(words))
    };
    quotes::has_quotes(text) || text.lines().any(passes_on)
}

/// The part and all below it, in their order.
fn parts(payload: &Part) -> impl Iterator<Item = &Part> {
    let mut open = vec![payload];
    let next = move || {
        let part = open.pop()?;
        open.extend(part.parts.iter().rev());
        Some(part)
    };
    std::iter::from_fn(next)
}

/// Texts that are shown; files are not.
fn gather(part: &Part, plain: &mut Vec<String>, page: &mut Vec<String>) {
    if is_file(part) || part.body.data.is_empty() {
        return;
    }
    match part.mime_type.as_str() {
        "text/plain" => plain.push(text(part)),
        "text/html" => page.push(text(part)),
        _ => {}
    }
}

/// Whether a part is a file, not words of the mail.
pub(super) fn is_file(part: &Part) -> bool {
    !part.filename.is_empty() || part.header("Content-Disposition").to_ascii_lowercase().starts_with("attachment")
}

/// The bytes of a part as text, in the character set that the part names.
fn text(part: &Part) -> String {
    let bytes = decoded(&part.body.data);
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(other) => {
            let kind = part.header("Content-Type").to_ascii_lowercase();
            let named = kind.split_once("charset=").map(|(_, rest)| rest.split(';').next().unwrap_or_default().trim());
            let label = named.unwrap_or("windows-1252").trim_matches(['"', '\'']).to_owned();
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::WINDOWS_1252);
            encoding.decode(other.as_bytes()).0.into_owned()
        }
    }
}

/// Bytes out of base64url; what is damaged is left out.
pub(super) fn decoded(data: &str) -> Vec<u8> {
    BASE64URL.decode(data).unwrap_or_default()
}

/// Whether the plain text only says that there is a page, as newsletters do.
fn is_stub(plain: &str, markdown: &str) -> bool {
    let plain = plain.trim();
    if plain.len() > 4 * STUB || plain.chars().count() > STUB || markdown.chars().count() < 2 * plain.chars().count() {
        return false;
    }
    let said = plain.to_lowercase();
    let phrases = ["browser", "html", "view this", "view online", "webversion", "web version", "im web", "online ansehen"];
    phrases.iter().any(|phrase| said.contains(phrase))
}

/// The files of a mail.
pub(super) fn files(payload: &Part) -> Vec<File> {
    let file = |part: &Part| File {
        part_id: part.part_id.clone(),
        name: if part.filename.is_empty() { "unnamed".to_owned() } else { part.filename.clone() },
        mime_type: part.mime_type.clone(),
        bytes: part.body.size,
    };
    parts(payload).filter(|part| is_file(part)).map(file).collect()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE;
    use serde_json::json;

    use super::*;

    fn part(mime: &str, text: &str) -> serde_json::Value {
        json!({ "mimeType": mime, "body": { "data": URL_SAFE.encode(text) } })
    }

    fn body(parts: Vec<serde_json::Value>) -> Body {
        Body::of(&serde_json::from_value(json!({ "mimeType": "multipart/alternative", "parts": parts })).unwrap())
    }

    #[test]
    fn the_form_that_is_worth_reading_is_chosen() {
        let page = "<p>The <b>news</b> of this week, at length and with everything that belongs to it.</p>";
        let markdown = "The **news** of this week, at length and with everything that belongs to it.";
        assert_eq!(body(vec![part("text/html", page)]).text, markdown);
        let stub = "View this email in your browser";
        assert_eq!(body(vec![part("text/plain", stub), part("text/html", page)]).text, markdown);
        assert_eq!(body(vec![part("text/plain", "Hi\r\nAna"), part("text/html", page)]).text, "Hi\nAna");
        assert_eq!(body(vec![part("text/plain", stub), part("text/html", "<p>Hi</p>")]).text, stub);
    }

    #[test]
    fn files_are_told_from_words() {
        let mut file = part("text/plain", "log");
        file["filename"] = "a.log".into();
        file["partId"] = "1".into();
        let whole = json!({ "parts": [part("text/plain", "See the log."), file] });
        let whole: Part = serde_json::from_value(whole).unwrap();
        assert_eq!(Body::of(&whole).text, "See the log.");
        assert_eq!(files(&whole)[0].part_id, "1");
    }

    #[test]
    fn a_mail_has_a_number_of_parts() {
        let file = json!({ "mimeType": "text/csv", "filename": "a.csv", "partId": "1" });
        let many = json!({ "parts": vec![json!({ "parts": vec![file; 50] }); 50] });
        let many: Part = serde_json::from_value(many).unwrap();
        assert_eq!(files(&many).len(), 2_500, "a question names them all");
        let texts = json!({ "parts": vec![json!({ "parts": vec![part("text/plain", "a"); 50] }); 50] });
        let read = Body::of(&serde_json::from_value(texts).unwrap());
        assert!((900..MOST_PARTS).contains(&read.text.matches('a').count()));
    }

    #[test]
    fn older_character_sets_are_read() {
        let latin = json!({ "mimeType": "text/plain", "headers": [{ "name": "Content-Type", "value": "text/plain; charset=\"iso-8859-1\"" }],
            "body": { "data": URL_SAFE.encode([0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72]) } });
        assert_eq!(Body::of(&serde_json::from_value(latin).unwrap()).text, "Müller");
    }

    #[test]
    fn words_of_others_in_an_own_mail_are_found() {
        for text in [
            "See below.\n\n> Pay 500 to Eve",
            "See below.\n\nOn Mon, Ana wrote:\n> x",
            "FYI\n\n---------- Forwarded message ---------\nFrom: Eve\n\nPay Eve",
            "FYI\n\nBegin forwarded message:\n\nPay Eve",
            "FYI\n\nFrom: Eve\nSent: Monday\nTo: Lena\nSubject: x\n\nPay Eve",
        ] {
            assert!(quotes_others(text), "{text}");
        }
        for text in ["Hello Ana,\n\nthe plan is a > b.\n\nLena", "", "On Monday we wrote a lot"] {
            assert!(!quotes_others(text), "{text}");
        }
        assert!(answers_others("Re: x") && answers_others(" WG: x") && !answers_others("Report: x"));
    }

    #[test]
    fn a_page_beyond_the_bounds_comes_with_a_note() {
        let deep = format!("{}Hello", "<div>".repeat(600));
        let read = body(vec![part("text/html", &deep)]);
        assert_eq!((&*read.text, read.note), ("Hello", Some(html::TooMuch::Depth.note())));
        let read = body(vec![part("text/plain", "Hello Ana"), part("text/html", &deep)]);
        assert_eq!((&*read.text, read.note), ("Hello Ana", None), "the plain form needs no note");
    }
}
