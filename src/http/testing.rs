//! A small real server on loopback that counts what arrives and answers as a test says.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

use super::{Client, Lane, Options};
use crate::{clock, id::SeededEntropy};

/// What arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// Such as `GET /x?y=1 HTTP/1.1`.
    pub(crate) line: String,
    /// With lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Which connection it came on, counted from 0.
    pub(crate) connection: usize,
}

impl Arrived {
    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A whole answer; the connection stays open.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Bytes as they are, then the connection is closed.
    Raw(Vec<u8>),
    /// The connection is reset.
    Reset,
    /// No answer.
    Hang,
    /// Another reply, after a pause.
    Late(Duration, Box<Reply>),
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Reply::Whole(status, Vec::new(), Vec::new())
    }

    pub(crate) fn json(status: u16, body: &str) -> Self {
        let kind = ("content-type", "application/json".to_owned());
        Reply::Whole(status, vec![kind], body.as_bytes().to_vec())
    }

    pub(crate) fn with(self, name: &'static str, value: &str) -> Self {
        let Reply::Whole(status, mut headers, body) = self else {
            panic!("only whole answers have headers");
        };
        headers.push((name, value.to_owned()));
        Reply::Whole(status, headers, body)
    }
}

type Script = dyn Fn(usize, &Arrived) -> Reply + Send + Sync;

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts one that answers the `n`th request (from 0) with what `script` says.
    pub(crate) async fn start(script: impl Fn(usize, &Arrived) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(accept(listener, Arc::clone(&arrived), Arc::new(script)));
        Server { address, arrived, task }
    }

    /// Starts one that always answers the same.
    pub(crate) async fn always(reply: Reply) -> Self {
        Server::start(move |_, _| reply.clone()).await
    }

    /// Starts one that answers with each of `replies` in turn, and with the last one from then on.
    pub(crate) async fn turns(replies: Vec<Reply>) -> Self {
        Server::start(move |n, _| replies[n.min(replies.len() - 1)].clone()).await
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    pub(crate) fn lane(&self) -> Lane {
        Lane::new("vendor", self.url("/"))
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.arrived().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, arrived: Arc<Mutex<Vec<Arrived>>>, script: Arc<Script>) {
    // Dropped together with this task, so that a stopped server hangs up.
    let mut connections = tokio::task::JoinSet::new();
    for connection in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(serve(stream, connection, Arc::clone(&arrived), Arc::clone(&script)));
    }
}

async fn serve(mut stream: TcpStream, connection: usize, arrived: Arc<Mutex<Vec<Arrived>>>, script: Arc<Script>) {
    while let Some(request) = receive(&mut stream, connection).await {
        let number = {
            let mut arrived = arrived.lock().unwrap();
            arrived.push(request.clone());
            arrived.len() - 1
        };
        if !reply(&mut stream, script(number, &request)).await {
            return;
        }
    }
}

async fn reply(stream: &mut TcpStream, mut reply: Reply) -> bool {
    while let Reply::Late(pause, then) = reply {
        tokio::time::sleep(pause).await;
        reply = *then;
    }
    match reply {
        Reply::Whole(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} .\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head = format!("{head}{name}: {value}\r\n");
            }
            let sent = stream.write_all(&[format!("{head}\r\n").as_bytes(), &body].concat()).await;
            return sent.is_ok();
        }
        // The client may have hung up first; that is its business.
        Reply::Raw(bytes) => drop(stream.write_all(&bytes).await),
        Reply::Reset => stream.set_zero_linger().unwrap(),
        Reply::Hang => std::future::pending().await,
        Reply::Late(..) => unreachable!("the loop above unwraps it"),
    }
    false
}

async fn receive(stream: &mut TcpStream, connection: usize) -> Option<Arrived> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let mut request = Arrived { line, headers: lines.filter_map(pair).collect(), body: String::new(), connection };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

/// Bounds that suit tests: the pauses are short, and nothing waits for a human second.
pub(crate) fn options() -> Options {
    Options { pause: Duration::from_millis(1), ..Options::default() }
}

/// A client with [`options`].
pub(crate) fn client() -> Client {
    client_with(options())
}

pub(crate) fn client_with(options: Options) -> Client {
    Client::new(options, clock::system(), SeededEntropy::new(1)).unwrap()
}
