//! What triggers of Zendesk send, over real HTTP.

use chrono::TimeDelta;
use mainstay_adapters::Vendor;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::Clock;
use mainstay_testkit::browser::send;
use proto::RiskTriggerKind;
use serde_json::{Value, json};

use crate::harness::at;
use crate::webhook_receiver::{Receiver, ZENDESK_SECRET, assert_outcome, body, payload};

/// The ticket as a trigger tells it, to the minute.
fn trigger(status: &str, updated_at: &str) -> Value {
    let mut trigger = payload("zendesk/trigger");
    trigger["status"] = json!(status);
    trigger["text"] = json!("");
    trigger["updated_at"] = json!(updated_at);
    trigger
}

/// Its story: solved, back again, and solved for good.
fn triggers() -> Vec<Value> {
    let mut wrote = trigger("Open", "2023-04-29T10:00Z");
    wrote["text"] = json!("It still burns, and we are really frustrated!");
    let mut rated = trigger("Solved", "2023-04-30T08:00Z");
    rated["satisfaction"] = json!("Good");
    vec![
        trigger("New", "2023-04-29T09:00Z"),
        wrote,
        trigger("Solved", "2023-04-29T11:00Z"),
        trigger("Open", "2023-04-29T15:00Z"),
        rated,
    ]
}

async fn receiver() -> Receiver {
    let receiver = Receiver::start().await;
    receiver.create("acme").await;
    receiver
}

/// All that is known of the ticket.
async fn story(receiver: &Receiver) -> Value {
    let sql = "SELECT state FROM scoring.stories WHERE account_id = 'acme' AND story_id = 'zendesk-35436'";
    sqlx::query_scalar(sql).fetch_one(receiver.database.pool()).await.expect("a story")
}

#[tokio::test]
async fn r190_a_trigger_is_taken_in_once_however_often_it_is_delivered() {
    let receiver = receiver().await;
    let open = trigger("Open", "2023-04-29T10:00Z");
    assert_outcome(&receiver.zendesk(&open).await, 200, "recorded");
    let known = story(&receiver).await;
    receiver.clock.set(at("2023-05-01T01:00:00Z"));
    assert_outcome(&receiver.zendesk(&open).await, 200, "duplicate");
    // The secret before is taken while one is exchanged for another.
    let now = receiver.clock.now();
    assert_outcome(&receiver.zendesk_signed(&open.to_string(), "older", now).await, 200, "duplicate");
    assert_eq!(receiver.signals("acme").await.len(), 1);
    assert_eq!(story(&receiver).await, known);
    assert_eq!(receiver.risks("acme").await, [(RiskTriggerKind::TicketUrgent, 1)]);
}

#[tokio::test]
async fn r190_a_trigger_that_is_forged_or_too_old_changes_nothing() {
    let receiver = receiver().await;
    let open = trigger("Open", "2023-04-29T10:00Z").to_string();
    let now = receiver.clock.now();
    assert_outcome(&receiver.zendesk_signed(&open, "another_secret", now).await, 401, "forged");
    let old = now - TimeDelta::seconds(301);
    assert_outcome(&receiver.zendesk_signed(&open, ZENDESK_SECRET, old).await, 401, "forged");
    assert_outcome(&send(receiver.admin, "POST", "/webhooks/zendesk", &[], &open).await, 401, "forged");
    let unsigned = [("X-Zendesk-Webhook-Signature-Timestamp", "2023-05-01T00:00:00Z")];
    assert_outcome(&send(receiver.admin, "POST", "/webhooks/zendesk", &unsigned, &open).await, 401, "forged");
    assert_eq!(receiver.signals("acme").await, []);
}

#[tokio::test]
async fn r190_a_ticket_that_comes_back_after_it_was_solved_is_open_again() {
    let receiver = receiver().await;
    let mut risks = Vec::new();
    for trigger in &triggers() {
        assert_outcome(&receiver.zendesk(trigger).await, 200, "recorded");
        let urgent = receiver.risks("acme").await;
        risks.push(urgent.iter().filter(|(kind, _)| *kind == RiskTriggerKind::TicketUrgent).count());
    }
    assert_eq!(risks, [1, 1, 0, 1, 0]);
}

#[tokio::test]
async fn r190_the_order_of_triggers_does_not_matter_to_story_and_health() {
    let mut known = Vec::new();
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 0, 3, 1]] {
        // The last but one as long as the ticket is open, then all.
        for last in [4, 5] {
            let receiver = receiver().await;
            for place in order.into_iter().filter(|place| *place < last) {
                assert_outcome(&receiver.zendesk(&triggers()[place]).await, 200, "recorded");
            }
            let (story, risks) = (story(&receiver).await, receiver.risks("acme").await);
            let mut scoring = receiver.end().await;
            scoring.settle().await;
            let health = scoring.health_of("acme", "").await;
            known.push((last, story, risks, health.score.expect("a score"), health.components));
        }
    }
    let (open, solved): (Vec<_>, Vec<_>) = known.into_iter().partition(|(last, ..)| *last == 4);
    assert!(open.windows(2).chain(solved.windows(2)).all(|pair| pair[0] == pair[1]), "{open:#?} {solved:#?}");
    assert!(open[0].3 < solved[0].3, "an urgent ticket weighs on health while it is open");
}

#[tokio::test]
async fn r190_a_trigger_without_a_time_is_told_what_to_add() {
    let receiver = receiver().await;
    let mut timeless = trigger("Solved", "");
    let refused = receiver.zendesk(&timeless).await;
    assert_outcome(&refused, 400, "malformed");
    let fault = &body(&refused)["errors"][0];
    assert_eq!(fault["field"], "updated_at");
    assert!(fault.to_string().contains("{{ticket.updated_at_with_timestamp}}"), "{fault}");
    timeless["updated_at"] = json!("2023-04-29T10:00Z");
    assert_outcome(&receiver.zendesk(&timeless).await, 200, "recorded");
}

#[tokio::test]
async fn a_vendor_without_a_secret_is_believed_nothing() {
    let receiver = Receiver::start_for(&[Vendor::Stripe]).await;
    receiver.create("acme").await;
    assert_outcome(&receiver.zendesk(&trigger("Open", "2023-04-29T10:00Z")).await, 404, "not_configured");
    assert_outcome(&receiver.lago(&payload("lago/invoice_payment_failure"), "first").await, 404, "not_configured");
    assert_eq!(receiver.signals("acme").await, []);
}
