//! The map of touchpoints.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::Violations;
use mainstay_service::wire::{money_message, timestamp};

use super::account::segments;
use super::cohort::{number, uncounted_accounts};
use super::retention_comparison::{Span, day_number, span};
use super::risk_trigger::kind_message;
use crate::domain::retention_comparison::{
    JourneyStage, RetentionComparison, Touchpoint, TouchpointEffect, TouchpointMap, TouchpointQuery,
};

/// Who is to be compared; none when something is wrong, which is noted.
pub(crate) fn query(
    found: &mut Violations,
    given: &proto::GetTouchpointMapRequest,
    today: NaiveDate,
) -> Option<TouchpointQuery> {
    let segments = segments(found, "segments", &given.segments);
    let Span { landmark, exposure_days, follow_up } =
        span(found, &given.landmark_day, given.exposure_day_count, given.follow_day_count, today)?;
    Some(TouchpointQuery { segments, landmark, exposure_days, follow_up })
}

/// The map as messages have it.
pub(crate) fn message(query: &TouchpointQuery, map: &TouchpointMap, as_of: DateTime<Utc>) -> proto::TouchpointMap {
    proto::TouchpointMap {
        exposure_first_day: query.exposure_first_day().to_string(),
        landmark_day: query.landmark.to_string(),
        last_day: query.follow_up.last_day().to_string(),
        follow_day_count: day_number(query.follow_up.days),
        customer_count: number(map.customers),
        churned_count: number(map.churned),
        touchpoints: map.touchpoints.iter().map(touchpoint).collect(),
        uncounted_accounts: uncounted_accounts(&map.uncounted),
        as_of_time: Some(timestamp(as_of)),
    }
}

fn touchpoint(effect: &TouchpointEffect) -> proto::Touchpoint {
    let kind = match effect.touchpoint {
        Touchpoint::Condition(kind) => proto::touchpoint::Kind::Condition(kind_message(kind).into()),
        Touchpoint::Incident => proto::touchpoint::Kind::Incident(proto::IncidentTouchpoint {}),
    };
    let report = &effect.report;
    let test = report.stratified_test.as_ref();
    let stages = report.strata.iter().map(|(stage, comparison)| proto::TouchpointStage {
        stage: stage_message(*stage).into(),
        effect: Some(compared(comparison)),
    });
    proto::Touchpoint {
        kind: Some(kind),
        all: Some(compared(&report.all)),
        stages: stages.collect(),
        excess_loss_count: effect.excess_losses,
        p_value: test.ok().map(|test| test.p),
        adjusted_p_value: effect.adjusted_p,
        test_obstacle: test.err().cloned().unwrap_or_default(),
        annual_revenues: report.all.group.revenue.iter().copied().map(money_message).collect(),
    }
}

fn compared(comparison: &RetentionComparison) -> proto::TouchpointEffect {
    let interval = comparison.difference.and_then(|difference| difference.interval);
    let (group, reference) = (&comparison.group, &comparison.reference);
    proto::TouchpointEffect {
        customer_count: number(group.customers),
        churned_count: number(group.churned),
        retention: group.retention(),
        reference_customer_count: number(reference.customers),
        reference_churned_count: number(reference.churned),
        reference_retention: reference.retention(),
        difference: comparison.difference.map(|difference| difference.value),
        difference_low: interval.map(|interval| interval.low),
        difference_high: interval.map(|interval| interval.high),
    }
}

const fn stage_message(stage: JourneyStage) -> proto::JourneyStage {
    match stage {
        JourneyStage::Onboarding => proto::JourneyStage::Onboarding,
        JourneyStage::InUse => proto::JourneyStage::InUse,
        JourneyStage::Renewing => proto::JourneyStage::Renewing,
    }
}
