//! Comparisons of the retention of two groups.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{Violations, is_key};
use mainstay_service::wire::{day, enum_values, money_message, timestamp};
use mainstay_statistics::survival::LogRank;

use super::account::{segment_message, segments};
use super::cohort::{number, uncounted_accounts};
use super::product::case_outcome_of;
use crate::domain::account::{KEY_RULE, TEXT_LENGTH_MAX};
use crate::domain::retention_comparison::{
    BeforeAfter, Change, ChangeQuery, ChurnMonth, EXPOSURE_DAYS_MAX, ExpectedLosses, Exposure, ExposureQuery,
    ExposureReport, FOLLOW_DAYS_MAX, FollowUp, RetentionComparison, RetentionGroup, check_change_day,
};

const DAYS: u32 = 90;
/// Most incidents and contacts to ask for.
const COUNT_MAX: u32 = 10_000;
/// Most minutes to ask for: a year.
const MINUTES_MAX: u32 = 525_600;

/// A number of a message from 1 to `most`; 0 stands for the default.
fn positive(found: &mut Violations, field: &str, given: i32, default: u32, most: u32) -> u32 {
    match u32::try_from(given) {
        Ok(0) => default,
        Ok(given) if given <= most => given,
        _ => {
            found.add(field, format!("must be 1 to {most}, or 0 for {default}"));
            default
        }
    }
}

fn exposure(found: &mut Violations, given: Option<proto::Exposure>) -> Option<Exposure> {
    match given.and_then(|given| given.kind) {
        Some(proto::exposure::Kind::Incidents(given)) => {
            let count =
                positive(found, "exposure.incidents.incident_count_min", given.incident_count_min, 1, COUNT_MAX);
            let minutes = u32::try_from(given.minutes_min).ok().filter(|minutes| *minutes <= MINUTES_MAX);
            found.require(
                minutes.is_some(),
                "exposure.incidents.minutes_min",
                format!("must be 0 to {MINUTES_MAX}, a year"),
            );
            Some(Exposure::Incidents { count, minutes: minutes? })
        }
        Some(proto::exposure::Kind::Touches(given)) => {
            let count = positive(found, "exposure.touches.touch_count_min", given.touch_count_min, 1, COUNT_MAX);
            Some(Exposure::Touches { count })
        }
        Some(proto::exposure::Kind::Cases(given)) => {
            let field = "exposure.cases.outcomes";
            let outcomes = enum_values(found, field, &given.outcomes, "outcome of a case", case_outcome_of);
            Some(Exposure::Cases { outcomes })
        }
        Some(proto::exposure::Kind::Features(given)) => {
            let name = (!given.feature.is_empty()).then_some(given.feature);
            found.require(name.as_deref().is_none_or(is_key), "exposure.features.feature", KEY_RULE);
            Some(Exposure::Feature { name })
        }
        None => {
            found.add("exposure", "is required: incidents, touches, cases or features");
            None
        }
    }
}

/// Who is to be compared; none when something is wrong, which is noted.
pub(crate) fn exposure_query(
    found: &mut Violations,
    given: proto::CompareExposureRequest,
    today: NaiveDate,
) -> Option<ExposureQuery> {
    let exposure = exposure(found, given.exposure);
    let segments = segments(found, "segments", &given.segments);
    let span = span(found, &given.landmark_day, given.exposure_day_count, given.follow_day_count, today);
    let (exposure, Span { landmark, exposure_days, follow_up }) = exposure.zip(span)?;
    Some(ExposureQuery { exposure, segments, landmark, exposure_days, follow_up })
}

/// The days around a landmark.
pub(super) struct Span {
    pub landmark: NaiveDate,
    pub exposure_days: u32,
    pub follow_up: FollowUp,
}

/// Those of a request; none when something is wrong, which is noted.
pub(super) fn span(
    found: &mut Violations,
    landmark_day: &str,
    exposure_day_count: i32,
    follow_day_count: i32,
    today: NaiveDate,
) -> Option<Span> {
    let exposure_days = positive(found, "exposure_day_count", exposure_day_count, DAYS, EXPOSURE_DAYS_MAX);
    let follow_days = positive(found, "follow_day_count", follow_day_count, DAYS, FOLLOW_DAYS_MAX);
    let default = today - TimeDelta::days(i64::from(follow_days));
    let faults = found.len();
    let landmark = day(found, "landmark_day", landmark_day).unwrap_or(default);
    let follow_up = FollowUp::from(landmark + TimeDelta::days(1), follow_days, today);
    if found.len() == faults {
        found.require(follow_up.is_some(), "landmark_day", format!("must be before {today}, which is today"));
    }
    Some(Span { landmark, exposure_days, follow_up: follow_up? })
}

/// Which change is to be looked at; none when something is wrong, which is noted.
pub(crate) fn change_query(
    found: &mut Violations,
    given: proto::CompareBeforeAfterRequest,
    today: NaiveDate,
) -> Option<ChangeQuery> {
    use proto::compare_before_after_request::Change as Given;
    let change = match given.change {
        Some(Given::Feature(name)) => {
            found.require(is_key(&name), "feature", KEY_RULE);
            Some(Change::Feature(name))
        }
        Some(Given::Day(text)) if !text.is_empty() => {
            day(found, "day", &text).and_then(|day| check_change_day(found, "day", day, today)).map(Change::Day)
        }
        Some(Given::Day(_)) | None => {
            found.add("day", "the day of the change is required, or a feature");
            None
        }
    };
    found.check_text("label", &given.label, TEXT_LENGTH_MAX);
    let follow_days = positive(found, "follow_day_count", given.follow_day_count, DAYS, FOLLOW_DAYS_MAX);
    let segments = segments(found, "segments", &given.segments);
    Some(ChangeQuery { change: change?, segments, follow_days })
}

pub(super) fn day_number(day: u32) -> i32 {
    i32::try_from(day).unwrap_or(i32::MAX)
}

/// A test and what stands against it, one of which is there.
fn test(test: &Result<LogRank, String>) -> (Option<proto::GroupTest>, String) {
    match test {
        Ok(test) => {
            let expected = |group: usize| test.groups.get(group).map_or(0.0, |group| group.expected);
            let message = proto::GroupTest {
                chi_squared: test.chi_squared,
                p_value: test.p,
                expected_churned_count: expected(0),
                reference_expected_churned_count: expected(1),
            };
            (Some(message), String::new())
        }
        Err(obstacle) => (None, obstacle.clone()),
    }
}

fn group(group: &RetentionGroup) -> proto::RetentionGroup {
    let days = group.curve.iter().map(|point| proto::RetentionDay {
        day: day_number(point.day),
        at_risk_count: number(point.at_risk),
        churned_count: number(point.churned),
        survival: point.survival,
        low: point.interval.low,
        high: point.interval.high,
    });
    proto::RetentionGroup {
        customer_count: number(group.customers),
        churned_count: number(group.churned),
        censored_count: number(group.censored),
        retention: group.retention(),
        retention_low: group.interval().map(|interval| interval.low),
        retention_high: group.interval().map(|interval| interval.high),
        days: days.collect(),
        annual_revenues: group.revenue.iter().copied().map(money_message).collect(),
    }
}

fn comparison(comparison: &RetentionComparison) -> proto::RetentionComparison {
    let interval = comparison.difference.and_then(|difference| difference.interval);
    let (test, test_obstacle) = test(&comparison.test);
    proto::RetentionComparison {
        group: Some(group(&comparison.group)),
        reference: Some(group(&comparison.reference)),
        difference: comparison.difference.map(|difference| difference.value),
        difference_low: interval.map(|interval| interval.low),
        difference_high: interval.map(|interval| interval.high),
        test,
        test_obstacle,
    }
}

fn losses(losses: &ExpectedLosses) -> proto::ExpectedLosses {
    proto::ExpectedLosses {
        customer_count: number(losses.customers),
        omitted_customer_count: number(losses.omitted),
        if_exposed: losses.if_exposed,
        if_unexposed: losses.if_unexposed,
        difference: losses.if_exposed - losses.if_unexposed,
        difference_low: losses.interval.map(|interval| interval.low),
        difference_high: losses.interval.map(|interval| interval.high),
    }
}

/// A comparison by exposure, as messages have it.
pub(crate) fn exposure_comparison(
    query: &ExposureQuery,
    report: &ExposureReport,
    as_of: DateTime<Utc>,
) -> proto::ExposureComparison {
    let segments = report.strata.iter().map(|(segment, of_segment)| proto::SegmentComparison {
        segment: segment_message(*segment).into(),
        comparison: Some(comparison(of_segment)),
    });
    let (stratified_test, stratified_test_obstacle) = test(&report.stratified_test);
    proto::ExposureComparison {
        exposure_first_day: query.exposure_first_day().to_string(),
        landmark_day: query.landmark.to_string(),
        last_day: query.follow_up.last_day().to_string(),
        follow_day_count: day_number(query.follow_up.days),
        all: Some(comparison(&report.all)),
        segments: segments.collect(),
        stratified_test,
        stratified_test_obstacle,
        expected_losses: report.losses.as_ref().map(losses),
        uncounted_accounts: uncounted_accounts(&report.uncounted),
        as_of_time: Some(timestamp(as_of)),
    }
}

fn churn_month(month: &ChurnMonth) -> proto::ChurnMonth {
    proto::ChurnMonth {
        month: month.month.format("%Y-%m").to_string(),
        customer_count: month.churned.total,
        churned_count: month.churned.count,
        churn_rate: month.rate(),
        churn_rate_low: month.interval().map(|interval| interval.low),
        churn_rate_high: month.interval().map(|interval| interval.high),
        over: month.is_over,
    }
}

/// A comparison of before and after a change, as messages have it.
pub(crate) fn before_after(report: &BeforeAfter, label: String, as_of: DateTime<Utc>) -> proto::BeforeAfterComparison {
    proto::BeforeAfterComparison {
        label,
        change_day: report.change_day.to_string(),
        before_first_day: report.before.first_day.to_string(),
        after_last_day: report.after.last_day().to_string(),
        follow_day_count: day_number(report.after.days),
        complete: report.is_complete,
        comparison: Some(comparison(&report.comparison)),
        months: report.months.iter().map(churn_month).collect(),
        uncounted_accounts: uncounted_accounts(&report.uncounted),
        as_of_time: Some(timestamp(as_of)),
    }
}
