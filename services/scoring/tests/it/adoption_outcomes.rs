//! What customers reach: targets by segment, and customers by what they reached.

use mainstay_api::mainstay::scoring::v1 as proto;
use proto::adoption_target::Outcome;
use proto::{OutcomeGroup, Segment};

use crate::account_fixtures::{owner, time};
use crate::adoption_fixtures::{client, milestone, set, target, uses};
use crate::billing_fixtures::money;
use crate::harness::{Harness, account, usage};
use crate::risk_fixtures::churn;

fn live() -> Outcome {
    Outcome::Milestone("live".to_owned())
}

fn hundred_reports() -> Outcome {
    Outcome::UsageTotal(proto::UsageTotal { metric: "reports".to_owned(), quantity: 100 })
}

/// Customers that were activated on 2026-01-01, on 2026-03-01.
async fn company() -> Harness {
    let harness = Harness::start("2026-03-01T12:00:00Z").await;
    let of = |id: &str, segment: Segment| proto::Account {
        segment: segment.into(),
        activation_time: Some(time("2026-01-01")),
        arr: Some(money("EUR", 1_000)),
        ..account(id)
    };
    let mut fast = of("fast", Segment::Enterprise);
    fast.owners = vec![owner(1, "mia@example.com")];
    let accounts = vec![
        fast,
        of("late", Segment::Enterprise),
        of("never", Segment::Enterprise),
        of("left", Segment::Enterprise),
        of("small", Segment::Smb),
        proto::Account { segment: Segment::Enterprise.into(), ..account("idle") },
        proto::Account { activation_time: Some(time("2026-02-20")), ..of("young", Segment::Enterprise) },
    ];
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
    harness
}

fn told() -> Vec<proto::Signal> {
    vec![
        milestone("fast", "2026-01-31T23:00:00Z", "live"),
        milestone("late", "2026-02-01T01:00:00Z", "live"),
        milestone("left", "2026-01-10", "live"),
        milestone("small", "2026-01-03", "live"),
        milestone("idle", "2026-01-03", "live"),
        churn("left", "2026-02-10"),
    ]
}

async fn report(harness: &Harness, request: proto::GetOutcomeReportRequest) -> proto::OutcomeReport {
    client(harness).get_outcome_report(request).await.expect("a report").into_inner()
}

async fn listed(harness: &Harness, request: proto::ListCustomerOutcomesRequest) -> Vec<(String, OutcomeGroup)> {
    let page = client(harness).list_customer_outcomes(request).await.expect("a page").into_inner();
    page.customers.iter().map(|customer| (customer.account.replace("accounts/", ""), customer.group())).collect()
}

#[tokio::test]
async fn r73_a_target_of_a_segment_is_judged_by_who_reached_it_within_its_days() {
    let mut harness = company().await;
    harness.record(told()).await;
    set(&harness, proto::AdoptionTarget { segments: vec![Segment::Enterprise.into()], ..target("live", live()) }).await;
    let outcomes = report(&harness, Default::default()).await;
    let progress = &outcomes.targets[0];
    let all = progress.all.expect("all");
    // Due: fast on its last day, late a day later, never, and left, who counts as it stood. Young has time, idle was not activated.
    assert_eq!((all.due_count, all.in_time_count, all.late_count, all.open_count), (4, 2, 1, 1));
    assert_eq!((all.in_time_share, all.met, all.median_days), (Some(0.5), Some(false), Some(30.0)));
    let (low, high) = (all.in_time_share_low.expect("low"), all.in_time_share_high.expect("high"));
    assert!(low > 0.14 && low < 0.16 && high > 0.84 && high < 0.86, "Wilson's of 2 in 4: {low} to {high}");
    let segments: Vec<Segment> = progress.segments.iter().map(proto::SegmentStanding::segment).collect();
    assert_eq!(segments, [Segment::Enterprise]);
    assert_eq!(outcomes.due_since_day, "2025-03-01");
    let eased = proto::AdoptionTarget { target_share: 0.5, ..progress.adoption_target.clone().expect("the target") };
    set(&harness, eased).await;
    assert_eq!(report(&harness, Default::default()).await.targets[0].all.expect("all").met, Some(true));
}

#[tokio::test]
async fn r73_who_reached_a_target_ahead_of_time_counts_when_all_have_had_their_time() {
    let mut harness = company().await;
    let two_years = proto::AdoptionTarget { within_days: 730, ..target("live", live()) };
    set(&harness, two_years).await;
    // Told after the target was set: the account is looked at again without anything else of it changing.
    harness.record(vec![milestone("fast", "2026-02-28", "live")]).await;
    harness.settle().await;
    let all = report(&harness, Default::default()).await.targets[0].all.expect("all");
    assert_eq!((all.due_count, all.ahead_count, all.open_count), (0, 1, 5));
    assert_eq!((all.in_time_share, all.met, all.median_days), (None, None, None), "nobody has had the time");
    let achieved =
        proto::ListCustomerOutcomesRequest { groups: vec![OutcomeGroup::Achieved.into()], ..Default::default() };
    assert_eq!(listed(&harness, achieved).await, [("fast".to_owned(), OutcomeGroup::Achieved)]);
}

#[tokio::test]
async fn who_is_to_be_activated_has_no_targets_until_then() {
    let harness = company().await;
    set(&harness, target("live", live())).await;
    let later = proto::Account { activation_time: Some(time("2026-03-05")), ..account("idle") };
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![later], ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
    harness.settle().await;
    let open = proto::ListCustomerOutcomesRequest { groups: vec![OutcomeGroup::OnTheWay.into()], ..Default::default() };
    assert_eq!(listed(&harness, open.clone()).await, [("young".to_owned(), OutcomeGroup::OnTheWay)]);
    harness.turn_to("2026-03-05").await;
    assert_eq!(listed(&harness, open).await.len(), 2);
}

#[tokio::test]
async fn r74_a_total_of_use_is_an_outcome_and_late_signals_move_its_day() {
    let mut harness = company().await;
    set(&harness, target("reports", hundred_reports())).await;
    let twice = Outcome::FeatureUses(proto::FeatureUses { feature: "export".to_owned(), count: 2 });
    set(&harness, target("exports", twice)).await;
    let signals = vec![
        usage("fast", "2026-02-05", "reports", 60),
        usage("fast", "2026-02-20", "reports", 60),
        uses("fast", "2026-01-05", "export", 1),
        uses("fast", "2026-01-06", "export", 1),
    ];
    harness.record(signals).await;
    harness.settle().await;
    let outcomes = async || {
        let request = proto::GetAccountAdoptionRequest { account: "accounts/fast".to_owned() };
        let adoption = client(&harness).get_account_adoption(request).await.expect("adoption").into_inner();
        let days = adoption.outcomes.iter().map(|outcome| (outcome.due_day.clone(), outcome.reached_day.clone()));
        (adoption.group(), days.collect::<Vec<_>>())
    };
    let due = || "2026-01-31".to_owned();
    let exports = (due(), "2026-01-06".to_owned());
    assert_eq!(outcomes().await, (OutcomeGroup::Achieved, vec![exports.clone(), (due(), "2026-02-20".to_owned())]));
    let mut signals = harness.signals.clone();
    let late = proto::BatchRecordSignalsRequest {
        signals: vec![usage("fast", "2026-01-30", "reports", 45)],
        ..Default::default()
    };
    signals.batch_record_signals(late).await.expect("recorded");
    harness.settle().await;
    assert_eq!(outcomes().await.1, [exports.clone(), (due(), "2026-02-05".to_owned())]);
    // What was used before the activation does not count, also where the activation is corrected.
    let corrected = proto::Account { activation_time: Some(time("2026-02-01")), ..account("fast") };
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![corrected], ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
    harness.settle().await;
    let moved = outcomes().await.1;
    assert_eq!(moved, [("2026-03-03".to_owned(), String::new()), ("2026-03-03".to_owned(), "2026-02-20".to_owned())]);
}

#[tokio::test]
async fn r82_customers_are_told_apart_by_what_they_reached() {
    let mut harness = company().await;
    harness.record(told()).await;
    set(&harness, proto::AdoptionTarget { segments: vec![Segment::Enterprise.into()], ..target("live", live()) }).await;
    let all = listed(&harness, Default::default()).await;
    let expected = [
        ("fast", OutcomeGroup::Achieved),
        ("idle", OutcomeGroup::NoTarget),
        ("late", OutcomeGroup::Achieved),
        ("never", OutcomeGroup::Behind),
        ("small", OutcomeGroup::NoTarget),
        ("young", OutcomeGroup::OnTheWay),
    ];
    assert_eq!(all, expected.map(|(id, group)| (id.to_owned(), group)));
    let groups = report(&harness, Default::default()).await.groups;
    let sums: Vec<_> = groups.iter().map(|one| (one.group(), one.account_count, one.arr.clone())).collect();
    let euros = |amount| vec![money("EUR", amount)];
    let expected = [
        (OutcomeGroup::Achieved, 2, euros(2_000)),
        (OutcomeGroup::OnTheWay, 1, euros(1_000)),
        (OutcomeGroup::Behind, 1, euros(1_000)),
        (OutcomeGroup::NoTarget, 2, euros(1_000)),
    ];
    assert_eq!(sums, expected);

    let request = proto::ListCustomerOutcomesRequest {
        groups: vec![OutcomeGroup::Behind.into(), OutcomeGroup::OnTheWay.into()],
        ..Default::default()
    };
    let ids: Vec<String> = listed(&harness, request).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["never", "young"]);
    let mias = proto::ListCustomerOutcomesRequest { owner_email: "mia@example.com".to_owned(), ..Default::default() };
    assert_eq!(listed(&harness, mias).await, [("fast".to_owned(), OutcomeGroup::Achieved)]);
}

#[tokio::test]
async fn r82_who_has_time_is_behind_once_it_is_over() {
    let harness = company().await;
    set(&harness, target("live", live())).await;
    let young =
        proto::ListCustomerOutcomesRequest { groups: vec![OutcomeGroup::OnTheWay.into()], ..Default::default() };
    assert_eq!(listed(&harness, young.clone()).await, [("young".to_owned(), OutcomeGroup::OnTheWay)]);
    harness.clock.set(crate::harness::at("2026-03-22"));
    assert_eq!(listed(&harness, young.clone()).await.len(), 1, "its last day");
    harness.clock.set(crate::harness::at("2026-03-23"));
    assert_eq!(listed(&harness, young).await, []);
}

#[tokio::test]
async fn customers_are_listed_page_by_page() {
    let mut harness = company().await;
    harness.record(told()).await;
    let mut ids = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = proto::ListCustomerOutcomesRequest { page_size: 4, page_token, ..Default::default() };
        let page = client(&harness).list_customer_outcomes(request).await.expect("a page").into_inner();
        ids.extend(page.customers.into_iter().map(|customer| customer.account));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let expected = ["fast", "idle", "late", "never", "small", "young"];
    assert_eq!(ids, expected.map(|id| format!("accounts/{id}")));
}
