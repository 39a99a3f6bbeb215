//! Events through the feed: appended in transactions, sequenced, received by a subscriber.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use mainstay_api::mainstay::events::v1 as proto;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_api::mainstay::scoring::v1::{HealthChange, HealthChanged};
use mainstay_domain::{AccountId, Clock, IdSource, SystemClock};
use mainstay_events::{EventLog, NewEvent};
use mainstay_scoring::SCHEMA;
use sqlx::PgPool;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::database::Server;
use crate::portfolio::account_id;
use crate::report::{Report, per_second, progress, seconds, whole};
use crate::service::{self, RunningService};

const WRITERS: u32 = 4;
/// Events of a transaction.
const TRANSACTION: u32 = 100;

/// Measures with so many events of each writer.
pub(crate) async fn run(server: &Server, events_per_writer: u32) -> anyhow::Result<()> {
    let database = server.database("bench_feed").await?;
    let complete = service::at_rest(&database, Arc::new(SystemClock)).await?;
    service::settle(&complete).await?;
    let running = RunningService::start(complete);
    let channel = running.connect().await?;
    let count = (WRITERS * events_per_writer) as usize;

    progress("events through the feed");
    let position = EventFeedServiceClient::new(channel.clone())
        .get_feed_position(proto::GetFeedPositionRequest {})
        .await?
        .into_inner();
    let subscriber = tokio::spawn(receive(channel.clone(), position.newest_cursor.clone(), count, false));
    let started = Instant::now();
    append_all(&database.pool, events_per_writer).await?;
    let appended = started.elapsed();
    subscriber.await??;
    let received = started.elapsed();
    let read_again = receive(channel, position.newest_cursor, count, true).await?;

    let mut report = Report::new(
        format!("Feed: {} events by {WRITERS} writers, {TRANSACTION} a transaction", whole(count as f64)),
        &["what", "time", "events/s"],
    );
    for (name, elapsed) in [
        ("appended, durable", appended),
        ("appended, sequenced and received by a subscriber", received),
        ("received by one who comes later", read_again),
    ] {
        report.row([name.to_owned(), seconds(elapsed), whole(per_second(count, elapsed))]);
    }
    report.print();
    running.stop().await?;
    database.pool.close().await;
    Ok(())
}

/// Appends from all writers at once, each to accounts of its own.
async fn append_all(pool: &PgPool, events_per_writer: u32) -> anyhow::Result<()> {
    let log = EventLog::new(&SCHEMA);
    let ids = Arc::new(IdSource::new(Arc::new(SystemClock)));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (pool, log, ids) = (pool.clone(), log.clone(), Arc::clone(&ids));
        writers.spawn(async move {
            let mut left = events_per_writer;
            while left > 0 {
                let size = left.min(TRANSACTION);
                left -= size;
                let now = SystemClock.now();
                let events = (0..size)
                    .map(|place| new_event(&ids, writer * TRANSACTION + place + 1))
                    .collect::<anyhow::Result<Vec<_>>>()?;
                let mut transaction = pool.begin().await?;
                log.append(&mut transaction, &events, now).await?;
                transaction.commit().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(appended) = writers.join_next().await {
        appended??;
    }
    Ok(())
}

fn new_event(ids: &IdSource, account: u32) -> anyhow::Result<NewEvent> {
    let id = account_id(account);
    let account = AccountId::parse(&id).ok().with_context(|| format!("{id} as an account's id"))?;
    let change = HealthChange {
        account: format!("accounts/{id}"),
        score: Some(72.5),
        previous_score: Some(64.0),
        ..Default::default()
    };
    Ok(NewEvent::of(ids.new_id(), Some(&account), &HealthChanged { change: Some(change) }, SystemClock.now()))
}

/// Receives so many events after a cursor; with `until_now` only those that are there.
async fn receive(channel: Channel, cursor: String, count: usize, until_now: bool) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let request = proto::SubscribeRequest { cursor, until_now, ..Default::default() };
    let mut answers = EventFeedServiceClient::new(channel).subscribe(request).await?.into_inner();
    let mut received = 0;
    while received < count {
        let answer = answers.message().await?.context("the feed ended early")?;
        received += answer.events.len();
    }
    ensure!(received == count, "{received} events instead of {count}");
    Ok(started.elapsed())
}
