//! What has changed, from the hub and from the server's own, as one stream.

use std::collections::VecDeque;

use tokio::sync::watch;

use super::server::Core;
use crate::shelf::{self, Change};

/// What a listener hears.
#[derive(Debug)]
pub struct News {
    tools: watch::Receiver<u64>,
    /// What follows from a change of tools and was not told yet.
    rest: VecDeque<Change>,
    hub: shelf::News,
    own: shelf::News,
    /// Whether the caller's tools decide which resources and prompts there are.
    shelf_follows: bool,
}

impl News {
    /// What changes from now on.
    pub(super) fn of(core: &Core) -> Self {
        let mut tools = core.hub.changes();
        tools.mark_unchanged();
        let (hub, own, shelf_follows) = (core.hub.news(), core.changes.listen(), core.shelf.follows_tools());
        News { tools, rest: VecDeque::new(), hub, own, shelf_follows }
    }

    /// The next change; `None` when the server is gone.
    pub async fn next(&mut self) -> Option<Change> {
        if let Some(change) = self.rest.pop_front() {
            return Some(change);
        }
        tokio::select! {
            news = self.tools.changed() => {
                news.ok()?;
                if self.shelf_follows {
                    self.rest.extend([Change::Prompts, Change::Resources]);
                }
                Some(Change::Tools)
            }
            news = self.hub.next() => news,
            news = self.own.next() => news,
        }
    }
}
