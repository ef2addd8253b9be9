//! Rich text: as it is sent, and as it is shown.

use serde_json::{Value, json};

use super::errors;
use crate::sandbox::twin::Answer;

/// The most characters of a piece.
const LONGEST: usize = 2_000;

/// The pieces of a request as answers show them.
pub fn accept(sent: &Value, at: &str) -> Result<Value, Answer> {
    let pieces =
        sent.as_array().ok_or_else(|| errors::invalid(&format!("body failed validation: {at} should be an array")))?;
    if pieces.len() > 100 {
        return Err(errors::invalid(&format!(
            "body failed validation: {at}.length should be ≤ `100`, instead was `{}`.",
            pieces.len()
        )));
    }
    pieces.iter().map(|piece| accept_piece(piece, at)).collect()
}

fn accept_piece(piece: &Value, at: &str) -> Result<Value, Answer> {
    let Some(content) = piece["text"]["content"].as_str() else {
        return Err(errors::invalid(&format!(
            "body failed validation: {at}[0].text should be defined, instead was `undefined`."
        )));
    };
    let length = content.chars().count();
    if length > LONGEST {
        let message = format!(
            "body failed validation: {at}[0].text.content.length should be ≤ `{LONGEST}`, instead was `{length}`."
        );
        return Err(errors::invalid(&message));
    }
    let link = piece["text"]["link"]["url"].as_str();
    if link.is_some_and(|link| !link.contains(':')) {
        return Err(errors::invalid("body failed validation: Invalid URL for link."));
    }
    let mut shown = piece_of(content);
    shown["href"] = json!(link);
    shown["text"]["link"] = link.map_or(Value::Null, |link| json!({ "url": link }));
    for mark in ["bold", "italic", "strikethrough", "underline", "code"] {
        shown["annotations"][mark] = json!(piece["annotations"][mark] == true);
    }
    Ok(shown)
}

/// A text as one piece.
pub fn plain(text: &str) -> Value {
    if text.is_empty() { json!([]) } else { json!([piece_of(text)]) }
}

fn piece_of(text: &str) -> Value {
    json!({ "type": "text", "text": { "content": text, "link": null }, "plain_text": text, "href": null,
        "annotations": { "bold": false, "italic": false, "strikethrough": false, "underline": false, "code": false,
            "color": "default" } })
}

/// The words of rich text.
pub fn words(rich: &Value) -> String {
    rich.as_array().into_iter().flatten().filter_map(|piece| piece["plain_text"].as_str()).collect()
}
