//! Sums and differences of figures that each have an interval.

use mainstay_domain::Interval;

/// A figure that is made independently of the others, and how often it counts in a sum; below 0 it is taken off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// How often it counts.
    pub weight: f64,
    /// The figure.
    pub value: f64,
    /// Its interval, in which it lies.
    pub interval: Interval,
}

/// The sum of the terms, each times its weight.
pub fn total(terms: &[Term]) -> f64 {
    terms.iter().map(|term| term.weight * term.value).sum()
}

/// The interval of the [`total`], of the same confidence as those of the terms: the method of variance estimates recovery (Zou and
/// Donner 2008, Statistics in Medicine 27, 1693). Each end lies as far from the total as the root of the sum of the squared
/// distances of the ends that matter for it.
///
/// Of a difference of two proportions with Wilson's intervals it is Newcombe's method 10 (1998).
pub fn interval(terms: &[Term]) -> Interval {
    let mut below = 0.0;
    let mut above = 0.0;
    for term in terms {
        let to_low = term.weight * (term.value - term.interval.low);
        let to_high = term.weight * (term.interval.high - term.value);
        let (down, up) = if term.weight < 0.0 { (to_high, to_low) } else { (to_low, to_high) };
        below += down * down;
        above += up * up;
    }
    let total = total(terms);
    Interval { low: total - below.sqrt(), high: total + above.sqrt() }
}

#[cfg(test)]
mod tests {
    use mainstay_domain::{Proportion, Z_95};
    use proptest::prelude::*;

    use super::*;
    use crate::assertions::assert_close;

    fn share(weight: f64, count: i64, total: i64) -> Term {
        let proportion = Proportion { count, total };
        let (value, interval) = (proportion.share().expect("some"), proportion.wilson(Z_95).expect("some"));
        Term { weight, value, interval }
    }

    #[test]
    fn the_difference_of_two_proportions_has_the_interval_of_newcombe() {
        // Newcombe 1998, Statistics in Medicine 17, 873, table II, method 10: 56/70 less 48/80 is 0.0524 to 0.3339.
        let found = interval(&[share(1.0, 56, 70), share(-1.0, 48, 80)]);
        assert_close(found.low, 0.0524, 5e-5);
        assert_close(found.high, 0.3339, 5e-5);
        // And 9/10 less 3/10 is 0.1705 to 0.8090.
        let found = interval(&[share(1.0, 9, 10), share(-1.0, 3, 10)]);
        assert_close(found.low, 0.1705, 5e-5);
        assert_close(found.high, 0.8090, 5e-5);
    }

    #[test]
    fn weights_scale_the_interval_of_one_figure() {
        let one = share(1.0, 8, 10);
        let found = interval(&[Term { weight: -10.0, ..one }]);
        assert_close(found.low, -10.0 * one.interval.high, 1e-9);
        assert_close(found.high, -10.0 * one.interval.low, 1e-9);
        assert_eq!((total(&[]), interval(&[])), (0.0, Interval { low: 0.0, high: 0.0 }));
    }

    proptest! {
        #[test]
        fn a_difference_the_other_way_round_mirrors_it(
            (one, of_one, other, of_other) in (1i64..200, 1i64..200).prop_flat_map(|(one, other)| (0..=one, Just(one), 0..=other, Just(other))),
        ) {
            let there = interval(&[share(1.0, one, of_one), share(-1.0, other, of_other)]);
            let back = interval(&[share(1.0, other, of_other), share(-1.0, one, of_one)]);
            prop_assert!((there.low + back.high).abs() < 1e-12 && (there.high + back.low).abs() < 1e-12);
            let difference = total(&[share(1.0, one, of_one), share(-1.0, other, of_other)]);
            prop_assert!(-1.0 - 1e-12 <= there.low && there.low <= difference && difference <= there.high && there.high <= 1.0 + 1e-12);
        }
    }
}
