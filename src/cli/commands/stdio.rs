//! `stdio`: one client over stdin and stdout.

use std::{process::ExitCode, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncWrite, duplex, split},
    time::{Instant, sleep},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    cli::{
        house::{self, Home, House},
        janitor,
        options::{Place, Stdio},
        order::{Failure, Order},
        owner::{Claim, Link, Ownership, Wants},
        pages,
        people::{AgentDeed, AgentOrder},
        perform::failed,
        reception::Reception,
        relay::{Ended, Relay},
        session::{self, Answer},
        storage::Storage,
    },
    config::Settings,
    hub::{Caller, Deferred, Filters, Hub},
    id::AgentId,
    transport,
};

/// How many owners in a row may hang up at once before that is no accident.
const PATIENCE: u32 = 20;
/// Less than this is at once.
const AT_ONCE: Duration = Duration::from_secs(1);
/// The pause before the next owner is looked for.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the last users of a store may take to let go of it.
const UNUSED: Duration = Duration::from_secs(5);
/// How much may be under way between the client's side and ours, bytes.
const BUFFER: usize = 64 << 10;

/// `switchboard stdio`
pub async fn run(place: &Place, options: &Stdio) -> Result<ExitCode, Failure> {
    let home = Home::of(place).map_err(Failure::of)?;
    let settings = home.settings().map_err(Failure::of)?.with_store(place.store.clone());
    let storage = Storage::of(&home, &settings)?;
    let filters = options.narrowing.filters().or_file(&settings.file);
    let agent = options.agent.clone().map(Wanted::Called);
    let mut stdio = Server { home, settings: Arc::new(settings), storage, filters, agent };
    stdio.serve().await.map(|()| ExitCode::SUCCESS)
}

struct Server {
    home: Home,
    settings: Arc<Settings>,
    storage: Storage,
    filters: Filters,
    agent: Option<Wanted>,
}

/// As which agent the client is served.
enum Wanted {
    /// One with this name or id.
    Called(String),
    /// This one: it was there when the client came.
    Known(AgentId),
}

impl Server {
    /// Serves the client until it leaves: from this process when nobody else owns the data directory, through the
    /// owner otherwise. When an owner ends, the first process to notice takes its place.
    async fn serve(&mut self) -> Result<(), Failure> {
        let mut relay = Relay::new(tokio::io::stdin(), tokio::io::stdout());
        let mut hung_up = 0;
        while hung_up < PATIENCE {
            let began = Instant::now();
            let ended = match self.storage.claim(&self.home).await? {
                Claim::Mine(ownership) => self.own(&mut relay, ownership).await?,
                Claim::Running(link) => self.visit(&mut relay, link).await?,
            };
            if ended == Ended::Client {
                return Ok(());
            }
            hung_up = if began.elapsed() < AT_ONCE { hung_up + 1 } else { 0 };
            sleep(PAUSE).await;
        }
        Err(Failure::new(format!("The process that owns {} hangs up on us.", self.home.dir.display()))
            .next("Is it another version? Stop it, and start the client again."))
    }

    /// Serves the client through the process that owns the data directory.
    async fn visit(&mut self, relay: &mut Relay<impl AsyncWrite + Unpin>, link: Link) -> Result<Ended, Failure> {
        if let Some(Wanted::Called(name)) = &self.agent {
            let order = Order::Agents(AgentOrder { user: None, what: AgentDeed::Show(name.clone()) });
            // The next link is for the client.
            return match session::put(link, &order).await {
                Ok(Answer::Done(agent)) => self.found(&agent).map(|()| Ended::Owner),
                Ok(Answer::Failed(failure)) => Err(failure),
                Err(_) => Ok(Ended::Owner),
            };
        }
        let filters = self.filters.clone();
        let wants = match &self.agent {
            Some(Wanted::Known(agent)) => Wants::AgentPipe { agent: agent.clone(), filters },
            _ => Wants::Pipe(filters),
        };
        match link.greet(wants).await {
            Ok(stream) => relay.through(stream, &CancellationToken::new()).await.map_err(Failure::of),
            Err(_) => Ok(Ended::Owner),
        }
    }

    /// Takes note of the agent that an owner has found.
    fn found(&mut self, agent: &serde_json::Value) -> Result<(), Failure> {
        let id = agent["id"].as_str().ok_or_else(|| Failure::new("The running process does not name its agents."))?;
        self.agent = Some(Wanted::Known(AgentId::new(id)));
        Ok(())
    }

    /// The caller as whom the client is served from this process. Only who names an agent waits for the store.
    async fn caller(&mut self, house: &Deferred<House>, hub: &Hub) -> Result<Caller, Failure> {
        if let Some(Wanted::Called(name)) = &self.agent {
            house.get().await.map_err(Failure::of)?;
            let user = house::local_principal().user;
            let agent = hub.agent_called(&user, name).await.map_err(failed)?;
            self.agent = Some(Wanted::Known(agent.id));
        }
        let agent = match &self.agent {
            Some(Wanted::Known(agent)) => Some(agent.clone()),
            _ => None,
        };
        Ok(house::agent_caller(agent, self.filters.clone(), "stdio"))
    }

    /// Serves the client from this process, and visitors as well, until the client leaves or another process asks to
    /// be the owner. The first answers do not wait for the store to open.
    async fn own(
        &mut self,
        relay: &mut Relay<impl AsyncWrite + Unpin>,
        ownership: Ownership,
    ) -> Result<Ended, Failure> {
        let ownership = Arc::new(ownership);
        let listener = ownership.listen().map_err(Failure::of)?;
        let house = self.open(ownership.clone());
        let hub = house::hub(house.map(|house| house.desk.clone()), self.home.clock.clone());
        house::check_filters(&hub, &self.filters)?;
        let caller = match self.caller(&house, &hub).await {
            Ok(caller) => caller,
            Err(failure) => {
                shut(house).await;
                return Err(failure);
            }
        };
        let server = house::server(&hub);
        let pages = Arc::new(pages::OnDemand::default());
        hub.serve_pages(pages.clone());
        let (closing, leaving) = (CancellationToken::new(), CancellationToken::new());
        let reception = Reception {
            hub,
            server: server.clone(),
            house: house.clone(),
            redirect: None,
            leaving: Some(leaving.clone()),
        };
        let visitors = tokio::spawn(reception.run(listener, ownership.clone(), closing.clone()));
        let tidying = AbortOnDropHandle::new(tokio::spawn(janitor::keep_tidy(house.clone())));

        let (ours, theirs) = duplex(BUFFER);
        let (input, output) = split(theirs);
        let options = transport::stdio::Options::default();
        let serving = tokio::spawn(transport::stdio::serve_on(server.clone(), caller, input, output, options));
        let ended = relay.through(ours, &leaving).await;

        closing.cancel();
        if !leaving.is_cancelled() {
            server.close();
        }
        // All of it is bounded, and how it ends changes nothing any more.
        pages.close().await;
        let _ = visitors.await;
        server.close();
        let _ = serving.await;
        drop((server, tidying));
        shut(house).await;
        // Only now may somebody else open the store.
        drop(ownership);
        ended.map_err(Failure::of)
    }

    fn open(&self, ownership: Arc<Ownership>) -> Deferred<House> {
        let (home, settings) = (self.home.clone(), self.settings.clone());
        Deferred::spawn(async move {
            House::open(&home, &settings, ownership).await.inspect_err(|failure| tracing::error!("{failure}"))
        })
    }
}

/// Closes a house, and waits until nobody uses its store any more.
async fn shut(house: Deferred<House>) {
    let Ok(opened) = house.get().await else { return };
    opened.close().await;
    let store = Arc::downgrade(opened.vault.store());
    drop((opened, house));
    let began = Instant::now();
    while store.strong_count() > 0 && began.elapsed() < UNUSED {
        sleep(PAUSE / 10).await;
    }
}
