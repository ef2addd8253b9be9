//! The Model Context Protocol over one dispatcher.
