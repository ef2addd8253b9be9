//! Looks at an installation and says what to do.

use jiff::SignedDuration;

use super::{
    backups,
    house::House,
    order::{Finding, HealthView},
    perform::Office,
};
use crate::{clock, id::UserId, tool::Kind, vault::Connection};

/// Everything that can be looked at from inside.
pub async fn look(office: &Office<'_>) -> HealthView {
    let house = office.house;
    let mut findings = vec![store(office).await, key(house).await, records(house).await, audit(house).await];
    if house.audit.lost() > 0 {
        let found = format!("{} lines could not be written", house.audit.lost());
        findings.push(Finding::bad("Audit", found, "Is the disk full? Make room; nothing else is lost."));
    }
    let user = UserId::new(crate::agents::LOCAL);
    match house.accounts.connections(&user).await {
        Ok(connections) if connections.is_empty() => findings.push(Finding::bad(
            "Connections",
            "nothing is connected",
            "Connect an account with `switchboard connect google-calendar`, or try `--sandbox`.",
        )),
        Ok(connections) => {
            for connection in &connections {
                findings.push(vendor(house, connection).await);
            }
        }
        Err(error) => findings.push(Finding::bad("Connections", error.what(), "Look at the log with `-v`.")),
    }
    findings.extend([redirect(office), clients(house).await, time(house, &user).await, backups::finding(house)]);
    HealthView { findings }
}

/// Where the identity is that everything is sealed with, and whether a rotation is still to be finished.
async fn key(house: &House) -> Finding {
    let place = &house.identity;
    match house.vault.identities().await {
        Ok((_, used)) if used > 1 => Finding::bad(
            "Key",
            format!("{place}; some records are still sealed with an older identity"),
            "Run `switchboard key rotate` once more: it was cut off, or a new identity was put in front.",
        ),
        Ok((1, _)) => Finding::good("Key", format!("{place}, one identity; keep a copy of it in a safe place")),
        Ok((all, _)) => Finding::good("Key", format!("{place}, {all} identities, the first is in use")),
        Err(error) => Finding::bad("Key", error.to_string(), "Look at the log with `-v`."),
    }
}

/// Whether every record can be opened and is ours.
async fn records(house: &House) -> Finding {
    match house.vault.damaged().await {
        Ok(damaged) if damaged.is_empty() => Finding::good("Records", "all can be opened, and are ours"),
        Ok(damaged) => {
            let shown = damaged.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
            let more = damaged.len().saturating_sub(NAMED);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            Finding::bad("Records", format!("{shown}{more}"), DAMAGED)
        }
        Err(error) => Finding::bad("Records", error.to_string(), "Look at the log with `-v`."),
    }
}

/// How many damaged records are named.
const NAMED: usize = 5;

const DAMAGED: &str = "They are passed over. Ask who can write to the store, then put a backup of it back; without one, \
    connect such an account again, make such a token, agent or person anew, or remove it.";

/// Whether the audit is as it was written.
async fn audit(house: &House) -> Finding {
    match house.audit.verify(None).await {
        Ok(verdict) => match verdict.findings.first() {
            None => Finding::good("Audit", format!("{} lines, all as they were written", verdict.lines)),
            Some(first) => Finding::bad("Audit", first, "`switchboard audit verify` tells all of it."),
        },
        Err(error) => Finding::bad("Audit", error.to_string(), "Look at the log with `-v`."),
    }
}

/// What has to stand in the vendors' consoles.
fn redirect(office: &Office<'_>) -> Finding {
    match office.redirect {
        Some(uri) if uri.starts_with("https://") => Finding::good("Redirect URI", uri),
        Some(uri) => Finding::good(
            "Redirect URI",
            format!("{uri}; vendors that want https need `serve --public-url`, or `connect --print-url`"),
        ),
        None => Finding::good("Redirect URI", "`connect` takes the answer itself; `serve` names its own when it runs"),
    }
}

/// For which vendors people can sign in.
async fn clients(house: &House) -> Finding {
    match house.accounts.clients().await {
        Ok((with, without)) if without.is_empty() => Finding::good("OAuth clients", with.join(", ")),
        Ok((with, without)) => {
            let with = if with.is_empty() { "none".to_owned() } else { with.join(", ") };
            let found = format!("{with}; not yet for {}", without.join(", "));
            Finding {
                next: Some("`switchboard app set FAMILY --client-id ID --client-secret-stdin` adds one.".into()),
                ..Finding::good("OAuth clients", found)
            }
        }
        Err(error) => Finding::bad("OAuth clients", error.what(), "Look at the log with `-v`."),
    }
}

async fn store(office: &Office<'_>) -> Finding {
    match office.house.vault.store().report().await {
        Ok(report) => Finding::good("Store", report.to_string()),
        Err(error) => {
            Finding::bad("Store", error.to_string(), "Restore the newest export, or name another --data-dir.")
        }
    }
}

/// Asks one vendor whether its connection works.
async fn vendor(house: &House, connection: &Connection) -> Finding {
    let key = &connection.key;
    match house.accounts.test(&key.user, &key.integration, Some(&key.account)).await {
        Ok(tested) => {
            let found = format!("{} answers in {} ms", tested.identity.name, tested.latency.as_millis());
            Finding::good(key.to_string(), found)
        }
        Err(error) => {
            let next = match error.kind() {
                Kind::Expired => house.connect_hint(&key.integration),
                _ => error.next_step().unwrap_or("Try again later.").to_owned(),
            };
            Finding::bad(key.to_string(), error.what(), next)
        }
    }
}

/// How far the clock may be off: tokens are renewed a minute before they end, and some end within minutes.
const OFF: SignedDuration = SignedDuration::from_secs(30);

/// Tokens are judged by the clock; one that is far off makes them all look expired, or good for too long.
async fn time(house: &House, user: &UserId) -> Finding {
    let now = house.clock.now().strftime("%Y-%m-%d %H:%M UTC");
    let ahead = house.clock.now().duration_since(clock::system().now()).abs();
    if house.sandbox.is_some() && ahead > OFF {
        return Finding::good("Clock", format!("{now}, as `--sandbox-time` set it for the twins"));
    }
    let Some((vendor, ahead)) = house.accounts.ahead_of_a_vendor(user).await else {
        return Finding::good("Clock", format!("{now}; not checked, because no connected vendor tells the time"));
    };
    let seconds = ahead.abs().as_secs();
    let off = match ahead.is_negative() {
        _ if seconds < 2 => format!("the same as {}'s", vendor.title),
        true => format!("{seconds} s behind {}'s", vendor.title),
        false => format!("{seconds} s ahead of {}'s", vendor.title),
    };
    let found = format!("{now}, {off}");
    if ahead.abs() <= OFF { Finding::good("Clock", found) } else { Finding::bad("Clock", found, SET_IT) }
}

const SET_IT: &str = "Set the machine's clock, best by a time service: tokens look expired, or good for too long.";
