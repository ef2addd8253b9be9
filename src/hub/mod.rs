//! The one door to every tool.
