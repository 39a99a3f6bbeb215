//! A consumer that applies what is there and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mainstay_events::{ConsumerSettings, HandlerError};

use crate::fixture::Fixture;
use crate::handler::{Then, local_consumer, quick_settings};

#[tokio::test]
async fn catching_up_applies_what_is_there_and_says_how_much() {
    let fixture = Fixture::new().await;
    fixture.write(&["a", "b", "a"]).await;
    let consumer = local_consumer(&fixture, fixture.pool(), quick_settings(), |_| Then::Return);
    assert_eq!(consumer.catch_up().await.expect("effects"), 3);
    assert_eq!(fixture.effect_count().await, 3);
    assert_eq!(consumer.catch_up().await.expect("nothing new"), 0);
    fixture.write(&["c"]).await;
    assert_eq!(consumer.catch_up().await.expect("effects"), 1);
    assert_eq!(fixture.effect_count().await, 4);
}

#[tokio::test]
async fn catching_up_passes_over_types_that_are_not_wanted_and_comes_back() {
    let fixture = Fixture::new().await;
    fixture.write(&["a", "b"]).await;
    let settings = ConsumerSettings { types: vec!["another.v1.Type".to_owned()], ..quick_settings() };
    let consumer = local_consumer(&fixture, fixture.pool(), settings, |_| Then::Return);
    assert_eq!(consumer.catch_up().await.expect("nothing wanted"), 0);
    assert_eq!(fixture.effect_count().await, 0);
}

#[tokio::test]
async fn an_event_that_fails_waits_for_the_next_call_and_holds_up_its_partition_only() {
    let fixture = Fixture::new().await;
    fixture.write(&["a", "b", "a"]).await;
    let is_broken = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&is_broken);
    let consumer = local_consumer(&fixture, fixture.pool(), quick_settings(), move |event| {
        let is_a = event.account.as_ref().is_some_and(|account| account.as_str() == "a");
        if is_a && broken.load(Ordering::SeqCst) {
            Then::Fail(HandlerError::Retry("not yet".to_owned()))
        } else {
            Then::Return
        }
    });
    consumer.catch_up().await.expect("what can be applied");
    assert_eq!(fixture.effects().await, [("b".to_owned(), 1)]);
    is_broken.store(false, Ordering::SeqCst);
    consumer.catch_up().await.expect("the rest");
    assert_eq!(fixture.effect_count().await, 3);
}
