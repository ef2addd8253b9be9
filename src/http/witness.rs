//! What happens between a request and its answer, for whoever waits and wants to know.

use std::{fmt, time::Duration};

use super::{Method, StatusCode};

/// Hears what happens to the requests of a [`Lane`](super::Lane). It must never block.
pub trait Witness: Send + Sync + fmt::Debug {
    /// `vendor` is the lane's. Values of path, query, headers and bodies never come here.
    fn hear(&self, vendor: &str, event: &Event<'_>);
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The vendor was asked once.
    Asked {
        /// How.
        method: &'a Method,
        /// The path with names in place of values.
        path: &'a str,
        /// What it answered; nothing where no answer came.
        status: Option<StatusCode>,
        /// After how long.
        took: Duration,
    },
    /// The connection has to wait for its turn, so that it keeps to the vendor's rate.
    Turn {
        /// How long.
        wait: Duration,
    },
    /// The request failed, and will be sent again.
    Again {
        /// What the vendor answered; nothing where no answer came.
        status: Option<StatusCode>,
        /// After which pause.
        pause: Duration,
        /// How often it has been sent by now.
        attempt: u32,
    },
    /// The vendor refused the credential, which has been renewed; the request will be sent again.
    Renewed,
}
