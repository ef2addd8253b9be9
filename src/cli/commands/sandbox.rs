//! `sandbox`: look at the twins, put them back, break them on purpose.

use crate::{
    cli::{
        options::{Sandbox, SandboxAction},
        order::{Failure, Order, SandboxOrder, SandboxView},
        session::Session,
        show::{self, Cell, FAINT, GOOD, STRONG, WARN},
    },
    sandbox::Status,
};

/// `switchboard sandbox`
pub async fn run(session: &mut Session, sandbox: &Sandbox) -> Result<(), Failure> {
    let (order, json) = match sandbox.action.clone() {
        SandboxAction::Status => (SandboxOrder::Status, false),
        SandboxAction::Reset { seed } => (SandboxOrder::Reset { seed: seed.map(absolute).transpose()? }, false),
        SandboxAction::Diff { json } => (SandboxOrder::Diff, json),
        SandboxAction::Fault { vendor, what } => (SandboxOrder::Fault { vendor, what }, false),
        SandboxAction::Expire { vendor } => (SandboxOrder::Expire { vendor }, false),
        SandboxAction::Revoke { vendor } => (SandboxOrder::Revoke { vendor }, false),
    };
    let answer: SandboxView = session.ask("asking the sandbox", Order::Sandbox(order)).await?;
    if json {
        return show::json(&answer.structured);
    }
    show::line(answer.text.trim_end());
    Ok(())
}

/// The owner of the data directory may stand in another folder than we do.
fn absolute(path: std::path::PathBuf) -> Result<std::path::PathBuf, Failure> {
    std::fs::canonicalize(&path).map_err(|error| {
        Failure::new(format!("The seed {} cannot be read: {error}.", path.display())).next("Check the path.")
    })
}

/// `1 event`, `2 events`, `2 entries`.
fn counted(count: usize, kind: &str) -> String {
    match (count, kind.strip_suffix('y')) {
        (1, _) => format!("1 {kind}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        _ => format!("{count} {kind}s"),
    }
}

/// One line a twin.
pub fn status_text(twins: &[Status]) -> String {
    let rows = twins.iter().map(|twin| {
        let objects = twin.objects.iter().map(|(kind, count)| counted(*count, kind)).collect::<Vec<_>>();
        let fault = match &twin.fault {
            Some(fault) => Cell::styled(WARN, format!("broken on purpose: {fault}")),
            None => Cell::styled(GOOD, "works"),
        };
        vec![
            Cell::styled(STRONG, twin.vendor),
            Cell::new(&twin.account),
            Cell::new(objects.join(", ")),
            fault,
            Cell::styled(FAINT, &twin.base_url),
        ]
    });
    show::table(&rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted_as_people_do() {
        let counts = [(0, "event"), (1, "event"), (2, "event"), (2, "entry"), (3, "day")];
        let texts = counts.map(|(count, kind)| counted(count, kind));
        assert_eq!(texts, ["0 events", "1 event", "2 events", "2 entries", "3 days"]);
    }
}
