//! An interventions service of its own for each test: its database, its clock, the feeds that it hears, a mail relay.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::events::v1::SubscribeRequest;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::interventions::v1::alert_service_client::AlertServiceClient;
use mainstay_api::mainstay::interventions::v1::case_service_client::CaseServiceClient;
use mainstay_api::mainstay::interventions::v1::policy_service_client::PolicyServiceClient;
use mainstay_api::mainstay::interventions::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::status::v1::status_service_client::StatusServiceClient;
use mainstay_clients::ServiceChannel;
use mainstay_delivery::{DeliverySettings, SigningKey, SmtpSettings};
use mainstay_domain::{Clock, ManualClock};
use mainstay_interventions::domain::owners::DefaultOwners;
use mainstay_interventions::{InterventionsParts, InterventionsService, InterventionsSettings, Peers, migrator};
use mainstay_rpc::RpcSettings;
use mainstay_service::Workers;
use mainstay_testkit::TestDatabase;
use mainstay_testkit::feed::FakeFeed;
use mainstay_testkit::http::{HttpReceiver, ReceivedRequest};
use mainstay_testkit::smtp::{ReceivedEmail, SmtpReceiver};
use prost::{Message, Name};
use tonic::transport::Channel;

/// Who looks after acme in which role.
pub(crate) const CSM: &str = "mia@example.com";
pub(crate) const DIRECTOR: &str = "dora@example.com";
pub(crate) const FINANCE: &str = "fin@example.com";
pub(crate) const ACCOUNT_MANAGER: &str = "al@example.com";
/// Who decides at acme's vendor; acme as the tests have it has none.
pub(crate) const SPONSOR: &str = "eve@example.com";
/// Who is asked when nobody is known.
pub(crate) const DEFAULT: &str = "team@example.com";

pub(crate) struct Harness {
    pub alerts: AlertServiceClient<Channel>,
    pub cases: CaseServiceClient<Channel>,
    pub policies: PolicyServiceClient<Channel>,
    pub reports: ReportServiceClient<Channel>,
    pub feed: EventFeedServiceClient<Channel>,
    pub status: StatusServiceClient<Channel>,
    pub clock: ManualClock,
    pub database: TestDatabase,
    pub scoring: FakeFeed,
    pub surveys: FakeFeed,
    pub mail: SmtpReceiver,
    /// Slack and a webhook by the name of `crm`.
    pub hook: HttpReceiver,
    workers: Workers,
    /// Kept: its channel ends with it.
    _service: InterventionsService,
}

impl Harness {
    /// A service with an empty database whose clock stands at `start`.
    pub(crate) async fn start(start: &str) -> Self {
        Self::start_beside(start, None).await
    }

    /// The same, which asks scoring by RPC.
    pub(crate) async fn start_beside(start: &str, peer: Option<ServiceChannel>) -> Self {
        let database = mainstay_testkit::database(&migrator()).await;
        let clock = mainstay_testkit::manual_clock(start);
        let scoring = FakeFeed::start("scoring", &database, &clock).await;
        let surveys = FakeFeed::start("surveys", &database, &clock).await;
        let mail = SmtpReceiver::start().await;
        let hook = HttpReceiver::start().await;
        let service = complete(&database, &clock, &scoring, &surveys, (&mail, &hook), peer, |_| {}).await;
        let channel = service.in_memory_channel();
        Self {
            alerts: AlertServiceClient::new(channel.clone()),
            cases: CaseServiceClient::new(channel.clone()),
            policies: PolicyServiceClient::new(channel.clone()),
            reports: ReportServiceClient::new(channel.clone()),
            feed: EventFeedServiceClient::new(channel.clone()),
            status: StatusServiceClient::new(channel),
            clock,
            workers: service.workers(),
            database,
            scoring,
            surveys,
            mail,
            hook,
            _service: service,
        }
    }

    /// One that knows acme, an enterprise with people in all roles.
    pub(crate) async fn with_acme(start: &str) -> Self {
        let harness = Self::start(start).await;
        harness.tell_account(acme()).await;
        harness.settle().await;
        harness
    }

    /// Another replica on the same database, clock and feeds.
    pub(crate) async fn replica(&self) -> (InterventionsService, Workers) {
        self.replica_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn replica_with(
        &self,
        change: impl FnOnce(&mut InterventionsSettings),
    ) -> (InterventionsService, Workers) {
        let receivers = (&self.mail, &self.hook);
        let service =
            complete(&self.database, &self.clock, &self.scoring, &self.surveys, receivers, None, change).await;
        let workers = service.workers();
        (service, workers)
    }

    /// Does everything that is due and heard of, and sends every message.
    pub(crate) async fn settle(&self) {
        self.workers.settle().await.expect("due work");
    }

    /// As [`Self::settle`], beside other replicas.
    pub(crate) async fn try_settle(&self) -> Result<usize, mainstay_rpc::service_main::ServiceError> {
        self.workers.settle().await
    }

    /// Turns the clock on, and does what is due then.
    pub(crate) async fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.settle().await;
    }

    /// Tells of an account's facts.
    pub(crate) async fn tell_account(&self, account: scoring::Account) {
        let id = account.name.trim_start_matches("accounts/").to_owned();
        let kind = scoring::AccountChangeKind::Updated.into();
        self.scoring.tell(&id, &scoring::AccountChanged { account: Some(account), kind }).await;
    }

    /// Tells of acme's health.
    pub(crate) async fn tell_score(&self, score: f64) {
        let change = scoring::HealthChange {
            account: "accounts/acme".to_owned(),
            score: Some(score),
            band: scoring::Band::Stable.into(),
            ..Default::default()
        };
        self.scoring.tell("acme", &scoring::HealthChanged { change: Some(change) }).await;
    }

    /// Tells that a condition of acme began.
    pub(crate) async fn raise(&self, trigger: scoring::RiskTrigger) {
        self.scoring.tell("acme", &scoring::RiskTriggerRaised { trigger: Some(trigger) }).await;
    }

    /// Tells that a condition of acme was met again.
    pub(crate) async fn repeat(&self, trigger: scoring::RiskTrigger) {
        self.scoring.tell("acme", &scoring::RiskTriggerUpdated { trigger: Some(trigger) }).await;
    }

    /// Tells that a condition of acme ended.
    pub(crate) async fn clear(&self, trigger: scoring::RiskTrigger) {
        let trigger = scoring::RiskTrigger { clear_reason: scoring::RiskTriggerClearReason::Ended.into(), ..trigger };
        self.scoring.tell("acme", &scoring::RiskTriggerCleared { trigger: Some(trigger) }).await;
    }

    /// A condition of acme that is met now.
    pub(crate) fn trigger(
        &self,
        kind: scoring::RiskTriggerKind,
        subject: &str,
        cause: scoring::risk_trigger::Cause,
    ) -> scoring::RiskTrigger {
        scoring::RiskTrigger {
            account: "accounts/acme".to_owned(),
            kind: kind.into(),
            subject: subject.to_owned(),
            raise_time: Some(timestamp(self.clock.now())),
            occurrence_count: 1,
            cause: Some(cause),
            ..Default::default()
        }
    }

    /// That acme was not seen for 14 days.
    pub(crate) fn silence(&self) -> scoring::RiskTrigger {
        let cause = scoring::InactivityCause { last_activity_day: "2026-02-15".to_owned(), inactive_days: 14 };
        self.trigger(scoring::RiskTriggerKind::Inactivity, "", scoring::risk_trigger::Cause::Inactivity(cause))
    }

    /// That payments of an invoice of acme failed so many times.
    pub(crate) fn failed_payment(&self, invoice: &str, attempts: i32) -> scoring::RiskTrigger {
        let cause = scoring::PaymentCause {
            invoice_id: invoice.to_owned(),
            amount: Some(Money { currency_code: "EUR".to_owned(), minor_units: 120_000 }),
            failed_attempt_count: attempts,
            failure_reason: "card declined".to_owned(),
            overdue: false,
        };
        let cause = scoring::risk_trigger::Cause::Payment(cause);
        let trigger = self.trigger(scoring::RiskTriggerKind::PaymentFailed, invoice, cause);
        scoring::RiskTrigger { occurrence_count: attempts, ..trigger }
    }

    /// That acme's score fell below 50.
    pub(crate) fn critical(&self, score: f64) -> scoring::RiskTrigger {
        let cause = scoring::HealthCause {
            day: self.clock.today().to_string(),
            score,
            band: scoring::Band::Critical.into(),
            previous_score: Some(71.0),
            threshold: 50.0,
        };
        let cause = scoring::risk_trigger::Cause::Health(cause);
        let trigger = self.trigger(scoring::RiskTriggerKind::HealthCritical, "", cause);
        scoring::RiskTrigger { score: Some(score), ..trigger }
    }

    /// All alerts that are open, what is due first first.
    pub(crate) async fn open_alerts(&mut self) -> Vec<proto::Alert> {
        let answer = self.alerts.list_alerts(proto::ListAlertsRequest::default()).await.expect("alerts");
        answer.into_inner().alerts
    }

    /// The one alert that is open.
    pub(crate) async fn open_alert(&mut self) -> proto::Alert {
        let mut alerts = self.open_alerts().await;
        assert_eq!(alerts.len(), 1, "{alerts:#?}");
        alerts.remove(0)
    }

    /// An alert by its name.
    pub(crate) async fn alert(&mut self, name: &str) -> proto::Alert {
        let request = proto::GetAlertRequest { name: name.to_owned() };
        self.alerts.get_alert(request).await.expect("an alert").into_inner()
    }

    /// A case by its name.
    pub(crate) async fn case(&mut self, name: &str) -> proto::Case {
        let request = proto::GetCaseRequest { name: name.to_owned() };
        self.cases.get_case(request).await.expect("a case").into_inner()
    }

    /// All events of a type, in the order of the feed.
    pub(crate) async fn events<M: Message + Name + Default>(&mut self) -> Vec<M> {
        let request = SubscribeRequest { types: vec![M::full_name()], until_now: true, ..Default::default() };
        let mut answers = self.feed.subscribe(request).await.expect("a stream").into_inner();
        let mut events = Vec::new();
        while let Some(answer) = answers.message().await.expect("events") {
            let payloads = answer.events.into_iter().filter_map(|event| event.payload);
            events.extend(payloads.map(|payload| M::decode(payload.value.as_slice()).expect("a payload")));
        }
        events
    }

    /// What was written to a person, by subject lines.
    pub(crate) fn mail_to(&self, person: &str) -> Vec<ReceivedEmail> {
        self.mail.emails().into_iter().filter(|email| email.to.iter().any(|to| to == person)).collect()
    }

    /// What Slack and the webhook were sent, by path.
    pub(crate) fn posted(&self, path: &str) -> Vec<ReceivedRequest> {
        self.hook.requests().into_iter().filter(|request| request.path == path).collect()
    }

    /// The story of acme, oldest first, as kinds.
    pub(crate) async fn story(&mut self) -> Vec<String> {
        let request = proto::GetTimelineRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
        let answer = self.cases.get_timeline(request).await.expect("a story").into_inner();
        answer.entries.into_iter().rev().map(|entry| entry.kind).collect()
    }
}

async fn complete(
    database: &TestDatabase,
    clock: &ManualClock,
    scoring: &FakeFeed,
    surveys: &FakeFeed,
    (mail, hook): (&SmtpReceiver, &HttpReceiver),
    peer: Option<ServiceChannel>,
    change: impl FnOnce(&mut InterventionsSettings),
) -> InterventionsService {
    let from = "Mainstay <mainstay@example.com>".parse().expect("a mailbox");
    let smtp = Some(SmtpSettings::local(mail.port(), from));
    let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
    let delivery = DeliverySettings { smtp, allow_private_addresses: true, ..Default::default() }
        .with_slack("team", hook.url("/slack"))
        .with_webhook("crm", hook.url("/crm"), vec![key]);
    let default_owners = DefaultOwners { everyone: DEFAULT.to_owned(), director: None, finance: None };
    let mut settings = InterventionsSettings {
        delivery,
        slack: vec!["team".to_owned()],
        webhooks: vec!["crm".to_owned()],
        default_owners,
        ..Default::default()
    };
    change(&mut settings);
    let parts = InterventionsParts {
        settings,
        peers: Peers { scoring_feed: Some(scoring.source()), scoring: peer, surveys_feed: Some(surveys.source()) },
        rpc: RpcSettings::loopback(),
        database: database.settings(),
        clock: Arc::new(clock.clone()),
        telemetry: None,
    };
    InterventionsService::complete(parts).await.expect("the service")
}

/// An enterprise with people in all roles.
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
        arr: Some(Money { currency_code: "EUR".to_owned(), minor_units: 18_000_000 }),
        owners: vec![
            owner(scoring::OwnerRole::Csm, CSM),
            owner(scoring::OwnerRole::CsmDirector, DIRECTOR),
            owner(scoring::OwnerRole::FinanceContact, FINANCE),
            owner(scoring::OwnerRole::AccountManager, ACCOUNT_MANAGER),
        ],
        ..Default::default()
    }
}

/// Acme with an executive sponsor.
pub(crate) fn sponsored() -> scoring::Account {
    let mut account = acme();
    account.owners.push(scoring::Owner {
        role: scoring::OwnerRole::ExecutiveSponsor.into(),
        email: SPONSOR.to_owned(),
        display_name: String::new(),
    });
    account
}

/// A time as messages have it.
pub(crate) fn timestamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.timestamp(), nanos: 0 }
}

/// How a clock of an alert or case is.
pub(crate) fn clock_state(clocks: &[proto::Clock], step: proto::ClockStep) -> proto::ClockState {
    clocks.iter().find(|clock| clock.step() == step).map_or(proto::ClockState::Unspecified, proto::Clock::state)
}
