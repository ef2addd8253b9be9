//! `connect`: an account through the vendor's consent page, or with a key.

use std::{
    collections::BTreeMap,
    io::{BufRead, IsTerminal},
    time::Duration,
};

use axum::{Router, extract::RawQuery, response::Html, routing::get};
use tokio::{net::TcpListener, sync::mpsc};

use super::{accounts::secret_from_stdin, serve::DEFAULT_LISTEN};
use crate::{
    cli::{
        options::Connect,
        order::{ConnectionView, Failure, Order, StartView},
        session::Session,
        show::{self, GOOD, STRONG},
    },
    transport::listen,
};

/// How long a person may take to consent: as long as the sign-in counts.
const PATIENCE: Duration = Duration::from_mins(10);
/// Where vendors send browsers back to.
const CALLBACK: &str = "/api/v1/integrations/oauth/callback";

/// What a vendor sends back: the query of the redirect.
type Answer = BTreeMap<String, String>;

/// `switchboard connect`
pub async fn run(session: &mut Session, connect: &Connect) -> Result<(), Failure> {
    let connection =
        if connect.api_key_stdin { with_key(session, connect).await? } else { with_consent(session, connect).await? };
    let name = connection.name.as_deref().map_or_else(String::new, |name| format!(" as {name}"));
    show::line(&format!("{} {} is connected{name}.", show::styled(GOOD, "✓"), connection.title));
    show::aside(&format!("Look at its tools with `switchboard tools --integration {}`.", connection.integration));
    Ok(())
}

async fn with_key(session: &mut Session, connect: &Connect) -> Result<ConnectionView, Failure> {
    let key = secret_from_stdin("key")?;
    let order =
        Order::ConnectFields { integration: connect.integration.clone(), account: connect.account.clone(), key };
    session.ask("asking the vendor", order).await
}

/// Sends the person to the vendor, and waits for the answer: here, or pasted by the person.
async fn with_consent(session: &mut Session, connect: &Connect) -> Result<ConnectionView, Failure> {
    let mut desk = Desk::open().await?;
    let order = Order::Start {
        integration: connect.integration.clone(),
        account: connect.account.clone(),
        redirect: Some(desk.redirect.clone()),
    };
    let start: StartView = session.ask("asking for consent", order).await?;
    show::aside(&format!(
        "Consent in the browser to connect {}:\n\n  {}\n",
        start.title,
        show::styled(STRONG, &start.authorize_url)
    ));
    let answer = if connect.print_url {
        pasted(&start).await?
    } else {
        if connect.open || std::io::stderr().is_terminal() {
            browse(&start.authorize_url);
        }
        let waiting = tokio::time::timeout(PATIENCE, desk.answers.recv());
        let answer = show::waiting("waiting for your consent in the browser", waiting).await;
        answer
            .ok()
            .flatten()
            .ok_or_else(|| Failure::new("Nobody consented within ten minutes.").next("Start again."))?
    };
    session.ask("connecting", Order::Finish { answer }).await
}

/// Opens the browser; where there is none, the address on the screen has to do.
fn browse(url: &str) {
    if let Err(error) = open::that_detached(url) {
        tracing::debug!(%error, "no browser could be opened");
    }
}

/// Takes what the vendor sends the browser back with.
struct Desk {
    redirect: String,
    answers: mpsc::Receiver<Answer>,
    _listening: tokio_util::task::AbortOnDropHandle<()>,
}

impl Desk {
    /// Listens where `serve` would. When that is taken, any free port has to do: vendors such as Google allow every
    /// port of loopback, others only the registered one.
    async fn open() -> Result<Desk, Failure> {
        let listener = match TcpListener::bind(DEFAULT_LISTEN).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind("127.0.0.1:0").await.map_err(Failure::of)?,
        };
        let port = listener.local_addr().map_err(Failure::of)?.port();
        let (sender, answers) = mpsc::channel(1);
        let take = async move |RawQuery(query): RawQuery| {
            // A second answer, such as a reloaded page, finds nobody waiting.
            let _ = sender.try_send(parse(&query.unwrap_or_default()));
            Html(
                "<!doctype html><meta charset=utf-8><title>Switchboard</title><p>Switchboard has the answer. You can close this page and go back to the terminal.",
            )
        };
        let router = Router::new().route(CALLBACK, get(take));
        let router = crate::transport::guard::protect(router, std::sync::Arc::default());
        let listening = tokio::spawn(async move {
            let _ = listen::serve(listener, router, listen::Limits::default(), std::future::pending()).await;
        });
        Ok(Desk {
            redirect: format!("http://localhost:{port}{CALLBACK}"),
            answers,
            _listening: tokio_util::task::AbortOnDropHandle::new(listening),
        })
    }
}

/// The address of the page that the browser ended on, pasted by the person.
async fn pasted(start: &StartView) -> Result<Answer, Failure> {
    show::aside("The browser then shows a page that cannot be reached. Paste its whole address here:");
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = line.await.map_err(Failure::of)?.map_err(Failure::of)?;
    let query = line.trim().split_once('?').map(|(_, query)| query.split('#').next().unwrap_or_default());
    let query = query.ok_or_else(|| {
        Failure::new("That is not the address of the page.")
            .next(format!("It begins with the redirect address and carries `?code=`. Start again: {}", start.title))
    })?;
    Ok(parse(query))
}

fn parse(query: &str) -> Answer {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
