//! The tools of every integration against its twin, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod airtable;
mod asking;
mod cancelled;
#[expect(dead_code, reason = "the tables of twins are compared elsewhere")]
#[path = "../support/contract.rs"]
mod contract;
mod desk;
mod gmail;
mod google_calendar;
mod google_sheets;
mod hubspot;
mod ill;
mod notion;
mod rates;
mod salesforce;
mod slack;
mod storm;
#[path = "../support/storm.rs"]
mod storm_support;
