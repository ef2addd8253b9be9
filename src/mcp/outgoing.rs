//! A message on its way to a client, together with what it counts against until it is written.

use std::sync::Arc;

use crate::quota::Permit;

/// One message on its way out.
#[derive(Debug)]
pub struct Outgoing {
    /// The whole message.
    pub text: String,
    /// Given back when the message is written or dropped.
    pub(super) permit: Option<Arc<Permit>>,
}

impl Outgoing {
    /// A message that counts against `permit` until it is gone.
    pub fn counted(text: String, permit: Option<Arc<Permit>>) -> Self {
        Outgoing { text, permit }
    }

    /// The message, and what it counts against.
    pub fn into_parts(self) -> (String, Option<Arc<Permit>>) {
        (self.text, self.permit)
    }
}

impl From<String> for Outgoing {
    fn from(text: String) -> Self {
        Outgoing { text, permit: None }
    }
}
