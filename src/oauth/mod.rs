//! Grants: start, callback, refresh.
