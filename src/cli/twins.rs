//! How the twins are, for people to read.

use super::show::{self, Cell, FAINT, GOOD, STRONG, WARN};
use crate::sandbox::Status;

/// `1 event`, `2 events`, `2 entries`.
fn counted(count: usize, kind: &str) -> String {
    match (count, kind.strip_suffix('y')) {
        (1, _) => format!("1 {kind}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        _ => format!("{count} {kind}s"),
    }
}

/// One line a twin.
pub fn table(twins: &[Status]) -> String {
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
