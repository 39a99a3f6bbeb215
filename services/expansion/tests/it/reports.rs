//! Figures over opportunities.

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use proto::{CriterionKind, OpportunityStage};

use crate::harness::{Harness, at, euros, stamp};

const BEFORE_REVIEW: &str = "1997-03-02T12:00:00Z";
const REVIEW: &str = "1997-03-03";

/// Opportunities of these accounts, each expecting so much.
async fn harness_with(expected: &[(&str, Option<mainstay_api::mainstay::common::v1::Money>)]) -> Harness {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for (id, _) in expected {
        harness.tell_ripe(id).await;
    }
    harness.turn_to(REVIEW).await;
    for (id, gain) in expected {
        let opportunity = harness.opportunity_of(id).await;
        let Some(gain) = gain else { continue };
        let request = proto::UpdateOpportunityRequest {
            opportunity: Some(proto::Opportunity {
                name: opportunity.name,
                expected_gain: Some(gain.clone()),
                ..Default::default()
            }),
            ..Default::default()
        };
        harness.opportunities.update_opportunity(request).await.expect("updated");
    }
    harness
}

fn dollars(minor_units: i64) -> mainstay_api::mainstay::common::v1::Money {
    mainstay_api::mainstay::common::v1::Money { currency_code: "USD".to_owned(), minor_units }
}

#[tokio::test]
async fn r172_the_pipeline_counts_by_stage_and_currency_and_never_mixes_them() {
    let expected = [
        ("a", Some(euros(1_000))),
        ("b", Some(euros(2_500))),
        ("c", Some(dollars(700))),
        ("d", None),
        ("e", Some(euros(10))),
        ("f", Some(euros(99_999))),
    ];
    let mut harness = harness_with(&expected).await;
    let e = harness.opportunity_of("e").await.name;
    harness.advance(&e).await;
    let request = proto::HandOverOpportunityRequest { name: e, ..Default::default() };
    harness.opportunities.hand_over_opportunity(request).await.expect("handed over");
    let f = harness.opportunity_of("f").await.name;
    harness.lose(&f).await;
    harness.tell_raised("c", scoring::RiskTriggerKind::BillingDispute, "d1").await;
    harness.turn_to("1997-03-10").await;
    let pipeline = harness.reports.get_pipeline(proto::GetPipelineRequest::default()).await.expect("it").into_inner();
    let entries: Vec<_> = pipeline
        .entries
        .iter()
        .map(|one| {
            let counts = (one.count, one.held_count, one.overdue_count, one.handed_over_count);
            (one.stage(), one.expected_gain.clone(), counts)
        })
        .collect();
    assert_eq!(
        entries,
        [
            (OpportunityStage::Identified, Some(euros(3_500)), (2, 0, 2, 0)),
            (OpportunityStage::Identified, Some(dollars(700)), (1, 1, 0, 0)),
            (OpportunityStage::Identified, None, (1, 0, 1, 0)),
            (OpportunityStage::DataPrepared, Some(euros(10)), (1, 0, 1, 1)),
        ]
    );
    assert_eq!(pipeline.as_of_time, Some(stamp(at("1997-03-10"))));
    let of_sam = proto::GetPipelineRequest { owner_email: "sam@example.com".to_owned() };
    let of_sam = harness.reports.get_pipeline(of_sam).await.expect("it").into_inner();
    assert_eq!(of_sam.entries.len(), 1);
}

#[tokio::test]
async fn r172_conversion_says_of_how_many_and_with_which_interval() {
    let mut harness = harness_with(&[("a", None), ("b", None), ("c", None), ("d", None)]).await;
    for (id, steps) in [("a", 1), ("b", 2), ("c", 1)] {
        let name = harness.opportunity_of(id).await.name;
        for _ in 0..steps {
            harness.advance(&name).await;
        }
    }
    let (a, d) = (harness.opportunity_of("a").await.name, harness.opportunity_of("d").await.name);
    harness.lose(&d).await;
    harness.lose(&a).await;
    let c = harness.opportunity_of("c").await.name;
    let until_time = Some(stamp(at("1997-06-01")));
    let request = proto::PostponeOpportunityRequest { name: c, until_time, ..Default::default() };
    harness.opportunities.postpone_opportunity(request).await.expect("put off");
    let request = proto::GetConversionRequest::default();
    let conversion = harness.reports.get_conversion(request).await.expect("it").into_inner();
    let counts: Vec<_> = conversion
        .stages
        .iter()
        .map(|one| {
            let advanced = one.advanced.expect("a share");
            (one.entered_count, advanced.count, advanced.total, one.lost_count, one.remaining_count)
        })
        .collect();
    assert_eq!(counts[..3], [(4, 3, 4, 1, 0), (3, 1, 2, 1, 1), (1, 0, 0, 0, 1)]);
    let first = conversion.stages[0].advanced.expect("a share");
    assert_eq!(first.share, Some(0.75));
    let (low, high) = (first.low.expect("low"), first.high.expect("high"));
    assert!((low - 0.300_6).abs() < 1e-4 && (high - 0.954_4).abs() < 1e-4, "{low} {high}");
    assert_eq!(conversion.stages[2].advanced.expect("none").share, None, "nobody left it yet");
    let later = proto::GetConversionRequest { start_time: Some(stamp(at("1997-03-04"))), ..Default::default() };
    let later = harness.reports.get_conversion(later).await.expect("it").into_inner();
    assert_eq!(later.stages[0].entered_count, 0);
}

#[tokio::test]
async fn criteria_are_measured_by_what_was_won() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    // All near the limit; responsiveness is known for two, and team growth differs.
    for id in ["a", "b", "c", "d"] {
        harness.tell_ripe(id).await;
    }
    harness.tell_touch("a", "t1", "1997-02-01T00:00:00Z", true, false).await;
    harness.tell_touch("b", "t2", "1997-02-01T00:00:00Z", true, false).await;
    harness.turn_to(REVIEW).await;
    for (id, wins) in [("a", true), ("b", true), ("c", true), ("d", false)] {
        let name = harness.opportunity_of(id).await.name;
        if wins {
            harness.win(&name).await;
        } else {
            harness.lose(&name).await;
        }
    }
    let request = proto::GetCriterionAccuracyRequest::default();
    let accuracy = harness.reports.get_criterion_accuracy(request).await.expect("it").into_inner();
    let won = accuracy.won.expect("a share");
    assert_eq!((won.count, won.total), (3, 4));
    let of = |kind: CriterionKind| {
        let found = accuracy.criteria.iter().find(|one| one.criterion() == kind).expect("each is there");
        let counts = |share: &Option<proto::Proportion>| share.as_ref().map(|share| (share.count, share.total));
        (counts(&found.won_when_met), counts(&found.won_when_not_met), counts(&found.won_when_not_known), found.lift)
    };
    assert_eq!(of(CriterionKind::Usage), (Some((3, 4)), Some((0, 0)), Some((0, 0)), Some(1.0)));
    let (met, _, not_known, lift) = of(CriterionKind::Responsiveness);
    assert_eq!((met, not_known), (Some((2, 2)), Some((1, 2))));
    assert!((lift.expect("a lift") - 1.0 / 0.75).abs() < 1e-12);
    assert_eq!(of(CriterionKind::TeamGrowth).1, Some((3, 4)));
}
