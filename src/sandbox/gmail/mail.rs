//! A mail, and how Gmail shows it in each of its formats.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The longest snippet, in characters.
const SNIPPET: usize = 200;
/// A text of more bytes is not sent along. Gmail does not say where it draws the line.
const LONG: usize = 16 * 1024;

/// A mail in the mailbox.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Mail {
    pub id: String,
    pub thread_id: String,
    pub label_ids: Vec<String>,
    /// When it came, in milliseconds.
    pub at: i64,
    /// In their order; a name may come several times.
    pub headers: Vec<(String, String)>,
    pub plain: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
}

/// A file at a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    pub name: String,
    pub mime: String,
    pub text: String,
}

/// A mail that is not sent yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draft {
    pub id: String,
    pub mail: Mail,
}

impl Mail {
    /// A header, whatever the case of its name.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    pub fn has_label(&self, id: &str) -> bool {
        self.label_ids.iter().any(|label| label == id)
    }

    /// All the words in it.
    pub fn text(&self) -> String {
        let html = self.html.as_deref().map(without_tags).unwrap_or_default();
        format!("{}\n{html}", self.plain.as_deref().unwrap_or_default())
    }

    /// The beginning of what it says.
    fn snippet(&self) -> String {
        let text = match (&self.plain, &self.html) {
            (Some(plain), _) => plain.clone(),
            (None, html) => without_tags(html.as_deref().unwrap_or_default()),
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().take(SNIPPET).collect();
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;")
    }

    /// As Gmail shows it. `headers` narrows the format `metadata`.
    pub fn json(&self, format: &str, headers: &[&str]) -> Value {
        let mut shown = json!({
            "id": self.id, "threadId": self.thread_id, "labelIds": self.label_ids, "snippet": self.snippet(),
            "historyId": "1", "internalDate": self.at.to_string(), "sizeEstimate": self.text().len() + 500,
        });
        match format {
            "minimal" => {}
            "raw" => shown["raw"] = URL_SAFE.encode(self.raw()).into(),
            "metadata" => {
                let is_wanted =
                    |name: &str| headers.is_empty() || headers.iter().any(|one| one.eq_ignore_ascii_case(name));
                shown["payload"] = json!({ "mimeType": self.mime_type(), "headers": self.header_list(is_wanted) });
            }
            _ => shown["payload"] = self.payload(),
        }
        shown
    }

    /// As it is sent.
    fn raw(&self) -> String {
        let headers: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let headers = headers.concat();
        let texts = [("text/plain", &self.plain), ("text/html", &self.html)];
        let texts = texts.into_iter().filter_map(|(mime, text)| Some((mime, text.as_ref()?)));
        let mut parts: Vec<_> =
            texts.map(|(mime, text)| raw_part(&format!("{mime}; charset=utf-8"), "", text)).collect();
        if parts.len() > 1 {
            parts = vec![raw_parts("alternative", "words", &parts)];
        }
        parts.extend(self.attachments.iter().map(|file| {
            let disposition = format!("Content-Disposition: attachment; filename=\"{}\"\r\n", file.name);
            raw_part(&file.mime, &disposition, &file.text)
        }));
        let body = match &parts[..] {
            [only] => only.clone(),
            all => raw_parts("mixed", "whole", all),
        };
        format!("{headers}{body}")
    }

    fn header_list(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        let wanted = self.headers.iter().filter(|(name, _)| is_wanted(name));
        wanted.map(|(name, value)| json!({ "name": name, "value": value })).collect()
    }

    fn mime_type(&self) -> &'static str {
        match (self.attachments.is_empty(), &self.plain, &self.html) {
            (false, ..) => "multipart/mixed",
            (true, Some(_), Some(_)) => "multipart/alternative",
            (true, None, Some(_)) => "text/html",
            (true, ..) => "text/plain",
        }
    }

    fn payload(&self) -> Value {
        let mut whole = if self.attachments.is_empty() {
            self.words("")
        } else {
            let mut parts = vec![self.words("0")];
            let files = (1..).zip(&self.attachments).map(|(at, file)| file.part(&at.to_string()));
            parts.extend(files);
            json!({ "partId": "", "mimeType": "multipart/mixed", "filename": "", "body": { "size": 0 }, "parts": parts })
        };
        let own = self.header_list(|_| true);
        match whole["headers"].as_array_mut() {
            Some(headers) => headers.splice(0..0, own).for_each(drop),
            None => whole["headers"] = own.into(),
        }
        whole
    }

    /// The part that holds the words: one text, or the same one in two forms.
    fn words(&self, id: &str) -> Value {
        let below = |at: usize| if id.is_empty() { at.to_string() } else { format!("{id}.{at}") };
        match (&self.plain, &self.html) {
            (Some(plain), Some(html)) => json!({
                "partId": id, "mimeType": "multipart/alternative", "filename": "", "body": { "size": 0 },
                "parts": [text_part(&below(0), "text/plain", plain), text_part(&below(1), "text/html", html)],
            }),
            (None, Some(html)) => text_part(id, "text/html", html),
            (plain, None) => text_part(id, "text/plain", plain.as_deref().unwrap_or_default()),
        }
    }

    /// What this id of an attachment stands for: a file, or a long text.
    pub fn kept(&self, id: &str) -> Option<&str> {
        match id.strip_prefix("ANGjdJ-")? {
            "text/plain" => self.plain.as_deref(),
            "text/html" => self.html.as_deref(),
            part => {
                let part = part.parse::<usize>().ok()?;
                Some(&self.attachments.get(part.checked_sub(1)?)?.text)
            }
        }
    }
}

impl Attachment {
    fn part(&self, id: &str) -> Value {
        let disposition = format!("attachment; filename=\"{}\"", self.name);
        json!({
            "partId": id, "mimeType": self.mime, "filename": self.name,
            "headers": [
                { "name": "Content-Type", "value": format!("{}; name=\"{}\"", self.mime, self.name) },
                { "name": "Content-Disposition", "value": disposition },
            ],
            "body": { "attachmentId": format!("ANGjdJ-{id}"), "size": self.text.len() },
        })
    }
}

fn raw_part(mime: &str, disposition: &str, text: &str) -> String {
    let packed = STANDARD.encode(text);
    format!("Content-Type: {mime}\r\n{disposition}Content-Transfer-Encoding: base64\r\n\r\n{packed}")
}

fn raw_parts(kind: &str, boundary: &str, parts: &[String]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
    let parts = parts.concat();
    format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n{parts}--{boundary}--\r\n")
}

fn text_part(id: &str, mime: &str, text: &str) -> Value {
    let kind = json!({ "name": "Content-Type", "value": format!("{mime}; charset=\"UTF-8\"") });
    let mut body = json!({ "size": text.len() });
    if text.len() > LONG {
        body["attachmentId"] = format!("ANGjdJ-{mime}").into();
    } else {
        body["data"] = URL_SAFE.encode(text).into();
    }
    json!({ "partId": id, "mimeType": mime, "filename": "", "headers": [kind], "body": body })
}

/// The words of a page, roughly: enough to search in and for a snippet.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text
}
