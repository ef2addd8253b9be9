//! Takes visitors on the owner's socket: other processes' clients, and orders of commands.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    house::{self, House},
    order::Failure,
    owner::{self, Ownership, Wants},
    perform::Office,
    relay::{DRAIN, LEAVING},
    session::{self, Answer},
};
use crate::{
    hub::{Caller, Deferred, Hub},
    mcp::Server,
    transport::stdio,
};

/// How long a visitor may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many visitors may be there at once. All of them are processes of the same user.
const MOST: usize = 512;
/// How long visitors may take to finish when the process ends; a little more than a pipe gives its calls.
const GRACE: Duration = Duration::from_millis(950);

/// Takes visitors.
#[derive(Clone, Debug)]
pub struct Reception {
    /// The door.
    pub hub: Hub,
    /// The protocol.
    pub server: Server,
    /// Everything behind the door.
    pub house: Deferred<House>,
    /// Where this process takes what vendors send back, when it does.
    pub redirect: Option<String>,
    /// Is cancelled when another process asks to be the owner; `None` in a process that stays it.
    pub leaving: Option<CancellationToken>,
}

impl Reception {
    /// Takes visitors until `closing`; those who are there then may finish, within reason.
    pub async fn run(self, listener: UnixListener, ownership: Arc<Ownership>, closing: CancellationToken) {
        let visits = TaskTracker::new();
        closing.run_until_cancelled(self.clone().welcome(listener, ownership, &visits)).await;
        visits.close();
        let is_leaving = self.leaving.as_ref().is_some_and(CancellationToken::is_cancelled);
        let grace = if is_leaving { DRAIN + GRACE } else { GRACE };
        let _ = tokio::time::timeout(grace, visits.wait()).await;
    }

    async fn welcome(self, listener: UnixListener, ownership: Arc<Ownership>, visits: &TaskTracker) {
        let Ok(user) = ownership.user() else { return };
        loop {
            match listener.accept().await {
                // The visitor finds the connection closed, and tries again.
                Ok(_) if visits.len() >= MOST => tracing::warn!("too many processes use this data directory at once"),
                Ok((stream, _)) => {
                    let reception = self.clone();
                    visits.spawn(async move {
                        if let Err(error) = reception.receive(user, stream).await {
                            tracing::debug!(%error, "a visitor left early");
                        }
                    });
                }
                // Too many open files, most likely: others may leave meanwhile.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn receive(self, user: u32, stream: UnixStream) -> io::Result<()> {
        let (hello, reader) = tokio::time::timeout(PATIENCE, owner::receive(user, stream)).await??;
        match hello.wants {
            Wants::Pipe(filters) => self.serve(house::local_caller(filters, "stdio"), reader).await,
            Wants::AgentPipe { agent, filters } => {
                self.serve(house::agent_caller(Some(agent), filters, "stdio"), reader).await
            }
            Wants::HandOver => {
                let answer = match &self.leaving {
                    Some(leaving) => {
                        leaving.cancel();
                        Answer::Done(serde_json::Value::Null)
                    }
                    None => Answer::Failed(Failure::new("It has work of its own to do.")),
                };
                say(reader, &answer).await
            }
            Wants::Order(order) => match self.house.get().await {
                Ok(house) => {
                    let office = Office { house: &house, hub: &self.hub, redirect: self.redirect.as_deref() };
                    session::answer(office, &order, reader).await
                }
                Err(why) => refuse(reader, &why).await,
            },
        }
    }
}

impl Reception {
    /// Serves a visitor's client, and says so before this process leaves.
    async fn serve(self, caller: Caller, pipe: BufReader<UnixStream>) -> io::Result<()> {
        let (input, output) = tokio::io::split(pipe);
        let leaving = self.leaving;
        let word = async move {
            match leaving {
                Some(leaving) => leaving.cancelled().await,
                None => std::future::pending().await,
            }
            LEAVING.to_owned()
        };
        stdio::serve_saying(self.server, caller, input, output, stdio::Options::default(), word).await
    }
}

async fn refuse(out: impl tokio::io::AsyncWrite + Unpin, why: &str) -> io::Result<()> {
    say(out, &Answer::Failed(Failure::new(why))).await
}

async fn say(mut out: impl tokio::io::AsyncWrite + Unpin, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    out.write_all(&line).await?;
    out.shutdown().await
}
