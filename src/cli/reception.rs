//! Takes visitors on the owner's socket: other processes' clients, and orders of commands.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::AsyncWriteExt,
    net::{UnixListener, UnixStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    house::{self, House},
    order::Failure,
    owner::{self, Ownership, Wants},
    perform::Office,
    session::{self, Answer},
};
use crate::{
    hub::{Deferred, Hub},
    mcp::Server,
    transport::stdio,
};

/// How long a visitor may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
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
}

impl Reception {
    /// Takes visitors until `closing`; those who are there then may finish, within reason.
    pub async fn run(self, listener: UnixListener, ownership: Arc<Ownership>, closing: CancellationToken) {
        let visits = TaskTracker::new();
        closing.run_until_cancelled(self.welcome(listener, ownership, &visits)).await;
        visits.close();
        let _ = tokio::time::timeout(GRACE, visits.wait()).await;
    }

    async fn welcome(&self, listener: UnixListener, ownership: Arc<Ownership>, visits: &TaskTracker) {
        let Ok(user) = ownership.user() else { return };
        loop {
            match listener.accept().await {
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
            Wants::Pipe(filters) => {
                let (input, output) = tokio::io::split(reader);
                let caller = house::local_caller(filters, "stdio");
                stdio::serve_on(self.server, caller, input, output, stdio::Options::default()).await
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

async fn refuse(mut out: impl tokio::io::AsyncWrite + Unpin, why: &str) -> io::Result<()> {
    let mut line = serde_json::to_vec(&Answer::Failed(Failure::new(why)))?;
    line.push(b'\n');
    out.write_all(&line).await?;
    out.shutdown().await
}
