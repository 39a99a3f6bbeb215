//! What payloads of Lago become.

use chrono::{DateTime, Utc};
use mainstay_adapters::{Adapter, News, Outcome, Vendor};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{
    Churn, CreditKind, DisputeAction, DisputeSignal, InvoiceAction, InvoiceSignal, LifecycleSignal, PlanChange,
    PlanChangeDirection, Renewal,
};
use prost_types::Timestamp;
use serde_json::{Value, json};

use crate::{
    at, faults, fixture, ignored, ignored_in_file, mapped, news, payload_of, received_at, signal, time_of, with,
};

const INVOICE: &str = "5eb02857-a71e-4ea2-bcf9-57d3a41bc6ba";

fn invoice(action: InvoiceAction) -> InvoiceSignal {
    InvoiceSignal {
        invoice_id: INVOICE.to_owned(),
        action: action.into(),
        amount: Some(Money { currency_code: "EUR".to_owned(), minor_units: 120 }),
        due_time: Some(Timestamp { seconds: at("2022-05-30T00:00:00Z").timestamp(), nanos: 0 }),
        failure_reason: String::new(),
    }
}

#[test]
fn r185_what_becomes_of_an_invoice_is_told() {
    for (name, action, time) in [
        ("invoice_created", InvoiceAction::Issued, "2022-04-30T06:00:00Z"),
        ("invoice_payment_status_updated", InvoiceAction::Paid, "2022-05-02T10:00:00Z"),
        ("invoice_payment_overdue", InvoiceAction::Overdue, "2022-05-31T01:00:00Z"),
    ] {
        let told = signal(Vendor::Lago, &fixture(&format!("lago/{name}")));
        assert_eq!((told.account.as_str(), time_of(&told)), ("accounts/5eb02857", at(time)), "{name}");
        assert_eq!(payload_of(told), Payload::Invoice(invoice(action)), "{name}");
    }
    let status =
        |status: &str| with(fixture("lago/invoice_payment_status_updated"), "/invoice/payment_status", json!(status));
    assert!(ignored(Vendor::Lago, &status("failed")).contains("invoice.payment_failure"));
    assert!(ignored(Vendor::Lago, &status("pending")).contains("`pending`"));
}

#[test]
fn r185_a_failed_payment_is_told_with_the_providers_error() {
    let payload = fixture("lago/invoice_payment_failure");
    let failed = signal(Vendor::Lago, &payload);
    assert_eq!((failed.account.as_str(), time_of(&failed)), ("accounts/5eb02857", received_at()));
    let expected = InvoiceSignal {
        amount: None,
        due_time: None,
        failure_reason: "Your card has insufficient funds. (card_declined)".to_owned(),
        ..invoice(InvoiceAction::PaymentFailed)
    };
    assert_eq!(payload_of(failed), Payload::Invoice(expected));
    let reason = |error: Value| {
        let payload = with(payload.clone(), "/payment_provider_invoice_payment_error/provider_error", error);
        let Payload::Invoice(failed) = payload_of(signal(Vendor::Lago, &payload)) else { panic!("an invoice") };
        failed.failure_reason
    };
    assert_eq!(reason(json!("declined")), "declined");
    assert_eq!(reason(json!({"message": "declined", "code": null})), "declined");
    assert_eq!(reason(json!({"other": 1})), "{\"other\":1}");
    assert_eq!(reason(Value::Null), "");
}

#[test]
fn a_webhook_is_known_by_its_content_whenever_it_comes() {
    let payload = fixture("lago/invoice_payment_failure");
    let id = |received_at: &str| match Adapter::new(Vendor::Lago).map(&payload, Some(at(received_at))) {
        Ok(Outcome::Mapped(mapped)) => mapped.signals[0].source_id.clone(),
        other => panic!("{other:?}"),
    };
    let first = id("2026-01-01T00:00:00Z");
    assert!(first.starts_with("sha256-"), "{first}");
    assert_eq!(id("2027-01-01T00:00:00Z"), first);
}

/// Of Stripe's errors Lago passes on the code, the message, the request's id and the answer.
#[test]
fn r95_attempts_that_failed_alike_are_told_apart_by_what_stripe_answered() {
    let failed = |details: Value| {
        let pointer = "/payment_provider_invoice_payment_error/error_details";
        signal(Vendor::Lago, &with(fixture("lago/invoice_payment_failure"), pointer, details))
    };
    let of_stripe = |request: &str| failed(json!({"code": "card_declined", "request_id": request, "http_status": 402}));
    let (first, second) = (of_stripe("req_1"), of_stripe("req_2"));
    assert_eq!(payload_of(first.clone()), payload_of(second.clone()));
    assert_ne!(first.source_id, second.source_id);
    assert_eq!(of_stripe("req_1").source_id, first.source_id, "one delivery that came twice");
    assert_eq!(failed(Value::Null).source_id, failed(Value::Null).source_id, "nothing tells them apart");
}

#[test]
fn what_does_not_say_when_it_was_has_the_time_of_its_receipt_and_none_in_a_file() {
    assert!(
        ignored_in_file(Vendor::Lago, &fixture("lago/invoice_payment_failure"))
            .contains("does not say when it happened")
    );
    let mut timeless = with(fixture("lago/invoice_created"), "/invoice/updated_at", Value::Null);
    timeless["invoice"]["created_at"] = Value::Null;
    assert_eq!(time_of(&signal(Vendor::Lago, &timeless)), received_at());
    assert!(ignored_in_file(Vendor::Lago, &timeless).contains("does not say when it happened"));
}

#[test]
fn what_holds_from_a_time_on_is_not_told_without_that_time() {
    let started = || fixture("lago/subscription_started");
    let updated = with(started(), "/webhook_type", json!("subscription.updated"));
    let timeless = with(started(), "/subscription/started_at", Value::Null);
    let endless = with(fixture("lago/subscription_terminated"), "/subscription/terminated_at", Value::Null);
    for payload in [updated, timeless, endless] {
        assert!(ignored(Vendor::Lago, &payload).contains("since when"), "{payload}");
    }
}

#[test]
fn a_lost_dispute_is_closed() {
    let lost = signal(Vendor::Lago, &fixture("lago/invoice_payment_dispute_lost"));
    assert_eq!((lost.account.as_str(), time_of(&lost)), ("accounts/5eb02857", at("2022-06-10T12:00:00Z")));
    let expected = DisputeSignal {
        dispute_id: INVOICE.to_owned(),
        action: DisputeAction::Closed.into(),
        invoice_id: INVOICE.to_owned(),
        amount: invoice(InvoiceAction::Issued).amount,
        reason: "Dispute lost: fraudulent".to_owned(),
    };
    assert_eq!(payload_of(lost), Payload::Dispute(expected));
}

#[test]
fn a_subscription_tells_plan_renewal_and_churn() {
    let told = mapped(Vendor::Lago, &fixture("lago/subscription_started"));
    let [plan, renewal] = told.signals.as_slice() else { panic!("{told:?}") };
    assert_eq!(time_of(renewal), at("2022-08-08T00:00:00.123Z"));
    let renewal_time = Some(Timestamp { seconds: at("2023-08-08T00:00:00Z").timestamp(), nanos: 0 });
    let change = |change| Payload::Lifecycle(LifecycleSignal { change: Some(change) });
    assert_eq!(payload_of(renewal.clone()), change(Change::Renewal(Renewal { renewal_time })));
    assert_eq!((plan.account.as_str(), time_of(plan)), ("accounts/5eb02857", at("2022-08-08T00:00:00.123Z")));
    assert_eq!(plan.source_id, format!("{}/plan", renewal.source_id));
    assert_eq!(payload_of(plan.clone()), change(Change::PlanChange(premium(Some(("EUR", 10_000))))));
    assert_eq!(told.accounts, []);

    let ended = fixture("lago/subscription_terminated");
    let churn = signal(Vendor::Lago, &ended);
    assert_eq!(time_of(&churn), at("2022-09-14T16:35:31Z"));
    let reason = "the subscription was terminated".to_owned();
    assert_eq!(payload_of(churn), change(Change::Churn(Churn { reason })));
    let replaced = with(ended, "/subscription/next_plan_code", json!("enterprise"));
    assert_eq!(ignored(Vendor::Lago, &replaced), "the plan `enterprise` follows: the customer stays");
}

fn premium(arr: Option<(&str, i64)>) -> PlanChange {
    let arr = arr.map(|(code, minor_units)| Money { currency_code: code.to_owned(), minor_units });
    PlanChange { plan: "premium".to_owned(), arr, direction: PlanChangeDirection::Unspecified.into() }
}

/// What a webhook tells of the plan, and since when.
fn told_plan(payload: &Value) -> (PlanChange, DateTime<Utc>) {
    let plan = mapped(Vendor::Lago, payload).signals.swap_remove(0);
    let at = time_of(&plan);
    match payload_of(plan) {
        Payload::Lifecycle(LifecycleSignal { change: Some(Change::PlanChange(told)) }) => (told, at),
        other => panic!("{other:?}"),
    }
}

#[test]
fn r201_a_plan_brings_its_amount_as_often_as_its_interval_is_in_a_year() {
    let of = |interval: Value| {
        told_plan(&with(fixture("lago/subscription_started"), "/subscription/plan/interval", interval)).0
    };
    for (interval, cents) in
        [("weekly", 520_000), ("monthly", 120_000), ("quarterly", 40_000), ("semiannual", 20_000), ("yearly", 10_000)]
    {
        assert_eq!(of(json!(interval)), premium(Some(("EUR", cents))), "{interval}");
    }
    assert_eq!(of(json!("fortnightly")), premium(None));
    assert_eq!(of(Value::Null), premium(None));
    // The period is a month, in which charges are billed, and the plan is paid by the year.
    let planless = with(fixture("lago/subscription_started"), "/subscription/plan", Value::Null);
    assert_eq!(told_plan(&planless).0, premium(None));
    let forints = with(fixture("lago/subscription_started"), "/subscription/plan_amount_currency", json!("HUF"));
    assert_eq!(told_plan(&forints).0, premium(Some(("HUF", 1_000_000))));
    let changed = with(fixture("lago/subscription_started"), "/subscription/previous_plan_code", json!("enterprise"));
    assert_eq!(told_plan(&changed).0, premium(Some(("EUR", 10_000))), "of the plan before only the code is known");

    let weekly = with(fixture("lago/subscription_started"), "/subscription/plan/interval", json!("weekly"));
    let large = with(weekly, "/subscription/plan_amount_cents", json!(i64::MAX));
    assert_eq!(faults(Vendor::Lago, &large), ["subscription.plan_amount_cents: is out of range"]);
    let unknown = with(fixture("lago/subscription_started"), "/subscription/plan_amount_currency", json!("euro"));
    assert!(faults(Vendor::Lago, &unknown)[0].starts_with("subscription.plan_amount_currency: "));
}

#[test]
fn a_trial_brings_nothing_until_it_ends() {
    let of = |kind: &str, trial_ended_at: Value| {
        let payload = with(fixture("lago/subscription_started"), "/webhook_type", json!(kind));
        let payload = with(payload, "/subscription/plan/trial_period", json!(14.0));
        with(payload, "/subscription/trial_ended_at", trial_ended_at)
    };
    let trial = of("subscription.started", Value::Null);
    assert_eq!(told_plan(&trial), (premium(None), at("2022-08-08T00:00:00.123Z")));
    // A change of the plan after a trial that began with the first subscription.
    let later = with(trial, "/subscription/started_at", json!("2022-08-22T00:00:00.000Z"));
    assert_eq!(told_plan(&later).0, premium(Some(("EUR", 10_000))));

    let ended = of("subscription.trial_ended", json!("2022-08-22T00:00:00Z"));
    assert_eq!(told_plan(&ended), (premium(Some(("EUR", 10_000))), at("2022-08-22T00:00:00Z")));
    assert_eq!(mapped(Vendor::Lago, &ended).signals.len(), 1, "it renews nothing");
    // Told again of the plan that came after it: that holds since it began.
    let again = with(ended, "/subscription/started_at", json!("2022-10-01T00:00:00.000Z"));
    assert_eq!(told_plan(&again).1, at("2022-10-01T00:00:00Z"));
    assert!(ignored(Vendor::Lago, &of("subscription.trial_ended", Value::Null)).contains("since when"));
}

/// Lago starts what was made for a later time of a day at the day's beginning.
#[test]
fn without_a_trial_a_subscription_made_ahead_of_time_brings_something_from_its_start() {
    let ahead =
        with(fixture("lago/subscription_started"), "/subscription/subscription_at", json!("2022-08-08T15:00:00Z"));
    let none = with(ahead.clone(), "/subscription/plan/trial_period", json!(0.0));
    assert_eq!(told_plan(&none).0, premium(Some(("EUR", 10_000))));
    let trial = with(ahead, "/subscription/plan/trial_period", json!(14.0));
    let trial = with(trial, "/subscription/trial_ended_at", Value::Null);
    assert_eq!(told_plan(&trial).0, premium(None));
}

/// Lago counts as Ruby's `money` does, in whose table these stand (`subunit_to_unit`).
#[test]
fn amounts_are_counted_in_the_minor_units_of_iso_4217() {
    let of = |name: &str, at: &str, currency: &str, cents: i64| {
        let payload = with(fixture(&format!("lago/{name}")), &format!("{at}/currency"), json!(currency));
        with(payload, &format!("{at}/total_amount_cents"), json!(cents))
    };
    let amount = |currency: &str, cents: i64| {
        let Payload::Invoice(told) =
            payload_of(signal(Vendor::Lago, &of("invoice_created", "/invoice", currency, cents)))
        else {
            panic!("an invoice")
        };
        told.amount.map(|money| (money.currency_code, money.minor_units))
    };
    for (currency, cents, expected) in [
        ("EUR", 120, Some(120)),
        ("JPY", 120, Some(120)),
        ("KRW", 120, Some(120)),
        ("ISK", 120, Some(120)),
        ("BHD", 1_120, Some(1_120)),
        ("CLF", 10_120, Some(10_120)),
        // Whole forints, fifths of ariary and ouguiya.
        ("HUF", 120, Some(12_000)),
        ("MGA", 120, Some(2_400)),
        ("MRU", 120, Some(2_400)),
        ("EUR", -1, None),
        ("HUF", i64::MIN, None),
    ] {
        assert_eq!(amount(currency, cents), expected.map(|expected| (currency.to_owned(), expected)), "{currency}");
    }
    let large = of("invoice_created", "/invoice", "HUF", i64::MAX);
    assert_eq!(faults(Vendor::Lago, &large), ["invoice.total_amount_cents: is out of range"]);
    let large = of("invoice_payment_dispute_lost", "/payment_dispute_lost/invoice", "HUF", i64::MAX);
    assert_eq!(faults(Vendor::Lago, &large), ["payment_dispute_lost.invoice.total_amount_cents: is out of range"]);
    let unknown = of("invoice_payment_dispute_lost", "/payment_dispute_lost/invoice", "euro", 1);
    assert!(faults(Vendor::Lago, &unknown)[0].starts_with("payment_dispute_lost.invoice.currency: "));
}

#[test]
fn a_customer_exists_and_metadata_names_the_account() {
    let told = news(Vendor::Lago, &fixture("lago/customer_created"));
    assert_eq!((told.account.as_str(), told.news), ("gavin", News::Exists("Gavin Belson".to_owned())));
    let plain = with(fixture("lago/customer_created"), "/customer/metadata", json!([]));
    assert_eq!(news(Vendor::Lago, &plain).account.as_str(), "5eb02857");
}

#[test]
fn what_is_malformed_is_told_with_its_path_and_what_says_nothing_is_ignored() {
    let created = || fixture("lago/invoice_created");
    for (pointer, value, told) in [
        ("/invoice/total_amount_cents", json!(1.5), "invoice.total_amount_cents: invalid type"),
        ("/invoice/payment_due_date", json!("soon"), "invoice.payment_due_date: "),
        ("/invoice/customer/external_id", json!("a b"), "invoice.customer.external_id: names the account"),
        ("/object_type", json!("invoices"), "invoices: is missing"),
    ] {
        let faults = faults(Vendor::Lago, &with(created(), pointer, value));
        assert!(faults[0].starts_with(told), "{pointer}: {faults:?}");
    }
    let wallet = with(created(), "/webhook_type", json!("wallet.created"));
    assert!(ignored(Vendor::Lago, &wallet).contains("`wallet.created`"));
}

#[test]
fn r185_a_credit_note_tells_what_it_sets_off_and_what_it_pays_back() {
    let told = mapped(Vendor::Lago, &fixture("lago/credit_note_created"));
    let credits: Vec<_> = told
        .signals
        .into_iter()
        .map(|signal| {
            assert_eq!((signal.account.as_str(), time_of(&signal)), ("accounts/5eb02857", at("2022-09-14T16:35:31Z")));
            let Payload::Credit(credit) = payload_of(signal) else { panic!("a credit") };
            assert_eq!((credit.invoice_id.as_str(), credit.reason.as_str()), (INVOICE, "Free text"));
            (credit.kind(), credit.amount.expect("an amount").minor_units)
        })
        .collect();
    assert_eq!(credits, [(CreditKind::CreditNote, 100), (CreditKind::Refund, 50)]);
    let nothing = with(fixture("lago/credit_note_created"), "/credit_note/credit_amount_cents", json!(0));
    let nothing = with(nothing, "/credit_note/refund_amount_cents", json!(0));
    assert!(ignored(Vendor::Lago, &nothing).contains("gives nothing back"));
}
