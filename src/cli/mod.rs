//! The commands, and the one place where everything is put together.

pub mod options;
pub mod owner;
pub mod show;
