//! What webhooks of subscriptions make of accounts and of the revenue that stays.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::renewal_service_client::RenewalServiceClient;
use proto::lifecycle_signal::Change;
use serde_json::{Value, json};

use crate::harness::{account, at};
use crate::webhook_receiver::{Receiver, assert_outcome, body, event, payload};

/// Ten dollars a seat and month.
fn subscription(id: &str, kind: &str, told_at: &str, seats: i64) -> Value {
    let mut told = event("stripe/subscription_updated", id, kind, at(told_at).timestamp(), "acme");
    let item = &mut told["data"]["object"]["items"]["data"][0];
    item["quantity"] = json!(seats);
    item["current_period_end"] = json!(at("2024-01-01T00:00:00Z").timestamp());
    told
}

/// The update from so many seats to so many.
fn update(id: &str, told_at: &str, (before, seats): (i64, i64)) -> Value {
    let mut told = subscription(id, "customer.subscription.updated", told_at, seats);
    told["data"]["previous_attributes"]["items"]["data"][0]["quantity"] = json!(before);
    told
}

#[expect(clippy::unnecessary_wraps, reason = "as messages have it")]
fn dollars(amount: i64) -> Option<Money> {
    Some(Money { currency_code: "USD".to_owned(), minor_units: amount * 100 })
}

async fn retention(receiver: &Receiver, start_day: &str, end_day: &str) -> Vec<proto::CurrencyRetention> {
    let request = proto::GetRevenueRetentionRequest { start_day: start_day.to_owned(), end_day: end_day.to_owned() };
    let got = RenewalServiceClient::new(receiver.channel.clone()).get_revenue_retention(request).await;
    got.expect("the revenue that stayed").into_inner().currencies
}

/// What the signals of an account say of its plan: the revenue in dollars and which way it went, oldest first.
async fn plan_changes(receiver: &Receiver, id: &str) -> Vec<(i64, proto::PlanChangeDirection)> {
    let mut signals = receiver.signals(id).await;
    signals.sort_by_key(|signal| signal.event_time.map(|time| (time.seconds, time.nanos)));
    let told = signals.into_iter().filter_map(|signal| match signal.payload? {
        proto::signal::Payload::Lifecycle(told) => told.change,
        _ => None,
    });
    told.filter_map(|change| match change {
        Change::PlanChange(told) => Some((told.arr.as_ref()?.minor_units / 100, told.direction())),
        _ => None,
    })
    .collect()
}

#[tokio::test]
async fn r201_an_upgrade_told_by_stripe_is_expansion_and_repeats_and_the_order_change_nothing() {
    use proto::PlanChangeDirection::{Downgrade, Unspecified, Upgrade};

    let receiver = Receiver::start().await;
    receiver.create("acme").await;
    let began = subscription("evt_1", "customer.subscription.created", "2023-05-01T00:00:00Z", 10);
    assert_outcome(&receiver.stripe(&began).await, 200, "recorded");
    let told = receiver.account("acme").await.expect("the account");
    assert_eq!((told.plan.as_str(), told.arr, told.seats), ("team_monthly", dollars(1_200), Some(10)));

    // What was told first comes last.
    let smaller = update("evt_2", "2023-05-20T08:00:00Z", (10, 8));
    let larger = update("evt_3", "2023-05-20T09:00:00Z", (8, 15));
    receiver.clock.set(at("2023-05-20T10:00:00Z"));
    assert_outcome(&receiver.stripe(&larger).await, 200, "recorded");
    assert_outcome(&receiver.stripe(&smaller).await, 200, "recorded");
    // The next period, of which nothing else changed.
    let mut rolled = update("evt_4", "2023-06-01T00:00:00Z", (15, 15));
    rolled["data"]["previous_attributes"]["items"]["data"][0]["current_period_end"] = json!(1_685_577_600);
    receiver.clock.set(at("2023-06-01T01:00:00Z"));
    assert_outcome(&receiver.stripe(&rolled).await, 200, "recorded");
    for known in [&smaller, &rolled, &began, &larger] {
        assert_outcome(&receiver.stripe(known).await, 200, "duplicate");
    }

    let told = receiver.account("acme").await.expect("the account");
    assert_eq!((told.plan.as_str(), told.arr, told.seats), ("team_monthly", dollars(1_800), Some(15)));
    let expected = [(1_200, Unspecified), (960, Downgrade), (1_800, Upgrade), (1_800, Unspecified)];
    assert_eq!(plan_changes(&receiver, "acme").await, expected);
    receiver.clock.set(at("2023-06-10T00:00:00Z"));
    let expected = proto::CurrencyRetention {
        account_count: 1,
        start_arr: dollars(1_200),
        churned_arr: dollars(0),
        contraction_arr: dollars(0),
        expansion_arr: dollars(600),
        gross_retention: 1.0,
        net_retention: 1.5,
    };
    assert_eq!(retention(&receiver, "2023-05-02", "2023-06-02").await, [expected]);
}

#[tokio::test]
async fn revenue_in_a_currency_that_is_refused_takes_neither_seats_nor_renewal_with_it() {
    let receiver = Receiver::start().await;
    let monthly =
        proto::Account { mrr: Some(Money { currency_code: "EUR".to_owned(), minor_units: 50_000 }), ..account("acme") };
    let request = proto::CreateAccountRequest {
        account_id: "acme".to_owned(),
        account: Some(monthly.clone()),
        ..Default::default()
    };
    let mut accounts = AccountServiceClient::new(receiver.channel.clone());
    accounts.create_account(request).await.expect("an account");

    let began = subscription("evt_1", "customer.subscription.created", "2023-05-01T00:00:00Z", 10);
    receiver.clock.set(at("2023-05-01T00:00:01Z"));
    let refused = receiver.stripe(&began).await;
    assert_outcome(&refused, 400, "malformed");
    let errors = body(&refused)["errors"].clone();
    assert_eq!(errors.as_array().map(Vec::len), Some(1), "{errors}");
    assert_eq!(errors[0]["field"], "lifecycle.plan_change.arr.currency_code");
    let told = receiver.account("acme").await.expect("the account");
    let renewal = told.renewal_time.map(|time| time.seconds);
    assert_eq!((told.seats, renewal), (Some(10), Some(at("2024-01-01T00:00:00Z").timestamp())));
    assert_eq!((told.plan.as_str(), &told.arr, &told.mrr), ("", &None, &monthly.mrr));

    // Stripe comes again, and meanwhile the account has no currency.
    let update = proto::UpdateAccountRequest {
        account: Some(proto::Account { mrr: None, ..told }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["mrr".to_owned()] }),
        ..Default::default()
    };
    accounts.update_account(update).await.expect("updated");
    assert_outcome(&receiver.stripe(&began).await, 200, "recorded");
    let told = receiver.account("acme").await.expect("the account");
    assert_eq!((told.plan.as_str(), told.arr), ("team_monthly", None), "what was said since is newer");
}

#[tokio::test]
async fn r201_plans_of_lago_tell_what_they_bring_whatever_the_order() {
    let receiver = Receiver::start().await;
    let account_of = async |id: &str| receiver.account(id).await.expect("the account");
    receiver.create("5eb02857").await;
    let basic = payload("lago/subscription_started");
    let mut larger = basic.clone();
    let changed = &mut larger["subscription"];
    (changed["plan_code"], changed["previous_plan_code"]) = (json!("enterprise"), json!("premium"));
    (changed["plan_amount_cents"], changed["plan"]["interval"]) = (json!(5_000), json!("monthly"));
    changed["started_at"] = json!("2022-09-01T00:00:00.000Z");
    assert_outcome(&receiver.lago(&larger, "1").await, 200, "recorded");
    assert_outcome(&receiver.lago(&basic, "2").await, 200, "recorded");
    assert_outcome(&receiver.lago(&larger, "3").await, 200, "duplicate");
    let told = account_of("5eb02857").await;
    let euros = Money { currency_code: "EUR".to_owned(), minor_units: 60_000 };
    assert_eq!((told.plan.as_str(), told.arr), ("enterprise", Some(euros)));
}

/// A payload knows one subscription: what several of a customer bring is not added up.
#[tokio::test]
async fn of_a_customer_with_two_subscriptions_the_newest_told_counts() {
    let receiver = Receiver::start().await;
    receiver.create("acme").await;
    let of = |id: &str, subscription_id: &str, told_at: &str, seats| {
        let mut told = subscription(id, "customer.subscription.created", told_at, seats);
        told["data"]["object"]["id"] = json!(subscription_id);
        told
    };
    assert_outcome(&receiver.stripe(&of("evt_2", "sub_2", "2023-04-02T00:00:00Z", 3)).await, 200, "recorded");
    assert_outcome(&receiver.stripe(&of("evt_1", "sub_1", "2023-04-01T00:00:00Z", 10)).await, 200, "recorded");
    let told = receiver.account("acme").await.expect("the account");
    assert_eq!((told.arr, told.seats), (dollars(360), Some(3)));
}
