//! Measures that compare an account with others: of its segment, of its industry, on its plan.

use chrono::TimeDelta;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_scoring::domain::parse_model_file;
use mainstay_scoring::model_message;

use crate::harness::{Harness, account, at, model_of, sum_of, usage};
use crate::risk_fixtures::ticket;

/// Points by the share of the segment's median: the median itself is 50 points.
fn against_the_segment() -> proto::Measure {
    proto::Measure {
        comparison: proto::Comparison::SegmentMedian.into(),
        curve: vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 2.0, points: 100.0 }],
        ..sum_of("emails", 7)
    }
}

/// A service with five small businesses and one enterprise.
async fn start(at: &str) -> Harness {
    let mut harness = Harness::start(at).await;
    let segments = [("smb", proto::Segment::Smb, 5), ("large", proto::Segment::Enterprise, 1)];
    let accounts = segments.iter().flat_map(|&(id, segment, count)| {
        (1..=count).map(move |number| proto::Account { segment: segment.into(), ..account(&format!("{id}-{number}")) })
    });
    let request = proto::BatchUpsertAccountsRequest { accounts: accounts.collect(), ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.activate("segments", model_of(against_the_segment())).await;
    harness
}

async fn measure(harness: &mut Harness, id: &str) -> proto::MeasureExplanation {
    measure_on(harness, id, "").await
}

async fn measures(harness: &Harness, id: &str) -> Vec<proto::MeasureExplanation> {
    let request = proto::ExplainHealthRequest { account: format!("accounts/{id}"), ..Default::default() };
    let mut health = harness.health.clone();
    health.explain_health(request).await.expect("an explanation").into_inner().components.remove(0).measures
}

async fn measure_on(harness: &mut Harness, id: &str, day: &str) -> proto::MeasureExplanation {
    let request =
        proto::ExplainHealthRequest { account: format!("accounts/{id}"), day: day.to_owned(), ..Default::default() };
    let explained = harness.health.explain_health(request).await.expect("an explanation").into_inner();
    explained.components[0].measures[0].clone()
}

#[tokio::test]
async fn r68_an_account_is_compared_with_the_median_of_its_segment_on_the_day_before() {
    let mut harness = start("2026-03-01T12:00:00Z").await;
    let mut signals: Vec<_> =
        (1..=5).map(|number| usage(&format!("smb-{number}"), "2026-03-01", "emails", number * 10)).collect();
    signals.push(usage("large-1", "2026-03-01", "emails", 900));
    harness.record(signals).await;
    harness.settle().await;
    assert_eq!(
        measure(&mut harness, "smb-1").await.missing_reason(),
        proto::MissingReason::NoSegmentBase,
        "no day before"
    );

    harness.turn_to("2026-03-02").await;
    for (id, share_of_median) in [("smb-1", 1.0 / 3.0), ("smb-3", 1.0), ("smb-5", 5.0 / 3.0)] {
        let measure = measure(&mut harness, id).await;
        assert_eq!(measure.value, Some(share_of_median), "{id}");
        assert!((measure.points.expect("points") - 50.0 * share_of_median).abs() < 0.01, "{id}: {measure:?}");
    }
    let large = measure(&mut harness, "large-1").await;
    assert_eq!(large.missing_reason(), proto::MissingReason::NoSegmentBase, "one account is no segment");
}

/// As an import does it: the first accounts of a segment must not be taken for all of it.
#[tokio::test]
async fn medians_wait_until_most_accounts_have_been_scored() {
    let mut harness = start("2026-03-10T12:00:00Z").await;
    for number in 1..=5 {
        harness.record(vec![usage(&format!("smb-{number}"), "2026-03-08", "emails", number * 10)]).await;
        harness.settle().await;
    }
    harness.turn_to("2026-03-11").await;
    assert_eq!(measure(&mut harness, "smb-3").await.value, Some(1.0), "30 against the median of 10 to 50");
}

#[tokio::test]
async fn a_recomputation_makes_the_medians_of_the_past_anew() {
    let mut harness = start("2026-03-01T12:00:00Z").await;
    harness.settle().await;
    harness.pass_days(9).await;
    let late = (1..=5).map(|number| usage(&format!("smb-{number}"), "2026-03-08", "emails", number * 10));
    harness.record(late.collect()).await;
    harness.settle().await;
    let past = measure_on(&mut harness, "smb-1", "2026-03-10").await;
    assert_eq!(past.missing_reason(), proto::MissingReason::NoSegmentBase, "late signals move no median");

    let request = proto::RecomputeHealthRequest { start_day: "2026-03-08".to_owned(), ..Default::default() };
    harness.health.recompute_health(request).await.expect("an operation");
    harness.settle().await;
    for (id, share_of_median) in [("smb-1", 1.0 / 3.0), ("smb-5", 5.0 / 3.0)] {
        for day in ["2026-03-09", "2026-03-10"] {
            let past = measure_on(&mut harness, id, day).await;
            assert_eq!(past.value, Some(share_of_median), "{id} on {day}");
        }
    }
}

/// A service with twenty-one retailers and four banks, all enterprises on one of two plans.
async fn start_with_industries() -> Harness {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    let industries = [("shop", "Retail", 21), ("bank", "Banking", 4)];
    let accounts = industries.iter().flat_map(|&(id, industry, count)| {
        (1..=count).map(move |number| proto::Account {
            segment: proto::Segment::Enterprise.into(),
            // Not everybody writes it the same way.
            industry: if number % 2 == 0 { industry.to_uppercase() } else { industry.to_owned() },
            plan: if number <= 5 { "Team".to_owned() } else { "Pro".to_owned() },
            ..account(&format!("{id}-{number}"))
        })
    });
    let request = proto::BatchUpsertAccountsRequest { accounts: accounts.collect(), ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness
}

fn by(comparison: proto::Comparison) -> proto::Measure {
    let curve = vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 1.0, points: 100.0 }];
    proto::Measure { comparison: comparison.into(), curve, ..sum_of("emails", 7) }
}

#[tokio::test]
async fn r68_an_account_is_ranked_in_its_industry_and_compared_with_those_on_its_plan() {
    let mut harness = start_with_industries().await;
    let mut model = model_of(by(proto::Comparison::IndustryRank));
    model.components[0].measures.push(proto::Measure { id: "plan".to_owned(), ..by(proto::Comparison::PlanMedian) });
    harness.activate("industries", model).await;
    let shops = (1..=21).map(|number| usage(&format!("shop-{number}"), "2026-03-01", "emails", number * 10));
    let banks = (1..=4).map(|number| usage(&format!("bank-{number}"), "2026-03-01", "emails", number * 1_000));
    harness.record(shops.chain(banks).collect()).await;
    harness.settle().await;
    harness.turn_to("2026-03-02").await;

    for (id, rank) in [("shop-1", 0.0), ("shop-6", 0.25), ("shop-11", 0.5), ("shop-21", 1.0)] {
        let explained = measures(&harness, id).await;
        assert_eq!(explained[0].value, Some(rank), "{id}: whatever the banks do");
        assert_eq!(explained[0].points, Some(100.0 * rank));
    }
    let bank = measures(&harness, "bank-1").await;
    assert_eq!(bank[0].missing_reason(), proto::MissingReason::NoIndustryBase, "four banks are too few to rank in");
    // On the plan are 10, 20, 30, 40, 50 and 1000, 2000, 3000, 4000.
    assert_eq!(bank[1].value, Some(20.0), "1000 against a median of 50");
    let request = proto::ExplainHealthRequest { account: "accounts/shop-6".to_owned(), ..Default::default() };
    let why = harness.health.explain_health(request).await.expect("an explanation").into_inner();
    let why = why.sentences.join(" ");
    let expected = "60 emails in 7 days, against a median of 110 in its industry (rank 25 of 100)";
    assert!(why.contains(expected), "{why}");
}

#[tokio::test]
async fn a_past_day_is_compared_with_the_industry_of_then() {
    let mut harness = start_with_industries().await;
    harness.activate("industries", model_of(by(proto::Comparison::IndustryRank))).await;
    let signals = (1..=21).map(|number| usage(&format!("shop-{number}"), "2026-03-01", "emails", number * 10));
    harness.record(signals.collect()).await;
    harness.settle().await;
    harness.turn_to("2026-03-02").await;
    let answered = measures(&harness, "shop-6").await;
    assert_eq!(answered[0].value, Some(0.25));

    harness.turn_to("2026-03-03").await;
    let mut moved = account("shop-6");
    moved.segment = proto::Segment::Enterprise.into();
    moved.industry = "Banking".to_owned();
    let request = proto::UpdateAccountRequest { account: Some(moved), ..Default::default() };
    harness.accounts.update_account(request).await.expect("another industry");
    harness.settle().await;
    let today = measures(&harness, "shop-6").await;
    assert_eq!(today[0].missing_reason(), proto::MissingReason::NoIndustryBase);
    let request = proto::RecomputeHealthRequest { start_day: "2026-03-01".to_owned(), ..Default::default() };
    harness.health.recompute_health(request).await.expect("an operation");
    harness.settle().await;
    let past = measure_on(&mut harness, "shop-6", "2026-03-02").await;
    assert_eq!(past.value, answered[0].value, "it was a shop then, and so were the others");
}

#[tokio::test]
async fn a_late_signal_is_compared_with_what_was_kept_of_each_day() {
    let mut harness = start("2026-03-01T12:00:00Z").await;
    let signals = (1..=5).map(|number| usage(&format!("smb-{number}"), "2026-03-01", "emails", number * 10));
    harness.record(signals.collect()).await;
    harness.settle().await;
    harness.pass_days(5).await;
    harness.record(vec![usage("smb-1", "2026-03-02", "emails", 50)]).await;
    harness.settle().await;
    for day in ["2026-03-03", "2026-03-04", "2026-03-06"] {
        let past = measure_on(&mut harness, "smb-1", day).await;
        assert_eq!(past.value, Some(2.0), "60 against 30, which it does not move: the median was 40 with it, {day}");
    }
}

#[tokio::test]
async fn a_rank_is_the_same_for_all_who_have_the_same() {
    let mut harness = start_with_industries().await;
    harness.activate("plans", model_of(by(proto::Comparison::PlanRank))).await;
    // On the plan are nine accounts of the first five of each, and sixteen others: too few and too few.
    let signals = (1..=21).map(|number| usage(&format!("shop-{number}"), "2026-03-01", "emails", 1 + number / 12));
    harness.record(signals.collect()).await;
    harness.settle().await;
    harness.turn_to("2026-03-02").await;
    assert_eq!(measures(&harness, "shop-1").await[0].missing_reason(), proto::MissingReason::NoPlanBase);
    harness.turn_to("2026-03-03").await;
    harness.activate("industries", model_of(by(proto::Comparison::IndustryRank))).await;
    harness.settle().await;
    harness.turn_to("2026-03-04").await;
    // Eleven of twenty-one have one, ten have two: the middle of 0 to 10 and of 11 to 20, of 20.
    for (id, rank) in [("shop-1", 0.25), ("shop-11", 0.25), ("shop-12", 0.775), ("shop-21", 0.775)] {
        let value = measures(&harness, id).await[0].value.expect("a rank");
        assert!((value - rank).abs() < 1e-12, "{id}: {value}");
    }
}

/// More accounts than are scored in one transaction, so that some come to a day before others have come through the one before.
#[tokio::test]
async fn a_day_is_compared_with_all_accounts_on_the_day_before() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    let ids: Vec<String> = (0..=600).map(|number| format!("smb-{number:03}")).collect();
    let accounts = ids.iter().map(|id| proto::Account { segment: proto::Segment::Smb.into(), ..account(id) });
    let request = proto::BatchUpsertAccountsRequest { accounts: accounts.collect(), ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.activate("segments", model_of(by(proto::Comparison::SegmentRank))).await;
    harness.turn_to("2026-03-04").await;
    let signals = (0..).zip(&ids).map(|(number, id)| usage(id, "2026-03-02", "emails", 1 + number));
    harness.record(signals.collect()).await;
    for pause in 1..=9 {
        harness.settle().await;
        harness.clock.set(at("2026-03-04T00:00:00Z") + TimeDelta::seconds(3 * pause));
    }
    for day in ["2026-03-03", "2026-03-04"] {
        for (number, rank) in [(0, 0.0), (150, 0.25), (300, 0.5), (600, 1.0)] {
            let value = measure_on(&mut harness, &ids[number], day).await.value.expect("a rank");
            assert!((value - rank).abs() < 1e-9, "{number} on {day}: {value}");
        }
    }
}

/// Of those who left, scores go on: with them, who stays would rank high for being there.
#[tokio::test]
async fn who_has_left_is_nobody_to_be_compared_with() {
    let mut harness = start("2026-03-01T12:00:00Z").await;
    let signals = (1..=5).map(|number| usage(&format!("smb-{number}"), "2026-03-01", "emails", number * 10));
    harness.record(signals.collect()).await;
    let left = (1..=4).map(|number| proto::Account {
        segment: proto::Segment::Smb.into(),
        lifecycle_stage: proto::LifecycleStage::Churned.into(),
        ..account(&format!("gone-{number}"))
    });
    let request = proto::BatchUpsertAccountsRequest { accounts: left.collect(), ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.record((1..=4).map(|number| usage(&format!("gone-{number}"), "2026-03-01", "emails", 1)).collect()).await;
    harness.settle().await;
    harness.turn_to("2026-03-02").await;
    assert_eq!(measure(&mut harness, "smb-3").await.value, Some(1.0), "30 against the median of 10 to 50");
    assert_eq!(measure(&mut harness, "gone-1").await.value, Some(1.0 / 30.0), "itself it is compared");
}

const AMONG_PEERS: &str = include_str!("../../models/among_peers.yaml");

/// Points of the measure of open tickets, by the model that scores.
async fn points_of_open_tickets(harness: &Harness, id: &str) -> f64 {
    let request = proto::ExplainHealthRequest { account: format!("accounts/{id}"), ..Default::default() };
    let explained = harness.health.clone().explain_health(request).await.expect("an explanation").into_inner();
    let measures = explained.components.iter().flat_map(|component| &component.measures);
    let open = measures.into_iter().find(|measure| measure.measure == "open_tickets").expect("the measure");
    open.points.unwrap_or_else(|| panic!("points of {id}: {:?}", open.missing_reason()))
}

#[tokio::test]
async fn r68_what_is_usual_for_a_large_customer_is_no_crisis_among_its_peers() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    let sizes = [("large", proto::Segment::Enterprise), ("small", proto::Segment::Smb)];
    let accounts = sizes.iter().flat_map(|&(size, segment)| {
        (0..25).map(move |number| proto::Account { segment: segment.into(), ..account(&format!("{size}-{number}")) })
    });
    let request = proto::BatchUpsertAccountsRequest { accounts: accounts.collect(), ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    // Eight tickets open are usual for the large and a crisis for the one small customer that has them.
    let with_tickets = (0..25).map(|number| format!("large-{number}")).chain(["small-0".to_owned()]);
    let opened = |id: String| {
        (0..8).map(move |number| {
            let (action, priority) = (proto::TicketAction::Opened, proto::TicketPriority::Normal);
            ticket(&id, "2026-03-01T08:00:00Z", &format!("{id}-{number}"), action, priority)
        })
    };
    harness.record(with_tickets.flat_map(opened).collect()).await;
    let others = (1..25).map(|number| usage(&format!("small-{number}"), "2026-03-01", "emails", 1));
    harness.record(others.collect()).await;
    harness.settle().await;
    let taken_as_it_is = points_of_open_tickets(&harness, "large-3").await;
    assert!(taken_as_it_is < 20.0, "by the model that ships: {taken_as_it_is}");

    let model = model_message(parse_model_file(AMONG_PEERS).expect("parses"));
    harness.activate("among-peers", proto::Model { name: String::new(), ..model }).await;
    harness.settle().await;
    harness.turn_to("2026-03-02").await;
    let points = [
        points_of_open_tickets(&harness, "large-3").await,
        points_of_open_tickets(&harness, "small-0").await,
        points_of_open_tickets(&harness, "small-3").await,
    ];
    assert!(points[0] > 99.9 && points[1] < 10.1 && points[2] > 99.9, "{points:?}");
}
