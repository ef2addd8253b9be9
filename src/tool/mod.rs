//! What a tool is: typed arguments, an effect on the world, the scopes it needs, and an async body.
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use switchboard::tool::{Answer, Call, Effect, Result, Scopes, Tool, ToolDef};
//!
//! /// Says how long a text is.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Measure {
//!     /// The text, such as `hello`.
//!     text: String,
//! }
//!
//! /// How long it is.
//! #[derive(Serialize, JsonSchema)]
//! struct Length {
//!     /// In characters.
//!     characters: usize,
//! }
//!
//! impl Answer for Length {
//!     fn text(&self) -> String {
//!         format!("{} characters", self.characters)
//!     }
//! }
//!
//! impl Tool for Measure {
//!     const NAME: &'static str = "text_measure";
//!     const EFFECT: Effect = Effect::Reads;
//!     const SCOPES: Scopes = Scopes::NONE;
//!     type Output = Length;
//!
//!     async fn call(self, _cx: &Call) -> Result<Length> {
//!         Ok(Length { characters: self.text.chars().count() })
//!     }
//! }
//!
//! const TOOLS: &[ToolDef] = &[ToolDef::of::<Measure>()];
//! assert_eq!(TOOLS[0].name, "text_measure");
//! ```

mod address;
mod asking;
mod call;
mod client;
mod condition;
mod convert;
mod def;
mod door;
mod error;
pub mod html;
mod icon;
mod integration;
mod leads;
mod markup;
mod naming;
mod page;
mod pairs;
mod question;
pub mod quotes;
mod readable;
mod record;
mod relevance;
mod row;
mod telling;
mod written;

pub use address::{addresses, addresses_in};
pub use asking::{Asking, Noted};
pub use call::{Account, Call, CallParts, Memory, Progress, State, Upstream};
pub use client::{Ability, Ask, Boxed, Client, Elicited, Level, Page, What};
pub use condition::{Condition, Test};
pub use convert::convert;
pub use def::{Handler, Running, RuntimeTool, ToolDef};
pub use door::{Door, Errand, Reading};
pub(crate) use error::sentence;
pub use error::{Error, Kind, Result, in_short};
pub use icon::{Icon, Theme};
pub use integration::{Category, Field, Host, Identity, Integration, Probing, bearer};
pub use leads::Leads;
pub use markup::Markup;
pub use naming::{Named, ambiguous, one_of, unknown};
pub use page::{Cursor, Left};
pub use pairs::{Choice, Closed, Holds, Pair, Slot, typed};
pub use question::{Question, excerpt, people};
pub use readable::{Document, File, Finder, Readable};
pub use record::{Fact, Record, Records, Saved, Saving, told};
pub use relevance::{relevance, words};
pub use row::{Content, Link, Outcome, Row, Toolset};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
pub use written::{LABEL, OUTSIDE, Written, closed, fenced, visible};

/// One function that a model may call.
///
/// The implementing type *is* the arguments. Its doc comment is the description that the model reads, its
/// fields are the parameters, and `call` consumes it.
pub trait Tool: DeserializeOwned + JsonSchema + Send + 'static {
    /// The full name, `integration_verb_object`, spelled out so that a search finds it.
    const NAME: &'static str;
    /// What a call does to the world; the MCP hints, the levels and the approvals follow from it.
    const EFFECT: Effect;
    /// Whether a repeated call with the same arguments has no further effect.
    const IDEMPOTENT: bool = Self::EFFECT.is_idempotent();
    /// What the connected account must have granted.
    const SCOPES: Scopes;
    /// What can be read by its address wherever this tool may be called: the record that it shows, the documents that
    /// its answers link to. Only a tool that [`Reads`](Effect::Reads) may have any.
    const READABLE: &'static [Readable] = &[];
    /// The hosts that it asks beside the integration's own.
    const HOSTS: &'static [Host] = &[];
    /// What a call returns: ours, never the vendor's own shape.
    type Output: Answer;

    /// Does the work. Declared this way so that `async fn call` in an impl is checked to be `Send`.
    fn call(self, cx: &Call) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// A result: structure for programs, text for models.
pub trait Answer: Serialize + JsonSchema {
    /// What the model reads: short lines, names beside ids, nothing that says nothing.
    fn text(&self) -> String;

    /// What belongs to the result and is too large for it, by address: attachments, whole texts.
    fn links(&self) -> Vec<Link> {
        Vec::new()
    }
}

/// What a call does to the world outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Looks, and changes nothing.
    Reads,
    /// Makes something new; nothing that existed is altered.
    Adds,
    /// Alters what exists, and can be set back.
    Changes,
    /// Leaves the house: mail, a message, an answer to an invitation. Asks when the agent's setting says so.
    Sends,
    /// Cannot be set back: money moves, a record or a meeting is gone. Always asks first.
    Irreversible,
}

impl Effect {
    /// Whether a repeat has no further effect, unless the tool says otherwise.
    pub const fn is_idempotent(self) -> bool {
        matches!(self, Effect::Reads | Effect::Changes | Effect::Irreversible)
    }

    /// Whether something that existed may be altered or be gone afterwards.
    pub const fn is_destructive(self) -> bool {
        matches!(self, Effect::Changes | Effect::Irreversible)
    }
}

/// The OAuth scopes that allow a call: any one of these, the smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(pub &'static [&'static str]);

impl Scopes {
    /// A call needs nothing granted.
    pub const NONE: Scopes = Scopes(&[]);

    /// The one to ask for.
    pub fn smallest(self) -> Option<&'static str> {
        self.0.first().copied()
    }

    /// Whether one of `granted` allows the call.
    pub fn are_met_by(self, granted: &[String]) -> bool {
        self.0.is_empty() || self.0.iter().any(|scope| granted.iter().any(|have| have == scope))
    }
}
