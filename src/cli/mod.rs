//! The commands, and the one place where everything is put together.

mod ask;
pub mod backups;
mod callback;
mod chronicle;
pub mod commands;
mod deeds;
mod doctor;
pub mod door;
pub mod house;
pub mod install;
mod janitor;
pub mod options;
pub mod order;
pub mod owner;
mod pages;
pub mod people;
mod perform;
mod private;
mod reception;
mod relay;
pub mod sandbox_time;
mod session;
pub mod show;
pub mod storage;
mod twins;
#[cfg(feature = "voice")]
mod voice;
#[cfg(not(feature = "voice"))]
#[path = "voiceless.rs"]
mod voice;

use std::process::ExitCode;

use clap::Parser;
use options::{Cli, Command};
use order::Failure;
use session::Session;

use crate::telemetry::{self, Loudness};

/// Reads the command line, does what it says, and tells how it went.
pub fn run() -> ExitCode {
    let mut cli = Cli::parse_from(arguments(std::env::args_os()));
    // Who speaks of the sandbox means the sandbox.
    cli.place.sandbox |= matches!(cli.command, Command::Sandbox(_));
    // A command says itself what went wrong; a log beside that would say it twice.
    let serves = matches!(cli.command, Command::Serve(_) | Command::Stdio(_));
    let is_quiet = cli.place.quiet || (!serves && cli.place.verbose == 0);
    telemetry::start(Loudness::of(is_quiet, cli.place.verbose));
    if cli.place.sandbox && cli.place.store.is_some() {
        let what = "--store has no say in the sandbox: its twins and their accounts have a store of their own.";
        show::aside(&format!("{} {what}", show::styled(show::WARN, "warning:")));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::new(format!("The program cannot start: {error}."))),
    };
    let done = runtime.block_on(perform(cli));
    // A read from stdin cannot be called back; it must not keep the process alive.
    runtime.shutdown_background();
    done.unwrap_or_else(|failure| fail(&failure))
}

/// `--stdio` in place of a command is the command `stdio`, as other servers of this kind have it.
fn arguments(given: impl Iterator<Item = std::ffi::OsString>) -> impl Iterator<Item = std::ffi::OsString> {
    given.enumerate().map(|(at, argument)| if at == 1 && argument == "--stdio" { "stdio".into() } else { argument })
}

async fn perform(cli: Cli) -> Result<ExitCode, Failure> {
    match &cli.command {
        Command::Serve(options) => return Box::pin(commands::serve::run(&cli.place, options)).await,
        Command::Stdio(options) => return commands::stdio::run(&cli.place, options).await,
        Command::Install(options) => return install::run(&cli.place, options),
        _ => {}
    }
    let mut session = Session::open(&cli.place).await?;
    if let Command::Connect(_) = cli.command {
        session.welcome()?;
    }
    let done = Box::pin(command(&mut session, &cli.command)).await;
    session.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn command(session: &mut Session, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Connect(connect) => commands::connect::run(session, connect).await,
        Command::Connections(output) => commands::accounts::list(session, output).await,
        Command::Test(which) => commands::accounts::test(session, which).await,
        Command::Disconnect(which) => commands::accounts::disconnect(session, which).await,
        Command::App(app) => commands::accounts::app(session, &app.action).await,
        Command::Tools(tools) => commands::tools::list(session, tools).await,
        Command::Search(search) => commands::tools::search(session, search).await,
        Command::Call(call) => commands::call::run(session, call).await,
        Command::Approvals(approvals) => commands::approvals::run(session, approvals).await,
        Command::Users(users) => commands::users::run(session, users).await,
        Command::Agents(agents) => commands::agents::run(session, agents).await,
        Command::Audit(audit) => commands::audit::run(session, audit).await,
        Command::Export(export) => commands::carry::export(session, export).await,
        Command::Import(import) => commands::carry::import(session, import).await,
        Command::Key(key) => commands::key::run(session, &key.action).await,
        Command::Panic(panic) => commands::panic::run(session, panic).await,
        Command::Sandbox(sandbox) => commands::sandbox::run(session, sandbox).await,
        Command::Doctor(output) => commands::doctor::run(session, output).await,
        Command::Serve(_) | Command::Stdio(_) | Command::Install(_) => Ok(()),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    show::aside(&format!("{} {}", show::styled(show::BAD, "error:"), failure.what));
    if let Some(next) = &failure.next {
        show::aside(&format!("       {next}"));
    }
    ExitCode::FAILURE
}
