//! Points of health in exact arithmetic.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

/// Points of health, or a part of them, in whole 1/128 points.
///
/// A power of two as the unit makes every value, and every sum of values, an
/// exact `f64`: contributions on the wire add up exactly in any language,
/// which decimal fractions would not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Points(i32);

impl Points {
    /// No points.
    pub const ZERO: Self = Self(0);
    /// The best there is.
    pub const MAX: Self = Self::whole(100);
    /// Units in one point.
    pub const UNITS_PER_POINT: i32 = 128;

    /// Whole points.
    pub const fn whole(points: i32) -> Self {
        Self(points * Self::UNITS_PER_POINT)
    }

    /// Points from units of 1/128.
    pub const fn from_units(units: i32) -> Self {
        Self(units)
    }

    /// The points nearest to `value`; the caller has checked that it is finite
    /// and of a size that points can have.
    #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates; scores are far within")]
    pub fn nearest(value: f64) -> Self {
        debug_assert!(value.is_finite(), "points of {value}");
        Self((value * f64::from(Self::UNITS_PER_POINT)).round() as i32)
    }

    /// In units of 1/128.
    pub const fn units(self) -> i32 {
        self.0
    }

    /// As a number of points; exact.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(Self::UNITS_PER_POINT)
    }

    /// Without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }
}

impl Add for Points {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Points {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Points {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Points {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.1}", self.as_f64())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_of_points_are_exact_as_floats_in_any_order(units in proptest::collection::vec(0i32..12_800, 1..40)) {
            let exact: Points = units.iter().map(|&unit| Points::from_units(unit)).sum();
            let forward: f64 = units.iter().map(|&unit| Points::from_units(unit).as_f64()).sum();
            let backward: f64 = units.iter().rev().map(|&unit| Points::from_units(unit).as_f64()).sum();
            prop_assert_eq!(exact.as_f64().to_bits(), forward.to_bits());
            prop_assert_eq!(forward.to_bits(), backward.to_bits());
        }

        #[test]
        fn nearest_is_within_half_a_unit(value in 0.0f64..100.0) {
            prop_assert!((Points::nearest(value).as_f64() - value).abs() <= 0.5 / 128.0);
        }
    }
}
