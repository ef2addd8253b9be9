//! Connections for answers that come piece by piece: the words of a model, the sound of a voice.
//!
//! [`Client`](super::Client) reads whole answers, repeats requests and lets vendors rest. A live conversation wants
//! none of that: it wants a warm connection, the first byte at once, and to know how long it has waited. Its deadlines
//! are its own, and dropping an answer closes the connection.

use std::{sync::Arc, time::Duration};

use url::Url;

use super::{
    Error, HeaderMap, Result, StatusCode,
    client::{broken, choose_cryptography, classify, innermost},
    guard::{self, Reach},
    header::CONTENT_TYPE,
};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a connection without work is kept: people pause between two sentences, and a new handshake is heard.
const IDLE: Duration = Duration::from_secs(90);

/// A client for live services. Clones share connections.
#[derive(Clone, Debug)]
pub struct Live(reqwest::Client);

impl Live {
    /// A client without connections.
    pub fn new() -> Result<Self> {
        choose_cryptography();
        let built = reqwest::Client::builder()
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // The operator names these services; `localhost` stays this machine all the same.
            .dns_resolver(Arc::new(Reach::Anywhere))
            .no_proxy()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(30))
            .http2_keep_alive_interval(Duration::from_secs(20))
            .build();
        let unreachable = |error| Error::Unreachable {
            why: format!("no secure connections on this machine ({})", innermost(&error)),
        };
        built.map(Live).map_err(unreachable)
    }

    /// The connections themselves, for a library that speaks a service's protocol.
    pub fn connections(&self) -> reqwest::Client {
        self.0.clone()
    }

    /// Sends JSON and comes back with the head of the answer. Its body follows piece by piece.
    pub async fn post(&self, url: &Url, headers: HeaderMap, json: Vec<u8>) -> Result<Answer> {
        let request = self.0.post(url.clone()).headers(headers).header(CONTENT_TYPE, "application/json").body(json);
        request.send().await.map(Answer).map_err(|error| classify(&error))
    }

    /// Asks for something small only so that a connection is there when it is needed.
    pub async fn knock(&self, url: &Url, headers: HeaderMap) {
        let Ok(answer) = self.0.get(url.clone()).headers(headers).send().await else { return };
        let mut answer = Answer(answer);
        // A connection is kept when its answer was read to the end; one that goes on and on is not worth keeping.
        let mut read = 0;
        while let Ok(Some(piece)) = answer.next().await {
            read += piece.len();
            if read > 256 * 1024 {
                return;
            }
        }
    }
}

/// An answer whose body is still coming.
#[derive(Debug)]
pub struct Answer(reqwest::Response);

impl Answer {
    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// The next piece of the body, or `None` at its end. A body that is cut is an error.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let piece = self.0.chunk().await.map_err(|error| broken(&error))?;
        Ok(piece.map(|bytes| bytes.to_vec()))
    }

    /// The beginning of the body as text, for the reason of a refusal.
    pub async fn beginning(mut self, most: usize) -> String {
        let mut read = Vec::new();
        while let Ok(Some(piece)) = self.next().await {
            read.extend(piece);
            if read.len() >= most {
                break;
            }
        }
        read.truncate(most);
        String::from_utf8_lossy(&read).into_owned()
    }
}

/// Whether a service may be at this address: `https` or `wss`, and on this machine `http` or `ws`.
pub fn may_be_at(base: &Url) -> Result<()> {
    // A socket keeps to the rule of the web.
    let web = base.as_str().strip_prefix("ws").map(|rest| format!("http{rest}").parse());
    let web = web.transpose().map_err(|_| Error::BadRequest("its address is none".to_owned()))?;
    guard::check(web.as_ref().unwrap_or(base), true).map(drop).map_err(Error::Refused)
}
