//! The outgoing HTTP client.
