//! Keeps one client served while the processes that own the data directory come and go.
//!
//! Lines pass untouched. The relay remembers only what the end of an owner would leave open: the ids of requests
//! that have no answer yet, the handshake of a legacy client, and subscriptions. The next owner is told handshake and
//! subscriptions again; the requests are answered with an error and never repeated, because a tool may have done its
//! work already. An owner that leaves of its own will says so first: then new requests wait until those under way have
//! their answers, and the client does not notice.

mod memory;

use std::{
    collections::VecDeque,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, split},
    sync::{Notify, mpsc},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use self::memory::{Memory, is_request};
use crate::{
    mcp::message::{error_text, internal_error, too_long},
    transport::stdio::{Lines, Next, Options},
};

/// What an owner says to its visitors before it leaves; no client gets to see it.
pub const LEAVING: &str = r#"{"jsonrpc":"2.0","method":"notifications/switchboard/leaving"}"#;
/// How long the requests under way may take when an owner is about to leave.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How many requests may wait meanwhile, beside those that the client has to keep to itself.
const MOST_HELD: usize = 64;
/// How many bytes they may have; beyond that the client waits.
const HELD_BYTES: usize = 16 << 20;

/// How long the last answers may take when the client has said its last word.
const FAREWELL: Duration = Duration::from_secs(2);
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
    /// Tells of each answer.
    settled: Notify,
    /// What the client asked for while an owner was leaving.
    held: VecDeque<Vec<u8>>,
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
        let (settled, held) = (Notify::new(), VecDeque::new());
        Relay { from_client, to_client, memory, settled, held, _reading: reading }
    }

    /// Hands lines between the client and this owner until one of them ends. Whoever makes an owner leave cancels
    /// `leaving` before; one that is elsewhere says so itself.
    ///
    /// Fails when the client can no longer be written to.
    pub async fn through(
        &mut self,
        owner: impl AsyncRead + AsyncWrite,
        leaving: &CancellationToken,
    ) -> io::Result<Ended> {
        let (from_owner, to_owner) = split(owner);
        let (from_owner, to_owner) = (std::pin::pin!(from_owner), std::pin::pin!(to_owner));
        let leaving = leaving.child_token();
        let between =
            Between { memory: &self.memory, settled: &self.settled, to_client: &self.to_client, leaving: &leaving };
        let forth = between.forth(&mut self.from_client, &mut self.held, to_owner);
        let mut back = std::pin::pin!(between.back(from_owner));
        // Both at once: an owner that waits for its answers to be read takes no more requests.
        let ended = tokio::select! {
            heard = &mut back => heard.map(|()| Ended::Owner)?,
            passed = forth => {
                // What the owner says last still counts, whoever ended it.
                timeout(FAREWELL, back).await.unwrap_or(Ok(()))?;
                passed?
            }
        };
        let lost = between.memory().lost();
        for id in lost {
            between.write(error_text(Some(&id), &internal_error(LOST)).as_bytes()).await?;
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

/// What both directions of one conversation share.
struct Between<'a, W> {
    memory: &'a Mutex<Memory>,
    settled: &'a Notify,
    to_client: &'a tokio::sync::Mutex<W>,
    leaving: &'a CancellationToken,
}

impl<W: AsyncWrite + Unpin> Between<'_, W> {
    /// Passes on what the client says, until that is all, the owner takes no more, or it leaves and is done.
    async fn forth(
        &self,
        from_client: &mut mpsc::Receiver<FromClient>,
        held: &mut VecDeque<Vec<u8>>,
        mut to_owner: impl AsyncWrite + Unpin,
    ) -> io::Result<Ended> {
        let first = self.memory().handshake();
        for line in first {
            if send(&mut to_owner, &line).await.is_err() {
                return Ok(Ended::Owner);
            }
        }
        while let Some(line) = held.pop_front() {
            if !self.pass(&line, &mut to_owner).await? {
                return Ok(Ended::Owner);
            }
        }
        let mut drained = std::pin::pin!(self.drained());
        loop {
            let message = tokio::select! {
                biased;
                () = &mut drained => break,
                message = from_client.recv(), if held.len() < MOST_HELD && bytes_of(held) < HELD_BYTES => message,
            };
            match message {
                None => break,
                Some(FromClient::TooLong) => {
                    let refusal = error_text(None, &too_long(Options::default().longest_line));
                    self.write(refusal.as_bytes()).await?;
                }
                Some(FromClient::Line(line)) if self.leaving.is_cancelled() && is_request(&line) => {
                    held.push_back(line);
                }
                Some(FromClient::Line(line)) => {
                    if !self.pass(&line, &mut to_owner).await? {
                        return Ok(Ended::Owner);
                    }
                }
            }
        }
        // An owner that is gone needs no goodbye.
        let _ = to_owner.shutdown().await;
        Ok(if self.leaving.is_cancelled() { Ended::Owner } else { Ended::Client })
    }

    /// Gives a line to the owner; `false` when it takes no more.
    async fn pass(&self, line: &[u8], to_owner: &mut (impl AsyncWrite + Unpin)) -> io::Result<bool> {
        let noted = self.memory().note(line);
        if let Err(refused) = noted {
            self.write(error_text(Some(&refused), &internal_error(FULL)).as_bytes()).await?;
            return Ok(true);
        }
        Ok(send(to_owner, line).await.is_ok())
    }

    /// Waits until the owner is leaving and nothing is under way any more, or that takes too long.
    async fn drained(&self) {
        self.leaving.cancelled().await;
        let mut too_long = std::pin::pin!(sleep(DRAIN));
        while self.memory().is_busy() {
            tokio::select! {
                () = self.settled.notified() => {}
                () = &mut too_long => return,
            }
        }
    }

    /// Passes on what the owner says, until it ends.
    async fn back(&self, from_owner: impl AsyncRead + Unpin) -> io::Result<()> {
        let mut lines = Lines::new(from_owner);
        loop {
            match lines.next(usize::MAX).await {
                Ok(Next::Line) if lines.content() == LEAVING.as_bytes() => self.leaving.cancel(),
                Ok(Next::Line) => {
                    let passes = self.memory().settle(lines.content(), self.leaving.is_cancelled());
                    if passes {
                        self.write(lines.content()).await?;
                    }
                    self.settled.notify_one();
                }
                Ok(Next::TooLong) => {}
                Ok(Next::End) | Err(_) => return Ok(()),
            }
        }
    }

    async fn write(&self, message: &[u8]) -> io::Result<()> {
        send(&mut *self.to_client.lock().await, message).await
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes_of(held: &VecDeque<Vec<u8>>) -> usize {
    held.iter().map(Vec::len).sum()
}

async fn send(mut output: impl AsyncWrite + Unpin, message: &[u8]) -> io::Result<()> {
    output.write_all(message).await?;
    output.write_all(b"\n").await?;
    output.flush().await
}

#[cfg(test)]
mod tests;
