//! Measures how fast Mainstay is, against the simplest program that does the same.
//!
//! Each measurement runs on a private, durable PostgreSQL server, clients and service in this process. The figures of
//! one run may be compared with each other, and not with those of another machine: `docs/performance.md` keeps ratios.

mod alerts;
mod clocks;
mod copy;
mod cpu;
mod customers;
mod database;
mod detractor;
mod duckdb;
mod echo;
mod environment;
mod feed;
mod get_health;
mod ingest;
mod latency;
mod layouts;
mod load;
mod people;
mod portfolio;
mod recompute;
mod relay;
mod report;
mod report_rows;
mod reports;
mod rescore;
mod samples;
mod service;
mod signals;
mod spans;
mod statements;
mod suite;
mod told;

use std::time::Duration;

use clap::{Parser, Subcommand};

use database::Server;

/// Measures how fast Mainstay is, against the simplest program that does the same.
#[derive(Parser)]
#[command(name = "mainstay-bench")]
struct Arguments {
    /// Small numbers, to see that all of it works; the figures mean nothing.
    #[arg(long, global = true)]
    quick: bool,
    /// Accounts of `layouts` and of `rescore`'s largest portfolio.
    #[arg(long, global = true, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    accounts: Option<u32>,
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, Subcommand)]
enum What {
    /// Ways to store the days of series.
    Layouts,
    /// Signals by RPC against COPY.
    Ingest,
    /// `GetHealth` against an echo and against its SELECT.
    GetHealth,
    /// A portfolio scored anew against one SQL aggregate and DuckDB.
    Rescore,
    /// A month of days scored anew, by a model that ranks accounts beside one that does not.
    Recompute,
    /// Reports about all customers against a count.
    Reports,
    /// From a signal acknowledged to the new score read.
    Latency,
    /// Events from the transaction to the subscriber.
    Feed,
    /// From a failed payment to the alert and to its owner's mail.
    Alerts,
    /// From a detractor's answer on the page to the alert and to its owner's mail.
    Detractor,
    /// Very many clocks due at once, against one UPDATE.
    Clocks,
    /// All of it.
    All,
}

impl What {
    fn includes(self, part: Self) -> bool {
        self == part || self == Self::All
    }
}

/// How much is measured.
struct Scale {
    name: &'static str,
    portfolio_accounts: u32,
    rescore_sizes: Vec<u32>,
    recompute_accounts: u32,
    ingest_accounts: u32,
    ingest_batches: u64,
    read_accounts: u32,
    read_duration: Duration,
    latency_accounts: u32,
    latency_duration: Duration,
    events_per_writer: u32,
    alerts_duration: Duration,
    alerts_burst: u32,
    detractor_answers: u32,
    clocks_alerts: u32,
}

impl Scale {
    fn of(arguments: &Arguments) -> Self {
        let portfolio_accounts = arguments.accounts.unwrap_or(if arguments.quick { 2_000 } else { 100_000 });
        let rescore_sizes = vec![portfolio_accounts / 10, portfolio_accounts * 3 / 10, portfolio_accounts];
        if arguments.quick {
            return Self {
                name: "quick, the figures mean nothing",
                portfolio_accounts,
                rescore_sizes,
                recompute_accounts: 200,
                ingest_accounts: 4_000,
                ingest_batches: 4,
                read_accounts: 200,
                read_duration: Duration::from_millis(500),
                latency_accounts: 1_000,
                latency_duration: Duration::from_secs(3),
                events_per_writer: 1_000,
                alerts_duration: Duration::from_secs(3),
                alerts_burst: 200,
                detractor_answers: 10,
                clocks_alerts: 200,
            };
        }
        Self {
            name: "full",
            portfolio_accounts,
            rescore_sizes,
            recompute_accounts: 10_000,
            ingest_accounts: 20_000,
            ingest_batches: 60,
            read_accounts: 10_000,
            read_duration: Duration::from_secs(5),
            latency_accounts: 10_000,
            latency_duration: Duration::from_secs(30),
            events_per_writer: 25_000,
            alerts_duration: Duration::from_mins(1),
            alerts_burst: 3_000,
            detractor_answers: 400,
            clocks_alerts: 20_000,
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let scale = Scale::of(&arguments);
    let server = Server::start().await?;
    environment::print(&server, scale.name).await?;
    measure(&server, arguments.what, &scale).await?;
    server.stop().await
}

async fn measure(server: &Server, what: What, scale: &Scale) -> anyhow::Result<()> {
    if what.includes(What::Ingest) {
        ingest::run(server, scale.ingest_accounts, scale.ingest_batches).await?;
    }
    if what.includes(What::GetHealth) {
        get_health::run(server, scale.read_accounts, scale.read_duration).await?;
    }
    if what.includes(What::Rescore) {
        rescore::run(server, &scale.rescore_sizes).await?;
    }
    if what.includes(What::Recompute) {
        recompute::run(server, scale.recompute_accounts).await?;
    }
    if what.includes(What::Reports) {
        reports::run(server, scale.portfolio_accounts).await?;
    }
    if what.includes(What::Latency) {
        latency::run(server, scale.latency_accounts, scale.latency_duration).await?;
    }
    if what.includes(What::Feed) {
        feed::run(server, scale.events_per_writer).await?;
    }
    if what.includes(What::Alerts) {
        alerts::run(server, scale.alerts_duration, scale.alerts_burst).await?;
    }
    if what.includes(What::Detractor) {
        detractor::run(server, scale.detractor_answers).await?;
    }
    if what.includes(What::Clocks) {
        clocks::run(server, scale.clocks_alerts).await?;
    }
    if what.includes(What::Layouts) {
        layouts::run(server, scale.portfolio_accounts).await?;
    }
    Ok(())
}
