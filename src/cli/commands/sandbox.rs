//! `sandbox`: look at the twins, put them back, break them on purpose.

use crate::cli::{
    options::{Sandbox, SandboxAction},
    order::{Failure, Order, SandboxOrder, SandboxView},
    session::Session,
    show,
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
