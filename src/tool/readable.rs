//! What can be read by its address wherever a tool may be called: a record, an attachment, a whole text.
//!
//! A tool that reads one thing names the thing's address in [`Tool::READABLE`](super::Tool::READABLE), and that is
//! all: clients find the address as a resource template, and reading it is a call of the tool, with the same rights,
//! the same bounds and the same line in the audit.
//!
//! What is no answer of a tool, such as the bytes of an attachment, is a [`Document`]: declared at the tool whose
//! answers link to it, and read with that tool's rights.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Call, Content, Error, Outcome, Result, Running};

/// One form of addresses, and what stands there.
pub struct Readable {
    /// The address with variables in braces, such as `google-calendar://event/{event_id}`: the integration, what kind
    /// of thing it is, and which one. A record's variables are arguments of its tool.
    pub uri: &'static str,
    /// What people call such a thing, such as `Meeting`.
    pub title: &'static str,
    /// How one is found by words, where that is possible.
    pub finder: Option<Finder>,
    read: Option<Read>,
}

type Read = for<'a> fn(Value, String, &'a Call) -> Running<'a>;

/// A tool that finds things by words, and where its answer names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finder {
    /// The tool, which only looks, such as `google_calendar_list_meetings`.
    pub tool: &'static str,
    /// The argument that takes the words, such as `query`.
    pub words: &'static str,
    /// Other arguments, such as `kind` and `page`; what is no text is written as JSON.
    pub beside: &'static [(&'static str, &'static str)],
    /// The list in the structured answer, such as `meetings`.
    pub list: &'static str,
    /// The member of an entry that is the variable of the address, such as `id`.
    pub id: &'static str,
    /// The member of an entry that people know it by, such as `title`.
    pub name: &'static str,
}

/// Something that is read by its address and is no answer of a tool. Its fields are the variables of the address.
pub trait Document: DeserializeOwned + Send + 'static {
    /// Fetches it.
    fn read(self, cx: &Call) -> impl Future<Output = Result<File>> + Send;
}

/// A document as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Such as `application/pdf`.
    pub mime_type: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Readable {
    /// What the tool itself answers for the variables of the address.
    pub const fn record(uri: &'static str, title: &'static str) -> Readable {
        Readable { uri, title, finder: None, read: None }
    }

    /// A document that the tool's answers link to.
    pub const fn document<T: Document>(uri: &'static str, title: &'static str) -> Readable {
        Readable { uri, title, finder: None, read: Some(|given, uri, cx| Box::pin(read::<T>(given, uri, cx))) }
    }

    /// Says how one is found by words.
    #[must_use]
    pub const fn found_by(mut self, finder: Finder) -> Readable {
        self.finder = Some(finder);
        self
    }

    /// Whether it is a document, which is not held to what a model can read.
    pub fn is_document(&self) -> bool {
        self.read.is_some()
    }

    /// What kind of thing it is: the first part of the address behind the scheme, such as `event`.
    pub fn kind(&self) -> &'static str {
        let path = self.uri.split_once("://").map_or("", |(_, path)| path);
        path.split('/').next().unwrap_or_default()
    }

    /// The variables of the address.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.uri.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
    }

    /// The address of the thing with these values, in the order of the variables.
    pub fn address(&self, values: &[&str]) -> String {
        let mut pieces = self.uri.split('{');
        let mut address = pieces.next().unwrap_or_default().to_owned();
        for (value, rest) in values.iter().zip(pieces) {
            let rest = rest.split_once('}').map_or("", |(_, rest)| rest);
            address.extend(percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC));
            address.push_str(rest);
        }
        address
    }

    /// Fetches a document; `None` for a record, which its tool reads.
    pub(crate) fn fetch<'a>(&self, given: Map<String, Value>, uri: String, cx: &'a Call) -> Option<Running<'a>> {
        self.read.map(|read| read(Value::Object(given), uri, cx))
    }
}

async fn read<T: Document>(given: Value, uri: String, cx: &Call) -> Result<Outcome> {
    let document: T = serde_json::from_value(given).map_err(|_| Error::not_found("document at this address"))?;
    let file = document.read(cx).await?;
    // A file is handed over as it is; that it was read is remembered.
    Ok(Outcome { content: vec![file.content(uri)], from_others: true, ..Outcome::default() })
}

impl File {
    /// A file of `bytes`.
    pub fn new(mime_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> File {
        File { mime_type: mime_type.into(), bytes: bytes.into() }
    }

    /// Text stays text; anything else is base64.
    fn content(self, uri: String) -> Content {
        let File { mime_type, bytes } = self;
        if mime_type.starts_with("text/") || mime_type.starts_with("application/json") {
            match String::from_utf8(bytes) {
                Ok(text) => return Content::Resource { uri, mime_type, text },
                Err(other) => return Content::Blob { uri, mime_type, data: STANDARD.encode(other.as_bytes()) },
            }
        }
        Content::Blob { uri, data: STANDARD.encode(bytes), mime_type }
    }
}

impl fmt::Debug for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readable").field(&self.uri).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: Readable = Readable::record("notes://note/{book}/{note_id}", "Note");

    #[test]
    fn an_address_names_its_kind_and_its_variables() {
        assert_eq!(NOTE.kind(), "note");
        assert_eq!(NOTE.variables().collect::<Vec<_>>(), ["book", "note_id"]);
        assert_eq!(NOTE.address(&["blue", "a/b c"]), "notes://note/blue/a%2Fb%20c");
    }

    #[test]
    fn text_stays_text() {
        let text = File::new("text/plain; charset=utf-8", "Hello").content("n://1".into());
        assert!(matches!(text, Content::Resource { text, .. } if text == "Hello"));
        for file in [File::new("text/plain", [0xff]), File::new("image/png", "Hello")] {
            assert!(matches!(file.content("n://1".into()), Content::Blob { .. }));
        }
    }
}
