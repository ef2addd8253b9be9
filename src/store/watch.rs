//! Notice of changes: one channel per store, one [`Watch`] per listener.

use tokio::sync::broadcast;

use super::{Change, Key, Table};

/// So many changes may wait for a slow listener before it is told that it missed some.
const BACKLOG: usize = 1024;

/// What a [`Watch`] saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// This record was written or deleted.
    Changed(Key),
    /// Some changes were missed: take every record of the table for changed.
    Missed,
}

/// Tells of changes in one table.
#[derive(Debug)]
pub struct Watch {
    table: Table,
    changes: broadcast::Receiver<Seen>,
}

impl Watch {
    /// The next change; `None` when the store is gone. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Seen> {
        loop {
            match self.changes.recv().await {
                Ok(Seen::Changed(key)) if key.table != self.table => {}
                Ok(seen) => return Some(seen),
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(Seen::Missed),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// The sending end of every [`Watch`] of a store.
#[derive(Debug)]
pub(super) struct Changes(broadcast::Sender<Seen>);

impl Changes {
    pub(super) fn new() -> Self {
        Changes(broadcast::Sender::new(BACKLOG))
    }

    /// Tells every listener about committed changes.
    pub(super) fn announce(&self, changes: &[Change]) {
        for change in changes {
            self.tell(Seen::Changed(change.key().clone()));
        }
    }

    /// Tells every listener about one change, or about all tables.
    pub(super) fn tell(&self, seen: Seen) {
        // An error means that nobody listens.
        let _ = self.0.send(seen);
    }

    pub(super) fn watch(&self, table: Table) -> Watch {
        Watch { table, changes: self.0.subscribe() }
    }
}
