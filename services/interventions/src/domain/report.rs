//! Figures on how the work goes, each with its interval and count.

use mainstay_domain::{Interval, Z_95};

/// Numbers that were measured, with what they say together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many.
    pub count: i64,
    /// Their mean.
    pub mean: f64,
    /// 95 % interval of the mean, by the normal approximation; none of fewer than two.
    pub mean_interval: Option<Interval>,
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// Nine of ten are not above it (nearest rank).
    pub p90: f64,
}

impl Summary {
    /// Of numbers in any order; none of nothing.
    pub fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let length = numbers.len();
        let (low, high) = (*numbers.get(length.checked_sub(1)? / 2)?, *numbers.get(length / 2)?);
        let count = length as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let mean_interval = (length > 1).then(|| {
            let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / (count - 1.0);
            let half = Z_95 * (variance / count).sqrt();
            Interval { low: mean - half, high: mean + half }
        });
        let p90 = *numbers.get((length * 9).div_ceil(10).checked_sub(1)?)?;
        Some(Self { count: i64::try_from(length).ok()?, mean, mean_interval, median: f64::midpoint(low, high), p90 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_what_the_numbers_say_together() {
        let summary = Summary::of(vec![4.0, 1.0, 3.0, 2.0]).expect("some");
        assert_eq!((summary.count, summary.mean, summary.median, summary.p90), (4, 2.5, 2.5, 4.0));
        // Standard deviation √(5/3), standard error 0.6455.
        let interval = summary.mean_interval.expect("of four");
        assert!((interval.high - (2.5 + 1.959_964 * 0.645_497)).abs() < 1e-5, "{interval:?}");
        let ten = Summary::of((1..=10).map(f64::from).collect()).expect("some");
        assert_eq!((ten.median, ten.p90), (5.5, 9.0));
        assert_eq!(Summary::of(vec![7.0]).map(|one| (one.median, one.p90, one.mean_interval)), Some((7.0, 7.0, None)));
        assert_eq!(Summary::of(Vec::new()), None);
    }
}
