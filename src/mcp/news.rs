//! What has changed, from the hub and from the server's own, as one stream.

use tokio::sync::watch;

use super::server::Core;
use crate::shelf::{self, Change};

/// What a listener hears.
#[derive(Debug)]
pub struct News {
    tools: watch::Receiver<u64>,
    others: shelf::News,
}

impl News {
    /// What changes from now on.
    pub(super) fn of(core: &Core) -> Self {
        let mut tools = core.hub.changes();
        tools.mark_unchanged();
        News { tools, others: core.changes.listen() }
    }

    /// The next change; `None` when the server is gone.
    pub async fn next(&mut self) -> Option<Change> {
        tokio::select! {
            news = self.tools.changed() => news.ok().map(|()| Change::Tools),
            news = self.others.next() => news,
        }
    }
}
