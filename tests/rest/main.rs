//! REST over real HTTP, in front of a house in the sandbox.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod consent;
mod documented;
mod input;
mod people;
mod program;
mod resources;
mod rights;
mod scene;
#[path = "../support/mod.rs"]
mod support;
mod vendors;
mod wire;
