//! What can still be expected of a customer.

use mainstay_domain::{Currency, Money, MoneyError};

use super::curve::Curve;
use super::{Age, SeenCustomers};

/// A customer, as it is seen today.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Customer {
    /// Its cohort.
    pub cohort: String,
    /// How long it was seen.
    pub age: Age,
    pub churned: bool,
    /// What it brings in a year.
    pub annual_revenue: Option<Money>,
}

/// What can still be expected of a customer, by those of its cohort.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LifetimeValue {
    pub customer: Customer,
    /// Customers of the cohort.
    pub cohort_accounts: u64,
    /// Those of them that left.
    pub cohort_churned: u64,
    /// How far it can be looked ahead; none when nobody became older.
    pub lookahead_months: Option<f64>,
    /// How many of these months the customer stays on average.
    pub expected_months: Option<f64>,
    /// What it brings in that time.
    pub value: Option<Money>,
}

impl LifetimeValue {
    /// Looks so many months ahead by the curve of a cohort: the area under it from the customer's age on, divided by the share
    /// that became as old.
    ///
    /// # Errors
    /// When the value leaves the range of money.
    pub(crate) fn of(customer: Customer, cohort: &[&SeenCustomers], months: u32) -> Result<Self, MoneyError> {
        let curve = Curve::of(cohort);
        let ahead = curve.as_ref().and_then(|curve| ahead(curve, &customer, f64::from(months)));
        let value = match (ahead, customer.annual_revenue) {
            (Some((_, expected)), Some(annual)) => {
                Some(monthly_value(annual.currency, annual.minor_units as f64, expected)?)
            }
            _ => None,
        };
        Ok(Self {
            customer,
            cohort_accounts: curve.as_ref().map_or(0, Curve::total),
            cohort_churned: curve.as_ref().map_or(0, Curve::churned),
            lookahead_months: ahead.map(|(lookahead, _)| lookahead),
            expected_months: ahead.map(|(_, expected)| expected),
            value,
        })
    }
}

/// How far it can be looked ahead, and how much of that the customer stays.
fn ahead(curve: &Curve, customer: &Customer, months: f64) -> Option<(f64, f64)> {
    if customer.churned {
        return Some((months, 0.0));
    }
    let age = customer.age.months();
    let (until_age, _) = curve.restricted_mean(age);
    let (until_limit, limit) = curve.restricted_mean(age + months);
    let reached = curve.survival_at(age);
    let lookahead = limit - age;
    (reached > 0.0 && lookahead > 0.0).then(|| (lookahead, (until_limit - until_age) / reached))
}

/// What so many months are worth of a yearly amount, to the minor unit.
pub(crate) fn monthly_value(currency: Currency, annual: f64, months: f64) -> Result<Money, MoneyError> {
    const MONTHS_OF_A_YEAR: f64 = 12.0;
    /// 2^63: every `f64` below is an `i64` once rounded.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let value = (annual * months / MONTHS_OF_A_YEAR).round_ties_even();
    if value.abs() >= LIMIT || value.is_nan() {
        return Err(MoneyError::OutOfRange);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within the limit")]
    let minor_units = value as i64;
    Ok(Money { currency, minor_units })
}
