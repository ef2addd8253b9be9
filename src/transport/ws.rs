//! A WebSocket at `/ws`: one text frame is one message, and everything else is as on stdio.
//!
//! The token comes with the upgrade, cancellation is `notifications/cancelled`, and the subprotocol `mcp` is
//! echoed to those who ask for it.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{
        FromRequestParts, Request, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{sync::mpsc, time::Instant};

use super::{
    Options,
    access::{self, Pass, Visitor},
    guard, held,
};
use crate::{
    listen::Intake,
    mcp::{
        Outgoing, Pipe, Server,
        message::{error_text, internal_error, invalid_request},
    },
    quota::Permit,
};

/// How many messages may wait to be written.
const OUTBOX: usize = 64;
/// How often a silent client is asked for a sign of life, and how long one may stay silent.
const PING: Duration = Duration::from_secs(30);
/// How long a client may take nothing of what is written to it.
const STALL: Duration = Duration::from_mins(1);
/// How long calls may go on when the server leaves.
const GRACE: Duration = Duration::from_millis(800);

/// The route `/ws`, behind the guard.
pub fn router(server: Server, options: Options) -> Router {
    let hosts = Arc::clone(&options.hosts);
    let router = Router::new().route("/ws", any(upgrade)).with_state((server, Arc::new(options)));
    guard::protect(router, hosts)
}

async fn upgrade(State((server, options)): State<(Server, Arc<Options>)>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let visitor = match access::visitor(&options, &parts.headers, &parts.extensions).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
        let mut response = access::json(
            StatusCode::UPGRADE_REQUIRED,
            error_text(None, &invalid_request("this address speaks WebSocket, version 13")),
        );
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, header::HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, header::HeaderValue::from_static("13"));
        return response;
    };
    let person = visitor.caller.principal.user.as_str();
    let quotas = server.quotas();
    let (place, permit) = match (quotas.sockets.take(person, 1), quotas.arriving.take(person, 0)) {
        (Ok(place), Ok(permit)) => (place, Arc::new(permit)),
        (Err(why), _) | (_, Err(why)) => {
            let error = internal_error(&format!("too many WebSockets are open: {why}"));
            return held::retried(why, access::json(held::status(why), error_text(None, &error)));
        }
    };
    if let Some(intake) = parts.extensions.get::<Intake>() {
        intake.count(Arc::clone(&permit));
    }
    let limit = options.largest_message;
    let pass = Pass::of(&options, &parts.headers);
    upgrade
        // The default of 128 KiB would be most of what an idle client costs.
        .read_buffer_size(4096)
        .max_message_size(limit)
        .max_frame_size(limit)
        .protocols(["mcp"])
        .on_upgrade(move |socket| async move {
            serve(server, visitor, pass, socket, &permit).await;
            drop(place);
        })
        .into_response()
}

/// Serves one client until it leaves or breaks the rules.
///
/// `coming` is what its bytes count against while they are no whole message yet.
async fn serve(server: Server, visitor: Visitor, pass: Option<Pass>, socket: WebSocket, coming: &Permit) {
    let (sink, stream) = socket.split();
    let (outbox, messages) = mpsc::channel(OUTBOX);
    let (farewell, farewells) = mpsc::channel(1);
    let (beat, beats) = mpsc::channel(1);
    let writer = tokio::spawn(write(sink, messages, farewells, beats));
    let pipe = Pipe::new(server, visitor.caller, outbox);
    let goodbye = tokio::select! {
        goodbye = read(&pipe, stream, pass, beat, coming) => goodbye,
        () = pipe.closed() => Some((close_code::AWAY, "the server is closing")),
        () = end_of(visitor.counts_for) => Some((close_code::POLICY, "the token has run out")),
    };
    // Only who is still there hears how a call ends; for all others it is cancelled.
    let listens = goodbye.is_some_and(|(code, _)| code == close_code::AWAY);
    pipe.close(if listens { GRACE } else { Duration::ZERO }).await;
    if let Some(goodbye) = goodbye {
        let _ = farewell.send(goodbye).await;
    }
    drop(farewell);
    let _ = writer.await;
}

/// The moment in which the token of the upgrade runs out: a connection does not outlive it.
async fn end_of(token: Option<Duration>) {
    match token {
        Some(left) => tokio::time::sleep(left).await,
        None => std::future::pending().await,
    }
}

/// A close code and its reason.
type Goodbye = (u16, &'static str);

/// Hands messages to the pipe; gives back with what to part, if the client has not parted itself.
async fn read(
    pipe: &Pipe,
    mut stream: SplitStream<WebSocket>,
    mut pass: Option<Pass>,
    beat: mpsc::Sender<()>,
    coming: &Permit,
) -> Option<Goodbye> {
    let mut heard = Instant::now();
    loop {
        let next = tokio::time::timeout(PING, stream.next()).await;
        if let Some(pass) = &mut pass
            && !pass.is_good().await
        {
            return Some((close_code::POLICY, "the token is not good any more"));
        }
        let Ok(next) = next else {
            if heard.elapsed() > PING * 2 {
                return Some((close_code::AWAY, "nothing was heard for too long"));
            }
            let _ = beat.try_send(());
            continue;
        };
        heard = Instant::now();
        match next? {
            Ok(Message::Text(text)) => {
                // From here on it counts as a request.
                coming.force(0);
                pipe.receive(text.as_str().as_bytes()).await;
            }
            Ok(Message::Binary(_)) => return Some((close_code::UNSUPPORTED, "messages are text frames")),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(Message::Close(_)) => return None,
            Err(error) => return Some(fault(&error.to_string())),
        }
    }
}

/// The close code for a broken rule. The library tells them apart in words only.
fn fault(error: &str) -> Goodbye {
    let error = error.to_ascii_lowercase();
    if error.contains("too long") || error.contains("too large") || error.contains("too big") {
        (close_code::SIZE, "the message is too large")
    } else if error.contains("utf-8") || error.contains("utf8") {
        (close_code::INVALID, "the message is not valid UTF-8")
    } else {
        (close_code::PROTOCOL, "the frame breaks the protocol")
    }
}

/// Writes messages, signs of life, and at last the farewell.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut messages: mpsc::Receiver<Outgoing>,
    mut farewells: mpsc::Receiver<Goodbye>,
    mut beats: mpsc::Receiver<()>,
) {
    loop {
        // What it counts against is given back when it is written.
        let (message, _permit) = tokio::select! {
            biased;
            message = messages.recv() => match message {
                Some(message) => {
                    let (text, permit) = message.into_parts();
                    (Message::Text(text.into()), permit)
                }
                None => break,
            },
            Some(()) = beats.recv() => (Message::Ping(Vec::new().into()), None),
        };
        if !matches!(tokio::time::timeout(STALL, sink.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    let frame = farewells.recv().await.map(|(code, reason)| CloseFrame { code, reason: reason.into() });
    let _ = tokio::time::timeout(Duration::from_secs(5), sink.send(Message::Close(frame))).await;
}
