//! `key`: the master identity that seals every stored credential.

use crate::cli::{
    options::KeyAction,
    order::{Failure, Order, RotationView},
    session::Session,
    show,
};

/// `switchboard key`
pub async fn run(session: &mut Session, action: &KeyAction) -> Result<(), Failure> {
    match action {
        KeyAction::Rotate => rotate(session).await,
    }
}

async fn rotate(session: &mut Session) -> Result<(), Failure> {
    let done: RotationView = session.ask("sealing every record anew", Order::RotateKey).await?;
    match (&done.place, done.records) {
        (Some(place), records) => {
            show::line(&format!("A new identity seals all records now; {records} were sealed anew."));
            show::aside(&format!("It stands first in {place}. Replace your copy of it."));
            show::aside("The old identity stays below it, for backups from before; nothing here needs it any more.");
        }
        (None, 0) => {
            show::line("Every record is sealed with the first identity already.");
            show::aside(
                "To rotate, put a new line from `age-keygen` first into SWITCHBOARD_IDENTITY, or into the identity \
                 file of every node that shares the store (docs/nodes.md), and start again.",
            );
        }
        (None, records) => {
            show::line(&format!("{records} records were sealed anew with the first identity."));
            show::aside("The identities behind the first are needed for old backups only.");
        }
    }
    left_alone(&done.damaged)
}

/// What could not be opened was passed over; whoever rotates must not take everything for done.
fn left_alone(damaged: &[String]) -> Result<(), Failure> {
    for why in damaged {
        show::aside(&format!("Left as it is: {why}."));
    }
    match damaged.len() {
        0 => Ok(()),
        count => {
            let records = if count == 1 { "One record".to_owned() } else { format!("{count} records") };
            Err(Failure::new(format!("{records} could not be opened and stayed as before."))
                .next("`switchboard doctor` says what to do about each; then rotate once more."))
        }
    }
}
