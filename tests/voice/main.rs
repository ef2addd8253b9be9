//! Conversations, their services and their calls over real connections: the exchange in this process, callers that are
//! not part of it, the network between, and stand-ins for services on loopback.

#![cfg(feature = "voice")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod caller;
mod calls;
mod conversation;
mod exchange;
mod fakes;
mod foreign;
mod likeness;
mod losses;
mod offers;
mod relay;
mod services;
mod spoken;
#[path = "../support/mod.rs"]
mod support;
