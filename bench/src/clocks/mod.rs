//! Clocks of which very many are due at once, against statements that write as many rows.

mod baseline;
mod raised;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::{Clock, ManualClock, SystemClock};
use mainstay_rpc::RpcSettings;
use sqlx::PgPool;

use crate::cpu::CpuUse;
use crate::database::Server;
use crate::relay::Relay;
use crate::report::{Report, per_second, progress, ratio, seconds, whole};
use crate::service::RunningService;
use crate::statements::{self, Spent};
use crate::suite::{self, interventions_settings};

/// All clocks of an alert by hand are due: acknowledge, assess, plan, execute, follow up.
const ALL_DUE_AFTER: TimeDelta = TimeDelta::hours(73);
/// Clocks of an alert by hand.
const CLOCKS_OF_ALERT: u32 = 5;
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// Between two words on how far it is.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(15);
/// Statements named one by one.
const STATEMENTS_SHOWN: usize = 20;

/// Who hears of what time does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nobody: there is no relay in the settings.
    Nobody,
    /// The owner and the next of the chain, by mails that leave meanwhile.
    ByMail,
}

impl Told {
    fn name(self) -> &'static str {
        match self {
            Self::Nobody => "without a relay: no mails",
            Self::ByMail => "two mails for each, which leave meanwhile",
        }
    }
}

/// What processing took.
struct Processed {
    told: Told,
    clocks: usize,
    elapsed: Duration,
    mails: usize,
    workers: u32,
    cpu: String,
    spent: Vec<Spent>,
    baselines: Vec<(String, Duration)>,
}

/// Measures the clocks of so many alerts, of an account each.
pub(crate) async fn run(server: &Server, alerts: u32) -> anyhow::Result<()> {
    let count = alerts * CLOCKS_OF_ALERT;
    let mut report = Report::new(
        format!("{} clocks of {} open alerts, all due", whole(count.into()), whole(alerts.into())),
        &["what", "time", "clocks/s", "of the speed of one UPDATE", "of the same writes in bulk"],
    );
    let mut all = Vec::new();
    for told in [Told::Nobody, Told::ByMail] {
        let processed = measure(server, alerts, told).await?;
        let rate = |elapsed: Duration| per_second(processed.clocks, elapsed);
        let (update, bulk) = (rate(processed.baselines[0].1), rate(processed.baselines[1].1));
        let mut rows = vec![(format!("the service's workers, {}", told.name()), processed.elapsed)];
        rows.extend(processed.baselines.iter().cloned());
        for (name, elapsed) in rows {
            report.row([
                name,
                seconds(elapsed),
                whole(rate(elapsed)),
                format!("{:.4}", rate(elapsed) / update),
                format!("{:.3}", rate(elapsed) / bulk),
            ]);
        }
        all.push(processed);
    }
    report.print();
    for processed in &all {
        print_spent(processed);
    }
    Ok(())
}

async fn measure(server: &Server, alerts: u32, told: Told) -> anyhow::Result<Processed> {
    let database = server.database("bench_clocks").await?;
    let relay = Relay::start().await?;
    let clock = ManualClock::at(SystemClock.now());
    raised::raise(&database, &clock, &relay, alerts).await?;
    baseline::keep_before(&database).await?;
    database.run("VACUUM ANALYZE").await?;

    progress(&format!("all their clocks are due, {}", told.name()));
    clock.set(clock.now() + ALL_DUE_AFTER);
    let due = due(&database.pool, clock.now()).await?;
    ensure!(due == i64::from(alerts * CLOCKS_OF_ALERT), "{due} clocks are due");
    let mut settings = interventions_settings();
    if told == Told::ByMail {
        settings.delivery = relay.delivery()?;
    }
    let workers = settings.clock_workers;
    let complete = suite::interventions(&database, Arc::new(clock.clone()), settings, RpcSettings::loopback()).await?;
    statements::reset(&database.pool).await?;
    let mails_before = relay.count();
    let (started, cpu) = (Instant::now(), CpuUse::start());
    let running = RunningService::of(complete.local_addr(), complete);
    wait_until_done(&database.pool, clock.now(), started).await?;
    let (elapsed, cpu) = (started.elapsed(), cpu.words());
    let spent = statements::spent(&database.pool).await?;
    let mails = relay.count() - mails_before;
    running.stop().await?;

    let breached: i64 = sqlx::query_scalar("SELECT count(*) FROM interventions.clocks WHERE state = 3")
        .fetch_one(&database.pool)
        .await?;
    ensure!(breached == due, "{breached} of {due} clocks were breached");
    let baselines = baseline::measure(&database, clock.now()).await?;
    database.pool.close().await;
    let clocks = usize::try_from(due)?;
    Ok(Processed { told, clocks, elapsed, mails, workers, cpu, spent, baselines })
}

async fn due(pool: &PgPool, now: DateTime<Utc>) -> anyhow::Result<i64> {
    let due = "SELECT count(*) FROM interventions.jobs WHERE queue = 'clocks' AND due_at <= $1 AND dead_at IS NULL";
    Ok(sqlx::query_scalar(due).bind(now).fetch_one(pool).await?)
}

async fn wait_until_done(pool: &PgPool, now: DateTime<Utc>, started: Instant) -> anyhow::Result<()> {
    let is_due = "SELECT EXISTS (SELECT FROM interventions.jobs
                                  WHERE queue = 'clocks' AND due_at <= $1 AND dead_at IS NULL)";
    let mut said_at = started;
    while sqlx::query_scalar(is_due).bind(now).fetch_one(pool).await? {
        tokio::time::sleep(LOOK_INTERVAL).await;
        if said_at.elapsed() >= PROGRESS_INTERVAL {
            said_at = Instant::now();
            progress(&format!("{} are left after {}", due(pool, now).await?, seconds(started.elapsed())));
        }
    }
    Ok(())
}

fn print_spent(processed: &Processed) {
    let Processed { told, clocks, elapsed, mails, workers, cpu, spent, .. } = processed;
    let mut report = Report::new(
        format!("Where the time of the clocks goes, {}", told.name()),
        &["statement", "calls", "a clock", "rows", "time", "of the time elapsed, on the queue's workers"],
    );
    let workers_time = elapsed.as_secs_f64() * f64::from(*workers);
    for spent in spent.iter().take(STATEMENTS_SHOWN) {
        report.row([
            spent.statement.clone(),
            whole(spent.calls as f64),
            ratio(spent.calls as f64, *clocks as f64),
            whole(spent.rows as f64),
            seconds(spent.elapsed),
            ratio(spent.elapsed.as_secs_f64(), workers_time),
        ]);
    }
    let in_statements: f64 = spent.iter().map(|spent| spent.elapsed.as_secs_f64()).sum();
    let calls: i64 = spent.iter().map(|spent| spent.calls).sum();
    report.row([
        "all".to_owned(),
        whole(calls as f64),
        ratio(calls as f64, *clocks as f64),
        "–".to_owned(),
        format!("{in_statements:.2} s"),
        ratio(in_statements, workers_time),
    ]);
    report.print();
    println!(
        "\nThe queue has {workers} workers; {cpu}. {} mails had been taken when the last clock was done.",
        whole(*mails as f64)
    );
}
