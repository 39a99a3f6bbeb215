//! The curves of all cohorts, and whether they differ.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use mainstay_domain::{Money, MoneyError};
use mainstay_statistics::survival::{LogRank, LogRankError, Observation, log_rank};

use super::curve::{Curve, RetentionMonth, RevenueCurve, RevenueMonth};
use super::lifetime::monthly_value;
use super::{COHORTS_MAX, CohortDimension, CohortFilter, SeenCustomers, SeenPortfolio, UncountedReason};

/// What to say of cohorts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RetentionQuery {
    pub dimension: CohortDimension,
    pub filter: CohortFilter,
    /// How many months of age the curves show.
    pub months: u32,
    /// How many months a lifetime is at most.
    pub lifetime_months: u32,
    /// Keys of the cohorts to test; empty: all.
    pub compared: Vec<String>,
}

/// How long customers stay.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Retention {
    pub cohorts: Vec<Cohort>,
    /// How many cohorts more there are.
    pub omitted_cohorts: usize,
    /// The cohorts tested, and the test or what stands against it.
    pub compared: Vec<String>,
    pub test: Result<LogRank, String>,
    pub uncounted: BTreeMap<UncountedReason, u64>,
}

/// Customers that have something in common.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cohort {
    /// What they have in common.
    pub key: String,
    pub accounts: u64,
    pub churned: u64,
    pub median_months: Option<f64>,
    pub observed_months: f64,
    pub months: Vec<RetentionMonth>,
    /// By currency.
    pub revenues: Vec<CohortRevenue>,
}

/// The revenue of a cohort in one currency.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CohortRevenue {
    /// Of a year, of all accounts.
    pub annual: Money,
    pub accounts: u64,
    pub months: Vec<RevenueMonth>,
    /// How many of the first months customers stay on average.
    pub lifetime_months: f64,
    /// How many months were looked at.
    pub lifetime_limit_months: f64,
    /// What an account brings in that time on average.
    pub lifetime_value: Money,
}

impl Retention {
    /// The curves of a portfolio.
    ///
    /// # Errors
    /// When an amount of money leaves its range.
    pub(crate) fn of(portfolio: SeenPortfolio, query: &RetentionQuery) -> Result<Self, MoneyError> {
        let mut by_key: BTreeMap<&str, Vec<&SeenCustomers>> = BTreeMap::new();
        for group in &portfolio.customers {
            by_key.entry(&group.cohort).or_default().push(group);
        }
        let size = |customers: &[&SeenCustomers]| customers.iter().map(|group| group.count).sum::<u64>();
        let mut groups: Vec<(&str, Vec<&SeenCustomers>)> = by_key.into_iter().collect();
        let omitted_cohorts = groups.len().saturating_sub(COHORTS_MAX);
        if query.dimension == CohortDimension::OnboardingMonth {
            groups.drain(..omitted_cohorts);
        } else {
            groups.sort_by_key(|(_, customers)| Reverse(size(customers)));
            groups.truncate(COHORTS_MAX);
        }
        let mut cohorts = Vec::new();
        let mut observations = Vec::new();
        for (key, customers) in groups {
            if let Some(curve) = Curve::of(&customers) {
                cohorts.push(Cohort::of(key, &customers, &curve, query)?);
                observations.push((key, curve.observations));
            }
        }
        let is_compared = |key: &str| query.compared.is_empty() || query.compared.iter().any(|named| named == key);
        observations.retain(|(key, _)| is_compared(key));
        let compared = observations.iter().map(|(key, _)| (*key).to_owned()).collect();
        let test = compare(&observations);
        Ok(Self { cohorts, omitted_cohorts, compared, test, uncounted: portfolio.uncounted })
    }

    /// Those of the cohorts to be compared that are none.
    pub(crate) fn unknown<'a>(&self, query: &'a RetentionQuery) -> Vec<&'a str> {
        let known: BTreeSet<&str> = self.compared.iter().map(String::as_str).collect();
        query.compared.iter().map(String::as_str).filter(|key| !known.contains(key)).collect()
    }
}

fn compare(observations: &[(&str, Vec<Observation>)]) -> Result<LogRank, String> {
    let groups: Vec<&[Observation]> = observations.iter().map(|(_, observations)| observations.as_slice()).collect();
    log_rank(&groups).map_err(|error| match error {
        LogRankError::NobodyAtRisk { index } => format!(
            "nobody of the cohort `{}` was seen until somebody left: compare the others by naming them",
            observations[index].0
        ),
        other => other.to_string(),
    })
}

impl Cohort {
    fn of(key: &str, customers: &[&SeenCustomers], curve: &Curve, query: &RetentionQuery) -> Result<Self, MoneyError> {
        let last = curve.last_month(query.months);
        let (lifetime_months, lifetime_limit_months) = curve.restricted_mean(f64::from(query.lifetime_months));
        let revenue = |(revenue, accounts): (RevenueCurve, u64)| {
            let annual = revenue.total()?;
            let value = annual.minor_units as f64 / accounts as f64;
            Ok(CohortRevenue {
                annual,
                accounts,
                months: revenue.months(last)?,
                lifetime_months,
                lifetime_limit_months,
                lifetime_value: monthly_value(annual.currency, value, lifetime_months)?,
            })
        };
        Ok(Self {
            key: key.to_owned(),
            accounts: curve.total(),
            churned: curve.churned(),
            median_months: curve.median_months(),
            observed_months: curve.observed_months(),
            months: curve.months(last),
            revenues: RevenueCurve::of(customers).into_iter().map(revenue).collect::<Result<_, MoneyError>>()?,
        })
    }
}

#[cfg(test)]
mod tests;
