//! Whether customers to whom something happened stay as long as others, and as long as customers did before.
//!
//! Customers are looked at from a day on which all of them were customers, the landmark (Anderson, Cain and Gelber 1983, Journal of
//! Clinical Oncology 1, 710). What they were exposed to is what happened up to then, never later: who stays longer has more
//! time to be exposed, so that to be exposed at any time would seem to make customers stay.

mod before_after;
mod comparison;
mod exposure;
mod touchpoints;

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use mainstay_domain::{Currency, Segment};

use super::cohort::UncountedReason;

pub(crate) use before_after::{
    BeforeAfter, Change, ChangeQuery, ChurnMonth, LifespanCount, check_change_day, first_month, periods,
};
pub(crate) use comparison::{RetentionComparison, RetentionGroup};
pub(crate) use exposure::{ExpectedLosses, Exposure, ExposureQuery, ExposureReport};
pub(crate) use touchpoints::{
    JourneyStage, STAGE_DAYS, TouchedCustomers, TouchedPortfolio, Touchpoint, TouchpointEffect, TouchpointMap,
    TouchpointQuery,
};

/// Longest follow-up, in days: two years.
pub(crate) const FOLLOW_DAYS_MAX: u32 = 730;
/// Longest time before the landmark that exposure is looked for in, in days: a year.
pub(crate) const EXPOSURE_DAYS_MAX: u32 = 365;
/// A test is made when so many of each group would have left if the groups were alike: below that the chi-squared distribution, by
/// which it judges, does not hold (Cochran 1954, Biometrics 10, 417).
pub(crate) const EXPECTED_CHURNED_MIN: f64 = 5.0;

/// The days over which customers are followed, all of those who were customers when the first began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FollowUp {
    pub first_day: NaiveDate,
    /// How many; at least 1.
    pub days: u32,
}

impl FollowUp {
    /// From this day on, for so many days or up to and with today where that is less; none when it is not there yet.
    pub(crate) fn from(first_day: NaiveDate, most: u32, today: NaiveDate) -> Option<Self> {
        let passed = (today - first_day).num_days() + 1;
        let days = u32::try_from(passed.min(i64::from(most))).ok().filter(|days| *days > 0)?;
        Some(Self { first_day, days })
    }

    /// The last of the days.
    pub(crate) fn last_day(self) -> NaiveDate {
        self.first_day + TimeDelta::days(i64::from(self.days) - 1)
    }
}

/// Customers that were followed equally long, with the same end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FollowedCustomers<S = Segment> {
    /// Within which they are compared.
    pub stratum: S,
    pub exposed: bool,
    /// The day of the follow-up, from 1, on which they left or were last seen.
    pub day: u32,
    /// Whether they left then.
    pub churned: bool,
    pub currency: Option<Currency>,
    pub count: u64,
    /// Their yearly revenue, in minor units; 0 without a currency.
    pub annual_revenue: i128,
}

/// All customers that were there when a follow-up began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FollowedPortfolio<S = Segment> {
    pub customers: Vec<FollowedCustomers<S>>,
    /// The accounts of which nobody can say from when to when they were customers, now.
    pub uncounted: BTreeMap<UncountedReason, u64>,
}

impl<S> Default for FollowedPortfolio<S> {
    fn default() -> Self {
        Self { customers: Vec::new(), uncounted: BTreeMap::new() }
    }
}
