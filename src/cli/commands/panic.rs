//! `panic`: ends everything after a theft, and writes down what was confirmed and what is left to do by hand.

use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    cli::{
        ask,
        options::{Panic, PanicAction},
        order::{Failure, Order, PanicOrder},
        session::Session,
        show::{self, BAD, Cell, FAINT, STRONG, WARN},
    },
    hub::emergency::{Progress, Report},
};

/// What the person types to go on.
const WORD: &str = "panic";

/// `switchboard panic`
pub async fn run(session: &mut Session, panic: &Panic) -> Result<(), Failure> {
    if let Some(PanicAction::Verify { file }) = &panic.action {
        return verify(session, file).await;
    }
    if !panic.yes {
        confirm().await?;
    }
    let mut progress: Progress = session.ask("shutting every door", Order::Panic(PanicOrder::Begin)).await?;
    if progress.resumed {
        show::aside(&format!("Going on with what began at {}.", progress.began_at));
    }
    show::aside("Every token, session, consent and approval is void; no connection is in use any more.");
    let all = progress.left + progress.done;
    while progress.left > 0 {
        let told = format!("ending grants at their vendors: {} of {all}", progress.done);
        progress = session.ask(&told, Order::Panic(PanicOrder::GoOn)).await?;
    }
    let report: Report = session.ask("writing the list", Order::Panic(PanicOrder::Report)).await?;
    let file = panic.out.clone().unwrap_or_else(|| usual_file(session, &report.signed));
    write(&file, &report.signed)?;
    session.ask::<()>("closing", Order::Panic(PanicOrder::Finish)).await?;
    tell(&report, &file);
    Ok(())
}

async fn confirm() -> Result<(), Failure> {
    if !ask::somebody() {
        return Err(Failure::new(
            "This ends every connection, token and session, and nobody is here to say yes to it.",
        )
        .next("Add `--yes`."));
    }
    show::aside(&show::styled(BAD, "This cannot be undone."));
    show::aside("Every account is disconnected, here and at its vendor, for everybody who uses this installation;");
    show::aside("every token, session, invitation and approval is void, and running calls end.");
    let typed = ask::line(&format!("Type `{WORD}` to go on")).await?;
    if typed == WORD { Ok(()) } else { Err(Failure::new("Nothing has been done.")) }
}

fn usual_file(session: &Session, signed: &Value) -> PathBuf {
    let began = signed["list"]["began_at"].as_str().unwrap_or_default();
    let began: String = began.chars().take(19).map(|c| if c.is_ascii_digit() { c } else { '-' }).collect();
    let id = signed["list"]["id"].as_str().unwrap_or_default();
    session.home.dir.join(format!("panic-{began}-{id}.json"))
}

/// Writes the list beside its place first, so that a full disk leaves no half of it there.
fn write(file: &Path, signed: &Value) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("The list cannot be written to {}: {error}.", file.display()))
            .next("Run the command again with `--out` and another place: it goes on where it was.")
    };
    let mut text = serde_json::to_vec_pretty(signed).map_err(Failure::of)?;
    text.push(b'\n');
    let draft = file.with_extension("json.new");
    let open = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft);
    let mut open = open.map_err(failed)?;
    open.write_all(&text).and_then(|()| open.sync_all()).map_err(failed)?;
    fs::rename(&draft, file).map_err(failed)
}

async fn verify(session: &mut Session, file: &Path) -> Result<(), Failure> {
    let unreadable = |why: String| {
        Failure::new(format!("{} is no list of an emergency: {why}.", file.display()))
            .next("Name the file that `panic` wrote.")
    };
    let text = fs::read(file).map_err(|error| unreadable(error.to_string()))?;
    let signed: Value = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    let is_genuine: bool = session.ask("checking the list", Order::Panic(PanicOrder::Verify { signed })).await?;
    if !is_genuine {
        return Err(Failure::new(format!("{} is not as this installation signed it.", file.display()))
            .next("It was changed, or comes from another installation."));
    }
    show::line(&format!("{} is as this installation signed it.", file.display()));
    Ok(())
}

fn tell(report: &Report, file: &Path) {
    let list = &report.signed["list"];
    let lines = |name: &str| list[name].as_array().map_or(&[][..], Vec::as_slice);
    let (ended, by_hand) = (lines("ended"), lines("to_be_ended_by_hand"));
    show::line(&format!("{} grants were ended; their vendors confirmed it.", ended.len()));
    if !by_hand.is_empty() {
        show::line(&show::styled(WARN, &format!("{} have to be ended by hand:", by_hand.len())));
        show::line(&show::table(&by_hand.iter().map(row).collect::<Vec<_>>()));
    }
    show::line(&format!("The signed list is in {}. `switchboard panic verify` checks it.", file.display()));
    show::aside(&format!("\nYour new administrator token, shown only this once:\n\n  {}\n", report.token.expose()));
    show::aside("Next: restart every node, `switchboard key rotate`, replace the client secrets of your OAuth apps at");
    show::aside("the vendors, and give people and agents new tokens. docs/operating.md has the whole of it.");
}

fn row(line: &Value) -> Vec<Cell> {
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let whose = if text("name").is_empty() { text("account") } else { text("name") };
    vec![
        Cell::styled(STRONG, text("vendor")),
        Cell::new(format!("{whose} ({})", text("user"))),
        Cell::new(text("page")),
        Cell::styled(FAINT, text("why")),
    ]
}
