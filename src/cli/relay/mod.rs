//! Keeps one client served while the processes that own the data directory come and go.
//!
//! Lines pass untouched. The relay remembers only what the end of an owner would leave open: the ids of requests
//! that have no answer yet, and the handshake of a legacy client. The next owner is told the handshake again; the
//! requests are answered with an error and never repeated, because a tool may have done its work already.

use std::{
    collections::HashSet,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, split},
    sync::mpsc,
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    mcp::{
        cancelled_id,
        envelope::RequestId,
        message::{error_text, internal_error, too_long},
    },
    transport::stdio::{Lines, Next, Options},
};

/// How many requests may be without an answer; an owner runs and queues fewer.
const MOST_OPEN: usize = 2048;
/// How long the last answers may take when the client has said its last word.
const FAREWELL: Duration = Duration::from_secs(2);
/// The id under which a handshake is repeated.
const REPLAY: &str = "switchboard-replay";
/// What becomes of a request whose owner has ended.
const LOST: &str = "The switchboard process that worked on this has ended, and another one goes on. Nobody knows \
                    whether it was done: look before you repeat it.";
/// What becomes of a request too many.
const FULL: &str = "too many requests are without an answer: wait for answers";

/// Who ended the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client has said all that it had to say.
    Client,
    /// The owner is gone; the client wants to be served on.
    Owner,
}

/// One client, for as long as it stays.
#[derive(Debug)]
pub struct Relay<W> {
    from_client: mpsc::Receiver<FromClient>,
    to_client: tokio::sync::Mutex<W>,
    memory: Mutex<Memory>,
    _reading: AbortOnDropHandle<()>,
}

#[derive(Debug)]
enum FromClient {
    Line(Vec<u8>),
    TooLong,
}

impl<W: AsyncWrite + Unpin> Relay<W> {
    /// A client that speaks on `input` and listens on `output`.
    pub fn new(input: impl AsyncRead + Unpin + Send + 'static, output: W) -> Self {
        // Few, because each may be long, and a client that is not read from waits.
        let (sender, from_client) = mpsc::channel(4);
        let reading = AbortOnDropHandle::new(tokio::spawn(read(input, sender)));
        let (to_client, memory) = (tokio::sync::Mutex::new(output), Mutex::default());
        Relay { from_client, to_client, memory, _reading: reading }
    }

    /// Hands lines between the client and this owner until one of them ends.
    ///
    /// Fails when the client can no longer be written to.
    pub async fn through(&mut self, owner: impl AsyncRead + AsyncWrite) -> io::Result<Ended> {
        let (from_owner, to_owner) = split(owner);
        let (from_owner, to_owner) = (std::pin::pin!(from_owner), std::pin::pin!(to_owner));
        let (memory, to_client) = (&self.memory, &self.to_client);
        let forth = forth(&mut self.from_client, to_owner, memory, to_client);
        let mut back = std::pin::pin!(back(from_owner, memory, to_client));
        // Both at once: an owner that waits for its answers to be read takes no more requests.
        let ended = tokio::select! {
            heard = &mut back => heard.map(|()| Ended::Owner)?,
            passed = forth => {
                // What the owner says last still counts, whoever ended it.
                tokio::time::timeout(FAREWELL, back).await.unwrap_or(Ok(()))?;
                passed?
            }
        };
        let lost = locked(memory).lost();
        for id in lost {
            write(to_client, error_text(Some(&id), &internal_error(LOST)).as_bytes()).await?;
        }
        Ok(ended)
    }
}

async fn read(input: impl AsyncRead + Unpin, sender: mpsc::Sender<FromClient>) {
    let mut lines = Lines::new(input);
    loop {
        let message = match lines.next(Options::default().longest_line).await {
            Ok(Next::Line) => FromClient::Line(lines.content().to_vec()),
            Ok(Next::TooLong) => FromClient::TooLong,
            Ok(Next::End) | Err(_) => return,
        };
        if sender.send(message).await.is_err() {
            return;
        }
    }
}

/// Passes on what the client says, until that is all or the owner takes no more.
async fn forth<W: AsyncWrite + Unpin>(
    from_client: &mut mpsc::Receiver<FromClient>,
    mut to_owner: impl AsyncWrite + Unpin,
    memory: &Mutex<Memory>,
    to_client: &tokio::sync::Mutex<W>,
) -> io::Result<Ended> {
    let handshake = locked(memory).handshake();
    for line in handshake {
        if send(&mut to_owner, &line).await.is_err() {
            return Ok(Ended::Owner);
        }
    }
    while let Some(message) = from_client.recv().await {
        let FromClient::Line(line) = message else {
            let refusal = error_text(None, &too_long(Options::default().longest_line));
            write(to_client, refusal.as_bytes()).await?;
            continue;
        };
        let noted = locked(memory).note(&line);
        if let Err(refused) = noted {
            write(to_client, error_text(Some(&refused), &internal_error(FULL)).as_bytes()).await?;
        } else if send(&mut to_owner, &line).await.is_err() {
            return Ok(Ended::Owner);
        }
    }
    // An owner that is gone needs no goodbye.
    let _ = to_owner.shutdown().await;
    Ok(Ended::Client)
}

/// Passes on what the owner says, until it ends.
async fn back<W: AsyncWrite + Unpin>(
    from_owner: impl AsyncRead + Unpin,
    memory: &Mutex<Memory>,
    to_client: &tokio::sync::Mutex<W>,
) -> io::Result<()> {
    let mut lines = Lines::new(from_owner);
    loop {
        match lines.next(usize::MAX).await {
            Ok(Next::Line) => {
                let passes = locked(memory).settle(lines.content());
                if passes {
                    write(to_client, lines.content()).await?;
                }
            }
            Ok(Next::TooLong) => {}
            Ok(Next::End) | Err(_) => return Ok(()),
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(to_client: &tokio::sync::Mutex<W>, message: &[u8]) -> io::Result<()> {
    send(&mut *to_client.lock().await, message).await
}

async fn send(mut output: impl AsyncWrite + Unpin, message: &[u8]) -> io::Result<()> {
    output.write_all(message).await?;
    output.write_all(b"\n").await?;
    output.flush().await
}

fn locked(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the end of an owner would leave open.
#[derive(Debug, Default)]
struct Memory {
    open: HashSet<RequestId>,
    handshake: Option<Handshake>,
}

/// How a legacy client began.
#[derive(Debug)]
struct Handshake {
    id: RequestId,
    initialize: Vec<u8>,
    is_answered: bool,
    initialized: Option<Vec<u8>>,
}

/// What the relay reads of a message.
#[derive(Deserialize)]
struct Head<'a> {
    id: Option<RequestId>,
    #[serde(borrow)]
    method: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

impl Memory {
    /// Notes what the client says. An id that comes back is refused: too many are open already.
    fn note(&mut self, line: &[u8]) -> Result<(), RequestId> {
        // What does not read as a message is the owner's to refuse.
        let Ok(Head { id, method: Some(method), params }) = serde_json::from_slice(line) else { return Ok(()) };
        match (id, &*method) {
            (Some(id), _) if self.open.len() >= MOST_OPEN => return Err(id),
            (Some(id), method) => {
                self.open.insert(id.clone());
                if method == "initialize" {
                    let initialize = line.to_vec();
                    self.handshake = Some(Handshake { id, initialize, is_answered: false, initialized: None });
                }
            }
            (None, "notifications/initialized") => {
                if let Some(handshake) = &mut self.handshake {
                    handshake.initialized = Some(line.to_vec());
                }
            }
            // Nobody answers a request that was cancelled.
            (None, "notifications/cancelled") => {
                if let Some(id) = cancelled_id(params) {
                    self.open.remove(&id);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes what the owner says. Returns whether the client is to read it: not what a dying owner left unfinished,
    /// and not the answer to a handshake that the client believes to be over.
    fn settle(&mut self, line: &[u8]) -> bool {
        let Ok(head) = serde_json::from_slice::<Head<'_>>(line) else { return false };
        let (Some(id), None) = (head.id, head.method) else { return true };
        if id == RequestId::text(REPLAY) {
            return false;
        }
        self.open.remove(&id);
        if let Some(handshake) = self.handshake.as_mut().filter(|handshake| handshake.id == id) {
            handshake.is_answered = true;
        }
        true
    }

    /// The requests that nobody works on any more. A handshake is none of them: the next owner answers it.
    fn lost(&mut self) -> Vec<RequestId> {
        let open = std::mem::take(&mut self.open);
        let begun = self.handshake.as_ref().filter(|handshake| !handshake.is_answered).map(|handshake| &handshake.id);
        let (kept, lost) = open.into_iter().partition(|id| Some(id) == begun);
        self.open = kept;
        lost.into_iter().collect()
    }

    /// What the next owner has to hear before anything else.
    fn handshake(&self) -> Vec<Vec<u8>> {
        let Some(handshake) = &self.handshake else { return Vec::new() };
        let first = if handshake.is_answered {
            renamed(&handshake.initialize)
        } else if self.open.contains(&handshake.id) {
            Some(handshake.initialize.clone())
        } else {
            None
        };
        first.into_iter().chain(handshake.initialized.clone()).collect()
    }
}

/// The same request under the id of a replay.
fn renamed(request: &[u8]) -> Option<Vec<u8>> {
    let mut request: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(request).ok()?;
    request.insert("id".into(), REPLAY.into());
    serde_json::to_vec(&request).ok()
}

#[cfg(test)]
mod tests;
