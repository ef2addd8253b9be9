//! What must hold whatever bytes a stranger sends: one check for each fuzz target.
//!
//! `tests/fuzz.rs` of the main crate replays the corpora through the same checks.

#[cfg(feature = "voice")]
mod calls;
mod mails;
mod messages;
mod pipes;
mod seals;
mod texts;

#[cfg(feature = "voice")]
pub use calls::{consent, offer, question};
pub use mails::{mail, page, quoted};
pub use messages::{envelope, headers};
pub use pipes::pipe;
pub use seals::{session, state};
pub use texts::{arguments, formula, markdown, moment, mrkdwn, range, soql};
