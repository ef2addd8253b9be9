//! `connections`, `test`, `disconnect` and `app set`.

use std::io::Read;

use super::prepare::usual_redirect;
use crate::{
    cli::{
        options::{AppAction, Output, Which},
        order::{ConnectionView, DisconnectView, Failure, Order, TestView},
        session::Session,
        show::{self, BAD, Cell, FAINT, GOOD, STRONG, WARN},
    },
    secret::Secret,
};

/// `switchboard connections`
pub async fn list(session: &mut Session, output: &Output) -> Result<(), Failure> {
    let connections: Vec<ConnectionView> = session.ask("looking", Order::Connections).await?;
    if output.json {
        return show::json(&connections);
    }
    if connections.is_empty() {
        show::line("Nothing is connected yet.");
        show::aside(
            "Connect an account with `switchboard connect google-calendar`, or add `--sandbox` to try it without one.",
        );
        return Ok(());
    }
    show::line(&show::table(&connections.iter().map(row).collect::<Vec<_>>()));
    Ok(())
}

fn row(connection: &ConnectionView) -> Vec<Cell> {
    let status = match (connection.status.as_str(), &connection.reason) {
        ("active", Some(trouble)) => Cell::styled(WARN, format!("active, but not renewed just now: {trouble}")),
        ("active", None) => Cell::styled(GOOD, "active"),
        ("needs_reconnect", Some(reason)) => Cell::styled(BAD, format!("connect it again: {reason}")),
        (other, _) => Cell::styled(WARN, other),
    };
    vec![
        Cell::styled(STRONG, &connection.integration),
        Cell::new(&connection.account),
        Cell::new(connection.name.clone().unwrap_or_default()),
        status,
    ]
}

/// `switchboard test`
pub async fn test(session: &mut Session, which: &Which) -> Result<(), Failure> {
    let order = Order::Test { integration: which.integration.clone(), account: which.account.clone() };
    let tested: TestView = session.ask("asking the vendor", order).await?;
    show::line(&format!(
        "{} {} ({}) works: {}, {} ms",
        show::styled(GOOD, "✓"),
        tested.title,
        tested.account,
        tested.name,
        tested.latency_ms
    ));
    if !tested.detail.is_empty() {
        show::line(&show::styled(FAINT, &format!("  {}", tested.detail)));
    }
    Ok(())
}

/// `switchboard disconnect`
pub async fn disconnect(session: &mut Session, which: &Which) -> Result<(), Failure> {
    let order = Order::Disconnect { integration: which.integration.clone(), account: which.account.clone() };
    let gone: DisconnectView = session.ask("ending the connection", order).await?;
    show::line(&format!("{} ({}) is disconnected; {}.", gone.title, gone.account, gone.vendor));
    Ok(())
}

/// `switchboard app set`
pub async fn app(session: &mut Session, action: &AppAction) -> Result<(), Failure> {
    let AppAction::Set { family, client_id, client_secret_stdin } = action;
    let client_secret = if *client_secret_stdin { Some(secret_from_stdin("client secret")?) } else { None };
    let redirect = usual_redirect(session);
    let order = Order::SetApp { family: family.clone(), client_id: client_id.clone(), client_secret, redirect };
    let said: String = session.ask("asking the vendor about it", order).await?;
    show::line(&format!("The OAuth client of {family} is kept in the vault; {said}."));
    Ok(())
}

/// A secret from stdin, which no process list and no shell history shows.
pub fn secret_from_stdin(what: &str) -> Result<Secret, Failure> {
    use std::io::IsTerminal;
    if std::io::stdin().is_terminal() {
        show::aside(&format!("Paste the {what}, then press Enter and Ctrl-D."));
    }
    let mut text = String::new();
    let read = std::io::stdin().take(64 * 1024).read_to_string(&mut text);
    read.map_err(|error| Failure::new(format!("The {what} could not be read from stdin: {error}.")))?;
    let secret = Secret::new(text.trim());
    if secret.is_empty() { Err(Failure::new(format!("There was no {what} on stdin."))) } else { Ok(secret) }
}
