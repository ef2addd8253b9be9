//! `audit`: which calls were made, and which were refused.

use crate::{
    audit::{Entry, Filter, Outcome},
    cli::{
        options::Audit,
        order::{AuditView, Failure, Order},
        session::Session,
        show::{self, BAD, Cell, FAINT, STRONG},
    },
};

/// `switchboard audit`
pub async fn run(session: &mut Session, audit: &Audit) -> Result<(), Failure> {
    let filter = Filter {
        user: audit.user.clone(),
        agent: audit.agent.clone(),
        integration: audit.integration.clone(),
        tool: audit.tool.clone(),
        outcome: audit.outcome.clone(),
    };
    let order = Order::Audit { filter, limit: audit.limit.into(), cursor: audit.cursor.clone() };
    let page: AuditView = session.ask("reading the audit", order).await?;
    if audit.json {
        return show::json(&page);
    }
    if page.entries.is_empty() {
        show::line("Nothing was called yet.");
        return Ok(());
    }
    let rows: Vec<Vec<Cell>> = page.entries.iter().map(row).collect();
    show::line(&show::table(&rows));
    if let Some(cursor) = page.cursor {
        show::aside(&format!("Older lines: `switchboard audit --cursor {cursor}`."));
    }
    Ok(())
}

fn row(entry: &Entry) -> Vec<Cell> {
    let outcome = match &entry.outcome {
        Outcome::Ok => Cell::new("ok"),
        Outcome::Error { code } => Cell::styled(BAD, format!("failed: {code}")),
        Outcome::Refused { why } => Cell::styled(BAD, format!("refused: {why}")),
    };
    let account = entry.connection.as_deref().map_or_else(String::new, |account| format!(" on {account}"));
    let target = entry.target.as_deref().map_or_else(String::new, |target| format!(", {target}"));
    let address = entry.address.map_or_else(String::new, |address| format!(" from {address}"));
    vec![
        Cell::styled(FAINT, entry.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
        Cell::styled(STRONG, &entry.tool),
        outcome,
        Cell::new(format!("{} ms", entry.millis)),
        Cell::styled(FAINT, format!("{} via {}{address}{account}, {}{target}", entry.user, entry.agent, entry.call)),
    ]
}
