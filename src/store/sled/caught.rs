//! Panics of sled become values, and nothing of them is printed.
//!
//! sled panics on some damaged pages where on others it returns an error. Who opens a damaged store should read one
//! sentence about it, and not a trace through somebody else's code.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::Once,
};

thread_local! {
    /// Whether a panic on this thread would be caught here.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; `None` when it panicked. Nothing of ours may be left half done by that: sled's own state is behind its
/// own locks.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    hush();
    let before = IS_CAUGHT.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(before);
    done.ok()
}

/// From now on, panics that are caught here are not printed; all others are, as before.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if IS_CAUGHT.get() {
                tracing::debug!("sled gave up: {panic}");
            } else {
                print(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_value_and_the_next_work_goes_on() {
        assert_eq!(caught(|| 7), Some(7));
        assert_eq!(caught(|| panic!("a damaged page")), None::<u8>);
        assert_eq!(caught(|| caught(|| panic!("within"))), Some(None::<u8>));
        assert!(!IS_CAUGHT.get(), "other panics are printed again");
    }
}
