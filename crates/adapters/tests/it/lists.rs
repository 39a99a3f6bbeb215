//! Bodies with several payloads, and bodies with none; and what nobody should send.

use mainstay_adapters::{Adapter, Outcome, Vendor};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{fixture, received_at, with};

#[test]
fn a_list_of_payloads_is_taken_as_a_whole() {
    let adapter = Adapter::new(Vendor::Segment);
    let body = |payloads: &[Value]| serde_json::to_vec(payloads).expect("JSON");
    let alias = with(fixture("segment/track"), "/type", json!("alias"));
    let list = body(&[fixture("segment/group"), alias.clone(), fixture("segment/track")]);
    let Ok(Outcome::Mapped(mapped)) = adapter.map_body(&list, received_at()) else { panic!("mapped") };
    assert_eq!((mapped.accounts.len(), mapped.signals.len()), (3, 2));
    assert!(matches!(adapter.map_body(&body(&[alias]), received_at()), Ok(Outcome::Ignored(_))));
    assert!(matches!(adapter.map_body(b"[]", received_at()), Ok(Outcome::Ignored(_))));

    let bad = with(fixture("segment/track"), "/properties/quantity", json!(-1));
    let faults = adapter.map_body(&body(&[fixture("segment/page"), bad]), received_at()).expect_err("malformed");
    assert_eq!(faults.iter().next().map(|fault| fault.field.as_str()), Some("[1].properties.quantity"));
}

#[test]
fn what_is_not_json_is_told() {
    let faults = Adapter::new(Vendor::Stripe).map_body(b"{", received_at()).expect_err("no JSON");
    assert!(faults.iter().all(|fault| fault.description.starts_with("is not JSON")), "{faults:?}");
}

/// Every payload of the fixtures.
fn fixtures() -> Vec<(Vendor, Value)> {
    let payloads = Vendor::ALL.into_iter().flat_map(|vendor| {
        let folder = format!("{}/tests/data/{vendor}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_dir(folder).expect("a folder").map(move |entry| (vendor, entry.expect("an entry").path()))
    });
    let read = |path| serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
    payloads.map(|(vendor, path)| (vendor, read(path))).collect()
}

/// All places in a payload, as JSON pointers.
fn places(payload: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match payload {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, value)| places(value, &format!("{at}/{place}"), found));
        }
        _ => {}
    }
}

proptest! {
    /// Whatever stands in whichever field: it is mapped, ignored, or refused with the name of a field, and it is so each time.
    #[test]
    fn a_field_with_anything_in_it_breaks_nothing(choice: prop::sample::Index, place: prop::sample::Index, value in anything()) {
        let all = fixtures();
        let (vendor, payload) = choice.get(&all);
        let mut pointers = Vec::new();
        places(payload, "", &mut pointers);
        let pointer = place.get(&pointers);
        let changed = with(payload.clone(), pointer, value);
        let outcome = Adapter::new(*vendor).map(&changed, Some(received_at()));
        prop_assert_eq!(&outcome, &Adapter::new(*vendor).map(&changed, Some(received_at())));
        if let Err(faults) = outcome {
            prop_assert!(faults.iter().all(|fault| !fault.description.is_empty()));
            prop_assert!(pointer.is_empty() || faults.iter().any(|fault| !fault.field.is_empty()), "{faults:?}");
        }
    }
}

fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}
