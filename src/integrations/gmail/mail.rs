//! Mails as tools answer them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    attachment,
    body::{self, Body},
    wire::Message,
    zone,
};
use crate::{
    compute,
    moment::Shown,
    tool::{Answer, Link, Result, Written, quotes},
};

/// How much of a mail is shown, in characters.
pub(super) const LONGEST: usize = 20_000;
/// How much of a page is shown, in characters.
const LONGEST_PAGE: usize = 20_000;
/// The headers that a hit needs.
pub(super) const HEADERS: [&str; 4] = ["From", "To", "Cc", "Subject"];

/// One mail.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Mail {
    /// Its id; other tools take it as `message_id`.
    pub(super) id: String,
    /// The conversation; `gmail_get_thread` shows it.
    pub(super) thread_id: String,
    /// Who wrote it.
    from: Written,
    /// To whom.
    to: Written,
    /// Who got a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    cc: Option<Written>,
    /// What it is about.
    subject: Written,
    /// When it came: local time with offset and weekday.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Shown>,
    /// Labels, such as `INBOX`, `UNREAD` or one of the person's own.
    labels: Vec<String>,
    /// What it says, as Markdown, without the earlier mails that it quotes.
    text: Written,
    /// How many lines of earlier mails were left out.
    folded_lines: usize,
    /// What has to be known about the text, such as that it lost its form.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The page as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<Written>,
    /// Files at it.
    attachments: Vec<File>,
}

/// A file at a mail.
#[derive(Debug, Serialize, JsonSchema)]
struct File {
    /// What it is called.
    name: Written,
    /// Such as `application/pdf`.
    mime_type: String,
    /// How large it is.
    bytes: u64,
    /// Its address, as a resource.
    uri: String,
}

/// What of a mail is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// The earlier mails that it quotes, too.
    pub(super) quotes: bool,
    /// The page as it came, too.
    pub(super) html: bool,
    /// The longest text, in characters.
    pub(super) longest: usize,
}

/// Whether only the account itself can have written a mail.
pub(super) fn is_own(message: &Message) -> bool {
    message.label_ids.iter().any(|label| label == "SENT" || label == "DRAFT")
}

/// When a mail came.
pub(super) fn came(message: &Message) -> Option<Shown> {
    let at = Timestamp::from_millisecond(message.internal_date.parse().ok()?).ok()?;
    Some(Shown::new(at, &zone()))
}

impl Mail {
    /// The mail, with the names of its labels, read in the compute pool.
    pub(super) async fn read(message: Message, labels: Vec<String>, wish: Wish) -> Result<Mail> {
        Ok(compute::run(move || Mail::of(message, labels, wish)).await?)
    }

    pub(super) fn of(message: Message, labels: Vec<String>, wish: Wish) -> Mail {
        let is_own = is_own(&message);
        let written = |name: &str| Written::by(is_own, message.payload.header(name)).line(500);
        let Body { text, html, note } = Body::of(&message.payload);
        // What an own mail repeats or passes on is as foreign as it was.
        let repeats = body::quotes_others(&text);
        let (text, folded_lines) = if wish.quotes { (text, 0) } else { quotes::folded(&text) };
        let is_own_text = is_own && !body::quotes_others(&text);
        let is_own_subject = is_own && !body::answers_others(message.payload.header("Subject"));
        let file = |file: body::File| File {
            uri: attachment::address(&message.id, &file.part_id),
            name: Written::by(is_own && !repeats, file.name).line(200),
            mime_type: file.mime_type,
            bytes: file.bytes,
        };
        Mail {
            from: written("From"),
            to: written("To"),
            cc: written("Cc").non_empty(),
            subject: Written::by(is_own_subject, message.payload.header("Subject")).line(500).non_empty().unwrap_or_else(|| Written::by_account("(no subject)")),
            at: came(&message),
            text: Written::by(is_own_text, text).cut(wish.longest),
            folded_lines,
            note: note.map(str::to_owned),
            html: html.filter(|_| wish.html).map(|html| Written::by(is_own && !repeats, html).cut(LONGEST_PAGE)),
            attachments: body::files(&message.payload).into_iter().take(body::MOST_PARTS).map(file).collect(),
            labels,
            id: message.id,
            thread_id: message.thread_id,
        }
    }

    /// The whole mail in lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let labels = (!self.labels.is_empty()).then(|| format!("Labels: {}", self.labels.join(", ")));
        let head = [
            Some(format!("Subject: {}", self.subject)),
            Some(format!("From: {}", self.from)),
            Some(format!("To: {}", self.to)),
            self.cc.as_ref().map(|cc| format!("Cc: {cc}")),
            self.at.as_ref().map(|at| format!("Date: {at}")),
            labels,
            Some(format!("[id {}, thread {}]", self.id, self.thread_id)),
        ];
        let files = self.attachments.iter().map(|file| {
            format!("Attachment: {} ({}, {} bytes) {}", file.name, file.mime_type, file.bytes, file.uri)
        });
        let folded = (self.folded_lines > 0).then(|| {
            format!("({} lines of earlier mails are left out; `include_quotes` of `gmail_get_email` shows them.)", self.folded_lines)
        });
        let note = self.note.as_ref().map(|note| format!("({note})"));
        let html = self.html.as_ref().map(|html| format!("HTML:\n{html}"));
        let words = [Some(String::new()), Some(self.text.to_string()), note, folded, html];
        head.into_iter().flatten().chain(files).chain(words.into_iter().flatten()).collect()
    }

    /// The files, as links.
    pub(super) fn files(&self) -> impl Iterator<Item = Link> {
        self.attachments.iter().map(|file| Link {
            uri: file.uri.clone(),
            name: file.name.to_string(),
            mime_type: Some(file.mime_type.clone()),
        })
    }
}

impl Answer for Mail {
    fn text(&self) -> String {
        self.lines().join("\n")
    }

    fn links(&self) -> Vec<Link> {
        self.files().collect()
    }
}
