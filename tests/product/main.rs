//! The real program in the sandbox, as a client of the protocol and a person with a browser use it together.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod browser;
mod client;
mod connecting;
mod crowd;
mod discovery;
mod installing;
mod people;
mod pipes;
mod proxies;
mod reading;
#[path = "../support/mod.rs"]
mod support;
