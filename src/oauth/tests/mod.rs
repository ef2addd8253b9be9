//! The broker against small token servers on loopback.
