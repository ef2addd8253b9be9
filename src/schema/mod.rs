//! JSON schemas in the portable dialect.
