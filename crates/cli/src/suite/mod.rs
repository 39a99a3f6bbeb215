//! The whole of Mainstay in one process, on this machine only: PostgreSQL and
//! all services, for `mainstay up` and `mainstay demo`.

mod database;
mod services;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use mainstay_domain::SharedClock;
use mainstay_rpc::service_main::{Runnable, ServiceError};
use mainstay_rpc::{Listen, RpcSettings};
use mainstay_service::Workers;
use mainstay_telemetry::{LogFormat, Telemetry, TelemetrySettings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use database::{Database, default_data_dir};
pub(crate) use services::{Parts, SERVICES, Service, complete_scoring};

use crate::failure::Failure;

/// How many ports from a wanted one on are tried.
const PORTS_TRIED: u16 = 10;

/// A service that serves, in a task of its own.
pub(crate) struct Running {
    /// Its name, for example `scoring`.
    pub(crate) name: &'static str,
    /// Where its RPCs are.
    pub(crate) address: SocketAddr,
    /// Where its admin pages are.
    pub(crate) admin_address: SocketAddr,
    /// The work behind its RPCs.
    pub(crate) workers: Workers,
    serving: JoinHandle<Result<(), ServiceError>>,
}

impl Running {
    /// Has a service that is complete serve until `shutdown`. When it ends by
    /// itself, it cancels `shutdown`: what is left would be of no use.
    pub(crate) fn start(
        name: &'static str,
        (address, admin_address): (SocketAddr, SocketAddr),
        workers: Workers,
        service: impl Runnable,
        shutdown: &CancellationToken,
    ) -> Self {
        let (token, ended) = (shutdown.clone(), shutdown.clone().drop_guard());
        let serving = tokio::spawn(async move {
            let _ended = ended;
            service.run(token).await
        });
        Self { name, address, admin_address, workers, serving }
    }

    /// Waits until the service has ended.
    pub(crate) async fn join(self) -> Result<(), Failure> {
        let name = self.name;
        let ended = self.serving.await.unwrap_or_else(|panicked| Err(panicked.into()));
        ended.map_err(|error| Failure::Suite(format!("{name} did not end well: {error}")))
    }
}

/// Brings all schemas up to date and starts all services, each from its parts; those that started are in `running`, also
/// when one did not.
pub(crate) async fn start_services(
    database: &Database,
    parts: impl Fn(&Service) -> Result<Parts, Failure>,
    shutdown: &CancellationToken,
    running: &mut Vec<Running>,
) -> Result<(), Failure> {
    for service in SERVICES {
        let parts = parts(service)?;
        database.migrate(&(service.migrator)(), parts.surroundings.clock.as_ref()).await?;
        running.push((service.start)(parts, shutdown.clone()).await?);
    }
    Ok(())
}

/// Starts logs and metrics of the process; logs go to the standard error.
pub(crate) fn start_telemetry(log_filter: &str) -> Result<Telemetry, Failure> {
    let settings = TelemetrySettings {
        log_format: LogFormat::Pretty,
        log_filter: log_filter.to_owned(),
        ..TelemetrySettings::named("mainstay")
    };
    let telemetry = mainstay_telemetry::start(settings).map_err(|error| Failure::Usage(format!("--log: {error}")))?;
    mainstay_telemetry::log_panics();
    Ok(telemetry)
}

/// How a service of the suite listens.
pub(crate) fn rpc_settings(listen: Listen, admin_listen: Listen) -> RpcSettings {
    RpcSettings { listen, admin_listen, ..RpcSettings::loopback() }
}

/// The first address from `wanted` on, by port, that is free; any free one when none of them is.
pub(crate) fn free_from(wanted: SocketAddr) -> io::Result<Listen> {
    let ports = (0..PORTS_TRIED).filter_map(|step| wanted.port().checked_add(step));
    let held = ports.map(|port| Listen::held(SocketAddr::new(wanted.ip(), port))).find_map(Result::ok);
    held.map_or_else(|| Listen::held(SocketAddr::new(wanted.ip(), 0)), Ok)
}

/// Where services listen, as they are told of each other.
pub(crate) fn addresses(listens: &BTreeMap<&'static str, Listen>) -> BTreeMap<&'static str, SocketAddr> {
    listens.iter().map(|(&name, listen)| (name, listen.address())).collect()
}

/// A port of this machine that other machines do not reach.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// What the suite works with: the time, and what it says of itself.
#[derive(Clone)]
pub(crate) struct Surroundings {
    /// The time.
    pub(crate) clock: SharedClock,
    /// Logs and metrics.
    pub(crate) telemetry: Telemetry,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_passed_over() {
        let held = Listen::held(loopback(0)).expect("a port");
        let free = free_from(held.address()).expect("a port");
        assert_ne!(free.address(), held.address());
        assert_eq!(free.address().ip(), held.address().ip());
    }
}
