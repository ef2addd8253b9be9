//! News that lists or resources have changed, for everybody who listens.

use std::collections::VecDeque;

use tokio::sync::broadcast;

/// How many pieces of news a slow listener may be behind before it is told that everything has changed.
const BEHIND: usize = 256;

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// The resource at that address.
    Resource(String),
    /// A person is done at the page of that [name](crate::tool::Page::known_as). Only the client that was sent there
    /// hears of it.
    PageDone(String),
}

/// Where changes are told. Clones tell the same listeners.
#[derive(Clone, Debug)]
pub struct Changes(broadcast::Sender<Change>);

impl Changes {
    /// Nobody listens yet.
    pub fn new() -> Self {
        Changes(broadcast::Sender::new(BEHIND))
    }

    /// Tells everybody who listens.
    pub fn tell(&self, change: Change) {
        // Nobody may be listening.
        let _ = self.0.send(change);
    }

    /// What changes from now on.
    pub fn listen(&self) -> News {
        News { receiver: self.0.subscribe(), missed: VecDeque::new() }
    }
}

impl Default for Changes {
    fn default() -> Self {
        Changes::new()
    }
}

/// What a listener hears.
#[derive(Debug)]
pub struct News {
    receiver: broadcast::Receiver<Change>,
    missed: VecDeque<Change>,
}

impl News {
    /// The next change; `None` when there can be no more.
    pub async fn next(&mut self) -> Option<Change> {
        if let Some(change) = self.missed.pop_front() {
            return Some(change);
        }
        match self.receiver.recv().await {
            Ok(change) => Some(change),
            Err(broadcast::error::RecvError::Lagged(_)) => {
                self.missed.extend([Change::Prompts, Change::Resources]);
                Some(Change::Tools)
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_too_slow_hears_that_everything_has_changed() {
        let changes = Changes::new();
        let mut news = changes.listen();
        (0..=BEHIND).for_each(|number| changes.tell(Change::Resource(number.to_string())));
        for expected in [Change::Tools, Change::Prompts, Change::Resources, Change::Resource("1".into())] {
            assert_eq!(news.next().await, Some(expected));
        }
    }
}
