//! What comes before a consent: an OAuth client, and what the vendor's addresses depend on.

use std::collections::BTreeMap;

use super::serve::DEFAULT_LISTEN;
use crate::cli::{
    ask,
    callback::CALLBACK,
    options::Connect,
    order::{AskView, Failure, Order, ProspectView},
    session::Session,
    show::{self, STRONG},
};

/// Where the vendor sends people back to when no `serve` runs: to `connect` itself, which listens where `serve` would.
pub fn usual_redirect(session: &Session) -> String {
    if let Some(public) = &session.settings.file.public_url {
        format!("{}{CALLBACK}", public.as_str().trim_end_matches('/'))
    } else {
        let port = DEFAULT_LISTEN.rsplit_once(':').map_or("7411", |(_, port)| port);
        format!("http://localhost:{port}{CALLBACK}")
    }
}

/// Makes sure that an OAuth client is set up: leads a person through it, tells a program what is missing.
pub async fn have_app(session: &mut Session, prospect: &ProspectView) -> Result<(), Failure> {
    if prospect.has_app || !prospect.has_consent {
        return Ok(());
    }
    let redirect = redirect(session).await?;
    if !ask::somebody() {
        return Err(nobody_to_ask(prospect, &redirect));
    }
    show::aside(&instructions(prospect, &redirect));
    let client_id = ask::line("Client id").await?;
    let client_secret = Some(ask::secret("Client secret").await?);
    let order = Order::SetApp { family: prospect.family.clone(), client_id, client_secret, redirect };
    let said: String = session.ask("asking the vendor about it", order).await?;
    show::aside(&format!("The OAuth client of {} is kept; {said}.\n", prospect.family));
    Ok(())
}

/// The redirect URI that has to be registered.
async fn redirect(session: &mut Session) -> Result<String, Failure> {
    let owners = if session.is_elsewhere() { session.ask("asking", Order::Redirect).await? } else { None::<String> };
    Ok(owners.unwrap_or_else(|| usual_redirect(session)))
}

fn instructions(prospect: &ProspectView, redirect: &str) -> String {
    let place = prospect.console.as_deref().unwrap_or("the vendor's developer pages");
    let testing = prospect.days_in_testing.map_or_else(String::new, |days| {
        format!(
            "\n  3. Publish the client: while it is in testing, {} ends every grant after {days} days.",
            prospect.title
        )
    });
    format!(
        "{} needs an OAuth client of your own, once:\n\n  1. Make one at {}\n     (a web application, where that is asked).\n  2. Give it exactly this redirect URI:\n\n     {}\n{testing}\n\nThen copy its id and secret here.\n",
        prospect.title,
        show::styled(STRONG, place),
        show::styled(STRONG, redirect),
    )
}

fn nobody_to_ask(prospect: &ProspectView, redirect: &str) -> Failure {
    let place = prospect.console.as_deref().map_or_else(String::new, |address| format!(" at {address}"));
    Failure::new(format!("No OAuth client is set up for {}.", prospect.title)).next(format!(
        "Register one{place} with the redirect URI {redirect}, then keep it: `switchboard app set {} --client-id ID --client-secret-stdin`.",
        prospect.family
    ))
}

/// What was named with `--set`, and what is missing and can be asked for.
pub async fn have_names(connect: &Connect, asks: &[AskView]) -> Result<BTreeMap<String, String>, Failure> {
    let mut names = connect.names();
    for ask in asks.iter().filter(|ask| ask.required) {
        if names.contains_key(&ask.name) {
            continue;
        }
        if !ask::somebody() {
            let what = format!("{} is missing: {}", ask.label, ask.help);
            return Err(Failure::of(what).next(format!("Name it with `--set {}=…`.", ask.name)));
        }
        show::aside(&ask.help);
        names.insert(ask.name.clone(), ask::line(&ask.label).await?);
    }
    Ok(names)
}
