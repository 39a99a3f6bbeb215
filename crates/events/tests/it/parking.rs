//! Events that fail for good: set aside, seen, requeued, given up.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use mainstay_domain::{PARTITION_COUNT, partition_of};
use mainstay_events::{ConsumerSettings, HandlerError, ParkedEvents};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fixture::{FEED, Fixture, SCHEMA, until};
use crate::handler::{Then, local_consumer, number_of, quick_settings};

/// An account in the same partition as another.
fn neighbour_of(account: &str) -> String {
    (0..i32::from(PARTITION_COUNT) * 100)
        .map(|number| format!("n{number}"))
        .find(|candidate| partition_of(candidate) == partition_of(account))
        .expect("a neighbour")
}

/// A running consumer that fails at the numbers of account `a` that are in `poison`.
fn consume(fixture: &Fixture, poison: &Arc<Mutex<BTreeSet<i64>>>) -> JoinHandle<()> {
    let settings = ConsumerSettings { attempts_max: 3, ..quick_settings() };
    let poison = Arc::clone(poison);
    let consumer = local_consumer(fixture, fixture.pool(), settings, move |event| {
        let is_of_a = event.account.as_ref().is_some_and(|account| account.as_str() == "a");
        if is_of_a && poison.lock().expect("a lock").contains(&number_of(event)) {
            Then::Fail(HandlerError::Retry("poison".to_owned()))
        } else {
            Then::Return
        }
    });
    tokio::spawn(async move { consumer.run(CancellationToken::new()).await })
}

#[tokio::test]
async fn a_poisoned_account_waits_in_order_and_its_neighbour_goes_on() {
    let fixture = Fixture::new().await;
    let neighbour = neighbour_of("a");
    let parked = ParkedEvents::new(&SCHEMA);
    fixture.write(&["a", "a", &neighbour, "a"]).await;
    let poison = Arc::new(Mutex::new(BTreeSet::from([2, 4])));
    let task = consume(&fixture, &poison);
    fixture.until_effects(2).await;
    fixture.write(&["a", &neighbour, "a"]).await;
    fixture.until_effects(3).await;
    let list = async || parked.list(fixture.pool(), None, 100).await.expect("a list");
    until("four parked events", async || list().await.len() == 4).await;

    let seen: Vec<(i64, i32, String)> = list()
        .await
        .into_iter()
        .map(|parked| {
            assert_eq!((parked.consumer.as_str(), parked.feed.as_str(), parked.requeued), ("recorder", FEED, false));
            (number_of(&parked.event), parked.attempts, parked.reason)
        })
        .collect();
    let waits = "waits behind an earlier event of its account".to_owned();
    assert_eq!(
        seen,
        [
            (2, 3, "to be tried again: poison".to_owned()),
            (3, 0, waits.clone()),
            (4, 0, waits.clone()),
            (5, 0, waits.clone())
        ]
    );
    let first_page = parked.list(fixture.pool(), None, 3).await.expect("a list");
    let second_page = parked.list(fixture.pool(), first_page.last(), 3).await.expect("a list");
    assert_eq!(second_page.iter().map(|parked| number_of(&parked.event)).collect::<Vec<_>>(), [5]);

    // The second is cured: requeued, it and the third take effect; the fourth fails and stays with the fifth.
    poison.lock().expect("a lock").remove(&2);
    assert!(parked.requeue(fixture.pool(), "recorder", FEED, "a").await.expect("an answer"));
    fixture.until_effects(5).await;
    until("the fourth to fail", async || {
        list().await.first().is_some_and(|parked| !parked.requeued && parked.attempts == 1)
    })
    .await;
    assert_eq!(list().await.iter().map(|parked| number_of(&parked.event)).collect::<Vec<_>>(), [4, 5]);

    // The fourth is given up; what is behind it and what comes then takes effect.
    let fourth = list().await.remove(0);
    assert!(parked.discard(fixture.pool(), &fourth).await.expect("an answer"));
    assert!(!parked.discard(fixture.pool(), &fourth).await.expect("an answer"), "it is gone");
    assert!(parked.requeue(fixture.pool(), "recorder", FEED, "a").await.expect("an answer"));
    fixture.until_effects(6).await;
    until("an empty list", async || list().await.is_empty()).await;
    fixture.write(&["a"]).await;
    fixture.until_effects(7).await;
    assert!(!parked.requeue(fixture.pool(), "recorder", FEED, "a").await.expect("an answer"), "nothing is parked");
    task.abort();

    let numbers: Vec<i64> =
        fixture.effects().await.into_iter().filter(|(account, _)| account == "a").map(|(_, number)| number).collect();
    assert_eq!(numbers, [1, 2, 3, 5, 6]);
}

#[tokio::test]
async fn attempts_are_counted_over_restarts() {
    let fixture = Fixture::new().await;
    fixture.write(&["a"]).await;
    let attempts = async || {
        sqlx::query_scalar::<_, i32>("SELECT attempts FROM events_test.consumer_offsets WHERE partition = $1")
            .bind(partition_of("a"))
            .fetch_optional(fixture.pool())
            .await
            .expect("an answer")
            .unwrap_or(0)
    };
    let poison = Arc::new(Mutex::new(BTreeSet::from([1])));
    let mut restarts = 0;
    // Each run is killed after its first failure; were the count lost, none would ever park the event.
    while ParkedEvents::new(&SCHEMA).list(fixture.pool(), None, 1).await.expect("a list").is_empty() {
        let before = attempts().await;
        let task = consume(&fixture, &poison);
        until("a failure", async || {
            let now = attempts().await;
            now > before || now == 0 && before > 0
        })
        .await;
        task.abort();
        let _ = task.await;
        restarts += 1;
        // A kill may fall between the last attempt and the parking, which the next attempt makes up for.
        assert!(restarts <= 10, "parked after three attempts or little more");
    }
}
