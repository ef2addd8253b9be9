//! Why there is no grant or no token.

use std::{sync::Arc, time::Duration};

use crate::vault::{self, ConnectionKey, Reason};

/// What the broker returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no grant or no token. The texts are fit for callers; they hold neither tokens nor anything that a
/// stranger put into a callback. It can be cloned because all who wait for one refresh get the same answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such connection.
    #[error("{0} is not connected. Connect it first")]
    NotConnected(ConnectionKey),
    /// The connection uses a key that a person typed in; there is nothing to refresh.
    #[error("{0} is not connected through OAuth")]
    NotOAuth(ConnectionKey),
    /// A person must consent again.
    #[error("{key} has to be connected again: {reason}")]
    NeedsReconnect {
        /// Which one.
        key: ConnectionKey,
        /// Why.
        reason: Reason,
    },
    /// The grant belongs to an OAuth client that is no longer set up.
    #[error("{0} was granted to another OAuth client than the present one: set that client up again, or reconnect")]
    OtherClient(ConnectionKey),
    /// The vendor or the store is out of reach. Nothing is lost.
    #[error("{why}; try again in {} s", retry_after.as_secs_f64().ceil())]
    Unavailable {
        /// What happened.
        why: String,
        /// When another try makes sense.
        retry_after: Duration,
    },
    /// The vendor refuses us, not the person: the operator has to look at the OAuth client.
    #[error(
        "{family} refused our OAuth client ({code}): the operator has to check the client id, the secret and the redirect URI"
    )]
    ClientRefused {
        /// The vendor family.
        family: String,
        /// The vendor's error code.
        code: String,
    },
    /// The state of a callback is missing, unknown, used or expired.
    #[error("this sign-in is not known here, was used already or took longer than ten minutes. Start it again")]
    BadState,
    /// The callback came from another browser than the one that started.
    #[error("this sign-in was started in another browser. Start it again in this one")]
    OtherBrowser,
    /// What was confirmed is not what was asked, or comes from another browser than was asked.
    #[error("this page does not ask any more. Start the sign-in again")]
    NotAsked,
    /// The callback comes from another server than the one that was asked.
    #[error("the answer does not come from the server that was asked. Start again")]
    OtherIssuer,
    /// The person said no.
    #[error("access was not granted")]
    Denied,
    /// A callback without code, or with a parameter twice.
    #[error("the vendor's answer is not complete. Start again")]
    BadCallback,
    /// The token answer leads to a host that is not the vendor's.
    #[error("{0} named an address outside of its own domains for this account, so nothing was connected")]
    ForeignInstance(String),
    /// What was asked of the broker does not fit.
    #[error("{0}")]
    BadRequest(String),
    /// The vendor's addresses are not set up right.
    #[error("{0}")]
    Setup(String),
    /// The vault failed.
    #[error(transparent)]
    Vault(Arc<vault::Error>),
}

impl From<vault::Error> for Error {
    fn from(error: vault::Error) -> Self {
        Error::Vault(Arc::new(error))
    }
}
