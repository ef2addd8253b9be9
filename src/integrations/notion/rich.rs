//! Notion's rich text: to plain text, to Markdown, and from pieces of Markdown.

use serde_json::{Value, json};

/// The most characters that Notion takes in one piece.
const LONGEST: usize = 2_000;

/// The longest address that Notion takes, in characters.
const LONGEST_LINK: usize = 2_000;

/// How a piece looks, and where it leads.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Style {
    pub(super) is_bold: bool,
    pub(super) is_italic: bool,
    pub(super) is_struck: bool,
    pub(super) is_code: bool,
    pub(super) link: Option<String>,
}

/// The pieces of a text without marks.
pub(super) fn plain(text: &str) -> Value {
    pieces(text, &Style::default()).into()
}

/// The pieces of a text in one style, none longer than Notion takes.
pub(super) fn pieces(text: &str, style: &Style) -> Vec<Value> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(LONGEST).map(|chunk| piece(&chunk.iter().collect::<String>(), style)).collect()
}

fn piece(text: &str, style: &Style) -> Value {
    let mut piece = json!({ "type": "text", "text": { "content": text } });
    if let Some(link) = style.link.as_deref().filter(|link| is_link(link)) {
        piece["text"]["link"] = json!({ "url": link });
    }
    let marks = [
        ("bold", style.is_bold),
        ("italic", style.is_italic),
        ("strikethrough", style.is_struck),
        ("code", style.is_code),
    ];
    for (mark, _) in marks.into_iter().filter(|(_, is_set)| *is_set) {
        piece["annotations"][mark] = json!(true);
    }
    piece
}

/// Notion refuses a whole request for a link that is none.
fn is_link(link: &str) -> bool {
    link.len() <= LONGEST_LINK && url::Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "https" | "http" | "mailto"))
}

/// The words of rich text, without their looks.
pub(super) fn words(rich: &Value) -> String {
    let pieces = rich.as_array().into_iter().flatten();
    pieces.filter_map(|piece| piece["plain_text"].as_str().or(piece["text"]["content"].as_str())).collect()
}

/// Rich text as Markdown.
pub(super) fn markdown(rich: &Value) -> String {
    rich.as_array().into_iter().flatten().map(marked).collect()
}

/// One piece with its marks. Blanks stay outside of them, because Markdown knows no mark before a blank.
fn marked(piece: &Value) -> String {
    let text = piece["plain_text"].as_str().unwrap_or_default();
    if piece["type"] == "equation" {
        return format!("${}$", piece["equation"]["expression"].as_str().unwrap_or(text));
    }
    let inner = text.trim();
    if inner.is_empty() {
        return text.to_owned();
    }
    let marks = &piece["annotations"];
    let mut marked = if marks["code"] == true { format!("`{inner}`") } else { inner.to_owned() };
    for (mark, sign) in [("italic", "*"), ("bold", "**"), ("strikethrough", "~~")] {
        if marks[mark] == true {
            marked = format!("{sign}{marked}{sign}");
        }
    }
    if let Some(link) = piece["href"].as_str() {
        marked = format!("[{marked}]({link})");
    }
    let (before, after) = (text.len() - text.trim_start().len(), text.trim_end().len());
    format!("{}{marked}{}", &text[..before], &text[after..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_come_in_pieces() {
        let rich = plain(&"ä".repeat(4_500));
        let lengths: Vec<_> =
            rich.as_array().unwrap().iter().map(|piece| piece["text"]["content"].as_str().unwrap().chars().count()).collect();
        assert_eq!(lengths, [2_000, 2_000, 500]);
        assert_eq!(plain(""), json!([]));
    }

    #[test]
    fn looks_become_marks() {
        let rich = json!([
            { "type": "text", "plain_text": "Read ", "annotations": {} },
            { "type": "text", "plain_text": "this ", "annotations": { "bold": true, "italic": true } },
            { "type": "text", "plain_text": "page", "annotations": {}, "href": "https://example.com" },
            { "type": "text", "plain_text": "x", "annotations": { "code": true } },
        ]);
        assert_eq!(markdown(&rich), "Read ***this*** [page](https://example.com)`x`");
        assert_eq!(words(&rich), "Read this pagex");
    }

    #[test]
    fn only_links_are_links() {
        let style = |link: &str| Style { link: Some(link.into()), ..Style::default() };
        assert_eq!(pieces("a", &style("https://x.example"))[0]["text"]["link"]["url"], "https://x.example");
        assert!(pieces("a", &style("../a.md"))[0]["text"].get("link").is_none());
    }
}
