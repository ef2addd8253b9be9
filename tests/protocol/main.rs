//! The protocol over its real transports, with tools of our own and nothing of any vendor.

mod fixtures;
mod http;
mod stdio;
mod wire;
