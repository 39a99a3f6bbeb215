//! Segments and what their accounts usually do.

use std::collections::BTreeMap;

/// Below so many accounts with data a segment is too small to compare with.
pub const SEGMENT_ACCOUNTS_MIN: usize = 5;

pub use mainstay_domain::Segment;

/// What the accounts of a segment had in one measure on one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentBase {
    /// Median of the accounts' numbers before the comparison.
    pub median: f64,
    /// How many accounts had a number.
    pub account_count: usize,
}

impl SegmentBase {
    /// The base that these numbers give, in any order; none without numbers.
    /// The median of an even count is the mean of the middle two.
    pub fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let account_count = numbers.len();
        let high = *numbers.get(account_count / 2)?;
        let low = *numbers.get((account_count - 1) / 2)?;
        Some(Self { median: low / 2.0 + high / 2.0, account_count })
    }
}

/// The bases of all segments and measures on the day before the one scored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SegmentBases(BTreeMap<Segment, BTreeMap<String, SegmentBase>>);

impl SegmentBases {
    /// Keeps the base of a segment for a measure.
    pub fn insert(&mut self, segment: Segment, measure_id: &str, base: SegmentBase) {
        self.0.entry(segment).or_default().insert(measure_id.to_owned(), base);
    }

    /// The base of a segment for a measure, when there is one.
    pub fn lookup(&self, segment: Segment, measure_id: &str) -> Option<SegmentBase> {
        self.0.get(&segment)?.get(measure_id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        let base = SegmentBase::of(vec![9.0, 1.0, 4.0, 2.0]).expect("numbers");
        assert_eq!(base, SegmentBase { median: 3.0, account_count: 4 });
        assert_eq!(SegmentBase::of(vec![7.0, 1.0, 2.0]).map(|base| base.median), Some(2.0));
        assert_eq!(SegmentBase::of(vec![]), None);
    }
}
