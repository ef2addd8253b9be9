//! Tests against small real servers on loopback.
