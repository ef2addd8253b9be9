//! What a mail says: the form that is worth reading, as Markdown, with quoted history folded.

use base64::{
    Engine,
    alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::wire::Part;
use crate::tool::html;

/// base64url, with or without padding.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A text this short beside a longer page may be a mere note that there is a page.
const STUB: usize = 400;

/// What a mail says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Body {
    /// Markdown, or the plain text as it came.
    pub(super) text: String,
    /// The page, where the mail has one.
    pub(super) html: Option<String>,
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
    /// The words of a mail.
    pub(super) fn of(payload: &Part) -> Body {
        let (mut plain, mut page) = (Vec::new(), Vec::new());
        gather(payload, &mut plain, &mut page);
        let (plain, page) = (plain.join("\n\n"), page.join("\n"));
        let markdown = html::to_markdown(&page);
        let is_better = plain.trim().is_empty() || is_stub(&plain, &markdown);
        let text = if is_better && !markdown.is_empty() { markdown } else { plain.replace("\r\n", "\n") };
        Body { text: text.trim().to_owned(), html: Some(page).filter(|page| !page.is_empty()) }
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
    gather(payload, &mut plain, &mut page);
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
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let passes_on = |line: &str| line.len() < 120 && PASSED_ON.iter().any(|words| line.to_lowercase().contains(words));
    lines.iter().enumerate().any(|(at, line)| {
        is_quoted(line) || introduces(line) || is_separator(line) || is_outlook(line, &lines[at + 1..]) || passes_on(line)
    })
}

/// Texts that are shown, in their order; files are not.
fn gather(part: &Part, plain: &mut Vec<String>, page: &mut Vec<String>) {
    part.parts.iter().for_each(|below| gather(below, plain, page));
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
    if plain.chars().count() > STUB || markdown.chars().count() < 2 * plain.chars().count() {
        return false;
    }
    let said = plain.to_lowercase();
    let phrases = ["browser", "html", "view this", "view online", "webversion", "web version", "im web", "online ansehen"];
    phrases.iter().any(|phrase| said.contains(phrase))
}

/// All files of a mail.
pub(super) fn files(part: &Part) -> Vec<File> {
    let own = is_file(part).then(|| File {
        part_id: part.part_id.clone(),
        name: if part.filename.is_empty() { "unnamed".to_owned() } else { part.filename.clone() },
        mime_type: part.mime_type.clone(),
        bytes: part.body.size,
    });
    own.into_iter().chain(part.parts.iter().flat_map(files)).collect()
}

/// The text without the earlier mails that it quotes at its end, and how many lines those were. A text that answers
/// between quoted lines stays whole.
pub(super) fn folded(text: &str) -> (String, usize) {
    let lines: Vec<&str> = text.lines().collect();
    let Some(begin) = (0..lines.len()).find(|&at| begins_history(&lines, at)) else {
        return (text.trim_end().to_owned(), 0);
    };
    let own = lines[..begin].join("\n").trim_end().to_owned();
    // A mail that was only passed on has nothing else to say.
    if own.trim().is_empty() { (text.trim_end().to_owned(), 0) } else { (own, lines.len() - begin) }
}

/// Whether from this line on there are only earlier mails.
fn begins_history(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    let rest = &lines[at + 1..];
    let next = rest.iter().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or_default();
    if is_quoted(line) {
        return all_quoted(&lines[at..]);
    }
    if introduces(line) && is_quoted(next) {
        return all_quoted(rest);
    }
    // Long introductions are broken into two lines.
    if line.ends_with(':') || rest.is_empty() {
        return is_separator(line);
    }
    let joined = format!("{line} {}", rest[0].trim());
    is_separator(line)
        || (begins_introduction(line) && introduces(&joined) && all_quoted(&rest[1..]) && rest.len() > 1)
        || is_outlook(line, rest)
}

fn is_quoted(line: &str) -> bool {
    line.starts_with('>')
}

fn all_quoted(lines: &[&str]) -> bool {
    lines.iter().any(|line| is_quoted(line.trim()))
        && lines.iter().all(|line| line.trim().is_empty() || is_quoted(line.trim()) || introduces(line.trim()))
}

fn begins_introduction(line: &str) -> bool {
    ["On ", "Am ", "Le ", "El ", "Il ", "Op ", "Em ", "Den "].iter().any(|word| line.starts_with(word))
}

/// `On Monday, Ana wrote:` in the languages of many.
fn introduces(line: &str) -> bool {
    let verbs = ["wrote", "schrieb", "a écrit", "escribió", "ha scritto", "schreef", "escreveu", "skrev"];
    begins_introduction(line) && line.ends_with(':') && verbs.iter().any(|verb| line.contains(verb))
}

fn is_separator(line: &str) -> bool {
    let words = line.trim_matches(['-', ' ', '*']);
    line.starts_with("---")
        && ["Original Message", "Ursprüngliche Nachricht", "Message d'origine", "Mensaje original"].contains(&words)
}

/// The headers with which Outlook begins an earlier mail.
fn is_outlook(line: &str, rest: &[&str]) -> bool {
    let plain = |line: &str| line.replace('*', "").trim().to_owned();
    let begins = |line: &str, words: &[&str]| words.iter().any(|word| plain(line).starts_with(word));
    let near = &rest[..rest.len().min(6)];
    begins(line, &["From:", "Von:", "De :", "De:"])
        && near.iter().any(|line| begins(line, &["Sent:", "Gesendet:", "Envoyé", "Enviado", "Date:"]))
        && near.iter().any(|line| begins(line, &["Subject:", "Betreff:", "Objet", "Asunto:"]))
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
    fn older_character_sets_are_read() {
        let latin = json!({ "mimeType": "text/plain", "headers": [{ "name": "Content-Type", "value": "text/plain; charset=\"iso-8859-1\"" }],
            "body": { "data": URL_SAFE.encode([0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72]) } });
        assert_eq!(Body::of(&serde_json::from_value(latin).unwrap()).text, "Müller");
    }

    #[track_caller]
    fn check(text: &str, own: &str, lines: usize) {
        assert_eq!(folded(text), (own.to_owned(), lines), "{text}");
    }

    #[test]
    fn quoted_history_is_folded() {
        check("Yes.\n\nOn Mon, Ana <a@b.example> wrote:\n> Can you?\n>\n> Ana\n", "Yes.", 4);
        check("Ja.\n\nAm 23.11.2026 um 10:00 schrieb Ana Ruiz\n<a@b.example>:\n\n> Kannst du?", "Ja.", 4);
        check("Yes.\n\n> quoted\n> text", "Yes.", 2);
        check("Yes.\n\n-----Original Message-----\nFrom: Ana\n\nCan you?", "Yes.", 4);
        check("Yes.\n\n**From:** Ana\n**Sent:** Monday\n**To:** Lena\n**Subject:** x\n\nCan you?", "Yes.", 6);
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
    fn what_is_no_history_stays() {
        check("> Can you?\nYes.\n> When?\nNow.", "> Can you?\nYes.\n> When?\nNow.", 0);
        check("---------- Forwarded message ---------\nFrom: Ana\n\nText", "---------- Forwarded message ---------\nFrom: Ana\n\nText", 0);
        check("On Monday we wrote:\nall is well.", "On Monday we wrote:\nall is well.", 0);
        check("> only quoted", "> only quoted", 0);
        check("a > b\n--\nAna", "a > b\n--\nAna", 0);
    }
}
