//! Several replicas of a consumer share the partitions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, until, within_deadline};
use crate::handler::{Then, local_consumer, quick_settings};

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_the_work_and_take_over_from_one_that_dies() {
    let fixture = Fixture::new().await;
    let accounts: Vec<String> = (0..32).map(|number| format!("a{number}")).collect();
    let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
    let start = || {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let consumer = local_consumer(&fixture, &fixture.other_pool(6), quick_settings(), move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Then::Return
        });
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        (tokio::spawn(async move { consumer.run(stopped).await }), calls, stop)
    };
    let (dying, dying_calls, _) = start();
    let (living, living_calls, stop) = start();
    let mut rounds = 0;
    until("work of both", async || {
        fixture.write(&accounts).await;
        rounds += 1;
        dying_calls.load(Ordering::SeqCst) > 0 && living_calls.load(Ordering::SeqCst) > 0
    })
    .await;
    fixture.until_effects(rounds * 32).await;

    // Killed, it cannot say so: the other takes over when the lease has run out.
    dying.abort();
    let _ = dying.await;
    fixture.write(&accounts).await;
    fixture.until_effects((rounds + 1) * 32).await;

    // A third one joins, the second leaves in good order.
    let (third, third_calls, stop_third) = start();
    stop.cancel();
    within_deadline("end of the second", living).await.expect("no panic");
    fixture.write(&accounts).await;
    fixture.until_effects((rounds + 2) * 32).await;
    assert!(third_calls.load(Ordering::SeqCst) > 0);
    stop_third.cancel();
    within_deadline("end of the third", third).await.expect("no panic");

    assert_eq!(fixture.effect_count().await, (rounds + 2) * 32);
    let parked: i64 = sqlx::query_scalar("SELECT count(*) FROM events_test.consumer_parked")
        .fetch_one(fixture.pool())
        .await
        .expect("a count");
    assert_eq!(parked, 0);
}
