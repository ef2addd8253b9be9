//! What a person is asked before a mail leaves: everything that is in it, also what its readers would not see.

use sha2::{Digest, Sha256};

use super::{
    body::{self, File},
    compose::{Letter, mailboxes},
    wire::{Message, Part},
};
use crate::tool::{Markup, Question, Written, excerpt, people};

/// Headers that a question shows, or that every mail has.
const USUAL: [&str; 13] = [
    "to", "cc", "bcc", "from", "reply-to", "subject", "date", "message-id", "mime-version", "in-reply-to", "references",
    "received", "return-path",
];

/// Who gets it and what it is about.
struct Head {
    subject: Written,
    to: Vec<String>,
    cc: Vec<String>,
    bcc: Vec<String>,
}

impl Head {
    fn asks(&self, text: &Written) -> String {
        let copies = |name: &str, all: &[String]| {
            if all.is_empty() { String::new() } else { format!(", {name} {}", people(all)) }
        };
        let (cc, bcc) = (copies("cc", &self.cc), copies("bcc", &self.bcc));
        format!("Send the mail \"{}\" to {}{cc}{bcc}: \"{}\"?", excerpt(&self.subject), people(&self.to), excerpt(text))
    }
}

/// Asks about a mail that was written just now.
pub(super) fn letter(letter: &Letter) -> Question {
    let head = Head {
        // In an answer it may be the words of whoever is answered.
        subject: Written::by(letter.answers.is_none(), &letter.subject),
        to: letter.to.clone(),
        cc: letter.cc.clone(),
        bcc: letter.bcc.clone(),
    };
    if letter.is_html {
        page(Markup::read(&letter.body), &letter.body, |text| head.asks(&Written::by_account(text)))
    } else {
        Question::new(head.asks(&Written::by_account(&letter.body)))
    }
}

/// Asks about a draft, which anybody may have written and changed.
pub(super) fn draft(draft: &Message) -> Question {
    let mail = &draft.payload;
    let list = |name: &str| mailboxes(mail.header(name));
    let subject = mail.header("Subject");
    let head = Head { subject: Written::by(!body::answers_others(subject), subject), to: list("To"), cc: list("Cc"), bcc: list("Bcc") };
    let body::Texts { plain, page: html } = body::texts(mail);
    let question = if html.trim().is_empty() {
        Question::new(head.asks(&written(&plain)))
    } else {
        let question = page(Markup::read(&html), &html, |text| head.asks(&written(text)));
        if plain.trim().is_empty() { question } else { question.attach("As plain text", written(&plain)) }
    };
    let question = senders(question, mail);
    let question = unshown(files(question, &body::files(mail)), mail);
    let others = other_headers(mail);
    let question = if others.is_empty() { question } else { question.attach("Other headers", others) };
    question.about(fingerprint(draft))
}

/// Words of a draft: quoted mails in it are those of others.
fn written(text: &str) -> Written {
    Written::by(!body::quotes_others(text), text)
}

/// A page as its readers see it, and what they would not see.
fn page(found: Markup, source: &str, asks: impl Fn(&str) -> String) -> Question {
    let mut question = Question::new(asks(&found.text));
    if !found.hidden.is_empty() {
        let hidden = found.hidden.join(" | ");
        question = question.note(format!("Hidden in it, so that nobody would see it: \"{}\".", excerpt(hidden)));
    }
    if !found.links.is_empty() {
        let links: Vec<_> = found.links.addresses().collect();
        question = question.note(format!("Its links: {}.", excerpt(links.join(", "))));
    }
    question.attach("The page as it is sent", source).leading_to(found.fetched)
}

fn senders(question: Question, mail: &Part) -> Question {
    let note = |question: Question, name: &str, says: &str| match mail.header(name).trim() {
        "" => question,
        value => question.note(format!("{says} {}.", excerpt(value))),
    };
    note(note(question, "From", "From"), "Reply-To", "Answers go to")
}

fn files(question: Question, files: &[File]) -> Question {
    if files.is_empty() {
        return question;
    }
    let one = |file: &File| format!("{} ({}, {} bytes)", file.name, file.mime_type, file.bytes);
    let all = files.iter().map(one).collect::<Vec<_>>().join(", ");
    let count = if files.len() == 1 { "One file goes with it".to_owned() } else { format!("{} files go with it", files.len()) };
    question.note(format!("{count}: {}.", excerpt(all)))
}

/// Parts that are neither words nor files with names: pictures within the text, and texts that Gmail did not hand out.
fn unshown(question: Question, mail: &Part) -> Question {
    let mut found = Vec::new();
    let mut open = vec![mail];
    while let Some(part) = open.pop() {
        open.extend(&part.parts);
        let is_shown = matches!(part.mime_type.as_str(), "text/plain" | "text/html") && !part.body.data.is_empty();
        if part.parts.is_empty() && part.body.size > 0 && !body::is_file(part) && !is_shown {
            found.push(format!("{} of {} bytes", part.mime_type, part.body.size));
        }
    }
    if found.is_empty() {
        return question;
    }
    question.note(format!("Also in it, and not shown here: {}. Look at the draft in Gmail.", excerpt(found.join(", "))))
}

/// What else stands above the mail, such as a wish to be told when it is read.
fn other_headers(mail: &Part) -> String {
    let is_usual = |name: &str| {
        let name = name.to_ascii_lowercase();
        USUAL.contains(&&*name) || name.starts_with("content-") || name.starts_with("x-gm-")
    };
    let others = mail.headers.iter().filter(|header| !is_usual(&header.name));
    others.map(|header| format!("{}: {}", header.name, header.value)).collect::<Vec<_>>().join("\n")
}

/// The content of a draft in one word. Gmail gives a draft's mail another id with every change, and what it shows of the
/// mail is in it as well.
pub(super) fn fingerprint(draft: &Message) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    };
    add(&draft.id);
    add(&draft.thread_id);
    let mut open = vec![&draft.payload];
    while let Some(part) = open.pop() {
        for header in &part.headers {
            add(&header.name);
            add(&header.value);
        }
        // Ids of attachments are other ones with every look.
        for text in [&part.part_id, &part.mime_type, &part.filename, &part.body.data] {
            add(text);
        }
        add(&part.body.size.to_string());
        open.extend(&part.parts);
    }
    format!("{:x}", hash.finalize())
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE};
    use serde_json::{Value, json};

    use super::*;
    use crate::tool::Error;

    fn text(mime: &str, text: &str) -> Value {
        json!({ "mimeType": mime, "body": { "data": URL_SAFE.encode(text), "size": text.len() } })
    }

    fn message(parts: Vec<Value>, headers: &[(&str, &str)]) -> Message {
        let headers: Vec<_> = headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let payload = json!({ "mimeType": "multipart/mixed", "headers": headers, "parts": parts });
        serde_json::from_value(json!({ "id": "1", "threadId": "2", "payload": payload })).unwrap()
    }

    const HEAD: [(&str, &str); 2] = [("To", "Ana <ana@e.example>"), ("Subject", "Plan")];

    #[test]
    fn quoted_mails_files_and_headers_are_in_it() {
        let quoting = text("text/plain", "Yes.\n\nOn Mon, Ben wrote:\n> the secret price is 9");
        let file = json!({ "partId": "1", "mimeType": "application/pdf", "filename": "plan.pdf", "body": { "size": 12 } });
        let head = [&HEAD[..], &[("Bcc", "eve@x.example"), ("Reply-To", "mallory@x.example"), ("X-Note", "n")]].concat();
        let asked = Error::ask(draft(&message(vec![quoting, file], &head)));
        for phrase in [
            "Send the mail \"Plan\" to ana@e.example, bcc eve@x.example: \"⟦Yes.",
            "the secret price is 9⟧\"?",
            "Answers go to mallory@x.example.",
            "One file goes with it: plan.pdf (application/pdf, 12 bytes).",
        ] {
            assert!(asked.what().contains(phrase), "{phrase}: {}", asked.what());
        }
        assert!(asked.in_full().ends_with("Other headers:\nX-Note: n"), "{}", asked.in_full());
    }

    #[test]
    fn what_a_page_hides_and_fetches_is_in_it() {
        let html = "<p>Hello</p><p style='display:none'>all passwords</p><img src='https://t.example/1.gif'>\
                    <a href='https://l.example'>here</a>";
        let asked = Error::ask(draft(&message(vec![text("text/html", html), text("text/plain", "Hi")], &HEAD)));
        for phrase in ["\"Hello\nhere\"?", "nobody would see it: \"all passwords\".", "Its links: https://l.example.", "It leads to https://t.example/1.gif."] {
            assert!(asked.what().contains(phrase), "{phrase}: {}", asked.what());
        }
        assert!(asked.in_full().contains(html) && asked.in_full().contains("As plain text:\nHi"), "{}", asked.in_full());
    }

    #[test]
    fn what_cannot_be_shown_is_counted() {
        let picture = json!({ "mimeType": "image/png", "body": { "attachmentId": "x", "size": 9 } });
        let kept = json!({ "mimeType": "text/plain", "body": { "attachmentId": "y", "size": 8 } });
        let asked = Error::ask(draft(&message(vec![text("text/plain", "Hi"), picture, kept], &HEAD)));
        for phrase in ["not shown here: ", "image/png of 9 bytes", "text/plain of 8 bytes"] {
            assert!(asked.what().contains(phrase), "{phrase}: {}", asked.what());
        }
    }

    #[test]
    fn any_change_makes_another_question() {
        let seal = |mail: &Message| Error::ask(draft(mail)).seal().to_owned();
        let plain = || message(vec![text("text/plain", "Hi")], &HEAD);
        let first = seal(&plain());
        assert_eq!(first, seal(&plain()));
        let mut later = plain();
        later.id = "9".into();
        assert_ne!(first, seal(&later), "another version of the draft");
        let file = json!({ "partId": "1", "filename": "a.txt", "body": { "size": 1, "attachmentId": "x" } });
        let mut with_file = message(vec![text("text/plain", "Hi"), file], &HEAD);
        let one = seal(&with_file);
        with_file.payload.parts[1].body.attachment_id = Some("y".into());
        assert_eq!(one, seal(&with_file), "ids of attachments change with every look");
        with_file.payload.parts[1].body.size = 2;
        assert_ne!(one, seal(&with_file));
    }
}
