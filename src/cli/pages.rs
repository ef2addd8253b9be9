//! Where browsers find this process: at the address that it serves anyhow, or at a listener on loopback that is opened
//! when somebody is sent there and closed when nobody can come any more.

use std::{sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    task::JoinHandle,
    time::Instant,
};

use super::{commands::serve::DEFAULT_LISTEN, house};
use crate::{
    api::{self, Api},
    console::{self, Console, Visitors},
    hub::{Hub, Pages},
    id,
    tool::Boxed,
    transport::{Hosts, guard, listen, proxy},
};

/// How long the listener stays after somebody was sent there: as long as the link counts, and then the sign-in.
const LINGER: Duration = Duration::from_mins(20);
/// How long open requests may go on when the process ends.
const GRACE: Duration = Duration::from_millis(300);

/// The address that the process serves anyhow.
#[derive(Debug)]
pub struct Fixed(pub String);

impl Pages for Fixed {
    fn origin(&self, _hub: Hub) -> Boxed<'_, Option<String>> {
        Box::pin(std::future::ready(Some(self.0.clone())))
    }
}

/// A listener on loopback, opened on demand: for the one person of this machine.
#[derive(Debug, Default)]
pub struct OnDemand(Mutex<Option<Listening>>);

#[derive(Debug)]
struct Listening {
    origin: String,
    until: watch::Sender<Instant>,
    task: JoinHandle<()>,
}

impl OnDemand {
    /// Closes the listener; it holds what is behind its pages.
    pub async fn close(&self) {
        if let Some(Listening { until, task, .. }) = self.0.lock().await.take() {
            drop(until);
            // It is bounded, and how it ends changes nothing any more.
            let _ = task.await;
        }
    }
}

impl Pages for OnDemand {
    fn origin(&self, hub: Hub) -> Boxed<'_, Option<String>> {
        Box::pin(async move {
            let mut open = self.0.lock().await;
            if let Some(listening) = open.as_ref().filter(|listening| !listening.task.is_finished()) {
                listening.until.send_replace(Instant::now() + LINGER);
                return Some(listening.origin.clone());
            }
            let listening = Listening::start(&hub).await?;
            let origin = listening.origin.clone();
            *open = Some(listening);
            Some(origin)
        })
    }
}

impl Listening {
    async fn start(hub: &Hub) -> Option<Listening> {
        let listener = listener().await.inspect_err(|error| tracing::warn!(%error, "no page can be served")).ok()?;
        let origin = format!("http://localhost:{}", listener.local_addr().ok()?.port());
        let api = Api::new(hub.clone(), origin.parse().ok()?, id::os());
        let console = Console::new(api.clone(), Visitors::Everybody(house::local_principal()));
        let hosts = Arc::new(Hosts::default().only_own_pages());
        let router = proxy::only_direct(guard::protect(console::links(console).merge(api::callback(api)), hosts));
        let (until, deadline) = watch::channel(Instant::now() + LINGER);
        let limits = listen::Limits { grace: GRACE, ..listen::Limits::default() };
        let task = tokio::spawn(async move {
            if let Err(error) = listen::serve(listener, router, limits, past(deadline)).await {
                tracing::warn!(%error, "the pages are not served any more");
            }
        });
        Some(Listening { origin, until, task })
    }
}

/// Where `serve` would listen. When that is taken, any free port has to do: vendors such as Google allow every port of
/// loopback, others only the registered one.
pub async fn listener() -> std::io::Result<TcpListener> {
    match TcpListener::bind(DEFAULT_LISTEN).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind("127.0.0.1:0").await,
    }
}

/// Waits for a deadline that may move, or until nobody moves it any more.
async fn past(mut deadline: watch::Receiver<Instant>) {
    loop {
        let until = *deadline.borrow_and_update();
        tokio::select! {
            () = tokio::time::sleep_until(until) => return,
            moved = deadline.changed() => if moved.is_err() { return },
        }
    }
}
