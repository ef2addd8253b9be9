//! The tools that a caller sees, in an order that does not change.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use super::{Caller, which::Accounts};
use crate::{
    agents::{Agent, Integrations, Level},
    tool::{Effect, Integration, Row},
};

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
            row.identity().hash(&mut hasher);
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

/// What decides which tools a caller is offered.
pub(super) struct Offer<'a> {
    pub(super) caller: &'a Caller,
    pub(super) agent: Agent,
    pub(super) connected: BTreeSet<String>,
    pub(super) accounts: Accounts,
}

impl Offer<'_> {
    /// Whether `row` is offered; `integration` is where it belongs, if it belongs to one.
    pub(super) fn includes(&self, row: &Row, integration: Option<&Integration>) -> bool {
        let enabled = match (self.agent.switched(row.name()), integration) {
            (Some(switched), _) => switched,
            (None, Some(integration)) => self.enables(row, integration),
            (None, None) => true,
        };
        enabled && self.caller.filters.allow(row) && reaches(self.agent.level, row.effect())
    }

    /// Whether one of the tools that lead to the others is offered.
    pub(super) fn leads_through(&self, row: &Row) -> bool {
        let by_effect = !self.caller.filters.read_only || row.effect() == Effect::Reads;
        self.caller.filters.discovery && by_effect && reaches(self.agent.level, row.effect())
    }

    /// An agent gets an integration's core. One that has no choice of its own gets what the way in names instead,
    /// connected or not.
    fn enables(&self, row: &Row, integration: &Integration) -> bool {
        let has_no_choice = matches!(self.agent.integrations, Integrations::Connected);
        if has_no_choice && self.caller.filters.names_tools() {
            return true;
        }
        let is_connected = self.connected.contains(integration.id);
        if self.caller.filters.discovery {
            // What is not listed costs nothing.
            return self.agent.has_integration(integration.id, is_connected);
        }
        self.agent.has_integration(integration.id, is_connected) && integration.core.contains(&row.name())
    }
}

/// Whether an agent of that level may do that.
pub(super) fn reaches(level: Level, effect: Effect) -> bool {
    match level {
        Level::ReadOnly => effect == Effect::Reads,
        Level::NoDelete => effect != Effect::Irreversible,
        Level::Full => true,
    }
}
