//! Paths built of segments, so that no value can change where a request goes.

use std::fmt::{self, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is: the unreserved characters of RFC 3986, section 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path of a request below the base URL of its lane.
///
/// Values are percent-encoded as *one* segment each: a `/`, `?`, `#` or `%` in them stays inside it. Values that no
/// encoding makes safe (empty, `.`, `..`, with control characters) spoil the path, and sending it is refused.
///
/// ```
/// # use switchboard::http::{Path, path};
/// let by_hand = Path::fixed("calendars").then("anna@example.com").and("events");
/// assert_eq!(path!["calendars", "anna@example.com", "events"].to_string(), "/calendars/anna%40example.com/events");
/// assert_eq!(by_hand.template(), "/calendars/{}/events");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    encoded: String,
    template: String,
    fault: Option<&'static str>,
}

impl Path {
    /// The base URL itself.
    pub fn new() -> Self {
        Path::default()
    }

    /// A path known when the program is written, such as `users/me/calendarList`.
    pub fn fixed(segments: &'static str) -> Self {
        Path::new().and(segments)
    }

    /// Goes on with segments known when the program is written; `/` separates them.
    #[must_use]
    pub fn and(mut self, segments: &'static str) -> Self {
        for segment in segments.split('/') {
            self.push(segment);
            self.template.push('/');
            self.template.push_str(segment);
        }
        self
    }

    /// Goes on with one segment that holds `value`, whatever is in it.
    #[must_use]
    pub fn then(mut self, value: impl fmt::Display) -> Self {
        self.push(&value.to_string());
        self.template.push_str("/{}");
        self
    }

    /// Ends the last segment with `:verb`, as Google names methods that are not a resource.
    #[must_use]
    pub fn verb(mut self, verb: &'static str) -> Self {
        if self.encoded.is_empty() || verb.is_empty() || !verb.chars().all(|c| c.is_ascii_alphanumeric()) {
            self.fault = Some("a verb is letters and digits after a segment");
        }
        for text in [&mut self.encoded, &mut self.template] {
            text.push(':');
            text.push_str(verb);
        }
        self
    }

    /// The path without the values in it, for logs: `/calendars/{}/events`.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The segments in their order, encoded.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.encoded.strip_prefix('/').into_iter().flat_map(|rest| rest.split('/'))
    }

    /// The encoded path, which starts with `/` unless it is empty; or why it must not be sent.
    pub(super) fn encoded(&self) -> Result<&str, &'static str> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(&self.encoded),
        }
    }

    fn push(&mut self, segment: &str) {
        if let Some(fault) = fault(segment) {
            self.fault = Some(fault);
        }
        self.encoded.push('/');
        write!(self.encoded, "{}", utf8_percent_encode(segment, SEGMENT)).expect("a String takes every text");
    }
}

/// Shows the encoded path; it holds values, so logs take the [template](Path::template).
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encoded)
    }
}

/// Dots are resolved by URL parsers even when they are encoded, and control characters by too many servers.
fn fault(segment: &str) -> Option<&'static str> {
    match segment {
        "" => Some("a part of its path is empty"),
        "." | ".." => Some("a part of its path is only dots"),
        _ if segment.chars().any(char::is_control) => Some("a part of its path holds a control character"),
        _ => None,
    }
}

/// Builds a [`Path`](crate::http::Path): literals are fixed segments, expressions are values.
///
/// ```
/// # use switchboard::http::path;
/// let id = "a/b";
/// assert_eq!(path!["customers", id, "sources"].to_string(), "/customers/a%2Fb/sources");
/// ```
#[macro_export]
macro_rules! path {
    (@more $path:expr;) => { $path };
    (@more $path:expr; $fixed:literal $(, $($rest:tt)*)?) => { $crate::http::path!(@more $path.and($fixed); $($($rest)*)?) };
    (@more $path:expr; $value:expr $(, $($rest:tt)*)?) => { $crate::http::path!(@more $path.then(&$value); $($($rest)*)?) };
    ($($segments:tt)*) => { $crate::http::path!(@more $crate::http::Path::new(); $($segments)*) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: Result<&str, &str>) {
        assert_eq!(Path::fixed("x").then(value).encoded(), expected, "{value:?}");
    }

    #[test]
    fn a_value_stays_one_segment() {
        check("primary", Ok("/x/primary"));
        check("../../me", Ok("/x/..%2F..%2Fme"));
        check("a?x=1", Ok("/x/a%3Fx%3D1"));
        check("a%2f..", Ok("/x/a%252f.."));
        check("a#b", Ok("/x/a%23b"));
        check(r"..\..", Ok("/x/..%5C.."));
        check("%2e%2e", Ok("/x/%252e%252e"));
        check("Müller", Ok("/x/M%C3%BCller"));
    }

    #[test]
    fn a_value_that_no_encoding_makes_safe_is_refused() {
        check("", Err("a part of its path is empty"));
        check(".", Err("a part of its path is only dots"));
        check("..", Err("a part of its path is only dots"));
        check("a\r\nX: y", Err("a part of its path holds a control character"));
        check("a\0", Err("a part of its path holds a control character"));
    }

    #[test]
    fn a_verb_is_not_part_of_the_value() {
        let path = Path::fixed("values").then("A1:clear").verb("append");
        assert_eq!(path.encoded(), Ok("/values/A1%3Aclear:append"));
        assert_eq!(path.template(), "/values/{}:append");
        assert!(Path::fixed("values").verb("a/b").encoded().is_err());
    }

    #[test]
    fn the_macro_tells_literals_from_values() {
        let (user, event) = (String::from("me"), 7);
        let path = path!["users", user, "events", event];
        assert_eq!((path.encoded(), path.template()), (Ok("/users/me/events/7"), "/users/{}/events/{}"));
        assert_eq!(path![].encoded(), Ok(""));
    }
}
