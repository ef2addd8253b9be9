//! The outgoing HTTP client: every request to a vendor leaves through here.
//!
//! A [`Lane`] says where requests go and on whose behalf, a [`Request`] what to ask, and [`Client::send`] brings
//! back a [`Response`], whatever its status, or an [`Error`] when there is no answer to show.
//!
//! ```no_run
//! # use switchboard::{clock, http::{self, Client, Lane, Request, path}, id};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(http::Options::default(), clock::system(), id::os())?;
//! let lane = Lane::new("google-calendar", "https://www.googleapis.com/calendar/v3".parse()?);
//! let request = Request::get(path!["calendars", "anna@example.com", "events"]).query("maxResults", 10);
//! let events: serde_json::Value = client.send(&lane, request).await?.json()?;
//! # Ok(())
//! # }
//! ```
//!
//! What it does on the way: it keeps to the lane's origin and away from private addresses (`guard`), waits for the
//! connection's turn (`rate`), leaves a vendor that is down alone (`breaker`), repeats what is safe to repeat
//! (`retry`), renews a refused credential once ([`Authorize`]), stops reading an answer that is too large, and takes what
//! signed the request out of it (`scrub`).

use std::{future::Future, pin::Pin};

mod authorize;
mod breaker;
mod cancellation;
mod client;
mod error;
mod guard;
mod lane;
pub mod live;
mod path;
mod rate;
mod request;
mod response;
mod retry;
mod scrub;
mod witness;

pub use authorize::{Authorize, AuthorizeError};
pub use cancellation::Cancellation;
pub use client::{Client, Options};
pub use error::{Error, Result};
#[cfg(feature = "voice")]
pub(crate) use guard::is_public;
pub use lane::Lane;
pub use live::Live;
pub use path::Path;
pub use rate::{Narrower, Rate};
pub use request::{Body, Repeat, Request};
pub use reqwest::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
pub use response::Response;
pub use retry::retry_after;
pub use witness::{Event, Witness};

// An exported macro lives at the root of the crate; whoever uses it finds it beside [`Path`].
pub use super::path;

/// A boxed future, for traits that are used as objects.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
