//! The nightly backup: when it is due, where it goes, and what `doctor` says of it.

use std::{num::NonZeroU32, path::PathBuf};

use jiff::{ToSpan, civil::Date};

use super::{
    house::{Home, House},
    order::{Failure, Finding},
};
use crate::{
    clock::SharedClock,
    config::Settings,
    moment::Zone,
    vault::{Vault, backups},
};

/// The folder in the data directory.
const FOLDER: &str = "backups";

/// How many are kept unless the settings say otherwise: a week shows a mistake that is noticed late.
const KEEP: u32 = 7;

/// The hour of the day, on this machine, from which one is made: hardly anybody works then.
const HOUR: i8 = 3;

/// Where backups go, and how many stay.
#[derive(Clone, Debug)]
pub struct Backups {
    dir: PathBuf,
    keep: NonZeroU32,
}

impl Backups {
    /// The backups of the store in `home`; none for the sandbox, for a database that several nodes share, and where
    /// the settings keep none.
    pub fn of(home: &Home, settings: &Settings, is_shared: bool) -> Result<Option<Backups>, Failure> {
        let set = settings.backups().map_err(Failure::of)?;
        let dir = set.dir.unwrap_or_else(|| home.dir.join(FOLDER));
        let keep = NonZeroU32::new(set.keep.unwrap_or(KEEP)).filter(|_| !home.is_sandbox && !is_shared);
        Ok(keep.map(|keep| Backups { dir, keep }))
    }

    /// Makes the backup of this night, when it is due and not there yet.
    pub async fn make_if_due(&self, vault: &Vault, clock: &SharedClock) {
        let Some(day) = due(clock) else { return };
        match vault.back_up(&self.dir, day, self.keep).await {
            Ok(None) => {}
            Ok(Some(made)) => {
                tracing::info!(file = %made.file.display(), left_out = made.left_out.len(), "a backup was made");
                made.left_out.iter().for_each(|why| tracing::warn!("a backup leaves a record out: {why}"));
            }
            Err(error) => tracing::error!(%error, "no backup could be made; the next try is in an hour"),
        }
    }

    /// How the backups are.
    pub fn finding(&self, clock: &SharedClock) -> Finding {
        let made = match backups(&self.dir) {
            Ok(made) => made,
            Err(error) => return Finding::bad("Backups", error.to_string(), "Make the folder readable for this user."),
        };
        let place = self.dir.display();
        let Some(newest) = made.last() else {
            return Finding::good("Backups", format!("none yet; the first one is made tonight in {place}"));
        };
        let found = format!("{} in {place}, the newest of {}", made.len(), newest.day);
        if newest.day >= today(clock).saturating_sub(2.days()) {
            return Finding::good("Backups", found);
        }
        Finding::bad("Backups", found, "Does `switchboard serve` run at night, and is there room? Its log says why.")
    }
}

/// What `doctor` says of the backups of a house.
pub(super) fn finding(house: &House) -> Finding {
    match &house.backups {
        Some(backups) => backups.finding(&house.clock),
        None if house.sandbox.is_some() => Finding::good("Backups", "none are made of a sandbox"),
        None if house.is_shared => Finding::good("Backups", "the database's own: back it up as its manual says"),
        None => Finding::bad("Backups", "none are made", "Set SWITCHBOARD_BACKUP_KEEP to how many should be kept."),
    }
}

/// The day whose backup should be there by now.
fn due(clock: &SharedClock) -> Option<Date> {
    let now = Zone::of_this_machine().local(clock.now());
    (now.hour() >= HOUR).then(|| now.date())
}

fn today(clock: &SharedClock) -> Date {
    Zone::of_this_machine().day_of(clock.now())
}
