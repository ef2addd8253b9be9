//! Who signs the requests: a source of credentials that can renew them.

use std::{fmt, time::Duration};

use super::{HeaderMap, Pending};

/// Puts a credential on each request of a [`Lane`](super::Lane).
pub trait Authorize: Send + Sync + fmt::Debug {
    /// The headers that carry the credential. Asked before every attempt; the client marks the values as sensitive.
    fn headers(&self) -> Pending<'_, Result<HeaderMap, AuthorizeError>>;

    /// The vendor answered 401. `true` means that a fresh credential is there and the request is worth one more try.
    fn refused(&self) -> Pending<'_, Result<bool, AuthorizeError>>;
}

/// Why no credential could be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeError {
    /// Only the owner can mend it, by connecting again.
    #[error("the connection has to be made again: {reason}")]
    NeedsReconnect {
        /// What ended the grant, as a sentence's end.
        reason: String,
    },
    /// The credential is out of reach for now; nothing is lost.
    #[error("the credential is not available at the moment: {reason}")]
    Unavailable {
        /// What is in the way, as a sentence's end.
        reason: String,
        /// When another try makes sense, if that is known.
        retry_after: Option<Duration>,
    },
}
