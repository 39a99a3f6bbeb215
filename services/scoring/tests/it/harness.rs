//! A scoring service of its own for each test: its database, its clock, its channel.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mainstay_api::google::longrunning::operations_client::OperationsClient;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use mainstay_api::mainstay::scoring::v1::model_service_client::ModelServiceClient;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_domain::{Clock, ManualClock};
use mainstay_rpc::RpcSettings;
use mainstay_scoring::{Feeds, ScoringParts, ScoringService, ScoringSettings, migrator};
use mainstay_service::Workers;
use mainstay_testkit::TestDatabase;
use mainstay_testkit::feed::FakeFeed;
use std::sync::Arc;
use tonic::transport::Channel;

/// A message of as many signals or accounts as one may send is larger than a client takes by default.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

pub(crate) struct Harness {
    pub accounts: AccountServiceClient<Channel>,
    pub signals: SignalServiceClient<Channel>,
    pub models: ModelServiceClient<Channel>,
    pub health: HealthServiceClient<Channel>,
    pub operations: OperationsClient<Channel>,
    pub feed: EventFeedServiceClient<Channel>,
    /// For the services that few tests call.
    pub channel: Channel,
    pub clock: ManualClock,
    pub database: TestDatabase,
    pub surveys: FakeFeed,
    pub interventions: FakeFeed,
    workers: Workers,
    /// Kept: its channel ends with it.
    _service: ScoringService,
}

impl Harness {
    /// A service with an empty database whose clock stands at `start`.
    pub(crate) async fn start(start: &str) -> Self {
        let database = mainstay_testkit::database(&migrator()).await;
        Self::on(database, mainstay_testkit::manual_clock(start)).await
    }

    /// Another replica on the same database and clock.
    pub(crate) async fn replica(&self) -> (ScoringService, Workers) {
        let service = complete(&self.database, &self.clock, [&self.surveys, &self.interventions]).await;
        let workers = service.workers();
        (service, workers)
    }

    /// A service on a database that is there.
    pub(crate) async fn on(database: TestDatabase, clock: ManualClock) -> Self {
        let surveys = FakeFeed::start("surveys", &database, &clock).await;
        let interventions = FakeFeed::start("interventions", &database, &clock).await;
        let service = complete(&database, &clock, [&surveys, &interventions]).await;
        let channel = service.in_memory_channel();
        Self {
            accounts: AccountServiceClient::new(channel.clone()).max_encoding_message_size(MESSAGE_BYTES_MAX),
            signals: SignalServiceClient::new(channel.clone()).max_encoding_message_size(MESSAGE_BYTES_MAX),
            models: ModelServiceClient::new(channel.clone()),
            health: HealthServiceClient::new(channel.clone()),
            operations: OperationsClient::new(channel.clone()),
            feed: EventFeedServiceClient::new(channel.clone()),
            channel,
            clock,
            workers: service.workers(),
            database,
            surveys,
            interventions,
            _service: service,
        }
    }

    /// Does everything that is due, and puts all events into the feed.
    pub(crate) async fn settle(&self) {
        self.try_settle().await.expect("due work");
    }

    /// As [`Self::settle`], beside other replicas.
    pub(crate) async fn try_settle(&self) -> Result<usize, mainstay_rpc::service_main::ServiceError> {
        self.workers.settle().await
    }

    /// The day so many days from today.
    pub(crate) fn clock_day(&self, days: i64) -> String {
        (self.clock.today() + TimeDelta::days(days)).to_string()
    }

    /// The time now, as signals have it.
    pub(crate) fn clock_time(&self) -> String {
        self.clock.now().to_rfc3339()
    }

    /// Throws away what is past its time.
    pub(crate) async fn keep_house(&self) {
        self.workers.keep_house().await.expect("a clean house");
    }

    /// Turns the clock to midnight of a day and does what is due then.
    pub(crate) async fn turn_to(&self, day: &str) {
        self.clock.set(at(day));
        self.settle().await;
    }

    /// Turns the clock on, day by day, with what is due on each.
    pub(crate) async fn pass_days(&self, days: u32) {
        for _ in 0..days {
            self.clock.set(mainstay_domain::start_of_day(self.clock.today() + TimeDelta::days(1)));
            self.settle().await;
        }
    }

    /// Creates accounts with nothing but a name.
    pub(crate) async fn create_accounts(&mut self, ids: &[&str]) {
        let accounts = ids.iter().map(|id| account(id)).collect();
        let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
        self.accounts.batch_upsert_accounts(request).await.expect("accounts");
    }

    /// Creates and activates a model under an id.
    pub(crate) async fn activate(&mut self, id: &str, model: proto::Model) {
        let request = proto::CreateModelRequest { model_id: id.to_owned(), model: Some(model), ..Default::default() };
        self.models.create_model(request).await.expect("model");
        let request = proto::ActivateModelRequest { name: format!("models/{id}"), ..Default::default() };
        self.models.activate_model(request).await.expect("activation");
    }

    /// Records signals, all new.
    pub(crate) async fn record(&mut self, signals: Vec<proto::Signal>) -> proto::BatchRecordSignalsResponse {
        let request = proto::BatchRecordSignalsRequest { signals, ..Default::default() };
        self.signals.batch_record_signals(request).await.expect("signals").into_inner()
    }

    /// The health of an account, on a day or the newest.
    pub(crate) async fn health_of(&mut self, id: &str, day: &str) -> proto::Health {
        let request = proto::GetHealthRequest { account: format!("accounts/{id}"), day: day.to_owned() };
        self.health.get_health(request).await.expect("health").into_inner()
    }
}

async fn complete(database: &TestDatabase, clock: &ManualClock, feeds: [&FakeFeed; 2]) -> ScoringService {
    let [surveys, interventions] = feeds.map(|feed| Some(feed.source()));
    let parts = ScoringParts {
        settings: ScoringSettings::default(),
        feeds: Feeds { surveys, interventions },
        rpc: RpcSettings::loopback(),
        database: database.settings(),
        clock: Arc::new(clock.clone()),
        telemetry: None,
    };
    ScoringService::complete(parts).await.expect("the service")
}

/// Midnight of a day, or the time given.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    match text.parse::<NaiveDate>() {
        Ok(day) => mainstay_domain::start_of_day(day),
        Err(_) => text.parse().expect("a time"),
    }
}

/// An account with nothing but a name.
pub(crate) fn account(id: &str) -> proto::Account {
    proto::Account { name: format!("accounts/{id}"), display_name: format!("Customer {id}"), ..Default::default() }
}

/// A signal; its id in the source is made from all it says.
pub(crate) fn signal(id: &str, time: &str, payload: proto::signal::Payload) -> proto::Signal {
    let time = at(time);
    proto::Signal {
        account: format!("accounts/{id}"),
        source: "test".to_owned(),
        source_id: format!("{id}/{}/{payload:?}", time.timestamp())
            .replace(char::is_control, "")
            .chars()
            .take(128)
            .collect(),
        event_time: Some(prost_types::Timestamp { seconds: time.timestamp(), nanos: 0 }),
        payload: Some(payload),
        record_time: None,
        withdrawal: None,
    }
}

/// Numbers below a bound, the same in each run: a linear congruential generator (Numerical Recipes).
pub(crate) fn draws(seed: u32) -> impl FnMut(u32) -> u32 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    }
}

/// Signals in an order that depends on the seed.
pub(crate) fn shuffled(mut signals: Vec<proto::Signal>, seed: u32) -> Vec<proto::Signal> {
    let mut draw = draws(seed);
    for place in (1..signals.len()).rev() {
        let bound = u32::try_from(place + 1).expect("few");
        signals.swap(place, draw(bound) as usize);
    }
    signals
}

/// An amount of use.
pub(crate) fn usage(id: &str, time: &str, metric: &str, quantity: i64) -> proto::Signal {
    signal(id, time, proto::signal::Payload::Usage(proto::UsageCount { metric: metric.to_owned(), quantity }))
}

/// A level.
pub(crate) fn gauge(id: &str, time: &str, metric: &str, level: f64) -> proto::Signal {
    signal(id, time, proto::signal::Payload::Gauge(proto::Gauge { metric: metric.to_owned(), level }))
}

/// A user's activity.
pub(crate) fn activity(id: &str, time: &str, user_id: &str) -> proto::Signal {
    let activity = proto::UserActivity { user_id: user_id.to_owned(), action: "login".to_owned() };
    signal(id, time, proto::signal::Payload::Activity(activity))
}

/// A model of one component with one measure.
pub(crate) fn model_of(measure: proto::Measure) -> proto::Model {
    proto::Model {
        display_name: "Test".to_owned(),
        components: vec![proto::Component {
            id: "usage".to_owned(),
            display_name: "Usage".to_owned(),
            weight: 1.0,
            measures: vec![measure],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A measure: the sum of a count over so many days, worth its value up to 100.
pub(crate) fn sum_of(metric: &str, window_days: i32) -> proto::Measure {
    proto::Measure {
        id: format!("{metric}_sum"),
        display_name: format!("Sum of {metric}"),
        weight: 1.0,
        input: Some(proto::Input { series: Some(proto::input::Series::Metric(metric.to_owned())) }),
        window_days,
        aggregation: proto::Aggregation::Sum.into(),
        curve: vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 100.0, points: 100.0 }],
        ..Default::default()
    }
}
