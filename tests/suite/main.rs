//! The suite as a whole.

mod layering;
