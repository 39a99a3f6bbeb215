//! The suite as a whole.

mod layering;
mod terms;
