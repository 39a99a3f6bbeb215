//! Shares of what was counted, with the interval that the count leaves open.

/// Two-sided 95 % point of the normal distribution.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proportion {
    /// How many had it; not negative.
    pub count: i64,
    /// How many there were; not less than `count`.
    pub total: i64,
}

/// A figure with the range in which it lies, by the confidence that was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Proportion {
    /// The share, 0 to 1; none of nothing.
    pub fn share(self) -> Option<f64> {
        (self.total > 0).then(|| self.count as f64 / self.total as f64)
    }

    /// The Wilson score interval (Wilson 1927) for the normal point `z`, within 0 and 1; none of nothing.
    pub fn wilson(self, z: f64) -> Option<Interval> {
        let share = self.share()?;
        let total = self.total as f64;
        let spread = z * z / total;
        let centre = (share + spread / 2.0) / (1.0 + spread);
        let half = z * (share * (1.0 - share) / total + spread / (4.0 * total)).sqrt() / (1.0 + spread);
        let low = if self.count == 0 { 0.0 } else { (centre - half).max(0.0) };
        let high = if self.count == self.total { 1.0 } else { (centre + half).min(1.0) };
        Some(Interval { low, high })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_interval_is_that_of_the_books() {
        // Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
        let interval = Proportion { count: 81, total: 263 }.wilson(Z_95).expect("some");
        assert!((interval.low - 0.2553).abs() < 5e-5 && (interval.high - 0.3662).abs() < 5e-5, "{interval:?}");
        // R's `binom::binom.wilson(8, 10)`.
        let most = Proportion { count: 8, total: 10 }.wilson(Z_95).expect("some");
        assert!((most.low - 0.490_162_5).abs() < 1e-7 && (most.high - 0.943_317_8).abs() < 1e-7, "{most:?}");
        let none = Proportion { count: 0, total: 20 }.wilson(Z_95).expect("some");
        assert!(none.low == 0.0 && (none.high - 0.1611).abs() < 5e-5, "{none:?}");
        assert_eq!(Proportion::default().wilson(Z_95), None);
    }

    proptest! {
        #[test]
        fn the_share_lies_in_its_interval(total in 1i64..1_000_000, part in 0.0f64..=1.0) {
            #[expect(clippy::cast_possible_truncation, reason = "small")]
            let count = (total as f64 * part) as i64;
            let proportion = Proportion { count, total };
            let (share, interval) = (proportion.share().expect("some"), proportion.wilson(Z_95).expect("some"));
            prop_assert!(0.0 <= interval.low && interval.low <= share && share <= interval.high && interval.high <= 1.0);
        }
    }
}
