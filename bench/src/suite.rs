//! The services together, each on sockets of its own with its own pools and workers, as its own process would run it.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::anyhow;
use mainstay_domain::{SharedClock, SystemClock};
use mainstay_interventions::domain::owners::DefaultOwners;
use mainstay_interventions::{InterventionsParts, InterventionsService, InterventionsSettings, Peers};
use mainstay_rpc::settings::Secret;
use mainstay_rpc::{Listen, RpcSettings};
use mainstay_service::{PeerSettings, WorkerSettings};
use mainstay_storage::DatabaseSettings;
use mainstay_surveys::{Feeds, PageSettings, SurveysParts, SurveysService, SurveysSettings};

use crate::database::Database;
use crate::relay::{PAGE_URL, Relay};
use crate::service::{self, RunningService, of_service};

/// The services at work.
pub(crate) struct Suite {
    pub scoring: RunningService,
    pub interventions: RunningService,
    pub surveys: Option<RunningSurveys>,
}

/// Surveys at work.
pub(crate) struct RunningSurveys {
    pub service: RunningService,
    /// Where the answer page is.
    pub page: SocketAddr,
}

impl Suite {
    /// Scoring and interventions.
    pub(crate) async fn without_surveys(database: &Database, relay: &Relay) -> anyhow::Result<Self> {
        let clock: SharedClock = Arc::new(SystemClock);
        let scoring = RunningService::start(service::at_rest(database, clock.clone()).await?);
        let settings = InterventionsSettings {
            scoring: Some(peer(scoring.address())?),
            delivery: relay.delivery()?,
            ..interventions_settings()
        };
        let complete = interventions(database, clock, settings, RpcSettings::loopback()).await?;
        let interventions = RunningService::of(complete.local_addr(), complete);
        Ok(Self { scoring, interventions, surveys: None })
    }

    /// Scoring, interventions and surveys, each following the others.
    pub(crate) async fn with_surveys(database: &Database, relay: &Relay) -> anyhow::Result<Self> {
        let clock: SharedClock = Arc::new(SystemClock);
        let scoring = RunningService::start(service::at_rest(database, clock.clone()).await?);
        // Each of the two must know the other's address before it is there.
        let mut rpc = RpcSettings::loopback();
        rpc.listen = Listen::held(rpc.listen.address())?;
        let settings = SurveysSettings {
            page: PageSettings {
                public_url: PAGE_URL.to_owned(),
                // All answers come from this machine's one address.
                requests_per_minute: 1_000_000,
                ..PageSettings::local(Secret::new("0123456789abcdef0123456789abcdef"))
            },
            delivery: relay.delivery()?,
            workers: WorkerSettings::default(),
            scoring: Some(peer(scoring.address())?),
            interventions: Some(peer(rpc.listen.address())?),
        };
        let complete = surveys(database, clock.clone(), settings).await?;
        let (address, page) = (complete.local_addr(), complete.page_addr());
        let surveys = RunningSurveys { service: RunningService::of(address, complete), page };
        let settings = InterventionsSettings {
            scoring: Some(peer(scoring.address())?),
            surveys: Some(peer(address)?),
            delivery: relay.delivery()?,
            ..interventions_settings()
        };
        let complete = interventions(database, clock, settings, rpc).await?;
        let interventions = RunningService::of(complete.local_addr(), complete);
        Ok(Self { scoring, interventions, surveys: Some(surveys) })
    }

    /// Stops all of them.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        if let Some(surveys) = self.surveys {
            surveys.service.stop().await?;
        }
        self.interventions.stop().await?;
        self.scoring.stop().await
    }
}

/// As by default, with somebody to tell when nobody is known.
pub(crate) fn interventions_settings() -> InterventionsSettings {
    let default_owners = DefaultOwners { everyone: "team@example.com".to_owned(), director: None, finance: None };
    InterventionsSettings { default_owners, ..InterventionsSettings::default() }
}

/// Interventions, ready to run.
pub(crate) async fn interventions(
    database: &Database,
    clock: SharedClock,
    settings: InterventionsSettings,
    rpc: RpcSettings,
) -> anyhow::Result<InterventionsService> {
    database.migrate(&mainstay_interventions::migrator()).await?;
    let peers = Peers::connect(&settings).map_err(of_service)?;
    let database = DatabaseSettings::new(database.url.as_str(), "interventions");
    let parts = InterventionsParts { settings, peers, rpc, database, clock, telemetry: None };
    InterventionsService::complete(parts).await.map_err(of_service)
}

async fn surveys(database: &Database, clock: SharedClock, settings: SurveysSettings) -> anyhow::Result<SurveysService> {
    database.migrate(&mainstay_surveys::migrator()).await?;
    let feeds = Feeds::of_peers(&settings).map_err(of_service)?;
    let database = DatabaseSettings::new(database.url.as_str(), "surveys");
    let rpc = RpcSettings::loopback();
    let parts = SurveysParts { settings, rpc, database, clock, telemetry: None, feeds };
    SurveysService::complete(parts).await.map_err(of_service)
}

/// A service as another one is told of it.
pub(crate) fn peer(address: SocketAddr) -> anyhow::Result<PeerSettings> {
    let address = format!("http://{address}").parse().map_err(|error| anyhow!("the address {address}: {error}"))?;
    Ok(PeerSettings { address, token: None, certificate_authority_file: None })
}
