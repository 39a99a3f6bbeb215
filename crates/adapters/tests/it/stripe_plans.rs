//! What subscriptions of Stripe bring in a year, and which way their plans went.

use mainstay_adapters::Vendor;
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::{PlanChange, PlanChangeDirection};
use serde_json::{Value, json};

use crate::stripe::{lifecycle, money};
use crate::{faults, fixture, ignored, mapped, payload_of, with};

const ITEMS: &str = "/data/object/items/data";
const OLD_ITEMS: &str = "/data/previous_attributes/items/data";

fn updated() -> Value {
    fixture("stripe/subscription_updated")
}

/// The change of the plan that a payload tells, if it does.
fn told(payload: &Value) -> Option<PlanChange> {
    let changes = mapped(Vendor::Stripe, payload).signals.into_iter().map(|signal| lifecycle(payload_of(signal)));
    changes.into_iter().find_map(|change| match change {
        Change::PlanChange(told) => Some(told),
        _ => None,
    })
}

fn arr(payload: &Value) -> Option<Money> {
    told(payload).expect("a change of the plan").arr
}

fn direction(payload: &Value) -> PlanChangeDirection {
    told(payload).expect("a change of the plan").direction()
}

/// The update of a subscription to these items.
fn of_items(items: &[Value]) -> Value {
    with(updated(), ITEMS, json!(items))
}

/// An item at ten dollars a month.
fn item(quantity: i64) -> Value {
    let mut item = updated().pointer(ITEMS).expect("items")[0].clone();
    item["quantity"] = json!(quantity);
    item
}

fn metered() -> Value {
    let mut metered = item(0);
    metered["quantity"] = Value::Null;
    metered["price"]["recurring"]["usage_type"] = json!("metered");
    metered
}

#[test]
fn r201_licensed_items_are_summed_up_over_a_year() {
    let mut yearly = item(1);
    yearly["price"]["recurring"]["interval"] = json!("year");
    yearly["price"]["unit_amount"] = json!(50_000);
    assert_eq!(arr(&of_items(&[item(3)])), money("USD", 36_000));
    assert_eq!(
        arr(&of_items(&[item(3), yearly.clone(), metered()])),
        money("USD", 86_000),
        "what is metered is not in it"
    );
    yearly["price"]["unit_amount"] = Value::Null;
    yearly["price"]["unit_amount_decimal"] = json!("1200.25");
    yearly["quantity"] = json!(2);
    assert_eq!(arr(&of_items(&[yearly])), money("USD", 2_401));
    let mut free = item(5);
    free["price"]["unit_amount"] = json!(0);
    assert_eq!(arr(&of_items(&[free])), money("USD", 0), "what is free brings nothing, which is known");
}

#[test]
fn revenue_is_counted_in_the_minor_units_of_iso_4217() {
    for (currency, unit, expected) in [
        ("eur", 1_099, money("EUR", 13_188)),
        ("jpy", 500, money("JPY", 6_000)),
        ("krw", 500, money("KRW", 6_000)),
        ("kwd", 5_120, money("KWD", 61_440)),
        ("isk", 500, money("ISK", 60)),
        ("ugx", 500, money("UGX", 60)),
        ("mga", 5, money("MGA", 6_000)),
    ] {
        let mut item = item(1);
        item["price"]["currency"] = json!(currency);
        item["price"]["unit_amount"] = json!(unit);
        assert_eq!(arr(&of_items(&[item])), expected, "{currency}");
    }
}

#[test]
fn the_plan_is_told_where_what_it_brings_is_not_known() {
    let changed = |pointer: &str, value: Value| with(item(12), pointer, value);
    let tiered = with(changed("/price/billing_scheme", json!("tiered")), "/price/unit_amount", Value::Null);
    let tiered = with(tiered, "/price/unit_amount_decimal", Value::Null);
    for (why, items) in [
        ("tiers", vec![tiered]),
        ("packages", vec![changed("/price/transform_quantity", json!({"divide_by": 10, "round": "up"}))]),
        ("two currencies", vec![item(12), changed("/price/currency", json!("eur"))]),
        ("an interval of another kind", vec![changed("/price/recurring/interval", json!("fortnight"))]),
        ("no periods", vec![changed("/price/recurring/interval_count", json!(0))]),
        ("paid once", vec![changed("/price/recurring", Value::Null)]),
        ("nothing but metered", vec![metered()]),
        ("less than nothing", vec![changed("/price/unit_amount", json!(-1))]),
    ] {
        let told = told(&of_items(&items)).expect("a change of the plan");
        assert_eq!((told.plan.as_str(), told.arr, told.direction), ("team_monthly", None, 0), "{why}");
    }
    let more = with(updated(), "/data/object/items/has_more", json!(true));
    assert_eq!(arr(&more), None, "items that were not sent");
    let mut priceless = item(12);
    priceless["price"] = Value::Null;
    assert_eq!(told(&of_items(&[priceless])), None, "neither plan nor revenue");
    assert_eq!(
        ignored(Vendor::Stripe, &with(of_items(&[]), "/data/object/items/has_more", json!(false))),
        "the subscription has no items"
    );
}

#[test]
fn revenue_is_that_of_subscriptions_that_are_paid_for() {
    let of_status = |status: &str| told(&with(updated(), "/data/object/status", json!(status))).expect("a plan");
    assert_eq!(of_status("active").arr, money("USD", 144_000));
    assert_eq!(of_status("past_due").arr, money("USD", 144_000));
    for status in ["trialing", "unpaid"] {
        let told = of_status(status);
        assert_eq!(told.direction(), PlanChangeDirection::Upgrade, "{status}: it is larger all the same");
        assert_eq!((told.plan.as_str(), told.arr), ("team_monthly", None), "{status}");
    }
}

#[test]
fn list_prices_count_whatever_discount_there_is() {
    let listed = told(&updated());
    let mut discounted = updated();
    discounted["data"]["object"]["discounts"] = json!(["di_1"]);
    discounted["data"]["object"]["discount"] =
        json!({"id": "di_1", "coupon": {"percent_off": 50.0, "duration": "once"}});
    assert_eq!(told(&discounted), listed);
}

#[test]
fn r201_what_the_items_brought_before_says_which_way_the_plan_went() {
    let before = |items: Value| with(updated(), OLD_ITEMS, items);
    assert_eq!(direction(&before(json!([item(10)]))), PlanChangeDirection::Upgrade);
    assert_eq!(direction(&before(json!([item(13)]))), PlanChangeDirection::Downgrade);
    assert_eq!(direction(&before(json!([item(6), item(5)]))), PlanChangeDirection::Upgrade);
    // A tenth of the price for ten times the seats, and the other way round by the year.
    let other = with(with(item(120), "/price/unit_amount", json!(100)), "/price/id", json!("price_other"));
    assert_eq!(direction(&before(json!([other]))), PlanChangeDirection::Lateral);
    let yearly = with(with(item(12), "/price/unit_amount", json!(12_000)), "/price/recurring/interval", json!("year"));
    assert_eq!(direction(&before(json!([with(yearly, "/price/id", json!("price_y"))]))), PlanChangeDirection::Lateral);
}

#[test]
fn an_update_of_neither_price_nor_quantity_claims_no_upgrade_and_tells_all_the_same() {
    let previous = |attributes: Value| with(updated(), "/data/previous_attributes", attributes);
    let mut before = item(12);
    before["current_period_end"] = json!(1_679_609_767);
    let unpriced = json!({"items": {"data": [{"quantity": 10}]}});
    let euros = with(item(10), "/price/currency", json!("eur"));
    for (why, attributes) in [
        ("the metadata", json!({"metadata": {"crm": "1"}})),
        ("the period", json!({"items": {"data": [before]}, "latest_invoice": "in_1"})),
        ("the end of the trial", json!({"status": "trialing"})),
        ("nothing", Value::Null),
        ("items of an older version, which are not all of them", unpriced),
        ("another currency", json!({"items": {"data": [euros]}})),
        ("items that cannot be read", json!({"items": {"data": [{"quantity": "many"}]}})),
    ] {
        let told = told(&previous(attributes)).expect("a change of the plan");
        let expected = PlanChange { plan: "team_monthly".to_owned(), arr: money("USD", 144_000), direction: 0 };
        assert_eq!(told, expected, "{why}");
    }
    let mut created = with(updated(), "/type", json!("customer.subscription.created"));
    created["data"].as_object_mut().expect("an object").remove("previous_attributes");
    assert_eq!(direction(&created), PlanChangeDirection::Unspecified);
}

#[test]
fn what_is_wrong_with_a_price_is_told_with_its_path() {
    let of = |pointer: &str, value: Value| {
        faults(Vendor::Stripe, &of_items(&[item(1), with(item(1), pointer, value)])).remove(0)
    };
    assert!(of("/price/currency", json!("euro")).starts_with("data.object.items.data[1].price.currency: "));
    let decimal = with(item(1), "/price/unit_amount", Value::Null);
    let decimal = with(decimal, "/price/unit_amount_decimal", json!("ten"));
    let told = faults(Vendor::Stripe, &of_items(&[decimal])).remove(0);
    assert!(told.starts_with("data.object.items.data[0].price.unit_amount_decimal: must be a number"), "{told}");
    let large = of("/price/unit_amount", json!(i64::MAX));
    assert!(large.starts_with("data.object.items.data[1].quantity: is out of range"), "{large}");
    let told = of("/price/unit_amount", json!(1.5));
    assert!(told.starts_with("data.object.items.data[1].price.unit_amount: invalid type"), "{told}");
}
