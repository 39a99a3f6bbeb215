//! Customers that were exposed to something before the landmark, and those that were not.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use mainstay_domain::{Interval, MoneyError, Segment};
use mainstay_statistics::combination::{self, Term};
use mainstay_statistics::survival::LogRank;

use super::comparison::{RetentionComparison, compare};
use super::{FollowUp, FollowedCustomers, FollowedPortfolio};
use crate::domain::cohort::UncountedReason;
use crate::domain::product::CaseOutcome;

/// What customers were exposed to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Exposure {
    /// At least so many incidents, which lasted at least so many minutes together.
    Incidents { count: u32, minutes: u32 },
    /// At least so many contacts.
    Touches { count: u32 },
    /// A case that ended in one of these ways; none: in any.
    Cases { outcomes: Vec<CaseOutcome> },
    /// This feature was given to them; none: any was.
    Feature { name: Option<String> },
}

/// Who is to be compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExposureQuery {
    pub exposure: Exposure,
    /// In one of these segments; empty: any.
    pub segments: Vec<Segment>,
    /// At whose end everybody is a customer.
    pub landmark: NaiveDate,
    /// How many days exposure is looked for in; the landmark is the last of them.
    pub exposure_days: u32,
    /// The days after the landmark.
    pub follow_up: FollowUp,
}

impl ExposureQuery {
    /// The first day that exposure is looked for on.
    pub(crate) fn exposure_first_day(&self) -> NaiveDate {
        self.landmark - TimeDelta::days(i64::from(self.exposure_days) - 1)
    }
}

/// How many of the unexposed could be expected to leave, had they been exposed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ExpectedLosses {
    /// Unexposed customers of strata in which others were exposed.
    pub customers: u64,
    /// Unexposed customers of other strata, of which nothing can be said.
    pub omitted: u64,
    /// How many of the customers leave by the curves of the exposed.
    pub if_exposed: f64,
    /// How many by their own.
    pub if_unexposed: f64,
    /// Of the difference; none where a share of one of the strata has none.
    pub interval: Option<Interval>,
}

/// Whether customers that were exposed stayed as others did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExposureReport<S = Segment> {
    /// The exposed, compared with the others.
    pub all: RetentionComparison,
    /// The same within each stratum.
    pub strata: Vec<(S, RetentionComparison)>,
    /// The test in which customers are compared with those of their stratum only.
    pub stratified_test: Result<LogRank, String>,
    /// None when no stratum has both.
    pub losses: Option<ExpectedLosses>,
    pub uncounted: BTreeMap<UncountedReason, u64>,
}

impl<S: Copy + Ord> ExposureReport<S> {
    /// The comparison of a portfolio that was followed for so many days.
    ///
    /// # Errors
    /// When an amount of money leaves its range.
    pub(crate) fn of(portfolio: FollowedPortfolio<S>, days: u32) -> Result<Self, MoneyError> {
        let part = |stratum: Option<S>, exposed: bool| -> Vec<&FollowedCustomers<S>> {
            let is_in =
                |one: &&FollowedCustomers<S>| one.exposed == exposed && stratum.is_none_or(|of| one.stratum == of);
            portfolio.customers.iter().filter(is_in).collect()
        };
        let (all, _) = RetentionComparison::of(&part(None, true), &part(None, false), days)?;
        let present: BTreeSet<S> = portfolio.customers.iter().map(|one| one.stratum).collect();
        let mut strata = Vec::new();
        let mut observed_strata = Vec::new();
        for stratum in present {
            let exposed = part(Some(stratum), true);
            let (comparison, observed) = RetentionComparison::of(&exposed, &part(Some(stratum), false), days)?;
            strata.push((stratum, comparison));
            observed_strata.push(observed);
        }
        let stratified_test = compare(&observed_strata);
        let losses = expected_losses(&strata);
        Ok(Self { all, strata, stratified_test, losses, uncounted: portfolio.uncounted })
    }
}

/// Direct standardisation over strata: the sum of `n × (1 − S)` over them, with `n` unexposed customers of a stratum and `S` the
/// share that stayed of its exposed, or of its unexposed ones (Hernán and Robins 2020, Causal Inference: What If, 2.3).
fn expected_losses<S>(strata: &[(S, RetentionComparison)]) -> Option<ExpectedLosses> {
    let mut losses = ExpectedLosses { customers: 0, omitted: 0, if_exposed: 0.0, if_unexposed: 0.0, interval: None };
    // Of how many more leave if exposed; none once one of the shares has no interval.
    let mut terms: Option<Vec<Term>> = Some(Vec::new());
    for (_, comparison) in strata {
        let unexposed = comparison.reference.customers;
        let Some((if_exposed, if_unexposed)) = comparison.group.retention().zip(comparison.reference.retention())
        else {
            losses.omitted += unexposed;
            continue;
        };
        let weight = unexposed as f64;
        losses.customers += unexposed;
        losses.if_exposed += weight * (1.0 - if_exposed);
        losses.if_unexposed += weight * (1.0 - if_unexposed);
        let both = comparison.group.term(-weight).zip(comparison.reference.term(weight));
        terms = terms.zip(both).map(|(mut terms, (exposed, unexposed))| {
            terms.extend([exposed, unexposed]);
            terms
        });
    }
    losses.interval = terms.filter(|terms| !terms.is_empty()).map(|terms| combination::interval(&terms));
    (losses.customers > 0).then_some(losses)
}

#[cfg(test)]
mod tests;
