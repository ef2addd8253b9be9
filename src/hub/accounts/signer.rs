//! A key or token that a person typed in, as a signer of requests.

use std::{collections::BTreeMap, fmt};

use crate::{
    http::{Authorize, AuthorizeError, HeaderMap, Pending},
    secret::Secret,
};

/// Puts what a person typed in on each request, as the integration wants it.
pub(super) struct Signer {
    sign: fn(&BTreeMap<String, Secret>) -> HeaderMap,
    fields: BTreeMap<String, Secret>,
}

impl Signer {
    pub(super) fn new(sign: fn(&BTreeMap<String, Secret>) -> HeaderMap, fields: BTreeMap<String, Secret>) -> Self {
        Signer { sign, fields }
    }
}

impl Authorize for Signer {
    fn headers(&self) -> Pending<'_, Result<HeaderMap, AuthorizeError>> {
        Box::pin(async { Ok((self.sign)(&self.fields)) })
    }

    /// A key cannot be renewed: the vendor's 401 is the answer.
    fn refused(&self) -> Pending<'_, Result<bool, AuthorizeError>> {
        Box::pin(async { Ok(false) })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}
