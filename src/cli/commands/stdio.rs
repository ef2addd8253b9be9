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
        order::Failure,
        owner::{self, Claim, Link, Ownership, Wants},
        reception::Reception,
        relay::{Ended, Relay},
    },
    config::Settings,
    hub::{Deferred, Filters},
    transport,
};

/// How many owners in a row may hang up at once before that is no accident.
const PATIENCE: u32 = 20;
/// Less than this is at once.
const AT_ONCE: Duration = Duration::from_secs(1);
/// The pause before the next owner is looked for.
const PAUSE: Duration = Duration::from_millis(50);
/// How much may be under way between the client's side and ours, bytes.
const BUFFER: usize = 64 << 10;

/// `switchboard stdio`
pub async fn run(place: &Place, options: &Stdio) -> Result<ExitCode, Failure> {
    let home = Home::of(place).map_err(Failure::of)?;
    let settings = home.settings().map_err(Failure::of)?;
    let filters = options.narrowing.filters().or_file(&settings.file);
    let stdio = Server { home, settings: Arc::new(settings), filters };
    stdio.serve().await.map(|()| ExitCode::SUCCESS)
}

struct Server {
    home: Home,
    settings: Arc<Settings>,
    filters: Filters,
}

impl Server {
    /// Serves the client until it leaves: from this process when nobody else owns the data directory, through the
    /// owner otherwise. When an owner ends, the first process to notice takes its place.
    async fn serve(&self) -> Result<(), Failure> {
        let mut relay = Relay::new(tokio::io::stdin(), tokio::io::stdout());
        let mut hung_up = 0;
        while hung_up < PATIENCE {
            let began = Instant::now();
            let ended = match owner::claim(&self.home.dir).await.map_err(Failure::of)? {
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
    async fn visit(&self, relay: &mut Relay<impl AsyncWrite + Unpin>, link: Link) -> Result<Ended, Failure> {
        match link.greet(Wants::Pipe(self.filters.clone())).await {
            Ok(stream) => relay.through(stream).await.map_err(Failure::of),
            Err(_) => Ok(Ended::Owner),
        }
    }

    /// Serves the client from this process, and visitors as well. The first answers do not wait for the store to
    /// open.
    async fn own(&self, relay: &mut Relay<impl AsyncWrite + Unpin>, ownership: Ownership) -> Result<Ended, Failure> {
        let ownership = Arc::new(ownership);
        let listener = ownership.listen().map_err(Failure::of)?;
        let house = self.open(ownership.clone());
        let hub = house::hub(house.map(|house| house.desk.clone()));
        house::check_filters(&hub, &self.filters)?;
        let server = house::server(&hub);
        let reception = Reception { hub, server: server.clone(), house: house.clone(), redirect: None };
        let closing = CancellationToken::new();
        let visitors = tokio::spawn(reception.run(listener, ownership, closing.clone()));
        let _tidying = AbortOnDropHandle::new(tokio::spawn(janitor::keep_tidy(house.clone())));

        let (ours, theirs) = duplex(BUFFER);
        let (input, output) = split(theirs);
        let caller = house::local_caller(self.filters.clone(), "stdio");
        let options = transport::stdio::Options::default();
        let serving = tokio::spawn(transport::stdio::serve_on(server.clone(), caller, input, output, options));
        let ended = relay.through(ours).await;

        closing.cancel();
        server.close();
        // Both are bounded, and how they end changes nothing any more.
        let _ = tokio::join!(serving, visitors);
        if let Ok(house) = house.get().await {
            house.close().await;
        }
        ended.map_err(Failure::of)
    }

    fn open(&self, ownership: Arc<Ownership>) -> Deferred<House> {
        let (home, settings) = (self.home.clone(), self.settings.clone());
        Deferred::spawn(async move {
            House::open(&home, &settings, ownership).await.inspect_err(|failure| tracing::error!("{failure}"))
        })
    }
}
