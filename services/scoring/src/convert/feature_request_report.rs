//! The report of requested features.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::Violations;
use mainstay_service::wire::{money_message, timestamp};

use super::account::segments;
use super::report::{list_size, owner_email};
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::feature_request_report::{FeatureRequestQuery, FeatureRequestReport, RECENT_DAYS, RequestedFeature};

const LIST_SIZE: i32 = 20;
const WINDOW_DAYS: i32 = 365;
/// Three years.
const WINDOW_DAYS_MAX: i64 = 1_095;

/// Which report; notes all that is wrong with the request.
pub(crate) fn query(found: &mut Violations, given: proto::GetFeatureRequestReportRequest) -> FeatureRequestQuery {
    let window_days = i64::from(given.window_days.unwrap_or(WINDOW_DAYS));
    let is_window = (RECENT_DAYS..=WINDOW_DAYS_MAX).contains(&window_days);
    found.require(is_window, "window_days", format!("must be {RECENT_DAYS} to {WINDOW_DAYS_MAX}"));
    FeatureRequestQuery {
        window_days,
        customers: CustomerFilter {
            segments: segments(found, "segments", &given.segments),
            owner_email: owner_email(found, given.owner_email),
        },
        list_size: usize::try_from(list_size(found, given.list_size, LIST_SIZE)).unwrap_or_default(),
    }
}

/// The report as messages have it.
pub(crate) fn message(report: &FeatureRequestReport) -> proto::FeatureRequestReport {
    proto::FeatureRequestReport {
        as_of_time: Some(timestamp(report.as_of)),
        start_time: Some(timestamp(report.start)),
        recent_start_time: Some(timestamp(report.recent_start)),
        feature_count: i64::try_from(report.feature_count).unwrap_or(i64::MAX),
        features: report.features.iter().map(feature).collect(),
    }
}

fn feature(one: &RequestedFeature) -> proto::RequestedFeature {
    proto::RequestedFeature {
        feature: one.feature.clone(),
        request_count: one.request_count,
        account_count: one.account_count,
        recent_request_count: one.recent_request_count,
        recent_account_count: one.recent_account_count,
        first_request_time: Some(timestamp(one.first_at)),
        last_request_time: Some(timestamp(one.last_at)),
        arr: one.arr.iter().map(money_message).collect(),
        at_risk_account_count: one.at_risk_account_count,
        at_risk_arr: one.at_risk_arr.iter().map(money_message).collect(),
        left_account_count: one.left_account_count,
        released_account_count: one.given.released_to,
        given_account_count: one.given.askers,
        mean_score_change: one.given.mean_change(),
        score_change_account_count: one.given.compared_count,
    }
}
