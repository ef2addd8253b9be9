//! The real program in the sandbox, as a client of the protocol and a person with a browser use it together.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod browser;
mod client;
mod connecting;
mod crowd;
mod discovery;
mod foreign;
mod installing;
mod legacy;
mod logging;
mod people;
mod pipes;
mod prompts;
mod proxies;
mod reading;
mod records;
#[path = "../support/mod.rs"]
mod support;
mod tasks;
