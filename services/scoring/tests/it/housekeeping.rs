//! What is thrown away, when, and what stays.

use chrono::TimeDelta;
use mainstay_api::mainstay::events::v1::{GetFeedPositionRequest, SubscribeRequest};
use mainstay_api::mainstay::scoring::v1 as proto;

use crate::harness::{Harness, account};
use crate::refusals::reason;

fn creation(id: &str, request_id: &str) -> proto::CreateAccountRequest {
    proto::CreateAccountRequest {
        account_id: id.to_owned(),
        account: Some(account(id)),
        request_id: request_id.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn request_ids_are_kept_for_seven_days() {
    let mut harness = Harness::start("1997-01-01T00:00:00Z").await;
    harness.accounts.create_account(creation("a", "first")).await.expect("created");

    harness.clock.advance(TimeDelta::days(7));
    harness.keep_house().await;
    harness.accounts.create_account(creation("a", "first")).await.expect("answered as the first time");
    let reused = harness.accounts.create_account(creation("b", "first")).await.expect_err("another request");
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");

    harness.clock.advance(TimeDelta::days(1));
    harness.keep_house().await;
    harness.accounts.create_account(creation("b", "first")).await.expect("the id is free");
}

#[tokio::test]
async fn events_are_kept_for_ninety_days_and_older_cursors_are_told_so() {
    let mut harness = Harness::start("1997-01-01T00:00:00Z").await;
    harness.create_accounts(&["a", "b"]).await;
    harness.settle().await;
    let start = harness.feed.get_feed_position(GetFeedPositionRequest {}).await.expect("a position").into_inner();

    harness.clock.advance(TimeDelta::days(90));
    harness.keep_house().await;
    let kept = harness.feed.get_feed_position(GetFeedPositionRequest {}).await.expect("a position").into_inner();
    assert_eq!(kept.oldest_cursor, start.oldest_cursor, "nothing is older than 90 days");

    harness.clock.advance(TimeDelta::days(1));
    harness.create_accounts(&["c"]).await;
    harness.settle().await;
    harness.keep_house().await;
    let request = |cursor| SubscribeRequest { cursor, until_now: true, ..Default::default() };
    let mut events = harness.feed.subscribe(request(String::new())).await.expect("a stream").into_inner();
    let oldest = events.message().await.expect("a batch").and_then(|batch| batch.events.into_iter().next());
    assert!(oldest.is_some_and(|event| event.offset > start.newest_offset), "what is new stays");
    let expired = harness.feed.subscribe(request(start.oldest_cursor)).await.expect_err("it is too old");
    assert_eq!(reason(&expired), "CURSOR_EXPIRED");
}
