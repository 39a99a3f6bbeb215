//! Whether customers to whom something happened stay as others do, and as customers did before a change.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::compare_before_after_request::Change;
use proto::exposure::Kind;
use proto::{CaseOutcome, IncidentSeverity, LifecycleStage, Segment, UncountedReason};
use tonic::{Response, Status};

use crate::account_fixtures::{archive, time};
use crate::harness::{Harness, account, signal};
use crate::refusals::violated_fields;
use crate::risk_fixtures::churn;

/// The landmark of 90 days is then the end of 2026-03-17, and exposure counts from 2025-12-18 on.
const TODAY: &str = "2026-06-15T12:00:00Z";

async fn try_exposure(
    harness: &Harness,
    request: proto::CompareExposureRequest,
) -> Result<proto::ExposureComparison, Status> {
    CohortServiceClient::new(harness.channel.clone()).compare_exposure(request).await.map(Response::into_inner)
}

#[expect(clippy::unnecessary_wraps, reason = "it is put into a field that may be absent")]
fn to(kind: Kind) -> Option<proto::Exposure> {
    Some(proto::Exposure { kind: Some(kind) })
}

async fn exposure(harness: &Harness, kind: Kind) -> proto::ExposureComparison {
    let request = proto::CompareExposureRequest { exposure: to(kind), ..Default::default() };
    try_exposure(harness, request).await.expect("an answer")
}

fn incidents(incident_count_min: i32, minutes_min: i32) -> Kind {
    Kind::Incidents(proto::IncidentExposure { incident_count_min, minutes_min })
}

async fn try_change(
    harness: &Harness,
    request: proto::CompareBeforeAfterRequest,
) -> Result<proto::BeforeAfterComparison, Status> {
    CohortServiceClient::new(harness.channel.clone()).compare_before_after(request).await.map(Response::into_inner)
}

async fn change(harness: &Harness, change: Change) -> proto::BeforeAfterComparison {
    let request = proto::CompareBeforeAfterRequest { change: Some(change), ..Default::default() };
    try_change(harness, request).await.expect("an answer")
}

fn customer(id: &str, since: &str, segment: Segment) -> proto::Account {
    proto::Account { segment: segment.into(), activation_time: Some(time(since)), ..account(id) }
}

async fn upsert(harness: &Harness, accounts: Vec<proto::Account>) {
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
}

fn incident(id: &str, at: &str, minutes: i32) -> proto::Signal {
    let (incident_id, severity) = (format!("inc-{at}"), IncidentSeverity::Major.into());
    signal(id, at, Payload::Incident(proto::IncidentSignal { incident_id, severity, minutes }))
}

fn case(id: &str, at: &str, outcome: CaseOutcome) -> proto::Signal {
    let case_id = format!("cases/{id}");
    let told = proto::CaseOutcomeSignal { case_id, outcome: outcome.into(), ..Default::default() };
    signal(id, at, Payload::CaseOutcome(told))
}

fn release(id: &str, at: &str, feature: &str) -> proto::Signal {
    signal(id, at, Payload::FeatureRelease(proto::FeatureReleaseSignal { feature: feature.to_owned() }))
}

fn touch(id: &str, at: &str) -> proto::Signal {
    signal(id, at, Payload::Touch(proto::TouchSignal::default()))
}

/// So many customers of a year, of whom the first left on a day; their ids.
async fn group(
    harness: &mut Harness,
    name: &str,
    segment: Segment,
    count: usize,
    left: usize,
    on: &str,
) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|number| format!("{name}-{number}")).collect();
    upsert(harness, ids.iter().map(|id| customer(id, "2025-01-15", segment)).collect()).await;
    if left > 0 {
        harness.record(ids[..left].iter().map(|id| churn(id, on)).collect()).await;
    }
    ids
}

/// Customers and those of them who left: of the exposed, and of the others.
fn counts(comparison: Option<&proto::RetentionComparison>) -> [(i64, i64); 2] {
    let comparison = comparison.expect("a comparison");
    [&comparison.group, &comparison.reference].map(|group| {
        let group = group.as_ref().expect("a group");
        (group.customer_count, group.churned_count)
    })
}

fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

#[tokio::test]
async fn r89_customers_hit_by_incidents_are_compared_with_those_of_their_segment() {
    let mut harness = Harness::start(TODAY).await;
    let mut hit = group(&mut harness, "smb-hit", Segment::Smb, 20, 12, "2026-04-16").await;
    group(&mut harness, "smb", Segment::Smb, 40, 6, "2026-04-16").await;
    hit.extend(group(&mut harness, "big-hit", Segment::Enterprise, 10, 5, "2026-04-16").await);
    group(&mut harness, "big", Segment::Enterprise, 20, 4, "2026-04-16").await;
    harness.record(hit.iter().map(|id| incident(id, "2026-02-01", 45)).collect()).await;

    let answer = exposure(&harness, incidents(0, 0)).await;
    assert_eq!(
        (answer.exposure_first_day.as_str(), answer.landmark_day.as_str(), answer.last_day.as_str()),
        ("2025-12-18", "2026-03-17", "2026-06-15")
    );
    assert_eq!(answer.follow_day_count, 90);
    assert_eq!(counts(answer.all.as_ref()), [(30, 17), (60, 10)]);
    let segments: Vec<_> = answer.segments.iter().map(|one| (one.segment(), counts(one.comparison.as_ref()))).collect();
    assert_eq!(segments, [(Segment::Enterprise, [(10, 5), (20, 4)]), (Segment::Smb, [(20, 12), (40, 6)])]);

    let smb = answer.segments[1].comparison.as_ref().expect("a comparison");
    let of_hit = smb.group.as_ref().expect("a group");
    let days: Vec<_> = of_hit.days.iter().map(|day| (day.day, day.at_risk_count, day.churned_count)).collect();
    assert_eq!(days, [(0, 20, 0), (30, 20, 12), (90, 8, 0)]);
    assert_close(of_hit.retention.expect("a share"), 0.4);
    assert!(of_hit.retention_low.expect("a low") < 0.4 && 0.4 < of_hit.retention_high.expect("a high"));
    assert_close(smb.difference.expect("a difference"), 0.4 - 34.0 / 40.0);
    assert!(smb.difference_high.expect("an interval") < 0.0);

    // All left on one day: E is 18 × 20/60 and 9 × 10/30, V is 18 × 42/59 × 2/9 and 9 × 21/29 × 2/9.
    let variance = (18.0 * 42.0 / 59.0 + 9.0 * 21.0 / 29.0) * 2.0 / 9.0;
    let test = answer.stratified_test.as_ref().expect("a test");
    assert_close(test.chi_squared, (6.0 + 2.0) * (6.0 + 2.0) / variance);
    assert!(test.p_value < 0.001 && test.p_value > 0.0);
    assert_close(test.expected_churned_count, 6.0 + 3.0);
    assert_close(smb.test.as_ref().expect("a test").chi_squared, 36.0 / (18.0 * 42.0 / 59.0 * 2.0 / 9.0));
    let big = answer.segments[0].comparison.as_ref().expect("a comparison");
    assert!(big.test.is_none() && big.test_obstacle.contains("at least 5 are needed"), "{}", big.test_obstacle);

    let losses = answer.expected_losses.as_ref().expect("segments with both");
    assert_eq!((losses.customer_count, losses.omitted_customer_count), (60, 0));
    assert_close(losses.if_exposed, 40.0 * 0.6 + 20.0 * 0.5);
    assert_close(losses.if_unexposed, 10.0);
    assert!(losses.difference_low.expect("an interval") < 24.0 && losses.difference_high.expect("one") > 24.0);

    let only_smb = proto::CompareExposureRequest {
        exposure: to(incidents(1, 0)),
        segments: vec![Segment::Smb.into()],
        ..Default::default()
    };
    let only_smb = try_exposure(&harness, only_smb).await.expect("an answer");
    assert_eq!((counts(only_smb.all.as_ref()), only_smb.segments.len()), ([(20, 12), (40, 6)], 1));
}

#[tokio::test]
async fn r89_what_happens_after_the_landmark_or_long_before_it_exposes_nobody() {
    let mut harness = Harness::start(TODAY).await;
    let ids = ["first-day", "last-day", "too-early", "too-late", "gone", "survivor"];
    upsert(&harness, ids.map(|id| customer(id, "2025-01-15", Segment::Smb)).to_vec()).await;
    upsert(
        &harness,
        vec![customer("new", "2026-03-18", Segment::Smb), customer("just-there", "2026-03-17", Segment::Smb)],
    )
    .await;
    harness
        .record(vec![
            incident("first-day", "2025-12-18", 1),
            incident("last-day", "2026-03-17T23:59:59Z", 1),
            incident("too-early", "2025-12-17T23:59:59Z", 1),
            incident("too-late", "2026-03-18", 1),
            incident("gone", "2026-02-01", 1),
            churn("gone", "2026-03-17"),
            churn("first-day", "2026-03-18"),
            churn("too-late", "2026-06-15"),
        ])
        .await;
    // An incident each week since: who stays to be hit by it is not thought to stay because of it.
    let weeks = ["2026-04-01", "2026-04-08", "2026-04-15"];
    harness.record(weeks.map(|week| incident("survivor", week, 1)).to_vec()).await;
    let answer = exposure(&harness, incidents(1, 0)).await;
    assert_eq!(counts(answer.all.as_ref()), [(2, 1), (4, 1)]);
    let group = answer.all.as_ref().and_then(|all| all.group.as_ref()).expect("a group");
    assert_eq!(group.days[1].day, 1, "the day after the landmark is the first");

    let earlier = proto::CompareExposureRequest {
        exposure: to(incidents(1, 0)),
        landmark_day: "2026-03-16".to_owned(),
        exposure_day_count: 365,
        follow_day_count: 10,
        ..Default::default()
    };
    let answer = try_exposure(&harness, earlier).await.expect("an answer");
    assert_eq!((answer.exposure_first_day.as_str(), answer.last_day.as_str()), ("2025-03-17", "2026-03-26"));
    assert_eq!(counts(answer.all.as_ref()), [(3, 2), (3, 0)], "what happens after the last day is not seen either");
}

#[tokio::test]
async fn r89_exposure_can_be_to_many_incidents_or_to_long_ones() {
    let mut harness = Harness::start(TODAY).await;
    let ids = ["often", "long", "once", "never"];
    upsert(&harness, ids.map(|id| customer(id, "2025-01-15", Segment::Smb)).to_vec()).await;
    harness
        .record(vec![
            incident("often", "2026-02-01", 10),
            incident("often", "2026-02-02", 0),
            incident("often", "2026-02-03", 20),
            incident("long", "2026-02-01", 500),
            incident("once", "2026-02-01", 29),
        ])
        .await;
    let cases = [(1, 0, 3), (3, 0, 1), (1, 30, 2), (1, 31, 1), (2, 500, 0)];
    for (count, minutes, exposed) in cases {
        let answer = exposure(&harness, incidents(count, minutes)).await;
        assert_eq!(counts(answer.all.as_ref())[0].0, exposed, "{count} incidents, {minutes} minutes");
    }
    let as_before = "UPDATE scoring.signals SET amount = NULL WHERE kind = 15";
    sqlx::raw_sql(as_before).execute(harness.database.pool()).await.expect("an update");
    for (count, minutes, exposed) in cases {
        let answer = exposure(&harness, incidents(count, minutes)).await;
        assert_eq!(counts(answer.all.as_ref())[0].0, exposed, "recorded before minutes had a column");
    }
}

#[tokio::test]
async fn r92_customers_that_were_contacted_saved_or_given_a_feature_are_compared_with_others() {
    let mut harness = Harness::start(TODAY).await;
    let recovered = group(&mut harness, "recovered", Segment::Smb, 20, 2, "2026-04-16").await;
    let lost = group(&mut harness, "no-action", Segment::Smb, 10, 6, "2026-04-16").await;
    group(&mut harness, "other", Segment::Smb, 40, 12, "2026-04-16").await;
    harness.record(recovered.iter().map(|id| case(id, "2026-02-01", CaseOutcome::Recovered)).collect()).await;
    harness.record(lost.iter().map(|id| case(id, "2026-02-01", CaseOutcome::NoAction)).collect()).await;
    harness.record(recovered.iter().map(|id| release(id, "2026-02-02", "sso")).collect()).await;
    harness.record(lost.iter().map(|id| release(id, "2026-02-02", "audit-log")).collect()).await;
    let touches = recovered.iter().flat_map(|id| ["2026-02-03", "2026-02-04"].map(|day| touch(id, day)));
    harness.record(touches.collect()).await;
    harness.record(lost.iter().map(|id| touch(id, "2026-02-03")).collect()).await;

    let (some, any) = ([(20, 2), (50, 18)], [(30, 8), (40, 12)]);
    let of_cases = |outcomes: &[CaseOutcome]| {
        Kind::Cases(proto::CaseExposure { outcomes: outcomes.iter().map(|one| (*one).into()).collect() })
    };
    let of_feature = |feature: &str| Kind::Features(proto::FeatureExposure { feature: feature.to_owned() });
    let of_touches = |touch_count_min| Kind::Touches(proto::TouchExposure { touch_count_min });
    for (kind, expected) in [
        (of_cases(&[CaseOutcome::Recovered, CaseOutcome::Saved]), some),
        (of_cases(&[]), any),
        (of_feature("sso"), some),
        (of_feature(""), any),
        (of_touches(2), some),
        (of_touches(0), any),
    ] {
        let answer = exposure(&harness, kind.clone()).await;
        assert_eq!(counts(answer.all.as_ref()), expected, "{kind:?}");
    }
    let answer = exposure(&harness, of_cases(&[CaseOutcome::Recovered])).await;
    let test = answer.stratified_test.expect("a test");
    // 20 left on one day, of whom 20 × 20/70 would be of the recovered.
    assert_close(test.expected_churned_count, 400.0 / 70.0);
    assert_close(test.chi_squared, (2.0 - 40.0 / 7.0_f64).powi(2) / (20.0 * 50.0 / 69.0 * 1_000.0 / 4_900.0));
    assert!(answer.expected_losses.expect("losses").difference < 0.0, "they stay longer");
}

#[tokio::test]
async fn r89_who_is_archived_is_seen_until_then_and_who_cannot_be_placed_is_counted() {
    let mut harness = Harness::start("2026-05-01T12:00:00Z").await;
    let euros = Some(Money { currency_code: "EUR".to_owned(), minor_units: 120_000 });
    let with_stage = |id: &str, stage: LifecycleStage| proto::Account {
        lifecycle_stage: stage.into(),
        ..customer(id, "2025-01-15", Segment::Smb)
    };
    upsert(
        &harness,
        vec![
            proto::Account { arr: euros.clone(), ..customer("archived", "2025-01-15", Segment::Smb) },
            proto::Account { arr: euros.clone(), ..customer("there", "2025-01-15", Segment::Smb) },
            with_stage("trial", LifecycleStage::Trial),
            with_stage("lost", LifecycleStage::Churned),
            account("no-start"),
        ],
    )
    .await;
    harness.record(vec![incident("archived", "2026-02-01", 1), incident("lost", "2026-02-01", 1)]).await;
    archive(&harness, "archived", "").await.expect("archived");
    harness.turn_to("2026-06-15").await;
    let answer = exposure(&harness, incidents(1, 0)).await;
    let all = answer.all.expect("a comparison");
    assert_eq!(counts(Some(&all)), [(1, 0), (1, 0)]);
    let (exposed, others) = (all.group.expect("a group"), all.reference.expect("a group"));
    assert_eq!((exposed.censored_count, others.censored_count), (1, 0));
    assert_eq!(exposed.days.last().map(|day| day.day), Some(45), "2026-05-01 is 45 days after the landmark");
    assert_eq!(exposed.annual_revenues, Vec::from_iter(euros));
    let uncounted: Vec<_> = answer.uncounted_accounts.iter().map(|part| (part.reason(), part.count)).collect();
    let expected =
        [(UncountedReason::Trial, 1), (UncountedReason::StartUnknown, 1), (UncountedReason::ChurnTimeUnknown, 1)];
    assert_eq!(uncounted, expected);
}

#[tokio::test]
async fn r90_retention_before_and_after_a_change_and_month_by_month() {
    let mut harness = Harness::start(TODAY).await;
    let old = group(&mut harness, "old", Segment::Smb, 40, 12, "2026-01-10").await;
    harness.record(old[12..14].iter().map(|id| churn(id, "2026-04-10")).collect()).await;
    let new: Vec<_> = (0..20).map(|number| customer(&format!("new-{number}"), "2026-02-15", Segment::Smb)).collect();
    upsert(&harness, new).await;
    harness
        .record(vec![release("old-20", "2026-03-01T08:00:00Z", "sso"), release("old-21", "2026-04-01", "sso")])
        .await;

    let by_day = change(&harness, Change::Day("2026-03-01".to_owned())).await;
    assert_eq!(
        (by_day.before_first_day.as_str(), by_day.after_last_day.as_str(), by_day.complete),
        ("2025-12-01", "2026-05-29", true)
    );
    let comparison = by_day.comparison.as_ref().expect("a comparison");
    assert_eq!(counts(Some(comparison)), [(48, 2), (40, 12)], "after, and before");
    assert_close(comparison.difference.expect("a difference"), 46.0 / 48.0 - 28.0 / 40.0);
    assert!(comparison.difference_low.expect("an interval") > 0.0);
    // All left on day 41 of their period: of the 14, 14 × 48/88 would have left after the change.
    let test = comparison.test.as_ref().expect("a test");
    assert_close(test.expected_churned_count, 14.0 * 48.0 / 88.0);
    let variance = 14.0 * 74.0 / 87.0 * 48.0 * 40.0 / (88.0 * 88.0);
    assert_close(test.chi_squared, (2.0 - 14.0 * 48.0 / 88.0_f64).powi(2) / variance);

    let months: Vec<_> =
        by_day.months.iter().map(|one| (one.month.as_str(), one.customer_count, one.churned_count)).collect();
    assert_eq!((months.len(), months[0]), (16, ("2025-03", 40, 0)));
    let expected = [
        ("2026-01", 40, 12),
        ("2026-02", 28, 0),
        ("2026-03", 48, 0),
        ("2026-04", 48, 2),
        ("2026-05", 46, 0),
        ("2026-06", 46, 0),
    ];
    assert_eq!(months[10..], expected);
    let january = &by_day.months[10];
    assert_close(january.churn_rate.expect("a rate"), 0.3);
    assert!(january.churn_rate_low.expect("low") < 0.3 && 0.3 < january.churn_rate_high.expect("high"));
    assert_eq!((by_day.months[14].over, by_day.months[15].over), (true, false));

    let by_feature = change(&harness, Change::Feature("sso".to_owned())).await;
    assert_eq!(by_feature.change_day, "2026-03-01", "the first to whom it was given");
    assert_eq!(by_feature.comparison, by_day.comparison);

    let lately = proto::CompareBeforeAfterRequest {
        change: Some(Change::Day("2026-04-01".to_owned())),
        label: "24/7 support".to_owned(),
        ..Default::default()
    };
    let lately = try_change(&harness, lately).await.expect("an answer");
    assert_eq!((lately.label.as_str(), lately.complete, lately.follow_day_count), ("24/7 support", false, 76));
    assert_eq!((lately.before_first_day.as_str(), lately.after_last_day.as_str()), ("2026-01-15", "2026-06-15"));
    assert_eq!(counts(lately.comparison.as_ref()), [(48, 2), (28, 0)]);
}

#[tokio::test]
async fn r90_who_leaves_on_the_day_of_the_change_leaves_after_it() {
    let mut harness = Harness::start(TODAY).await;
    let ids = ["before", "on-the-day", "there"];
    upsert(&harness, ids.map(|id| customer(id, "2025-01-15", Segment::Smb)).to_vec()).await;
    upsert(&harness, vec![customer("starts-with-it", "2026-03-01", Segment::Smb)]).await;
    harness.record(vec![churn("before", "2026-02-28T23:59:59Z"), churn("on-the-day", "2026-03-01")]).await;
    let answer = change(&harness, Change::Day("2026-03-01".to_owned())).await;
    assert_eq!(counts(answer.comparison.as_ref()), [(2, 1), (3, 1)]);
    let comparison = answer.comparison.expect("a comparison");
    let days = |group: Option<proto::RetentionGroup>| {
        group.expect("a group").days.iter().map(|day| day.day).collect::<Vec<_>>()
    };
    assert_eq!((days(comparison.group), days(comparison.reference)), (vec![0, 1, 90], vec![0, 90]));
}

#[tokio::test]
async fn r89_r90_without_customers_there_is_nothing_to_compare() {
    let harness = Harness::start(TODAY).await;
    let answer = exposure(&harness, incidents(1, 0)).await;
    assert_eq!(counts(answer.all.as_ref()), [(0, 0), (0, 0)]);
    assert!(answer.segments.is_empty() && answer.stratified_test.is_none() && answer.expected_losses.is_none());
    assert_eq!(answer.stratified_test_obstacle, "one of the groups has no customers");
    let answer = change(&harness, Change::Day("2026-06-15".to_owned())).await;
    let comparison = answer.comparison.expect("a comparison");
    assert_eq!((counts(Some(&comparison)), comparison.difference), ([(0, 0), (0, 0)], None));
    assert_eq!((answer.follow_day_count, answer.months.len(), answer.months[0].churn_rate), (1, 13, None));
}

#[tokio::test]
async fn r89_r90_r92_what_cannot_be_asked_is_refused_with_all_its_fields() {
    let harness = Harness::start(TODAY).await;
    let refused = async |request| violated_fields(&try_exposure(&harness, request).await.expect_err("a refusal"));
    let rest = proto::CompareExposureRequest {
        exposure: None,
        landmark_day: "2026-06-15".to_owned(),
        exposure_day_count: 366,
        follow_day_count: -1,
        segments: vec![9],
    };
    let spans = ["segments[0]", "exposure_day_count", "follow_day_count", "landmark_day"];
    assert_eq!(refused(rest.clone()).await, [["exposure"].as_slice(), &spans].concat());
    let wrong: [(Kind, &[&str]); 4] = [
        (incidents(10_001, -1), &["exposure.incidents.incident_count_min", "exposure.incidents.minutes_min"]),
        (Kind::Touches(proto::TouchExposure { touch_count_min: -1 }), &["exposure.touches.touch_count_min"]),
        (
            Kind::Cases(proto::CaseExposure { outcomes: vec![1, 0, 9] }),
            &["exposure.cases.outcomes[1]", "exposure.cases.outcomes[2]"],
        ),
        (
            Kind::Features(proto::FeatureExposure { feature: "Single sign-on".to_owned() }),
            &["exposure.features.feature"],
        ),
    ];
    for (kind, fields) in wrong {
        let request = proto::CompareExposureRequest { exposure: to(kind), ..rest.clone() };
        assert_eq!(refused(request).await, [fields, &spans].concat());
    }
    let no_day = proto::CompareExposureRequest {
        exposure: to(incidents(1, 0)),
        landmark_day: "March".to_owned(),
        ..Default::default()
    };
    assert_eq!(refused(no_day).await, ["landmark_day"]);

    for (given, field) in [
        (None, "day"),
        (Some(Change::Day(String::new())), "day"),
        (Some(Change::Day("2026-06-16".to_owned())), "day"),
        (Some(Change::Day("2021-06-14".to_owned())), "day"),
        (Some(Change::Feature("Single sign-on".to_owned())), "feature"),
    ] {
        let request = proto::CompareBeforeAfterRequest {
            change: given,
            label: "x".repeat(101),
            follow_day_count: 731,
            segments: vec![9],
        };
        let status = try_change(&harness, request).await.expect_err("a refusal");
        assert_eq!(violated_fields(&status), [field, "label", "follow_day_count", "segments[0]"]);
    }
    let unknown =
        proto::CompareBeforeAfterRequest { change: Some(Change::Feature("sso".to_owned())), ..Default::default() };
    let status = try_change(&harness, unknown).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["feature"]);
}

/// 100 000 customers of eight years, of whom two in five left lately. Every second was hit by three incidents of 20 minutes, has
/// been contacted, and sent ten signals of use.
const PORTFOLIO: &str = "
    INSERT INTO scoring.accounts (account_id, display_name, segment, industry, product_line, plan, lifecycle_stage,
        currency, arr_minor_units, activated_at, churned_at, plan_limits, owners, owner_emails, contacts, labels, version,
        created_at, updated_at)
    SELECT 'account-' || number, 'Customer', 1 + number % 3, '', '', '', CASE WHEN number % 5 < 2 THEN 5 ELSE 3 END,
           (ARRAY['EUR', 'USD', 'CHF'])[1 + number % 3], 1000 * number, started_at,
           CASE WHEN number % 5 < 2 THEN timestamptz '2026-03-18Z' + make_interval(days => number % 89) END,
           '{}', '[]', '{}', '[]', '{}', 1, started_at, started_at
      FROM (SELECT number, timestamptz '2018-01-01Z' + make_interval(days => number * 7919 % 2900) AS started_at
              FROM generate_series(1, 100000) AS number) AS made;
    INSERT INTO scoring.signals (account_id, source, source_id, kind, event_at, recorded_at, name, amount)
    SELECT 'account-' || 2 * number, 'test', what.kind || '/' || what.place, what.kind,
           timestamptz '2026-01-01Z' + make_interval(days => (number + what.place) % 70), timestamptz '2026-06-01Z',
           CASE what.kind WHEN 14 THEN 'sso' ELSE 'x' END, CASE what.kind WHEN 1 THEN 1 WHEN 15 THEN 20 END
      FROM generate_series(1, 50000) AS number,
           (SELECT 15 AS kind, place FROM generate_series(1, 3) AS place UNION ALL SELECT 10, 1 UNION ALL SELECT 14, 1
             UNION ALL SELECT 1, place FROM generate_series(1, 10) AS place) AS what;
    INSERT INTO scoring.signal_details (account_id, source, source_id, details)
    SELECT account_id, source, source_id, '{\"incident_id\": \"x\", \"severity\": \"major\", \"minutes\": 20}' FROM scoring.signals
     WHERE kind = 15;
    ANALYZE scoring.accounts, scoring.signals, scoring.signal_details;";

#[tokio::test]
async fn r89_r90_r92_100_000_customers_are_compared_by_what_happened_to_half_of_them() {
    let harness = Harness::start(TODAY).await;
    sqlx::raw_sql(PORTFOLIO).execute(harness.database.pool()).await.expect("accounts and signals");
    let halves = [(50_000, 20_000), (50_000, 20_000)];
    for kind in [
        incidents(3, 0),
        incidents(1, 60),
        Kind::Touches(proto::TouchExposure::default()),
        Kind::Features(proto::FeatureExposure { feature: "sso".to_owned() }),
    ] {
        let answer = exposure(&harness, kind.clone()).await;
        assert_eq!(counts(answer.all.as_ref()), halves, "{kind:?}");
        assert!(answer.stratified_test.is_some(), "{kind:?}");
    }
    let answer = change(&harness, Change::Feature("sso".to_owned())).await;
    assert_eq!((answer.change_day.as_str(), answer.months.len()), ("2026-01-01", 18));
    assert_eq!(counts(answer.comparison.as_ref())[0].0, 100_000);
}
