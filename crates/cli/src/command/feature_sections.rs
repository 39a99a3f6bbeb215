//! The sections of the report of requested features.

use mainstay_api::mainstay::scoring::v1 as proto;

use crate::command::report_sections::{Section, Value, asked_for};
use crate::command::reports::FeaturesArguments;
use crate::words::{day_of_time, time_text};

/// Those of a report of requested features, as it was asked for.
pub(crate) fn feature_sections(report: &proto::FeatureRequestReport, asked: &FeaturesArguments) -> Vec<Section> {
    vec![summary(report, asked), features(report), given(report)]
}

fn summary(report: &proto::FeatureRequestReport, asked: &FeaturesArguments) -> Section {
    let columns = [
        (">FEATURES", "features"),
        (">LISTED", "features_listed"),
        ("SINCE", "start_time"),
        ("RECENT SINCE", "recent_start_time"),
        ("SEGMENTS", "segments"),
        ("LOOKED AFTER BY", "owner_email"),
    ];
    let [segments, owner] = asked_for(&asked.customers.segment, &asked.customers.owner);
    Section::new(("summary", "What was asked for"), &columns, "").with([vec![
        Value::count(report.feature_count),
        Value::text(report.features.len().to_string()),
        Value::text(time_text(report.start_time)),
        Value::text(time_text(report.recent_start_time)),
        segments,
        owner,
    ]])
}

fn features(report: &proto::FeatureRequestReport) -> Section {
    let columns = [
        ("FEATURE", "feature"),
        (">ARR AT RISK", "arr_at_risk"),
        (">AT RISK", "customers_at_risk"),
        (">ARR", "arr"),
        (">ACCOUNTS", "accounts"),
        (">REQUESTS", "requests"),
        (">RECENT ACCOUNTS", "accounts_recent"),
        (">RECENT", "requests_recent"),
        (">LEFT", "accounts_left"),
        ("LAST", "last_request_day"),
    ];
    let row = |one: &proto::RequestedFeature| {
        vec![
            Value::text(&one.feature),
            Value::money(&one.at_risk_arr),
            Value::count(one.at_risk_account_count),
            Value::money(&one.arr),
            Value::count(one.account_count),
            Value::count(one.request_count),
            Value::count(one.recent_account_count),
            Value::count(one.recent_request_count),
            Value::count(one.left_account_count),
            Value::text(day_of_time(one.last_request_time)),
        ]
    };
    Section::new(("features", "Features by the revenue at risk of those who ask"), &columns, "Nobody asked.")
        .with(report.features.iter().map(row))
}

fn given(report: &proto::FeatureRequestReport) -> Section {
    let columns = [
        ("FEATURE", "feature"),
        (">RELEASED TO", "accounts_released"),
        (">OF THOSE WHO ASKED", "accounts_given"),
        (">SCORE SINCE", "mean_score_change"),
        (">MEAN OF", "accounts_compared"),
    ];
    let row = |one: &proto::RequestedFeature| {
        vec![
            Value::text(&one.feature),
            Value::count(one.released_account_count),
            Value::count(one.given_account_count),
            Value::change(one.mean_score_change),
            Value::count(one.score_change_account_count),
        ]
    };
    let released = report.features.iter().filter(|one| one.released_account_count > 0);
    let nothing = "None of these features was released.";
    Section::new(("given", "What became of those who got it, 28 days later"), &columns, nothing).with(released.map(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::report_sections::assert_asked_for_by;
    use crate::command::reports::{CustomersArguments, FeaturesSection};

    #[test]
    fn every_section_can_be_asked_for_and_no_other() {
        let customers = CustomersArguments { segment: Vec::new(), owner: String::new() };
        let asked = FeaturesArguments { days: 365, customers, size: 20, csv: None };
        assert_asked_for_by::<FeaturesSection>(&feature_sections(&proto::FeatureRequestReport::default(), &asked));
    }
}
