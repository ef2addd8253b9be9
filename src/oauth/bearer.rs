//! A grant as a signer of requests.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{App, Broker, Endpoints, Error, Fresh};
use crate::{
    http::{Authorize, AuthorizeError, HeaderMap, HeaderValue, Pending, header::AUTHORIZATION},
    vault::ConnectionKey,
};

/// Puts a connection's access token on each request, as `Authorization: Bearer`.
pub struct Bearer {
    broker: Broker,
    key: ConnectionKey,
    endpoints: Endpoints,
    app: App,
    /// The generation of the token that was handed out last.
    tried: AtomicU64,
}

impl Bearer {
    /// A signer for one connection.
    pub fn new(broker: Broker, key: ConnectionKey, endpoints: Endpoints, app: App) -> Self {
        Bearer { broker, key, endpoints, app, tried: AtomicU64::new(0) }
    }
}

impl Authorize for Bearer {
    fn headers(&self) -> Pending<'_, Result<HeaderMap, AuthorizeError>> {
        Box::pin(async {
            let fresh = self.broker.credential(&self.key, &self.endpoints, &self.app).await;
            let Fresh { access, generation, .. } = fresh.map_err(outside)?;
            self.tried.store(generation, Ordering::SeqCst);
            let value = HeaderValue::try_from(format!("Bearer {}", access.expose()));
            let value = value
                .map_err(|_| AuthorizeError::NeedsReconnect { reason: "the vendor's token is not one".to_owned() })?;
            Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
        })
    }

    fn refused(&self) -> Pending<'_, Result<bool, AuthorizeError>> {
        Box::pin(async {
            let tried = self.tried.load(Ordering::SeqCst);
            let renewed = self.broker.renew(&self.key, tried, &self.endpoints, &self.app).await;
            renewed.map(|_| true).map_err(outside)
        })
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bearer({})", self.key)
    }
}

/// What a signer's user has to know of it.
fn outside(error: Error) -> AuthorizeError {
    match error {
        Error::NeedsReconnect { reason, .. } => AuthorizeError::NeedsReconnect { reason: reason.to_string() },
        Error::NotConnected(_) | Error::NotOAuth(_) | Error::OtherClient(_) => {
            AuthorizeError::NeedsReconnect { reason: error.to_string() }
        }
        Error::Unavailable { why, retry_after } => {
            AuthorizeError::Unavailable { reason: why, retry_after: Some(retry_after) }
        }
        error => AuthorizeError::Unavailable { reason: error.to_string(), retry_after: None },
    }
}
