//! Who did what: calls and refusals, newest first.
