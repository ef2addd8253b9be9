//! The accept loop: one hyper connection for each client, with limits on all that a client can draw out.
//!
//! axum's own loop sets none of them: headers of 100 KB pass, and a client that never finishes a head, or never reads
//! its answer, holds its connection for ever. hyper-util's look at which HTTP is spoken has no time limit of its own.

mod body;
mod stream;
mod table;

use std::{
    convert::Infallible,
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, http::StatusCode, response::Response};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use self::{
    body::{Arriving, Leaving, Untaken},
    stream::Stream,
    table::{Connection, Refused, Seat, Table},
};
use crate::quota::Permit;

/// How many connections are taken when nobody says otherwise.
const CONNECTIONS: usize = 4096;
/// How many file handles stay free for everything but connections.
const OTHER_HANDLES: usize = 256;
/// How long a connection may take to end that was asked to.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often a connection is looked at while requests are under way.
const LOOK: Duration = Duration::from_secs(15);

/// What clients are held to.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many connections may be open at once, WebSockets among them; by default 4096, or as many as the process may
    /// have file handles for.
    pub connections: usize,
    /// How many of them may come from one address; a quarter by default.
    pub connections_of_peer: usize,
    /// The addresses that many clients share, for which that does not hold; loopback by default.
    pub shared: SharedPeers,
    /// How long a client may take until it is clear which HTTP it speaks; 10 s by default.
    pub first_within: Duration,
    /// How long the head of a request may take to arrive, and how long a connection may be kept without one; 30 s by
    /// default.
    pub head_within: Duration,
    /// How large the head of a request may be, in bytes; 32 KiB by default.
    pub largest_head: usize,
    /// How many headers a request may have; 100 by default.
    pub most_headers: usize,
    /// How long the body of a request may take to arrive, where its reader sets no limit; 60 s by default.
    pub body_within: Duration,
    /// How long a client may take nothing of what is written to it; 60 s by default.
    pub stall: Duration,
    /// How long a client may take for one piece of an answer, however slowly it reads; 10 min by default.
    pub piece_within: Duration,
    /// How long open requests may go on after the end; 10 s by default.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let connections = capacity();
        Limits {
            connections,
            connections_of_peer: (connections / 4).max(1),
            shared: SharedPeers::default(),
            first_within: Duration::from_secs(10),
            head_within: Duration::from_secs(30),
            largest_head: 32 << 10,
            most_headers: 100,
            body_within: Duration::from_mins(1),
            stall: Duration::from_mins(1),
            piece_within: Duration::from_mins(10),
            grace: Duration::from_secs(10),
        }
    }
}

/// How many connections this process can have: 4096, unless it may not open so many files.
pub fn capacity() -> usize {
    let handles = std::fs::read_to_string("/proc/self/limits").ok().and_then(|limits| open_files(&limits));
    handles.map_or(CONNECTIONS, |handles| connections_for(handles).min(CONNECTIONS))
}

fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Half of few handles, and all but some of many.
fn connections_for(handles: usize) -> usize {
    handles.saturating_sub(OTHER_HANDLES).max(handles / 2).max(1)
}

/// Tells which addresses stand for many clients, such as those of proxies.
#[derive(Clone)]
pub struct SharedPeers(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl SharedPeers {
    /// Loopback, and whatever `is_shared` names.
    pub fn loopback_and(is_shared: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        SharedPeers(Arc::new(move |peer| peer.is_loopback() || is_shared(peer)))
    }

    fn has(&self, peer: IpAddr) -> bool {
        (self.0)(peer)
    }
}

impl Default for SharedPeers {
    fn default() -> Self {
        SharedPeers::loopback_and(|_| false)
    }
}

impl fmt::Debug for SharedPeers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedPeers")
    }
}

/// The connection on which a request came, as its extension: for those who go on with its bytes after an upgrade.
#[derive(Clone, Debug)]
pub struct Intake(Arc<Connection>);

impl Intake {
    /// Lets every byte that comes in from now on count against `permit`; the connection breaks when that can grow no
    /// more. Whoever reads messages makes it small again.
    pub fn count(&self, permit: Arc<Permit>) {
        *self.0.meter.lock().unwrap_or_else(PoisonError::into_inner) = Some(permit);
    }
}

/// Serves `router` on `listener` until `end` is there; then what is open may finish within [`Limits::grace`].
///
/// Requests carry the client's address as an extension ([`SocketAddr`]), and the [`Intake`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    end: impl Future<Output = ()>,
) -> io::Result<()> {
    let table = Table::new(limits.clone());
    let closing = CancellationToken::new();
    let server = Arc::new(Server { builder: builder(&limits), router, limits, closing: closing.clone() });
    let open = TaskTracker::new();
    let mut end = std::pin::pin!(end);
    loop {
        let (stream, client) = tokio::select! {
            () = &mut end => break,
            accepted = accept(&listener, &table) => accepted,
        };
        match table.admit(client.ip()) {
            Ok(seat) => drop(open.spawn(Arc::clone(&server).welcome(stream, client, Arc::new(seat)))),
            Err(why) => refuse(&stream, client, why),
        }
    }
    drop(listener);
    closing.cancel();
    open.close();
    let _ = timeout(server.limits.grace, open.wait()).await;
    Ok(())
}

/// The next client.
async fn accept(listener: &TcpListener, table: &Table) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                // Answers are small and wanted at once.
                let _ = stream.set_nodelay(true);
                return (stream, client);
            }
            Err(error) => {
                // Most often there are no more file handles: some will come back.
                tracing::warn!(%error, "a client could not be accepted");
                table.relieve();
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Says in one write why there is no place; whether that is heard does not matter.
fn refuse(stream: &TcpStream, client: SocketAddr, why: Refused) {
    let (status, why) = match why {
        Refused::Peer => ("429 Too Many Requests", "your address has too many connections open: close some"),
        Refused::Full => ("503 Service Unavailable", "too many connections are busy: try again in a second"),
    };
    tracing::debug!(%client, why, "a connection was refused");
    let length = why.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nRetry-After: 1\r\nConnection: close\r\nContent-Type: text/plain\r\n\
         Content-Length: {length}\r\n\r\n{why}"
    );
    let _ = stream.try_write(answer.as_bytes());
}

/// What all connections share.
struct Server {
    builder: auto::Builder<TokioExecutor>,
    router: Router,
    limits: Limits,
    closing: CancellationToken,
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_headers(limits.most_headers)
        .max_buf_size(limits.largest_head.max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.largest_head).unwrap_or(u32::MAX))
        .max_concurrent_streams(64)
        // What a client may send before anybody has read it, and what waits for a client that does not read.
        .initial_stream_window_size(256 << 10)
        .initial_connection_window_size(512 << 10)
        .max_send_buf_size(64 << 10)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

impl Server {
    /// Waits for the first bytes of a client with as little as possible, then serves it.
    async fn welcome(self: Arc<Self>, stream: TcpStream, client: SocketAddr, seat: Arc<Seat>) {
        let deadline = Instant::now() + self.limits.first_within;
        let speaks = tokio::select! {
            ready = stream.readable() => ready.is_ok(),
            () = seat.connection.end.cancelled() => false,
            () = self.closing.cancelled() => false,
            () = sleep_until(deadline) => false,
        };
        if speaks {
            Box::pin(self.serve(stream, client, seat, deadline)).await;
        } else {
            tracing::debug!(%client, "a connection ended that said nothing");
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, client: SocketAddr, seat: Arc<Seat>, deadline: Instant) {
        let untaken = Arc::new(Untaken::default());
        let service = {
            let (server, seat, untaken) = (Arc::clone(&self), Arc::clone(&seat), Arc::clone(&untaken));
            hyper::service::service_fn(move |request| {
                Arc::clone(&server).answer(request, client, &seat, Arc::clone(&untaken))
            })
        };
        let io = TokioIo::new(Stream::new(stream, Arc::clone(&seat), self.limits.stall));
        let connection = self.builder.serve_connection_with_upgrades(io, service);
        let mut connection = std::pin::pin!(connection);
        let mut watch = std::pin::pin!(self.watch(&seat, &untaken, deadline));
        let ending = tokio::select! {
            ended = connection.as_mut() => return ended_early(client, ended),
            ending = watch.as_mut() => ending,
        };
        if ending == Ending::Now {
            tracing::debug!(%client, "a connection was ended that asked for nothing, or took nothing");
            return;
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            ended = connection => ended_early(client, ended),
            () = sleep(FAREWELL), if ending == Ending::Idle => {}
        }
    }

    /// Waits until a connection has to end.
    async fn watch(&self, seat: &Seat, untaken: &Untaken, first_within: Instant) -> Ending {
        let Limits { head_within, piece_within, .. } = self.limits;
        let mut next = first_within;
        loop {
            tokio::select! {
                () = seat.connection.end.cancelled() => {
                    return if seat.connection.is_silent() { Ending::Now } else { Ending::InPeace };
                }
                () = self.closing.cancelled() => return Ending::InPeace,
                () = sleep_until(next) => {}
            }
            if !seat.connection.is_version_known() || untaken.longest() > piece_within {
                return Ending::Now;
            }
            next = match seat.silent_for() {
                // HTTP/1 ends by itself after that time; HTTP/2 does not.
                Some(silent) if silent > head_within => return Ending::Idle,
                Some(silent) => {
                    Instant::now() + head_within.saturating_sub(silent).min(LOOK) + Duration::from_millis(10)
                }
                None => Instant::now() + LOOK,
            };
        }
    }

    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        client: SocketAddr,
        seat: &Arc<Seat>,
        untaken: Arc<Untaken>,
    ) -> Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>> {
        let under_way = seat.asked();
        let mut request = request.map(|body| Body::new(Arriving::new(body, self.limits.body_within)));
        request.extensions_mut().insert(client);
        request.extensions_mut().insert(Intake(Arc::clone(&seat.connection)));
        Box::pin(async move {
            let response = self.router.clone().oneshot(request).await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                under_way.forever();
                return Ok(response);
            }
            Ok(response.map(|body| Body::new(Leaving::new(body, &untaken, under_way))))
        })
    }
}

/// How a connection ends that does not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// At once.
    Now,
    /// With a goodbye, because nothing is under way.
    Idle,
    /// After what is under way.
    InPeace,
}

fn ended_early<E: fmt::Display>(client: SocketAddr, ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%client, %error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_connections_than_file_handles() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(open_files(limits).map(connections_for), Some(768));
        assert_eq!(connections_for(256), 128);
        assert_eq!(open_files("Max open files            unlimited            unlimited            files\n"), None);
        assert!((1..=CONNECTIONS).contains(&capacity()));
    }
}
