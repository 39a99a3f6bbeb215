//! What the command line can do.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mainstay_domain::{Clock, SystemClock, with_causes};
use mainstay_storage::{DatabaseSettings, Migrator, SchemaState};
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::arguments::program;
use super::jobs::JobsAction;
use super::{CommonSettings, EXIT_FAILURE, EXIT_MISUSE, Runnable, ServiceApp, ServiceContext, ServiceError};
use crate::settings::{Reader, SettingsError};
use crate::shutdown;

/// How often a database that cannot be reached is tried at the start.
const DATABASE_ATTEMPTS_MAX: u32 = 30;

/// The pause between these attempts.
const DATABASE_ATTEMPT_PAUSE: Duration = Duration::from_secs(1);

/// How long a health check may take.
const HEALTHCHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code.
    pub code: u8,
    /// For standard output.
    pub output: String,
    /// For standard error.
    pub faults: String,
}

impl Outcome {
    pub(super) fn of(result: Result<String, ServiceError>) -> Self {
        result.map_or_else(|error| Self::failed(error.as_ref()), Self::done)
    }

    pub(super) fn done(output: String) -> Self {
        Self { code: 0, output, faults: String::new() }
    }

    pub(super) fn misuse(fault: impl Display) -> Self {
        Self { code: EXIT_MISUSE, output: String::new(), faults: format!("{fault}\n") }
    }

    fn failed(error: &(dyn std::error::Error + 'static)) -> Self {
        Self { code: EXIT_FAILURE, output: String::new(), faults: format!("error: {}\n", with_causes(error)) }
    }
}

/// All settings of a service.
pub(super) struct Configuration<A: ServiceApp> {
    reader: Reader,
    common: CommonSettings,
    own: A::Settings,
}

impl<A: ServiceApp> Configuration<A> {
    pub(super) fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let mut reader = Reader::load(A::NAME, file, environment)?;
        let common = CommonSettings::read(&mut reader, A::NAME, A::PORT);
        let own = A::read_settings(&mut reader);
        Ok(Self { reader, common, own })
    }

    /// Nothing if all is well, else all faults.
    pub(super) fn finish(&self) -> Result<(), SettingsError> {
        self.reader.finish()
    }

    /// `config check`.
    pub(super) fn check(&self) -> Outcome {
        let output = self.reader.describe();
        match self.finish() {
            Ok(()) => Outcome::done(output),
            Err(faults) => Outcome { output, ..Outcome::misuse(faults) },
        }
    }
}

/// `serve`.
pub(super) async fn serve<A: ServiceApp>(configuration: Configuration<A>) -> Result<String, ServiceError> {
    let Configuration { common, own, .. } = configuration;
    let telemetry = mainstay_telemetry::start(common.telemetry)?;
    mainstay_telemetry::log_panics();
    let shutdown = shutdown::on_signals()?;
    let served = async {
        if !is_schema_ready(&A::migrator(), &common.database, &program::<A>(), &shutdown).await? {
            return Ok(());
        }
        let context = ServiceContext {
            settings: own,
            rpc: common.rpc,
            database: common.database,
            clock: Arc::new(SystemClock),
            telemetry: telemetry.clone(),
        };
        A::complete(context).await?.run(shutdown).await
    }
    .await;
    let flushed = telemetry.clone();
    tokio::task::spawn_blocking(move || flushed.shutdown()).await?;
    served.map(|()| String::new())
}

/// Whether to go on: an error if the schema does not fit, `false` if the process is to end.
async fn is_schema_ready(
    migrator: &Migrator,
    database: &DatabaseSettings,
    program: &str,
    shutdown: &CancellationToken,
) -> Result<bool, ServiceError> {
    let pool = mainstay_storage::connect(&DatabaseSettings { max_connections: 1, ..database.clone() })?;
    let mut attempts = 0;
    let outcome = loop {
        attempts += 1;
        match migrator.check(&pool).await {
            Err(SchemaState::Unreachable(error)) if attempts < DATABASE_ATTEMPTS_MAX => {
                tracing::warn!(%error, attempts, "the database cannot be reached yet");
            }
            outcome => break outcome,
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(false),
            () = tokio::time::sleep(DATABASE_ATTEMPT_PAUSE) => {}
        }
    };
    pool.close().await;
    match outcome {
        Ok(()) => Ok(true),
        Err(ahead @ SchemaState::Ahead { .. }) => {
            tracing::warn!(%ahead, "serving all the same");
            Ok(true)
        }
        Err(behind @ SchemaState::Behind { .. }) => Err(format!("{behind}: {program} migrate").into()),
        Err(other) => Err(other.into()),
    }
}

/// `migrate`.
pub(super) async fn migrate<A: ServiceApp>(configuration: Configuration<A>) -> Result<String, ServiceError> {
    let CommonSettings { database, migration, .. } = configuration.common;
    let url = migration.url.map_or_else(|| database.url.clone(), |url| url.expose().to_owned());
    // A migration may build an index for long; it has no caller who waits.
    let settings = DatabaseSettings { url, statement_timeout: Duration::ZERO, ..database };
    let pool = mainstay_storage::connect(&settings)?;
    let report = A::migrator().migrate(&pool, SystemClock.now(), migration.serving_role.as_deref()).await?;
    pool.close().await;
    let applied = match report.applied.as_slice() {
        [] => "nothing to apply: the schema is up to date\n".to_owned(),
        names => format!("applied {}:\n  {}\n", names.len(), names.join("\n  ")),
    };
    let unknown = match report.unknown.as_slice() {
        [] => String::new(),
        names => format!("known to a newer program only:\n  {}\n", names.join("\n  ")),
    };
    Ok(applied + &unknown)
}

/// `jobs`.
pub(super) async fn jobs<A: ServiceApp>(
    configuration: Configuration<A>,
    action: JobsAction,
) -> Result<String, ServiceError> {
    let jobs = A::jobs().ok_or("this service has no jobs")?;
    super::jobs::run(&jobs, &configuration.common.database, action).await
}

/// `healthcheck`.
pub(super) async fn healthcheck<A: ServiceApp>(
    configuration: &Configuration<A>,
    address: Option<String>,
    service: String,
) -> Result<String, ServiceError> {
    let address = address
        .unwrap_or_else(|| format!("http://{}", on_this_machine(configuration.common.rpc.admin_listen.address())));
    let endpoint = Endpoint::from_shared(address.clone())
        .map_err(|error| format!("the address {address} cannot be used: {error}"))?
        .connect_timeout(HEALTHCHECK_TIMEOUT)
        .timeout(HEALTHCHECK_TIMEOUT);
    let channel = endpoint.connect().await.map_err(|error| format!("{address} cannot be reached: {error}"))?;
    let answer = HealthClient::new(channel).check(HealthCheckRequest { service }).await;
    match answer.map_err(|status| format!("{address} answered {status}"))?.into_inner().status() {
        ServingStatus::Serving => Ok("SERVING\n".to_owned()),
        other => Err(other.as_str_name().into()),
    }
}

/// An address that listens everywhere, as it is reached from the same machine.
fn on_this_machine(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_loopback() {
        let asked = |listen: &str| on_this_machine(listen.parse().expect("an address")).to_string();
        assert_eq!(asked("0.0.0.0:7471"), "127.0.0.1:7471");
        assert_eq!(asked("[::]:7471"), "[::1]:7471");
        assert_eq!(asked("10.0.0.7:7471"), "10.0.0.7:7471");
    }
}
