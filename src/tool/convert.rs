//! Long texts of callers, converted away from the async workers.

use super::Result;
use crate::compute;

/// Texts up to this many bytes are converted at once: that takes less time than to hand them over.
const AT_ONCE: usize = 8 << 10;

/// What `work` makes of `text`. It has to take work in proportion to the text, and bound how deep it goes.
///
/// # Errors
/// [`Kind::Busy`](super::Kind::Busy) when too many long texts are being worked on.
pub async fn convert<T: Send + 'static>(text: &str, work: impl FnOnce(&str) -> T + Send + 'static) -> Result<T> {
    if text.len() <= AT_ONCE {
        return Ok(work(text));
    }
    let text = text.to_owned();
    Ok(compute::run(move || work(&text)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_long_texts_leave_the_thread() {
        let here = std::thread::current().id();
        let place = |text: &str| (text.len(), std::thread::current().id());
        assert_eq!(convert("short", place).await.unwrap(), (5, here));
        let (length, elsewhere) = convert(&"x".repeat(AT_ONCE + 1), place).await.unwrap();
        assert!(length == AT_ONCE + 1 && elsewhere != here);
    }
}
