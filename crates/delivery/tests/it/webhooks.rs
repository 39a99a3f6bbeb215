//! Signed webhooks.

use chrono::TimeDelta;
use mainstay_delivery::{DeliverySettings, MessageState, SigningKey, sign};
use mainstay_domain::Clock;
use mainstay_testkit::http::{HttpAnswer, HttpReceiver, ReceivedRequest};
use mainstay_testkit::tls;
use serde_json::json;
use tracing::Instrument;

use crate::fixture::{Fixture, KEY, webhook, webhook_to};

const NEW_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn key(text: &str) -> SigningKey {
    SigningKey::parse(text).expect("a key")
}

/// As a receiver verifies: one of the signatures is that of its key.
fn verifies(request: &ReceivedRequest, key_text: &str) -> bool {
    let timestamp = request.header("webhook-timestamp").parse().expect("seconds");
    let expected = sign(&[key(key_text)], request.header("webhook-id"), timestamp, &request.body);
    request.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

#[tokio::test]
async fn r188_a_webhook_is_signed_and_carries_the_message_s_id() {
    let fixture = Fixture::start().await;
    let id = fixture.enqueue_new(webhook()).await;
    assert_eq!(fixture.dispatcher().run_due().await.expect("no fault"), 1);
    let requests = fixture.http.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hooks"));
    assert_eq!(request.header("webhook-id"), id.to_string());
    assert_eq!(request.header("webhook-timestamp"), fixture.clock.now().timestamp().to_string());
    assert!(verifies(request, KEY) && !verifies(request, NEW_KEY));
    assert_eq!(
        request.json(),
        json!({
            "type": "alert.raised",
            "timestamp": "2026-03-01T00:00:00.000000Z",
            "data": { "account": "accounts/acme", "days_silent": 14 },
        })
    );
}

#[tokio::test]
async fn each_attempt_has_the_same_id_and_body_and_a_signature_of_its_own_time() {
    let fixture = Fixture::start().await;
    fixture.http.answer_next([HttpAnswer::status(500)]);
    fixture.enqueue_new(webhook()).await;
    let dispatcher = fixture.dispatcher();
    dispatcher.run_due().await.expect("no fault");
    fixture.pass(TimeDelta::seconds(5));
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    let requests = fixture.http.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert_ne!(requests[0].header("webhook-signature"), requests[1].header("webhook-signature"));
    assert!(requests.iter().all(|request| verifies(request, KEY)));
}

#[tokio::test]
async fn while_a_key_is_exchanged_receivers_with_either_verify() {
    let fixture = Fixture::start().await;
    let url = fixture.http.url("/hooks");
    let settings = fixture.settings();
    let steps = [(vec![key(NEW_KEY), key(KEY)], [true, true]), (vec![key(NEW_KEY)], [false, true])];
    for (round, (keys, expected)) in steps.into_iter().enumerate() {
        fixture.enqueue_new(webhook()).await;
        let settings = settings.clone().with_webhook("crm", &url, keys);
        assert_eq!(fixture.dispatcher_with(&settings).run_due().await.expect("no fault"), 1);
        let request = &fixture.http.requests()[round];
        assert_eq!([verifies(request, KEY), verifies(request, NEW_KEY)], expected);
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let fixture = Fixture::start().await;
    fixture.http.answer(HttpAnswer::status(307).with_header("location", fixture.http.url("/inside")));
    let id = fixture.enqueue_new(webhook()).await;
    fixture.dispatcher().run_due().await.expect("no fault");
    assert_eq!(fixture.http.requests().len(), 1);
    let record = fixture.record(id).await;
    assert_eq!(record.state, MessageState::Pending);
    assert!(record.last_error.expect("a reason").starts_with("answered 307 Temporary Redirect; redirects are not"));
}

#[tokio::test]
async fn addresses_of_the_inside_get_no_request_unless_allowed() {
    let fixture = Fixture::start().await;
    let port = fixture.http.url("").rsplit(':').next().expect("a port").to_owned();
    let hosts = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"];
    for (index, host) in hosts.into_iter().enumerate() {
        let name = format!("inside{index}");
        let ca_file = Some(tls::authority_file());
        let settings = DeliverySettings { allow_private_addresses: false, ca_file, ..fixture.settings() };
        let settings = settings.with_webhook(&name, format!("http://{host}:{port}/inside"), vec![key(KEY)]);
        let id = fixture.enqueue_new(webhook_to(&name)).await;
        let dispatcher = fixture.dispatcher_with(&settings);
        assert_eq!(dispatcher.run_due().await.expect("no fault"), 0, "{host}");
        let record = fixture.record(id).await;
        assert_eq!(record.state, MessageState::Pending, "{host}");
        let error = record.last_error.expect("a reason");
        assert!(error.contains("private, loopback or link-local"), "{host}: {error}");
    }
    assert!(fixture.http.requests().is_empty());
}

#[tokio::test]
async fn an_encrypted_receiver_is_trusted_by_its_authority_only() {
    let fixture = Fixture::start().await;
    let receiver = HttpReceiver::start_with_tls().await;
    let url = receiver.url("/hooks").replace("127.0.0.1", "localhost");
    let id = fixture.enqueue_new(webhook()).await;
    for (authority, sent) in [(tls::other_authority_file(), 0), (tls::authority_file(), 1)] {
        let settings = DeliverySettings { ca_file: Some(authority), ..fixture.settings() };
        let dispatcher = fixture.dispatcher_with(&settings.with_webhook("crm", &url, vec![key(KEY)]));
        assert_eq!(dispatcher.run_due().await.expect("no fault"), sent);
        if sent == 0 {
            let error = fixture.record(id).await.last_error.expect("a reason");
            assert!(error.contains("certificate"), "{error}");
        }
        fixture.pass(TimeDelta::seconds(5));
    }
    assert!(verifies(&receiver.requests()[0], KEY));
}

#[tokio::test]
async fn a_huge_answer_is_read_only_at_its_beginning() {
    let fixture = Fixture::start().await;
    fixture.http.answer(HttpAnswer::status(500).with_body("x".repeat(8 << 20)));
    let id = fixture.enqueue_new(webhook()).await;
    fixture.dispatcher().run_due().await.expect("no fault");
    let error = fixture.record(id).await.last_error.expect("a reason");
    assert_eq!(error, format!("answered 500 Internal Server Error: {}", "x".repeat(200)));
}

#[tokio::test]
async fn the_trace_of_the_cause_goes_on_at_the_receiver() {
    let fixture = Fixture::start().await;
    let cause = tracing::info_span!("the cause");
    let (id, traceparent) = async {
        let id = fixture.enqueue_new(webhook()).await;
        (id, mainstay_telemetry::propagation::current_traceparent().expect("a trace"))
    }
    .instrument(cause)
    .await;
    assert_eq!(fixture.record(id).await.traceparent.as_deref(), Some(traceparent.as_str()));
    assert_eq!(fixture.dispatcher().run_due().await.expect("no fault"), 1);
    let received = fixture.http.requests()[0].header("traceparent").to_owned();
    let parts = |text: &str| text.split('-').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(parts(&received)[1], parts(&traceparent)[1], "the same trace");
    assert_ne!(parts(&received)[2], parts(&traceparent)[2], "another span");
}
