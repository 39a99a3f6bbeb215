//! What happens when a process dies between sending and recording.

use std::time::Duration;

use chrono::TimeDelta;
use mainstay_delivery::{AttemptOutcome, DeliverySettings, MessageState, Replayed};
use mainstay_domain::Clock;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, email};

/// Begins to send, and is killed when the other side has the message but has not said so.
async fn die_after_sending(fixture: &Fixture) {
    let before = fixture.smtp.emails().len();
    fixture.smtp.hold();
    let dispatcher = fixture.dispatcher();
    let dying = tokio::spawn(async move { dispatcher.run(CancellationToken::new()).await });
    fixture.smtp.wait_for(before + 1).await;
    dying.abort();
    assert!(dying.await.expect_err("killed").is_cancelled());
    fixture.smtp.release();
}

#[tokio::test]
async fn a_process_that_dies_before_recording_has_the_message_sent_again_with_the_same_id() {
    let fixture = Fixture::start().await;
    let id = fixture.enqueue_new(email()).await;
    die_after_sending(&fixture).await;

    let record = fixture.record(id).await;
    assert_eq!((record.state, record.attempts), (MessageState::Pending, 1));
    let lease_end = record.leased_until.expect("a lease");
    let dispatcher = fixture.dispatcher();
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0, "the lease holds");
    fixture.clock.set(lease_end);
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1, "the lease has run out");

    let emails = fixture.smtp.emails();
    assert_eq!(emails.len(), 2);
    assert_eq!(emails[0].message_id, emails[1].message_id);
    let outcomes: Vec<_> = fixture.attempts(id).await.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [Some(AttemptOutcome::Sent), None], "the lost attempt is seen");
}

#[tokio::test]
async fn a_message_that_kills_its_process_each_time_is_dead_in_the_end() {
    let fixture = Fixture::start().await;
    let id = fixture.enqueue_new(email()).await;
    for attempt in 1..=10 {
        die_after_sending(&fixture).await;
        let record = fixture.record(id).await;
        assert_eq!((record.state, record.attempts), (MessageState::Pending, attempt));
        fixture.clock.set(record.leased_until.expect("a lease"));
    }
    assert_eq!(fixture.dispatcher().run_due().await.expect("no fault"), 0);
    let record = fixture.record(id).await;
    assert_eq!(record.state, MessageState::Dead);
    assert_eq!(record.last_error.as_deref(), Some("its last attempt has no outcome"));
    assert_eq!(fixture.smtp.emails().len(), 10, "it was not sent once more");
}

#[tokio::test]
async fn an_attempt_that_outlives_its_lease_still_counts_when_it_sent() {
    let fixture = Fixture::start().await;
    let id = fixture.enqueue_new(email()).await;
    fixture.smtp.hold();
    let (slow, quick) = (fixture.dispatcher(), fixture.dispatcher());
    let slow = tokio::spawn(async move { slow.run_due().await });
    fixture.smtp.wait_for(1).await;
    fixture.clock.set(fixture.record(id).await.leased_until.expect("a lease"));
    let quick = tokio::spawn(async move { quick.run_due().await });
    fixture.smtp.wait_for(2).await;
    fixture.smtp.release();
    slow.await.expect("no panic").expect("no fault");
    quick.await.expect("no panic").expect("no fault");
    let record = fixture.record(id).await;
    assert_eq!((record.state, record.attempts, record.leased_until), (MessageState::Sent, 2, None));
    let outcomes: Vec<_> = fixture.attempts(id).await.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [Some(AttemptOutcome::Sent), Some(AttemptOutcome::Sent)]);
}

#[tokio::test]
async fn an_attempt_that_fails_after_its_lease_changes_nothing_for_the_one_that_took_over() {
    let fixture = Fixture::start().await;
    let id = fixture.enqueue_new(email()).await;
    fixture.smtp.hold();
    let settings = DeliverySettings { send_timeout: Duration::from_millis(500), ..fixture.settings() };
    let (slow, quick) = (fixture.dispatcher_with(&settings), fixture.dispatcher());
    let slow = tokio::spawn(async move { slow.run_due().await });
    fixture.smtp.wait_for(1).await;
    fixture.clock.set(fixture.record(id).await.leased_until.expect("a lease"));
    let quick = tokio::spawn(async move { quick.run_due().await });
    fixture.smtp.wait_for(2).await;
    assert_eq!(slow.await.expect("no panic").expect("no fault"), 0);
    let record = fixture.record(id).await;
    assert!(record.leased_until.is_some_and(|until| until > fixture.clock.now()), "{record:?}");
    assert_eq!((record.state, record.attempts, record.last_error), (MessageState::Pending, 2, None));
    fixture.smtp.release();
    assert_eq!(quick.await.expect("no panic").expect("no fault"), 1);
    let outcomes: Vec<_> = fixture.attempts(id).await.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [Some(AttemptOutcome::Sent), Some(AttemptOutcome::Failed)]);
}

#[tokio::test]
async fn a_message_that_is_being_sent_is_not_replayed() {
    let fixture = Fixture::start().await;
    let id = fixture.enqueue_new(email()).await;
    die_after_sending(&fixture).await;
    let replay = async || {
        let mut transaction = fixture.database.pool().begin().await.expect("a transaction");
        let replayed = fixture.delivery.replay(&mut transaction, id, fixture.clock.now()).await.expect("no fault");
        transaction.commit().await.expect("a commit");
        replayed
    };
    assert_eq!(replay().await, Replayed::InFlight);
    fixture.pass(TimeDelta::hours(1));
    assert_eq!(replay().await, Replayed::Due);
}

#[tokio::test]
async fn a_turned_clock_has_no_process_send_what_it_is_sending() {
    let fixture = Fixture::start().await;
    fixture.enqueue_new(email()).await;
    fixture.smtp.hold();
    let dispatcher = fixture.dispatcher();
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let (dispatcher, cancel) = (dispatcher.clone(), cancel.clone());
        async move { dispatcher.run(cancel).await }
    });
    fixture.smtp.wait_for(1).await;
    fixture.pass(TimeDelta::days(365));
    let due = tokio::spawn(async move { dispatcher.run_due().await });
    fixture.delivery.wake();
    fixture.smtp.release();
    assert_eq!(due.await.expect("no panic").expect("no fault"), 0, "it waits for what is under way");
    assert_eq!(fixture.smtp.emails().len(), 1);
    cancel.cancel();
    running.await.expect("a clean end");
}
