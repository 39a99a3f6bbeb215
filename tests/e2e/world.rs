//! The world in which a path is walked: services, clock, mail relay, webhook receiver, weather.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::delivery::v1::ListMessagesRequest;
use mainstay_api::mainstay::delivery::v1::delivery_service_client::DeliveryServiceClient;
use mainstay_api::mainstay::events::v1::SubscribeRequest;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_api::mainstay::expansion::v1 as expansion;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use mainstay_api::mainstay::scoring::v1::model_service_client::ModelServiceClient;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_domain::{Clock, ManualClock};
use mainstay_storage::Migrator;
use mainstay_telemetry::TelemetrySettings;
use mainstay_testkit::TestDatabase;
use mainstay_testkit::http::HttpReceiver;
use mainstay_testkit::smtp::{ReceivedEmail, SmtpReceiver};
use prost::{Message, Name};
use sqlx::AssertSqlSafe;
use tokio::sync::{Mutex, MutexGuard};
use tonic::metadata::AsciiMetadataValue;
use tonic::service::interceptor::{InterceptedService, Interceptor};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::places::Places;
use crate::services::{Replica, SERVICES, Service};

pub(crate) const CSM: &str = "mia@example.com";
pub(crate) const DIRECTOR: &str = "dora@example.com";
pub(crate) const FINANCE: &str = "fin@example.com";
/// Who answers surveys.
pub(crate) const CUSTOMER: &str = "ada@acme.example";

/// Rounds of settling in a row in which nothing happened, after which nothing more will.
const QUIET_ROUNDS: usize = 2;
const ROUNDS_MAX: usize = 60;

/// What happens beside a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Nothing.
    Calm,
    /// Every request that changes something is sent twice, and at each turn every event comes to its readers again.
    SentTwice,
    /// All services are restarted at each turn of the path.
    Restarts,
    /// There are two replicas of each service.
    TwoReplicas,
    /// A service is down for the first day on which something happens.
    Down(Service),
}

/// The trace in which all calls of a path are made.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// Its W3C header, of the caller's span.
pub(crate) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A channel whose calls are all of one trace.
pub(crate) type TracedChannel = InterceptedService<Channel, CallersTrace>;

/// Makes calls in the one trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallersTrace;

impl Interceptor for CallersTrace {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("traceparent", AsciiMetadataValue::from_static(TRACEPARENT));
        Ok(request)
    }
}

/// One world at a time: each has the connections of four services and their replicas.
static ONE_WORLD: Mutex<()> = Mutex::const_new(());

/// Sends a request that changes something. In the weather for that it is sent again with its id, as by a client that lost
/// the answer, and the answer is the same.
macro_rules! send {
    ($world:expr, $service:expr, $client:ident::$method:ident, $request:expr) => {{
        let mut request = $request;
        request.request_id = $world.new_request_id();
        let ask = async || {
            let answer = $client::new($world.channel($service)).$method(request.clone()).await;
            answer.map(tonic::Response::into_inner)
        };
        let answer = ask().await;
        if $world.weather == $crate::world::Weather::SentTwice {
            let again = ask().await;
            let comparable = |answer: &Result<_, tonic::Status>| answer.clone().map_err(|status| status.code());
            assert_eq!(comparable(&again), comparable(&answer), "the same request, the same answer");
        }
        answer
    }};
}
pub(crate) use send;

/// The world in which a path is walked.
pub(crate) struct World {
    pub clock: ManualClock,
    pub mail: SmtpReceiver,
    pub hook: HttpReceiver,
    pub weather: Weather,
    pub places: Places,
    database: TestDatabase,
    running: Vec<Replica>,
    has_been_down: bool,
    requests_made: AtomicU64,
    /// Calls to each service.
    calls_made: [AtomicUsize; 4],
    _alone: MutexGuard<'static, ()>,
}

impl World {
    /// A world with all services, in which acme is a customer.
    pub(crate) async fn new(weather: Weather) -> Self {
        let alone = ONE_WORLD.lock().await;
        let clock = mainstay_testkit::manual_clock("2026-03-01T08:00:00Z");
        let database = mainstay_testkit::empty_database().await;
        for service in SERVICES {
            migrate(&database, &service.migrator(), clock.now()).await;
        }
        mainstay_telemetry::start(TelemetrySettings {
            log_filter: "off".to_owned(),
            ..TelemetrySettings::named("e2e")
        })
        .expect("telemetry");
        let mut world = Self {
            clock,
            mail: SmtpReceiver::start().await,
            hook: HttpReceiver::start().await,
            weather,
            places: Places::new(),
            database,
            running: Vec::new(),
            has_been_down: false,
            requests_made: AtomicU64::new(0),
            calls_made: Default::default(),
            _alone: alone,
        };
        for service in SERVICES {
            world.start(service).await;
        }
        world.activate_model().await;
        world.create_acme().await;
        world.settle().await;
        world
    }

    /// Where the answer page is, of the replicas in turn.
    pub(crate) fn page(&self) -> SocketAddr {
        self.places.page(self.next_place(Service::Surveys))
    }

    /// An id that no other request has.
    pub(crate) fn new_request_id(&self) -> String {
        format!("request-{}", self.requests_made.fetch_add(1, Ordering::Relaxed))
    }

    fn replicas(&self) -> usize {
        if self.weather == Weather::TwoReplicas { 2 } else { 1 }
    }

    /// The replica that is called next: all of them in turn, as a load balancer has it.
    fn next_place(&self, service: Service) -> usize {
        self.calls_made[service as usize].fetch_add(1, Ordering::Relaxed) % self.replicas()
    }

    async fn start(&mut self, service: Service) {
        for place in 0..self.replicas() {
            let replica = service.start(self, self.database.url(), place).await;
            self.running.push(replica);
        }
    }

    async fn stop(&mut self, service: Service) {
        let (stopping, running) =
            std::mem::take(&mut self.running).into_iter().partition(|replica| replica.service == service);
        self.running = running;
        let stopping: Vec<Replica> = stopping;
        for replica in stopping {
            replica.stop().await;
        }
    }

    /// A turn of the path: what the weather does happens here.
    pub(crate) async fn turn(&mut self) {
        self.settle().await;
        match self.weather {
            Weather::Restarts => self.restart(async |_, _| {}).await,
            Weather::SentTwice => {
                let told = self.told_so_far().await;
                self.restart(Self::forget_what_was_read).await;
                assert_eq!(self.told_so_far().await, told, "what was heard before is no news");
            }
            Weather::Calm | Weather::TwoReplicas | Weather::Down(_) => {}
        }
        for replica in &self.running {
            for consumer in replica.workers.progress().await.expect("consumers") {
                assert_eq!(consumer.parked, 0, "{:?} could not take in what {} told", replica.service, consumer.feed);
            }
        }
    }

    /// Restarts all services, with something done to each while it is down.
    async fn restart(&mut self, while_down: impl AsyncFn(&Self, Service)) {
        for service in SERVICES {
            self.stop(service).await;
            while_down(self, service).await;
            self.start(service).await;
        }
        self.settle().await;
    }

    /// Has a service begin with the oldest event of each feed that it reads: what `docs/errors.md` tells readers to do
    /// when a feed was made anew or set back, as when its service was restored from a backup. Every event comes a second
    /// time then, after all that has happened since.
    async fn forget_what_was_read(&self, service: Service) {
        // Scoring reads none.
        if service != Service::Scoring {
            let forget = format!("DELETE FROM {}.consumer_offsets", service.migrator().schema());
            sqlx::query(AssertSqlSafe(forget)).execute(self.database.pool()).await.expect("offsets");
        }
    }

    /// Types of all events, and subjects of all mails, in their order. Without changes of chances: expansion's copy of an
    /// account goes through the account's past again while a feed is read anew, and a chance may go and come back.
    async fn told_so_far(&self) -> Vec<String> {
        let mut told = Vec::new();
        for service in SERVICES {
            told.extend(self.raw_events(service, Vec::new()).await.into_iter().map(|event| event.r#type));
        }
        told.retain(|of_type| *of_type != expansion::CandidateChanged::full_name());
        told.extend(self.mail.emails().into_iter().map(|email| email.subject));
        told
    }

    /// Lets time pass, by so much at a time, with what is due each time. On the first day that passes after something has
    /// happened, a service may be down.
    pub(crate) async fn pass(&mut self, times: u32, step: TimeDelta) {
        for _ in 0..times {
            self.clock.advance(step);
            self.settle().await;
        }
    }

    /// Something happens, and a day passes: with the weather, while a service is down.
    pub(crate) async fn down_for_a_day(&mut self) -> bool {
        let Weather::Down(service) = self.weather else { return false };
        if self.has_been_down {
            return false;
        }
        self.has_been_down = true;
        self.stop(service).await;
        true
    }

    /// The service that was down is up again.
    pub(crate) async fn up_again(&mut self) {
        if let Weather::Down(service) = self.weather {
            self.start(service).await;
            self.settle().await;
        }
    }

    /// Everything that is due or was told is done, in all services, until nothing happens any more.
    pub(crate) async fn settle(&self) {
        let mut quiet = 0;
        for _ in 0..ROUNDS_MAX {
            let mut done = 0;
            for replica in &self.running {
                done += replica.workers.settle().await.expect("due work");
            }
            quiet = if done == 0 { quiet + 1 } else { 0 };
            if quiet == QUIET_ROUNDS {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// A channel to a service, made for each call: a restarted service is found again, and the replicas are called in turn.
    pub(crate) fn channel(&self, service: Service) -> TracedChannel {
        let address = self.places.rpc(service, self.next_place(service));
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
        InterceptedService::new(endpoint.connect_lazy(), CallersTrace)
    }

    /// Says signals to scoring; in the weather for that by a job that runs twice, beside the answers that are lost.
    pub(crate) async fn record(&self, signals: Vec<scoring::Signal>) {
        assert!(self.try_to_record(signals.clone()).await, "scoring is up");
        if self.weather == Weather::SentTwice {
            assert!(self.try_to_record(signals).await, "scoring is up");
        }
    }

    /// Says signals to scoring; whether it is there to hear them.
    pub(crate) async fn try_to_record(&self, signals: Vec<scoring::Signal>) -> bool {
        let request = scoring::BatchRecordSignalsRequest { signals, ..Default::default() };
        match send!(self, Service::Scoring, SignalServiceClient::batch_record_signals, request) {
            Ok(_) => true,
            Err(status) if status.code() == Code::Unavailable => false,
            Err(status) => panic!("{status:?}"),
        }
    }

    /// A signal of acme at this moment.
    pub(crate) fn signal(&self, id: &str, payload: scoring::signal::Payload) -> scoring::Signal {
        scoring::Signal {
            account: "accounts/acme".to_owned(),
            source: "test".to_owned(),
            source_id: format!("{id}-{}", self.clock.now().timestamp()),
            event_time: Some(timestamp(self.clock.now())),
            payload: Some(payload),
            record_time: None,
            withdrawal: None,
        }
    }

    /// So many emails that acme sent today.
    pub(crate) fn emails(&self, quantity: i64) -> scoring::Signal {
        let usage = scoring::UsageCount { metric: "emails".to_owned(), quantity };
        self.signal("emails", scoring::signal::Payload::Usage(usage))
    }

    /// Days on which acme sends so many emails.
    pub(crate) async fn busy_days(&mut self, days: u32, emails_a_day: i64) {
        for _ in 0..days {
            self.record(vec![self.emails(emails_a_day)]).await;
            self.pass(1, TimeDelta::days(1)).await;
        }
    }

    /// Acme's score as scoring says it.
    pub(crate) async fn score(&self) -> Option<f64> {
        let request = scoring::GetHealthRequest { account: "accounts/acme".to_owned(), day: String::new() };
        let health = HealthServiceClient::new(self.channel(Service::Scoring)).get_health(request).await;
        health.expect("health").into_inner().score
    }

    /// All events of a kind that a service told.
    pub(crate) async fn events<M: Message + Name + Default>(&self, service: Service) -> Vec<M> {
        self.raw_events(service, vec![M::full_name()])
            .await
            .into_iter()
            .map(|event| M::decode(event.payload.expect("a payload").value.as_slice()).expect("a message"))
            .collect()
    }

    /// What was told of acme and sent to people outside of the one trace of the path's calls: types of events and
    /// purposes of messages.
    pub(crate) async fn outside_the_trace(&self) -> BTreeSet<String> {
        let mut outside = BTreeSet::new();
        for service in SERVICES {
            let of_acme =
                self.raw_events(service, Vec::new()).await.into_iter().filter(|event| !event.account.is_empty());
            outside.extend(of_acme.filter(|event| !event.traceparent.contains(TRACE)).map(|event| event.r#type));
        }
        for service in [Service::Surveys, Service::Interventions] {
            let mut client = DeliveryServiceClient::new(self.channel(service));
            let request = ListMessagesRequest { page_size: 1_000, ..Default::default() };
            let listed = client.list_messages(request).await.expect("messages").into_inner();
            assert_eq!(listed.next_page_token, "", "all of them");
            // A digest is about what many causes made, and about no account.
            let of_acme = listed.messages.into_iter().filter(|message| message.purpose != "billing_digest");
            let strays = of_acme.filter(|message| !message.traceparent.contains(TRACE));
            outside.extend(strays.map(|message| message.purpose));
        }
        outside
    }

    /// All events of these types, or of all, as the feed has them.
    pub(crate) async fn raw_events(
        &self,
        service: Service,
        types: Vec<String>,
    ) -> Vec<mainstay_api::mainstay::events::v1::Event> {
        let request = SubscribeRequest { types, until_now: true, ..Default::default() };
        let mut answers =
            EventFeedServiceClient::new(self.channel(service)).subscribe(request).await.expect("a stream").into_inner();
        let mut events = Vec::new();
        while let Some(answer) = answers.message().await.expect("events") {
            events.extend(answer.events);
        }
        events
    }

    /// What was written to a person.
    pub(crate) fn mail_to(&self, person: &str) -> Vec<ReceivedEmail> {
        self.mail.emails().into_iter().filter(|email| email.to.iter().any(|to| to == person)).collect()
    }

    /// Changes acme.
    pub(crate) async fn update_acme(&self, account: scoring::Account) {
        let request = scoring::BatchUpsertAccountsRequest { accounts: vec![account], ..Default::default() };
        send!(self, Service::Scoring, AccountServiceClient::batch_upsert_accounts, request).expect("acme");
    }

    async fn create_acme(&self) {
        self.update_acme(acme()).await;
    }

    /// The score is what an account sent of emails in 30 days, 800 or more being the best.
    async fn activate_model(&self) {
        let measure = scoring::Measure {
            id: "emails".to_owned(),
            display_name: "Emails in 30 days".to_owned(),
            weight: 1.0,
            input: Some(scoring::Input { series: Some(scoring::input::Series::Metric("emails".to_owned())) }),
            window_days: 30,
            aggregation: scoring::Aggregation::Sum.into(),
            curve: vec![scoring::CurvePoint { x: 0.0, points: 0.0 }, scoring::CurvePoint { x: 800.0, points: 100.0 }],
            ..Default::default()
        };
        let model = scoring::Model {
            display_name: "Emails".to_owned(),
            components: vec![scoring::Component {
                id: "usage".to_owned(),
                display_name: "Usage".to_owned(),
                weight: 1.0,
                measures: vec![measure],
                ..Default::default()
            }],
            ..Default::default()
        };
        let request =
            scoring::CreateModelRequest { model_id: "emails".to_owned(), model: Some(model), ..Default::default() };
        send!(self, Service::Scoring, ModelServiceClient::create_model, request).expect("a model");
        let request = scoring::ActivateModelRequest { name: "models/emails".to_owned(), ..Default::default() };
        send!(self, Service::Scoring, ModelServiceClient::activate_model, request).expect("activated");
    }
}

async fn migrate(database: &TestDatabase, migrator: &Migrator, now: DateTime<Utc>) {
    migrator.migrate(database.pool(), now, None).await.expect("a schema");
}

/// An enterprise with people in all roles, and one who answers surveys.
pub(crate) fn acme() -> scoring::Account {
    let owner = |role: scoring::OwnerRole, email: &str| scoring::Owner {
        role: role.into(),
        email: email.to_owned(),
        display_name: String::new(),
    };
    scoring::Account {
        name: "accounts/acme".to_owned(),
        display_name: "Acme Ltd".to_owned(),
        segment: scoring::Segment::Enterprise.into(),
        lifecycle_stage: scoring::LifecycleStage::Active.into(),
        plan: "team".to_owned(),
        arr: Some(Money { currency_code: "EUR".to_owned(), minor_units: 18_000_000 }),
        sign_up_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        plan_limits: [("emails".to_owned(), 1_000.0)].into(),
        owners: vec![
            owner(scoring::OwnerRole::Csm, CSM),
            owner(scoring::OwnerRole::CsmDirector, DIRECTOR),
            owner(scoring::OwnerRole::FinanceContact, FINANCE),
        ],
        contacts: vec![scoring::Contact {
            id: "ada".to_owned(),
            display_name: "Ada".to_owned(),
            email: CUSTOMER.to_owned(),
            champion: true,
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A time as messages have it.
pub(crate) fn timestamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.timestamp(), nanos: 0 }
}
