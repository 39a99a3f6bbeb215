//! Which features customers use: by month and fortnight, and of an account beside its peers.

use mainstay_api::mainstay::scoring::v1 as proto;
use proto::{AdoptionGrain, Segment};
use tonic::Code;

use crate::account_fixtures::{owner, time};
use crate::adoption_fixtures::{client, milestone, uses};
use crate::harness::{Harness, account};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::churn;

/// On 2026-03-10: `big` of mia's and `small` were there all the time, `young` came on 2026-02-20, `left` went on 2026-02-10.
async fn company() -> Harness {
    let harness = Harness::start("2026-03-10T12:00:00Z").await;
    let activated = |id: &str, segment: Segment, day: &str| proto::Account {
        segment: segment.into(),
        activation_time: Some(time(day)),
        ..account(id)
    };
    let mut big = activated("big", Segment::Enterprise, "2025-06-01");
    big.owners = vec![owner(1, "mia@example.com")];
    let trial = proto::Account { lifecycle_stage: proto::LifecycleStage::Trial.into(), ..account("trial") };
    let accounts = vec![
        big,
        activated("small", Segment::Smb, "2025-06-01"),
        activated("young", Segment::Smb, "2026-02-20"),
        activated("left", Segment::Smb, "2025-06-01"),
        trial,
    ];
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
    harness
}

fn told() -> Vec<proto::Signal> {
    vec![
        uses("big", "2025-07-03", "export", 1),
        uses("big", "2026-01-20", "export", 2),
        uses("big", "2026-02-28", "export", 2),
        uses("small", "2025-12-30", "export", 1),
        uses("small", "2026-01-02", "export", 1),
        uses("left", "2026-01-31", "export", 1),
        uses("young", "2026-03-01", "export", 1),
        uses("small", "2026-02-01", "sso", 1),
        uses("trial", "2026-02-01", "export", 9),
        churn("left", "2026-02-10"),
    ]
}

async fn report(
    harness: &Harness,
    grain: AdoptionGrain,
    period_count: i32,
    only: proto::GetFeatureAdoptionReportRequest,
) -> proto::FeatureAdoptionReport {
    let request =
        proto::GetFeatureAdoptionReportRequest { grain: grain.into(), period_count: Some(period_count), ..only };
    client(harness).get_feature_adoption_report(request).await.expect("a report").into_inner()
}

/// Users, new, returned and lapsed in each period.
fn counts(report: &proto::FeatureAdoptionReport, feature: &str) -> Vec<[i64; 4]> {
    let feature = report.features.iter().find(|one| one.feature == feature).expect("the feature");
    let of = |period: &proto::FeaturePeriod| {
        [period.user_count, period.new_user_count, period.returned_user_count, period.lapsed_user_count]
    };
    feature.periods.iter().map(of).collect()
}

#[tokio::test]
async fn r72_users_of_a_feature_are_counted_by_month_with_who_came_and_went() {
    let mut harness = company().await;
    harness.record(told()).await;
    let monthly = report(&harness, AdoptionGrain::Month, 4, Default::default()).await;
    let periods: Vec<_> =
        monthly.periods.iter().map(|period| (period.start_day.as_str(), period.account_count)).collect();
    assert_eq!(periods, [("2025-12-01", 3), ("2026-01-01", 3), ("2026-02-01", 4), ("2026-03-01", 3)]);
    // December: small, for the first time. January: big, of July, is back; left is new. February: small and left do not use it.
    assert_eq!(counts(&monthly, "export"), [[1, 1, 0, 0], [3, 1, 1, 0], [1, 0, 0, 2], [1, 1, 0, 1]]);
    assert_eq!(counts(&monthly, "sso"), [[0; 4], [0; 4], [1, 1, 0, 0], [0, 0, 0, 1]]);
    assert_eq!((monthly.feature_count, monthly.features[0].feature.as_str()), (2, "export"));
    let export = &monthly.features[0];
    assert_eq!(export.periods[1].share, Some(1.0));
    assert_eq!(export.share_change, Some(0.25 - 1.0), "February against January; March is under way");
    let segments: Vec<_> =
        export.segments.iter().map(|one| (one.segment(), one.user_count, one.account_count)).collect();
    assert_eq!(segments, [(Segment::Enterprise, 1, 1), (Segment::Smb, 0, 3)]);
}

#[tokio::test]
async fn r72_fortnights_begin_on_mondays_and_owners_and_segments_are_filtered() {
    let mut harness = company().await;
    harness.record(told()).await;
    let mias =
        proto::GetFeatureAdoptionReportRequest { owner_email: "mia@example.com".to_owned(), ..Default::default() };
    let fortnightly = report(&harness, AdoptionGrain::Fortnight, 5, mias).await;
    let days: Vec<_> = fortnightly.periods.iter().map(|period| period.start_day.as_str()).collect();
    assert_eq!(days, ["2026-01-05", "2026-01-19", "2026-02-02", "2026-02-16", "2026-03-02"]);
    assert_eq!(fortnightly.periods[4].end_day, "2026-03-16");
    assert_eq!(counts(&fortnightly, "export"), [[0; 4], [1, 0, 1, 0], [0, 0, 0, 1], [1, 0, 1, 0], [0, 0, 0, 1]]);
    let smb = proto::GetFeatureAdoptionReportRequest { segments: vec![Segment::Smb.into()], ..Default::default() };
    let monthly = report(&harness, AdoptionGrain::Month, 3, smb).await;
    assert_eq!(monthly.periods.iter().map(|period| period.account_count).collect::<Vec<_>>(), [2, 3, 2]);
}

#[tokio::test]
async fn r72_late_and_repeated_signals_count_in_the_period_they_belong_to_in_any_order() {
    let mut ordered = company().await;
    ordered.record(told()).await;
    let mut reversed = company().await;
    for signal in told().into_iter().rev() {
        let batch = proto::BatchRecordSignalsRequest { signals: vec![signal.clone(), signal], ..Default::default() };
        reversed.signals.batch_record_signals(batch).await.expect("recorded");
    }
    for grain in [AdoptionGrain::Month, AdoptionGrain::Fortnight] {
        let [one, other] = [&ordered, &reversed].map(|harness| report(harness, grain, 26, Default::default()));
        assert_eq!(one.await, other.await, "{grain:?}");
    }
}

#[tokio::test]
async fn r72_uses_of_many_years_ago_are_no_news() {
    let mut harness = company().await;
    harness.record(vec![uses("big", "2019-05-01", "export", 1), uses("big", "2026-02-03", "export", 1)]).await;
    let monthly = report(&harness, AdoptionGrain::Month, 2, Default::default()).await;
    assert_eq!(counts(&monthly, "export"), [[1, 0, 1, 0], [0, 0, 0, 1]]);
    // Late by years, after the newest.
    harness.record(vec![uses("small", "2026-02-03", "sso", 1), uses("small", "2010-02-03", "sso", 1)]).await;
    let monthly = report(&harness, AdoptionGrain::Month, 2, Default::default()).await;
    assert_eq!(counts(&monthly, "sso"), [[1, 0, 1, 0], [0, 0, 0, 1]]);
}

#[tokio::test]
async fn r72_an_account_shows_its_features_and_those_of_its_peers_that_it_never_used() {
    let mut harness = Harness::start("2026-03-10T12:00:00Z").await;
    let peers: Vec<String> = (0..10).map(|number| format!("peer-{number}")).collect();
    let of = |id: &str, day: &str| proto::Account {
        segment: Segment::Smb.into(),
        plan: "team".to_owned(),
        activation_time: Some(time(day)),
        ..account(id)
    };
    let mut accounts: Vec<proto::Account> = peers.iter().map(|id| of(id, "2025-03-01")).collect();
    accounts.push(of("acme", "2026-02-01"));
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    let mut signals = vec![
        uses("acme", "2026-02-02", "export", 4),
        uses("acme", "2026-03-09", "export", 3),
        milestone("acme", "2026-02-03", "first-report"),
        milestone("acme", "2026-02-02T10:00:00Z", "first-report"),
    ];
    for id in &peers {
        signals.push(uses(id, "2026-03-01", "export", 1));
        signals.push(uses(id, "2026-03-01", "sso", 1));
    }
    signals.push(uses("peer-1", "2026-03-01", "audit", 1));
    harness.record(signals).await;
    let request = proto::GetAccountAdoptionRequest { account: "accounts/acme".to_owned() };
    let adoption = client(&harness).get_account_adoption(request).await.expect("adoption").into_inner();
    assert_eq!((adoption.activation_day.as_str(), adoption.peer_count), ("2026-02-01", 10));
    let export = proto::UsedFeature {
        feature: "export".to_owned(),
        first_day: "2026-02-02".to_owned(),
        last_day: "2026-03-09".to_owned(),
        use_count: 3,
        use_count_before: 4,
        day_count: 1,
    };
    assert_eq!(adoption.features, [export]);
    assert_eq!(adoption.unused_features, [proto::PeerFeature { feature: "sso".to_owned(), user_count: 10 }]);
    let first = proto::ReachedMilestone { milestone: "first-report".to_owned(), day: "2026-02-02".to_owned() };
    assert_eq!(adoption.milestones, [first]);
    assert_eq!(adoption.group(), proto::OutcomeGroup::NoTarget);
}

#[tokio::test]
async fn a_report_that_cannot_be_is_refused_with_all_that_is_wrong() {
    let harness = company().await;
    let request = proto::GetFeatureAdoptionReportRequest {
        grain: 9,
        period_count: Some(27),
        segments: vec![77],
        owner_email: "x".repeat(400),
        list_size: Some(0),
    };
    let refused = client(&harness).get_feature_adoption_report(request).await.expect_err("refused");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(violated_fields(&refused), ["grain", "period_count", "segments[0]", "owner_email", "list_size"]);
    let nobody = proto::GetAccountAdoptionRequest { account: "accounts/nobody".to_owned() };
    let refused = client(&harness).get_account_adoption(nobody).await;
    assert_eq!(reason(&refused.expect_err("refused")), "ACCOUNT_NOT_FOUND");
}
