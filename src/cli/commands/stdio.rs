//! `stdio`: one client over stdin and stdout.

use std::{process::ExitCode, sync::Arc};

use tokio::io::{AsyncWriteExt, copy};

use crate::{
    cli::{
        house::{self, Home, House},
        janitor,
        options::{Place, Stdio},
        order::Failure,
        owner::{self, Claim, Link, Ownership, Wants},
        reception,
    },
    config::Settings,
    hub::{Deferred, Filters},
    transport,
};

/// `switchboard stdio`
pub async fn run(place: &Place, options: &Stdio) -> Result<ExitCode, Failure> {
    let home = Home::of(place).map_err(Failure::of)?;
    let settings = home.settings().map_err(Failure::of)?;
    let filters = options.narrowing.filters().or_file(&settings.file);
    match owner::claim(&home.dir).await.map_err(Failure::of)? {
        Claim::Mine(ownership) => serve(home, settings, ownership, filters).await?,
        Claim::Running(link) => relay(link, filters).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Serves the client from this process. The first answers do not wait for the store to open.
async fn serve(home: Home, settings: Settings, ownership: Ownership, filters: Filters) -> Result<(), Failure> {
    let ownership = Arc::new(ownership);
    let listener = ownership.listen().map_err(Failure::of)?;
    let opening = {
        let ownership = ownership.clone();
        async move { House::open(&home, &settings, ownership).await.inspect_err(|failure| tracing::error!("{failure}")) }
    };
    let house = Deferred::spawn(opening);
    let hub = house::hub(house.map(|house| house.desk.clone()));
    house::check_filters(&hub, &filters)?;
    let server = house::server(&hub);
    let reception = reception::Reception { hub, server: server.clone(), house: house.clone(), redirect: None };
    let visitors = tokio::spawn(reception.run(listener, ownership.clone()));
    let tidying = tokio::spawn(janitor::keep_tidy(house.clone()));
    let served = transport::stdio::serve(server, house::local_caller(filters, "stdio")).await;
    visitors.abort();
    tidying.abort();
    if let Ok(house) = house.get().await {
        house.close().await;
    }
    served.map_err(Failure::of)
}

/// Hands lines between the client and the process that owns the data directory.
async fn relay(link: Link, filters: Filters) -> Result<(), Failure> {
    let stream = link.greet(Wants::Pipe(filters)).await.map_err(Failure::of)?;
    let (mut from_owner, mut to_owner) = stream.into_split();
    let (mut stdin, mut stdout) = (tokio::io::stdin(), tokio::io::stdout());
    let forth = async {
        copy(&mut stdin, &mut to_owner).await?;
        to_owner.shutdown().await
    };
    let back = async {
        copy(&mut from_owner, &mut stdout).await?;
        stdout.flush().await
    };
    tokio::pin!(forth, back);
    // When the client is done, its last answers are still awaited; when the owner is gone, so is the pipe.
    tokio::select! {
        ended = &mut back => {
            ended.map_err(Failure::of)?;
            Err(Failure::new("The process that owns the data directory has ended.").next("Start the client again."))
        }
        ended = &mut forth => {
            ended.map_err(Failure::of)?;
            back.await.map_err(Failure::of)
        }
    }
}
