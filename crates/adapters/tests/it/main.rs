//! The vendors' payloads as their documentation has them, and what they become.

mod lago;
mod lists;
mod segment;
mod signatures;
mod stripe;
mod stripe_plans;
mod tickets;
mod zendesk;
mod zendesk_history;

use chrono::{DateTime, Utc};
use mainstay_adapters::{AccountNews, Adapter, Mapped, Outcome, Vendor};
use mainstay_api::mainstay::scoring::v1::Signal;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use serde_json::Value;

/// A payload of `tests/data`.
fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}

/// A payload with one field, by its JSON pointer, set to another value.
fn with(mut payload: Value, pointer: &str, value: Value) -> Value {
    *payload.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    payload
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// When payloads come: long after all events.
fn received_at() -> DateTime<Utc> {
    at("2026-11-27T12:00:00Z")
}

fn mapped(vendor: Vendor, payload: &Value) -> Mapped {
    match Adapter::new(vendor).map(payload, Some(received_at())) {
        Ok(Outcome::Mapped(mapped)) => mapped,
        other => panic!("{other:?}"),
    }
}

/// The only signal of a payload that says nothing else.
fn signal(vendor: Vendor, payload: &Value) -> Signal {
    let Mapped { accounts, signals } = mapped(vendor, payload);
    assert_eq!((accounts.len(), signals.len()), (0, 1), "{signals:?}");
    signals.into_iter().next().expect("one")
}

fn payload_of(signal: Signal) -> Payload {
    signal.payload.expect("a payload")
}

/// The news of a payload that says nothing else.
fn all_news(vendor: Vendor, payload: &Value) -> Vec<AccountNews> {
    let Mapped { accounts, signals } = mapped(vendor, payload);
    assert_eq!(signals.len(), 0, "{signals:?}");
    accounts
}

/// The only news of a payload that says nothing else.
fn news(vendor: Vendor, payload: &Value) -> AccountNews {
    let [news] = <[AccountNews; 1]>::try_from(all_news(vendor, payload)).expect("one");
    news
}

/// Why a payload means nothing.
fn ignored(vendor: Vendor, payload: &Value) -> String {
    match Adapter::new(vendor).map(payload, Some(received_at())) {
        Ok(Outcome::Ignored(reason)) => reason.into_owned(),
        other => panic!("{other:?}"),
    }
}

/// Why a payload means nothing when it lies in a file.
fn ignored_in_file(vendor: Vendor, payload: &Value) -> String {
    match Adapter::new(vendor).map(payload, None) {
        Ok(Outcome::Ignored(reason)) => reason.into_owned(),
        other => panic!("{other:?}"),
    }
}

/// The faults of a malformed payload, as `field: description`.
fn faults(vendor: Vendor, payload: &Value) -> Vec<String> {
    let faults = Adapter::new(vendor).map(payload, Some(received_at())).expect_err("malformed");
    faults.iter().map(|fault| format!("{}: {}", fault.field, fault.description)).collect()
}

fn time_of(signal: &Signal) -> DateTime<Utc> {
    let time = signal.event_time.as_ref().expect("a time");
    DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).expect("not negative")).expect("a time")
}
