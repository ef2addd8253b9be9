//! The Model Context Protocol over one dispatcher.
//!
//! One envelope ([`envelope`]), one method table ([`Server`]) and one state per connection ([`Pipe`]) serve every
//! transport and both eras: 2026-07-28, where each request speaks for itself, and 2025-11-25, 2025-06-18 and
//! 2025-03-26, which begin with a handshake. Nothing here knows a vendor.
//!
//! ```
//! use switchboard::{clock, hub::Hub, id, mcp::Server};
//!
//! let hub = Hub::builder(clock::system(), id::os()).build();
//! let server = Server::builder().name("my-tools").version("1.0.0").hub(hub).build();
//! ```

mod asker;
mod catalog;
pub mod client;
mod confirm;
pub mod envelope;
pub mod era;
pub mod exchange;
pub mod flight;
pub mod headers;
pub mod message;
mod methods;
pub mod news;
mod outgoing;
mod pipe;
mod progress;
mod round;
mod seal;
mod server;
pub mod session;
mod strict;
mod tasks;
mod trace;
pub mod wishes;

pub use methods::lifecycle::negotiate;
pub use outgoing::Outgoing;
pub use pipe::{Pipe, RUNNING, cancelled_id};
pub use server::{Answer, Builder, Core, Server};
