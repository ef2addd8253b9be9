//! Keeps every result within what a model can read.

use crate::tool::{Content, Error, Kind, Outcome, closed};

/// Four bytes are about a token.
const BYTES_PER_TOKEN: usize = 4;

/// The outcome, cut to `tokens` where it is text, and how many bytes that took away.
///
/// # Errors
/// The structured part is too large: it cannot be cut without lying about its shape.
pub(super) fn within(tokens: usize, mut outcome: Outcome) -> Result<(Outcome, usize), Error> {
    let limit = tokens * BYTES_PER_TOKEN;
    if outcome.structured.as_ref().is_some_and(|structured| structured.to_string().len() > limit) {
        return Err(too_large(tokens));
    }
    let (mut left, mut missing) = (limit, 0);
    for part in &mut outcome.content {
        if let Content::Text(text) = part {
            missing += cut(text, left);
            left = left.saturating_sub(text.len());
        }
    }
    Ok((outcome, missing))
}

/// The document, if it is not larger than `limit` bytes as it is written.
///
/// # Errors
/// It is larger: half a document would be taken for the whole.
pub(super) fn document(limit: usize, outcome: Outcome) -> Result<Outcome, Error> {
    let size: usize = outcome.content.iter().map(written_size).sum();
    if size <= limit {
        return Ok(outcome);
    }
    Err(Error::new(Kind::TooLarge, format!("The document is larger than the {limit} bytes that can be read here."))
        .next("Ask the person to open it at the vendor."))
}

fn written_size(part: &Content) -> usize {
    match part {
        Content::Text(text) | Content::Resource { text, .. } => text.len(),
        Content::Blob { data, .. } | Content::Image { data, .. } | Content::Audio { data, .. } => data.len(),
        Content::Link { .. } => 0,
    }
}

fn too_large(tokens: usize) -> Error {
    Error::new(Kind::TooLarge, format!("The result is larger than {tokens} tokens."))
        .next("Ask for less at once: a smaller `limit`, a shorter window or a narrower search.")
}

/// Cuts a text at the end of a line and says how many bytes are missing.
fn cut(text: &mut String, limit: usize) -> usize {
    if text.len() <= limit {
        return 0;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').unwrap_or(end);
    let missing = text.len() - end;
    text.truncate(end);
    closed(text);
    text.extend(["\n… cut here, ", &missing.to_string(), " more bytes. Ask for less at once."]);
    missing
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_line_and_says_so() {
        let lines = "a line of text\n".repeat(100);
        let (outcome, missing) = within(100, Outcome::text(lines)).unwrap();
        let text = outcome.joined_text();
        assert!(text.contains(&format!("cut here, {missing} more bytes")), "{text}");
        assert!(text.len() < 500 && text.ends_with("Ask for less at once."), "{text}");
        assert!(text.lines().rev().skip(1).all(|line| line == "a line of text"), "{text}");
    }

    #[test]
    fn a_large_structure_is_refused_with_a_way_out() {
        let outcome = Outcome { structured: Some(json!({ "all": "x".repeat(1000) })), ..Outcome::text("x") };
        let error = within(100, outcome).unwrap_err();
        assert_eq!(error.kind(), Kind::TooLarge);
        assert!(error.text().contains("smaller `limit`"), "{error}");
    }

    #[test]
    fn half_a_document_is_none() {
        let file = |size: usize| Outcome {
            content: vec![Content::Blob { uri: "a://b".into(), mime_type: "image/png".into(), data: "A".repeat(size) }],
            ..Outcome::default()
        };
        assert!(document(100, file(100)).is_ok());
        assert_eq!(document(100, file(101)).unwrap_err().kind(), Kind::TooLarge);
    }

    #[test]
    fn characters_stay_whole() {
        let (outcome, _) = within(10, Outcome::text("ä".repeat(100))).unwrap();
        assert!(outcome.joined_text().starts_with("ääää"));
    }
}
