//! `audit`: which calls were made, and which were refused.

use crate::{
    audit::{Entry, Filter, Outcome, Verdict},
    cli::{
        options::{Audit, AuditAction},
        order::{AuditView, Failure, Order},
        session::Session,
        show::{self, BAD, Cell, FAINT, STRONG},
    },
};

/// `switchboard audit`
pub async fn run(session: &mut Session, audit: &Audit) -> Result<(), Failure> {
    if let Some(AuditAction::Verify { head, json }) = &audit.action {
        return verify(session, head.clone(), *json).await;
    }
    let filter = Filter {
        user: audit.user.clone(),
        agent: audit.agent.clone(),
        integration: audit.integration.clone(),
        tool: audit.tool.clone(),
        outcome: audit.outcome.clone(),
    };
    let filter_is_set = filter != Filter::default();
    let order = Order::Audit { filter, limit: audit.limit.into(), cursor: audit.cursor.clone() };
    let page: AuditView = session.ask("reading the audit", order).await?;
    if audit.json {
        return show::json(&page);
    }
    if page.entries.is_empty() {
        let is_narrowed = filter_is_set || audit.cursor.is_some();
        show::line(if is_narrowed { "No line fits." } else { "Nothing was called yet." });
        return Ok(());
    }
    let rows: Vec<Vec<Cell>> = page.entries.iter().map(row).collect();
    show::line(&show::table(&rows));
    if let Some(cursor) = page.cursor {
        show::aside(&format!("Older lines: `switchboard audit --cursor {cursor}`."));
    }
    Ok(())
}

/// `switchboard audit verify`
async fn verify(session: &mut Session, head: Option<String>, json: bool) -> Result<(), Failure> {
    let verdict: Verdict = session.ask("checking every line", Order::VerifyAudit { head }).await?;
    if json {
        show::json(&verdict)?;
    } else {
        tell(&verdict);
    }
    match verdict.findings.len() {
        0 => Ok(()),
        count => {
            let lines = if count == 1 { "One thing is".to_owned() } else { format!("{count} things are") };
            Err(Failure::new(format!("{lines} not as written.")).next(
                "Somebody changed the store from outside, or it is damaged: compare it with a backup, and ask who can \
                 write to it.",
            ))
        }
    }
}

fn tell(verdict: &Verdict) {
    let Verdict { lines, taken_over, taken_out, head, findings } = verdict;
    for finding in findings {
        show::line(&show::styled(BAD, finding));
    }
    if findings.is_empty() {
        show::line(&format!("All {lines} lines are as they were written, in their order, and none is missing."));
    }
    if *taken_over > 0 {
        show::aside(&format!(
            "{taken_over} of them are from before lines were chained, or came out of an export: what they were before that, nobody can tell."
        ));
    }
    if *taken_out > 0 {
        show::aside(&format!("{taken_out} older ones were taken out, as `audit_rows` and `audit_days` say."));
    }
    if let Some(head) = head {
        show::aside(&format!(
            "The head is {head}. Kept elsewhere, it shows later that nothing was set back: `switchboard audit verify --head {head}`."
        ));
    }
}

fn row(entry: &Entry) -> Vec<Cell> {
    let outcome = match &entry.outcome {
        Outcome::Ok => Cell::new("ok"),
        Outcome::Error { code } => Cell::styled(BAD, format!("failed: {code}")),
        Outcome::Refused { why } => Cell::styled(BAD, format!("refused: {why}")),
        Outcome::Begun => Cell::styled(BAD, "begun, end unknown"),
    };
    let times = if entry.times > 1 { format!(", {} times", entry.times) } else { String::new() };
    let until = entry.until.map_or_else(String::new, |until| format!(" until {}", until.strftime("%H:%M:%S")));
    let via = entry.via.as_deref().map_or_else(String::new, |via| format!(" by {via}"));
    let account = entry.connection.as_deref().map_or_else(String::new, |account| format!(" on {account}"));
    let target = entry.target.as_deref().map_or_else(String::new, |target| format!(", {target}"));
    let address = entry.address.map_or_else(String::new, |address| format!(" from {address}"));
    vec![
        Cell::styled(FAINT, entry.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
        Cell::styled(STRONG, &entry.tool),
        outcome,
        Cell::new(format!("{} ms", entry.millis)),
        Cell::styled(
            FAINT,
            format!("{} via {}{address}{via}{account}, {}{target}{times}{until}", entry.user, entry.agent, entry.call),
        ),
    ]
}
