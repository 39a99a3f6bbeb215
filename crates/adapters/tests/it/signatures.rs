//! Whose deliveries are believed. The signatures are computed by other implementations: Stripe's by `stripe-python` 16.1.0, the
//! others by Python's `hmac`.

use http::{HeaderMap, HeaderName, HeaderValue};
use mainstay_adapters::{SignatureError, Vendor};
use proptest::prelude::*;

use crate::at;

const BODY: &[u8] = b"{\"id\":\"evt_1\"}";
const STRIPE: &str = "799c4ba7bb339f3c8601adfd112f0e477c930a268be1243d341abb8286501c2f";
const STRIPE_OTHER: &str = "7de382fc9d50efc4cbab2272c65bd6bca85a6eb696ebf6d9dfed06b24d0a3ca8";
const LAGO: &str = "rE7dxwrClZbIEcpJpUIIXwQX1TBb29yn2WQdXi6kpNM=";
const ZENDESK: &str = "1FejEDEXZIGySQ6qmqqglWSo6Ol/Adxxb65mCCzU/9g=";
const ZENDESK_SECRET: &[u8] = b"dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==";
const SEGMENT: &str = "eee85a9d39c0216b99a6b9888ca0d92bfa11f70b";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
    };
    pairs.iter().map(pair).collect()
}

fn stripe(value: &str, secrets: &[&[u8]], now: &str) -> Result<(), SignatureError> {
    Vendor::Stripe.verify(&headers(&[("stripe-signature", value)]), BODY, secrets, at(now))
}

#[test]
fn r185_a_delivery_of_stripe_is_believed_for_five_minutes() {
    let value = format!("t=1492774577,v1={STRIPE},v0=ignored");
    let secret: &[&[u8]] = &[b"whsec_test_secret"];
    assert_eq!(stripe(&value, secret, "2017-04-21T11:36:17Z"), Ok(()));
    assert_eq!(stripe(&value, secret, "2017-04-21T11:41:17Z"), Ok(()));
    let signed_at = at("2017-04-21T11:36:17Z");
    assert_eq!(stripe(&value, secret, "2017-04-21T11:41:18Z"), Err(SignatureError::OutOfTime(signed_at)));
    assert_eq!(stripe(&value, secret, "2017-04-21T11:31:16Z"), Err(SignatureError::OutOfTime(signed_at)));
    // Another time belongs to another signature: an old delivery cannot be made new.
    let renewed = format!("t=1492774877,v1={STRIPE}");
    assert_eq!(stripe(&renewed, secret, "2017-04-21T11:41:17Z"), Err(SignatureError::Forged));
}

#[test]
fn while_secrets_are_exchanged_either_is_believed() {
    let now = "2017-04-21T11:36:17Z";
    let both = format!("t=1492774577,v1={STRIPE_OTHER},v1={STRIPE}");
    assert_eq!(stripe(&both, &[b"whsec_test_secret"], now), Ok(()));
    let old = format!("t=1492774577,v1={STRIPE}");
    assert_eq!(stripe(&old, &[b"whsec_other", b"whsec_test_secret"], now), Ok(()));
    assert_eq!(stripe(&old, &[b"whsec_other"], now), Err(SignatureError::Forged));
    assert_eq!(stripe(&old, &[], now), Err(SignatureError::Forged));
}

#[test]
fn headers_that_cannot_be_read_are_told() {
    let now = "2017-04-21T11:36:17Z";
    let secret: &[&[u8]] = &[b"whsec_test_secret"];
    for unreadable in ["", "v1=00", "t=x,v1=00", "t=99999999999999999,v1=00"] {
        assert_eq!(
            stripe(unreadable, secret, now),
            Err(SignatureError::Unreadable("stripe-signature")),
            "{unreadable}"
        );
    }
    for forged in ["t=1492774577", "t=1492774577,v1=", "t=1492774577,v1=xy", "t=1492774577,v1=0"] {
        assert_eq!(stripe(forged, secret, now), Err(SignatureError::Forged), "{forged}");
    }
    let missing = Vendor::Stripe.verify(&HeaderMap::new(), BODY, secret, at(now));
    assert_eq!(missing, Err(SignatureError::Missing("stripe-signature")));
    let blank = Vendor::Segment.verify(&headers(&[("x-signature", "+1")]), BODY, secret, at(now));
    assert_eq!(blank, Err(SignatureError::Unreadable("x-signature")));
}

#[test]
fn deliveries_of_lago_are_believed_when_they_are_signed_by_hmac() {
    let verify = |algorithm, signature, secret: &[u8]| {
        let headers = headers(&[("x-lago-signature-algorithm", algorithm), ("x-lago-signature", signature)]);
        Vendor::Lago.verify(&headers, BODY, &[secret], at("2026-11-27T12:00:00Z"))
    };
    assert_eq!(verify("hmac", LAGO, b"hmac_key"), Ok(()));
    assert_eq!(verify("hmac", LAGO, b"another"), Err(SignatureError::Forged));
    assert_eq!(verify("jwt", LAGO, b"hmac_key"), Err(SignatureError::Algorithm));
    assert_eq!(verify("hmac", "?", b"hmac_key"), Err(SignatureError::Unreadable("x-lago-signature")));
}

#[test]
fn r190_a_delivery_of_zendesk_is_believed_for_five_minutes() {
    let verify = |timestamp, now| {
        let pairs = [("x-zendesk-webhook-signature", ZENDESK), ("x-zendesk-webhook-signature-timestamp", timestamp)];
        Vendor::Zendesk.verify(&headers(&pairs), BODY, &[ZENDESK_SECRET], at(now))
    };
    let signed_at = "2017-04-21T13:36:17Z";
    assert_eq!(verify(signed_at, "2017-04-21T13:41:17Z"), Ok(()));
    assert_eq!(verify(signed_at, "2017-04-21T13:41:18Z"), Err(SignatureError::OutOfTime(at(signed_at))));
    assert_eq!(verify("2017-04-21T13:40:00Z", "2017-04-21T13:41:17Z"), Err(SignatureError::Forged));
    let unreadable = SignatureError::Unreadable("x-zendesk-webhook-signature-timestamp");
    assert_eq!(verify("yesterday", "2017-04-21T13:41:17Z"), Err(unreadable));
}

#[test]
fn deliveries_of_segment_are_believed() {
    let verify = |signature: &str, secret: &[u8]| {
        Vendor::Segment.verify(&headers(&[("x-signature", signature)]), BODY, &[secret], at("2026-11-27T12:00:00Z"))
    };
    assert_eq!(verify(SEGMENT, b"shared"), Ok(()));
    assert_eq!(verify(&SEGMENT.to_uppercase(), b"shared"), Ok(()));
    assert_eq!(verify(SEGMENT, b"other"), Err(SignatureError::Forged));
    // Who does not sign is not believed.
    let tickets = Vendor::Tickets.verify(&HeaderMap::new(), BODY, &[b"shared"], at("2026-11-27T12:00:00Z"));
    assert_eq!(tickets, Err(SignatureError::Forged));
}

proptest! {
    #[test]
    fn no_other_body_and_no_other_signature_is_believed(place in 0..BODY.len(), byte: u8, header in any::<String>()) {
        let mut body = BODY.to_vec();
        body[place] = byte;
        let headers = headers(&[("x-signature", SEGMENT)]);
        let verified = Vendor::Segment.verify(&headers, &body, &[b"shared"], at("2026-11-27T12:00:00Z"));
        prop_assert_eq!(verified.is_ok(), body == BODY);

        // Whatever stands in the header, it is refused and nothing breaks.
        if let Ok(value) = HeaderValue::from_str(&header) {
            let headers = [(HeaderName::from_static("stripe-signature"), value)].into_iter().collect();
            let verified = Vendor::Stripe.verify(&headers, BODY, &[b"s"], at("2017-04-21T11:36:17Z"));
            prop_assert!(verified.is_err());
        }
    }
}
