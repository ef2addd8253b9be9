//! The tools of Google Calendar against its twin, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod availability;
#[expect(dead_code, reason = "the tables of twins are compared elsewhere")]
#[path = "../support/contract.rs"]
mod contract;
mod desk;
mod faults;
mod meetings;
mod scheduling;
