//! One replica of a consumer: each event has one effect, whatever happens in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use mainstay_domain::partition_of;
use mainstay_events::{Consumer, ConsumerSettings, ConsumerStart, Event, HandlerError, LocalSource};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, SCHEMA, until, within_deadline};
use crate::handler::{OneByOne, Recorder, Then, local_consumer, quick_settings};

const ACCOUNTS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

#[tokio::test]
async fn a_consumer_killed_between_effect_and_commit_applies_each_event_once() {
    let fixture = Fixture::new().await;
    // More than the lives below can apply: a batch has 7 events, and less than one batch comes before the kill.
    for _ in 0..25 {
        fixture.write(&ACCOUNTS).await;
    }
    for kill in 0..12 {
        // The handler stops at another call each time, with its effect written and not committed.
        let (calls, hangs) = (AtomicUsize::new(0), Arc::new(Notify::new()));
        let signal = Arc::clone(&hangs);
        let consumer = local_consumer(&fixture, fixture.pool(), quick_settings(), move |_| {
            if calls.fetch_add(1, Ordering::SeqCst) == kill % 5 {
                signal.notify_one();
                Then::Hang
            } else {
                Then::Return
            }
        });
        let task = tokio::spawn(async move { consumer.run(CancellationToken::new()).await });
        within_deadline("the point to kill at", hangs.notified()).await;
        task.abort();
        assert!(task.await.expect_err("aborted").is_cancelled());
    }
    assert!(fixture.effect_count().await < 200, "there is something left to do");
    finish(&fixture, 200).await;
}

#[tokio::test]
async fn a_consumer_killed_at_any_time_applies_each_event_once() {
    let seed = 7;
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let fixture = Fixture::new().await;
    for _ in 0..25 {
        fixture.write(&ACCOUNTS).await;
    }
    for _ in 0..25 {
        let consumer = local_consumer(&fixture, fixture.pool(), quick_settings(), |_| Then::Return);
        let task = tokio::spawn(async move { consumer.run(CancellationToken::new()).await });
        tokio::time::sleep(Duration::from_micros(random.random_range(2_000..40_000))).await;
        task.abort();
        // It may have ended in the meantime.
        let _ = task.await;
    }
    finish(&fixture, 200).await;
}

/// Runs a consumer until all events have their effect, and looks at the effects.
async fn finish(fixture: &Fixture, events: i64) {
    let consumer = local_consumer(fixture, fixture.pool(), quick_settings(), |_| Then::Return);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let task = tokio::spawn(async move { consumer.run(stopped).await });
    fixture.until_effects(events).await;
    stop.cancel();
    within_deadline("end of the consumer", task).await.expect("no panic");
    assert_eq!(fixture.effect_count().await, events);
    for account in ACCOUNTS {
        let numbers: Vec<i64> =
            fixture.effects().await.into_iter().filter(|(of, _)| of == account).map(|(_, number)| number).collect();
        assert_eq!(numbers, (1..=events / 8).collect::<Vec<_>>(), "{account}");
    }
}

async fn replica_count(fixture: &Fixture) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM events_test.consumer_replicas")
        .fetch_one(fixture.pool())
        .await
        .expect("a count")
}

#[tokio::test]
async fn a_failing_event_holds_up_its_partition_only() {
    let fixture = Fixture::new().await;
    assert_ne!(partition_of("a"), partition_of("b"));
    fixture.write(&["a", "b", "a", "b"]).await;
    let may_pass = Arc::new(AtomicBool::new(false));
    let (gate, attempts) = (Arc::clone(&may_pass), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&attempts);
    let consumer = local_consumer(&fixture, fixture.pool(), quick_settings(), move |event| {
        if event.account.as_ref().is_some_and(|account| account.as_str() == "a") && !gate.load(Ordering::SeqCst) {
            counted.fetch_add(1, Ordering::SeqCst);
            return if counted.load(Ordering::SeqCst) % 2 == 0 {
                Then::Panic
            } else {
                Then::Fail(HandlerError::Retry("not yet".to_owned()))
            };
        }
        Then::Return
    });
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let task = tokio::spawn(async move { consumer.run(stopped).await });
    fixture.until_effects(2).await;
    // What comes later passes it by, too.
    fixture.write(&["b", "a"]).await;
    fixture.until_effects(3).await;
    until("several attempts", async || attempts.load(Ordering::SeqCst) >= 5).await;
    assert!(fixture.effects().await.iter().all(|(account, _)| account == "b"));
    may_pass.store(true, Ordering::SeqCst);
    fixture.until_effects(6).await;
    stop.cancel();
    within_deadline("end of the consumer", task).await.expect("no panic");
    let numbers = |of: &str, effects: &[(String, i64)]| {
        effects.iter().filter(|(account, _)| account == of).map(|(_, number)| *number).collect::<Vec<_>>()
    };
    let effects = fixture.effects().await;
    assert_eq!((numbers("a", &effects), numbers("b", &effects)), (vec![1, 2, 3], vec![1, 2, 3]));
}

#[tokio::test]
async fn an_event_that_the_handler_skips_has_no_effect_and_holds_up_nothing() {
    let fixture = Fixture::new().await;
    fixture.write(&["a", "a", "a"]).await;
    let consumer = local_consumer(&fixture, fixture.pool(), quick_settings(), |event| {
        if event.offset == 2 { Then::Fail(HandlerError::Skip("of no use".to_owned())) } else { Then::Return }
    });
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let task = tokio::spawn(async move { consumer.run(stopped).await });
    fixture.until_effects(2).await;
    stop.cancel();
    within_deadline("end of the consumer", task).await.expect("no panic");
    assert_eq!(fixture.effects().await, [("a".to_owned(), 1), ("a".to_owned(), 3)]);
    assert_eq!(replica_count(&fixture).await, 0, "a replica that ends says so");
}

#[tokio::test]
async fn a_new_consumer_may_start_with_what_comes_next_and_only_its_types() {
    let fixture = Fixture::new().await;
    fixture.write(&["a", "b"]).await;
    let settings = ConsumerSettings {
        start: ConsumerStart::Now,
        types: vec!["mainstay.events.v1.FeedPosition".to_owned()],
        ..quick_settings()
    };
    let consumer = local_consumer(&fixture, fixture.pool(), settings, |_| Then::Return);
    let task = tokio::spawn(async move { consumer.run(CancellationToken::new()).await });
    until("a start", async || fixture.reader().subscriptions() > 0).await;
    fixture.write(&["b"]).await;
    fixture.until_effects(1).await;
    assert_eq!(fixture.effects().await, [("b".to_owned(), 2)]);
    task.abort();
}

#[tokio::test]
async fn a_consumer_passes_over_nothing_that_was_pruned() {
    let fixture = Fixture::new().await;
    fixture.write(&["a"]).await;
    let consume = || {
        let consumer = local_consumer(&fixture, fixture.pool(), quick_settings(), |_| Then::Return);
        tokio::spawn(async move { consumer.run(CancellationToken::new()).await })
    };
    let first = consume();
    fixture.until_effects(1).await;
    first.abort();
    let _ = first.await;
    fixture.write(&["a", "a"]).await;
    let pruned = fixture.log.prune(fixture.pool(), fixture.now() + TimeDelta::days(1)).await.expect("a number");
    assert_eq!(pruned, 3);
    fixture.write(&["a"]).await;
    let second = consume();
    until("an attempt to go on", async || replica_count(&fixture).await == 2).await;
    let position = mainstay_events::LocalSource::new(fixture.reader());
    let source: &dyn mainstay_events::EventSource = &position;
    let feed_id = source.position().await.expect("a position").feed_id;
    let refused = source.subscribe(feed_id, 1, mainstay_events::FeedFilter::default(), false).await;
    assert!(matches!(refused.map(|_| ()), Err(mainstay_events::SourceError::Expired { .. })));
    second.abort();
    let _ = second.await;
    assert_eq!(fixture.effect_count().await, 1);
}

#[tokio::test]
async fn a_handler_may_have_each_event_in_a_transaction_of_its_own() {
    let fixture = Fixture::new().await;
    for _ in 0..5 {
        fixture.write(&ACCOUNTS).await;
    }
    let transactions = async || -> i64 {
        let counted = sqlx::query_scalar("SELECT count(DISTINCT xmin::text) FROM events_test.effects");
        counted.fetch_one(fixture.pool()).await.expect("a count")
    };
    let source = Arc::new(LocalSource::new(fixture.reader()));
    let handler = Arc::new(OneByOne(Recorder(|_: &Event| Then::Return)));
    let consumer = Consumer::new("recorder", source, handler, fixture.pool().clone(), &SCHEMA);
    consumer.with_settings(quick_settings()).catch_up().await.expect("applied");
    assert_eq!((fixture.effect_count().await, transactions().await), (40, 40));
}
