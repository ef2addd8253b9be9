//! The voice agent: a conversation by sound that uses the tools, as one client among others.
//!
//! So far the parts that need no sound card, no network and no clock: whose turn it is, what to speak when, and what
//! was heard.

pub mod codec;
pub mod consent;
pub mod context;
pub mod conversation;
pub mod ears;
pub mod errands;
pub mod language;
pub mod line;
pub mod mouth;
pub mod peer;
pub mod reorder;
pub mod rtvi;
pub mod sentences;
pub mod services;
pub mod signalling;
pub mod spoken;
pub mod texts;
pub mod tones;
pub mod turn;
pub mod words;
