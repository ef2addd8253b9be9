//! How answers look on a terminal: colours only there, tables that line up, progress for what takes longer.
//!
//! `anstream` drops colours where nobody would see them (and honours `NO_COLOR`), `indicatif` draws progress.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::order::Failure;

/// What stands out.
pub const STRONG: Style = Style::new().bold();
/// What went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What someone should look at.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// What went wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is less important.
pub const FAINT: Style = Style::new().dimmed();

/// The text in a style.
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A line on stdout.
pub fn line(text: &str) {
    anstream::println!("{text}");
}

/// A line on stderr: what is said beside the answer.
pub fn aside(text: &str) {
    anstream::eprintln!("{text}");
}

/// JSON on stdout, for programs.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    line(&serde_json::to_string_pretty(value).map_err(Failure::of)?);
    Ok(())
}

/// Rows in columns that line up; the last column is as long as it likes.
pub fn table(rows: &[Vec<Cell>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells =
            row.iter().enumerate().map(|(at, cell)| cell.padded(if at + 1 == row.len() { 0 } else { widths[at] }));
        cells.collect::<Vec<_>>().join("  ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// One cell of a table.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    style: Style,
    right: bool,
}

impl Cell {
    /// Plain text.
    pub fn new(text: impl Into<String>) -> Self {
        Cell { text: text.into(), style: Style::new(), right: false }
    }

    /// Text in a style.
    pub fn styled(style: Style, text: impl Into<String>) -> Self {
        Cell { style, ..Cell::new(text) }
    }

    /// A figure, set to the right.
    pub fn figure(number: usize) -> Self {
        Cell { right: true, ..Cell::new(number.to_string()) }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }

    fn padded(&self, width: usize) -> String {
        let blanks = " ".repeat(width.saturating_sub(self.width()));
        let text = styled(self.style, &self.text);
        if self.right { format!("{blanks}{text}") } else { format!("{text}{blanks}") }
    }
}

/// Shows on a terminal that something is under way, if it takes longer than a blink.
pub async fn waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    if let Ok(done) = tokio::time::timeout(Duration::from_millis(400), &mut work).await {
        return done;
    }
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style).with_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    let done = work.await;
    bar.finish_and_clear();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [
            vec![Cell::new("a"), Cell::figure(5), Cell::new("last")],
            vec![Cell::new("long"), Cell::figure(120), Cell::new("x")],
        ];
        assert_eq!(table(&rows), "a       5  last\nlong  120  x");
    }
}
