//! `connect`: an account through the vendor's consent page, or with a key.

use std::{
    collections::BTreeMap,
    io::{BufRead, IsTerminal},
    time::Duration,
};

use super::{accounts::secret_from_stdin, prepare};
use crate::{
    cli::{
        callback::{Answer, CallbackListener, parse},
        options::Connect,
        order::{ConnectionView, DeviceView, Failure, Order, ProspectView, StartView},
        session::Session,
        show::{self, GOOD, STRONG},
    },
    secret::Secret,
};

/// How long a person may take to consent: as long as the sign-in counts.
const PATIENCE: Duration = Duration::from_mins(10);
/// How often the owner is asked whether the connection is there.
const LOOK: Duration = Duration::from_millis(500);
/// What is shown meanwhile.
const WAITING: &str = "waiting for your consent in the browser";
/// `switchboard connect`
pub async fn run(session: &mut Session, connect: &Connect) -> Result<(), Failure> {
    let connection = if connect.api_key_stdin {
        with_key(session, connect, secret_from_stdin("key")?).await?
    } else {
        let prospect = prospect(session, connect).await?;
        prepare::have_app(session, &prospect).await?;
        let names = prepare::have_names(connect, &prospect.asks).await?;
        let wish = Wish { connect, names };
        if connect.device {
            Box::pin(on_device(session, &wish)).await?
        } else {
            Box::pin(with_consent(session, &wish)).await?
        }
    };
    let name = connection.name.as_deref().map_or_else(String::new, |name| format!(" as {name}"));
    show::line(&format!("{} {} is connected{name}.", show::styled(GOOD, "✓"), connection.title));
    let place = if session.home.is_sandbox { " --sandbox" } else { "" };
    show::aside(&format!(
        "Look at its tools with `switchboard tools --integration {}{place}`.",
        connection.integration
    ));
    Ok(())
}

async fn prospect(session: &mut Session, connect: &Connect) -> Result<ProspectView, Failure> {
    session.ask("looking", Order::Prospect { integration: connect.integration.clone() }).await
}

async fn with_key(session: &mut Session, connect: &Connect, key: Secret) -> Result<ConnectionView, Failure> {
    let fields = prospect(session, connect).await?.fields;
    let names = prepare::have_names(connect, &fields).await?;
    let (integration, account) = (connect.integration.clone(), connect.account.clone());
    session.ask("asking the vendor", Order::ConnectFields { integration, account, key, names }).await
}

/// What is to be connected, with all that the person named.
struct Wish<'a> {
    connect: &'a Connect,
    names: BTreeMap<String, String>,
}

/// Shows a code to type in elsewhere, and waits until that has happened.
async fn on_device(session: &mut Session, wish: &Wish<'_>) -> Result<ConnectionView, Failure> {
    let (integration, account) = (wish.connect.integration.clone(), wish.connect.account.clone());
    let (names, tools) = (wish.names.clone(), wish.connect.tools.clone());
    let order = Order::StartOnDevice { integration, account, names, tools };
    let code: DeviceView = session.ask("asking for a code", order).await?;
    let short = code.page_with_code.as_deref().map_or_else(String::new, |page| format!("\n  (or open {page})"));
    show::aside(&format!(
        "On any device, open\n\n  {}\n\nand type in this code: {}{short}\n",
        show::styled(STRONG, &code.page),
        show::styled(STRONG, &code.user_code)
    ));
    let waiting = async {
        loop {
            tokio::time::sleep(Duration::from_secs(code.interval.max(1))).await;
            let order = Order::FinishOnDevice { ticket: code.ticket.clone() };
            if let Some(connection) = session.ask::<Option<ConnectionView>>("looking", order).await? {
                return Ok(connection);
            }
        }
    };
    show::waiting("waiting for your consent on the other device", Box::pin(waiting)).await
}

/// Sends the person to the vendor. The answer comes to a running `serve`, to this process, or is pasted by the person.
async fn with_consent(session: &mut Session, wish: &Wish<'_>) -> Result<ConnectionView, Failure> {
    let owner = if session.is_elsewhere() { session.ask("asking", Order::Redirect).await? } else { None::<String> };
    if owner.is_some() { through_owner(session, wish).await } else { through_listener(session, wish).await }
}

/// Waits until the owner, which takes the answer itself, has the connection.
async fn through_owner(session: &mut Session, wish: &Wish<'_>) -> Result<ConnectionView, Failure> {
    let connect = wish.connect;
    let before = found(session, connect).await?;
    let start = begin(session, wish, None).await?;
    if !connect.print_url {
        browse_if(connect, &start);
        let waiting = tokio::time::timeout(PATIENCE, Box::pin(changed(session, connect, before)));
        return show::waiting(WAITING, waiting).await.unwrap_or_else(|_| Err(nobody()));
    }
    // The browser may be one that reaches the owner after all.
    let answer = tokio::select! {
        answer = pasted(&start) => answer?,
        connection = Box::pin(changed(session, connect, before)) => return connection,
    };
    session.ask("connecting", Order::Finish { answer }).await
}

/// Takes the answer in this process.
async fn through_listener(session: &mut Session, wish: &Wish<'_>) -> Result<ConnectionView, Failure> {
    let connect = wish.connect;
    let mut listener = CallbackListener::open().await?;
    let start = begin(session, wish, Some(listener.redirect.clone())).await?;
    let answer = if connect.print_url {
        pasted(&start).await?
    } else {
        listener.expect(&start, &connect.account);
        browse_if(connect, &start);
        let waiting = tokio::time::timeout(PATIENCE, listener.answer());
        show::waiting(WAITING, waiting).await.unwrap_or_else(|_| Err(nobody()))?
    };
    session.ask("connecting", Order::Finish { answer }).await
}

/// Begins, and shows the person where to go.
async fn begin(session: &mut Session, wish: &Wish<'_>, redirect: Option<String>) -> Result<StartView, Failure> {
    let (integration, account) = (wish.connect.integration.clone(), wish.connect.account.clone());
    let (names, tools) = (wish.names.clone(), wish.connect.tools.clone());
    let order = Order::Start { integration, account, names, tools, redirect };
    let start: StartView = session.ask("asking for consent", order).await?;
    show::aside(&format!(
        "Consent in the browser to connect {} as `{}` for {}:\n\n  {}\n",
        start.title,
        wish.connect.account,
        start.person,
        show::styled(STRONG, &start.authorize_url)
    ));
    if !wish.connect.print_url {
        show::aside("At the end the browser asks once more whether it is meant; say yes there.\n");
    }
    Ok(start)
}

/// The connection that is to be made, if there is one of that name.
async fn found(session: &mut Session, connect: &Connect) -> Result<Option<ConnectionView>, Failure> {
    let all: Vec<ConnectionView> = session.ask("looking", Order::Connections).await?;
    let is_meant =
        |one: &ConnectionView| one.integration == connect.integration && one.account == connect.account.trim();
    Ok(all.into_iter().find(is_meant))
}

/// The connection, as soon as it is another one than `before`. Its name at the vendor is known a little later; a vendor
/// that does not tell it is not waited for.
async fn changed(
    session: &mut Session,
    connect: &Connect,
    before: Option<ConnectionView>,
) -> Result<ConnectionView, Failure> {
    let known_since = before.map(|before| before.connected_at);
    let mut looks_for_name = 4;
    loop {
        tokio::time::sleep(LOOK).await;
        let now = found(session, connect).await?.filter(|now| Some(now.connected_at) != known_since);
        match now {
            Some(now) if now.name.is_some() || looks_for_name == 0 => return Ok(now),
            Some(_) => looks_for_name -= 1,
            None => {}
        }
    }
}

fn nobody() -> Failure {
    Failure::new("Nobody consented within ten minutes.").next("Start again.")
}

fn browse_if(connect: &Connect, start: &StartView) {
    if connect.open || std::io::stderr().is_terminal() {
        browse(&start.authorize_url);
    }
}

/// Opens the browser; where there is none, the address on the screen has to do.
fn browse(url: &str) {
    if let Err(error) = open::that_detached(url) {
        tracing::debug!(%error, "no browser could be opened");
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
        Failure::new("That is not the address of the page.").next(format!(
            "It carries `?code=` after the address that {} sent the browser to. Start again.",
            start.title
        ))
    })?;
    Ok(parse(query))
}
