//! How fast email leaves. The bounds are far from what a quiet machine reaches; they are there to notice a design that cannot.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, email};

const EMAILS: usize = 300;

#[tokio::test]
async fn at_least_a_hundred_emails_a_second_leave_on_a_few_connections() {
    let fixture = Fixture::start().await;
    for _ in 0..EMAILS {
        fixture.enqueue_new(email()).await;
    }
    let dispatcher = fixture.dispatcher();
    let cancel = CancellationToken::new();
    let started = Instant::now();
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { dispatcher.run(cancel).await }
    });
    fixture.smtp.wait_for(EMAILS).await;
    let took = started.elapsed();
    cancel.cancel();
    running.await.expect("a clean end");
    println!("{EMAILS} emails in {took:?}, {} connections", fixture.smtp.connections());
    assert!(took < Duration::from_secs(3), "{EMAILS} emails took {took:?}");
    assert!(fixture.smtp.connections() <= 16, "{} connections", fixture.smtp.connections());
}

#[tokio::test]
async fn a_message_is_with_the_relay_well_within_a_second_of_its_commit() {
    let fixture = Fixture::start().await;
    let dispatcher = fixture.dispatcher();
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { dispatcher.run(cancel).await }
    });
    let mut latencies = Vec::new();
    for count in 1..=100 {
        fixture.enqueue_new(email()).await;
        let committed = Instant::now();
        fixture.delivery.wake();
        fixture.smtp.wait_for(count).await;
        latencies.push(committed.elapsed());
    }
    cancel.cancel();
    running.await.expect("a clean end");
    latencies.sort_unstable();
    println!("from commit to relay: p50 {:?}, p99 {:?}", latencies[49], latencies[98]);
    assert!(latencies[98] < Duration::from_secs(1), "{latencies:?}");
}
