//! The sections of reports of adoption.

use mainstay_api::mainstay::scoring::v1 as proto;

use crate::command::adoption::{FeaturesArguments, group};
use crate::command::adoption_targets::what;
use crate::command::report_sections::{Section, Value, asked_for};
use crate::words::{id_of, segment};

/// Those of a report of features, as it was asked for.
pub(super) fn feature_sections(report: &proto::FeatureAdoptionReport, asked: &FeaturesArguments) -> Vec<Section> {
    vec![summary(report, asked), features(report), segments(report), trend(report)]
}

fn summary(report: &proto::FeatureAdoptionReport, asked: &FeaturesArguments) -> Section {
    let columns = [
        (">FEATURES", "features"),
        (">LISTED", "features_listed"),
        ("SINCE", "start_day"),
        (">CUSTOMERS", "customers"),
        ("SEGMENTS", "segments"),
        ("LOOKED AFTER BY", "owner_email"),
    ];
    let [segments, owner] = asked_for(&asked.customers.segment, &asked.customers.owner);
    Section::new(("summary", "What was asked for"), &columns, "").with([vec![
        Value::count(report.feature_count),
        Value::text(report.features.len().to_string()),
        Value::text(report.periods.first().map(|period| period.start_day.as_str()).unwrap_or_default()),
        Value::count(report.periods.last().map_or(0, |period| period.account_count)),
        segments,
        owner,
    ]])
}

/// The newest period that is over.
fn newest_over<T>(periods: &[T]) -> Option<&T> {
    periods.iter().rev().nth(1)
}

fn features(report: &proto::FeatureAdoptionReport) -> Section {
    let columns = [
        ("FEATURE", "feature"),
        (">USERS", "users"),
        (">SHARE", "share"),
        (">CHANGE", "share_change"),
        (">NEW", "users_new"),
        (">RETURNED", "users_returned"),
        (">LAPSED", "users_lapsed"),
        (">SO FAR", "users_under_way"),
    ];
    let row = |feature: &proto::AdoptedFeature| {
        let over = newest_over(&feature.periods);
        let count = |of: fn(&proto::FeaturePeriod) -> i64| {
            over.map_or_else(|| Value::text(""), |period| Value::count(of(period)))
        };
        vec![
            Value::text(&feature.feature),
            count(|period| period.user_count),
            Value::share(over.and_then(|period| period.share)),
            Value::share_change(feature.share_change),
            count(|period| period.new_user_count),
            count(|period| period.returned_user_count),
            count(|period| period.lapsed_user_count),
            Value::count(feature.periods.last().map_or(0, |period| period.user_count)),
        ]
    };
    Section::new(("features", "Features in the newest period that is over"), &columns, "No feature was used.")
        .with(report.features.iter().map(row))
}

fn segments(report: &proto::FeatureAdoptionReport) -> Section {
    let columns = [
        ("FEATURE", "feature"),
        ("SEGMENT", "segment"),
        (">USERS", "users"),
        (">CUSTOMERS", "customers"),
        (">SHARE", "share"),
    ];
    let rows = report.features.iter().flat_map(|feature| {
        feature.segments.iter().map(|one| {
            vec![
                Value::text(&feature.feature),
                Value::text(segment(one.segment())),
                Value::count(one.user_count),
                Value::count(one.account_count),
                Value::share(Some(one.share)),
            ]
        })
    });
    Section::new(("segments", "By segment"), &columns, "No feature was used in a period that is over.").with(rows)
}

fn trend(report: &proto::FeatureAdoptionReport) -> Section {
    let columns = [
        ("FEATURE", "feature"),
        ("FROM", "start_day"),
        (">CUSTOMERS", "customers"),
        (">USERS", "users"),
        (">SHARE", "share"),
        (">NEW", "users_new"),
        (">RETURNED", "users_returned"),
        (">LAPSED", "users_lapsed"),
    ];
    let rows = report.features.iter().flat_map(|feature| {
        report.periods.iter().zip(&feature.periods).map(|(period, used)| {
            vec![
                Value::text(&feature.feature),
                Value::text(&period.start_day),
                Value::count(period.account_count),
                Value::count(used.user_count),
                Value::share(used.share),
                Value::count(used.new_user_count),
                Value::count(used.returned_user_count),
                Value::count(used.lapsed_user_count),
            ]
        })
    });
    Section::new(("trend", "Period by period, the last under way"), &columns, "No feature was used.").with(rows)
}

/// Those of an account.
pub(super) fn account_sections(adoption: &proto::AccountAdoption) -> Vec<Section> {
    let standing = [("ACTIVATED", ""), ("STANDS", ""), (">PEERS", "")];
    let summary = Section::new(("summary", "How it stands"), &standing, "").with([vec![
        Value::text(if adoption.activation_day.is_empty() { "not known" } else { &adoption.activation_day }),
        Value::text(group(adoption.group())),
        Value::count(adoption.peer_count),
    ]]);
    let outcome = |one: &proto::TargetOutcome| {
        let reached = if one.reached_day.is_empty() { "not yet" } else { &one.reached_day };
        vec![Value::text(id_of(&one.adoption_target)), Value::text(&one.due_day), Value::text(reached)]
    };
    let outcomes = Section::new(
        ("outcomes", "Targets"),
        &[("TARGET", ""), ("UNTIL", ""), ("REACHED", "")],
        "No target is its own.",
    );
    let feature = |one: &proto::UsedFeature| {
        vec![
            Value::text(&one.feature),
            Value::count(one.use_count),
            Value::count(one.use_count_before),
            Value::count(one.day_count),
            Value::text(&one.first_day),
            Value::text(&one.last_day),
        ]
    };
    let titles =
        [("FEATURE", ""), (">USES IN 28 DAYS", ""), (">BEFORE", ""), (">DAYS", ""), ("FIRST", ""), ("LAST", "")];
    let features = Section::new(("features", "Features it uses"), &titles, "No use of a feature was told.");
    let unused = Section::new(
        ("unused", "Features that its peers use and it never did"),
        &[("FEATURE", ""), (">PEERS WHO DO", "")],
        "None, or it has fewer than 10 peers.",
    );
    let milestones =
        Section::new(("milestones", "Milestones"), &[("MILESTONE", ""), ("DAY", "")], "No milestone was told.");
    vec![
        summary,
        outcomes.with(adoption.outcomes.iter().map(outcome)),
        features.with(adoption.features.iter().map(feature)),
        unused.with(
            adoption.unused_features.iter().map(|one| vec![Value::text(&one.feature), Value::count(one.user_count)]),
        ),
        milestones.with(adoption.milestones.iter().map(|one| vec![Value::text(&one.milestone), Value::text(&one.day)])),
    ]
}

/// Those of a report of outcomes.
pub(super) fn outcome_sections(report: &proto::OutcomeReport) -> Vec<Section> {
    let columns = [
        ("TARGET", "target"),
        ("TO REACH", "outcome"),
        (">GOAL", "target_share"),
        (">IN TIME", "in_time_share"),
        (">FROM", "in_time_share_low"),
        (">TO", "in_time_share_high"),
        (">DUE", "accounts_due"),
        (">LATE", "accounts_late"),
        (">AHEAD", "accounts_ahead"),
        (">OPEN", "accounts_open"),
        (">DAYS", "days_median"),
    ];
    let target = |progress: &proto::TargetProgress| {
        let target = progress.adoption_target.clone().unwrap_or_default();
        let mut row =
            vec![Value::text(id_of(&target.name)), Value::text(what(&target)), Value::share(Some(target.target_share))];
        row.extend(standing(&progress.all.unwrap_or_default()));
        row
    };
    let segment_columns: Vec<_> =
        [("TARGET", "target"), ("SEGMENT", "segment")].into_iter().chain(columns[3..].iter().copied()).collect();
    let segments = report.targets.iter().flat_map(|progress| {
        let id = progress.adoption_target.as_ref().map(|target| id_of(&target.name)).unwrap_or_default();
        progress.segments.iter().map(move |one| {
            let mut row = vec![Value::text(id), Value::text(segment(one.segment()))];
            row.extend(standing(&one.standing.unwrap_or_default()));
            row
        })
    });
    let nothing = "There are no targets; see `mainstay adoption set --help`.";
    vec![
        Section::new(("targets", "Targets, of those whose time ended in the last 365 days"), &columns, nothing)
            .with(report.targets.iter().map(target)),
        Section::new(("segments", "By segment"), &segment_columns, "Nobody's time ended, or goes on.").with(segments),
        groups(report),
    ]
}

fn standing(one: &proto::TargetStanding) -> [Value; 8] {
    let mut share = Value::share(one.in_time_share);
    if one.met == Some(false) {
        share.put_before("! ");
    }
    [
        share,
        Value::share(one.in_time_share_low),
        Value::share(one.in_time_share_high),
        Value::count(one.due_count),
        Value::count(one.late_count),
        Value::count(one.ahead_count),
        Value::count(one.open_count),
        Value::points(one.median_days),
    ]
}

fn groups(report: &proto::OutcomeReport) -> Section {
    let columns = [
        ("STANDS", "group"),
        (">CUSTOMERS", "customers"),
        (">ARR", "arr"),
        (">MEAN SCORE", "mean_score"),
        (">AT RISK", "customers_at_risk"),
    ];
    let row = |one: &proto::OutcomeGroupSummary| {
        vec![
            Value::text(group(one.group())),
            Value::count(one.account_count),
            Value::money(&one.arr),
            Value::points(one.mean_score),
            Value::count(one.at_risk_count),
        ]
    };
    Section::new(("groups", "Customers by what they reached"), &columns, "").with(report.groups.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::adoption::{FeaturesSection, GrainWord, OutcomesSection};
    use crate::command::report_sections::assert_asked_for_by;
    use crate::command::reports::CustomersArguments;

    #[test]
    fn every_section_can_be_asked_for_and_no_other() {
        let customers = CustomersArguments { segment: Vec::new(), owner: String::new() };
        let asked = FeaturesArguments { period: GrainWord::Month, periods: 7, customers, size: 20, csv: None };
        assert_asked_for_by::<FeaturesSection>(&feature_sections(&proto::FeatureAdoptionReport::default(), &asked));
        assert_asked_for_by::<OutcomesSection>(&outcome_sections(&proto::OutcomeReport::default()));
    }
}
