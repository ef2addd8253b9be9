//! `approvals`: what waits for a person's yes.

use crate::cli::{
    options::{ApprovalAction, Approvals},
    order::{ApprovalView, Failure, Order, WholeView},
    session::Session,
    show::{self, Cell, FAINT, STRONG},
};

/// `switchboard approvals`
pub async fn run(session: &mut Session, approvals: &Approvals) -> Result<(), Failure> {
    match &approvals.action {
        None => list(session).await,
        Some(ApprovalAction::Show { id }) => show_one(session, id).await,
        Some(ApprovalAction::Approve { id }) => decide(session, id, true).await,
        Some(ApprovalAction::Refuse { id }) => decide(session, id, false).await,
    }
}

async fn list(session: &mut Session) -> Result<(), Failure> {
    let waiting: Vec<ApprovalView> = session.ask("looking", Order::Approvals).await?;
    if waiting.is_empty() {
        show::line("Nothing waits for you.");
        return Ok(());
    }
    let rows = waiting.iter().map(|one| {
        vec![
            Cell::styled(STRONG, &one.id),
            Cell::new(if one.is_shortened { format!("{} (shortened)", one.question) } else { one.question.clone() }),
            Cell::styled(
                FAINT,
                format!("{} via {}, until {}", one.tool, one.agent, one.expires_at.strftime("%H:%M UTC")),
            ),
        ]
    });
    show::line(&show::table(&rows.collect::<Vec<_>>()));
    if waiting.iter().any(|one| one.is_shortened) {
        show::aside("Read what is shortened with `switchboard approvals show ID`.");
    }
    show::aside("Decide with `switchboard approvals approve ID` or `refuse ID`.");
    Ok(())
}

async fn show_one(session: &mut Session, id: &str) -> Result<(), Failure> {
    let WholeView { approval, whole } = session.ask("looking", Order::Approval { id: id.to_owned() }).await?;
    show::line(&whole);
    show::aside(&format!(
        "{} via {}, until {}",
        approval.tool,
        approval.agent,
        approval.expires_at.strftime("%H:%M UTC")
    ));
    Ok(())
}

async fn decide(session: &mut Session, id: &str, approve: bool) -> Result<(), Failure> {
    let order = Order::Decide { id: id.to_owned(), approve };
    let decided: ApprovalView = session.ask("writing it down", order).await?;
    if approve {
        show::line(&format!("Approved: {}", decided.question));
        show::aside("The call can be repeated now; the yes counts once.");
    } else {
        show::line(&format!("Refused: {}", decided.question));
    }
    Ok(())
}
