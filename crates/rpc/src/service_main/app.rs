//! What a service gives to its command line.

use std::error::Error;

use async_trait::async_trait;
use mainstay_domain::SharedClock;
use mainstay_jobs::Jobs;
use mainstay_storage::{DatabaseSettings, Migrator};
use mainstay_telemetry::Telemetry;
use tokio_util::sync::CancellationToken;

use crate::server::RpcSettings;
use crate::settings::Reader;

/// Whatever went wrong in a service's own part, with its causes.
pub type ServiceError = Box<dyn Error + Send + Sync>;

/// A service as its binary runs it.
#[async_trait]
pub trait ServiceApp: Send + Sync + 'static {
    /// Its name: in `MAINSTAY_<NAME>__…`, in logs and traces, for example `scoring`.
    const NAME: &'static str;

    /// Where its RPCs are by default; each service has another, so that all run on one machine.
    const PORT: u16;

    /// What it does, one sentence for `--help`.
    const ABOUT: &'static str;

    /// Its own settings, beside those that all services have.
    type Settings: Send + Sync + 'static;

    /// The service, ready to run.
    type Complete: Runnable;

    /// Reads its own settings; faults go to the reader.
    fn read_settings(reader: &mut Reader) -> Self::Settings;

    /// Its schema.
    fn migrator() -> Migrator;

    /// Its due work, for the command `jobs`; `None` when it has none.
    fn jobs() -> Option<Jobs> {
        None
    }

    /// Does all that can fail. The schema has been checked, telemetry has been started.
    async fn complete(context: ServiceContext<Self::Settings>) -> Result<Self::Complete, ServiceError>;
}

/// What [`ServiceApp::complete`] gets.
pub struct ServiceContext<S> {
    /// Its own settings.
    pub settings: S,
    /// How it listens.
    pub rpc: RpcSettings,
    /// Where its data is.
    pub database: DatabaseSettings,
    /// The time.
    pub clock: SharedClock,
    /// Logs, traces, metrics.
    pub telemetry: Telemetry,
}

/// A service that is ready to run.
#[async_trait]
pub trait Runnable: Send + 'static {
    /// Runs until `shutdown` is cancelled and all is drained.
    async fn run(self, shutdown: CancellationToken) -> Result<(), ServiceError>;
}
