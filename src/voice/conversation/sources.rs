//! Several channels under their numbers, heard as one.

use std::{future::poll_fn, task::Poll};

use tokio::sync::mpsc;

/// What comes from several services at once.
#[derive(Debug)]
pub(super) struct Sources<T> {
    open: Vec<(u64, mpsc::Receiver<T>)>,
}

impl<T> Default for Sources<T> {
    fn default() -> Self {
        Sources { open: vec![] }
    }
}

impl<T> Sources<T> {
    /// Listens to one more.
    pub(super) fn add(&mut self, number: u64, channel: mpsc::Receiver<T>) {
        self.open.push((number, channel));
    }

    /// Listens to one no more, which ends the work behind it.
    pub(super) fn remove(&mut self, number: u64) {
        self.open.retain(|(open, _)| *open != number);
    }

    /// The next thing that any of them says; `None` is the end of that one, which is removed with it. Waits for ever
    /// when there are none. Nothing is lost when it is dropped.
    pub(super) async fn next(&mut self) -> (u64, Option<T>) {
        let (number, said) = poll_fn(|cx| {
            for (number, channel) in &mut self.open {
                if let Poll::Ready(said) = channel.poll_recv(cx) {
                    return Poll::Ready((*number, said));
                }
            }
            Poll::Pending
        })
        .await;
        if said.is_none() {
            self.remove(number);
        }
        (number, said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_are_heard_until_their_end() {
        let mut sources = Sources::default();
        let (one, channel) = mpsc::channel(4);
        sources.add(1, channel);
        let (two, channel) = mpsc::channel(4);
        sources.add(2, channel);
        two.send("b").await.unwrap();
        assert_eq!(sources.next().await, (2, Some("b")));
        drop(one);
        assert_eq!(sources.next().await, (1, None));
        sources.remove(2);
        assert!(two.is_closed());
        let waits = tokio::time::timeout(std::time::Duration::from_millis(10), sources.next()).await;
        assert!(waits.is_err());
    }
}
