//! Users, agents and what each may do.

use crate::id::{AgentId, UserId};

/// Who calls: a user through an agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    /// Whose connections are used.
    pub user: UserId,
    /// What may be used.
    pub agent: AgentId,
    /// Whether it may administrate.
    pub admin: bool,
}
