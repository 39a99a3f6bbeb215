//! How long customers stay from now on, by their age.

use super::SeenCustomers;
use super::curve::Curve;

/// How many of the next months customers stay on average, by their age in whole months.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RemainingMonths {
    limit: f64,
    /// From new customers to the oldest of whom all these months were seen.
    by_age: Vec<f64>,
}

impl RemainingMonths {
    /// Of the next `months` by those who were seen, or of as many as anybody was seen for; of none without customers.
    pub(crate) fn of(customers: &[SeenCustomers], months: u32) -> Self {
        let Some(curve) = Curve::of(&customers.iter().collect::<Vec<_>>()) else {
            return Self { limit: 0.0, by_age: Vec::new() };
        };
        let limit = curve.observed_months().min(f64::from(months));
        let within = |months: f64| curve.restricted_mean(months).0;
        let by_age = (0..)
            .map(f64::from)
            .take_while(|age| age + limit <= curve.observed_months() && curve.survival_at(*age) > 0.0)
            .map(|age| (within(age + limit) - within(age)) / curve.survival_at(age));
        Self { limit, by_age: by_age.collect() }
    }

    /// How many months are looked ahead.
    pub(crate) fn limit(&self) -> f64 {
        self.limit
    }

    /// Of a new customer.
    pub(crate) fn of_new(&self) -> f64 {
        self.by_age.first().copied().unwrap_or_default()
    }

    /// Of a customer so many months old; who is older than all who were seen long enough counts as the oldest of these.
    pub(crate) fn at(&self, age_months: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an age, clamped to the list")]
        let place = age_months.max(0.0).min(self.by_age.len().saturating_sub(1) as f64) as usize;
        self.by_age.get(place).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cohort::Age;

    fn seen(months: u32, count: u64, churned: bool) -> SeenCustomers {
        let age = Age::new(months, 0);
        SeenCustomers { cohort: String::new(), age, churned, currency: None, count, annual_revenue: 0 }
    }

    #[test]
    fn who_survived_the_first_months_stays_longer_than_a_new_customer() {
        // Half leave after a month; the others are seen for 24 months.
        let remaining = RemainingMonths::of(&[seen(1, 5, true), seen(24, 5, false)], 12);
        assert!((remaining.limit() - 12.0).abs() < 1e-12);
        assert!((remaining.of_new() - 6.5).abs() < 1e-12, "one month, and 11 of every second");
        assert!((remaining.at(0.9) - 6.5).abs() < 1e-12);
        assert!((remaining.at(1.0) - 12.0).abs() < 1e-12);
        assert!((remaining.at(500.0) - 12.0).abs() < 1e-12);
    }

    #[test]
    fn nobody_is_looked_ahead_for_longer_than_anybody_was_seen() {
        let remaining = RemainingMonths::of(&[seen(5, 2, false)], 36);
        assert!((remaining.limit() - 5.0).abs() < 1e-12);
        assert!((remaining.at(3.0) - 5.0).abs() < 1e-12);
        let nobody = RemainingMonths::of(&[], 36);
        assert_eq!((nobody.limit(), nobody.of_new(), nobody.at(1.0)), (0.0, 0.0, 0.0));
        let gone = RemainingMonths::of(&[seen(0, 3, true)], 36);
        assert_eq!((gone.limit(), gone.of_new()), (0.0, 0.0));
    }
}
