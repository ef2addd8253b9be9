//! Grants: start, callback, refresh.

/// How a vendor family's OAuth works.
#[derive(Debug)]
pub struct Provider {
    /// Such as `google`.
    pub family: &'static str,
}
