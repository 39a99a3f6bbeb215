//! All days of a month scored anew: by a model that looks at each account alone, and by one that ranks accounts among their peers, for
//! which all have to come through a day before any goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::{NaiveDate, TimeDelta};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use mainstay_domain::{Clock, ManualClock};
use mainstay_scoring::ScoringService;

use crate::customers;
use crate::database::{Database, Server};
use crate::portfolio::{DAY_COUNT, METRIC_COUNT, day};
use crate::report::{Report, per_second, progress, ratio, seconds, whole};
use crate::service;

/// How many days are scored anew, the last one included.
const RECOMPUTED_DAYS: u32 = 30;
/// Longer than an account waits for others at a time.
const STEP: TimeDelta = TimeDelta::seconds(3);

/// Measures both models on as many accounts.
pub(crate) async fn run(server: &Server, accounts: u32) -> anyhow::Result<()> {
    let mut report = Report::new(
        format!("Scoring {RECOMPUTED_DAYS} days of {accounts} accounts anew: {METRIC_COUNT} measures each"),
        &["measures are compared with", "all scored in", "account-days/s", "of the first", "waits at most"],
    );
    let mut first = None;
    for (comparison, shown) in [
        (proto::Comparison::EarlierWindow, "the account's own past"),
        (proto::Comparison::SegmentRank, "the ranks of its segment"),
    ] {
        let (elapsed, waits) = measure(server, accounts, comparison).await?;
        let first = *first.get_or_insert(elapsed);
        report.row([
            shown.to_owned(),
            seconds(elapsed),
            whole(per_second((accounts * RECOMPUTED_DAYS) as usize, elapsed)),
            ratio(first.as_secs_f64(), elapsed.as_secs_f64()),
            seconds(waits),
        ]);
    }
    report.print();
    println!("\nWaits are not in the times: the clock is turned instead.");
    Ok(())
}

/// How long it took, and how long accounts would have waited for one another in between.
async fn measure(
    server: &Server,
    accounts: u32,
    comparison: proto::Comparison,
) -> anyhow::Result<(Duration, Duration)> {
    let database = server.database("bench_recompute").await?;
    let clock = ManualClock::at(customers::noon_of_last_day());
    let service = service::at_rest(&database, Arc::new(clock.clone())).await?;
    customers::move_in_compared(&service, &database, accounts, comparison).await?;
    while count(&database, "SELECT count(*) FROM scoring.health WHERE day = $1", clock.today()).await? < accounts.into()
    {
        clock.advance(STEP);
        service::settle(&service).await?;
    }

    progress("their days anew");
    let started = Instant::now();
    let begun_at = clock.now();
    let first_day = day(DAY_COUNT - RECOMPUTED_DAYS);
    let request = proto::RecomputeHealthRequest { start_day: first_day.to_string(), ..Default::default() };
    HealthServiceClient::new(service.in_memory_channel()).recompute_health(request).await?;
    while is_under_way(&service, &database).await? {
        clock.advance(STEP);
    }
    let elapsed = started.elapsed();
    let scored = count(&database, "SELECT count(*) FROM scoring.health_history WHERE day >= $1", first_day).await?;
    let expected = i64::from(accounts) * i64::from(RECOMPUTED_DAYS);
    ensure!(scored == expected, "{scored} of {expected} account-days were scored");
    drop(service);
    database.pool.close().await;
    Ok((elapsed, (clock.now() - begun_at).to_std()?))
}

async fn count(database: &Database, sql: &'static str, day: NaiveDate) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(sql).bind(day).fetch_one(&database.pool).await?)
}

/// Does what is due, and says whether something of the recomputation is left.
async fn is_under_way(service: &ScoringService, database: &Database) -> anyhow::Result<bool> {
    service::settle(service).await?;
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM scoring.operations WHERE ended_at IS NULL)")
        .fetch_one(&database.pool)
        .await?)
}
