//! Asking the person at the terminal.
//!
//! `rpassword` reads what must not be shown while it is typed; the standard library cannot.

use std::io::{BufRead, IsTerminal, Write};

use super::order::Failure;
use crate::secret::Secret;

/// Whether there is a person to ask: both what they see and what they type is a terminal.
pub fn somebody() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A line that the person types.
pub async fn line(question: &str) -> Result<String, Failure> {
    anstream::eprint!("{question}: ");
    let read = tokio::task::spawn_blocking(|| {
        std::io::stderr().flush()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = read.await.map_err(Failure::of)?.map_err(Failure::of)?;
    let line = line.trim().to_owned();
    if line.is_empty() { Err(Failure::new("There was no answer.").next("Start again.")) } else { Ok(line) }
}

/// Asks before something is done that cannot be undone. A program has to say beforehand that it is meant.
pub async fn before(what: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !somebody() {
        return Err(Failure::new(format!("{what} Nobody can be asked here, so nothing was done."))
            .next("Say that it is meant with `--yes`."));
    }
    match line(&format!("{what} Go on? [yes/no]")).await?.to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new("Nothing was done.")),
    }
}

/// A secret that the person pastes; it is not shown.
pub async fn secret(question: &str) -> Result<Secret, Failure> {
    let question = format!("{question} (not shown): ");
    let read = tokio::task::spawn_blocking(move || rpassword::prompt_password(question));
    let text = read.await.map_err(Failure::of)?.map_err(Failure::of)?;
    let secret = Secret::new(text.trim());
    if secret.is_empty() { Err(Failure::new("There was no answer.").next("Start again.")) } else { Ok(secret) }
}
