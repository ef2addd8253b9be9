//! The trace that a request belongs to, as its client tells it.
//!
//! 2026-07-28, basic/index, `_meta`: `traceparent` has the form of W3C Trace Context, level 1. What is logged about
//! a request carries it, so that a call can be followed from the client's telemetry into ours. `tracestate` and
//! `baggage` are free text for other parties: they are neither kept nor passed on, and vendors hear of none of it.

use tracing::Span;

/// Where a request stands in its client's trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The whole trace: 32 hexadecimal digits.
    pub trace_id: String,
    /// The client's span that the request belongs to: 16 hexadecimal digits.
    pub parent_id: String,
}

impl Trace {
    /// Reads a `traceparent`; `None` when it is malformed, for a trace never decides over a request.
    ///
    /// Versions after `00` may append fields, `ff` is none (W3C Trace Context, §3.2.2).
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('-');
        let (version, trace_id, parent_id) = (fields.next()?, fields.next()?, fields.next()?);
        let flags = fields.next()?;
        let is_version = is_hex(version, 2) && version != "ff";
        let has_end = version != "00" || fields.next().is_none();
        let is_whole = is_version && has_end && is_hex(flags, 2);
        (is_whole && is_id(trace_id, 32) && is_id(parent_id, 16))
            .then(|| Trace { trace_id: trace_id.to_owned(), parent_id: parent_id.to_owned() })
    }

    /// The span in which `method` is answered.
    pub fn span(&self, method: &str) -> Span {
        tracing::info_span!("request", method, trace_id = self.trace_id, parent_id = self.parent_id)
    }
}

/// An id of zeros means none.
fn is_id(text: &str, length: usize) -> bool {
    is_hex(text, length) && text.bytes().any(|digit| digit != b'0')
}

/// Capital letters are malformed there.
fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_trace_is_read() {
        let wanted = Trace { trace_id: TRACE.into(), parent_id: SPAN.into() };
        assert_eq!(Trace::parse(&format!("00-{TRACE}-{SPAN}-01")), Some(wanted.clone()));
        assert_eq!(Trace::parse(&format!("cc-{TRACE}-{SPAN}-01-what-comes-later")), Some(wanted));
    }

    #[test]
    fn a_malformed_trace_is_none() {
        for text in [
            String::new(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}\n-{SPAN}-01"),
        ] {
            assert_eq!(Trace::parse(&text), None, "{text}");
        }
    }
}
