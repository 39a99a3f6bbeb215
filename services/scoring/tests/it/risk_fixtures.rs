//! What the tests of stories and risk triggers share.

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use mainstay_api::mainstay::events::v1::{Event, SubscribeRequest};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::risk_trigger_service_client::RiskTriggerServiceClient;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use prost::{Message, Name};

use crate::harness::{Harness, signal};

/// What became of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Raised,
    Updated,
    Cleared,
}

/// All events of some types so far, in their order.
async fn events(harness: &Harness, types: Vec<String>) -> Vec<Event> {
    harness.settle().await;
    let request = SubscribeRequest { types, until_now: true, ..Default::default() };
    let answers = harness.feed.clone().subscribe(request).await.expect("the feed").into_inner();
    let answers: Vec<_> = answers.try_collect().await.expect("events");
    answers.into_iter().flat_map(|answer| answer.events).collect()
}

fn decode<M: Message + Default>(event: &Event) -> M {
    M::decode(event.payload.as_ref().expect("a payload").value.as_slice()).expect("a payload of its type")
}

/// All events of one type so far, with the time at which they happened.
pub(crate) async fn events_of<M: Message + Name + Default>(harness: &Harness) -> Vec<(DateTime<Utc>, M)> {
    let time = |event: &Event| {
        let time = event.event_time.expect("a time");
        DateTime::from_timestamp(time.seconds, 0).expect("a time")
    };
    events(harness, vec![M::full_name()]).await.iter().map(|event| (time(event), decode(event))).collect()
}

/// All that was told of conditions so far.
pub(crate) async fn risk_events(harness: &Harness) -> Vec<(Told, proto::RiskTrigger)> {
    let types = [
        proto::RiskTriggerRaised::full_name(),
        proto::RiskTriggerUpdated::full_name(),
        proto::RiskTriggerCleared::full_name(),
    ];
    let told = events(harness, types.to_vec()).await;
    told.iter()
        .map(|event| {
            let (told, trigger) = if event.r#type == types[0] {
                (Told::Raised, decode::<proto::RiskTriggerRaised>(event).trigger)
            } else if event.r#type == types[1] {
                (Told::Updated, decode::<proto::RiskTriggerUpdated>(event).trigger)
            } else {
                (Told::Cleared, decode::<proto::RiskTriggerCleared>(event).trigger)
            };
            let trigger = trigger.expect("a trigger");
            assert_eq!(event.account, trigger.account);
            (told, trigger)
        })
        .collect()
}

/// What was told of the conditions of one kind, with their subjects.
pub(crate) async fn told_of(harness: &Harness, kind: proto::RiskTriggerKind) -> Vec<(Told, String)> {
    let told = risk_events(harness).await;
    told.into_iter()
        .filter(|(_, trigger)| trigger.kind() == kind)
        .map(|(told, trigger)| (told, trigger.subject))
        .collect()
}

/// The same, for a kind of which an account as a whole has one.
pub(crate) async fn told_of_account(harness: &Harness, id: &str, kind: proto::RiskTriggerKind) -> Vec<Told> {
    let account = format!("accounts/{id}");
    let told = risk_events(harness).await;
    told.into_iter()
        .filter(|(_, trigger)| trigger.kind() == kind && trigger.account == account)
        .map(|(told, _)| told)
        .collect()
}

/// A client of the service that shows them.
pub(crate) fn client(harness: &Harness) -> RiskTriggerServiceClient<tonic::transport::Channel> {
    RiskTriggerServiceClient::new(harness.channel.clone())
}

/// Those that last, newest first.
pub(crate) async fn lasting(harness: &Harness, id: &str) -> Vec<proto::RiskTrigger> {
    let request =
        proto::ListRiskTriggersRequest { account: format!("accounts/{id}"), lasting_only: true, ..Default::default() };
    client(harness).list_risk_triggers(request).await.expect("a list").into_inner().risk_triggers
}

/// Something happened to a ticket.
pub(crate) fn ticket(
    id: &str,
    time: &str,
    ticket_id: &str,
    action: proto::TicketAction,
    priority: proto::TicketPriority,
) -> proto::Signal {
    let payload = proto::TicketSignal {
        ticket_id: ticket_id.to_owned(),
        action: action.into(),
        priority: priority.into(),
        ..Default::default()
    };
    story_signal(id, time, ticket_id, action.as_str_name(), Payload::Ticket(payload))
}

/// Something happened to an invoice.
pub(crate) fn invoice(id: &str, time: &str, invoice_id: &str, action: proto::InvoiceAction) -> proto::Signal {
    let payload =
        proto::InvoiceSignal { invoice_id: invoice_id.to_owned(), action: action.into(), ..Default::default() };
    story_signal(id, time, invoice_id, action.as_str_name(), Payload::Invoice(payload))
}

/// Something happened to a dispute.
pub(crate) fn dispute(id: &str, time: &str, dispute_id: &str, action: proto::DisputeAction) -> proto::Signal {
    let payload =
        proto::DisputeSignal { dispute_id: dispute_id.to_owned(), action: action.into(), ..Default::default() };
    story_signal(id, time, dispute_id, action.as_str_name(), Payload::Dispute(payload))
}

/// Something happened to a contract.
pub(crate) fn lifecycle(id: &str, time: &str, change: proto::lifecycle_signal::Change) -> proto::Signal {
    let number = match &change {
        proto::lifecycle_signal::Change::SeatChange(change) => change.seats.to_string(),
        _ => String::new(),
    };
    let payload = proto::LifecycleSignal { change: Some(change) };
    story_signal(id, time, "lifecycle", &number, Payload::Lifecycle(payload))
}

/// The customer left.
pub(crate) fn churn(id: &str, time: &str) -> proto::Signal {
    lifecycle(id, time, proto::lifecycle_signal::Change::Churn(proto::Churn { reason: "price".to_owned() }))
}

/// A signal whose id is made of its time, its story and what happened.
fn story_signal(id: &str, time: &str, story: &str, action: &str, payload: Payload) -> proto::Signal {
    let mut one = signal(id, time, payload);
    one.source_id = format!("{story}/{action}/{time}");
    one
}
