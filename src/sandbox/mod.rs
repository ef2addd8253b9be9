//! Offline, stateful twins of the vendors' APIs.
