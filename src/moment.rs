//! Moments as people and models write them.
