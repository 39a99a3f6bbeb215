//! The schedule of attempts, and its end.

use chrono::TimeDelta;
use mainstay_delivery::{ATTEMPTS_MAX, MessageState, RETRY_WAITS};
use mainstay_domain::Clock;
use mainstay_testkit::http::HttpAnswer;

use crate::fixture::{Fixture, webhook};

#[tokio::test]
async fn a_message_is_tried_by_the_schedule_and_then_dead() {
    let fixture = Fixture::start().await;
    fixture.http.answer(HttpAnswer::status(503).with_body("down"));
    let id = fixture.enqueue_new(webhook()).await;
    let dispatcher = fixture.dispatcher();
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    for (index, wait) in RETRY_WAITS.into_iter().enumerate() {
        let record = fixture.record(id).await;
        assert_eq!(record.state, MessageState::Pending);
        assert_eq!(fixture.http.requests().len(), index + 1);
        let wait = TimeDelta::from_std(wait).expect("short");
        let due_in = record.due_at - fixture.clock.now();
        assert!(due_in <= wait && due_in >= wait * 4 / 5, "attempt {}: {due_in} of {wait}", index + 2);
        fixture.clock.set(record.due_at - TimeDelta::microseconds(1));
        dispatcher.run_due().await.expect("no fault");
        assert_eq!(fixture.http.requests().len(), index + 1, "not before its time");
        fixture.clock.set(record.due_at);
        dispatcher.run_due().await.expect("no fault");
    }
    let record = fixture.record(id).await;
    assert_eq!((record.state, record.dead_at), (MessageState::Dead, Some(fixture.clock.now())));
    assert_eq!(record.last_error.as_deref(), Some("answered 503 Service Unavailable: down"));
    let attempts = fixture.attempts(id).await;
    assert_eq!(attempts.len(), usize::try_from(ATTEMPTS_MAX).expect("few"));
    assert!(attempts.iter().all(|attempt| attempt.status_code == Some(503)), "{attempts:?}");
    fixture.pass(TimeDelta::days(30));
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    assert_eq!(fixture.http.requests().len(), 10, "the dead rest");
}

#[tokio::test]
async fn a_receiver_s_retry_after_is_honoured_up_to_a_day() {
    for (asked, waited) in [("120", TimeDelta::seconds(120)), ("9999999", TimeDelta::hours(24))] {
        let fixture = Fixture::start().await;
        fixture.http.answer_next([HttpAnswer::status(429).with_header("retry-after", asked)]);
        let id = fixture.enqueue_new(webhook()).await;
        let dispatcher = fixture.dispatcher();
        dispatcher.run_due().await.expect("no fault");
        assert_eq!(fixture.record(id).await.due_at, fixture.clock.now() + waited);
        fixture.pass(waited);
        assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_tried_again() {
    let fixture = Fixture::start().await;
    let settings = fixture.settings().with_webhook("crm", "http://127.0.0.1:1/", Vec::new());
    let id = fixture.enqueue_new(webhook()).await;
    fixture.dispatcher_with(&settings).run_due().await.expect("no fault");
    let record = fixture.record(id).await;
    assert_eq!(record.state, MessageState::Pending);
    let error = record.last_error.expect("a reason");
    assert!(error.to_lowercase().contains("refused") && !error.contains("127.0.0.1:1/"), "{error}");
}
