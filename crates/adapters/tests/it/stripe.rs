//! What payloads of Stripe become.

use mainstay_adapters::{Adapter, News, Outcome, Vendor};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{
    Churn, CreditKind, CreditSignal, DisputeAction, DisputeSignal, InvoiceAction, InvoiceSignal, PlanChange,
    PlanChangeDirection, Renewal, SeatChange,
};
use prost_types::Timestamp;
use serde_json::{Value, json};

use crate::{at, faults, fixture, ignored, mapped, news, payload_of, signal, time_of, with};

#[expect(clippy::unnecessary_wraps, reason = "it is compared with amounts that may be absent")]
pub(crate) fn money(code: &str, minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: code.to_owned(), minor_units })
}

fn invoice(payload: &Value) -> InvoiceSignal {
    match payload_of(signal(Vendor::Stripe, payload)) {
        Payload::Invoice(invoice) => invoice,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn lifecycle(payload: Payload) -> Change {
    match payload {
        Payload::Lifecycle(lifecycle) => lifecycle.change.expect("a change"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn r185_an_invoice_is_issued_when_it_is_finalized() {
    let told = signal(Vendor::Stripe, &fixture("stripe/invoice_finalized"));
    assert_eq!(
        (told.account.as_str(), told.source.as_str(), told.source_id.as_str()),
        ("accounts/cus_NeZwdNtLEOXuvB", "stripe", "evt_1MtHbFLkdIwHu7ixFinal")
    );
    assert_eq!(time_of(&told), at("2023-04-04T21:41:10Z"));
    let expected = InvoiceSignal {
        invoice_id: "in_1MtHbELkdIwHu7ixl4OzzPMv".to_owned(),
        action: InvoiceAction::Issued.into(),
        amount: money("USD", 2_000),
        due_time: Some(Timestamp { seconds: 1_683_236_470, nanos: 0 }),
        failure_reason: String::new(),
    };
    assert_eq!(payload_of(told), Payload::Invoice(expected));
    let draft = with(fixture("stripe/invoice_finalized"), "/type", json!("invoice.created"));
    assert_eq!(invoice(&draft).action(), InvoiceAction::Issued);
    let draft = with(draft, "/data/object/status", json!("draft"));
    assert!(ignored(Vendor::Stripe, &draft).contains("draft"));
}

#[test]
fn r185_what_becomes_of_an_invoice_is_told() {
    let failed = invoice(&fixture("stripe/invoice_payment_failed"));
    assert_eq!(failed.action(), InvoiceAction::PaymentFailed);
    assert_eq!(failed.failure_reason, "attempt 1 failed; the next is planned for 2023-04-07T22:41:10Z");
    let last = with(fixture("stripe/invoice_payment_failed"), "/data/object/next_payment_attempt", Value::Null);
    assert_eq!(invoice(&last).failure_reason, "attempt 1 failed; no further attempt is planned");
    for (kind, action) in [
        ("invoice.paid", InvoiceAction::Paid),
        ("invoice.payment_succeeded", InvoiceAction::Paid),
        ("invoice.overdue", InvoiceAction::Overdue),
        ("invoice.voided", InvoiceAction::Voided),
        ("invoice.marked_uncollectible", InvoiceAction::Voided),
    ] {
        assert_eq!(invoice(&with(fixture("stripe/invoice_paid"), "/type", json!(kind))).action(), action, "{kind}");
    }
}

#[test]
fn events_of_older_versions_are_read_and_metadata_names_the_account() {
    let told = signal(Vendor::Stripe, &fixture("stripe/invoice_payment_failed_2024"));
    assert_eq!(told.account, "accounts/acme");
    let Payload::Invoice(failed) = payload_of(told) else { panic!("an invoice") };
    assert_eq!(failed.amount, money("JPY", 5_000), "yen have no minor unit");

    let named = with(fixture("stripe/invoice_paid"), "/data/object/metadata", json!({"crm": "0015g00000XyZ"}));
    let adapter = Adapter { vendor: Vendor::Stripe, account_key: "crm".to_owned() };
    let Ok(Outcome::Mapped(told)) = adapter.map(&named, None) else { panic!("mapped") };
    assert_eq!(told.signals[0].account, "accounts/0015g00000XyZ");

    let details = "/data/object/parent/subscription_details/metadata";
    let of_subscription = with(fixture("stripe/invoice_paid"), details, json!({"mainstay_account": "globex"}));
    assert_eq!(signal(Vendor::Stripe, &of_subscription).account, "accounts/globex");
    let expanded = with(fixture("stripe/invoice_paid"), "/data/object/customer", json!({"id": "cus_1", "name": "A"}));
    assert_eq!(signal(Vendor::Stripe, &expanded).account, "accounts/cus_1");
    let nobody = with(fixture("stripe/invoice_paid"), "/data/object/customer", Value::Null);
    assert_eq!(ignored(Vendor::Stripe, &nobody), "the invoice has no customer");
}

#[test]
fn amounts_are_counted_in_the_minor_units_of_iso_4217() {
    let amount = |currency: &str, amount: i64| {
        let payload = with(fixture("stripe/invoice_paid"), "/data/object/currency", json!(currency));
        invoice(&with(payload, "/data/object/amount_due", json!(amount))).amount
    };
    for (currency, given, expected) in [
        ("eur", 1_099, money("EUR", 1_099)),
        ("krw", 500, money("KRW", 500)),
        ("kwd", 5_120, money("KWD", 5_120)),
        ("isk", 500, money("ISK", 5)),
        ("ugx", 500, money("UGX", 5)),
        ("mga", 5, money("MGA", 500)),
        ("jpy", 500, money("JPY", 500)),
        ("bhd", 5_120, money("BHD", 5_120)),
        // Whole when they are paid out, but not in what is charged.
        ("huf", 1_148_000, money("HUF", 1_148_000)),
        ("twd", 80_000, money("TWD", 80_000)),
        ("eur", -5, None),
        ("isk", -250, None),
        ("mga", i64::MIN, None),
    ] {
        assert_eq!(amount(currency, given), expected, "{currency}");
    }
    let told = |name: &str, field: &str, currency: &str, amount: i64| {
        let payload = with(fixture(name), "/data/object/currency", json!(currency));
        faults(Vendor::Stripe, &with(payload, &format!("/data/object/{field}"), json!(amount)))
    };
    let broken = told("stripe/invoice_paid", "amount_due", "isk", 250);
    assert_eq!(broken, ["data.object.amount_due: 250 is no whole number of ISK, which Stripe sends in hundredths"]);
    let broken = told("stripe/dispute_created", "amount", "ugx", 250);
    assert!(broken[0].starts_with("data.object.amount: 250 is no whole number of UGX"), "{broken:?}");
    let large = told("stripe/invoice_paid", "amount_due", "mga", i64::MAX);
    assert_eq!(large, ["data.object.amount_due: is out of range"]);
}

#[test]
fn r185_a_dispute_is_opened_and_closed_as_its_status_says() {
    let created = fixture("stripe/dispute_created");
    let told = signal(Vendor::Stripe, &created);
    assert_eq!(told.account, "accounts/acme");
    let expected = DisputeSignal {
        dispute_id: "du_1MtJUT2eZvKYlo2CNaw2HvEv".to_owned(),
        action: DisputeAction::Opened.into(),
        invoice_id: String::new(),
        amount: money("USD", 1_000),
        reason: "product_not_received".to_owned(),
    };
    assert_eq!(payload_of(told), Payload::Dispute(expected));
    let closed = with(created.clone(), "/data/object/status", json!("lost"));
    let Payload::Dispute(closed) = payload_of(signal(Vendor::Stripe, &closed)) else { panic!("a dispute") };
    assert_eq!(closed.action(), DisputeAction::Closed);
    let nameless = with(created, "/data/object/metadata", json!({}));
    assert!(ignored(Vendor::Stripe, &nameless).contains("set `mainstay_account` in its metadata"));
}

#[test]
fn a_subscription_tells_seats_plan_and_renewal() {
    let told = mapped(Vendor::Stripe, &fixture("stripe/subscription_updated"));
    let [seats, renewal, plan] = told.signals.as_slice() else { panic!("{told:?}") };
    assert_eq!(told.accounts, []);
    assert_eq!(seats.account, "accounts/cus_Na6dX7aXxi11N4");
    assert_eq!(seats.source_id, "evt_1MowQWLkdIwHu7ixUpdat/seats");
    assert_eq!(lifecycle(payload_of(seats.clone())), Change::SeatChange(SeatChange { seats: 12 }));
    assert_eq!(renewal.source_id, "evt_1MowQWLkdIwHu7ixUpdat/renewal");
    let end = Renewal { renewal_time: Some(Timestamp { seconds: 1_682_288_167, nanos: 0 }) };
    assert_eq!(lifecycle(payload_of(renewal.clone())), Change::Renewal(end));
    assert_eq!(plan.source_id, "evt_1MowQWLkdIwHu7ixUpdat/plan");
    let upgrade = PlanChange {
        plan: "team_monthly".to_owned(),
        arr: money("USD", 144_000),
        direction: PlanChangeDirection::Upgrade.into(),
    };
    assert_eq!(lifecycle(payload_of(plan.clone())), Change::PlanChange(upgrade));
}

/// Stripe tells times in seconds, and often both in the same.
#[test]
fn of_one_second_the_change_of_a_subscription_is_newer_than_its_beginning() {
    let times = |kind: &str| {
        let event = with(fixture("stripe/subscription_updated"), "/type", json!(kind));
        let signals = mapped(Vendor::Stripe, &event).signals;
        signals.iter().map(time_of).collect::<Vec<_>>()
    };
    let (began, changed) = (times("customer.subscription.created"), times("customer.subscription.updated"));
    assert_eq!(changed, [at("2023-03-24T23:20:00Z"); 3]);
    assert_eq!(began, [at("2023-03-24T23:19:59.999999Z"); 3]);
}

#[test]
fn a_subscription_that_does_not_go_on_is_not_renewed() {
    let updated = || fixture("stripe/subscription_updated");
    let renewals = |payload: &Value| {
        let changes = mapped(Vendor::Stripe, payload).signals.into_iter().map(|told| lifecycle(payload_of(told)));
        changes.filter(|change| matches!(change, Change::Renewal(_))).count()
    };
    assert_eq!(renewals(&updated()), 1);
    assert_eq!(renewals(&with(updated(), "/data/object/cancel_at_period_end", json!(true))), 0);
    assert_eq!(renewals(&with(updated(), "/data/object/status", json!("past_due"))), 0);
    assert!(
        ignored(Vendor::Stripe, &with(updated(), "/data/object/status", json!("incomplete"))).contains("incomplete")
    );
    let metered = mapped(Vendor::Stripe, &with(updated(), "/data/object/items/data/0/quantity", Value::Null));
    let has_seats = |told| matches!(lifecycle(payload_of(told)), Change::SeatChange(_));
    assert!(!metered.signals.into_iter().any(has_seats), "what is metered has no seats");
}

#[test]
fn a_subscription_that_ended_is_churn_with_the_reasons_given() {
    let told = signal(Vendor::Stripe, &fixture("stripe/subscription_deleted"));
    assert_eq!(time_of(&told), at("2023-04-23T22:16:07Z"));
    let reason = "cancellation_requested; switched_service; We moved to a tool that our parent company uses".to_owned();
    assert_eq!(lifecycle(payload_of(told)), Change::Churn(Churn { reason }));
}

#[test]
fn a_customer_exists_under_its_name() {
    let told = news(Vendor::Stripe, &fixture("stripe/customer_created"));
    let exists = |display_name: &str| News::Exists(display_name.to_owned());
    assert_eq!((told.account.as_str(), told.news), ("acme", exists("Jenny Rosen")));
    let nameless = with(fixture("stripe/customer_created"), "/data/object/name", json!(" "));
    assert_eq!(news(Vendor::Stripe, &nameless).news, exists("jennyrosen@example.com"));
}

#[test]
fn r185_money_given_back_is_told_once_for_each_time() {
    let whole = signal(Vendor::Stripe, &fixture("stripe/charge_refunded"));
    assert_eq!(whole.account, "accounts/cus_NeZwdNtLEOXuvB");
    let Payload::Credit(refund) = payload_of(whole) else { panic!("a credit") };
    assert_eq!((refund.kind(), refund.amount), (CreditKind::Refund, money("USD", 1_099)));
    let before = |cents: i64| {
        let mut event = fixture("stripe/charge_refunded");
        event["data"]["previous_attributes"] = json!({"amount_refunded": cents, "refunded": false});
        event
    };
    let Payload::Credit(rest) = payload_of(signal(Vendor::Stripe, &before(1_000))) else { panic!("a credit") };
    assert_eq!(rest.amount, money("USD", 99), "the part of before was told before");
    assert!(faults(Vendor::Stripe, &before(1_099))[0].starts_with("data.object.amount_refunded: must be more"));

    let note = signal(Vendor::Stripe, &fixture("stripe/credit_note_created"));
    let expected = CreditSignal {
        kind: CreditKind::CreditNote.into(),
        amount: money("USD", 1_099),
        invoice_id: "in_1MxvRkLkdIwHu7ixABNtI99m".to_owned(),
        reason: "duplicate".to_owned(),
    };
    assert_eq!(payload_of(note), Payload::Credit(expected));
}

#[test]
fn what_says_nothing_to_us_is_ignored_with_the_reason() {
    let other = with(fixture("stripe/charge_refunded"), "/type", json!("payout.paid"));
    assert!(ignored(Vendor::Stripe, &other).contains("`payout.paid`"));
    let thin = json!({"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found"});
    assert!(ignored(Vendor::Stripe, &thin).contains("snapshot"));
}

#[test]
fn what_is_malformed_is_told_with_its_path() {
    let paid = || fixture("stripe/invoice_paid");
    for (pointer, value, told) in [
        ("/created", json!("yesterday"), "created: invalid type"),
        ("/data/object/amount_due", json!("20.00"), "data.object.amount_due: invalid type"),
        ("/data/object/currency", json!("euro"), "data.object.currency: `EURO` is not an ISO 4217"),
        ("/data/object/customer", json!(7), "data.object.customer: an id, or an object"),
        (
            "/data/object/metadata",
            json!({"mainstay_account": "Acme & Co"}),
            "data.object.metadata.mainstay_account: names the account: the id must be",
        ),
        ("/data", json!({}), "data.object: is missing"),
        ("/data/object/due_date", json!(i64::MAX), "data.object.due_date: "),
    ] {
        let faults = faults(Vendor::Stripe, &with(paid(), pointer, value));
        assert!(faults[0].starts_with(told), "{pointer}: {faults:?}");
    }
    assert_eq!(faults(Vendor::Stripe, &json!({"id": "evt_1"})), ["type: is missing"]);
    assert!(faults(Vendor::Stripe, &json!(5))[0].contains("invalid type"));
}

#[test]
fn the_end_of_a_period_is_told_with_the_path_at_which_it_stands() {
    let end = "/data/object/items/data/0/current_period_end";
    let of_item = with(fixture("stripe/subscription_updated"), end, json!(i64::MAX));
    let faults_of = faults(Vendor::Stripe, &of_item);
    assert!(faults_of[0].starts_with("data.object.items.data[0].current_period_end: "), "{faults_of:?}");
    let mut of_subscription = with(fixture("stripe/subscription_updated"), end, Value::Null);
    of_subscription["data"]["object"]["current_period_end"] = json!(i64::MAX);
    let faults_of = faults(Vendor::Stripe, &of_subscription);
    assert!(faults_of[0].starts_with("data.object.current_period_end: "), "{faults_of:?}");
}
