//! Writing a mail down as RFC 5322 wants it.
//!
//! `mail-builder` does it, because encoded words, folded headers and transfer encodings have many corners.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use mail_builder::{MessageBuilder, headers::address::Address};

use crate::{
    compute,
    tool::{Error, Result, html},
};

/// A mail that is to be sent.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) to: Vec<String>,
    pub(super) cc: Vec<String>,
    pub(super) bcc: Vec<String>,
    pub(super) subject: String,
    pub(super) body: String,
    /// Whether the body is HTML.
    pub(super) is_html: bool,
    pub(super) answers: Option<Answered>,
}

/// The mail that is answered.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) thread_id: String,
    /// Its `Message-ID`, without brackets.
    pub(super) message_id: String,
    /// The mails before it, the first one first.
    pub(super) references: Vec<String>,
}

impl Letter {
    /// The mail in base64url, under this `Message-ID`, written in the compute pool. Gmail adds the sender.
    pub(super) async fn write(&self, message_id: &str, now: Timestamp) -> Result<String> {
        let (letter, message_id) = (self.clone(), message_id.to_owned());
        compute::run(move || letter.raw(&message_id, now)).await?
    }

    fn raw(&self, message_id: &str, now: Timestamp) -> Result<String> {
        let list = |all: &[String]| Address::new_list(all.iter().map(|one| Address::from(one.clone())).collect());
        let mut mail = MessageBuilder::new()
            .message_id(message_id.to_owned())
            .date(now.as_second())
            .to(list(&self.to))
            .subject(self.subject.clone());
        if !self.cc.is_empty() {
            mail = mail.cc(list(&self.cc));
        }
        if !self.bcc.is_empty() {
            mail = mail.bcc(list(&self.bcc));
        }
        if let Some(answered) = &self.answers {
            let all = answered.references.iter().chain([&answered.message_id]).cloned().collect::<Vec<_>>();
            mail = mail.in_reply_to(answered.message_id.clone()).references(all);
        }
        mail = if self.is_html {
            mail.text_body(html::to_markdown(&self.body).text).html_body(self.body.clone())
        } else {
            mail.text_body(self.body.clone())
        };
        mail.write_to_vec().map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).map_err(Error::internal)
    }

    /// Everybody who gets it.
    pub(super) fn recipients(&self) -> impl Iterator<Item = &str> {
        self.to.iter().chain(&self.cc).chain(&self.bcc).map(String::as_str)
    }
}

/// The ids in a header such as `References`, without brackets.
pub(super) fn message_ids(header: &str) -> Vec<String> {
    let ids = header.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
    ids.map(|(id, _)| id.trim().to_owned()).filter(|id| !id.is_empty() && !id.contains(char::is_whitespace)).collect()
}

/// The addresses in a header such as `To`, as they stand there. Names in quotation marks may have commas and brackets
/// in them, and groups have names of their own (RFC 5322, section 3.4).
pub(super) fn mailboxes(header: &str) -> Vec<String> {
    // Where there are brackets, what stands before them is a name.
    let one = |bare: String, plain: String| if bare.is_empty() { plain } else { bare };
    let (mut found, mut plain, mut bare) = (Vec::new(), String::new(), String::new());
    let (mut is_quoted, mut is_escaped, mut is_inside) = (false, false, false);
    for c in header.chars() {
        match c {
            '"' if !is_escaped => is_quoted = !is_quoted,
            '<' if !is_quoted => is_inside = true,
            '>' if !is_quoted => is_inside = false,
            ',' | ';' | ':' if !is_quoted && !is_inside => {
                found.push(one(std::mem::take(&mut bare), std::mem::take(&mut plain)));
            }
            c if is_inside => bare.push(c),
            c => plain.push(c),
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    found.push(one(bare, plain));
    // What is left without an address is the name of a group.
    found.iter().map(|one| one.trim().to_owned()).filter(|one| one.contains('@')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(letter: &Letter) -> String {
        let raw = letter.raw("abc@example.com", "2026-11-23T07:00:00Z".parse().unwrap()).unwrap();
        String::from_utf8(URL_SAFE_NO_PAD.decode(raw).unwrap()).unwrap()
    }

    fn letter() -> Letter {
        Letter {
            to: vec!["ana@example.com".into(), "ben@example.com".into()],
            cc: vec![],
            bcc: vec!["cy@example.com".into()],
            subject: "Grüße".into(),
            body: "Hello\nÄna".into(),
            is_html: false,
            answers: None,
        }
    }

    #[test]
    fn a_mail_is_written_whole() {
        let text = written(&letter());
        assert!(text.contains("Message-ID: <abc@example.com>\r\n"), "{text}");
        assert!(text.contains("Date: Mon, 23 Nov 2026 07:00:00 +0000\r\n"), "{text}");
        assert!(text.contains("ana@example.com") && text.contains("ben@example.com") && text.contains("Bcc: "), "{text}");
        assert!(!text.contains("Grüße") && text.contains("Subject: =?utf-8?"), "{text}");
        assert!(!text.contains("From:"), "{text}");
    }

    #[test]
    fn an_answer_names_what_it_answers() {
        let answers = Answered { thread_id: "t".into(), message_id: "2@x".into(), references: vec!["1@x".into()] };
        let text = written(&Letter { answers: Some(answers), ..letter() });
        assert!(text.contains("In-Reply-To: <2@x>\r\n") && text.contains("References: <1@x> <2@x>\r\n"), "{text}");
    }

    #[test]
    fn a_page_goes_with_its_text() {
        let text = written(&Letter { body: "<p>Hello <b>you</b></p>".into(), is_html: true, ..letter() });
        assert!(text.contains("multipart/alternative") && text.contains("Hello **you**"), "{text}");
    }

    #[test]
    fn a_line_break_cannot_make_a_header() {
        let text = written(&Letter { subject: "a\r\nBcc: evil@example.com".into(), bcc: vec![], ..letter() });
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
    }

    #[test]
    fn addresses_are_read_out_of_headers() {
        let header = "\"Ruiz, \\\"Ana\\\" <x@y>\" <ana@example.com>, ben@example.com,Team: cy@example.com, Dee <dee@localhost>;";
        assert_eq!(mailboxes(header), ["ana@example.com", "ben@example.com", "cy@example.com", "dee@localhost"]);
        assert_eq!(mailboxes(" "), Vec::<String>::new());
        assert_eq!(mailboxes("Ana <ana@example.com"), ["ana@example.com"], "what is broken is not left out");
    }

    #[test]
    fn ids_are_read_out_of_headers() {
        assert_eq!(message_ids("<a@b>\r\n <c@d> rubbish <>"), ["a@b", "c@d"]);
    }
}
