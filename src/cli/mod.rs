//! The commands, and the one place where everything is put together.

pub mod house;
pub mod options;
pub mod order;
pub mod owner;
pub mod show;
