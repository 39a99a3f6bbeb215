//! Cohorts: customers that have something in common, how long they stay, and what they bring.
//!
//! A customer is seen from its start to the day it left, or else up to today. How long that is counts in months of the calendar
//! and days beyond them: contracts end on the day of the month on which they began, and whoever leaves at the end of a year
//! leaves after 12 months, however long they were.

mod curve;
mod lifetime;
mod remaining;
mod retention;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_domain::{Currency, Segment};

pub(crate) use lifetime::{Customer, LifetimeValue, monthly_value};
pub(crate) use remaining::RemainingMonths;
pub(crate) use retention::{Cohort, CohortRevenue, Retention, RetentionQuery};

/// Most months of age that curves show, and lifetimes last.
pub(crate) const MONTHS_MAX: u32 = 120;
/// Most cohorts in one answer.
pub(crate) const COHORTS_MAX: usize = 100;

/// What accounts are put into cohorts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CohortDimension {
    /// All are one cohort.
    #[default]
    All,
    Segment,
    ProductLine,
    Plan,
    Industry,
    /// By the UTC month of the start.
    OnboardingMonth,
}

/// The cohort of a segment.
pub(crate) const fn segment_key(segment: Segment) -> &'static str {
    match segment {
        Segment::Unknown => "",
        Segment::Enterprise => "enterprise",
        Segment::MidMarket => "mid_market",
        Segment::Smb => "smb",
    }
}

/// Why an account is in no cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum UncountedReason {
    /// In its trial.
    Trial,
    /// Without a start.
    StartUnknown,
    /// Starts in the future.
    NotStarted,
    /// Churned, nobody knows when.
    ChurnTimeUnknown,
    /// Left or was archived before it started.
    EndedBeforeStart,
}

/// Which accounts; all conditions given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct CohortFilter {
    /// In one of these segments; empty: any.
    pub segments: Vec<Segment>,
    /// Of this product line.
    pub product_line: Option<String>,
    /// Started on this day or later.
    pub started_since: Option<NaiveDate>,
    /// Started before this day.
    pub started_before: Option<NaiveDate>,
}

/// How long a customer was seen: whole months of the calendar, and days beyond them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Age(u32);

impl Age {
    /// No month has more days.
    pub(crate) const DAYS_OF_A_MONTH: u32 = 31;

    /// So many months and days beyond them; 30 days at most fit.
    pub(crate) const fn new(months: u32, days: u32) -> Self {
        Self(months * Self::DAYS_OF_A_MONTH + days)
    }

    /// In months, with 31 days to a month: the order of ages, and whole months, are exact.
    pub(crate) fn months(self) -> f64 {
        f64::from(self.0) / f64::from(Self::DAYS_OF_A_MONTH)
    }
}

/// Customers of one cohort that were seen equally long, and bring money of the same currency.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeenCustomers {
    pub cohort: String,
    pub age: Age,
    /// Whether they then left; otherwise nothing is known of later.
    pub churned: bool,
    pub currency: Option<Currency>,
    pub count: u64,
    /// Their yearly revenue, in minor units; 0 without a currency.
    pub annual_revenue: i128,
}

/// All customers, by how long they were seen.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SeenPortfolio {
    pub customers: Vec<SeenCustomers>,
    /// The accounts that are in no cohort.
    pub uncounted: BTreeMap<UncountedReason, u64>,
}
