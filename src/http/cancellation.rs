//! Whether a call is still wanted: looked at before each of its requests that changes something at a vendor.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio_util::sync::{CancellationToken, DropGuard};

/// The cancellation of one call, and whether it has begun to change something. Clones share it.
///
/// A cancelled call that has changed nothing yet ends at once. A request that has been let out is carried to its end,
/// and no further one is let out, unless it [completes](super::Request::completes) what was begun.
#[derive(Clone, Debug, Default)]
pub struct Cancellation {
    token: CancellationToken,
    writes: Arc<AtomicUsize>,
}

impl Cancellation {
    /// A call that is wanted until `ending` is cancelled, or this.
    pub fn within(ending: &CancellationToken) -> Self {
        Cancellation { token: ending.child_token(), writes: Arc::default() }
    }

    /// Cancels the call.
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// Cancels the call when it is dropped: for whoever waits for the answer.
    pub fn on_drop(&self) -> DropGuard {
        self.token.clone().drop_guard()
    }

    /// Whether nobody wants the call any more.
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until nobody wants the call any more.
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// Whether a request that changes something has been let out.
    pub fn has_written(&self) -> bool {
        self.writes.load(Ordering::SeqCst) > 0
    }

    /// Does `work`; `None` when it is cancelled before its first write. Afterwards it goes on to its end.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            () = self.cancelled() => {}
            done = &mut work => return Some(done),
        }
        if self.has_written() { Some(work.await) } else { None }
    }

    /// Lets one request that changes something out, unless the call was cancelled before.
    pub(super) fn let_out(&self, completes: bool) -> bool {
        // Counted first: `run` looks at the two in the other order, and so misses no request that is on its way.
        let before = self.writes.fetch_add(1, Ordering::SeqCst);
        let is_let_out = !self.is_cancelled() || (completes && before > 0);
        if !is_let_out {
            self.writes.fetch_sub(1, Ordering::SeqCst);
        }
        is_let_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cancelled_lets_nothing_more_out() {
        let call = Cancellation::default();
        assert!(call.let_out(false));
        call.cancel();
        assert!(!call.let_out(false), "a further write is not begun");
        assert!(call.let_out(true), "what was begun is completed");
        let unbegun = Cancellation::default();
        unbegun.cancel();
        assert!(!unbegun.let_out(true), "there is nothing to complete");
        assert!(!unbegun.has_written());
    }

    #[test]
    fn whoever_waits_cancels_by_leaving_and_so_does_the_end_of_all() {
        let all = CancellationToken::new();
        let (left, ended) = (Cancellation::within(&all), Cancellation::within(&all));
        drop(left.on_drop());
        assert!(left.is_cancelled() && !ended.is_cancelled());
        all.cancel();
        assert!(ended.is_cancelled());
    }

    #[tokio::test]
    async fn work_ends_at_once_before_its_first_write_and_not_after_it() {
        let unbegun = Cancellation::default();
        unbegun.cancel();
        assert_eq!(unbegun.run(std::future::pending::<()>()).await, None);
        let begun = Cancellation::default();
        let work = async {
            assert!(begun.let_out(false));
            begun.cancel();
            tokio::task::yield_now().await;
            7
        };
        assert_eq!(begun.run(work).await, Some(7));
    }
}
