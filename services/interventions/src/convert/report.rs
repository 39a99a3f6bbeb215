//! Reports.

use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_domain::{Proportion, Z_95};
use mainstay_service::wire::timestamp;

use super::{alert, clock, policy};
use crate::app::report::{Report, StepReport};
use crate::domain::report::Summary;

/// A report as messages have it.
pub(crate) fn message(report: &Report) -> proto::InterventionReport {
    proto::InterventionReport {
        start_time: Some(timestamp(report.start)),
        end_time: Some(timestamp(report.end)),
        as_of_time: Some(timestamp(report.as_of)),
        success: Some(share(report.success)),
        no_action_count: report.no_action_count,
        recovery_days: Some(measurement(report.recovery_days)),
        points_gained: Some(measurement(report.points_gained)),
        detractors_recovered: Some(share(report.detractors_recovered)),
        critical_response: Some(proto::CriticalResponse {
            in_time: Some(share(report.critical_response.in_time)),
            hours: Some(measurement(report.critical_response.hours)),
            never_answered_count: report.critical_response.never_answered_count,
        }),
        response_times: report.steps.iter().map(response_times).collect(),
    }
}

fn response_times(step: &StepReport) -> proto::ResponseTimes {
    proto::ResponseTimes {
        alert_kind: step.alert_kind.map_or(proto::AlertKind::Unspecified, alert::kind_message).into(),
        step: clock::step_message(step.step).into(),
        in_time: Some(share(step.in_time)),
        hours: Some(measurement(step.hours)),
        never_met_count: step.never_met_count,
        target: step.target_seconds.map(policy::seconds),
    }
}

fn share(proportion: Proportion) -> proto::Share {
    let interval = proportion.wilson(Z_95);
    proto::Share {
        count: proportion.count,
        total: proportion.total,
        share: proportion.share(),
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
    }
}

fn measurement(summary: Option<Summary>) -> proto::Measurement {
    let Some(summary) = summary else { return proto::Measurement::default() };
    proto::Measurement {
        count: summary.count,
        mean: Some(summary.mean),
        mean_low: summary.mean_interval.map(|interval| interval.low),
        mean_high: summary.mean_interval.map(|interval| interval.high),
        median: Some(summary.median),
        p90: Some(summary.p90),
    }
}
