//! `export` and `import`: everything that lasts, in one sealed file.

use std::{
    io::BufRead,
    path::{Path, PathBuf},
};

use crate::{
    cli::{
        options::{Export, Import},
        order::{Failure, LockView, OpenerView, Order},
        session::Session,
        show,
    },
    config::Environment,
    secret::Secret,
    vault::{Exported, Imported},
};

/// The variable with the passphrase; with `_FILE` behind it, that of a file with it.
const PASSPHRASE: &str = "SWITCHBOARD_EXPORT_PASSPHRASE";

/// `switchboard export`
pub async fn export(session: &mut Session, export: &Export) -> Result<(), Failure> {
    let lock = match &export.recipient {
        Some(recipient) => LockView::Recipient(recipient.clone()),
        None => LockView::Passphrase(passphrase(export.passphrase_stdin)?.ok_or_else(|| {
            Failure::new("An export is sealed, and nothing says for whom.").next(format!(
                "Add --recipient age1… or --passphrase-stdin, or set {PASSPHRASE}_FILE to a file with a passphrase."
            ))
        })?),
    };
    let order = Order::Export { file: absolute(&export.file)?, lock };
    let done: Exported = session.ask("sealing everything", order).await?;
    let counts = done.records.iter().map(|(table, count)| format!("{count} {}", table.replace('_', " ")));
    show::line(&format!("{} holds {}.", done.file.display(), listed(counts)));
    show::aside("Without the passphrase or the identity of the recipient nobody can open it, you neither.");
    match done.left_out.len() {
        0 => Ok(()),
        count => {
            done.left_out.iter().for_each(|why| show::aside(&format!("Left out: {why}.")));
            let records = if count == 1 { "One record".to_owned() } else { format!("{count} records") };
            Err(Failure::new(format!("{records} could not be opened and left out of the file.")).next(
                "The file is whole otherwise. Connect what was left out again, or restore a backup of the store.",
            ))
        }
    }
}

/// `switchboard import`
pub async fn import(session: &mut Session, import: &Import) -> Result<(), Failure> {
    let opener = match &import.identity {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::new(format!("{} cannot be read: {error}.", file.display())))?;
            OpenerView::Identities(Secret::new(text))
        }
        None => OpenerView::Passphrase(passphrase(import.passphrase_stdin)?.ok_or_else(|| {
            Failure::new("Nothing says how to open the file.").next(format!(
                "Add --identity FILE or --passphrase-stdin, or set {PASSPHRASE}_FILE to a file with the passphrase."
            ))
        })?),
    };
    let order = Order::Import { file: absolute(&import.file)?, opener, clash: import.on_conflict.into() };
    let done: Imported = session.ask("taking everything over", order).await.map_err(|failure| match failure.next {
        None if failure.what.contains("say something else") => {
            failure.next("Repeat it with --on-conflict keep, or with --on-conflict replace.")
        }
        _ => failure,
    })?;
    let Imported { added, same, replaced, kept, audit } = done;
    let counts = [(added, "added"), (replaced, "replaced"), (kept, "kept as they were"), (same, "here already")];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    show::line(&format!("Imported {}: {}; {audit} lines of the audit.", import.file.display(), listed(counts)));
    show::aside(
        "If the store that it came from goes on refreshing the same accounts, stop it: one of the two would lose them.",
    );
    Ok(())
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// The passphrase, from stdin or from the environment.
fn passphrase(from_stdin: bool) -> Result<Option<Secret>, Failure> {
    if !from_stdin {
        return Environment::of_this_process().secret(PASSPHRASE).map_err(Failure::of);
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(Failure::of)?;
    Ok(Some(Secret::new(line.trim_end_matches(['\r', '\n']))))
}

/// The owner of the data directory may be at work in another folder.
fn absolute(file: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(file).map_err(Failure::of)
}
