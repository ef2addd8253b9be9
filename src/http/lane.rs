//! Where a request goes and on whose behalf.

use std::{borrow::Cow, sync::Arc, time::Duration};

use tokio::time::Instant;
use url::Url;

use super::{Authorize, Cancellation, Rate, Response, StatusCode, Witness};

/// Where a request goes and on whose behalf: one vendor, one base URL, one connection.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The integration or family, such as `google-calendar`. Failures are counted for it and the base together.
    pub vendor: Cow<'static, str>,
    /// What every path is appended to. It may have a path prefix; it must be https unless it is loopback.
    pub base: Url,
    /// Whose budget a request takes from: any text that is the same for the same connection.
    pub connection: String,
    /// How often the connection may ask; `None` leaves it to the vendor.
    pub rate: Option<Rate>,
    /// Puts the credential on; `None` sends the request as it is.
    pub authorize: Option<Arc<dyn Authorize>>,
    /// The operator named a base inside a private network on purpose.
    pub allow_private: bool,
    /// The end of the call that this request is part of. The client's own bound holds in any case.
    pub until: Option<Instant>,
    /// Tells a refusal that means "slow down" although its status is not 429, such as Google's 403
    /// `rateLimitExceeded`.
    pub is_limit: Option<fn(&Response) -> bool>,
    /// Tells the status that an answer should have had, for vendors that refuse with 200, such as Slack. Everything
    /// behind goes by it: renewing the credential, repeating, resting.
    pub status: Option<fn(&Response) -> StatusCode>,
    /// How long to wait after "slow down" where the vendor does not say so itself.
    pub rest: Option<Duration>,
    /// Hears what happens to requests.
    pub witness: Option<Arc<dyn Witness>>,
    /// Whether the call that this request is part of is still wanted: what changes something is not sent otherwise.
    pub cancellation: Option<Cancellation>,
}

impl Lane {
    /// A lane without credential and budget.
    pub fn new(vendor: impl Into<Cow<'static, str>>, base: Url) -> Self {
        Lane {
            vendor: vendor.into(),
            base,
            connection: String::new(),
            rate: None,
            authorize: None,
            allow_private: false,
            until: None,
            is_limit: None,
            status: None,
            rest: None,
            witness: None,
            cancellation: None,
        }
    }

    /// The same lane for one connection with its credential.
    #[must_use]
    pub fn on_behalf_of(mut self, connection: impl Into<String>, authorize: Arc<dyn Authorize>) -> Self {
        self.connection = connection.into();
        self.authorize = Some(authorize);
        self
    }

    /// The same lane with a budget.
    #[must_use]
    pub fn at_most(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// The same lane within a call that ends at `until`.
    #[must_use]
    pub fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }
}
