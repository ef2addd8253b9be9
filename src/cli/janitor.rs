//! What has to be done from time to time in a process that runs for long.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use super::house::House;
use crate::hub::Deferred;

/// How often sign-ins and questions that nobody came back to are removed.
const SWEEP: Duration = Duration::from_mins(1);
/// How often every grant is looked at, so that an idle one does not die of being unused.
const KEEP_ALIVE: Duration = Duration::from_hours(12);
/// How often it is looked whether the nightly backup is due.
const BACK_UP: Duration = Duration::from_hours(1);
/// How long after the start these are done first: whoever waits for an answer then, comes before.
const SETTLED: Duration = Duration::from_secs(20);

/// Keeps a house tidy, for as long as the process lives.
pub async fn keep_tidy(house: Deferred<House>) {
    let Ok(house) = house.get().await else { return };
    let settled = Instant::now() + SETTLED;
    let (mut sweep, mut keep_alive) = (interval(SWEEP), interval_at(settled, KEEP_ALIVE));
    let mut back_up = interval_at(settled, BACK_UP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = sweep.tick() => self::sweep(&house).await,
            _ = keep_alive.tick() => house.accounts.keep_alive().await,
            _ = back_up.tick() => self::back_up(&house).await,
        }
    }
}

async fn sweep(house: &House) {
    if let Err(error) = house.sweep().await {
        tracing::warn!(%error, "expired sign-ins and questions were not removed");
    }
}

async fn back_up(house: &House) {
    if let Some(backups) = &house.backups {
        backups.make_if_due(&house.vault, &house.clock).await;
    }
}
