//! `users`: people, and how they come in.

use crate::{
    agents::User,
    cli::{
        options::{UserAction, Users},
        order::{Failure, Order},
        people::{InvitedView, UserOrder},
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
            let order = UserOrder::Invite(user.clone());
            invited(&session.ask("inviting", Order::Users(order)).await?, users.json)
        }
        UserAction::Promote { user } => change(session, user, true).await,
        UserAction::Demote { user } => change(session, user, false).await,
        UserAction::Remove { user } => {
            let order = Order::Users(UserOrder::Remove(user.clone()));
            let name: String = session.ask("ending the connections", order).await?;
            show::line(&format!("{name} is removed, with all connections, agents and tokens."));
            Ok(())
        }
    }
}

async fn change(session: &mut Session, user: &str, admin: bool) -> Result<(), Failure> {
    let changed: User = session.ask("changing it", Order::Users(UserOrder::SetAdmin(user.to_owned(), admin))).await?;
    let now = if admin { "administers this server now" } else { "does not administer this server any more" };
    show::line(&format!("{} {now}.", changed.name));
    Ok(())
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
