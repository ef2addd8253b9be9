//! The catalog: one line per integration.
