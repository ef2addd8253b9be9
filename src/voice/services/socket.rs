//! Sockets (RFC 6455) to services that listen or speak as a stream.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        error::ProtocolError,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};
use url::Url;

use super::{Trouble, endpoint::Endpoint};

/// The largest message that is read: half a minute of sound, in text.
const LARGEST: usize = 4 * 1024 * 1024;

/// An open socket, with the service that it leads to.
pub(super) struct Socket<'a> {
    endpoint: &'a Endpoint,
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl<'a> Socket<'a> {
    /// Opens a socket, within the patience for a first sign.
    pub async fn open(endpoint: &'a Endpoint, url: &Url) -> Result<Self, Trouble> {
        let mut request = url.as_str().into_client_request().map_err(|_| endpoint.refuses("its address is none"))?;
        request.headers_mut().extend(endpoint.credential());
        let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
        let opening = connect_async_with_config(request, Some(config), true);
        match timeout(endpoint.patience.first, opening).await {
            Ok(Ok((stream, _))) => Ok(Socket { endpoint, stream }),
            Ok(Err(error)) => Err(trouble(endpoint, error)),
            Err(_) => Err(endpoint.slow()),
        }
    }

    /// Sends JSON.
    pub async fn tell(&mut self, message: &Value) -> Result<(), Trouble> {
        self.send(Message::text(message.to_string())).await
    }

    /// Sends bytes.
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<(), Trouble> {
        self.send(Message::binary(bytes)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Trouble> {
        // A peer that reads nothing fills the buffers, and then sending takes for ever.
        let sending = timeout(self.endpoint.patience.between, self.stream.send(message)).await;
        sending.map_err(|_| self.endpoint.slow())?.map_err(|error| trouble(self.endpoint, error))
    }

    /// The next JSON, or `None` when the service has closed in good order. May be dropped while it waits.
    pub async fn next(&mut self) -> Result<Option<Value>, Trouble> {
        loop {
            let message = match self.stream.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Err(trouble(self.endpoint, error)),
                None => return Err(self.endpoint.away()),
            };
            match message {
                Message::Text(text) => {
                    let json = serde_json::from_str(&text).map_err(|_| self.endpoint.rubbish())?;
                    return Ok(Some(json));
                }
                Message::Close(frame) => return self.closed(frame.as_ref()),
                Message::Binary(_) => return Err(self.endpoint.rubbish()),
                // Pings are answered underneath.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// The next JSON within a time.
    pub async fn next_within(&mut self, time: Duration) -> Result<Option<Value>, Trouble> {
        timeout(time, self.next()).await.unwrap_or_else(|_| Err(self.endpoint.slow()))
    }

    fn closed(&self, frame: Option<&CloseFrame>) -> Result<Option<Value>, Trouble> {
        match frame.map(|frame| (frame.code, frame.reason.as_str())) {
            None | Some((CloseCode::Normal | CloseCode::Away, _)) => Ok(None),
            // What a request was closed for will not be better at the next try.
            Some((CloseCode::Policy | CloseCode::Invalid | CloseCode::Unsupported, reason)) => {
                Err(self.endpoint.refuses(reason))
            }
            Some(_) => Err(self.endpoint.away()),
        }
    }

    /// Says goodbye without waiting for an answer.
    pub async fn close(mut self) {
        let _ = timeout(Duration::from_secs(1), self.stream.close(None)).await;
    }
}

fn trouble(endpoint: &Endpoint, error: Error) -> Trouble {
    match error {
        Error::Http(answer) => {
            let body = answer.body().as_deref().unwrap_or_default();
            endpoint.refused(answer.status(), &super::endpoint::reason_in(body))
        }
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => {
            endpoint.away()
        }
        Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_) => endpoint.rubbish(),
        Error::Url(_) | Error::HttpFormat(_) => endpoint.refuses("its address is none"),
        _ => endpoint.away(),
    }
}

/// The address of a socket: `wss` for `https`, and a path when there is none.
pub(super) fn socket_url(base: &str, usual_path: &str) -> Option<Url> {
    let base = base.replacen("http", "ws", usize::from(base.starts_with("http")));
    let mut url: Url = base.parse().ok()?;
    if matches!(url.path(), "" | "/") {
        url.set_path(usual_path);
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_those_of_sockets() {
        let of = |base: &str| socket_url(base, "/v1/listen").unwrap().to_string();
        assert_eq!(of("https://api.deepgram.com"), "wss://api.deepgram.com/v1/listen");
        assert_eq!(of("http://127.0.0.1:9/x"), "ws://127.0.0.1:9/x");
        assert_eq!(of("wss://api.deepgram.com/v1/listen?tag=a"), "wss://api.deepgram.com/v1/listen?tag=a");
    }
}
