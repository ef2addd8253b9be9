//! Records: one trait, several engines.
