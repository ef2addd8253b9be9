//! `users`: people, and how they come in.

use super::agents;
use crate::{
    agents::{LOCAL, User},
    cli::{
        ask,
        options::{UserAction, Users},
        order::{Failure, Order},
        people::{InvitedView, TokenView, UserOrder},
        session::Session,
        show::{self, Cell, FAINT, STRONG},
    },
};

/// `switchboard users`
pub async fn run(session: &mut Session, users: &Users) -> Result<(), Failure> {
    match users.action.as_ref().unwrap_or(&UserAction::List) {
        UserAction::List => {
            let all: Vec<User> = session.ask("looking", Order::Users(UserOrder::List)).await?;
            list(&all, users.json)
        }
        UserAction::Add { name, admin } => {
            let order = UserOrder::Add { name: name.clone(), admin: *admin };
            invited(&session.ask("adding the person", Order::Users(order)).await?, users.json)
        }
        UserAction::Invite { user } => {
            let order = UserOrder::Invite(which(session, user).await?);
            invited(&session.ask("inviting", Order::Users(order)).await?, users.json)
        }
        UserAction::Promote { user } => change(session, user, true).await,
        UserAction::Demote { user } => change(session, user, false).await,
        UserAction::Remove { user, yes } => remove(session, user, *yes).await,
        UserAction::Tokens { user } => {
            let user = whose(session, user.as_deref()).await?;
            let all: Vec<TokenView> = session.ask("looking", Order::Users(UserOrder::Tokens(user))).await?;
            agents::tokens(&all, users.json)
        }
        UserAction::Token { name, days } => {
            let order = UserOrder::Token { name: name.clone(), days: *days };
            agents::token(&session.ask("making it", Order::Users(order)).await?, users.json)
        }
        UserAction::Renew { token, days } => {
            let order = UserOrder::Renew { token: token.clone(), days: *days };
            agents::token(&session.ask("renewing it", Order::Users(order)).await?, users.json)
        }
        UserAction::Revoke { token, user, yes } => {
            let user = whose(session, user.as_deref()).await?;
            ask::before(&format!("The token {token} ends, and the sessions that it opened."), *yes).await?;
            let order = UserOrder::Revoke { user, token: token.clone() };
            session.ask::<()>("revoking it", Order::Users(order)).await?;
            show::line(&format!("The token {token} is worth nothing from now on."));
            show::aside("`switchboard users token` makes an administrator token, should none be left.");
            Ok(())
        }
    }
}

async fn change(session: &mut Session, user: &str, admin: bool) -> Result<(), Failure> {
    let user = which(session, user).await?;
    let changed: User = session.ask("changing it", Order::Users(UserOrder::SetAdmin(user, admin))).await?;
    let now = if admin { "administers this server now" } else { "does not administer this server any more" };
    show::line(&format!("{} {now}.", changed.name));
    Ok(())
}

async fn remove(session: &mut Session, user: &str, yes: bool) -> Result<(), Failure> {
    let id = which(session, user).await?;
    let who = if id == user { id.clone() } else { format!("{user} ({id})") };
    ask::before(&format!("{who} is removed, with all connections, agents and tokens."), yes).await?;
    let name: String = session.ask("ending the connections", Order::Users(UserOrder::Remove(id))).await?;
    show::line(&format!("{name} is removed, with all connections, agents and tokens."));
    Ok(())
}

async fn whose(session: &mut Session, user: Option<&str>) -> Result<Option<String>, Failure> {
    match user {
        Some(user) => which(session, user).await.map(Some),
        None => Ok(None),
    }
}

/// The id of the person whom somebody calls so. Of several of one name the person at the terminal chooses; a program is
/// told the ids. Nobody of that name stays what was typed, and the answer to the order says so.
pub async fn which(session: &mut Session, called: &str) -> Result<String, Failure> {
    if called == LOCAL {
        return Ok(called.to_owned());
    }
    let all: Vec<User> = session.ask("looking", Order::Users(UserOrder::List)).await?;
    if all.iter().any(|user| user.id.as_str() == called) {
        return Ok(called.to_owned());
    }
    let namesakes: Vec<User> = all.into_iter().filter(|user| user.name == called).collect();
    match &namesakes[..] {
        [] => Ok(called.to_owned()),
        [only] => Ok(only.id.to_string()),
        several if ask::somebody() => {
            list(several, false)?;
            let chosen = ask::line(&format!("Which {called} is meant? Type the id")).await?;
            let is_one = several.iter().any(|user| user.id.as_str() == chosen);
            if is_one { Ok(chosen) } else { Err(Failure::new(format!("`{chosen}` is none of these."))) }
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|user| user.id.as_str()).collect();
            Err(Failure::new(format!("There are {} people called `{called}`.", several.len()))
                .next(format!("Say which by the id: {}.", ids.join(", "))))
        }
    }
}

fn list(users: &[User], json: bool) -> Result<(), Failure> {
    if json {
        return show::json(&users);
    }
    if users.is_empty() {
        show::line("Nobody was added: everything here belongs to the one person of this machine.");
        show::aside("Add somebody with `switchboard users add NAME`.");
        return Ok(());
    }
    let rows = users.iter().map(|user| {
        let role = if user.admin { "administrator" } else { "" };
        let since = format!("since {}", user.created_at.strftime("%Y-%m-%d"));
        vec![Cell::styled(STRONG, &user.name), Cell::new(user.id.as_str()), Cell::new(role), Cell::styled(FAINT, since)]
    });
    show::line(&show::table(&rows.collect::<Vec<_>>()));
    Ok(())
}

/// The invitation stands alone on stdout, so that it can be piped to where it belongs.
fn invited(view: &InvitedView, json: bool) -> Result<(), Failure> {
    if json {
        return show::json(view);
    }
    let until = view.expires_at.strftime("%Y-%m-%d %H:%M UTC");
    show::aside(&format!("Give this invitation to {}; it is good once, until {until}:\n", view.user.name));
    show::line(view.invitation.expose());
    show::aside(
        "\nThey paste it where the console asks them to sign in, or send it to POST /api/v1/invitations/accept.",
    );
    Ok(())
}
