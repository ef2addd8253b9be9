//! The exchange under test, on a port of its own, behind the same door as in the program. Tests hold the lines.
#![allow(dead_code, reason = "each user has a part of it")]

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Extension, Router};
use futures_util::future::BoxFuture;
use switchboard::{
    agents::Principal,
    api::Problem,
    hub::Caller,
    id,
    transport::{Access, Options, rest},
    voice::{
        line::{Event, Line},
        peer::Settings,
        rtvi::Said,
        signalling::{self, Answering, Signalling, StartRequest},
    },
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    time::timeout,
};

use crate::caller::LIMIT;

/// An exchange.
pub struct Exchange {
    /// Where it is.
    pub url: String,
    /// The exchange itself.
    pub signalling: Signalling,
    begun: Mutex<mpsc::UnboundedReceiver<Conversation>>,
}

/// A conversation that has begun, with nobody in it but the test.
#[derive(Debug)]
pub struct Conversation {
    /// Who calls.
    pub caller: Principal,
    /// What they asked for.
    pub request: StartRequest,
    /// The line.
    pub line: Line,
}

#[derive(Debug)]
struct Desk(mpsc::UnboundedSender<Conversation>);

impl Answering for Desk {
    fn admits<'a>(&'a self, _: &'a Principal, _: &'a StartRequest) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(async { Ok(()) })
    }

    fn begin(&self, caller: Principal, request: StartRequest, line: Line) {
        let _ = self.0.send(Conversation { caller, request, line });
    }
}

impl Exchange {
    /// An exchange on loopback.
    pub async fn open() -> Exchange {
        Self::with(|_| {}).await
    }

    /// An exchange with other settings.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Exchange {
        let (desk, begun) = mpsc::unbounded_channel();
        let mut settings = Settings::beside(IpAddr::from([127, 0, 0, 1]));
        change(&mut settings);
        let signalling = Signalling::new(Arc::new(Desk(desk)), settings, id::os());
        let router =
            rest::require(signalling::router(signalling.clone()), Options::new(Access::Open(Principal::local())));
        Exchange { url: serve(router).await, signalling, begun: Mutex::new(begun) }
    }

    /// Another door of the same exchange, for somebody else.
    pub async fn door_for(&self, principal: Principal) -> String {
        let caller = Caller { address: Some(IpAddr::from([127, 0, 0, 1])), ..Caller::new(principal) };
        serve(signalling::router(self.signalling.clone()).layer(Extension(caller))).await
    }

    /// The next conversation that begins.
    pub async fn next(&self) -> Conversation {
        let mut begun = self.begun.lock().await;
        timeout(LIMIT, begun.recv()).await.expect("a conversation begins").unwrap()
    }

    /// The next conversation that begins, whenever that is.
    pub async fn arrives(&self) -> Conversation {
        self.begun.lock().await.recv().await.expect("the exchange stands")
    }

    /// Whether another one has begun.
    pub async fn has_another(&self) -> bool {
        self.begun.lock().await.try_recv().is_ok()
    }

    /// Waits until there are so many calls, at most so long.
    pub async fn has_calls(&self, count: usize, limit: Duration) {
        let wait = async {
            while self.signalling.calls() != count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = timeout(limit, wait).await;
        assert!(waited.is_ok(), "{} calls after {limit:?}, not {count}", self.signalling.calls());
    }
}

impl Conversation {
    /// The next thing that is no sound and no round trip. `None` when the line is cut.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match timeout(LIMIT, self.line.events.recv()).await.expect("something happens") {
                Some(Event::Sound(_) | Event::RoundTrip(_)) => {}
                other => return other,
            }
        }
    }

    /// Listens while somebody speaks, until there was silence for a second after it. Gives what was heard, with all
    /// else that happened.
    pub async fn hear_out(&mut self, speaking: impl Future<Output = ()>) -> (Vec<i16>, Vec<Event>) {
        let (mut heard, mut events) = (vec![], vec![]);
        let (mut has_spoken, mut silent) = (false, 0);
        let mut speaking = std::pin::pin!(speaking);
        let listening = async {
            while !has_spoken || silent < 50 {
                tokio::select! {
                    () = &mut speaking, if !has_spoken => (has_spoken, silent) = (true, 0),
                    event = self.line.events.recv() => match event.expect("the line holds") {
                        Event::Sound(samples) => {
                            assert_eq!(samples.len(), 320);
                            silent = if is_audible(&samples) { 0 } else { silent + 1 };
                            heard.extend(samples);
                        }
                        other => events.push(other),
                    },
                }
            }
        };
        timeout(LIMIT, listening).await.expect("it is heard to its end");
        (heard, events)
    }

    /// Waits until something is heard: so much sound that is none of it silence.
    pub async fn hears(&mut self) {
        let hearing = async {
            loop {
                match self.line.events.recv().await.expect("the line holds") {
                    Event::Sound(samples) if is_audible(&samples) => return,
                    _ => {}
                }
            }
        };
        timeout(LIMIT, hearing).await.expect("something is heard");
    }

    /// Says samples at 24 kHz.
    pub fn say(&self, text: &str, samples: &[i16]) {
        let mut mouth = self.line.player.mouth();
        mouth.begin(text);
        mouth.add(samples);
        mouth.end();
        drop(mouth);
        self.line.player.wake();
    }

    /// Waits for the text that somebody types.
    pub async fn typed(&mut self) -> String {
        loop {
            if let Event::Said(Said::Text { content, .. }) = self.next().await.expect("the line holds") {
                return content;
            }
        }
    }

    /// Waits until the line is cut.
    pub async fn is_over(&mut self) {
        while self.next().await.is_some() {}
    }
}

fn is_audible(samples: &[i16]) -> bool {
    samples.iter().any(|sample| sample.unsigned_abs() > 300)
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // As the program's listener does.
    let router = router.layer(Extension(SocketAddr::from(([127, 0, 0, 1], 9))));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}
