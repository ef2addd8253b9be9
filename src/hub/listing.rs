//! The tools that a caller sees, in an order that does not change.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use crate::tool::Row;

/// The tools that a caller sees.
#[derive(Clone, Debug)]
pub struct Listing {
    /// In an order that does not change between calls and restarts.
    pub rows: Vec<Arc<Row>>,
    /// Equal versions mean equal lists.
    pub version: u64,
}

impl Listing {
    pub(super) fn of(rows: Vec<Arc<Row>>) -> Self {
        let mut hasher = DefaultHasher::new();
        for row in &rows {
            row.name().hash(&mut hasher);
            // Rows of run time may be replaced by others of the same name.
            Arc::as_ptr(row).hash(&mut hasher);
        }
        Listing { version: hasher.finish(), rows }
    }

    /// The row of that name.
    pub fn find(&self, name: &str) -> Option<&Arc<Row>> {
        self.rows.iter().find(|row| row.name() == name)
    }

    /// What it costs a model to know them all.
    pub fn tokens(&self) -> usize {
        self.rows.iter().map(|row| row.tokens()).sum()
    }
}
