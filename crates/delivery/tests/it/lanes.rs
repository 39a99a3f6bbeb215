//! One destination does not hold up another.

use chrono::TimeDelta;
use mainstay_delivery::MessageState;
use mainstay_testkit::http::HttpAnswer;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, email, slack, webhook};

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other_destination() {
    let fixture = Fixture::start().await;
    fixture.http.hold();
    let mut hanging = Vec::new();
    for _ in 0..20 {
        hanging.push(fixture.enqueue_new(webhook()).await);
    }
    for _ in 0..5 {
        fixture.enqueue_new(email()).await;
    }
    let dispatcher = fixture.dispatcher();
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { dispatcher.run(cancel).await }
    });
    fixture.smtp.wait_for(5).await;
    fixture.http.wait_for(4).await;
    assert_eq!(fixture.http.requests().len(), 4, "as many at once as a destination may have");
    fixture.http.release();
    fixture.http.wait_for(20).await;
    cancel.cancel();
    running.await.expect("a clean end");
    for id in hanging {
        assert_eq!(fixture.record(id).await.state, MessageState::Sent);
    }
}

#[tokio::test]
async fn a_wake_after_the_commit_sends_at_once() {
    let fixture = Fixture::start().await;
    let mut settings = fixture.settings();
    settings.poll_interval = std::time::Duration::from_hours(1);
    let dispatcher = fixture.dispatcher_with(&settings);
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { dispatcher.run(cancel).await }
    });
    for count in 1..=3 {
        fixture.enqueue_new(email()).await;
        fixture.delivery.wake();
        fixture.smtp.wait_for(count).await;
    }
    cancel.cancel();
    running.await.expect("a clean end");
}

#[tokio::test]
async fn at_shutdown_what_is_under_way_ends_and_is_recorded() {
    let fixture = Fixture::start().await;
    fixture.http.hold();
    let id = fixture.enqueue_new(slack()).await;
    let dispatcher = fixture.dispatcher();
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { dispatcher.run(cancel).await }
    });
    fixture.http.wait_for(1).await;
    cancel.cancel();
    fixture.http.release();
    running.await.expect("a clean end");
    assert_eq!(fixture.record(id).await.state, MessageState::Sent);
}

#[tokio::test]
async fn a_dispatcher_that_is_cancelled_begins_nothing() {
    let fixture = Fixture::start().await;
    let id = fixture.enqueue_new(slack()).await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    fixture.dispatcher().run(cancel).await;
    assert_eq!(fixture.record(id).await.attempts, 0);
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_gets_no_other_message_meanwhile() {
    let fixture = Fixture::start().await;
    fixture.http.answer_next([HttpAnswer::status(429).with_header("retry-after", "60")]);
    fixture.enqueue_new(slack()).await;
    let dispatcher = fixture.dispatcher();
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    let other = fixture.enqueue_new(slack()).await;
    fixture.enqueue_new(webhook()).await;
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1, "another destination goes on");
    assert_eq!(fixture.record(other).await.attempts, 0);
    fixture.pass(TimeDelta::seconds(60));
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 2);
}
