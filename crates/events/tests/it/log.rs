//! Append, read and prune.

use chrono::TimeDelta;
use mainstay_domain::partition_of;
use mainstay_events::{FeedFilter, Gap, NewEvent, PageLimit};
use mainstay_storage::StorageError;

use crate::fixture::{Fixture, sample};

const LIMIT: PageLimit = PageLimit { events_max: 100, bytes_max: 1 << 20, examined_max: 1_000 };

#[tokio::test]
async fn events_keep_the_order_in_which_they_were_appended() {
    let fixture = Fixture::new().await;
    let events: Vec<NewEvent> =
        (1..=4_500).map(|number| sample(&fixture.ids, &format!("a{}", number % 7), number, fixture.now())).collect();
    let mut transaction = fixture.pool().begin().await.expect("a transaction");
    fixture.log.append(&mut transaction, &events, fixture.now()).await.expect("an append");
    transaction.commit().await.expect("a commit");
    assert_eq!(fixture.log.position(fixture.pool()).await.expect("a position").outbox_size, 4_500);
    assert_eq!(fixture.log.sequence(fixture.pool(), 700).await.expect("offsets"), 700);
    assert_eq!(fixture.log.drain(fixture.pool()).await.expect("offsets"), 3_800);

    let mut after = 0;
    let mut numbers = Vec::new();
    loop {
        let page = fixture.log.read(fixture.pool(), after, &FeedFilter::default(), LIMIT).await.expect("a page");
        if page.events.is_empty() {
            break;
        }
        assert_eq!(page.through, page.events.last().expect("one").offset);
        after = page.through;
        for event in &page.events {
            let payload: mainstay_api::mainstay::events::v1::FeedPosition = event.decode().expect("a sample");
            numbers.push(payload.newest_offset);
            assert_eq!(event.partition, partition_of(event.account.as_ref().expect("an account").as_str()));
            assert_eq!((event.event_time, event.record_time), (fixture.now(), fixture.now()));
        }
    }
    assert_eq!(numbers, (1..=4_500).collect::<Vec<i64>>());
}

#[tokio::test]
async fn an_event_of_a_rolled_back_transaction_never_happened() {
    let fixture = Fixture::new().await;
    let mut transaction = fixture.pool().begin().await.expect("a transaction");
    let event = sample(&fixture.ids, "acme", 1, fixture.now());
    fixture.log.append(&mut transaction, &[event], fixture.now()).await.expect("an append");
    transaction.rollback().await.expect("a rollback");
    fixture.write(&["acme"]).await;
    assert_eq!(fixture.assert_feed_is_whole().await, 1);
}

#[tokio::test]
async fn an_event_of_no_account_has_a_partition_too() {
    let fixture = Fixture::new().await;
    let payload = mainstay_api::mainstay::events::v1::FeedPosition::default();
    let event = NewEvent::of(fixture.ids.new_id(), None, &payload, fixture.now());
    let mut conn = fixture.pool().acquire().await.expect("a connection");
    fixture.log.append(&mut conn, &[event], fixture.now()).await.expect("an append");
    drop(conn);
    fixture.log.drain(fixture.pool()).await.expect("offsets");
    let page = fixture.log.read(fixture.pool(), 0, &FeedFilter::default(), LIMIT).await.expect("a page");
    assert_eq!((page.events[0].account.clone(), page.events[0].partition), (None, partition_of("")));
}

#[tokio::test]
async fn a_payload_above_the_limit_is_refused() {
    let fixture = Fixture::new().await;
    let payload = mainstay_api::mainstay::events::v1::FeedPosition {
        oldest_cursor: "x".repeat(NewEvent::PAYLOAD_BYTES_MAX),
        ..Default::default()
    };
    let event = NewEvent::of(fixture.ids.new_id(), None, &payload, fixture.now());
    let mut conn = fixture.pool().acquire().await.expect("a connection");
    let refused = fixture.log.append(&mut conn, &[event], fixture.now()).await;
    assert!(
        matches!(&refused, Err(StorageError::CheckViolation { constraint }) if constraint == "outbox_payload_bytes_max"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_page_is_bounded_by_its_bytes_and_by_what_it_examines() {
    let fixture = Fixture::new().await;
    fixture.write(&["a"; 30]).await;
    let read = async |after, filter: FeedFilter, limit| {
        let page = fixture.log.read(fixture.pool(), after, &filter, limit).await.expect("a page");
        (page.events.len(), page.through)
    };
    // A payload has 2 bytes: the third one starts below the bound of 5.
    assert_eq!(read(0, FeedFilter::default(), PageLimit { bytes_max: 5, ..LIMIT }).await, (3, 3));
    assert_eq!(read(0, FeedFilter::default(), PageLimit { bytes_max: 1, ..LIMIT }).await, (1, 1));
    let nothing = FeedFilter { types: vec!["none.such".to_owned()], ..FeedFilter::default() };
    assert_eq!(read(4, nothing.clone(), PageLimit { examined_max: 10, ..LIMIT }).await, (0, 14));
    assert_eq!(read(25, nothing.clone(), PageLimit { examined_max: 10, ..LIMIT }).await, (0, 30));
    assert_eq!(read(30, nothing, LIMIT).await, (0, 30));
}

#[tokio::test]
async fn pruning_takes_a_whole_beginning_and_leaves_no_gap() {
    let fixture = Fixture::new().await;
    let mut transaction = fixture.pool().begin().await.expect("a transaction");
    let old: Vec<NewEvent> = (1..=7_000).map(|number| sample(&fixture.ids, "a", number, fixture.now())).collect();
    fixture.log.append(&mut transaction, &old, fixture.now()).await.expect("an append");
    let later = fixture.now() + TimeDelta::days(1);
    let new = sample(&fixture.ids, "a", 7_001, later);
    fixture.log.append(&mut transaction, &[new], later).await.expect("an append");
    // Recorded by a clock that was behind: it stays, as it lies after one that stays.
    let late = sample(&fixture.ids, "a", 7_002, fixture.now());
    fixture.log.append(&mut transaction, &[late], fixture.now()).await.expect("an append");
    transaction.commit().await.expect("a commit");
    fixture.log.drain(fixture.pool()).await.expect("offsets");

    assert_eq!(fixture.log.prune(fixture.pool(), fixture.now()).await.expect("a number"), 0);
    assert_eq!(fixture.log.prune(fixture.pool(), later).await.expect("a number"), 7_000);
    let position = fixture.log.position(fixture.pool()).await.expect("a position");
    assert_eq!((position.pruned_through, position.last_offset), (7_000, 7_002));
    assert_eq!(fixture.log.find_gap(fixture.pool()).await.expect("an answer"), None);
    assert_eq!(fixture.log.prune(fixture.pool(), later + TimeDelta::days(1)).await.expect("a number"), 2);
    assert_eq!(fixture.log.find_gap(fixture.pool()).await.expect("an answer"), None);
}

#[tokio::test]
async fn a_gap_is_found_wherever_it_is() {
    let fixture = Fixture::new().await;
    fixture.write(&["a"; 5]).await;
    for missing in [1_i64, 3, 5] {
        sqlx::query("DELETE FROM events_test.feed WHERE feed_offset = $1")
            .bind(missing)
            .execute(fixture.pool())
            .await
            .expect("a deletion");
        let gap = fixture.log.find_gap(fixture.pool()).await.expect("an answer").expect("a gap");
        assert_eq!(gap, Gap { after: missing - 1, before: missing + 1 });
        sqlx::query(
            "INSERT INTO events_test.feed
             SELECT $1, account_id, event_id, partition, event_type, payload, event_time, record_time, traceparent
             FROM events_test.feed LIMIT 1",
        )
        .bind(missing)
        .execute(fixture.pool())
        .await
        .expect("an insertion");
        assert_eq!(fixture.log.find_gap(fixture.pool()).await.expect("an answer"), None);
    }
}
