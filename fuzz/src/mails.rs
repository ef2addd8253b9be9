//! What strangers write to a mailbox: pages, quoted history, whole mails.

use switchboard::{
    compute,
    integrations::mail_as_shown,
    tool::{html, quotes},
};

/// Runs a check on the stack that the compute pool gives; threads of tests have a smaller one.
fn on_its_stack(check: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(compute::STACK).spawn_scoped(scope, check);
        thread.expect("a thread starts").join().expect("the check holds");
    });
}

/// A page becomes text, whatever it is: without blanks at its ends, and without gaps.
pub fn page(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    on_its_stack(|| {
        let page = html::to_markdown(&text);
        assert_eq!(page.text, page.text.trim());
        assert!(!page.text.contains("\n\n\n"), "{:?}", page.text);
        // Quotes within quotes may repeat their marks; no more than the bound on copies lets them.
        assert!(page.text.len() <= 64 * text.len() + 1024, "{} bytes out of {}", page.text.len(), text.len());
    });
}

/// What is left of a text is its beginning, and the lines that are not are counted.
pub fn quoted(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (own, left_out) = quotes::folded(&text);
    if left_out == 0 {
        assert_eq!(own, text.trim_end());
        return;
    }
    let kept = text.lines().count() - left_out;
    assert_eq!(own, text.lines().take(kept).collect::<Vec<_>>().join("\n").trim_end());
    assert!(!own.is_empty(), "somebody said something");
}

/// A mail as the vendor sends it is shown, or refused as no mail.
pub fn mail(data: &[u8]) {
    on_its_stack(|| {
        if let Some(shown) = mail_as_shown(data) {
            assert!(shown.starts_with("Subject: "), "{shown}");
        }
    });
}
