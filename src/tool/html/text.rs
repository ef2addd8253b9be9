//! A page as its mere text: for pages that are too deep, too large or too tangled for a tree.
//!
//! Only the first half of the parser works for it, which knows characters and tags and keeps nothing of either.

use std::cell::RefCell;

use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};

use super::BLOCKS;

/// The text of a cleaned page, with a line for each block.
pub(super) fn of(page: &str) -> String {
    let tokenizer = Tokenizer::new(Text::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(page));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

#[derive(Default)]
struct Text(RefCell<String>);

impl TokenSink for Text {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(text) => self.words(&text),
            Token::TagToken(tag) => self.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Text {
    /// Blanks in a row are one.
    fn words(&self, text: &str) {
        let mut out = self.0.borrow_mut();
        for c in text.chars() {
            if !c.is_ascii_whitespace() {
                out.push(c);
            } else if !out.is_empty() && !out.ends_with([' ', '\n']) {
                out.push(' ');
            }
        }
    }

    fn tag(&self, tag: &Tag) {
        let mut out = self.0.borrow_mut();
        match &*tag.name {
            "td" | "th" if out.is_empty() || out.ends_with([' ', '\n']) => {}
            "td" | "th" => out.push(' '),
            name if name != "br" && !BLOCKS.contains(&name) => {}
            _ if out.is_empty() || out.ends_with('\n') => {}
            _ => out.push('\n'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_lines() {
        assert_eq!(of("<h1>News</h1>\n<p>of  <b>this</b>\nweek<p>&lt;3<br>x"), "News\nof this week\n<3\nx");
        assert_eq!(of("<table><tr><td>a</td><td>b</td></tr><tr><td>c"), "a b \nc");
    }
}
