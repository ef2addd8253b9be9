//! Grants: start, callback, refresh, and their end.
//!
//! The [`Broker`] asks a person for consent at a vendor, keeps what comes of it in the vault, and hands out access
//! tokens that are fresh. What is special about a vendor stands in its [`Provider`], a constant of the integration.
//!
//! `oauth2` is used for the parts of the protocol that every vendor shares: authorize URLs, PKCE, and how a client
//! authenticates itself; it stays inside `wire`. Its answers are not used, because too few vendors keep to the
//! standard's form, and its errors would carry tokens into logs.

mod bearer;
mod broker;
mod check;
mod confirm;
mod consent;
mod device;
mod endpoints;
mod error;
mod place;
mod provider;
mod refresh;
mod revoke;
mod template;
mod token;
mod wire;

pub use bearer::Bearer;
pub use broker::{Broker, Fresh, Refreshes};
pub use check::ClientCheck;
pub use confirm::{Confirmation, Received};
pub use consent::{Callback, Connected, Start, Started};
pub use device::StartedOnDevice;
pub use endpoints::{Endpoints, InstanceAt, LookUpAt, Overrides};
pub use error::{Error, Result};
pub use place::names_of;
pub use provider::{Ask, ClientAuth, Instance, LookUp, Pkce, Provider, Revocation, TokenBody};
pub use revoke::{Ending, Revoked};
pub use template::{Names, sample, whole as filled};

/// Our own registration at a vendor family: the client id and, for confidential clients, the secret.
pub use crate::vault::OAuthApp as App;

#[cfg(test)]
mod tests;
