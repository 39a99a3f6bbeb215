//! Webhooks of vendors, over real HTTP.

use chrono::TimeDelta;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_domain::Clock;
use mainstay_testkit::TestDatabase;
use mainstay_testkit::browser::send;
use serde_json::{Value, json};

use crate::harness::at;
use crate::webhook_receiver::{Receiver, STRIPE_SECRET, assert_outcome, body, event, payload};

#[tokio::test]
async fn r185_an_event_counts_once_however_often_it_is_delivered() {
    let receiver = Receiver::start().await;
    let customer = payload("stripe/customer_created");
    assert_outcome(&receiver.stripe(&customer).await, 200, "recorded");
    assert_eq!(receiver.account("acme").await.map(|account| account.display_name).as_deref(), Some("Jenny Rosen"));
    assert_outcome(&receiver.stripe(&customer).await, 200, "duplicate");

    let failed = payload("stripe/invoice_payment_failed_2024");
    let deliveries = (0..8).map(|_| receiver.stripe(&failed));
    let outcomes: Vec<Value> =
        futures::future::join_all(deliveries).await.iter().map(|answer| body(answer)["outcome"].clone()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "recorded").count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "duplicate").count(), 7, "{outcomes:?}");
    assert_eq!(receiver.signals("acme").await.len(), 1);
    assert_eq!(receiver.risks("acme").await, [(proto::RiskTriggerKind::PaymentFailed, 1)]);
}

#[tokio::test]
async fn r185_the_order_of_deliveries_does_not_matter() {
    let receiver = Receiver::start().await;
    receiver.create("in-order").await;
    receiver.create("reversed").await;
    for (id, is_reversed) in [("in-order", false), ("reversed", true)] {
        let own = |event_id: &str| format!("{event_id}_{id}");
        let mut events = vec![
            event("stripe/invoice_finalized", &own("evt_1"), "invoice.finalized", 1_680_644_470, id),
            event("stripe/invoice_payment_failed", &own("evt_2"), "invoice.payment_failed", 1_680_648_070, id),
            event("stripe/invoice_paid", &own("evt_3"), "invoice.paid", 1_680_900_000, id),
            event("stripe/dispute_created", &own("evt_4"), "charge.dispute.created", 1_680_900_100, id),
            event("stripe/subscription_updated", &own("evt_5"), "customer.subscription.updated", 1_680_900_200, id),
            event("stripe/subscription_updated", &own("evt_6"), "customer.subscription.updated", 1_680_900_300, id),
        ];
        events[5]["data"]["object"]["items"]["data"][0]["quantity"] = json!(20);
        events[5]["data"]["object"]["items"]["data"][0]["price"]["lookup_key"] = json!("enterprise_yearly");
        if is_reversed {
            events.reverse();
        }
        for event in &events {
            assert_eq!(receiver.stripe(event).await.status, 200);
        }
        let account = receiver.account(id).await.expect("an account");
        assert_eq!((account.seats, account.plan.as_str()), (Some(20), "enterprise_yearly"), "{id}");
        // Paid for good, whatever came after; the dispute is open.
        assert_eq!(receiver.risks(id).await, [(proto::RiskTriggerKind::BillingDispute, 1)], "{id}");
    }
}

#[tokio::test]
async fn r185_a_forged_or_old_delivery_changes_nothing() {
    let receiver = Receiver::start().await;
    receiver.create("acme").await;
    let failed = payload("stripe/invoice_payment_failed_2024");
    let now = receiver.clock.now();
    let old = receiver.stripe_signed(&failed, STRIPE_SECRET, now - TimeDelta::seconds(301)).await;
    assert_outcome(&old, 401, "forged");
    assert_eq!(old.header("content-type"), "application/problem+json");
    assert_outcome(&receiver.stripe_signed(&failed, "whsec_other", now).await, 401, "forged");
    assert_outcome(&send(receiver.admin, "POST", "/webhooks/stripe", &[], &failed.to_string()).await, 401, "forged");
    // What is not even JSON is not parsed before it is believed.
    let header = [("Stripe-Signature", "t=1,v1=00")];
    assert_outcome(&send(receiver.admin, "POST", "/webhooks/stripe", &header, "{").await, 401, "forged");
    assert_eq!(receiver.signals("acme").await, []);

    // A delivery that somebody recorded, and sends again when it is too old.
    let signed_at = receiver.clock.now();
    assert_outcome(&receiver.stripe_signed(&failed, STRIPE_SECRET, signed_at).await, 200, "recorded");
    receiver.clock.set(at("2023-05-01T00:06:00Z"));
    assert_outcome(&receiver.stripe_signed(&failed, STRIPE_SECRET, signed_at).await, 401, "forged");
    assert_eq!(receiver.signals("acme").await.len(), 1);
    // The secret before is taken while one is exchanged for another.
    assert_outcome(&receiver.stripe_signed(&failed, "older", receiver.clock.now()).await, 200, "duplicate");
}

/// Lago's id of a delivery is a header that nothing signs.
#[tokio::test]
async fn r185_what_was_recorded_of_lago_is_a_duplicate_under_whatever_id_it_is_sent_again() {
    let receiver = Receiver::start().await;
    receiver.create("5eb02857").await;
    let failed = payload("lago/invoice_payment_failure");
    assert_outcome(&receiver.lago(&failed, "first").await, 200, "recorded");
    receiver.clock.set(at("2023-05-02T00:00:00Z"));
    assert_outcome(&receiver.lago(&failed, "made-up").await, 200, "duplicate");
    assert_eq!(receiver.risks("5eb02857").await, [(proto::RiskTriggerKind::PaymentFailed, 1)]);
}

#[tokio::test]
async fn an_account_that_comes_later_is_waited_for() {
    let receiver = Receiver::start().await;
    let failed = payload("stripe/invoice_payment_failed_2024");
    let unknown = receiver.stripe(&failed).await;
    assert_outcome(&unknown, 503, "unknown_account");
    assert_eq!(unknown.header("retry-after"), "30");
    assert!(unknown.body.contains("accounts/acme does not exist"), "{}", unknown.body);
    let plan = event("stripe/subscription_updated", "evt_1", "customer.subscription.updated", 1_680_900_200, "acme");
    assert_outcome(&receiver.stripe(&plan).await, 503, "unknown_account");
    assert!(receiver.account("acme").await.is_none());

    receiver.create("acme").await;
    assert_outcome(&receiver.stripe(&failed).await, 200, "recorded");
    assert_outcome(&receiver.stripe(&plan).await, 200, "recorded");
    let archive = proto::ArchiveAccountRequest { name: "accounts/acme".to_owned(), ..Default::default() };
    AccountServiceClient::new(receiver.channel.clone()).archive_account(archive).await.expect("archived");
    let late = event("stripe/invoice_payment_failed", "evt_2", "invoice.payment_failed", 1_680_900_300, "acme");
    assert_outcome(&receiver.stripe(&late).await, 200, "ignored");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_field() {
    let receiver = Receiver::start().await;
    receiver.create("acme").await;
    let mut malformed = payload("stripe/invoice_payment_failed_2024");
    malformed["data"]["object"]["amount_due"] = json!("much");
    let refused = receiver.stripe(&malformed).await;
    assert_outcome(&refused, 400, "malformed");
    assert_eq!(body(&refused)["errors"][0]["field"], "data.object.amount_due");
    let mut ahead = payload("stripe/invoice_payment_failed_2024");
    ahead["created"] = json!(at("2023-05-03T00:00:00Z").timestamp());
    let refused = receiver.stripe(&ahead).await;
    assert_outcome(&refused, 400, "malformed");
    assert_eq!(body(&refused)["errors"][0]["field"], "event_time");

    let mut paid_out = payload("stripe/charge_refunded");
    paid_out["type"] = json!("payout.paid");
    let paid_out = receiver.stripe(&paid_out).await;
    assert_outcome(&paid_out, 200, "ignored");
    assert_eq!(body(&paid_out)["reason"], "the event `payout.paid` says nothing that scoring takes");
    for unknown in ["/webhooks/tickets", "/webhooks/x"] {
        assert_outcome(&send(receiver.admin, "POST", unknown, &[], "{}").await, 404, "not_configured");
    }
    assert_eq!(send(receiver.admin, "GET", "/webhooks/stripe", &[], "").await.status, 405);
    let long = "x".repeat(3 << 20);
    assert_outcome(&send(receiver.admin, "POST", "/webhooks/stripe", &[], &long).await, 413, "too_long");
    assert_eq!(send(receiver.admin, "GET", "/livez", &[], "").await.status, 200, "the port serves what it served");
}

/// As after a failover to a replica that is not promoted yet, and after its promotion.
async fn set_read_only(database: &TestDatabase, is_read_only: bool) {
    let mut connection = database.pool().acquire().await.expect("a connection");
    let of_this = "SET default_transaction_read_only = off";
    sqlx::raw_sql(of_this).execute(&mut *connection).await.expect("set");
    let name: String =
        sqlx::query_scalar("SELECT current_database()").fetch_one(&mut *connection).await.expect("a name");
    let change = format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = {is_read_only}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(change)).execute(&mut *connection).await.expect("altered");
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::raw_sql(others).execute(&mut *connection).await.expect("ended");
}

#[tokio::test]
async fn while_the_database_takes_no_writes_the_vendor_is_asked_to_come_again() {
    let receiver = Receiver::start().await;
    receiver.create("acme").await;
    let failed = payload("stripe/invoice_payment_failed_2024");
    set_read_only(&receiver.database, true).await;
    for _ in 0..2 {
        let answer = receiver.stripe(&failed).await;
        assert_outcome(&answer, 503, "unavailable");
        assert_eq!(answer.header("retry-after"), "30");
    }
    set_read_only(&receiver.database, false).await;
    // The vendor comes again; connections that were ended are noticed one by one.
    let mut answer = receiver.stripe(&failed).await;
    for _ in 0..20 {
        if answer.status == 503 {
            answer = receiver.stripe(&failed).await;
        }
    }
    assert_outcome(&answer, 200, "recorded");
    assert_eq!(receiver.signals("acme").await.len(), 1);
}

#[tokio::test]
async fn r53_calls_of_segment_are_taken_in_and_the_newest_of_an_account_counts() {
    let receiver = Receiver::start().await;
    let group = payload("segment/group");
    let id = "0e8c78ea9d97a7b8185e8632";
    let all = json!([group, payload("segment/track"), payload("segment/identify")]);
    let taken = receiver.segment(&all).await;
    assert_outcome(&taken, 200, "recorded");
    assert_eq!((&body(&taken)["recorded"], &body(&taken)["accounts"]["created"]), (&json!(2), &json!(1)));
    assert_outcome(&receiver.segment(&all).await, 200, "duplicate");

    let mut older = group.clone();
    older["messageId"] = json!("older");
    older["timestamp"] = json!("2015-12-09T00:00:00Z");
    older["traits"]["name"] = json!("Initech before");
    assert_outcome(&receiver.segment(&older).await, 200, "duplicate");
    let mut newer = payload("segment/identify");
    newer["messageId"] = json!("newer");
    newer["userId"] = json!("milton");
    newer["traits"] = json!({"name": "Milton Waddams"});
    assert_outcome(&receiver.segment(&newer).await, 200, "recorded");
    let account = receiver.account(id).await.expect("an account");
    assert_eq!((account.display_name.as_str(), account.plan.as_str()), ("Initech", "enterprise"));
    let people: Vec<&str> = account.contacts.iter().map(|contact| contact.display_name.as_str()).collect();
    assert_eq!(people, ["Peter Gibbons", "Milton Waddams"]);

    // Of a list what can be recorded is, and the vendor comes again for the rest.
    let mut known = payload("segment/page");
    known["messageId"] = json!("known");
    let mut unknown = known.clone();
    unknown["messageId"] = json!("unknown");
    unknown["context"]["groupId"] = json!("nobody");
    assert_outcome(&receiver.segment(&json!([unknown, known])).await, 503, "unknown_account");
    assert_eq!(receiver.signals(id).await.len(), 3);
    receiver.create("gone").await;
    let archive = proto::ArchiveAccountRequest { name: "accounts/gone".to_owned(), ..Default::default() };
    AccountServiceClient::new(receiver.channel.clone()).archive_account(archive).await.expect("archived");
    let mut of_gone = payload("segment/identify");
    of_gone["context"]["groupId"] = json!("gone");
    let mut other = payload("segment/page");
    other["messageId"] = json!("other");
    assert_outcome(&receiver.segment(&json!([of_gone, other])).await, 200, "recorded");
    assert_outcome(&receiver.segment(&json!([of_gone])).await, 200, "ignored");
    assert_eq!(receiver.signals(id).await.len(), 4);
}

#[tokio::test]
async fn what_counts_is_the_body_and_not_what_the_headers_call_it() {
    let receiver = Receiver::start().await;
    let customer = payload("stripe/customer_created").to_string();
    let header = receiver.stripe_signature(&customer);
    let headers = [("Stripe-Signature", header.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    assert_outcome(&send(receiver.admin, "POST", "/webhooks/stripe", &headers, &customer).await, 200, "recorded");
    // A signature belongs to its body: not to a longer one, and to none of another vendor.
    let longer = format!("{customer} ");
    assert_outcome(&send(receiver.admin, "POST", "/webhooks/stripe", &headers, &longer).await, 401, "forged");
    assert_outcome(&send(receiver.admin, "POST", "/webhooks/segment", &headers, &customer).await, 401, "forged");
    let form = "payload=%7B%7D";
    let header = receiver.stripe_signature(form);
    let headers = [("Stripe-Signature", header.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    assert_outcome(&send(receiver.admin, "POST", "/webhooks/stripe", &headers, form).await, 400, "malformed");
    let deep = "[".repeat(100_000);
    let header = receiver.stripe_signature(&deep);
    let headers = [("Stripe-Signature", header.as_str())];
    assert_outcome(&send(receiver.admin, "POST", "/webhooks/stripe", &headers, &deep).await, 400, "malformed");
}
