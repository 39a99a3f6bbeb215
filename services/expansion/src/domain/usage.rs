//! How near an account came to the limits of its plan, month by month.

use mainstay_domain::{NEAR_LIMIT_PERCENT, is_at_least_percent};
use serde::{Deserialize, Serialize};

use super::month::Month;

/// The metric under which seats paid for are a limit of active users.
pub const SEATS_METRIC: &str = "seats";

/// What was used of a limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitUse {
    /// The limit's name, and the metric's that counts against it.
    pub metric: String,
    /// What was used; none when there was no data.
    pub used: Option<f64>,
    /// The limit; above 0.
    pub limit: f64,
}

/// What an account used in a month.
#[derive(Debug, Clone, PartialEq)]
pub struct MonthUse {
    /// The month.
    pub month: Month,
    /// By limit, each metric once.
    pub limits: Vec<LimitUse>,
    /// Different users that were active.
    pub active_users: i64,
    /// Seats paid for at its end.
    pub seats: Option<i64>,
}

impl MonthUse {
    /// What was used of the limit of a metric; seats count as one of active users unless the plan has a limit of that name.
    #[expect(clippy::cast_precision_loss, reason = "users and seats are far below 2^53")]
    pub fn of_metric(&self, metric: &str) -> Option<LimitUse> {
        if let Some(limit) = self.limits.iter().find(|limit| limit.metric == metric) {
            return Some(limit.clone());
        }
        let seats = self.seats.filter(|&seats| metric == SEATS_METRIC && seats > 0)?;
        Some(LimitUse { metric: metric.to_owned(), used: Some(self.active_users as f64), limit: seats as f64 })
    }

    /// All metrics that have a limit.
    pub fn metrics(&self) -> Vec<&str> {
        let mut metrics: Vec<&str> = self.limits.iter().map(|limit| limit.metric.as_str()).collect();
        if !metrics.contains(&SEATS_METRIC) && self.of_metric(SEATS_METRIC).is_some() {
            metrics.push(SEATS_METRIC);
        }
        metrics
    }
}

/// Whether a month is near the limit; one without data is not.
pub fn is_near_limit(limit: &LimitUse) -> bool {
    limit.used.is_some_and(|used| is_at_least_percent(used, limit.limit, NEAR_LIMIT_PERCENT))
}

/// Months in a row near the limit of a metric, up to `last` and with it. A month without a report ends the row: what
/// is not known is not near.
pub fn streak(months: &[MonthUse], metric: &str, last: Month) -> u32 {
    let is_near = |month: Month| {
        let report = months.iter().find(|report| report.month == month);
        report.and_then(|report| report.of_metric(metric)).is_some_and(|limit| is_near_limit(&limit))
    };
    let mut length = 0;
    let mut month = last;
    while is_near(month) {
        length += 1;
        month = month.minus(1);
    }
    length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn report(month: &str, used: Option<f64>) -> MonthUse {
        MonthUse {
            month: Month::parse(month).expect("a month"),
            limits: vec![LimitUse { metric: "emails".to_owned(), used, limit: 10_000.0 }],
            active_users: 9,
            seats: Some(10),
        }
    }

    fn streak_of(months: &[MonthUse], last: &str) -> u32 {
        streak(months, "emails", Month::parse(last).expect("a month"))
    }

    #[test]
    fn r158_eighty_percent_counts_and_a_hair_less_does_not() {
        assert_eq!(streak_of(&[report("1997-01", Some(7_999.0)), report("1997-02", Some(8_000.0))], "1997-02"), 1);
        assert_eq!(streak_of(&[report("1997-01", Some(8_000.0)), report("1997-02", Some(8_000.0))], "1997-02"), 2);
    }

    #[test]
    fn r158_a_gap_of_a_month_ends_the_row() {
        let with_gap = [report("1996-12", Some(9_000.0)), report("1997-02", Some(9_000.0))];
        assert_eq!(streak_of(&with_gap, "1997-02"), 1);
        let with_unknown =
            [report("1996-12", Some(9_000.0)), report("1997-01", None), report("1997-02", Some(9_000.0))];
        assert_eq!(streak_of(&with_unknown, "1997-02"), 1);
        assert_eq!(streak_of(&with_gap, "1997-03"), 0, "the last month is not known");
    }

    #[test]
    fn r160_seats_are_a_limit_of_active_users_unless_the_plan_has_one() {
        let month = report("1997-01", None);
        assert_eq!(month.of_metric(SEATS_METRIC).map(|limit| (limit.used, limit.limit)), Some((Some(9.0), 10.0)));
        assert_eq!(month.metrics(), ["emails", "seats"]);
        let own = LimitUse { metric: SEATS_METRIC.to_owned(), used: Some(3.0), limit: 5.0 };
        let month = MonthUse { limits: vec![own.clone()], ..month };
        assert_eq!(month.of_metric(SEATS_METRIC), Some(own));
        assert_eq!(month.metrics(), ["seats"]);
        let unknown = MonthUse { seats: None, limits: Vec::new(), ..month };
        assert_eq!(unknown.metrics(), Vec::<&str>::new());
    }

    proptest! {
        #[test]
        fn whole_numbers_are_compared_exactly(used in 0u32.., limit in 1u32..) {
            let exact = u64::from(used) * 100 >= u64::from(limit) * 80;
            prop_assert_eq!(is_at_least_percent(f64::from(used), f64::from(limit), NEAR_LIMIT_PERCENT), exact);
        }

        #[test]
        fn at_the_boundary_of_any_limit_it_counts(fifth in 1u32..500_000_000) {
            let limit = f64::from(fifth) * 5.0;
            let at = f64::from(fifth) * 4.0;
            prop_assert!(is_at_least_percent(at, limit, NEAR_LIMIT_PERCENT));
            prop_assert!(!is_at_least_percent(at - 1.0, limit, NEAR_LIMIT_PERCENT));
        }

        #[test]
        fn a_row_is_as_long_as_its_months(near in proptest::collection::vec(any::<bool>(), 1..13)) {
            let last = Month::parse("1997-12").expect("a month");
            let months: Vec<MonthUse> = (0u32..).zip(&near).map(|(back, &near)| MonthUse {
                month: last.minus(back),
                ..report("1997-01", Some(if near { 8_000.0 } else { 7_999.0 }))
            }).collect();
            let expected = near.iter().take_while(|near| **near).count();
            prop_assert_eq!(streak(&months, "emails", last) as usize, expected);
        }
    }
}
