//! One file a command, or a few that belong together.

pub mod accounts;
pub mod agents;
pub mod approvals;
pub mod audit;
pub mod call;
pub mod carry;
pub mod connect;
pub mod doctor;
pub mod key;
pub mod panic;
pub mod prepare;
pub mod sandbox;
pub mod serve;
pub mod stdio;
pub mod tools;
pub mod users;
