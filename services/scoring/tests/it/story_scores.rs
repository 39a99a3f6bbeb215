//! Tickets, invoices and disputes in scores: on the days on which they happened, whenever they are told.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::{Aggregation, DisputeAction, InvoiceAction, StorySeries, TicketAction, TicketPriority};

use crate::harness::{Harness, model_of, shuffled, signal, sum_of, usage};
use crate::risk_fixtures::{dispute, invoice, ticket};

const START: &str = "2026-03-01T12:00:00Z";

/// A measure of a series of stories, on a curve from 100 points at 0 to 0 points at `worst`.
pub(crate) fn measure_of(
    series: StorySeries,
    aggregation: Aggregation,
    window_days: i32,
    worst: f64,
) -> proto::Measure {
    let mut measure = sum_of("emails", window_days);
    measure.id = series.as_str_name().to_lowercase();
    measure.input = Some(proto::Input { series: Some(proto::input::Series::Story(series.into())) });
    measure.aggregation = aggregation.into();
    measure.curve = vec![proto::CurvePoint { x: 0.0, points: 100.0 }, proto::CurvePoint { x: worst, points: 0.0 }];
    measure
}

/// Two accounts, scored by one measure of what stories tell.
async fn scored_by(measure: proto::Measure) -> Harness {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme", "other"]).await;
    harness.activate("stories", model_of(measure)).await;
    let seen = ["acme", "other"].map(|id| usage(id, "2026-03-01", "emails", 1));
    harness.record(seen.to_vec()).await;
    harness.settle().await;
    harness
}

async fn scores(harness: &mut Harness, id: &str, days: std::ops::RangeInclusive<u32>) -> Vec<Option<f64>> {
    let mut scores = Vec::new();
    for day in days {
        scores.push(harness.health_of(id, &format!("2026-03-{day:02}")).await.score);
    }
    scores
}

#[tokio::test]
async fn r63_tickets_that_are_not_resolved_weigh_until_they_are_also_when_it_is_told_late() {
    let mut harness = scored_by(measure_of(StorySeries::TicketsOpen, Aggregation::Last, 1, 4.0)).await;
    let opened =
        ["t-1", "t-2"].map(|id| ticket("acme", "2026-03-02", id, TicketAction::Opened, TicketPriority::Normal));
    harness.turn_to("2026-03-02").await;
    harness.record(opened.to_vec()).await;
    harness.settle().await;
    harness.pass_days(4).await;
    let acme = scores(&mut harness, "acme", 1..=6).await;
    assert_eq!(acme, [None, Some(50.0), Some(50.0), Some(50.0), Some(50.0), Some(50.0)]);
    let other = scores(&mut harness, "other", 1..=6).await;
    assert_eq!(other[1..], [Some(100.0); 5], "a help desk that lives tells that there are none");

    let resolved = ticket("acme", "2026-03-04", "t-1", TicketAction::Resolved, TicketPriority::Unspecified);
    harness.record(vec![resolved]).await;
    harness.settle().await;
    let acme = scores(&mut harness, "acme", 2..=6).await;
    assert_eq!(acme, [Some(50.0), Some(50.0), Some(75.0), Some(75.0), Some(75.0)]);
}

#[tokio::test]
async fn r75_slow_answers_weigh_for_their_window() {
    let mut harness = scored_by(measure_of(StorySeries::FirstResponseHours, Aggregation::Mean, 3, 40.0)).await;
    harness.turn_to("2026-03-04").await;
    let mut slow = ticket("acme", "2026-03-03", "t-1", TicketAction::Opened, TicketPriority::High);
    if let Some(Payload::Ticket(told)) = &mut slow.payload {
        told.first_response_time = Some(crate::account_fixtures::time("2026-03-04"));
    }
    harness.record(vec![slow]).await;
    harness.settle().await;
    harness.pass_days(4).await;
    let acme = scores(&mut harness, "acme", 3..=8).await;
    assert_eq!(acme, [None, Some(40.0), Some(40.0), Some(40.0), None, None], "a day's wait, seen for three days");
    assert_eq!(harness.health_of("other", "").await.score, None, "nobody answered it anything");
}

#[tokio::test]
async fn r65_an_unpaid_invoice_weighs_until_it_is_paid_and_a_dispute_until_it_is_closed() {
    let mut model = model_of(measure_of(StorySeries::InvoicesUnpaid, Aggregation::Last, 1, 2.0));
    model.components[0].measures.push(measure_of(StorySeries::DisputesOpen, Aggregation::Last, 1, 1.0));
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("billing", model).await;
    harness.turn_to("2026-03-06").await;
    harness
        .record(vec![
            invoice("acme", "2026-03-01", "in-1", InvoiceAction::Issued),
            invoice("acme", "2026-03-02", "in-1", InvoiceAction::PaymentFailed),
            invoice("acme", "2026-03-03", "in-1", InvoiceAction::PaymentFailed),
            dispute("acme", "2026-03-04", "d-1", DisputeAction::Opened),
            invoice("acme", "2026-03-05", "in-1", InvoiceAction::Paid),
            dispute("acme", "2026-03-06", "d-1", DisputeAction::Closed),
        ])
        .await;
    harness.settle().await;
    let acme = scores(&mut harness, "acme", 2..=6).await;
    assert_eq!(acme, [Some(75.0), Some(75.0), Some(25.0), Some(50.0), Some(100.0)]);
}

#[tokio::test]
async fn told_in_any_order_the_health_of_each_day_is_the_same() {
    let mut model = model_of(measure_of(StorySeries::TicketsOpen, Aggregation::Last, 1, 3.0));
    for (series, aggregation) in [
        (StorySeries::UrgentTicketsOpen, Aggregation::Max),
        (StorySeries::ResolutionHours, Aggregation::Mean),
        (StorySeries::TicketsReopened, Aggregation::Sum),
    ] {
        model.components[0].measures.push(measure_of(series, aggregation, 5, 60.0));
    }
    let mut harness = Harness::start(START).await;
    let mixed = ["mixed-1", "mixed-2", "mixed-3"];
    harness.create_accounts(&["forwards", "backwards", "at-once"]).await;
    harness.create_accounts(&mixed).await;
    harness.activate("stories", model).await;
    harness.turn_to("2026-03-12").await;
    let told = |account: &str| {
        let one =
            |day: u32, id: &str, action, priority| ticket(account, &format!("2026-03-{day:02}"), id, action, priority);
        vec![
            one(2, "t-1", TicketAction::Opened, TicketPriority::Normal),
            one(3, "t-1", TicketAction::Updated, TicketPriority::Urgent),
            one(5, "t-1", TicketAction::Resolved, TicketPriority::Unspecified),
            one(5, "t-2", TicketAction::Opened, TicketPriority::Critical),
            one(7, "t-1", TicketAction::Reopened, TicketPriority::Unspecified),
            one(8, "t-1", TicketAction::Updated, TicketPriority::Low),
            one(10, "t-2", TicketAction::Resolved, TicketPriority::Unspecified),
        ]
    };
    for signal in told("forwards") {
        harness.record(vec![signal]).await;
        harness.settle().await;
    }
    for signal in told("backwards").into_iter().rev() {
        harness.record(vec![signal]).await;
        harness.settle().await;
    }
    for (id, seed) in mixed.into_iter().zip([1, 20_260_312, 4_000_000_007]) {
        for signal in shuffled(told(id), seed) {
            harness.record(vec![signal]).await;
            harness.settle().await;
        }
    }
    harness.record(told("at-once")).await;
    harness.settle().await;
    let expected = scores(&mut harness, "at-once", 2..=12).await;
    assert!(expected.iter().all(Option::is_some), "{expected:?}");
    for id in ["forwards", "backwards"].into_iter().chain(mixed) {
        assert_eq!(scores(&mut harness, id, 2..=12).await, expected, "{id}");
    }
}

#[tokio::test]
async fn r64_what_customers_write_in_tickets_is_a_figure_and_what_the_help_desk_says_goes_before() {
    let mut measure = measure_of(StorySeries::TicketSentiment, Aggregation::Mean, 90, 1.0);
    let corner = |x, points| proto::CurvePoint { x, points };
    measure.curve = vec![corner(-1.0, 0.0), corner(1.0, 100.0)];
    let mut harness = scored_by(measure).await;
    let written = |id: &str, text: &str, sentiment: Option<f64>| {
        let mut signal = ticket(id, "2026-03-01", "t-1", TicketAction::Opened, TicketPriority::Normal);
        if let Some(Payload::Ticket(told)) = &mut signal.payload {
            (told.text, told.sentiment) = (text.to_owned(), sentiment);
        }
        signal
    };
    let angry = "This is terrible, the export fails again and I am very frustrated!";
    harness.record(vec![written("acme", angry, None), written("other", angry, Some(0.5))]).await;
    harness.settle().await;
    let computed = harness.health_of("acme", "").await.score.expect("a score");
    assert!(computed < 20.0, "{computed}");
    assert_eq!(harness.health_of("other", "").await.score, Some(75.0));
}

#[tokio::test]
async fn r39_answers_of_surveys_and_contacts_count_on_their_days() {
    let mut nps = measure_of(StorySeries::NpsScore, Aggregation::Mean, 3, 10.0);
    nps.curve = vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 10.0, points: 100.0 }];
    let mut model = model_of(nps);
    model.components.push(proto::Component {
        id: "relationship".to_owned(),
        display_name: "Relationship".to_owned(),
        weight: 1.0,
        measures: vec![measure_of(StorySeries::TouchesAnswered, Aggregation::DaysSinceLast, 10, 4.0)],
        ..Default::default()
    });
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme", "other"]).await;
    harness.activate("voice", model).await;
    harness.turn_to("2026-03-04").await;
    let answer = |day: &str, score| {
        let question = proto::SurveyQuestion::Nps.into();
        let contact_id = "eve".to_owned();
        let told = proto::SurveyAnswerSignal { question, score, contact_id, ..Default::default() };
        signal("acme", day, Payload::SurveyAnswer(told))
    };
    let touch =
        |day: &str, inbound, answered| signal("acme", day, Payload::Touch(proto::TouchSignal { inbound, answered }));
    let told = vec![
        answer("2026-03-01", 4),
        answer("2026-03-02", 8),
        touch("2026-03-01", true, false),
        touch("2026-03-03", false, false),
        touch("2026-03-02", false, true),
    ];
    assert_eq!(harness.record(told.clone()).await.recorded_count, 5);
    assert_eq!(harness.record(told).await.duplicate_count, 5, "each counts once");
    harness.settle().await;
    // NPS means of 4, 6, 6 and 8; 0, 0, 1 and 2 days since the last contact that was answered.
    let acme = scores(&mut harness, "acme", 1..=4).await;
    assert_eq!(acme, [Some(70.0), Some(80.0), Some(67.5), Some(65.0)]);
    assert_eq!(harness.health_of("other", "").await.score, None, "never asked, never met");
    let request = proto::ListSignalsRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    let listed = harness.signals.clone().list_signals(request).await.expect("a list").into_inner().signals;
    assert_eq!(listed.len(), 5);
    assert!(listed.iter().any(|signal| signal.payload == answer("2026-03-02", 8).payload));
}
