//! A command's way to whoever carries out its orders: this process, or the one that owns the data directory.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    house::{self, Home, House},
    options::Place,
    order::{Failure, Order},
    owner::{Claim, Link, Ownership, Wants},
    perform::Office,
    reception::Reception,
    show,
    storage::Storage,
};
use crate::{config::Settings, hub::Deferred, hub::Hub};

/// A command's way to whoever carries out its orders.
#[derive(Debug)]
pub struct Session {
    /// Where everything is.
    pub home: Home,
    /// What was set.
    pub settings: Settings,
    storage: Storage,
    place: Where,
}

#[derive(Debug)]
enum Where {
    Here(Box<Here>),
    /// The first link; each further order takes a new one.
    Elsewhere(Option<Link>),
}

#[derive(Debug)]
struct Here {
    house: Arc<House>,
    hub: Hub,
    reception: Reception,
    ownership: Arc<Ownership>,
    visits: Option<Visits>,
}

/// Visitors who come while a command owns the data directory.
#[derive(Debug)]
struct Visits {
    closing: CancellationToken,
    receiving: JoinHandle<()>,
}

/// How long a visitor may take to read the answer to its order.
const TAKEN_WITHIN: Duration = Duration::from_mins(1);

/// What the owner writes back: one line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done(Value),
    /// It is not.
    Failed(Failure),
}

impl Session {
    /// Finds the owner of the data directory, or becomes it for the length of a command.
    pub async fn open(place: &Place) -> Result<Session, Failure> {
        let home = Home::of(place).map_err(Failure::of)?;
        let settings = home.settings().map_err(Failure::of)?.with_store(place.store.clone());
        let storage = Storage::of(&home, &settings)?;
        let place = match storage.claim(&home).await? {
            Claim::Running(link) => Where::Elsewhere(Some(link)),
            Claim::Mine(ownership) => {
                let ownership = Arc::new(ownership);
                let opening = House::open(&home, &settings, ownership.clone());
                let house = show::waiting("opening", opening).await?;
                Where::Here(Box::new(Here::of(house, ownership).await?))
            }
        };
        Ok(Session { home, settings, storage, place })
    }

    /// Whether another process carries out the orders.
    pub fn is_elsewhere(&self) -> bool {
        matches!(self.place, Where::Elsewhere(_))
    }

    /// Lets other processes in while this one owns the data directory: for commands that wait for a person. Short
    /// commands leave others waiting instead, because whoever is let in is cut off when the command ends.
    pub fn welcome(&mut self) -> Result<(), Failure> {
        let Where::Here(here) = &mut self.place else { return Ok(()) };
        let listener = here.ownership.listen().map_err(Failure::of)?;
        let closing = CancellationToken::new();
        let receiving = here.reception.clone().run(listener, here.ownership.clone(), closing.clone());
        here.visits = Some(Visits { closing, receiving: tokio::spawn(receiving) });
        Ok(())
    }

    /// Gives an order and reads the answer.
    pub async fn ask<T: DeserializeOwned>(&mut self, what: &str, order: Order) -> Result<T, Failure> {
        let answer = match &mut self.place {
            Where::Here(here) => {
                let office = Office { house: &here.house, hub: &here.hub, redirect: None };
                show::waiting(what, Box::pin(office.perform(order))).await?
            }
            Where::Elsewhere(link) => {
                let link = link.take();
                let Session { storage, home, .. } = &*self;
                show::waiting(what, Box::pin(send(storage, home, link, &order))).await?
            }
        };
        serde_json::from_value(answer).map_err(|error| {
            Failure::new(format!("The answer of the running process cannot be read: {error}."))
                .next("Is it another version? Restart it.")
        })
    }

    /// Finishes what must not be lost.
    pub async fn close(self) {
        if let Where::Here(here) = self.place {
            if let Some(visits) = here.visits {
                visits.closing.cancel();
                here.reception.server.close();
                // It is bounded, and how it ends changes nothing any more.
                let _ = visits.receiving.await;
            }
            here.house.close().await;
        }
    }
}

impl Here {
    async fn of(house: House, ownership: Arc<Ownership>) -> Result<Here, Failure> {
        let deferred = Deferred::ready(house);
        let house = deferred.get().await.map_err(Failure::of)?;
        let hub = house::hub(Deferred::ready(house.desk.clone()), house.clock.clone());
        let server = house::server(&hub);
        let reception = Reception { hub: hub.clone(), server, house: deferred, redirect: None, leaving: None };
        Ok(Here { house, hub, reception, ownership, visits: None })
    }
}

async fn send(storage: &Storage, home: &Home, link: Option<Link>, order: &Order) -> Result<Value, Failure> {
    let link = match link {
        Some(link) => link,
        None => match storage.claim(home).await? {
            Claim::Running(link) => link,
            Claim::Mine(_) => return Err(Failure::new("The running process has ended meanwhile.").next("Try again.")),
        },
    };
    match put(link, order).await.map_err(broken)? {
        Answer::Done(value) => Ok(value),
        Answer::Failed(failure) => Err(failure),
    }
}

/// Gives an owner one order and reads the answer. It fails when the owner ends before that.
pub async fn put(link: Link, order: &Order) -> std::io::Result<Answer> {
    let stream = link.greet(Wants::Order(serde_json::value::to_raw_value(order)?)).await?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await?;
    Ok(serde_json::from_str(&line)?)
}

/// Asks an owner to let this process be the owner instead. Asking again does no harm.
pub async fn ask_to_hand_over(link: Link) -> Result<(), Failure> {
    let stream = link.greet(Wants::HandOver).await.map_err(broken)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.map_err(broken)?;
    match serde_json::from_str(&line).map_err(broken)? {
        Answer::Done(_) => Ok(()),
        Answer::Failed(failure) => Err(failure),
    }
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("The running process did not answer: {error}.")).next("Try again.")
}

/// Carries out a visitor's order and writes the answer.
pub async fn answer(
    office: Office<'_>,
    order: &serde_json::value::RawValue,
    mut visitor: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let answer = match serde_json::from_str::<Order>(order.get()) {
        Ok(order @ Order::Call { .. }) => tokio::select! {
            done = office.perform(order) => answer_of(done),
            // A call that nobody waits for any more is cancelled.
            () = left(&mut visitor) => return Ok(()),
        },
        Ok(order) => answer_of(office.perform(order).await),
        // The parser's message would quote the order, which may hold a secret.
        Err(_) => Answer::Failed(
            Failure::new("The running process does not know this order.").next("Is it another version? Restart it."),
        ),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    let written = tokio::time::timeout(TAKEN_WITHIN, async {
        visitor.write_all(&line).await?;
        visitor.shutdown().await
    });
    written.await?
}

fn answer_of(done: Result<Value, Failure>) -> Answer {
    match done {
        Ok(value) => Answer::Done(value),
        Err(failure) => Answer::Failed(failure),
    }
}

/// Completes when the visitor has left. It says nothing more after its order.
async fn left(visitor: &mut (impl tokio::io::AsyncRead + Unpin)) {
    while visitor.read_u8().await.is_ok() {}
}
