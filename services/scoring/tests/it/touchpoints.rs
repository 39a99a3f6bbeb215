//! Where customers meet friction on their journey, and whether those who do leave more often.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::touchpoint::Kind;
use proto::{IncidentSeverity, InvoiceAction, JourneyStage, RiskTriggerKind, Segment};
use tonic::{Response, Status};

use crate::account_fixtures::time;
use crate::harness::{Harness, account, signal};
use crate::refusals::violated_fields;
use crate::risk_fixtures::{churn, invoice};

/// The landmark of 90 days is then the end of 2026-03-17, and friction counts from 2025-12-18 on.
const TODAY: &str = "2026-06-15T12:00:00Z";

async fn try_map(harness: &Harness, request: proto::GetTouchpointMapRequest) -> Result<proto::TouchpointMap, Status> {
    CohortServiceClient::new(harness.channel.clone()).get_touchpoint_map(request).await.map(Response::into_inner)
}

/// So many customers; their ids.
async fn group(harness: &mut Harness, name: &str, like: proto::Account, count: usize) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|number| format!("{name}-{number}")).collect();
    let accounts = ids.iter().map(|id| proto::Account { name: format!("accounts/{id}"), ..like.clone() }).collect();
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    ids
}

fn since(day: &str) -> proto::Account {
    proto::Account { segment: Segment::Smb.into(), activation_time: Some(time(day)), ..account("like") }
}

fn incident(id: &str, at: &str) -> proto::Signal {
    let severity = IncidentSeverity::Major.into();
    let told = proto::IncidentSignal { incident_id: format!("inc-{at}"), severity, minutes: 5 };
    signal(id, at, Payload::Incident(told))
}

/// Who met it and left, of all and of the others.
fn counts(effect: Option<&proto::TouchpointEffect>) -> [(i64, i64); 2] {
    let effect = effect.expect("an effect");
    [(effect.customer_count, effect.churned_count), (effect.reference_customer_count, effect.reference_churned_count)]
}

#[tokio::test]
async fn r76_touchpoints_are_compared_with_drop_off_within_the_stages_of_the_journey() {
    // Conditions are raised as of now, so that friction is told before customers leave.
    let mut harness = Harness::start("2026-02-01T08:00:00Z").await;
    let in_use = since("2025-01-15");
    let renewing = proto::Account { renewal_time: Some(time("2026-05-01")), ..since("2025-01-15") };
    let mut unpaid = group(&mut harness, "unpaid", in_use.clone(), 30).await;
    let unpaid_in_renewal = group(&mut harness, "unpaid-renewing", renewing.clone(), 10).await;
    let hit = group(&mut harness, "hit", in_use.clone(), 20).await;
    group(&mut harness, "calm", in_use, 60).await;
    group(&mut harness, "calm-renewing", renewing, 10).await;
    group(&mut harness, "new", since("2026-01-10"), 5).await;
    unpaid.extend(unpaid_in_renewal);
    harness
        .record(unpaid.iter().map(|id| invoice(id, "2026-01-20", "in-1", InvoiceAction::PaymentFailed)).collect())
        .await;
    harness.record(hit.iter().map(|id| incident(id, "2026-01-31")).collect()).await;
    harness.settle().await;
    harness.clock.set(crate::harness::at(TODAY));
    let left = [("unpaid", 15), ("unpaid-renewing", 5), ("hit", 2), ("calm", 6), ("calm-renewing", 5), ("new", 1)];
    let churned = left.iter().flat_map(|(name, count)| (0..*count).map(move |number| format!("{name}-{number}")));
    harness.record(churned.map(|id| churn(&id, "2026-04-16")).collect()).await;
    // After the landmark: too late to count.
    harness.record(vec![incident("calm-59", "2026-03-18"), incident("new-4", "2025-12-17")]).await;

    let map = try_map(&harness, Default::default()).await.expect("a map");
    assert_eq!((map.exposure_first_day.as_str(), map.landmark_day.as_str()), ("2025-12-18", "2026-03-17"));
    assert_eq!((map.customer_count, map.churned_count), (135, 34));
    let kinds: Vec<Kind> = map.touchpoints.iter().filter_map(|one| one.kind).collect();
    let payment = Kind::Condition(RiskTriggerKind::PaymentFailed.into());
    assert_eq!(kinds, [payment, Kind::Incident(proto::IncidentTouchpoint {})], "what takes most customers first");
    let [unpaid, hit] = &map.touchpoints[..] else { panic!("two touchpoints") };
    assert_eq!(counts(unpaid.all.as_ref()), [(40, 20), (95, 14)]);
    let stages: Vec<_> = unpaid.stages.iter().map(|one| (one.stage(), counts(one.effect.as_ref()))).collect();
    let expected = [
        (JourneyStage::Onboarding, [(0, 0), (5, 1)]),
        (JourneyStage::InUse, [(30, 15), (80, 8)]),
        (JourneyStage::Renewing, [(10, 5), (10, 5)]),
    ];
    assert_eq!(stages, expected);
    // Half of 30 against a tenth of the others in use; half of 10 against half of those whose contract ends.
    assert!((unpaid.excess_loss_count.expect("both") - 12.0).abs() < 1e-9, "{unpaid:?}");
    assert!(unpaid.adjusted_p_value.is_some_and(|p| p < 0.001), "{unpaid:?}");
    assert_eq!(counts(hit.all.as_ref()), [(20, 2), (115, 32)]);
    assert!(hit.test_obstacle.starts_with("too few left"), "{}", hit.test_obstacle);

    let enterprise =
        proto::GetTouchpointMapRequest { segments: vec![Segment::Enterprise.into()], ..Default::default() };
    let map = try_map(&harness, enterprise).await.expect("a map");
    assert_eq!((map.customer_count, map.touchpoints.len()), (0, 0));
}

#[tokio::test]
async fn r76_a_condition_that_lasts_since_before_the_window_is_friction_and_one_that_ended_is_not() {
    let mut harness = Harness::start("2025-11-01T08:00:00Z").await;
    group(&mut harness, "like", since("2025-01-15"), 3).await;
    let failed = |id: &str| invoice(id, "2025-10-30", "in-1", InvoiceAction::PaymentFailed);
    harness.record(vec![failed("like-0"), failed("like-1")]).await;
    harness.settle().await;
    harness.clock.set(crate::harness::at("2025-11-10"));
    harness.record(vec![invoice("like-1", "2025-11-09", "in-1", InvoiceAction::Paid)]).await;
    harness.settle().await;
    harness.clock.set(crate::harness::at(TODAY));
    let map = try_map(&harness, Default::default()).await.expect("a map");
    assert_eq!(counts(map.touchpoints[0].all.as_ref()), [(1, 0), (2, 0)], "{map:#?}");
}

#[tokio::test]
async fn a_map_that_cannot_be_is_refused_with_all_its_fields() {
    let harness = Harness::start(TODAY).await;
    let request = proto::GetTouchpointMapRequest {
        landmark_day: "2026-06-15".to_owned(),
        exposure_day_count: 366,
        follow_day_count: -1,
        segments: vec![42],
    };
    let refused = try_map(&harness, request).await.expect_err("refused");
    let fields = ["segments[0]", "exposure_day_count", "follow_day_count", "landmark_day"];
    assert_eq!(violated_fields(&refused), fields);
}
