//! What comes first: revenue at risk × decline × chance to save.

use mainstay_domain::{Money, Points, RECOVERED_ABOVE};

/// Saved and closed cases that the estimate begins with: the target of 75 %, with the weight of four cases.
const PRIOR_SAVED: f64 = 3.0;
const PRIOR_CLOSED: f64 = 4.0;

/// What a case's place among the others is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Priority {
    /// Annual recurring revenue.
    pub revenue_at_risk: Option<Money>,
    /// How far the score is below 70, as a share of 70; 1 without a score.
    pub decline: f64,
    /// The chance to save the customer, 0 to 1.
    pub save_chance: f64,
    /// Closed cases that the chance is estimated from.
    pub save_chance_cases: i32,
}

impl Priority {
    /// Of an account with this revenue and score, when so many cases of its kind and segment were saved and lost.
    pub fn of(revenue_at_risk: Option<Money>, score: Option<Points>, saved: i32, lost: i32) -> Self {
        let below = score.map_or(1.0, |score| (RECOVERED_ABOVE.as_f64() - score.as_f64()) / RECOVERED_ABOVE.as_f64());
        let (saved_count, closed_count) = (f64::from(saved), f64::from(saved + lost));
        Self {
            revenue_at_risk,
            decline: below.clamp(0.0, 1.0),
            save_chance: (saved_count + PRIOR_SAVED) / (closed_count + PRIOR_CLOSED),
            save_chance_cases: saved + lost,
        }
    }

    /// Revenue that can be expected to be kept by the work, in whole minor units, rounded; none when the revenue is not known.
    #[expect(clippy::cast_possible_truncation, reason = "at most the revenue, which is a whole number of minor units")]
    pub fn expected_gain(&self) -> Option<Money> {
        let revenue = self.revenue_at_risk?;
        let gain = (revenue.minor_units as f64 * self.decline * self.save_chance).round();
        Some(Money { currency: revenue.currency, minor_units: gain as i64 })
    }
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Currency;
    use proptest::prelude::*;

    use super::*;

    fn euros(minor_units: i64) -> Money {
        Money { currency: Currency::parse("EUR").expect("a currency"), minor_units }
    }

    #[test]
    fn r107_priority_is_the_product_of_its_parts() {
        let priority = Priority::of(Some(euros(18_000_000)), Some(Points::whole(35)), 1, 3);
        assert_eq!((priority.decline, priority.save_chance, priority.save_chance_cases), (0.5, 0.5, 4));
        assert_eq!(priority.expected_gain(), Some(euros(4_500_000)));
        assert_eq!(Priority::of(None, None, 0, 0).expected_gain(), None);
        assert!((Priority::of(None, None, 0, 0).save_chance - 0.75).abs() < 1e-12, "begins at the target");
    }

    proptest! {
        #[test]
        fn more_revenue_a_lower_score_and_a_better_chance_never_come_later(
            revenue in 0i64..10_000_000_000_000, more in 0i64..1_000_000, score in 0i32..=100, lower in 0i32..=100,
            saved in 0i32..1_000, lost in 0i32..1_000,
        ) {
            let gain = |revenue, score, saved, lost| {
                let priority = Priority::of(Some(euros(revenue)), Some(Points::whole(score)), saved, lost);
                priority.expected_gain().map(|gain| gain.minor_units)
            };
            let base = gain(revenue, score, saved, lost);
            prop_assert!(gain(revenue + more, score, saved, lost) >= base);
            prop_assert!(gain(revenue, score.min(lower), saved, lost) >= base);
            prop_assert!(gain(revenue, score, saved + 1, lost) >= base);
            prop_assert!(gain(revenue, score, saved, lost + 1) <= base);
            prop_assert!(base <= Some(revenue), "never more than there is");
        }
    }
}
