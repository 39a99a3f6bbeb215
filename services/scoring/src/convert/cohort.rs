//! Cohorts.

use std::collections::BTreeMap;

use chrono::{DateTime, Months, NaiveDate, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, Violations};

use super::account::segments;
use crate::domain::account::TEXT_LENGTH_MAX;
use crate::domain::cohort::{
    COHORTS_MAX, Cohort, CohortDimension, CohortFilter, CohortRevenue, LifetimeValue, MONTHS_MAX, Retention,
    RetentionQuery, UncountedReason,
};
use mainstay_service::wire::{count, money_message, timestamp};

const CURVE_MONTHS: u32 = 24;
const LIFETIME_MONTHS: u32 = 36;

/// What cohorts are by; unspecified is all accounts.
pub(crate) fn dimension(found: &mut Violations, field: &str, number: i32) -> CohortDimension {
    match proto::CohortDimension::try_from(number) {
        Ok(proto::CohortDimension::Unspecified) => CohortDimension::All,
        Ok(proto::CohortDimension::Segment) => CohortDimension::Segment,
        Ok(proto::CohortDimension::ProductLine) => CohortDimension::ProductLine,
        Ok(proto::CohortDimension::Plan) => CohortDimension::Plan,
        Ok(proto::CohortDimension::Industry) => CohortDimension::Industry,
        Ok(proto::CohortDimension::OnboardingMonth) => CohortDimension::OnboardingMonth,
        Err(_) => {
            found.add(field, format!("{number} is no dimension of cohorts"));
            CohortDimension::All
        }
    }
}

/// How many months a lifetime is looked at.
pub(crate) fn lifetime_months(found: &mut Violations, field: &str, given: i32) -> u32 {
    months(found, field, given, LIFETIME_MONTHS)
}

fn months(found: &mut Violations, field: &str, given: i32, default: u32) -> u32 {
    match u32::try_from(given) {
        Ok(0) => default,
        Ok(given) if given <= MONTHS_MAX => given,
        _ => {
            found.add(field, format!("must be 1 to {MONTHS_MAX}, or 0 for {default}"));
            default
        }
    }
}

/// The first day of a month; empty is absent.
fn month(found: &mut Violations, field: &str, given: &str) -> Option<NaiveDate> {
    if given.is_empty() {
        return None;
    }
    let first = format!("{given}-01");
    let day = NaiveDate::parse_from_str(&first, "%Y-%m-%d").ok().filter(|day| day.to_string() == first);
    if day.is_none() {
        let shown: String = given.chars().take(40).collect();
        found.add(field, format!("`{shown}` is not a month such as `2026-01`"));
    }
    day
}

/// What to say of cohorts.
pub(crate) fn query(found: &mut Violations, given: proto::GetRetentionRequest) -> RetentionQuery {
    found.check_text("product_line", &given.product_line, TEXT_LENGTH_MAX);
    let first = month(found, "first_month", &given.first_month);
    let last = month(found, "last_month", &given.last_month);
    if let (Some(first), Some(last)) = (first, last) {
        found.require(first <= last, "last_month", "must not be before first_month");
    }
    let compared = given.compared_cohorts;
    let range = format!("must be none, or 2 to {COHORTS_MAX}");
    found.require(compared.is_empty() || (2..=COHORTS_MAX).contains(&compared.len()), "compared_cohorts", range);
    for (index, key) in compared.iter().enumerate() {
        found.require(!compared[..index].contains(key), format!("compared_cohorts[{index}]"), "is given twice");
        found.check_text(&format!("compared_cohorts[{index}]"), key, TEXT_LENGTH_MAX);
    }
    RetentionQuery {
        dimension: dimension(found, "dimension", given.dimension),
        filter: CohortFilter {
            segments: segments(found, "segments", &given.segments),
            product_line: Some(given.product_line).filter(|text| !text.is_empty()),
            started_since: first,
            started_before: last.and_then(|last| last.checked_add_months(Months::new(1))),
        },
        months: months(found, "month_count", given.month_count, CURVE_MONTHS),
        lifetime_months: lifetime_months(found, "lifetime_month_count", given.lifetime_month_count),
        compared,
    }
}

const fn reason_message(reason: UncountedReason) -> proto::UncountedReason {
    match reason {
        UncountedReason::Trial => proto::UncountedReason::Trial,
        UncountedReason::StartUnknown => proto::UncountedReason::StartUnknown,
        UncountedReason::NotStarted => proto::UncountedReason::NotStarted,
        UncountedReason::ChurnTimeUnknown => proto::UncountedReason::ChurnTimeUnknown,
        UncountedReason::EndedBeforeStart => proto::UncountedReason::EndedBeforeStart,
    }
}

/// The accounts that are in no cohort, as messages have them.
pub(super) fn uncounted_accounts(uncounted: &BTreeMap<UncountedReason, u64>) -> Vec<proto::UncountedAccounts> {
    let accounts = |(reason, count): (&UncountedReason, &u64)| proto::UncountedAccounts {
        reason: reason_message(*reason).into(),
        count: number(*count),
    };
    uncounted.iter().map(accounts).collect()
}

/// A count as messages have it.
pub(super) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn month_number(month: u32) -> i32 {
    i32::try_from(month).unwrap_or(i32::MAX)
}

/// The curves as messages have them.
pub(crate) fn retention(retention: &Retention, dimension: i32, as_of: DateTime<Utc>) -> proto::Retention {
    let test = retention.test.as_ref().ok().map(|test| proto::LogRankTest {
        chi_squared: test.chi_squared,
        degrees_of_freedom: count(test.degrees_of_freedom),
        p_value: test.p,
        cohorts: test
            .groups
            .iter()
            .zip(&retention.compared)
            .map(|(group, key)| proto::LogRankCohort {
                key: key.clone(),
                churned_count: number(group.ended),
                expected_churned_count: group.expected,
            })
            .collect(),
    });
    proto::Retention {
        dimension,
        cohorts: retention.cohorts.iter().map(cohort).collect(),
        omitted_cohort_count: i64::from(count(retention.omitted_cohorts)),
        test,
        test_obstacle: retention.test.as_ref().err().cloned().unwrap_or_default(),
        uncounted_accounts: uncounted_accounts(&retention.uncounted),
        as_of_time: Some(timestamp(as_of)),
    }
}

fn cohort(cohort: &Cohort) -> proto::Cohort {
    let months = cohort.months.iter().map(|point| proto::RetentionMonth {
        month: month_number(point.month),
        at_risk_count: number(point.at_risk),
        churned_count: number(point.churned),
        survival: point.survival,
        low: point.interval.low,
        high: point.interval.high,
    });
    proto::Cohort {
        key: cohort.key.clone(),
        account_count: number(cohort.accounts),
        churned_count: number(cohort.churned),
        median_months: cohort.median_months,
        observed_months: cohort.observed_months,
        months: months.collect(),
        revenues: cohort.revenues.iter().map(revenue).collect(),
    }
}

fn revenue(revenue: &CohortRevenue) -> proto::CohortRevenue {
    let months = revenue.months.iter().map(|point| proto::RevenueMonth {
        month: month_number(point.month),
        at_risk: Some(money_message(point.at_risk)),
        churned: Some(money_message(point.churned)),
        survival: point.survival,
    });
    proto::CohortRevenue {
        annual_revenue: Some(money_message(revenue.annual)),
        account_count: number(revenue.accounts),
        months: months.collect(),
        lifetime_months: revenue.lifetime_months,
        lifetime_limit_months: revenue.lifetime_limit_months,
        lifetime_value: Some(money_message(revenue.lifetime_value)),
    }
}

/// What can still be expected of an account, as messages have it.
pub(crate) fn lifetime_value(
    account: &AccountId,
    value: Result<LifetimeValue, UncountedReason>,
    as_of: DateTime<Utc>,
) -> proto::LifetimeValue {
    let unknown =
        proto::LifetimeValue { account: account.name(), as_of_time: Some(timestamp(as_of)), ..Default::default() };
    match value {
        Err(reason) => proto::LifetimeValue { uncounted_reason: reason_message(reason).into(), ..unknown },
        Ok(value) => proto::LifetimeValue {
            cohort: value.customer.cohort,
            cohort_account_count: number(value.cohort_accounts),
            cohort_churned_count: number(value.cohort_churned),
            age_months: Some(value.customer.age.months()),
            lookahead_months: value.lookahead_months,
            expected_months: value.expected_months,
            value: value.value.map(money_message),
            ..unknown
        },
    }
}
