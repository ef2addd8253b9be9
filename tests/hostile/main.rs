//! What strangers send to the real program: it stays up, others are served meanwhile, and nobody gets what is not
//! theirs. Each file holds one rule, over real sockets; inputs are harmless to the libraries below and refused by us.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod audit_is_kept;
#[path = "../product/browser.rs"]
mod browser;
mod bytes;
mod calls;
#[cfg(feature = "voice")]
mod candidates;
#[path = "../product/client.rs"]
mod client;
mod consents;
mod echoed_credential;
mod gone_clients;
#[path = "../product/legacy.rs"]
mod legacy;
mod mails;
mod office;
mod open_server;
mod outside_text;
mod panic_button;
mod persons_only;
#[cfg(feature = "voice")]
mod phone_lines;
mod shares;
mod silent;
#[path = "../support/mod.rs"]
mod support;
mod target;
mod tokens;
mod what_the_approver_reads;
