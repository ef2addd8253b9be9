//! Three transports over one dispatcher: lines ([`stdio`]), Streamable HTTP ([`http`]), WebSocket ([`ws`]).
//! REST comes in through the same guard and with the same tokens ([`rest`]).
//!
//! ```no_run
//! use switchboard::{agents::Principal, clock, hub::Hub, id, mcp::Server, transport::{self, Access, Options}};
//!
//! # async fn run() -> std::io::Result<()> {
//! let hub = Hub::builder(clock::system(), id::os()).build();
//! let server = Server::builder().hub(hub).build();
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:7411").await?;
//! transport::serve(listener, server, Options::new(Access::Open(Principal::local()))).await
//! # }
//! ```

pub mod access;
mod cors;
pub mod guard;
mod held;
pub mod http;
pub mod metadata;
pub mod proxy;
pub mod rest;
pub mod stdio;
pub mod ws;

use std::{sync::Arc, time::Duration};

pub use access::{Access, Admission, Authenticate, Browsers, Denied};
pub use guard::Hosts;
pub use metadata::ProtectedResource;
pub use proxy::{Network, Proxies};

pub use crate::listen;
use crate::{hub::Filters, mcp::Server, quota::Quotas};

/// The routes of both HTTP transports, `/mcp` and `/ws`, behind the guard.
pub fn router(server: Server, options: Options) -> axum::Router {
    http::router(server.clone(), options.clone()).merge(ws::router(server, options))
}

/// Serves `/mcp` and `/ws` on `listener` with the default limits, for as long as the process lives.
///
/// A program that has further routes, other limits or an end of its own calls [`router`] and [`listen::serve`].
pub async fn serve(listener: tokio::net::TcpListener, server: Server, options: Options) -> std::io::Result<()> {
    let router = router(server, options);
    listen::serve(listener, router, listen::Limits::default(), std::future::pending()).await
}

/// What the HTTP transports are held to. Clones share what is large.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who may come in.
    pub access: Access,
    /// Who signed in with a browser; for REST only.
    pub browsers: Option<Browsers>,
    /// Under which names the server may be called.
    pub hosts: Arc<Hosts>,
    /// What the operator allows; a request narrows it and never widens it.
    pub filters: Filters,
    /// The address of the protected resource metadata (RFC 9728), for those who come without a token.
    pub resource_metadata: Option<String>,
    /// The largest message, in bytes; 10 MiB by default.
    pub largest_message: usize,
    /// How long a body may take to arrive; 30 s by default.
    pub body_within: Duration,
    /// How often an open stream gives a sign of life; 15 s by default.
    pub keep_alive: Duration,
    /// What people may have under way over REST; the protocol's are those of its server.
    pub quotas: Quotas,
}

impl Options {
    /// The defaults, with loopback names only.
    pub fn new(access: Access) -> Self {
        Options {
            access,
            browsers: None,
            hosts: Arc::new(Hosts::default()),
            filters: Filters::default(),
            resource_metadata: None,
            largest_message: 10 << 20,
            body_within: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
            quotas: Quotas::default(),
        }
    }
}
