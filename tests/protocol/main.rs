//! The protocol over its real transports, with tools of our own and nothing of any vendor.
#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "a test that cannot go on may panic, and tables are long"
)]

mod access;
mod authorization;
mod batches;
mod client;
mod fixtures;
mod hostile;
mod http_legacy;
mod http_limits;
mod http_modern;
mod http_streams;
#[path = "../support/issuer.rs"]
mod issuer;
mod nodes;
mod offers;
mod pages;
mod pipes;
mod stdio;
mod wire;
mod ws;
