//! Curves of one cohort: of its customers, and of their revenue.

use std::collections::BTreeMap;

use mainstay_domain::{Currency, Interval, Money, MoneyError};
use mainstay_statistics::survival::{KaplanMeier, Observation};

use super::{Age, SeenCustomers};

/// A point of a curve of customers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RetentionMonth {
    /// Age in months.
    pub month: u32,
    /// How many could leave after the age before.
    pub at_risk: u64,
    /// How many of them left by this age.
    pub churned: u64,
    /// The share that stays longer.
    pub survival: f64,
    /// Its 95 % interval.
    pub interval: Interval,
}

/// A point of a curve of revenue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RevenueMonth {
    /// Age in months.
    pub month: u32,
    /// The yearly revenue that could leave after the age before.
    pub at_risk: Money,
    /// How much of it left by this age.
    pub churned: Money,
    /// The share that stays longer.
    pub survival: f64,
}

/// The curve of a cohort's customers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub observations: Vec<Observation>,
    kaplan_meier: KaplanMeier,
    /// How many were seen so long, and how many of them left then.
    by_age: BTreeMap<Age, (u64, u64)>,
}

impl Curve {
    /// The curve of these customers, none of nobody.
    pub(super) fn of(customers: &[&SeenCustomers]) -> Option<Self> {
        let mut observations = Vec::new();
        let mut by_age: BTreeMap<Age, (u64, u64)> = BTreeMap::new();
        for group in customers {
            let count = usize::try_from(group.count).unwrap_or(usize::MAX);
            observations.extend(std::iter::repeat_n(Observation::new(group.age.months(), group.churned).ok()?, count));
            let (seen, left) = by_age.entry(group.age).or_default();
            *seen += group.count;
            *left += if group.churned { group.count } else { 0 };
        }
        let kaplan_meier = KaplanMeier::of(&observations)?;
        Some(Self { observations, kaplan_meier, by_age })
    }

    pub(super) fn total(&self) -> u64 {
        self.kaplan_meier.total()
    }

    pub(super) fn churned(&self) -> u64 {
        self.kaplan_meier.ended()
    }

    pub(super) fn median_months(&self) -> Option<f64> {
        self.kaplan_meier.median()
    }

    /// The longest time seen.
    pub(super) fn observed_months(&self) -> f64 {
        self.kaplan_meier.last_time()
    }

    /// The share that stays longer than this.
    pub(super) fn survival_at(&self, months: f64) -> f64 {
        self.kaplan_meier.survival_at(months)
    }

    /// How long one stays within the first `limit` months, or within what was seen where that is less; and that limit.
    pub(super) fn restricted_mean(&self, limit: f64) -> (f64, f64) {
        if let Some(mean) = self.kaplan_meier.restricted_mean(limit) {
            return (mean, limit);
        }
        let observed = self.observed_months();
        (self.kaplan_meier.restricted_mean(observed).unwrap_or(0.0), observed)
    }

    /// The last month that somebody was seen to the end of, or by which all had left; `most` at most.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an age, and not negative")]
    pub(super) fn last_month(&self, most: u32) -> u32 {
        let observed = self.observed_months();
        let all_left = self.survival_at(observed) <= 0.0;
        let last = if all_left { observed.ceil() } else { observed.floor() };
        most.min(last as u32)
    }

    /// The points from month 0 to `last`.
    pub(super) fn months(&self, last: u32) -> Vec<RetentionMonth> {
        let mut at_risk = self.total();
        let mut before = None;
        (0..=last)
            .map(|month| {
                let (mut seen, mut churned) = (0, 0);
                for (of_age, left) in self.by_age.range(ages(before, month)).map(|(_, counts)| *counts) {
                    seen += of_age;
                    churned += left;
                }
                let time = f64::from(month);
                let point = RetentionMonth {
                    month,
                    at_risk,
                    churned,
                    survival: self.survival_at(time),
                    interval: self.kaplan_meier.interval_at(time),
                };
                at_risk -= seen;
                before = Some(month);
                point
            })
            .collect()
    }
}

/// The curve of a cohort's revenue in one currency: a Kaplan–Meier estimate in which each customer counts as much as its revenue.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RevenueCurve {
    currency: Currency,
    /// How much was seen so long, and how much of it left then.
    by_age: BTreeMap<Age, (i128, i128)>,
}

impl RevenueCurve {
    /// The curves of these customers, by currency.
    pub(super) fn of(customers: &[&SeenCustomers]) -> Vec<(Self, u64)> {
        let mut curves: BTreeMap<Currency, (Self, u64)> = BTreeMap::new();
        for group in customers {
            let Some(currency) = group.currency else { continue };
            let new = || (Self { currency, by_age: BTreeMap::new() }, 0);
            let (curve, count) = curves.entry(currency).or_insert_with(new);
            let (seen, left) = curve.by_age.entry(group.age).or_default();
            *seen += group.annual_revenue;
            *left += if group.churned { group.annual_revenue } else { 0 };
            *count += group.count;
        }
        curves.into_values().collect()
    }

    /// The yearly revenue of all of them.
    pub(super) fn total(&self) -> Result<Money, MoneyError> {
        self.money(self.by_age.values().map(|(seen, _)| seen).sum())
    }

    fn money(&self, minor_units: i128) -> Result<Money, MoneyError> {
        let minor_units = i64::try_from(minor_units).map_err(|_| MoneyError::OutOfRange)?;
        Ok(Money { currency: self.currency, minor_units })
    }

    /// The points from month 0 to `last`.
    pub(super) fn months(&self, last: u32) -> Result<Vec<RevenueMonth>, MoneyError> {
        let mut at_risk: i128 = self.by_age.values().map(|(seen, _)| seen).sum();
        let mut survival = 1.0;
        let mut before = None;
        let mut months = Vec::new();
        for month in 0..=last {
            let at_risk_first = at_risk;
            let mut churned = 0;
            for (seen, left) in self.by_age.range(ages(before, month)).map(|(_, sums)| *sums) {
                if at_risk > 0 {
                    survival *= 1.0 - left as f64 / at_risk as f64;
                }
                at_risk -= seen;
                churned += left;
            }
            let (at_risk, churned) = (self.money(at_risk_first)?, self.money(churned)?);
            months.push(RevenueMonth { month, at_risk, churned, survival });
            before = Some(month);
        }
        Ok(months)
    }
}

/// The ages after one month up to and with another; from the start without one.
fn ages(before: Option<u32>, month: u32) -> std::ops::RangeInclusive<Age> {
    let first = before.map_or(Age::new(0, 0), |before| Age::new(before, 1));
    first..=Age::new(month, 0)
}
