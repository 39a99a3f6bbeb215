//! Statistics of who stays and who leaves.
//!
//! | module | what it answers |
//! |---|---|
//! | [`survival`] | how many are still there after so long, while most have not left yet; whether groups differ |
//!
//! Everything here is pure: no I/O and no clock.
//! Figures are checked against those of lifelines on real customers, in `tests/`.

pub mod survival;

#[cfg(test)]
mod assertions;
