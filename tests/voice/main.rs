//! Conversations, their services and their calls over real connections: the exchange in this process, callers that are
//! not part of it, the network between, and stand-ins for services on loopback.

#![cfg(feature = "voice")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "sound is made and measured with small numbers"
)]
#![allow(clippy::large_futures, reason = "a connection is large, and there are few")]

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
