//! Bodies with several payloads, and bodies with none; and what nobody should send.

use mainstay_adapters::{Adapter, Body, Place, Vendor};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{fixture, received_at, with};

/// What the body of a delivery of Segment comes to.
fn segment(payloads: &[Value]) -> Body {
    Adapter::new(Vendor::Segment).map_body(&serde_json::to_vec(payloads).expect("JSON"), received_at())
}

#[test]
fn each_payload_of_a_list_is_taken_for_itself() {
    let alias = with(fixture("segment/track"), "/type", json!("alias"));
    let bad = with(fixture("segment/track"), "/properties/quantity", json!(-1));
    let body = segment(&[fixture("segment/group"), alias.clone(), bad, fixture("segment/track"), json!(7)]);
    let taken: Vec<_> =
        body.mapped.iter().map(|(place, mapped)| (*place, mapped.accounts.len(), mapped.signals.len())).collect();
    assert_eq!(taken, [(Place::InList(0), 3, 0), (Place::InList(3), 0, 2)]);
    assert!(body.ignored.is_some_and(|reason| reason.contains("`alias`")));
    let fields: Vec<&str> = body.faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["[2].properties.quantity", "[4]"]);

    let ignored = |payloads: &[Value]| {
        let Body { mapped, ignored, faults } = segment(payloads);
        mapped.is_empty() && ignored.is_some() && faults.is_empty()
    };
    assert!(ignored(&[alias]) && ignored(&[]));
}

#[test]
fn a_payload_that_is_the_body_is_told_without_a_place() {
    let bad = with(fixture("segment/track"), "/properties/quantity", json!(-1));
    let body = Adapter::new(Vendor::Segment).map_body(bad.to_string().as_bytes(), received_at());
    assert_eq!(body.faults.iter().next().map(|fault| fault.field.as_str()), Some("properties.quantity"));
}

#[test]
fn what_is_not_json_is_told() {
    for text in ["", "{", "[{}", "{} {}", "\u{0}"] {
        let Body { mapped, ignored, faults } = Adapter::new(Vendor::Stripe).map_body(text.as_bytes(), received_at());
        assert!(mapped.is_empty() && ignored.is_none() && faults.len() == 1, "{text}");
        assert!(faults.iter().all(|fault| fault.description.starts_with("is not JSON")), "{faults:?}");
    }
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
