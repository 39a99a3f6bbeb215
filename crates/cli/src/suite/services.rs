//! The services that make up the suite.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use mainstay_delivery::{DeliverySettings, SmtpSettings};
use mainstay_domain::IdSource;
use mainstay_expansion::{ExpansionParts, ExpansionService, ExpansionSettings, Feeds as ExpansionFeeds};
use mainstay_interventions::{InterventionsParts, InterventionsService, InterventionsSettings, Peers};
use mainstay_rpc::RpcSettings;
use mainstay_rpc::service_main::ServiceApp;
use mainstay_rpc::settings::Secret;
use mainstay_scoring::{Feeds as ScoringFeeds, ScoringParts, ScoringService, ScoringSettings};
use mainstay_service::{PeerSettings, WorkerSettings};
use mainstay_storage::{DatabaseSettings, Migrator};
use mainstay_surveys::{Feeds, PageSettings, SurveysParts, SurveysService, SurveysSettings};
use tokio_util::sync::CancellationToken;

use super::{Running, Surroundings, default_data_dir, free_from, loopback};
use crate::failure::Failure;
use crate::output::note;

/// Who writes to people.
const MAIL_FROM: &str = "Mainstay <mainstay@localhost>";
/// Where the page is on which customers answer, or else at a port after it.
const ANSWER_PAGE_PORT: u16 = 7482;
/// In the data folder: what signs the links of surveys.
const LINK_SECRET_FILE: &str = "survey-link-secret";

/// What a service of the suite is put together from.
#[derive(Clone)]
pub(crate) struct Parts {
    /// How it listens.
    pub(crate) rpc: RpcSettings,
    /// Its database.
    pub(crate) database_url: String,
    /// What all services share.
    pub(crate) surroundings: Surroundings,
    /// Port of the mail relay on this machine; none: nobody is written to.
    pub(crate) mail_port: Option<u16>,
    /// Where the services of the suite listen, by name.
    pub(crate) peers: BTreeMap<&'static str, SocketAddr>,
    /// Where things are kept between runs; absent: at the usual place.
    pub(crate) data_dir: Option<PathBuf>,
    /// The work behind the RPCs.
    pub(crate) workers: WorkerSettings,
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
        name: mainstay_surveys::SERVICE_NAME,
        port: mainstay_surveys::SurveysMain::PORT,
        migrator: mainstay_surveys::migrator,
        start: |parts, shutdown| Box::pin(start_surveys(parts, shutdown)),
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
    /// How messages leave: by the relay on this machine, or not at all.
    fn delivery(&self) -> Result<DeliverySettings, Failure> {
        let Some(port) = self.mail_port else { return Ok(DeliverySettings::default()) };
        let from = MAIL_FROM.parse().map_err(|error| Failure::Suite(format!("{MAIL_FROM}: {error}")))?;
        Ok(DeliverySettings { smtp: Some(SmtpSettings::local(port, from)), ..DeliverySettings::default() })
    }

    /// Where another service of the suite listens.
    fn peer(&self, name: &str) -> Result<Option<PeerSettings>, Failure> {
        let Some(address) = self.peers.get(name) else { return Ok(None) };
        let address = format!("http://{address}").parse().map_err(|error| Failure::Suite(format!("{error}")))?;
        Ok(Some(PeerSettings { address, token: None, certificate_authority_file: None }))
    }
}

/// Scoring, ready to serve.
pub(crate) async fn complete_scoring(parts: Parts) -> Result<ScoringService, Failure> {
    let settings = ScoringSettings {
        surveys: parts.peer(mainstay_surveys::SERVICE_NAME)?,
        interventions: parts.peer(mainstay_interventions::SERVICE_NAME)?,
        workers: parts.workers.clone(),
        ..ScoringSettings::default()
    };
    let failed = |error| Failure::Suite(format!("scoring cannot start: {error}"));
    let feeds = ScoringFeeds::of_peers(&settings).map_err(failed)?;
    let Parts { rpc, database_url, surroundings, .. } = parts;
    let parts = ScoringParts {
        settings,
        feeds,
        rpc,
        database: DatabaseSettings::new(database_url, mainstay_scoring::SERVICE_NAME),
        clock: surroundings.clock,
        telemetry: Some(surroundings.telemetry),
    };
    ScoringService::complete(parts).await.map_err(failed)
}

async fn start_scoring(parts: Parts, shutdown: CancellationToken) -> Result<Running, Failure> {
    let service = complete_scoring(parts).await?;
    let addresses: (SocketAddr, SocketAddr) = (service.local_addr(), service.admin_addr());
    Ok(Running::start(mainstay_scoring::SERVICE_NAME, addresses, service.workers(), service, &shutdown))
}

async fn start_surveys(parts: Parts, shutdown: CancellationToken) -> Result<Running, Failure> {
    let failed = |error| Failure::Suite(format!("surveys cannot start: {error}"));
    let listen = free_from(loopback(ANSWER_PAGE_PORT))?;
    let folder = parts.data_dir.clone().map_or_else(default_data_dir, Ok)?;
    let settings = SurveysSettings {
        page: PageSettings {
            public_url: format!("http://{}", listen.address()),
            listen,
            ..PageSettings::local(link_secret(&folder, &IdSource::new(parts.surroundings.clock.clone()))?)
        },
        delivery: parts.delivery()?,
        workers: parts.workers.clone(),
        scoring: parts.peer(mainstay_scoring::SERVICE_NAME)?,
        interventions: parts.peer(mainstay_interventions::SERVICE_NAME)?,
    };
    let feeds = Feeds::of_peers(&settings).map_err(failed)?;
    let Parts { rpc, database_url, surroundings, .. } = parts;
    let parts = SurveysParts {
        settings,
        rpc,
        database: DatabaseSettings::new(database_url, mainstay_surveys::SERVICE_NAME),
        clock: surroundings.clock,
        telemetry: Some(surroundings.telemetry),
        feeds,
    };
    let service = SurveysService::complete(parts).await.map_err(failed)?;
    note(&format!("Customers answer surveys at http://{} .", service.page_addr()));
    let addresses: (SocketAddr, SocketAddr) = (service.local_addr(), service.admin_addr());
    Ok(Running::start(mainstay_surveys::SERVICE_NAME, addresses, service.workers(), service, &shutdown))
}

/// What signs the links of surveys: made once and kept in a folder, so that links stay good over a restart.
fn link_secret(folder: &Path, ids: &IdSource) -> Result<Secret, Failure> {
    let path = folder.join(LINK_SECRET_FILE);
    let fault = |error: io::Error| Failure::Suite(format!("{} cannot be kept: {error}", path.display()));
    fs::create_dir_all(folder).map_err(fault)?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            // Each id has 74 random bits.
            let secret = format!("{}{}", ids.new_id().simple(), ids.new_id().simple());
            file.write_all(secret.as_bytes()).map_err(fault)?;
            Ok(Secret::new(secret))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(Secret::new(fs::read_to_string(&path).map_err(fault)?.trim()))
        }
        Err(error) => Err(fault(error)),
    }
}

async fn start_interventions(parts: Parts, shutdown: CancellationToken) -> Result<Running, Failure> {
    let settings = InterventionsSettings {
        scoring: parts.peer(mainstay_scoring::SERVICE_NAME)?,
        surveys: parts.peer(mainstay_surveys::SERVICE_NAME)?,
        delivery: parts.delivery()?,
        workers: parts.workers.clone(),
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
    Ok(Running::start(mainstay_interventions::SERVICE_NAME, addresses, service.workers(), service, &shutdown))
}

async fn start_expansion(parts: Parts, shutdown: CancellationToken) -> Result<Running, Failure> {
    let settings = ExpansionSettings {
        scoring: parts.peer(mainstay_scoring::SERVICE_NAME)?,
        interventions: parts.peer(mainstay_interventions::SERVICE_NAME)?,
        workers: parts.workers.clone(),
        ..ExpansionSettings::default()
    };
    let Parts { rpc, database_url, surroundings, .. } = parts;
    let parts = ExpansionParts {
        settings,
        rpc,
        database: DatabaseSettings::new(database_url, mainstay_expansion::SERVICE_NAME),
        clock: surroundings.clock,
        telemetry: Some(surroundings.telemetry),
        feeds: ExpansionFeeds::default(),
    };
    let service = ExpansionService::complete(parts).await;
    let service = service.map_err(|error| Failure::Suite(format!("expansion cannot start: {error}")))?;
    let addresses = (service.local_addr(), service.admin_addr());
    Ok(Running::start(mainstay_expansion::SERVICE_NAME, addresses, service.workers(), service, &shutdown))
}
