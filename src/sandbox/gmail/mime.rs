//! Reads mails as they are sent: the text of RFC 5322 with the parts of RFC 2045.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};

use super::mail::{Attachment, Mail};

/// How deep parts may stand in each other; a mail with files and pictures has three levels.
const DEEPEST: usize = 16;

/// The mail in a `raw` field: base64url, with or without padding.
pub fn read(raw: &str) -> Option<Mail> {
    let bytes = URL_SAFE.decode(raw).or_else(|_| URL_SAFE_NO_PAD.decode(raw)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (headers, body) = split(&text)?;
    let mut mail = Mail { headers, ..Mail::default() };
    let mut parts = vec![];
    gather(&mail.headers, body, DEEPEST, &mut parts)?;
    for Piece { kind, name, text } in parts {
        match (name, kind.as_str()) {
            (Some(name), _) => mail.attachments.push(Attachment { name, mime: kind, text }),
            (None, "text/html") => mail.html = Some(text),
            (None, _) => mail.plain = Some(text),
        }
    }
    mail.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
    Some(mail)
}

/// One part of a body; it has a name where it is a file.
struct Piece {
    kind: String,
    name: Option<String>,
    text: String,
}

type Headers = Vec<(String, String)>;

/// Headers, unfolded and decoded, and the body behind the empty line.
fn split(text: &str) -> Option<(Headers, &str)> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut headers: Headers = vec![];
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            headers.last_mut()?.1.push_str(line);
        } else {
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    let decode = |(name, value): (String, String)| (name, decoded(value.trim()));
    Some((headers.into_iter().map(decode).collect(), body))
}

fn header<'a>(headers: &'a Headers, name: &str) -> &'a str {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}

/// The texts of a body, each with its media type.
fn gather(headers: &Headers, body: &str, levels: usize, parts: &mut Vec<Piece>) -> Option<()> {
    let kind = header(headers, "Content-Type");
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence.starts_with("multipart/") {
        let levels = levels.checked_sub(1)?;
        let boundary = kind.split_once("boundary=")?.1.split(';').next()?.trim().trim_matches('"');
        for piece in body.split(&format!("--{boundary}")).skip(1) {
            if piece.starts_with("--") {
                break;
            }
            let (headers, body) = split(piece.strip_prefix("\r\n")?)?;
            gather(&headers, body.strip_suffix("\r\n").unwrap_or(body), levels, parts)?;
        }
        return Some(());
    }
    let text = match header(headers, "Content-Transfer-Encoding").to_ascii_lowercase().as_str() {
        "base64" => {
            let packed: String = body.split_whitespace().collect();
            String::from_utf8(STANDARD.decode(packed).ok()?).ok()?
        }
        "quoted-printable" => String::from_utf8(unquoted(&body.replace("=\r\n", ""), false)).ok()?,
        _ => body.to_owned(),
    };
    let essence = if essence.is_empty() { "text/plain".to_owned() } else { essence };
    let disposition = header(headers, "Content-Disposition");
    let name = disposition.split_once("filename=").map(|(_, name)| name.trim_matches('"').to_owned());
    parts.push(Piece { kind: essence, name, text: text.replace("\r\n", "\n") });
    Some(())
}

/// A header with its encoded words (RFC 2047) read.
fn decoded(value: &str) -> String {
    let mut whole = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some((before, word, after)) = encoded_word(rest) {
        // Blanks between two encoded words are none.
        if !(after_word && before.trim().is_empty()) {
            whole.push_str(before);
        }
        whole.push_str(&word);
        rest = after;
        after_word = true;
    }
    whole.push_str(rest);
    whole
}

fn encoded_word(text: &str) -> Option<(&str, String, &str)> {
    let (before, rest) = text.split_once("=?")?;
    let (_charset, rest) = rest.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (packed, after) = rest.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(packed).ok()?,
        _ => unquoted(packed, true),
    };
    Some((before, String::from_utf8(bytes).ok()?, after))
}

/// Quoted-printable; in headers a low line is a blank.
fn unquoted(text: &str, is_header: bool) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut whole = vec![];
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        match (bytes[at], code) {
            (b'=', Some(byte)) => {
                whole.push(byte);
                at += 2;
            }
            (b'_', _) if is_header => whole.push(b' '),
            (byte, _) => whole.push(byte),
        }
        at += 1;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_mail_is_read() {
        let read = |text: &str| read(&URL_SAFE.encode(text.replace('\n', "\r\n"))).unwrap();
        let plain = read("To: a@b.example\nSubject: =?utf-8?B?w6Ru?= =?utf-8?Q?dert_=C3=A4?=\n folded\n\nHello\n");
        assert_eq!((plain.header("subject"), plain.plain.as_deref()), ("ändert ä folded", Some("Hello\n")));
        let both = read(
            "Content-Type: multipart/alternative; boundary=\"x\"\n\n--x\nContent-Type: text/plain\n\
             Content-Transfer-Encoding: quoted-printable\n\n=C3=A4 so=\nft\n--x\nContent-Type: text/html\n\
             Content-Transfer-Encoding: base64\n\nPGI+\n--x--\n",
        );
        assert_eq!((both.plain.as_deref(), both.html.as_deref()), (Some("ä soft"), Some("<b>")));
    }

    #[test]
    fn what_is_no_mail_is_refused() {
        for raw in ["%%", "", "bm8gaGVhZGVycw"] {
            assert!(read(raw).is_none(), "{raw}");
        }
        let nested = |levels: usize| {
            let open = |level| format!("Content-Type: multipart/mixed; boundary=b{level}x\r\n\r\n--b{level}x\r\n");
            let mail = (0..levels).map(open).collect::<String>() + "Content-Type: text/plain\r\n\r\nHello";
            read(&URL_SAFE.encode(mail))
        };
        assert!(nested(DEEPEST).is_some() && nested(DEEPEST + 1).is_none());
    }
}
