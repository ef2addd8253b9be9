//! `doctor`: checks this installation and says what to do.

use crate::cli::{
    commands::serve::DEFAULT_LISTEN,
    options::Output,
    order::{Failure, Finding, HealthView, Order},
    session::Session,
    show::{self, BAD, GOOD, STRONG},
};

/// `switchboard doctor`
pub async fn run(session: &mut Session, output: &Output) -> Result<(), Failure> {
    let mut findings = vec![home(session), files(session)];
    let health: HealthView = session.ask("looking everywhere", Order::Health).await?;
    findings.extend(health.findings);
    findings.push(port(session));
    if output.json {
        return show::json(&findings);
    }
    findings.iter().for_each(print);
    let troubles = findings.iter().filter(|finding| !finding.ok).count();
    match troubles {
        0 => {
            show::line("All is well.");
            Ok(())
        }
        1 => Err(Failure::new("One thing needs attention.")),
        many => Err(Failure::new(format!("{many} things need attention."))),
    }
}

fn home(session: &Session) -> Finding {
    let owner = if session.is_elsewhere() { "a running process owns it" } else { "nobody else uses it" };
    Finding::good("Data directory", format!("{} ({owner})", session.home.dir.display()))
}

/// Everything in the data directory is for this user's eyes only.
#[cfg(unix)]
fn files(session: &Session) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    let dir = &session.home.dir;
    match std::fs::metadata(dir).map(|metadata| metadata.permissions().mode() & 0o077) {
        Ok(0) => Finding::good("Permissions", "only this user can look into it"),
        Ok(_) => {
            let next = format!("Run `chmod 700 {}`.", dir.display());
            Finding::bad("Permissions", "others can look into the data directory", next)
        }
        Err(error) => Finding::bad("Permissions", error.to_string(), "Name another folder with --data-dir."),
    }
}

/// Whether `serve` could listen, or does.
fn port(session: &Session) -> Finding {
    let address = session.settings.file.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
    match std::net::TcpListener::bind(address) {
        Ok(_) => Finding::good("Port", format!("{address} is free for `serve`")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && session.is_elsewhere() => {
            Finding::good("Port", format!("{address} is in use, most likely by the process that runs here"))
        }
        Err(error) => Finding::bad(
            "Port",
            format!("{address} cannot be listened on: {error}"),
            "Stop the program that has it, or give `serve` another with --listen 127.0.0.1:PORT.",
        ),
    }
}

fn print(finding: &Finding) {
    let mark = if finding.ok { show::styled(GOOD, "✓") } else { show::styled(BAD, "✗") };
    show::line(&format!("{mark} {}: {}", show::styled(STRONG, &finding.what), finding.found));
    if let Some(next) = &finding.next {
        show::line(&format!("    {next}"));
    }
}
