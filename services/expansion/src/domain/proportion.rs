//! Shares of counts, with their intervals.

/// A share of a number of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proportion {
    /// How many had it.
    pub count: i64,
    /// Of how many.
    pub total: i64,
}

impl Proportion {
    /// The share; none of none.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn share(self) -> Option<f64> {
        (self.total > 0).then(|| self.count as f64 / self.total as f64)
    }

    /// The interval of Wilson (1927) at 95 %, without correction for continuity:
    /// (p + z²/2n ± z·√(p(1 − p)/n + z²/4n²)) / (1 + z²/n).
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn interval(self) -> Option<(f64, f64)> {
        const Z: f64 = 1.959_963_984_540_054;
        let share = self.share()?;
        let total = self.total as f64;
        let center = share + Z * Z / (2.0 * total);
        let spread = Z * (share * (1.0 - share) / total + Z * Z / (4.0 * total * total)).sqrt();
        let scale = 1.0 + Z * Z / total;
        Some((((center - spread) / scale).max(0.0), ((center + spread) / scale).min(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn intervals_are_those_of_the_formula() {
        // 8 of 10, as R's `binom::binom.wilson(8, 10)` gives it: 0.4901625, 0.9433178.
        let (low, high) = Proportion { count: 8, total: 10 }.interval().expect("some");
        assert!((low - 0.490_162_5).abs() < 1e-7 && (high - 0.943_317_8).abs() < 1e-7, "{low} {high}");
        assert_eq!(Proportion { count: 0, total: 0 }.interval(), None);
        assert_eq!(Proportion { count: 0, total: 5 }.interval().map(|(low, _)| low), Some(0.0));
    }

    proptest! {
        #[test]
        fn the_share_lies_within_its_interval(total in 1i64..1_000_000, part in 0.0f64..=1.0) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small")]
            let count = (total as f64 * part) as i64;
            let proportion = Proportion { count, total };
            let (low, high) = proportion.interval().expect("some");
            let share = proportion.share().expect("some");
            prop_assert!(0.0 <= low && low <= share + 1e-12 && share <= high + 1e-12 && high <= 1.0);
        }
    }
}
