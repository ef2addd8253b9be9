//! Settings: flag before environment before file.
