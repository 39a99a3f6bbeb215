//! The services that make up the suite.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures::future::BoxFuture;
use mainstay_expansion::{ExpansionParts, ExpansionService, ExpansionSettings, Feeds};
use mainstay_interventions::{InterventionsParts, InterventionsService, InterventionsSettings, Peers};
use mainstay_rpc::RpcSettings;
use mainstay_rpc::service_main::ServiceApp;
use mainstay_scoring::{ScoringParts, ScoringService, ScoringSettings};
use mainstay_service::PeerSettings;
use mainstay_storage::{DatabaseSettings, Migrator};
use tokio_util::sync::CancellationToken;

use super::{Running, Surroundings};
use crate::failure::Failure;

/// What a service of the suite is put together from.
#[derive(Clone)]
pub(crate) struct Parts {
    /// How it listens.
    pub(crate) rpc: RpcSettings,
    /// Its database.
    pub(crate) database_url: String,
    /// What all services share.
    pub(crate) surroundings: Surroundings,
    /// Where the services of the suite listen, by name.
    pub(crate) peers: BTreeMap<&'static str, SocketAddr>,
}

/// A service, by what the suite needs to know of it.
pub(crate) struct Service {
    /// Its name.
    pub(crate) name: &'static str,
    /// Where it listens when the first listens at its own port.
    pub(crate) port: u16,
    /// Its schema.
    pub(crate) migrator: fn() -> Migrator,
    /// Starts it; it serves until the token is cancelled.
    pub(crate) start: fn(Parts, CancellationToken) -> BoxFuture<'static, Result<Running, Failure>>,
}

/// All services, in the order in which they start.
pub(crate) const SERVICES: &[Service] = &[
    Service {
        name: mainstay_scoring::SERVICE_NAME,
        port: mainstay_scoring::ScoringMain::PORT,
        migrator: mainstay_scoring::migrator,
        start: |parts, shutdown| Box::pin(start_scoring(parts, shutdown)),
    },
    Service {
        name: mainstay_interventions::SERVICE_NAME,
        port: mainstay_interventions::InterventionsMain::PORT,
        migrator: mainstay_interventions::migrator,
        start: |parts, shutdown| Box::pin(start_interventions(parts, shutdown)),
    },
    Service {
        name: mainstay_expansion::SERVICE_NAME,
        port: mainstay_expansion::ExpansionMain::PORT,
        migrator: mainstay_expansion::migrator,
        start: |parts, shutdown| Box::pin(start_expansion(parts, shutdown)),
    },
];

impl Parts {
    /// Where another service of the suite listens.
    fn peer(&self, name: &str) -> Result<Option<PeerSettings>, Failure> {
        let Some(address) = self.peers.get(name) else { return Ok(None) };
        let address = format!("http://{address}").parse().map_err(|error| Failure::Suite(format!("{error}")))?;
        Ok(Some(PeerSettings { address, token: None, certificate_authority_file: None }))
    }
}

/// Scoring, ready to serve.
pub(crate) async fn complete_scoring(parts: Parts) -> Result<ScoringService, Failure> {
    let Parts { rpc, database_url, surroundings, .. } = parts;
    let parts = ScoringParts {
        settings: ScoringSettings::default(),
        rpc,
        database: DatabaseSettings::new(database_url, mainstay_scoring::SERVICE_NAME),
        clock: surroundings.clock,
        telemetry: Some(surroundings.telemetry),
    };
    ScoringService::complete(parts).await.map_err(|error| Failure::Suite(format!("scoring cannot start: {error}")))
}

async fn start_scoring(parts: Parts, shutdown: CancellationToken) -> Result<Running, Failure> {
    let service = complete_scoring(parts).await?;
    let addresses: (SocketAddr, SocketAddr) = (service.local_addr(), service.admin_addr());
    Ok(Running::start(mainstay_scoring::SERVICE_NAME, addresses, service, &shutdown))
}

async fn start_interventions(parts: Parts, shutdown: CancellationToken) -> Result<Running, Failure> {
    let settings = InterventionsSettings {
        scoring: parts.peer(mainstay_scoring::SERVICE_NAME)?,
        surveys: parts.peer("surveys")?,
        ..InterventionsSettings::default()
    };
    let failed = |error| Failure::Suite(format!("interventions cannot start: {error}"));
    let peers = Peers::connect(&settings).map_err(failed)?;
    let Parts { rpc, database_url, surroundings, .. } = parts;
    let parts = InterventionsParts {
        settings,
        peers,
        rpc,
        database: DatabaseSettings::new(database_url, mainstay_interventions::SERVICE_NAME),
        clock: surroundings.clock,
        telemetry: Some(surroundings.telemetry),
    };
    let service = InterventionsService::complete(parts).await.map_err(failed)?;
    let addresses: (SocketAddr, SocketAddr) = (service.local_addr(), service.admin_addr());
    Ok(Running::start(mainstay_interventions::SERVICE_NAME, addresses, service, &shutdown))
}

async fn start_expansion(parts: Parts, shutdown: CancellationToken) -> Result<Running, Failure> {
    let settings = ExpansionSettings {
        scoring: parts.peer(mainstay_scoring::SERVICE_NAME)?,
        interventions: parts.peer(mainstay_interventions::SERVICE_NAME)?,
        ..ExpansionSettings::default()
    };
    let Parts { rpc, database_url, surroundings, .. } = parts;
    let parts = ExpansionParts {
        settings,
        rpc,
        database: DatabaseSettings::new(database_url, mainstay_expansion::SERVICE_NAME),
        clock: surroundings.clock,
        telemetry: Some(surroundings.telemetry),
        feeds: Feeds::default(),
    };
    let service = ExpansionService::complete(parts).await;
    let service = service.map_err(|error| Failure::Suite(format!("expansion cannot start: {error}")))?;
    let addresses = (service.local_addr(), service.admin_addr());
    Ok(Running::start(mainstay_expansion::SERVICE_NAME, addresses, service, &shutdown))
}
