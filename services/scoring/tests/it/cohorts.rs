//! How long customers stay, cohort by cohort, and what they are worth.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use proto::{CohortDimension, LifecycleStage, Segment, UncountedReason};
use tonic::{Code, Response, Status};

use crate::account_fixtures::{archive, time};
use crate::harness::{Harness, account, at};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::{churn, lifecycle};

async fn try_retention(harness: &Harness, request: proto::GetRetentionRequest) -> Result<proto::Retention, Status> {
    CohortServiceClient::new(harness.channel.clone()).get_retention(request).await.map(Response::into_inner)
}

async fn retention(harness: &Harness, dimension: CohortDimension) -> proto::Retention {
    let request = proto::GetRetentionRequest { dimension: dimension.into(), ..Default::default() };
    try_retention(harness, request).await.expect("an answer")
}

async fn lifetime_value(harness: &Harness, id: &str, month_count: i32) -> Result<proto::LifetimeValue, Status> {
    let request = proto::GetLifetimeValueRequest {
        account: format!("accounts/{id}"),
        month_count,
        dimension: CohortDimension::Segment.into(),
    };
    CohortServiceClient::new(harness.channel.clone()).get_lifetime_value(request).await.map(Response::into_inner)
}

/// A customer since a day; with yearly revenue in cents.
fn customer(id: &str, since: &str, segment: Segment, arr: i64) -> proto::Account {
    proto::Account {
        segment: segment.into(),
        activation_time: Some(time(since)),
        arr: (arr > 0).then(|| Money { currency_code: "EUR".to_owned(), minor_units: arr }),
        ..account(id)
    }
}

async fn upsert(harness: &Harness, accounts: Vec<proto::Account>) {
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
}

async fn set_stage(harness: &Harness, id: &str, stage: LifecycleStage) {
    let request = proto::UpdateAccountRequest {
        account: Some(proto::Account { lifecycle_stage: stage.into(), ..account(id) }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["lifecycle_stage".to_owned()] }),
        ..Default::default()
    };
    harness.accounts.clone().update_account(request).await.expect("updated");
}

/// The months at which the account, the only one, is counted as gone; and how long it was seen.
async fn gone_at(harness: &Harness) -> (Option<i32>, f64) {
    let retention = retention(harness, CohortDimension::Unspecified).await;
    let cohort = &retention.cohorts[0];
    let gone = cohort.months.iter().find(|point| point.churned_count > 0).map(|point| point.month);
    (gone, cohort.observed_months)
}

/// Two segments; today is 2026-06-15.
async fn portfolio() -> Harness {
    let mut harness = Harness::start("2026-06-15T12:00:00Z").await;
    upsert(
        &harness,
        vec![
            customer("e1", "2026-01-15", Segment::Enterprise, 120_000),
            customer("e2", "2026-01-15", Segment::Enterprise, 240_000),
            customer("e3", "2026-02-15", Segment::Enterprise, 0),
            customer("s1", "2026-01-15", Segment::Smb, 1_200),
            customer("s2", "2026-02-15", Segment::Smb, 2_400),
            customer("s3", "2026-02-15", Segment::Smb, 1_200),
            customer("s4", "2026-03-15", Segment::Smb, 0),
        ],
    )
    .await;
    harness.record(vec![churn("s1", "2026-02-15"), churn("s2", "2026-05-15"), churn("e1", "2026-06-15")]).await;
    harness
}

#[tokio::test]
async fn r91_cohorts_have_their_curves_and_the_test_between_them() {
    let harness = portfolio().await;
    let answer = retention(&harness, CohortDimension::Segment).await;
    let cohorts: Vec<(&str, i64, i64)> =
        answer.cohorts.iter().map(|cohort| (cohort.key.as_str(), cohort.account_count, cohort.churned_count)).collect();
    assert_eq!(cohorts, [("smb", 4, 2), ("enterprise", 3, 1)]);
    let smb = &answer.cohorts[0];
    let points: Vec<(i32, i64, i64, f64)> = smb
        .months
        .iter()
        .map(|point| (point.month, point.at_risk_count, point.churned_count, point.survival))
        .collect();
    // Who is seen for three months only cannot leave in the fourth, and is not counted as gone either.
    assert_eq!(points, [(0, 4, 0, 1.0), (1, 4, 1, 0.75), (2, 3, 0, 0.75), (3, 3, 1, 0.5), (4, 1, 0, 0.5),]);
    assert!(smb.months[1].low < 0.75 && 0.75 < smb.months[1].high);
    assert_eq!((smb.median_months, smb.observed_months), (Some(3.0), 4.0));
    let revenue = &smb.revenues[0];
    assert_eq!((revenue.annual_revenue.as_ref().map(|sum| sum.minor_units), revenue.account_count), (Some(4_800), 3));
    let survival: Vec<f64> = revenue.months.iter().map(|point| point.survival).collect();
    assert_eq!(survival, [1.0, 0.75, 0.75, 0.25, 0.25]);
    let test = answer.test.expect("a test");
    assert_eq!((test.degrees_of_freedom, test.cohorts.len()), (1, 2));
    assert!(test.p_value > 0.05 && test.p_value < 1.0);
    let expected: f64 = test.cohorts.iter().map(|cohort| cohort.expected_churned_count).sum();
    assert!((expected - 3.0).abs() < 1e-9);
    assert_eq!(answer.as_of_time.map(|time| time.seconds), Some(at("2026-06-15T12:00:00Z").timestamp()));
}

#[tokio::test]
async fn r91_cohorts_are_by_product_line_plan_and_industry_each_by_its_own() {
    let mut harness = Harness::start("2026-06-15T12:00:00Z").await;
    let of = |id: &str, [product_line, plan, industry]: [&str; 3]| proto::Account {
        product_line: product_line.to_owned(),
        plan: plan.to_owned(),
        industry: industry.to_owned(),
        ..customer(id, "2026-01-15", Segment::Smb, 0)
    };
    let accounts = vec![
        of("a", ["crm", "pro", "retail"]),
        of("b", ["crm", "free", "law"]),
        of("c", ["erp", "pro", "law"]),
        of("d", ["erp", "pro", "law"]),
    ];
    upsert(&harness, accounts).await;
    harness.record(vec![churn("a", "2026-03-15"), churn("b", "2026-04-15")]).await;
    let found = async |dimension: CohortDimension, product_line: &str| {
        let product_line = product_line.to_owned();
        let request = proto::GetRetentionRequest { dimension: dimension.into(), product_line, ..Default::default() };
        let answer = try_retention(&harness, request).await.expect("an answer");
        let cohorts = answer.cohorts.into_iter();
        cohorts.map(|cohort| (cohort.key, cohort.account_count, cohort.churned_count)).collect::<Vec<_>>()
    };
    let cohorts = |of: &[(&str, i64, i64)]| -> Vec<(String, i64, i64)> {
        of.iter().map(|&(key, accounts, churned)| (key.to_owned(), accounts, churned)).collect()
    };
    let sorted = |mut found: Vec<(String, i64, i64)>| {
        found.sort();
        found
    };
    assert_eq!(sorted(found(CohortDimension::ProductLine, "").await), cohorts(&[("crm", 2, 2), ("erp", 2, 0)]));
    assert_eq!(sorted(found(CohortDimension::Plan, "").await), cohorts(&[("free", 1, 1), ("pro", 3, 1)]));
    assert_eq!(sorted(found(CohortDimension::Industry, "").await), cohorts(&[("law", 3, 1), ("retail", 1, 1)]));
    assert_eq!(sorted(found(CohortDimension::Industry, "erp").await), cohorts(&[("law", 2, 0)]), "of that line alone");
}

#[tokio::test]
async fn r91_cohorts_are_by_month_of_the_start_too_and_two_of_them_are_compared_by_name() {
    let harness = portfolio().await;
    let answer = retention(&harness, CohortDimension::OnboardingMonth).await;
    let keys: Vec<&str> = answer.cohorts.iter().map(|cohort| cohort.key.as_str()).collect();
    assert_eq!(keys, ["2026-01", "2026-02", "2026-03"]);
    let request = proto::GetRetentionRequest {
        dimension: CohortDimension::OnboardingMonth.into(),
        compared_cohorts: vec!["2026-01".to_owned(), "2026-02".to_owned()],
        ..Default::default()
    };
    let test = try_retention(&harness, request.clone()).await.expect("an answer").test.expect("a test");
    let tested: Vec<(&str, i64)> =
        test.cohorts.iter().map(|cohort| (cohort.key.as_str(), cohort.churned_count)).collect();
    assert_eq!(tested, [("2026-01", 2), ("2026-02", 1)]);

    let unknown = proto::GetRetentionRequest {
        compared_cohorts: vec!["2026-01".to_owned(), "2025-01".to_owned()],
        ..request.clone()
    };
    let status = try_retention(&harness, unknown).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["compared_cohorts"]);

    let some = proto::GetRetentionRequest {
        first_month: "2026-02".to_owned(),
        last_month: "2026-02".to_owned(),
        segments: vec![Segment::Smb.into()],
        ..Default::default()
    };
    let some = try_retention(&harness, some).await.expect("an answer");
    assert_eq!(some.cohorts.iter().map(|cohort| cohort.account_count).collect::<Vec<_>>(), [2]);
    assert!(some.test.is_none() && some.test_obstacle.contains("two"), "{}", some.test_obstacle);
}

#[tokio::test]
async fn a_customer_left_when_its_signal_says_so_or_else_when_somebody_did() {
    let mut harness = Harness::start("2026-06-15T12:00:00Z").await;
    upsert(&harness, vec![customer("acme", "2026-01-15", Segment::Smb, 0)]).await;
    assert_eq!(gone_at(&harness).await, (None, 5.0));
    set_stage(&harness, "acme", LifecycleStage::Churned).await;
    assert_eq!(gone_at(&harness).await, (Some(5), 5.0), "today, as nobody said anything else");
    harness.record(vec![churn("acme", "2026-03-15")]).await;
    assert_eq!(gone_at(&harness).await, (Some(2), 2.0), "a signal knows better");
    harness.record(vec![churn("acme", "2026-04-15")]).await;
    harness.record(vec![churn("acme", "2026-02-15")]).await;
    assert_eq!(gone_at(&harness).await, (Some(3), 3.0), "the newest of them, whatever their order");
    set_stage(&harness, "acme", LifecycleStage::Active).await;
    assert_eq!(gone_at(&harness).await, (None, 5.0), "who came back never left");
    set_stage(&harness, "acme", LifecycleStage::Churned).await;
    let seats = Change::SeatChange(proto::SeatChange { seats: 3 });
    harness.record(vec![lifecycle("acme", "2026-06-01", seats)]).await;
    assert_eq!(gone_at(&harness).await, (Some(5), 5.0), "signals of the time before say nothing of it");
}

#[tokio::test]
async fn a_return_that_is_told_ends_the_churn_and_the_next_one_counts() {
    let mut harness = Harness::start("2026-06-15T12:00:00Z").await;
    upsert(&harness, vec![customer("acme", "2026-01-15", Segment::Smb, 0)]).await;
    harness.record(vec![churn("acme", "2026-02-15")]).await;
    harness.record(vec![lifecycle("acme", "2026-03-01", Change::Activation(proto::Activation {}))]).await;
    assert_eq!(gone_at(&harness).await, (None, 5.0));
    harness.record(vec![churn("acme", "2026-05-15")]).await;
    assert_eq!(gone_at(&harness).await, (Some(4), 4.0));
}

#[tokio::test]
async fn accounts_in_no_cohort_are_counted_by_the_reason() {
    let mut harness = Harness::start("2026-06-15T12:00:00Z").await;
    let with_stage = |id: &str, stage: LifecycleStage| proto::Account {
        lifecycle_stage: stage.into(),
        ..customer(id, "2026-01-15", Segment::Smb, 0)
    };
    upsert(
        &harness,
        vec![
            with_stage("trial", LifecycleStage::Trial),
            account("no-start"),
            customer("later", "2026-06-16", Segment::Smb, 0),
            with_stage("lost", LifecycleStage::Churned),
            customer("odd", "2026-05-15", Segment::Smb, 0),
            customer("counted", "2026-05-15", Segment::Smb, 0),
            proto::Account {
                activation_time: None,
                contract_start_time: Some(time("2026-05-15")),
                ..customer("contract", "2026-05-15", Segment::Smb, 0)
            },
            proto::Account {
                activation_time: None,
                sign_up_time: Some(time("2026-05-15")),
                ..customer("sign-up", "2026-05-15", Segment::Smb, 0)
            },
        ],
    )
    .await;
    harness.record(vec![churn("odd", "2026-05-14")]).await;
    let answer = retention(&harness, CohortDimension::Unspecified).await;
    let uncounted: Vec<(UncountedReason, i64)> =
        answer.uncounted_accounts.iter().map(|entry| (entry.reason(), entry.count)).collect();
    assert_eq!(
        uncounted,
        [
            (UncountedReason::Trial, 1),
            (UncountedReason::StartUnknown, 1),
            (UncountedReason::NotStarted, 1),
            (UncountedReason::ChurnTimeUnknown, 1),
            (UncountedReason::EndedBeforeStart, 1),
        ]
    );
    assert_eq!((answer.cohorts[0].account_count, answer.cohorts[0].observed_months), (3, 1.0));
    let lost = lifetime_value(&harness, "lost", 12).await.expect("an answer");
    assert_eq!((lost.uncounted_reason(), lost.value), (UncountedReason::ChurnTimeUnknown, None));
    harness.record(vec![churn("lost", "2026-03-15")]).await;
    let answer = retention(&harness, CohortDimension::Unspecified).await;
    assert_eq!((answer.cohorts[0].account_count, answer.cohorts[0].churned_count), (4, 1), "its signal tells when");
}

#[tokio::test]
async fn an_archived_account_is_seen_until_it_was_archived() {
    let mut harness = portfolio().await;
    harness.record(vec![churn("s3", "2026-06-15")]).await;
    archive(&harness, "s3", "").await.expect("archived");
    archive(&harness, "s4", "").await.expect("archived");
    harness.turn_to("2026-09-15").await;
    let answer = retention(&harness, CohortDimension::Segment).await;
    let smb = &answer.cohorts[0];
    assert_eq!((smb.key.as_str(), smb.account_count, smb.churned_count), ("smb", 4, 3));
    assert_eq!(smb.observed_months, 4.0, "not up to today");
}

#[tokio::test]
async fn r85_what_an_account_is_worth_is_what_its_cohort_says_of_the_months_to_come() {
    let harness = portfolio().await;
    let worth = lifetime_value(&harness, "e2", 12).await.expect("an answer");
    assert_eq!((worth.cohort.as_str(), worth.cohort_account_count, worth.cohort_churned_count), ("enterprise", 3, 1));
    assert_eq!(worth.age_months, Some(5.0));
    assert_eq!((worth.lookahead_months, worth.value), (None, None), "nobody is older");
    // Of those that became three months old one left at three months and one is there after four.
    let worth = lifetime_value(&harness, "s3", 12).await.expect("an answer");
    assert_eq!((worth.age_months, worth.lookahead_months), (Some(4.0), None));
    let worth = lifetime_value(&harness, "s4", 12).await.expect("an answer");
    assert_eq!((worth.age_months, worth.lookahead_months, worth.expected_months), (Some(3.0), Some(1.0), Some(1.0)));
    assert_eq!(worth.value, None, "its revenue is not known");
    upsert(&harness, vec![customer("s5", "2026-03-15", Segment::Smb, 12_000)]).await;
    let worth = lifetime_value(&harness, "s5", 12).await.expect("an answer");
    let value = Money { currency_code: "EUR".to_owned(), minor_units: 1_000 };
    assert_eq!((worth.expected_months, worth.value), (Some(1.0), Some(value)), "a month of its yearly revenue");
    let left = lifetime_value(&harness, "s1", 12).await.expect("an answer");
    assert_eq!(left.value.map(|value| value.minor_units), Some(0));
    let status = lifetime_value(&harness, "nobody", 12).await.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "ACCOUNT_NOT_FOUND"));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_all_its_fields() {
    let harness = Harness::start("2026-06-15T12:00:00Z").await;
    let request = proto::GetRetentionRequest {
        dimension: 9,
        segments: vec![9],
        product_line: "x".repeat(101),
        first_month: "2026-13".to_owned(),
        last_month: "June".to_owned(),
        month_count: -1,
        lifetime_month_count: 121,
        compared_cohorts: vec!["a".to_owned(), "a".to_owned()],
    };
    let status = try_retention(&harness, request).await.expect_err("a refusal");
    assert_eq!(
        violated_fields(&status),
        [
            "product_line",
            "first_month",
            "last_month",
            "compared_cohorts[1]",
            "dimension",
            "segments[0]",
            "month_count",
            "lifetime_month_count",
        ]
    );
    let reversed = proto::GetRetentionRequest {
        first_month: "2026-02".to_owned(),
        last_month: "2026-01".to_owned(),
        compared_cohorts: vec!["a".to_owned()],
        ..Default::default()
    };
    let status = try_retention(&harness, reversed).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["last_month", "compared_cohorts"]);
    let nobody = retention(&harness, CohortDimension::Segment).await;
    assert!(nobody.cohorts.is_empty() && nobody.test.is_none());
}

/// 100 000 customers of eight years, in 200 plans and three currencies, of whom two in five left.
const PORTFOLIO: &str = "
    INSERT INTO scoring.accounts (account_id, display_name, segment, industry, product_line, plan, lifecycle_stage,
        currency, arr_minor_units, activated_at, churned_at, plan_limits, owners, owner_emails, contacts, labels, version,
        created_at, updated_at)
    SELECT 'account-' || number, 'Customer', 1 + number % 3, '', '', 'plan-' || number % 200,
           CASE WHEN number / 200 % 5 < 2 THEN 5 ELSE 3 END, (ARRAY['EUR', 'USD', 'CHF'])[1 + number % 3], 1000 * number,
           started_at, CASE WHEN number / 200 % 5 < 2 THEN started_at + make_interval(days => number % 89) END,
           '{}', '[]', '{}', '[]', '{}', 1, started_at, started_at
      FROM (SELECT number, timestamptz '2018-01-01Z' + make_interval(days => number * 7919 % 2900) AS started_at
              FROM generate_series(1, 100000) AS number) AS made";

#[tokio::test]
async fn r91_cohorts_of_100_000_accounts_are_counted_by_every_dimension() {
    let harness = Harness::start("2026-06-15T12:00:00Z").await;
    sqlx::raw_sql(PORTFOLIO).execute(harness.database.pool()).await.expect("accounts");
    for (dimension, cohorts, omitted) in [
        (CohortDimension::Unspecified, 1, 0),
        (CohortDimension::Segment, 3, 0),
        (CohortDimension::Plan, 100, 100),
        (CohortDimension::OnboardingMonth, 96, 0),
    ] {
        let answer = retention(&harness, dimension).await;
        assert_eq!((answer.cohorts.len(), answer.omitted_cohort_count), (cohorts, omitted), "{dimension:?}");
        let accounts: i64 = answer.cohorts.iter().map(|cohort| cohort.account_count).sum();
        let left: i64 = answer.cohorts.iter().map(|cohort| cohort.churned_count).sum();
        let share = if omitted > 0 { 2 } else { 1 };
        assert_eq!((accounts, left), (100_000 / share, 40_000 / share), "{dimension:?}");
    }
}
