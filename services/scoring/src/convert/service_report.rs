//! The report of service.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{Violations, Z_95};
use mainstay_service::wire::timestamp;

use super::account::{segment_message, segments};
use super::report::{owner_email, period};
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::health_report::ReportPeriod;
use crate::domain::service_report::{ServiceFigures, ServiceQuery, ServiceReport};

/// Which report; notes all that is wrong with the request.
pub(crate) fn query(found: &mut Violations, given: proto::GetServiceReportRequest) -> ServiceQuery {
    ServiceQuery {
        period: period(found, given.period, ReportPeriod::Month),
        customers: CustomerFilter {
            segments: segments(found, "segments", &given.segments),
            owner_email: owner_email(found, given.owner_email),
        },
    }
}

/// The report as messages have it.
pub(crate) fn message(report: &ServiceReport) -> proto::ServiceReport {
    let periods = report.periods;
    let change = report.all.first_contact_change();
    let segments = report.segments.iter().map(|(segment, compared)| proto::SegmentServiceReport {
        segment: segment_message(*segment).into(),
        figures: Some(figures(&compared.now)),
        figures_before: Some(figures(&compared.before)),
    });
    proto::ServiceReport {
        as_of_time: Some(timestamp(periods.now.end)),
        start_time: Some(timestamp(periods.now.start)),
        compare_start_time: Some(timestamp(periods.before.start)),
        figures: Some(figures(&report.all.now)),
        figures_before: Some(figures(&report.all.before)),
        first_contact_rate_change: change.map(|(value, _)| value),
        first_contact_rate_change_low: change.map(|(_, interval)| interval.low),
        first_contact_rate_change_high: change.map(|(_, interval)| interval.high),
        segments: segments.collect(),
    }
}

fn figures(figures: &ServiceFigures) -> proto::ServiceFigures {
    let interval = figures.first_contact.wilson(Z_95);
    proto::ServiceFigures {
        opened_count: figures.opened_count,
        resolved_count: figures.resolved_count,
        decided_count: figures.first_contact.total,
        first_contact_count: figures.first_contact.count,
        first_contact_rate: figures.first_contact.share(),
        first_contact_rate_low: interval.map(|interval| interval.low),
        first_contact_rate_high: interval.map(|interval| interval.high),
        pending_count: figures.pending_count,
        answered_count: figures.answered_count,
        first_response_hours_median: figures.first_response_hours_median,
        resolution_hours_median: figures.resolution_hours_median,
        reopened_count: figures.reopened_count,
        escalated_count: figures.escalated_count,
        effort_answer_count: figures.effort.answer_count,
        effort_score_mean: figures.effort.mean(),
    }
}
