//! Calls over WebRTC: a [`Call`] joins a caller's connection to the [`Carrier`](super::line::Carrier) of a line.
//!
//! ```text
//! connection ─ packets ─ hearing ─ frames ───┐
//!            ─ texts ─── presence, messages ─┼─ events ─> conversation
//!            <─ packets ─ playout <─ player ─┘            <─ texts
//! ```

mod call;
mod candidates;
mod connection;
mod hearing;
mod inbox;
mod playout;
mod presence;
mod sdp;
mod settings;

use std::fmt;

pub use call::Call;
pub use candidates::Reach;
pub use connection::Peer;
pub use sdp::{Offer, admit as admit_offer};
use serde::Deserialize;
pub use settings::{IceServer, Ports, Settings};

/// Why no call comes of an offer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The offer is none that can be answered.
    #[error("{0}")]
    Offer(String),
    /// The caller named more ways than are tried.
    #[error("this call has as many candidates as it may have: {}", candidates::MOST)]
    TooMany,
    /// All ports that media may come to are taken.
    #[error("no UDP port between {} and {} is free for another call", .0.first, .0.last)]
    NoPort(Ports),
}

impl Refused {
    fn because(error: impl fmt::Display) -> Self {
        Refused::Offer(format!("the offer cannot be answered: {error}"))
    }
}

/// A way to reach a caller (RFC 8839 §5.1), as clients send it after their offer. An empty one says that there are no
/// more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Candidate {
    /// The line, with `candidate:` at its beginning.
    #[serde(default)]
    pub candidate: String,
    /// The name of the section that it is for.
    #[serde(default, alias = "sdpMid")]
    pub sdp_mid: Option<String>,
    /// The number of the section that it is for.
    #[serde(default, alias = "sdpMLineIndex")]
    pub sdp_mline_index: Option<u16>,
}
