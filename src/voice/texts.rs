//! Texts that wait for a page: a bounded number of bytes, of which the oldest give way, and the page is told so.

use std::collections::VecDeque;

use super::rtvi;

/// So many texts may wait, and so many bytes of them. A page that takes none is gone, or ill.
const MOST: usize = 1_000;
const MOST_BYTES: usize = 256 * 1024;

/// Texts on their way to a page, oldest first.
#[derive(Debug, Default)]
pub struct Texts {
    waiting: VecDeque<String>,
    bytes: usize,
    left_out: usize,
}

impl Texts {
    /// Adds one behind the others. The oldest are left out when there is no room.
    pub fn push(&mut self, text: String) {
        self.bytes += text.len();
        self.waiting.push_back(text);
        while self.waiting.len() > MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.waiting.pop_front() else { return };
            self.bytes -= oldest.len();
            self.left_out += 1;
        }
    }

    /// Puts one back that could not be sent yet.
    pub fn put_back(&mut self, text: String) {
        self.bytes += text.len();
        self.waiting.push_front(text);
    }

    /// The next one to send. Where some were left out, that is said first.
    pub fn pop(&mut self) -> Option<String> {
        if self.left_out > 0 {
            return Some(rtvi::left_out(std::mem::take(&mut self.left_out)));
        }
        let text = self.waiting.pop_front()?;
        self.bytes -= text.len();
        Some(text)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.left_out == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_give_way_and_the_page_is_told() {
        let mut texts = Texts::default();
        for n in 0..5 {
            texts.push(n.to_string());
        }
        assert_eq!(texts.pop().as_deref(), Some("0"));
        texts.put_back("0".into());
        for _ in 0..100 {
            texts.push("x".repeat(MOST_BYTES / 10));
        }
        assert!(texts.bytes <= MOST_BYTES);
        let told = texts.pop().unwrap();
        assert!(told.contains("95 messages were left out"), "{told}");
        assert_eq!(texts.pop().unwrap().len(), MOST_BYTES / 10);
        while texts.pop().is_some() {}
        assert!(texts.is_empty() && texts.bytes == 0);
        (0..MOST + 7).for_each(|n| texts.push(n.to_string()));
        assert!(texts.pop().unwrap().contains("7 messages"));
        assert_eq!(texts.pop().as_deref(), Some("7"));
    }
}
