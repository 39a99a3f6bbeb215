//! Tickets, invoices and disputes: one story each, in whatever order and however often it is told.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_testkit::idempotency;
use proto::lifecycle_signal::Change;
use proto::{DisputeAction, InvoiceAction, RiskTriggerKind, TicketAction, TicketPriority};
use tonic::Code;

use crate::account_fixtures::get;
use crate::harness::{Harness, at, signal};
use crate::refusals::violated_fields;
use crate::risk_fixtures::{Told, dispute, events_of, invoice, lasting, lifecycle, risk_events, ticket, told_of};

const START: &str = "2026-03-10T12:00:00Z";

async fn acme() -> Harness {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    harness
}

#[tokio::test]
async fn r95_one_story_per_invoice_however_often_it_is_retried() {
    let mut harness = acme().await;
    harness.record(vec![invoice("acme", "2026-03-01", "in-1", InvoiceAction::Issued)]).await;
    assert_eq!(risk_events(&harness).await, []);
    let mut attempts = Vec::new();
    for day in 2..=4 {
        let mut attempt = invoice("acme", &format!("2026-03-0{day}"), "in-1", InvoiceAction::PaymentFailed);
        if let Some(Payload::Invoice(told)) = &mut attempt.payload {
            told.failure_reason = format!("attempt on day {day}");
            told.amount = Some(Money { currency_code: "EUR".to_owned(), minor_units: 4_900 });
        }
        attempts.push(attempt.clone());
        harness.record(vec![attempt]).await;
    }
    // All of them again, backwards, as a caller does who does not know what arrived.
    attempts.reverse();
    assert_eq!(harness.record(attempts).await.duplicate_count, 3);
    harness.record(vec![invoice("acme", "2026-03-05", "in-1", InvoiceAction::Paid)]).await;
    let told = risk_events(&harness).await;
    assert_eq!(
        told.iter().map(|(told, _)| *told).collect::<Vec<_>>(),
        [Told::Raised, Told::Updated, Told::Updated, Told::Cleared]
    );
    let names: std::collections::BTreeSet<&str> = told.iter().map(|(_, trigger)| trigger.name.as_str()).collect();
    assert_eq!(names.len(), 1, "one trigger");
    let counts: Vec<i32> = told.iter().map(|(_, trigger)| trigger.occurrence_count).collect();
    assert_eq!(counts, [1, 2, 3, 3]);
    let last = &told[3].1;
    let Some(proto::risk_trigger::Cause::Payment(cause)) = &last.cause else { panic!("a payment") };
    assert_eq!((cause.failed_attempt_count, cause.failure_reason.as_str()), (3, "attempt on day 4"));
    assert_eq!(cause.amount.as_ref().map(|amount| amount.minor_units), Some(4_900));
    assert_eq!((last.kind(), last.subject.as_str()), (RiskTriggerKind::PaymentFailed, "in-1"));
    assert_eq!(last.clear_reason(), proto::RiskTriggerClearReason::Ended);
    assert_eq!(last.clear_time.expect("a time").seconds, at(START).timestamp());
}

/// Ids are those of the account, whatever the source.
#[tokio::test]
async fn what_two_sources_tell_under_one_id_is_one_story_of_each_kind() {
    let mut harness = acme().await;
    let mut told = vec![
        ticket("acme", "2026-03-01", "1", TicketAction::Opened, TicketPriority::Urgent),
        ticket("acme", "2026-03-02", "1", TicketAction::Resolved, TicketPriority::Urgent),
        invoice("acme", "2026-03-01", "1", InvoiceAction::Overdue),
        ticket("acme", "2026-03-01", "desk2-1", TicketAction::Opened, TicketPriority::Urgent),
    ];
    told[1].source = "desk2".to_owned();
    told[3].source = "desk2".to_owned();
    harness.record(told).await;
    let lasting: Vec<_> =
        lasting(&harness, "acme").await.into_iter().map(|trigger| (trigger.kind(), trigger.subject)).collect();
    let expected =
        [(RiskTriggerKind::TicketUrgent, "desk2-1".to_owned()), (RiskTriggerKind::PaymentFailed, "1".to_owned())];
    assert_eq!(lasting.len(), expected.len(), "{lasting:?}");
    assert!(expected.iter().all(|one| lasting.contains(one)), "{lasting:?}");
}

#[tokio::test]
async fn r95_a_failed_payment_that_is_told_after_the_payment_raises_nothing() {
    let mut harness = acme().await;
    harness.record(vec![invoice("acme", "2026-03-05", "in-1", InvoiceAction::Paid)]).await;
    harness.record(vec![invoice("acme", "2026-03-02", "in-1", InvoiceAction::PaymentFailed)]).await;
    harness.record(vec![invoice("acme", "2026-03-07", "in-1", InvoiceAction::Overdue)]).await;
    harness.record(vec![invoice("acme", "2026-03-03", "in-2", InvoiceAction::Overdue)]).await;
    assert_eq!(told_of(&harness, RiskTriggerKind::PaymentFailed).await, [(Told::Raised, "in-2".to_owned())]);
    harness.record(vec![invoice("acme", "2026-03-08", "in-2", InvoiceAction::Voided)]).await;
    harness.settle().await;
    assert_eq!(lasting(&harness, "acme").await, []);
}

#[tokio::test]
async fn r95_a_dispute_lasts_until_it_is_closed() {
    let mut harness = acme().await;
    let mut opened = dispute("acme", "2026-03-01", "d-1", DisputeAction::Opened);
    if let Some(Payload::Dispute(told)) = &mut opened.payload {
        told.invoice_id = "in-1".to_owned();
        told.reason = "charged twice".to_owned();
    }
    harness.record(vec![opened]).await;
    let last = lasting(&harness, "acme").await.remove(0);
    let Some(proto::risk_trigger::Cause::Dispute(cause)) = &last.cause else { panic!("a dispute") };
    assert_eq!(
        (cause.dispute_id.as_str(), cause.invoice_id.as_str(), cause.reason.as_str()),
        ("d-1", "in-1", "charged twice")
    );
    harness.record(vec![dispute("acme", "2026-03-02", "d-1", DisputeAction::Closed)]).await;
    let told = told_of(&harness, RiskTriggerKind::BillingDispute).await;
    assert_eq!(told.iter().map(|(told, _)| *told).collect::<Vec<_>>(), [Told::Raised, Told::Cleared]);
}

#[tokio::test]
async fn r96_an_urgent_ticket_lasts_until_it_is_resolved_or_its_priority_lowered() {
    use TicketAction::{Escalated, Opened, Reopened, Resolved, Updated};
    use TicketPriority::{Critical, High, Unspecified, Urgent};
    let mut harness = acme().await;
    for (hour, action, priority) in [
        (1, Opened, Unspecified),
        (2, Escalated, Urgent),
        (3, Updated, Unspecified),
        (4, Escalated, Critical),
        (5, Resolved, Unspecified),
        (6, Reopened, Unspecified),
        (7, Updated, High),
        (8, Resolved, Unspecified),
    ] {
        harness.record(vec![ticket("acme", &format!("2026-03-01T0{hour}:00:00Z"), "t-1", action, priority)]).await;
    }
    let told = risk_events(&harness).await;
    let seen: Vec<_> = told.iter().map(|(told, trigger)| (*told, trigger.occurrence_count)).collect();
    assert_eq!(
        seen,
        [(Told::Raised, 1), (Told::Updated, 2), (Told::Cleared, 2), (Told::Raised, 2), (Told::Cleared, 2)]
    );
    assert_ne!(told[0].1.name, told[3].1.name);
    let Some(proto::risk_trigger::Cause::Ticket(cause)) = &told[3].1.cause else { panic!("a ticket") };
    assert_eq!((cause.priority(), cause.escalation_count, cause.reopen_count), (Critical, 2, 1));
}

#[tokio::test]
async fn r64_frustration_in_a_ticket_lasts_until_the_customer_is_calm_or_it_is_resolved() {
    use TicketAction::{Opened, Reopened, Resolved, Updated};
    let mut harness = acme().await;
    let broken = "The export fails with an error, this is a critical problem for our team.";
    let angry = "The third time our exports fail. We are really frustrated!";
    for (hour, action, text) in [
        (1, Opened, broken),
        (2, Updated, angry),
        (3, Updated, "It is still the same problem."),
        (4, Updated, "Thanks, it works great now"),
        (5, Updated, angry),
        (6, Resolved, ""),
        (7, Reopened, angry),
    ] {
        let mut told =
            ticket("acme", &format!("2026-03-01T0{hour}:00:00Z"), "t-1", action, TicketPriority::Unspecified);
        if let Some(Payload::Ticket(ticket)) = &mut told.payload {
            ticket.text = text.to_owned();
            ticket.subject = "Exports".to_owned();
        }
        harness.record(vec![told]).await;
    }
    let told = risk_events(&harness).await;
    let seen: Vec<_> = told.iter().map(|(told, trigger)| (*told, trigger.occurrence_count)).collect();
    assert_eq!(
        seen,
        [
            (Told::Raised, 1),
            (Told::Updated, 1),
            (Told::Cleared, 1),
            (Told::Raised, 2),
            (Told::Cleared, 2),
            (Told::Raised, 3)
        ],
        "what opened it says only what is broken"
    );
    let last = &told.last().expect("told").1;
    assert_eq!((last.kind(), last.subject.as_str()), (RiskTriggerKind::TicketFrustrated, "t-1"));
    let Some(proto::risk_trigger::Cause::TicketFrustrated(cause)) = &last.cause else { panic!("a ticket") };
    assert_eq!((cause.ticket_id.as_str(), cause.message_count, cause.subject.as_str()), ("t-1", 3, "Exports"));
    assert!(cause.sentiment <= -0.6, "{cause:?}");
}

#[tokio::test]
async fn r64_what_the_help_desk_says_of_a_mood_counts_from_the_first_message_on() {
    let mut harness = acme().await;
    let mut told = ticket("acme", "2026-03-01T01:00:00Z", "t-1", TicketAction::Opened, TicketPriority::Unspecified);
    if let Some(Payload::Ticket(ticket)) = &mut told.payload {
        ticket.sentiment = Some(-0.6);
    }
    harness.record(vec![told]).await;
    assert_eq!(told_of(&harness, RiskTriggerKind::TicketFrustrated).await, [(Told::Raised, "t-1".to_owned())]);
}

#[tokio::test]
async fn r63_a_tickets_moves_are_told_and_its_mere_updates_are_not() {
    use TicketAction::{Escalated, Opened, Resolved, Updated};
    use TicketPriority::{Normal, Unspecified, Urgent};
    let mut harness = acme().await;
    let told =
        |hour: u32, action, priority| ticket("acme", &format!("2026-03-01T{hour:02}:00:00Z"), "t-1", action, priority);
    let mut resolved = told(9, Resolved, Unspecified);
    if let Some(Payload::Ticket(ticket)) = &mut resolved.payload {
        ticket.satisfaction = Some(2);
        ticket.requester_email = "eve@acme.example".to_owned();
    }
    // In one batch, in any order: told as it happened.
    harness.record(vec![told(5, Escalated, Urgent), told(1, Opened, Unspecified), told(3, Updated, Unspecified)]).await;
    harness.record(vec![told(7, Updated, Normal), resolved, told(10, Updated, Unspecified)]).await;
    // Late: it changes nothing.
    harness.record(vec![told(4, Escalated, Unspecified)]).await;
    let events = events_of::<proto::TicketChanged>(&harness).await;
    let seen: Vec<_> =
        events.iter().map(|(time, event)| (chrono::Timelike::hour(time), event.action(), event.priority())).collect();
    assert_eq!(seen, [(1, Opened, Normal), (5, Escalated, Urgent), (7, Updated, Normal), (9, Resolved, Normal)]);
    let last = &events[3].1;
    assert_eq!((last.ticket_id.as_str(), last.source.as_str(), last.satisfaction), ("t-1", "test", Some(2)));
    assert_eq!(last.requester_email, "eve@acme.example");
}

#[tokio::test]
async fn a_late_signal_that_gives_a_resolved_ticket_its_priority_tells_that_it_is_resolved() {
    let mut harness = acme().await;
    harness
        .record(vec![ticket("acme", "2026-03-02", "t-1", TicketAction::Resolved, TicketPriority::Unspecified)])
        .await;
    harness.record(vec![ticket("acme", "2026-03-01", "t-1", TicketAction::Opened, TicketPriority::Critical)]).await;
    let events = events_of::<proto::TicketChanged>(&harness).await;
    let seen: Vec<_> = events.iter().map(|(time, event)| (*time, event.action(), event.priority())).collect();
    let resolved_at = at("2026-03-02");
    assert_eq!(
        seen,
        [
            (resolved_at, TicketAction::Resolved, TicketPriority::Normal),
            (resolved_at, TicketAction::Resolved, TicketPriority::Critical)
        ]
    );
    assert_eq!(lasting(&harness, "acme").await, []);
}

#[tokio::test]
async fn stories_told_backwards_end_as_those_told_forwards() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["forward", "backward"]).await;
    let signals = |id: &str| {
        vec![
            ticket(id, "2026-03-01", "t-1", TicketAction::Opened, TicketPriority::Critical),
            ticket(id, "2026-03-02", "t-1", TicketAction::Escalated, TicketPriority::Unspecified),
            ticket(id, "2026-03-01", "t-2", TicketAction::Opened, TicketPriority::Urgent),
            ticket(id, "2026-03-04", "t-2", TicketAction::Resolved, TicketPriority::Unspecified),
            invoice(id, "2026-03-01", "in-1", InvoiceAction::PaymentFailed),
            invoice(id, "2026-03-02", "in-1", InvoiceAction::PaymentFailed),
            dispute(id, "2026-03-01", "d-1", DisputeAction::Opened),
            dispute(id, "2026-03-02", "d-1", DisputeAction::Closed),
        ]
    };
    for one in signals("forward") {
        harness.record(vec![one]).await;
    }
    for one in signals("backward").into_iter().rev() {
        harness.record(vec![one]).await;
    }
    let summary = async |id: &str| {
        let mut lasting: Vec<_> = lasting(&harness, id)
            .await
            .into_iter()
            .map(|trigger| (trigger.kind, trigger.subject, trigger.occurrence_count, trigger.cause))
            .collect();
        lasting.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
        lasting
    };
    let forward = summary("forward").await;
    assert_eq!(forward.len(), 2);
    assert_eq!(summary("backward").await, forward);
}

#[tokio::test]
async fn callers_at_once_raise_a_condition_once() {
    let mut harness = Harness::start(START).await;
    let ids: Vec<String> = (0..20).map(|number| format!("account-{number}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (service, other) = harness.replica().await;
    let channels = [harness.channel.clone(), service.in_memory_channel()];
    let callers = (0..4usize).map(|caller| {
        let channel = channels[caller % 2].clone();
        let mut ids = ids.clone();
        ids.rotate_left(caller * 5);
        tokio::spawn(async move {
            let mut client =
                proto::signal_service_client::SignalServiceClient::new(channel).max_encoding_message_size(64 << 20);
            for chunk in ids.chunks(7) {
                let mut signals = Vec::new();
                for id in chunk {
                    for day in 1..=3 {
                        let time = format!("2026-03-0{day}");
                        signals.push(invoice(id, &time, "in-1", InvoiceAction::PaymentFailed));
                        signals.push(crate::harness::usage(id, &time, "emails", 1));
                        let seats = proto::SeatChange { seats: day };
                        signals.push(lifecycle(id, &time, Change::SeatChange(seats)));
                    }
                }
                let request = proto::BatchRecordSignalsRequest { signals, ..Default::default() };
                client.batch_record_signals(request).await.expect("recorded");
            }
        })
    });
    futures::future::try_join_all(callers).await.expect("callers");
    let (first, second) = tokio::join!(harness.try_settle(), other.settle());
    first.expect("due work");
    second.expect("due work");
    let told = told_of(&harness, RiskTriggerKind::PaymentFailed).await;
    // An account's attempts come together: there is nothing to update.
    assert_eq!(told, vec![(Told::Raised, "in-1".to_owned()); 20]);
    for id in &ids {
        assert_eq!(get(&harness, id).await.expect("the account").seats, Some(3), "{id}");
    }
}

#[tokio::test]
async fn r185_billing_conditions_are_told_with_the_call_that_records_them() {
    let mut harness = acme().await;
    harness.record(vec![invoice("acme", "2026-03-01", "in-1", InvoiceAction::PaymentFailed)]).await;
    harness.record(vec![dispute("acme", "2026-03-01", "d-1", DisputeAction::Opened)]).await;
    // Nothing worked since: it is there as soon as the call is answered.
    let sql = "SELECT count(*) FROM scoring.outbox WHERE event_type = 'mainstay.scoring.v1.RiskTriggerRaised'";
    let told: i64 = sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count");
    assert_eq!(told, 2);
}

#[tokio::test]
async fn stories_recorded_twice_by_request_id_are_told_once() {
    let harness = acme().await;
    harness.settle().await;
    let call = async |request_id: String, content: usize| {
        let signals =
            vec![invoice("acme", "2026-03-01", &format!("in-{content}-{request_id}"), InvoiceAction::Overdue)];
        let request = proto::BatchRecordSignalsRequest { signals, request_id, ..Default::default() };
        harness.signals.clone().batch_record_signals(request).await.map(tonic::Response::into_inner)
    };
    let count = async || {
        let sql = "SELECT count(*) FROM scoring.outbox WHERE event_type = 'mainstay.scoring.v1.RiskTriggerRaised'";
        let count: i64 = sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count");
        count.unsigned_abs()
    };
    idempotency::assert_repeatable(call, count).await;
}

#[tokio::test]
async fn checking_only_makes_no_story() {
    let mut harness = acme().await;
    let signals = vec![invoice("acme", "2026-03-01", "in-1", InvoiceAction::Overdue)];
    let request = proto::BatchRecordSignalsRequest { signals, validate_only: true, ..Default::default() };
    assert_eq!(harness.signals.batch_record_signals(request).await.expect("an answer").into_inner().recorded_count, 1);
    assert_eq!(risk_events(&harness).await, []);
}

#[tokio::test]
async fn r65_r75_signals_of_tickets_billing_and_contracts_are_listed_as_they_were_sent() {
    let mut harness = acme().await;
    let mut long = ticket("acme", "2026-03-03", "t-1", TicketAction::Opened, TicketPriority::High);
    if let Some(Payload::Ticket(ticket)) = &mut long.payload {
        ticket.text = "ä".repeat(20_000);
        ticket.subject = "Nothing works".to_owned();
        ticket.satisfaction = Some(1);
    }
    let mut bill = invoice("acme", "2026-03-02", "in-1", InvoiceAction::Issued);
    if let Some(Payload::Invoice(invoice)) = &mut bill.payload {
        invoice.amount = Some(Money { currency_code: "JPY".to_owned(), minor_units: 0 });
        invoice.due_time = Some(prost_types::Timestamp { seconds: 7, nanos: 1_000 });
    }
    let sent = vec![
        crate::risk_fixtures::churn("acme", "2026-03-04"),
        long,
        bill,
        dispute("acme", "2026-03-01", "d-1", DisputeAction::Opened),
    ];
    harness.record(sent.clone()).await;
    let list = async |kinds: Vec<i32>| {
        let request = proto::ListSignalsRequest { parent: "accounts/acme".to_owned(), kinds, ..Default::default() };
        let page = harness.signals.clone().list_signals(request).await.expect("signals").into_inner();
        page.signals.into_iter().map(|one| proto::Signal { record_time: None, ..one }).collect::<Vec<_>>()
    };
    assert_eq!(list(Vec::new()).await, sent);
    for (kind, place) in [(8, 0), (5, 1), (6, 2), (7, 3)] {
        assert_eq!(list(vec![kind]).await, [sent[place].clone()], "kind {kind}");
    }
}

#[tokio::test]
async fn every_fault_of_a_story_signal_is_named() {
    let harness = acme().await;
    let contract = |change| Payload::Lifecycle(proto::LifecycleSignal { change });
    let bad = vec![
        Payload::Ticket(proto::TicketSignal {
            ticket_id: String::new(),
            action: 0,
            priority: 9,
            subject: "x".repeat(501),
            text: "x".repeat(20_001),
            requester_email: "x".repeat(255),
            satisfaction: Some(6),
            first_response_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
            sentiment: Some(f64::NAN),
            open: false,
        }),
        Payload::Invoice(proto::InvoiceSignal {
            invoice_id: "x".repeat(129),
            action: 6,
            amount: Some(Money { currency_code: "EUR".to_owned(), minor_units: -1 }),
            due_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
            failure_reason: "a\0b".to_owned(),
        }),
        Payload::Dispute(proto::DisputeSignal {
            dispute_id: "\n".to_owned(),
            action: 3,
            invoice_id: "x".repeat(129),
            amount: Some(Money { currency_code: "eur".to_owned(), minor_units: 1 }),
            reason: "x".repeat(501),
        }),
        Payload::SurveyAnswer(proto::SurveyAnswerSignal {
            question: proto::SurveyQuestion::Csat.into(),
            score: 6,
            contact_id: "x".repeat(129),
            comment: "x".repeat(20_001),
        }),
        Payload::SurveyAnswer(proto::SurveyAnswerSignal::default()),
        contract(None),
        contract(Some(Change::Milestone(proto::Milestone { milestone: "A b".to_owned() }))),
        contract(Some(Change::Renewal(proto::Renewal { renewal_time: None }))),
        contract(Some(Change::Renewal(proto::Renewal {
            renewal_time: Some(prost_types::Timestamp { seconds: at("2026-03-01").timestamp(), nanos: 0 }),
        }))),
        contract(Some(Change::Churn(proto::Churn { reason: "x".repeat(501) }))),
        contract(Some(Change::SeatChange(proto::SeatChange { seats: 1_000_000_001 }))),
        contract(Some(Change::PlanChange(proto::PlanChange::default()))),
        contract(Some(Change::PlanChange(proto::PlanChange {
            plan: "x".repeat(101),
            arr: Some(Money { currency_code: "EUR".to_owned(), minor_units: 10_000_000_000_001 }),
            direction: 4,
        }))),
    ];
    let signals = (0..)
        .zip(bad)
        .map(|(number, payload)| proto::Signal {
            source_id: format!("bad-{number}"),
            ..signal("acme", "2026-03-01", payload)
        })
        .collect();
    let request = proto::BatchRecordSignalsRequest { signals, ..Default::default() };
    let status = harness.signals.clone().batch_record_signals(request).await.expect_err("a refusal");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        violated_fields(&status),
        [
            "signals[0].ticket.action",
            "signals[0].ticket.priority",
            "signals[0].ticket.first_response_time",
            "signals[0].ticket.ticket_id",
            "signals[0].ticket.subject",
            "signals[0].ticket.text",
            "signals[0].ticket.requester_email",
            "signals[0].ticket.satisfaction",
            "signals[0].ticket.sentiment",
            "signals[1].invoice.action",
            "signals[1].invoice.due_time",
            "signals[1].invoice.invoice_id",
            "signals[1].invoice.amount.minor_units",
            "signals[1].invoice.failure_reason",
            "signals[2].dispute.action",
            "signals[2].dispute.amount.currency_code",
            "signals[2].dispute.dispute_id",
            "signals[2].dispute.invoice_id",
            "signals[2].dispute.reason",
            "signals[3].survey_answer.score",
            "signals[3].survey_answer.contact_id",
            "signals[3].survey_answer.comment",
            "signals[4].survey_answer.question",
            "signals[5].lifecycle.change",
            "signals[6].lifecycle.milestone.milestone",
            "signals[7].lifecycle.renewal.renewal_time",
            "signals[8].lifecycle.renewal.renewal_time",
            "signals[9].lifecycle.churn.reason",
            "signals[10].lifecycle.seat_change.seats",
            "signals[11].lifecycle.plan_change",
            "signals[12].lifecycle.plan_change.direction",
            "signals[12].lifecycle.plan_change.plan",
            "signals[12].lifecycle.plan_change.arr.minor_units",
        ]
    );
}
