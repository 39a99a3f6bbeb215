//! The services, each as its own process would run it: on a socket, with its own pools and workers.

use std::sync::Arc;

use mainstay_delivery::{DeliverySettings, SigningKey, SmtpSettings};
use mainstay_domain::SharedClock;
use mainstay_expansion::{ExpansionParts, ExpansionService, ExpansionSettings};
use mainstay_interventions::domain::owners::DefaultOwners;
use mainstay_interventions::{InterventionsParts, InterventionsService, InterventionsSettings, Peers};
use mainstay_rpc::RpcSettings;
use mainstay_rpc::service_main::{Runnable, ServiceError};
use mainstay_rpc::settings::Secret;
use mainstay_scoring::{Feeds as ScoringFeeds, ScoringParts, ScoringService, ScoringSettings};
use mainstay_service::{PeerSettings, WorkerSettings, Workers};
use mainstay_storage::Migrator;
use mainstay_surveys::{Feeds, PageSettings, SurveysParts, SurveysService, SurveysSettings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// A service of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Scoring,
    Surveys,
    Interventions,
    Expansion,
}

/// All of them, in the order in which they start.
pub(crate) const SERVICES: [Service; 4] =
    [Service::Scoring, Service::Surveys, Service::Interventions, Service::Expansion];

/// A running replica of a service.
pub(crate) struct Replica {
    pub service: Service,
    pub workers: Workers,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), ServiceError>>,
}

impl Replica {
    fn run(service: Service, workers: Workers, runnable: impl Runnable) -> Self {
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(runnable.run(shutdown.clone()));
        Self { service, workers, shutdown, serving }
    }

    /// Ends it as a supervisor would, and waits until it is gone.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.expect("no panic").expect("a good end");
    }
}

impl Service {
    pub(crate) fn migrator(self) -> Migrator {
        match self {
            Self::Scoring => mainstay_scoring::migrator(),
            Self::Surveys => mainstay_surveys::migrator(),
            Self::Interventions => mainstay_interventions::migrator(),
            Self::Expansion => mainstay_expansion::migrator(),
        }
    }

    /// Starts a replica at its place.
    pub(crate) async fn start(self, world: &World, database_url: &str, place: usize) -> Replica {
        let rpc = RpcSettings { listen: world.places.rpc(self, place).into(), ..RpcSettings::loopback() };
        let database = mainstay_testkit::database_settings(database_url);
        let clock: SharedClock = Arc::new(world.clock.clone());
        match self {
            Self::Scoring => {
                let settings = ScoringSettings {
                    surveys: Some(peer(world, Self::Surveys, place)),
                    interventions: Some(peer(world, Self::Interventions, place)),
                    ..ScoringSettings::default()
                };
                let feeds = ScoringFeeds::of_peers(&settings).expect("peers");
                let parts = ScoringParts { settings, feeds, rpc, database, clock, telemetry: None };
                let service = ScoringService::complete(parts).await.expect("scoring");
                Replica::run(self, service.workers(), service)
            }
            Self::Surveys => {
                let settings = SurveysSettings {
                    page: PageSettings {
                        listen: world.places.page(place).into(),
                        public_url: "https://survey.example.com".to_owned(),
                        requests_per_minute: 100_000,
                        ..PageSettings::local(Secret::new("0123456789abcdef0123456789abcdef"))
                    },
                    delivery: delivery(world),
                    workers: WorkerSettings::default(),
                    scoring: Some(peer(world, Self::Scoring, place)),
                    interventions: Some(peer(world, Self::Interventions, place)),
                };
                let feeds = Feeds::of_peers(&settings).expect("peers");
                let parts = SurveysParts { settings, rpc, database, clock, telemetry: None, feeds };
                let service = SurveysService::complete(parts).await.expect("surveys");
                Replica::run(self, service.workers(), service)
            }
            Self::Interventions => {
                let settings = InterventionsSettings {
                    delivery: delivery(world),
                    webhooks: vec!["crm".to_owned()],
                    default_owners: DefaultOwners {
                        everyone: "team@example.com".to_owned(),
                        director: None,
                        finance: None,
                    },
                    scoring: Some(peer(world, Self::Scoring, place)),
                    surveys: Some(peer(world, Self::Surveys, place)),
                    ..InterventionsSettings::default()
                };
                let peers = Peers::connect(&settings).expect("peers");
                let parts = InterventionsParts { settings, peers, rpc, database, clock, telemetry: None };
                let service = InterventionsService::complete(parts).await.expect("interventions");
                Replica::run(self, service.workers(), service)
            }
            Self::Expansion => {
                let settings = ExpansionSettings {
                    scoring: Some(peer(world, Self::Scoring, place)),
                    interventions: Some(peer(world, Self::Interventions, place)),
                    ..ExpansionSettings::default()
                };
                let feeds = mainstay_expansion::Feeds::default();
                let parts = ExpansionParts { settings, rpc, database, clock, telemetry: None, feeds };
                let service = ExpansionService::complete(parts).await.expect("expansion");
                Replica::run(self, service.workers(), service)
            }
        }
    }
}

/// Another service, as the replica at a place sees it: each has the peers at its own place, so that all are called.
fn peer(world: &World, service: Service, place: usize) -> PeerSettings {
    let address = format!("http://{}", world.places.rpc(service, place)).parse().expect("an address");
    PeerSettings { address, token: None, certificate_authority_file: None }
}

fn delivery(world: &World) -> DeliverySettings {
    let from = "Mainstay <mainstay@example.com>".parse().expect("a mailbox");
    let smtp = Some(SmtpSettings::local(world.mail.port(), from));
    let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
    let settings = DeliverySettings { smtp, allow_private_addresses: true, ..DeliverySettings::default() };
    settings.with_webhook("crm", world.hook.url("/hook"), vec![key])
}
