//! Writers and sequencers at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use mainstay_events::{FeedFilter, FeedStart, Sequencer, SequencerSettings};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::Acquire;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, events_of, sample, within_deadline, write_next};

const WRITERS: u64 = 32;
const TRANSACTIONS_EACH: usize = 40;
const ACCOUNTS: usize = 24;

/// One writer: locks one to three accounts in key order, writes their events, sometimes holds the transaction open
/// with its locks, sometimes rolls it back.
async fn write_at_random(
    pool: sqlx::PgPool,
    log: mainstay_events::EventLog,
    ids: Arc<mainstay_domain::IdSource>,
    now: chrono::DateTime<chrono::Utc>,
    seed: u64,
) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    let mut conn = pool.acquire().await.expect("a connection");
    let mut written = 0;
    for _ in 0..TRANSACTIONS_EACH {
        let first = random.random_range(0..ACCOUNTS);
        let last = (first + random.random_range(0..3)).min(ACCOUNTS - 1);
        let mut transaction = conn.begin().await.expect("a transaction");
        for number in first..=last {
            write_next(&mut transaction, &log, &ids, &format!("a{number:02}"), now).await;
            if random.random_bool(0.1) {
                tokio::time::sleep(Duration::from_millis(random.random_range(1..6))).await;
            }
        }
        if random.random_bool(0.2) {
            transaction.rollback().await.expect("a rollback");
        } else {
            transaction.commit().await.expect("a commit");
            written += last - first + 1;
        }
    }
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_and_three_sequencers_lose_double_and_reorder_nothing() {
    let seed = 20_261_122;
    println!("seed {seed}");
    let fixture = Fixture::new().await;
    let writer_pool = fixture.other_pool(u32::try_from(WRITERS).expect("small"));

    // A transaction that is open all the while, with an event of its own.
    let mut held = fixture.other_pool(1).begin().await.expect("a transaction");
    write_next(&mut held, &fixture.log, &fixture.ids, "held", fixture.now()).await;

    // Sequencers of three processes: pools and wake-ups of their own.
    let stop_sequencers = CancellationToken::new();
    let mut sequencers = JoinSet::new();
    for batch_max in [3, 50, 2_000] {
        let settings =
            SequencerSettings { poll_interval: Duration::from_millis(1), batch_max, ..SequencerSettings::default() };
        let log = mainstay_events::EventLog::new(&crate::fixture::SCHEMA);
        let sequencer = Sequencer::new(log, fixture.other_pool(2), settings);
        let stop = stop_sequencers.clone();
        sequencers.spawn(async move { sequencer.run(stop).await });
    }

    // A reader that follows while all this happens.
    let reader = fixture.reader();
    let mut stream = reader.subscribe(FeedStart::Oldest, FeedFilter::default(), false).await.expect("a stream");
    let expected = Arc::new(AtomicUsize::new(usize::MAX));
    let follower_expects = Arc::clone(&expected);
    let following = tokio::spawn(async move {
        let mut batches = Vec::new();
        let mut count = 0;
        while count < follower_expects.load(Ordering::SeqCst) {
            // A short wait, so that a change of what is expected is seen.
            if let Ok(batch) = tokio::time::timeout(Duration::from_millis(20), stream.next()).await {
                let batch = batch.expect("no end").expect("a batch");
                count += batch.events.len();
                batches.push(batch);
            }
        }
        events_of(&batches)
    });

    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (pool, log, ids) = (writer_pool.clone(), fixture.log.clone(), Arc::clone(&fixture.ids));
        writers.spawn(write_at_random(pool, log, ids, fixture.now(), seed + writer));
    }
    let committed: usize = within_deadline("end of the writers", writers.join_all()).await.into_iter().sum();
    held.commit().await.expect("a commit");
    let written = committed + 1;

    expected.store(written, Ordering::SeqCst);
    let received = within_deadline("end of the follower", following).await.expect("no panic");
    stop_sequencers.cancel();
    within_deadline("end of the sequencers", sequencers.join_all()).await;

    assert_eq!(fixture.assert_feed_is_whole().await, written);
    let offsets: Vec<i64> = received.iter().map(|(_, _, offset, _)| *offset).collect();
    assert_eq!(offsets, (1..=i64::try_from(written).expect("small")).collect::<Vec<_>>());
    assert_eq!(fixture.log.position(fixture.pool()).await.expect("a position").outbox_size, 0);
}

/// Shows that the test above can fail: numbers drawn by writers, read in their order, do come out behind later ones.
#[tokio::test]
async fn a_reader_that_goes_by_the_order_of_insertion_would_lose_events() {
    let fixture = Fixture::new().await;
    let mut held = fixture.other_pool(1).begin().await.expect("a transaction");
    write_next(&mut held, &fixture.log, &fixture.ids, "early", fixture.now()).await;
    fixture.write(&["late"]).await;
    let last_seen: i64 = sqlx::query_scalar("SELECT last_offset FROM events_test.feed_head")
        .fetch_one(fixture.pool())
        .await
        .expect("an offset");
    assert_eq!(last_seen, 1, "the open transaction holds up only its own event");
    held.commit().await.expect("a commit");
    let sequences: Vec<i64> = sqlx::query_scalar("SELECT sequence FROM events_test.outbox")
        .fetch_all(fixture.pool())
        .await
        .expect("sequences");
    assert_eq!(sequences, [1], "it lies before the one that was read first");
    fixture.log.drain(fixture.pool()).await.expect("offsets");
    assert_eq!(fixture.assert_feed_is_whole().await, 2);
}

#[tokio::test]
async fn a_sequencer_is_woken_and_ends_when_told() {
    let fixture = Fixture::new().await;
    let settings = SequencerSettings { poll_interval: Duration::from_hours(1), ..SequencerSettings::default() };
    let sequencer = Sequencer::new(fixture.log.clone(), fixture.pool().clone(), settings);
    let (running, stop) = (sequencer.clone(), CancellationToken::new());
    let stopped = stop.clone();
    let task = tokio::spawn(async move { running.run(stopped).await });
    let reader = fixture.reader();
    let mut stream = reader.subscribe(FeedStart::Now, FeedFilter::default(), false).await.expect("a stream");
    within_deadline("a cursor", stream.next()).await.expect("no end").expect("a batch");
    let mut conn = fixture.pool().acquire().await.expect("a connection");
    let event = sample(&fixture.ids, "acme", 1, fixture.now());
    fixture.log.append(&mut conn, &[event], fixture.now()).await.expect("an append");
    sequencer.wake();
    let batch = within_deadline("an event", stream.next()).await.expect("no end").expect("a batch");
    assert_eq!(batch.events.len(), 1);
    stop.cancel();
    within_deadline("end of the sequencer", task).await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_sequenced_in_batches_of_any_size_and_read_whole() {
    const EVENTS: i64 = 40_000;
    let fixture = Fixture::new().await;
    let events: Vec<_> = (0..EVENTS)
        .map(|number| sample(&fixture.ids, &format!("a{}", number % 1_000), number, fixture.now()))
        .collect();
    let mut transaction = fixture.pool().begin().await.expect("a transaction");
    fixture.log.append(&mut transaction, &events, fixture.now()).await.expect("an append");
    transaction.commit().await.expect("a commit");
    for batch in [100, 500, 2_000, 5_000] {
        for _ in 0..EVENTS / 4 / batch {
            let moved = fixture.log.sequence(fixture.pool(), batch).await.expect("offsets");
            assert_eq!(i64::try_from(moved), Ok(batch));
        }
    }
    let reader = fixture.reader_with(mainstay_events::FeedSettings::default());
    let stream = reader.subscribe(FeedStart::Oldest, FeedFilter::default(), true).await.expect("a stream");
    let read = crate::fixture::offsets_of(&crate::fixture::collect(stream).await);
    assert_eq!(read, (1..=EVENTS).collect::<Vec<_>>());
}
