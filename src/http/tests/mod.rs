//! The client against small real servers on loopback.

mod bounds;
mod credentials;
mod paths;
mod repeats;
