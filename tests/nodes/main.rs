//! Several real `serve` processes on one PostgreSQL server: together they are one, and the server may be away for a
//! while.
#![cfg(all(unix, feature = "postgres"))]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/mod.rs"]
mod support;
#[path = "../rest/wire.rs"]
mod wire;

mod company;
mod outage;
mod together;
