//! A conversation: one owner of its state, and a driver that connects it with everything slow.
//!
//! [`Core`](core::Core) is told what happens and when, and says what to do; it needs no network, no sound and no clock,
//! so that minutes of conversation are tested in milliseconds.

mod control;
pub mod core;
pub mod driver;
mod host;
pub mod keeper;
pub mod moves;
pub mod phrases;
mod reply;
pub mod settings;
mod sources;
mod speech;
pub mod toolbox;
pub mod usual;

pub use host::{Conversations, Error, HostParts};
