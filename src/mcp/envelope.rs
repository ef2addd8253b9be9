//! The envelope of JSON-RPC 2.0: what one message is, without looking into it.
//!
//! Framing is ours on every transport, so the decoder is too: it keeps ids as they were written
//! (`-1` and 2⁶⁴ included), takes answers of a client, and borrows parameters instead of copying them.

use std::{borrow::Cow, fmt, sync::Arc};

use jsonrpsee::types::ErrorObjectOwned;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::message::{invalid_params, invalid_request, parse_error};

/// The longest id that is taken, in bytes of its JSON text.
const LONGEST_ID: usize = 1024;
/// How many digits an id may have.
const MOST_DIGITS: usize = 64;
/// How many messages a batch may have.
const LONGEST_BATCH: usize = 100;

/// One message of a client.
#[derive(Debug)]
pub enum Envelope<'a> {
    /// Wants an answer.
    Request(Request<'a>),
    /// Wants none.
    Notification(Notification<'a>),
    /// Answers a request of ours.
    Response(Response<'a>),
}

/// A call that must be answered under its id.
#[derive(Debug)]
pub struct Request<'a> {
    /// The id, as it was written.
    pub id: RequestId,
    /// The method.
    pub method: Cow<'a, str>,
    /// The parameters: an object, or nothing when they were absent or `null`.
    pub params: Option<&'a RawValue>,
}

/// A message that nobody answers.
#[derive(Debug)]
pub struct Notification<'a> {
    /// The method.
    pub method: Cow<'a, str>,
    /// The parameters: an object, or nothing when they were absent or `null`.
    pub params: Option<&'a RawValue>,
}

/// A client's answer to a request of ours.
#[derive(Debug)]
pub struct Response<'a> {
    /// The id that we gave.
    pub id: RequestId,
    /// The result, or the error object.
    pub outcome: Result<&'a RawValue, &'a RawValue>,
}

/// An id as JSON text: an integer of any size or a string.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id as JSON text, ready to be written.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// A string id.
    pub fn text(text: &str) -> Self {
        RequestId(serde_json::Value::from(text).to_string().into())
    }

    /// Reads JSON text; `None` when it is neither an integer nor a string, or far too long.
    pub fn parse(raw: &str) -> Option<Self> {
        if raw.len() > LONGEST_ID {
            return None;
        }
        if !raw.starts_with('"') {
            return is_integer(raw).then(|| RequestId(raw.into()));
        }
        // One text for one string: `"\u0061"` and `"a"` are the same id.
        let text: Cow<'_, str> = serde_json::from_str::<Text<'_>>(raw).ok()?.0;
        Some(RequestId::text(&text))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(input)?;
        RequestId::parse(raw.get()).ok_or_else(|| serde::de::Error::custom("an id is an integer or a string"))
    }
}

/// A message that is not taken, and the answer to it.
#[derive(Debug)]
pub struct Refusal {
    /// The id to answer under; `None` when it could not be read.
    pub id: Option<RequestId>,
    /// What is wrong.
    pub error: ErrorObjectOwned,
}

impl Refusal {
    fn without_id(error: ErrorObjectOwned) -> Self {
        Refusal { id: None, error }
    }
}

/// Reads one message.
///
/// Fails with -32700 when it is no JSON in UTF-8, with -32600 when it is no JSON-RPC 2.0 message or a batch
/// (none since 2025-06-18), and with -32602 when parameters come as a list.
pub fn decode(bytes: &[u8]) -> Result<Envelope<'_>, Refusal> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Refusal::without_id(parse_error("the message is not valid UTF-8")))?
        .trim_matches([' ', '\t', '\r', '\n']);
    let members = Members::read(text).map_err(Refusal::without_id)?;
    members.classify()
}

/// Whether the bytes begin as a batch of messages does.
pub fn is_batch(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'[')
}

/// The messages of a batch, each still to be [decoded](decode). Only 2025-03-26 has batches.
///
/// Fails with -32700 when it is no JSON, and with -32600 when it is empty or longer than 100 messages.
pub fn batch(bytes: &[u8]) -> Result<Vec<&RawValue>, Refusal> {
    serde_json::from_slice::<Batch<'_>>(bytes).map(|batch| batch.0).map_err(|_| {
        Refusal::without_id(match serde_json::from_slice::<IgnoredAny>(bytes) {
            Err(fault) => parse_error(&format!("the message is not JSON: {fault}")),
            Ok(_) => invalid_request(&format!("a batch has from 1 to {LONGEST_BATCH} messages")),
        })
    })
}

/// The answers to a batch as one text; `None` when there are none.
pub fn batch_text(answers: impl Iterator<Item = String>) -> Option<String> {
    let answers = answers.collect::<Vec<_>>().join(",");
    (!answers.is_empty()).then(|| format!("[{answers}]"))
}

struct Batch<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Batch<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        /// Stops as soon as there are too many, however long the rest is.
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Batch<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a batch of messages")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Batch<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = list.next_element()? {
                    if members.len() == LONGEST_BATCH {
                        return Err(serde::de::Error::custom("too many messages"));
                    }
                    members.push(member);
                }
                if members.is_empty() { Err(serde::de::Error::custom("no message")) } else { Ok(Batch(members)) }
            }
        }
        input.deserialize_seq(Members)
    }
}

/// The members of the outermost object; `Some` means present, `null` included.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

impl<'a> Members<'a> {
    fn read(text: &'a str) -> Result<Self, ErrorObjectOwned> {
        // Asked first, because a derived struct would take its members from a list as well.
        if text.starts_with('{')
            && let Ok(members) = serde_json::from_str(text)
        {
            return Ok(members);
        }
        if let Err(fault) = serde_json::from_str::<IgnoredAny>(text) {
            return Err(parse_error(&format!("the message is not JSON: {fault}")));
        }
        Err(invalid_request(match text.as_bytes().first() {
            Some(b'[') => "batches are not served: send each message by itself",
            Some(b'{') => "a member of the message occurs twice",
            _ => "a message is a JSON object",
        }))
    }

    fn classify(self) -> Result<Envelope<'a>, Refusal> {
        let id = match self.id {
            None => None,
            Some(raw) => Some(RequestId::parse(raw.get()).ok_or_else(|| {
                Refusal::without_id(invalid_request("an id is an integer or a string, at most 1024 bytes long"))
            })?),
        };
        if self.jsonrpc.and_then(string).as_deref() != Some("2.0") {
            return Err(self.refuse(id, r#"a message says "jsonrpc":"2.0""#));
        }
        match (self.method, self.result, self.error) {
            (Some(method), None, None) => self.call(id, method),
            (None, Some(result), None) => self.response(id, Ok(result)),
            (None, None, Some(error)) => self.response(id, Err(error)),
            _ => Err(self.refuse(id, "a message has either a method, a result or an error")),
        }
    }

    fn call(&self, id: Option<RequestId>, method: &'a RawValue) -> Result<Envelope<'a>, Refusal> {
        let Some(method) = string(method) else {
            return Err(self.refuse(id, "a method is a string"));
        };
        let params = match self.params.map(|raw| (raw, raw.get().as_bytes()[0])) {
            None | Some((_, b'n')) => None,
            Some((raw, b'{')) => Some(raw),
            Some((_, b'[')) => {
                let error = invalid_params("parameters are an object, not a list");
                return Err(Refusal { id, error });
            }
            Some(_) => return Err(self.refuse(id, "parameters are an object")),
        };
        Ok(match id {
            Some(id) => Envelope::Request(Request { id, method, params }),
            None => Envelope::Notification(Notification { method, params }),
        })
    }

    fn response(
        &self,
        id: Option<RequestId>,
        outcome: Result<&'a RawValue, &'a RawValue>,
    ) -> Result<Envelope<'a>, Refusal> {
        let Some(id) = id else {
            return Err(self.refuse(None, "an answer names the request that it answers"));
        };
        if matches!(outcome, Err(error) if !error.get().starts_with('{')) {
            return Err(self.refuse(Some(id), "an error is an object"));
        }
        Ok(Envelope::Response(Response { id, outcome }))
    }

    /// The answer to a spoilt message. One that looks like an answer is refused without its id, so that
    /// the client does not take the refusal for an answer to a request of its own.
    fn refuse(&self, id: Option<RequestId>, why: &str) -> Refusal {
        Refusal { id: id.filter(|_| self.result.is_none() && self.error.is_none()), error: invalid_request(why) }
    }
}

/// A string that is borrowed when nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

pub(super) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// Reads a member so that `null` counts as present.
pub(super) fn present<'de, D: Deserializer<'de>>(input: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(input).map(Some)
}

fn is_integer(raw: &str) -> bool {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    // Beyond some three hundred digits, parsers of JSON give up on a number: ours would on its own answer.
    (1..=MOST_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (i32, Option<String>) {
        let refusal = decode(text.as_bytes()).expect_err(text);
        (refusal.error.code(), refusal.id.map(|id| id.as_json().to_owned()))
    }

    fn request(text: &str) -> (String, Option<String>) {
        match decode(text.as_bytes()) {
            Ok(Envelope::Request(request)) => {
                (request.id.as_json().to_owned(), request.params.map(|params| params.get().to_owned()))
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn ids_come_back_as_they_were_written() {
        for id in ["1", "-1", "0", "18446744073709551616", r#""a""#, r#""""#, r#""a\"b""#] {
            let (read, _) = request(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
            assert_eq!(read, id);
        }
        assert_eq!(RequestId::parse(r#""\u0061""#), RequestId::parse(r#""a""#));
    }

    #[test]
    fn ids_of_other_kinds_are_refused_without_an_id() {
        let long = format!("\"{}\"", "x".repeat(2000));
        let digits = "4".repeat(400);
        for id in ["null", "1.5", "1e3", "true", "{}", "[]", r#""\ud800""#, &long, &digits] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            assert_eq!(refused(&text), (-32600, None), "{id}");
        }
    }

    #[test]
    fn absent_and_null_parameters_are_the_same() {
        assert_eq!(request(r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#).1, None);
        assert_eq!(request(r#"{"jsonrpc":"2.0","id":1,"method":"a","params":null}"#).1, None);
        assert_eq!(request(r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{}}"#).1.as_deref(), Some("{}"));
    }

    #[test]
    fn what_is_no_json_is_a_parse_error() {
        for text in ["", "{", "nonsense", "[1,", r#"{"jsonrpc":"2.0",}"#, "{'a':1}", r#"{"a":1}{"b":2}"#, "\u{feff}{}"]
        {
            assert_eq!(refused(text), (-32700, None), "{text:?}");
        }
        assert_eq!(decode(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").unwrap_err().error.code(), -32700);
    }

    #[test]
    fn what_is_no_message_is_an_invalid_request() {
        for (text, id) in [
            ("[]", None),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, None),
            (r#"["2.0",1,"ping"]"#, None),
            ("7", None),
            ("null", None),
            ("{}", None),
            (r#"{"id":1,"method":"ping"}"#, Some("1")),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Some("1")),
            (r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, Some("1")),
            (r#"{"jsonrpc":"2.0","id":1}"#, Some("1")),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, Some("1")),
            (r#"{"jsonrpc":"2.0","id":1,"method":null}"#, Some("1")),
            (r#"{"jsonrpc":"2.0","id":1,"method":"a","params":7}"#, Some("1")),
            (r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#, None),
            (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, None),
            (r#"{"jsonrpc":"2.0","result":{}}"#, None),
            (r#"{"jsonrpc":"2.0","id":1,"error":7}"#, None),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}"#, None),
            (r#"{"JSONRPC":"2.0","ID":1,"METHOD":"ping"}"#, None),
        ] {
            assert_eq!(refused(text), (-32600, id.map(str::to_owned)), "{text}");
        }
        assert_eq!(refused(r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[1]}"#), (-32602, Some("1".into())));
    }

    #[test]
    fn answers_of_a_client_are_told_apart() {
        for (text, is_ok) in [
            (r#"{"jsonrpc":"2.0","id":"x","result":null}"#, true),
            (r#"{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"no"}}"#, false),
        ] {
            let Ok(Envelope::Response(response)) = decode(text.as_bytes()) else {
                panic!("{text}");
            };
            assert_eq!(response.outcome.is_ok(), is_ok);
            assert_eq!(response.id, RequestId::text("x"));
        }
    }

    #[test]
    fn a_batch_is_taken_apart_and_bounded() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let of = |count: usize| format!(" [{}] ", vec![ping; count].join(","));
        assert!(is_batch(of(1).as_bytes()) && !is_batch(ping.as_bytes()));
        for count in [1, 100] {
            assert_eq!(batch(of(count).as_bytes()).unwrap().len(), count);
        }
        for (text, code) in
            [("[]".to_owned(), -32600), (of(101), -32600), (of(100_000), -32600), ("[1,".into(), -32700)]
        {
            assert_eq!(batch(text.as_bytes()).unwrap_err().error.code(), code);
        }
        assert_eq!(batch_text(["1".to_owned(), "2".to_owned()].into_iter()).as_deref(), Some("[1,2]"));
        assert_eq!(batch_text(std::iter::empty()), None);
    }

    #[test]
    fn a_hundred_thousand_levels_do_not_overflow_the_stack() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(request(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"a","params":{{"x":{deep}}}}}"#)).1.is_some());
        assert_eq!(refused(&deep).0, -32600);
        assert_eq!(refused(&"[".repeat(100_000)).0, -32700);
    }
}
