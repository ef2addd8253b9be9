//! The client against small real servers on loopback.

mod bounds;
mod cancelled;
mod credentials;
mod paths;
mod repeats;
