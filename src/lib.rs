//! Switchboard: a company's SaaS tools in reach of every language model, IDE assistant and phone call.
//!
//! The modules stand in layers, and imports point down. From the ground up:
//!
//! | layer | modules | what they are |
//! |---|---|---|
//! | 1 | [`secret`] [`id`] [`clock`] [`compute`] [`text`] | what everything else is made of |
//! | 2 | [`quota`] [`listen`] [`config`] [`telemetry`] [`schema`] [`moment`] | how much people may have under way; the accept loop; settings, logs, portable JSON schemas, times as people write them |
//! | 3 | [`http`] [`sandbox`] | the outgoing client; offline twins of the vendors |
//! | 4 | [`store`] | one trait, several engines |
//! | 5 | [`vault`] [`agents`] [`audit`] [`approvals`] | sealed credentials; who may do what; who did what; what waits for a person |
//! | 6 | [`oauth`] [`issuer`] | grants: start, callback, refresh; access tokens that others issue for us |
//! | 7 | [`tool`] [`shelf`] | what a tool is; on top of it, resources and prompts |
//! | 8 | [`integrations`] | one file or folder per vendor |
//! | 9 | [`hub`] | the one door to every tool |
//! | 10 | [`mcp`] [`api`] | the protocol; REST |
//! | 11 | [`transport`] [`console`] | stdio, `/mcp`, `/ws`; pages for people |
//! | 12 | [`cli`] | commands, and the place where everything is put together |

pub mod agents;
pub mod api;
pub mod approvals;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod compute;
pub mod config;
pub mod console;
pub mod http;
pub mod hub;
pub mod id;
pub mod integrations;
pub mod issuer;
pub mod listen;
pub mod mcp;
pub mod moment;
pub mod oauth;
pub mod quota;
pub mod sandbox;
pub mod schema;
pub mod secret;
pub mod shelf;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod tool;
pub mod transport;
pub mod vault;
#[cfg(feature = "voice")]
pub mod voice;
