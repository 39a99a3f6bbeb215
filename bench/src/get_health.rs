//! `GetHealth` against a server that does nothing, and against the SELECT alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use mainstay_domain::ManualClock;
use mainstay_storage::DatabaseSettings;
use sqlx::{PgPool, Row};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::customers;
use crate::database::Server;
use crate::echo;
use crate::load::{Caller, closed_loop};
use crate::portfolio::{account_id, scrambled};
use crate::report::{Report, millis, progress, ratio, whole};
use crate::service::{self, RunningService};

const CALLERS: [usize; 4] = [1, 16, 64, 256];
/// Connections that the callers share.
const CONNECTIONS: usize = 4;

/// Measures with so many accounts, each number of callers for so long.
pub(crate) async fn run(server: &Server, accounts: u32, duration: Duration) -> anyhow::Result<()> {
    let database = server.database("bench_get_health").await?;
    let clock = Arc::new(ManualClock::at(customers::noon_of_last_day()));
    let complete = service::at_rest(&database, clock).await?;
    customers::move_in(&complete, &database, accounts).await?;
    let running = RunningService::start(complete);

    let cancel = CancellationToken::new();
    let answer = HealthServiceClient::new(running.connect().await?).get_health(request(1)).await?.into_inner();
    let answer_bytes = prost::Message::encoded_len(&answer);
    let bare = channels(echo::serve_bare(answer.clone(), cancel.clone()).await?).await?;
    let layered = channels(echo::serve_layered(answer, cancel.clone()).await?).await?;
    let mut real = Vec::new();
    for _ in 0..CONNECTIONS {
        real.push(running.connect().await?);
    }
    // The same pool as the service's own.
    let pool = mainstay_storage::connect(&DatabaseSettings {
        acquire_timeout: Duration::from_secs(30),
        ..DatabaseSettings::new(database.url.as_str(), "select")
    })?;

    let mut report = Report::new(
        format!("GetHealth: {accounts} accounts, answers of {answer_bytes} bytes, {CONNECTIONS} connections"),
        &["what is asked", "callers", "requests/s", "p50", "p99", "of the echo", "of the SELECT"],
    );
    for callers in CALLERS {
        progress(&format!("{callers} callers"));
        let by_rpc = |channels: &[Channel]| rpc_callers(channels, callers, accounts);
        let selects =
            (0..callers).map(|place| SelectCaller { pool: pool.clone(), place: place as u64, accounts }).collect();
        let mut measured = [
            ("tonic alone, the same answer each time", closed_loop(by_rpc(&bare), duration).await?),
            ("the same behind our layers", closed_loop(by_rpc(&layered), duration).await?),
            ("the SELECT alone, by sqlx", closed_loop(selects, duration).await?),
            ("GetHealth", closed_loop(by_rpc(&real), duration).await?),
        ];
        let (echo_rate, select_rate) = (measured[0].1.per_second(), measured[2].1.per_second());
        for (name, load) in &mut measured {
            let rate = load.per_second();
            report.row([
                (*name).to_owned(),
                callers.to_string(),
                whole(rate),
                millis(load.latencies.median()),
                millis(load.latencies.percentile(99)),
                ratio(rate, echo_rate),
                ratio(rate, select_rate),
            ]);
        }
    }
    report.print();
    cancel.cancel();
    pool.close().await;
    running.stop().await?;
    database.pool.close().await;
    Ok(())
}

async fn channels(address: SocketAddr) -> anyhow::Result<Vec<Channel>> {
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(service::connect(address).await?);
    }
    Ok(channels)
}

fn request(account: u32) -> proto::GetHealthRequest {
    proto::GetHealthRequest { account: format!("accounts/{}", account_id(account)), ..Default::default() }
}

/// Accounts in an order that looks random, each caller's another.
fn next_account(place: &mut u64, accounts: u32) -> u32 {
    *place = scrambled(*place);
    u32::try_from(*place % u64::from(accounts)).unwrap_or(0) + 1
}

fn rpc_callers(channels: &[Channel], callers: usize, accounts: u32) -> Vec<RpcCaller> {
    (0..callers)
        .map(|place| RpcCaller {
            client: HealthServiceClient::new(channels[place % channels.len()].clone()),
            place: place as u64,
            accounts,
        })
        .collect()
}

struct RpcCaller {
    client: HealthServiceClient<Channel>,
    place: u64,
    accounts: u32,
}

impl Caller for RpcCaller {
    async fn call(&mut self) -> anyhow::Result<()> {
        let account = next_account(&mut self.place, self.accounts);
        self.client.get_health(request(account)).await?;
        Ok(())
    }
}

struct SelectCaller {
    pool: PgPool,
    place: u64,
    accounts: u32,
}

impl Caller for SelectCaller {
    async fn call(&mut self) -> anyhow::Result<()> {
        let account = account_id(next_account(&mut self.place, self.accounts));
        let row = sqlx::query("SELECT * FROM scoring.health WHERE account_id = $1")
            .bind(account)
            .fetch_one(&self.pool)
            .await?;
        let _: Option<i32> = row.try_get("score")?;
        Ok(())
    }
}
