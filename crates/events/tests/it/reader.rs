//! Subscriptions: where they start, what they give, how they end.

use std::time::Duration;

use chrono::TimeDelta;
use futures::StreamExt;
use mainstay_domain::partition_of;
use mainstay_events::{EventLog, FeedBatch, FeedFilter, FeedReader, FeedSettings, FeedStart};
use tonic::Code;

use crate::fixture::{
    FEED, Fixture, SCHEMA, collect, error_info, events_of, offsets_of, quick, sample, until, within_deadline,
};

const ALL: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

async fn read_all(fixture: &Fixture, start: FeedStart, filter: FeedFilter) -> Vec<FeedBatch> {
    collect(fixture.reader().subscribe(start, filter, true).await.expect("a stream")).await
}

#[tokio::test]
async fn each_cursor_resumes_with_exactly_the_rest() {
    let fixture = Fixture::new().await;
    for _ in 0..6 {
        fixture.write(&ALL).await;
    }
    let filters = [
        FeedFilter::default(),
        FeedFilter { partitions: vec![partition_of("b"), partition_of("e")], ..FeedFilter::default() },
        FeedFilter { types: vec!["mainstay.events.v1.FeedPosition".to_owned()], ..FeedFilter::default() },
        FeedFilter { types: vec!["none.such".to_owned()], ..FeedFilter::default() },
    ];
    for filter in filters {
        let batches = read_all(&fixture, FeedStart::Oldest, filter.clone()).await;
        let all = offsets_of(&batches);
        let expected_count = match (filter.partitions.len(), filter.types.first()) {
            (2, _) => 12,
            (_, Some(name)) if name == "none.such" => 0,
            _ => 36,
        };
        assert_eq!(all.len(), expected_count, "{filter:?}");
        assert_eq!(batches.last().expect("an end").through, 36, "the cursor moves past what is hidden");
        let mut given = 0;
        for batch in &batches {
            given += batch.events.len();
            let rest = read_all(&fixture, FeedStart::Cursor(batch.cursor.clone()), filter.clone()).await;
            assert_eq!(offsets_of(&rest), all[given..], "{filter:?} after {}", batch.through);
        }
    }
}

#[tokio::test]
async fn until_now_includes_what_has_no_offset_yet_and_nothing_later() {
    let fixture = Fixture::new().await;
    fixture.write(&ALL).await;
    let mut conn = fixture.pool().acquire().await.expect("a connection");
    let waiting = sample(&fixture.ids, "waiting", 1, fixture.now());
    fixture.log.append(&mut conn, &[waiting], fixture.now()).await.expect("an append");
    drop(conn);
    let stream = fixture.reader().subscribe(FeedStart::Oldest, FeedFilter::default(), true).await.expect("a stream");
    fixture.write(&["later"]).await;
    let accounts: Vec<String> = events_of(&collect(stream).await).into_iter().map(|(account, ..)| account).collect();
    assert_eq!(accounts, ["a", "b", "c", "d", "e", "f", "waiting"]);
    assert_eq!(offsets_of(&read_all(&fixture, FeedStart::Now, FeedFilter::default()).await), Vec::<i64>::new());
}

#[tokio::test]
async fn a_reader_from_now_on_has_a_cursor_before_the_first_event_and_misses_none_after_a_cut() {
    let fixture = Fixture::new().await;
    fixture.write(&ALL).await;
    for until_now in [false, true] {
        let reader = fixture.reader();
        let mut stream = reader.subscribe(FeedStart::Now, FeedFilter::default(), until_now).await.expect("a stream");
        let first = within_deadline("a cursor", stream.next()).await.expect("no end").expect("a batch");
        assert_eq!(first.events, []);
        drop(stream);
        fixture.write(&["g"]).await;
        let missed = read_all(&fixture, FeedStart::Cursor(first.cursor), FeedFilter::default()).await;
        assert_eq!(offsets_of(&missed), [first.through + 1]);
    }
}

#[tokio::test]
async fn an_open_subscription_gets_what_another_process_writes() {
    let fixture = Fixture::new().await;
    fixture.write(&["a"]).await;
    let mut stream = fixture.reader().subscribe(FeedStart::Now, FeedFilter::default(), false).await.expect("a stream");
    within_deadline("a cursor", stream.next()).await.expect("no end").expect("a batch");
    let elsewhere = EventLog::new(&SCHEMA);
    let mut conn = fixture.pool().acquire().await.expect("a connection");
    elsewhere
        .append(&mut conn, &[sample(&fixture.ids, "a", 2, fixture.now())], fixture.now())
        .await
        .expect("an append");
    elsewhere.drain(fixture.pool()).await.expect("offsets");
    let batch = within_deadline("an event", stream.next()).await.expect("no end").expect("a batch");
    assert_eq!(offsets_of(&[batch]), [2]);
}

#[tokio::test]
async fn a_sign_of_life_comes_and_moves_past_what_is_hidden() {
    let fixture = Fixture::new().await;
    fixture.write(&ALL).await;
    let settings = FeedSettings { heartbeat_interval: Duration::from_millis(10), ..quick() };
    let filter = FeedFilter { types: vec!["none.such".to_owned()], ..FeedFilter::default() };
    let reader = fixture.reader_with(settings);
    let mut stream = reader.subscribe(FeedStart::Oldest, filter, false).await.expect("a stream");
    let beats: Vec<FeedBatch> =
        within_deadline("signs of life", (&mut stream).take(3).map(|beat| beat.expect("a beat")).collect()).await;
    assert_eq!(offsets_of(&beats), Vec::<i64>::new());
    assert_eq!(beats[2].through, 6);
}

#[tokio::test]
async fn a_reader_that_has_all_is_told_so_once_soon_and_moved_past_what_is_hidden() {
    let fixture = Fixture::new().await;
    let settings = FeedSettings { caught_up_after: Duration::from_millis(10), ..quick() };
    let filter = FeedFilter { types: vec!["a".to_owned()], ..FeedFilter::default() };
    let reader = fixture.reader_with(settings);
    let mut stream = reader.subscribe(FeedStart::Oldest, filter, false).await.expect("a stream");
    fixture.write(&["a", "b"]).await;
    let mut told = Vec::new();
    while told.last().is_none_or(|through| *through < 2) {
        let batch = within_deadline("a batch", stream.next()).await.expect("no end").expect("a batch");
        told.push(batch.through);
    }
    let more = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
    assert!(more.is_err(), "the next sign of life is a heartbeat's: {more:?}");
}

#[tokio::test]
async fn a_cursor_before_the_oldest_event_is_told_where_to_start() {
    let fixture = Fixture::new().await;
    fixture.write(&ALL).await;
    let early = read_all(&fixture, FeedStart::Oldest, FeedFilter::default()).await;
    let early = FeedStart::Cursor(early[0].cursor.clone());
    fixture.clock.advance(TimeDelta::days(1));
    fixture.write(&["g"]).await;
    // Up to the cursor, it still holds.
    assert_eq!(offsets_of(&read_all(&fixture, early.clone(), FeedFilter::default()).await), [7]);
    fixture.clock.advance(TimeDelta::days(1));
    fixture.write(&["h"]).await;
    fixture.log.prune(fixture.pool(), fixture.now()).await.expect("a number");

    let refused = fixture.reader().subscribe(early, FeedFilter::default(), true).await;
    let (code, reason, metadata) = error_info(refused.map(|_| ()).expect_err("expired"));
    assert_eq!((code, reason.as_str()), (Code::OutOfRange, "CURSOR_EXPIRED"));
    let oldest = FeedStart::Cursor(metadata["oldest_cursor"].clone());
    assert_eq!(offsets_of(&read_all(&fixture, oldest, FeedFilter::default()).await), [8]);
    assert_eq!(offsets_of(&read_all(&fixture, FeedStart::Oldest, FeedFilter::default()).await), [8]);
}

#[tokio::test]
async fn an_open_subscription_that_is_overtaken_by_pruning_is_told() {
    let fixture = Fixture::new().await;
    for _ in 0..10 {
        fixture.write(&ALL).await;
    }
    // Two batches of 7 fill the buffer, the third waits for the reader; the fourth is read after the pruning.
    let mut stream =
        fixture.reader().subscribe(FeedStart::Oldest, FeedFilter::default(), false).await.expect("a stream");
    let first = within_deadline("a batch", stream.next()).await.expect("no end").expect("a batch");
    fixture.log.prune(fixture.pool(), fixture.now() + TimeDelta::days(1)).await.expect("a number");
    let mut given = first.through;
    let error = loop {
        match within_deadline("a batch", stream.next()).await.expect("an error first") {
            Ok(batch) => {
                assert_eq!(batch.events[0].offset, given + 1, "what is given has no gap");
                given = batch.through;
            }
            Err(error) => break error,
        }
    };
    assert_eq!(error_info(error).1, "CURSOR_EXPIRED");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_cursor_that_is_not_of_this_feed_is_refused() {
    let fixture = Fixture::new().await;
    fixture.write(&ALL).await;
    let newest = read_all(&fixture, FeedStart::Oldest, FeedFilter::default()).await.last().expect("one").cursor.clone();
    let refused = async |reader: FeedReader, cursor: &str| {
        let refused = reader.subscribe(FeedStart::Cursor(cursor.to_owned()), FeedFilter::default(), true).await;
        let (code, reason, _) = error_info(refused.map(|_| ()).expect_err("refused"));
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "INVALID_CURSOR"), "{cursor}");
    };
    refused(fixture.reader(), "12").await;
    refused(fixture.reader(), &newest[1..]).await;
    let other = FeedReader::new(fixture.log.clone(), fixture.pool().clone(), "other", fixture.cancel.clone());
    refused(other, &newest).await;

    // The feed of the same name that was made anew, though it has as many events.
    let other = Fixture::new().await;
    other.write(&ALL).await;
    sqlx::query("UPDATE events_test.feed_head SET feed_id = gen_random_uuid()")
        .execute(other.pool())
        .await
        .expect("another identity than that of the template of the tests' databases");
    refused(other.reader(), &newest).await;

    // The feed after it was restored from a copy of an earlier state.
    sqlx::raw_sql(
        "DELETE FROM events_test.feed WHERE feed_offset > 5; UPDATE events_test.feed_head SET last_offset = 5",
    )
    .execute(fixture.pool())
    .await
    .expect("an earlier state");
    refused(fixture.reader(), &newest).await;
}

#[tokio::test]
async fn a_slow_reader_is_cut_off_with_the_cursor_to_go_on_from() {
    let fixture = Fixture::new().await;
    for _ in 0..10 {
        fixture.write(&ALL).await;
    }
    let settings = FeedSettings { slow_reader_after: Duration::from_millis(20), ..quick() };
    let reader = fixture.reader_with(settings);
    let mut stream = reader.subscribe(FeedStart::Oldest, FeedFilter::default(), false).await.expect("a stream");
    until("end of the subscription", async || reader.subscriptions() == 0).await;
    let mut received = Vec::new();
    let error = loop {
        match stream.next().await.expect("an error first") {
            Ok(batch) => received.push(batch),
            Err(error) => break error,
        }
    };
    assert_eq!(received.len(), settings.batches_buffered_max, "no more than the buffer holds was kept");
    let (code, reason, metadata) = error_info(error);
    assert_eq!((code, reason.as_str()), (Code::ResourceExhausted, "SLOW_READER"));
    assert!(stream.next().await.is_none());
    let rest = read_all(&fixture, FeedStart::Cursor(metadata["cursor"].clone()), FeedFilter::default()).await;
    received.extend(rest);
    assert_eq!(offsets_of(&received), (1..=60).collect::<Vec<i64>>());
}

#[tokio::test]
async fn shutdown_ends_subscriptions_with_the_cursor_to_go_on_from() {
    let fixture = Fixture::new().await;
    for _ in 0..10 {
        fixture.write(&ALL).await;
    }
    let idle = fixture.reader().subscribe(FeedStart::Now, FeedFilter::default(), false).await.expect("a stream");
    let busy = fixture.reader().subscribe(FeedStart::Oldest, FeedFilter::default(), false).await.expect("a stream");
    until("a full buffer", async || fixture.reader().subscriptions() == 2).await;
    fixture.cancel.cancel();
    let refused = fixture.reader().subscribe(FeedStart::Now, FeedFilter::default(), false).await;
    assert_eq!(error_info(refused.map(|_| ()).expect_err("refused")).1, "SHUTTING_DOWN");
    for (mut stream, expected_first) in [(idle, 61), (busy, 1)] {
        let mut next = expected_first;
        let error = loop {
            match within_deadline("an end", stream.next()).await.expect("an error first") {
                Ok(batch) => {
                    assert!(batch.events.first().is_none_or(|first| first.offset == next), "{batch:?}");
                    next = batch.through + 1;
                }
                Err(error) => break error,
            }
        };
        let (code, reason, metadata) = error_info(error);
        assert_eq!((code, reason.as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
        let restarted = FeedReader::new(
            fixture.log.clone(),
            fixture.pool().clone(),
            FEED,
            tokio_util::sync::CancellationToken::new(),
        );
        let start = FeedStart::Cursor(metadata["cursor"].clone());
        let rest = collect(restarted.subscribe(start, FeedFilter::default(), true).await.expect("a stream")).await;
        assert_eq!(offsets_of(&rest), (next..=60).collect::<Vec<i64>>());
    }
}

#[tokio::test]
async fn a_dropped_subscription_leaves_nothing_running() {
    let fixture = Fixture::new().await;
    let reader = fixture.reader();
    let stream = reader.subscribe(FeedStart::Now, FeedFilter::default(), false).await.expect("a stream");
    assert_eq!(reader.subscriptions(), 1);
    drop(stream);
    until("end of the subscription", async || reader.subscriptions() == 0).await;
}
