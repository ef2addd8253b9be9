//! What came back.

use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Error, HeaderMap, Result, StatusCode, header::CONTENT_TYPE};

/// What a vendor answered, whatever the status.
#[derive(Clone, Default)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, decompressed.
    pub body: Vec<u8>,
    /// Whether an attempt before this answer may have been carried out: a refusal says nothing about that one.
    pub unsure: bool,
}

impl Response {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Whether the vendor may have carried out the request although it says that it failed.
    pub fn may_have_happened(&self) -> bool {
        self.unsure || self.status.is_server_error()
    }

    /// A header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as `T`. The error names the place but nothing of the body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Unreadable { why: place(&error) })
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether a successful answer says that it is JSON and is not.
    pub(super) fn is_torn(&self) -> bool {
        self.is_success()
            && !self.body.is_empty()
            && self.says_json()
            && serde_json::from_slice::<IgnoredAny>(&self.body).is_err()
    }

    fn says_json(&self) -> bool {
        let kind = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json")
    }
}

/// Shows status and size only: bodies stay out of logs.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response {} with {} bytes", self.status, self.body.len())
    }
}

/// Where reading failed, without the value that serde would quote.
fn place(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "another shape than expected",
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: &'static str, body: &str) -> Response {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
        Response { status: StatusCode::OK, headers, body: body.into(), unsure: false }
    }

    #[test]
    fn an_error_names_the_place_and_not_the_value() {
        let error = answer("application/json", r#"{"token":"hunter2"}"#).json::<Vec<u8>>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the vendor's answer cannot be read: another shape than expected at line 1 column 0"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn only_what_claims_to_be_json_must_be_json() {
        assert!(answer("application/json; charset=utf-8", "{\"a\":").is_torn());
        assert!(answer("application/problem+json", "<html>").is_torn());
        assert!(!answer("text/html", "<html>").is_torn());
        assert!(!answer("application/json", "").is_torn());
        assert!(!answer("application/json", "[1]").is_torn());
    }
}
