//! Why there is no answer.

use std::time::Duration;

use super::AuthorizeError;

/// What the client returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no answer to show. Texts name neither the query nor the body nor any credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request was sent and no whole answer came in time.
    #[error("the vendor did not answer within {} s", after.as_secs_f64().ceil())]
    Timeout {
        /// How long the client waited for the last attempt.
        after: Duration,
    },
    /// No connection came about, so the request surely did not arrive.
    #[error("the vendor cannot be reached: {why}")]
    Unreachable {
        /// What the network said.
        why: String,
    },
    /// The connection broke after the request had left.
    #[error("the connection to the vendor broke off: {why}")]
    Broken {
        /// What the network said.
        why: String,
    },
    /// The answer was cut because it is larger than the limit.
    #[error("the vendor's answer is larger than {limit} bytes; ask for less at once")]
    TooLarge {
        /// In bytes, after decompression.
        limit: usize,
    },
    /// The answer is not what its content type or the caller says it is.
    #[error("the vendor's answer cannot be read: {why}")]
    Unreadable {
        /// Where it goes wrong. Holds nothing of the answer.
        why: String,
    },
    /// Most of the latest calls to the vendor failed, so it is left alone for a while. Nothing was sent.
    #[error("the vendor is failing and rests; try again in {} s", retry_after.as_secs_f64().ceil())]
    Resting {
        /// Until the next try is let through.
        retry_after: Duration,
    },
    /// The vendor or our own budget asks for a pause that is longer than the caller can wait. Nothing was done.
    #[error("too many requests; try again in {} s", retry_after.as_secs_f64().ceil())]
    Limited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The last attempt came to nothing, and one before it may have been carried out.
    #[error(transparent)]
    Unsure(Box<Error>),
    /// Nobody wants the call any more of which this request was a part. It was not sent.
    #[error("the call was cancelled before this was sent")]
    Cancelled,
    /// The guard did not let the request out: not https, a foreign or a private address.
    #[error("the request was not sent: {0}")]
    Refused(String),
    /// There is no credential to send the request with.
    #[error(transparent)]
    Unauthorized(#[from] AuthorizeError),
    /// The request cannot be built, such as a path segment `..` or a header value with a line break.
    #[error("the request cannot be built: {0}")]
    BadRequest(String),
}

impl Error {
    /// Whether the vendor may have carried out the request although there is no answer.
    ///
    /// A tool that changes something says so instead of inviting a blind repeat.
    pub fn may_have_happened(&self) -> bool {
        use Error::{Broken, Timeout, TooLarge, Unreadable, Unsure};
        matches!(self, Timeout { .. } | Broken { .. } | TooLarge { .. } | Unreadable { .. } | Unsure(_))
    }

    /// How long to wait before another try, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Resting { retry_after } | Error::Limited { retry_after } => Some(*retry_after),
            Error::Unauthorized(AuthorizeError::Unavailable { retry_after, .. }) => *retry_after,
            Error::Unsure(last) => last.retry_after(),
            _ => None,
        }
    }
}
