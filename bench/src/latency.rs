//! From a signal acknowledged to the new score readable, at a steady rate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_domain::Clock;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tonic::transport::Channel;

use crate::customers::{self, noon_of_last_day};
use crate::database::Server;
use crate::portfolio::{account_id, metric_name, scrambled};
use crate::report::{Report, millis, progress, whole};
use crate::samples::Samples;
use crate::service::{self, RunningService, ShiftedClock};

const SIGNALS_PER_SECOND: u64 = 1_000;
/// Signals of a call; one of them is of the account whose score is then waited for.
const BATCH: u64 = 50;
/// Between two looks at a score: how exact the times are.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);
/// Nobody waits longer.
const READABLE_WAIT_MAX: Duration = Duration::from_secs(20);

/// Measures for so long on so many accounts.
pub(crate) async fn run(server: &Server, accounts: u32, duration: Duration) -> anyhow::Result<()> {
    let database = server.database("bench_latency").await?;
    let clock = ShiftedClock::at(noon_of_last_day());
    let complete = service::at_rest(&database, clock.clone()).await?;
    customers::move_in(&complete, &database, accounts).await?;
    let running = RunningService::start(complete);
    let channel = running.connect().await?;

    progress("a steady stream of signals");
    let batches = duration.as_secs() * SIGNALS_PER_SECOND / BATCH;
    let mut ticks = tokio::time::interval(Duration::from_millis(1_000 * BATCH / SIGNALS_PER_SECOND));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut probes = JoinSet::new();
    let started = Instant::now();
    for number in 0..batches {
        ticks.tick().await;
        let probe = Probe { channel: channel.clone(), clock: clock.clone(), number, batches, accounts };
        probes.spawn(probe.run());
    }
    let sent_in = started.elapsed();
    let (mut acknowledged, mut readable) = (Samples::default(), Samples::default());
    while let Some(probed) = probes.join_next().await {
        let (acknowledged_after, readable_after) = probed??;
        acknowledged.push(acknowledged_after);
        readable.push(readable_after);
    }
    let caught_up_after = started.elapsed().saturating_sub(sent_in);

    let mut report = Report::new(
        format!(
            "{} signals/s for {} s, {BATCH} a call, {} accounts",
            whole(SIGNALS_PER_SECOND as f64),
            duration.as_secs(),
            whole(accounts.into())
        ),
        &["time", "samples", "p50", "p99", "most"],
    );
    for (name, samples) in
        [("from call to acknowledgement", &mut acknowledged), ("from there to the new score read", &mut readable)]
    {
        report.row([
            name.to_owned(),
            whole(samples.count() as f64),
            millis(samples.median()),
            millis(samples.percentile(99)),
            millis(samples.percentile(100)),
        ]);
    }
    report.print();
    println!("\nThe last score could be read {} after the last call.", millis(caught_up_after));
    running.stop().await?;
    database.pool.close().await;
    Ok(())
}

/// One call, and the wait for what it changed.
struct Probe {
    channel: Channel,
    clock: Arc<ShiftedClock>,
    number: u64,
    batches: u64,
    accounts: u32,
}

impl Probe {
    async fn run(self) -> anyhow::Result<(Duration, Duration)> {
        // Accounts up to the number of batches get one signal each, so that any new score is that of the signal.
        let watched = account_id(u32::try_from(self.number)? + 1);
        let mut health = HealthServiceClient::new(self.channel.clone());
        let before = scored_at(&mut health, &watched).await?;

        let mut signals = vec![self.signal(&watched, 0)];
        for place in 1..BATCH {
            signals.push(self.signal(&account_id(self.other_account(place)?), place));
        }
        let request = proto::BatchRecordSignalsRequest { signals, ..Default::default() };
        let called = Instant::now();
        SignalServiceClient::new(self.channel.clone()).batch_record_signals(request).await?;
        let acknowledged = Instant::now();
        while scored_at(&mut health, &watched).await? == before {
            anyhow::ensure!(acknowledged.elapsed() < READABLE_WAIT_MAX, "{watched} was not scored again");
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        Ok((acknowledged - called, acknowledged.elapsed()))
    }

    fn other_account(&self, place: u64) -> anyhow::Result<u32> {
        let others = u64::from(self.accounts) - self.batches;
        Ok(u32::try_from(self.batches + scrambled(self.number * BATCH + place) % others)? + 1)
    }

    fn signal(&self, account: &str, place: u64) -> proto::Signal {
        let now = self.clock.now();
        let usage = proto::UsageCount { metric: metric_name(1), quantity: 1_000 };
        proto::Signal {
            account: format!("accounts/{account}"),
            source: "latency".to_owned(),
            source_id: format!("{}-{place}", self.number),
            event_time: Some(prost_types::Timestamp { seconds: now.timestamp(), nanos: 0 }),
            payload: Some(proto::signal::Payload::Usage(usage)),
            record_time: None,
            withdrawal: None,
        }
    }
}

async fn scored_at(
    client: &mut HealthServiceClient<Channel>,
    account: &str,
) -> anyhow::Result<Option<prost_types::Timestamp>> {
    let request = proto::GetHealthRequest { account: format!("accounts/{account}"), ..Default::default() };
    Ok(client.get_health(request).await?.into_inner().score_time)
}
