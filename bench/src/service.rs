//! A service in this process, on a database of a benchmark.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::{Clock, SharedClock};
use mainstay_rpc::RpcSettings;
use mainstay_rpc::service_main::{Runnable, ServiceError};
use mainstay_scoring::{Feeds, ScoringParts, ScoringService, ScoringSettings, migrator};
use mainstay_storage::DatabaseSettings;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use crate::database::Database;

/// A message of 10 000 accounts is larger than a client sends by default.
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// A service that serves calls from memory only, and works only when told to.
pub(crate) async fn at_rest(database: &Database, clock: SharedClock) -> anyhow::Result<ScoringService> {
    database.migrate(&migrator()).await?;
    let parts = ScoringParts {
        settings: ScoringSettings::default(),
        feeds: Feeds::default(),
        rpc: RpcSettings::loopback(),
        database: DatabaseSettings::new(database.url.as_str(), "scoring"),
        clock,
        telemetry: None,
    };
    ScoringService::complete(parts).await.map_err(of_service)
}

/// Does all that is due.
pub(crate) async fn settle(service: &ScoringService) -> anyhow::Result<()> {
    service.workers().settle().await.map(drop).map_err(of_service)
}

/// A service's error as ours.
pub(crate) fn of_service(error: ServiceError) -> anyhow::Error {
    anyhow!(error)
}

/// A service that listens on loopback, its workers at work.
pub(crate) struct RunningService {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), ServiceError>>,
}

impl RunningService {
    /// Has scoring run.
    pub(crate) fn start(service: ScoringService) -> Self {
        Self::of(service.local_addr(), service)
    }

    /// Has a service run that listens there.
    pub(crate) fn of(address: SocketAddr, service: impl Runnable) -> Self {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(service.run(shutdown.clone()));
        Self { address, shutdown, task }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection to it of one's own.
    pub(crate) async fn connect(&self) -> anyhow::Result<Channel> {
        connect(self.address).await
    }

    /// Stops it.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.task.await?.map_err(of_service)
    }
}

/// A connection to a server on this machine.
pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Channel> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?.connect().await?)
}

/// A clock that began at a time of the made-up customers' and goes on with the machine's.
#[derive(Debug)]
pub(crate) struct ShiftedClock {
    start: DateTime<Utc>,
    started: Instant,
}

impl ShiftedClock {
    /// A clock that shows `start` now.
    pub(crate) fn at(start: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self { start, started: Instant::now() })
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        let elapsed: Duration = self.started.elapsed();
        self.start + TimeDelta::microseconds(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
    }
}
