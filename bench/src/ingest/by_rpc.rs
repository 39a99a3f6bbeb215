//! The same signals through the service.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_domain::ManualClock;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use super::BATCH;
use crate::customers::{self, noon_of_last_day};
use crate::database::Server;
use crate::report::progress;
use crate::service::{self, MESSAGE_BYTES_MAX, RunningService};
use crate::signals::{Mix, SignalRow, batch};
use crate::statements::{self, Spent};

/// How the service is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Over a connection in memory, with no workers that score what comes in.
    InMemory,
    /// As `InMemory` with `validate_only`: all is done, and rolled back instead of committed.
    RolledBack,
    /// By TCP on loopback, while workers score what comes in.
    SocketWhileScoring,
}

/// What recording took.
pub(super) struct Recorded {
    pub elapsed: Duration,
    /// What statements took meanwhile, the workers' with them.
    pub spent: Vec<Spent>,
}

/// Records the batches, the callers taking turns.
pub(super) async fn record(
    server: &Server,
    accounts: u32,
    batches: &[Vec<SignalRow>],
    way: Way,
    callers: usize,
) -> anyhow::Result<Recorded> {
    progress(&format!("by RPC, {way:?}, {callers} caller(s)"));
    let database = server.database("bench_ingest").await?;
    let complete = service::at_rest(&database, Arc::new(ManualClock::at(noon_of_last_day()))).await?;
    customers::create_accounts(&complete, accounts).await?;
    service::settle(&complete).await?;

    let memory = complete.in_memory_channel();
    // A batch that is not measured, so that statements are prepared and metrics known.
    let first = requests(&[batch(Mix::Grouped, accounts, u64::MAX / BATCH / 2, BATCH)], false);
    send(vec![memory.clone()], first).await?;
    service::settle(&complete).await?;
    database.run("VACUUM ANALYZE").await?;

    let (channels, running, resting) = if way == Way::SocketWhileScoring {
        let running = RunningService::start(complete);
        let mut channels = Vec::new();
        for _ in 0..callers {
            channels.push(running.connect().await?);
        }
        (channels, Some(running), None)
    } else {
        (vec![memory; callers], None, Some(complete))
    };
    let requests = requests(batches, way == Way::RolledBack);
    let count: usize = batches.iter().map(Vec::len).sum();
    statements::reset(&database.pool).await?;
    let started = Instant::now();
    let recorded = send(channels, requests).await?;
    let elapsed = started.elapsed();
    let spent = statements::spent(&database.pool).await?;
    ensure!(recorded == count, "{recorded} of {count} signals were recorded");

    if let Some(running) = running {
        running.stop().await?;
    }
    drop(resting);
    database.pool.close().await;
    Ok(Recorded { elapsed, spent })
}

fn requests(batches: &[Vec<SignalRow>], validate_only: bool) -> Vec<proto::BatchRecordSignalsRequest> {
    batches
        .iter()
        .map(|batch| proto::BatchRecordSignalsRequest {
            signals: batch.iter().map(SignalRow::message).collect(),
            validate_only,
            ..Default::default()
        })
        .collect()
}

/// Sends the requests, each channel every so-many-th; answers how many signals were new.
async fn send(channels: Vec<Channel>, requests: Vec<proto::BatchRecordSignalsRequest>) -> anyhow::Result<usize> {
    let callers = channels.len();
    let mut shares: Vec<Vec<proto::BatchRecordSignalsRequest>> = (0..callers).map(|_| Vec::new()).collect();
    for (place, request) in requests.into_iter().enumerate() {
        shares[place % callers].push(request);
    }
    let mut running = JoinSet::new();
    for (channel, share) in channels.into_iter().zip(shares) {
        running.spawn(async move {
            let mut client = SignalServiceClient::new(channel).max_encoding_message_size(MESSAGE_BYTES_MAX);
            let mut recorded = 0;
            for request in share {
                let answer = client.batch_record_signals(request).await?.into_inner();
                recorded += usize::try_from(answer.recorded_count)?;
            }
            anyhow::Ok(recorded)
        });
    }
    let mut recorded = 0;
    while let Some(share) = running.join_next().await {
        recorded += share??;
    }
    Ok(recorded)
}
