//! Conversations and their services over real connections, with stand-ins on loopback.

#![cfg(feature = "voice")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fakes;
mod services;
