//! An expansion service of its own for each test, and a scoring service that is nothing but its feed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mainstay_api::mainstay::events::v1::SubscribeRequest;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::expansion::v1::catalog_service_client::CatalogServiceClient;
use mainstay_api::mainstay::expansion::v1::opportunity_service_client::OpportunityServiceClient;
use mainstay_api::mainstay::expansion::v1::qualification_service_client::QualificationServiceClient;
use mainstay_api::mainstay::expansion::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::{Clock, ManualClock};
use mainstay_expansion::{ExpansionParts, ExpansionService, ExpansionSettings, Feeds, migrator};
use mainstay_rpc::RpcSettings;
use mainstay_service::Workers;
use mainstay_testkit::TestDatabase;
use mainstay_testkit::feed::FakeFeed;
use tonic::transport::Channel;

pub(crate) struct Harness {
    pub catalog: CatalogServiceClient<Channel>,
    pub qualification: QualificationServiceClient<Channel>,
    pub opportunities: OpportunityServiceClient<Channel>,
    pub reports: ReportServiceClient<Channel>,
    pub feed: EventFeedServiceClient<Channel>,
    pub clock: ManualClock,
    pub database: TestDatabase,
    pub scoring: FakeFeed,
    pub interventions: FakeFeed,
    /// When the conditions that were told of began, by name.
    raised: Mutex<HashMap<String, prost_types::Timestamp>>,
    workers: Workers,
    /// Kept: its channel ends with it.
    service: ExpansionService,
}

impl Harness {
    /// A service with an empty database whose clock stands at `start`.
    pub(crate) async fn start(start: &str) -> Self {
        let database = mainstay_testkit::database(&migrator()).await;
        let clock = mainstay_testkit::manual_clock(&at(start).to_rfc3339());
        let scoring = FakeFeed::start("scoring", &database, &clock).await;
        let interventions = FakeFeed::start("interventions", &database, &clock).await;
        let service = complete(&database, &clock, [&scoring, &interventions]).await;
        let channel = service.in_memory_channel();
        Self {
            catalog: CatalogServiceClient::new(channel.clone()),
            qualification: QualificationServiceClient::new(channel.clone()),
            opportunities: OpportunityServiceClient::new(channel.clone()),
            reports: ReportServiceClient::new(channel.clone()),
            feed: EventFeedServiceClient::new(channel),
            clock,
            database,
            scoring,
            interventions,
            raised: Mutex::default(),
            workers: service.workers(),
            service,
        }
    }

    /// Another replica on the same database, feed and clock.
    pub(crate) async fn replica(&self) -> ExpansionService {
        complete(&self.database, &self.clock, [&self.scoring, &self.interventions]).await
    }

    /// The service ends and another takes its place.
    pub(crate) async fn restart(&mut self) {
        self.service = self.replica().await;
        self.workers = self.service.workers();
        let channel = self.service.in_memory_channel();
        self.catalog = CatalogServiceClient::new(channel.clone());
        self.qualification = QualificationServiceClient::new(channel.clone());
        self.opportunities = OpportunityServiceClient::new(channel.clone());
        self.reports = ReportServiceClient::new(channel.clone());
        self.feed = EventFeedServiceClient::new(channel);
    }

    /// Does everything that is due, takes in what others told, and puts all events into the feed.
    pub(crate) async fn settle(&self) {
        self.workers.settle().await.expect("due work");
    }

    /// As [`Self::settle`], beside other replicas.
    pub(crate) async fn try_settle(&self) -> Result<usize, mainstay_rpc::service_main::ServiceError> {
        self.workers.settle().await
    }

    /// Turns the clock to a time and does what is due then.
    pub(crate) async fn turn_to(&self, time: &str) {
        self.clock.set(at(time));
        self.settle().await;
    }

    /// Turns the clock on, day by day, with what is due on each.
    pub(crate) async fn pass_days(&self, days: u32) {
        for _ in 0..days {
            self.clock.advance(TimeDelta::days(1));
            self.settle().await;
        }
    }

    /// All events of the service so far, as their short names.
    pub(crate) async fn event_names(&mut self) -> Vec<String> {
        let events = self.events().await;
        events.into_iter().map(|event| event.r#type.rsplit('.').next().unwrap_or_default().to_owned()).collect()
    }

    /// How many events of a type there are.
    pub(crate) async fn count_of(&mut self, name: &str) -> usize {
        self.event_names().await.iter().filter(|event| *event == name).count()
    }

    /// All events of the service so far.
    pub(crate) async fn events(&mut self) -> Vec<mainstay_api::mainstay::events::v1::Event> {
        let request = SubscribeRequest { until_now: true, ..Default::default() };
        let mut stream = self.feed.subscribe(request).await.expect("a stream").into_inner();
        let mut events = Vec::new();
        while let Some(batch) = stream.message().await.expect("a batch") {
            events.extend(batch.events);
        }
        events
    }

    /// Tells of a customer: plan `team`, revenue in euros, with a CSM and an account manager.
    pub(crate) async fn tell_account(&self, id: &str) {
        self.tell_account_as(id, account(id)).await;
    }

    pub(crate) async fn tell_account_as(&self, id: &str, account: scoring::Account) {
        let changed =
            scoring::AccountChanged { account: Some(account), kind: scoring::AccountChangeKind::Updated.into() };
        self.scoring.tell(id, &changed).await;
    }

    /// Tells of a score.
    pub(crate) async fn tell_score(&self, id: &str, score: f64) {
        let band = if score > 85.0 { scoring::Band::Healthy } else { scoring::Band::Stable };
        let change = scoring::HealthChange {
            account: format!("accounts/{id}"),
            score: Some(score),
            band: band.into(),
            change_time: Some(stamp(self.clock.now())),
            ..Default::default()
        };
        self.scoring.tell(id, &scoring::HealthChanged { change: Some(change) }).await;
    }

    /// Tells what was used of a limit of 10 000 `emails` in a month.
    pub(crate) async fn tell_usage(&self, id: &str, month: &str, used: f64) {
        self.tell_usage_as(id, month, vec![limit("emails", Some(used), 10_000.0)], 5, Some(10)).await;
    }

    pub(crate) async fn tell_usage_as(
        &self,
        id: &str,
        month: &str,
        limits: Vec<scoring::LimitUsage>,
        active_users: i64,
        seats: Option<i64>,
    ) {
        let month = month.to_owned();
        self.scoring.tell(id, &scoring::PlanUsageReported { month, limits, active_users, seats }).await;
    }

    /// Tells that a condition began, of which the subject is its name.
    pub(crate) async fn tell_raised(&self, id: &str, kind: scoring::RiskTriggerKind, subject: &str) {
        let trigger = Some(self.trigger(id, kind, subject));
        self.scoring.tell(id, &scoring::RiskTriggerRaised { trigger }).await;
    }

    /// Tells that a condition ended.
    pub(crate) async fn tell_cleared(&self, id: &str, kind: scoring::RiskTriggerKind, subject: &str) {
        let clear_time = Some(stamp(self.clock.now()));
        let trigger = scoring::RiskTrigger { clear_time, ..self.trigger(id, kind, subject) };
        self.scoring.tell(id, &scoring::RiskTriggerCleared { trigger: Some(trigger) }).await;
    }

    fn trigger(&self, id: &str, kind: scoring::RiskTriggerKind, subject: &str) -> scoring::RiskTrigger {
        let name = format!("accounts/{id}/riskTriggers/{subject}");
        let mut raised = self.raised.lock().expect("no panic");
        let raise_time = *raised.entry(name.clone()).or_insert_with(|| stamp(self.clock.now()));
        scoring::RiskTrigger {
            name,
            account: format!("accounts/{id}"),
            kind: kind.into(),
            subject: subject.to_owned(),
            raise_time: Some(raise_time),
            occurrence_count: 1,
            ..Default::default()
        }
    }

    /// Tells of a contact with a customer.
    pub(crate) async fn tell_touch(&self, id: &str, touch: &str, time: &str, inbound: bool, answered: bool) {
        let direction =
            if inbound { interventions::TouchDirection::Inbound } else { interventions::TouchDirection::Outbound };
        let touch = interventions::Touch {
            name: format!("touches/{touch}"),
            account: format!("accounts/{id}"),
            direction: direction.into(),
            answered,
            touch_time: Some(stamp(at(time))),
            ..Default::default()
        };
        self.interventions.tell(id, &interventions::TouchRecorded { touch: Some(touch) }).await;
    }

    /// A case as interventions tells of it.
    pub(crate) fn case(
        &self,
        id: &str,
        kind: interventions::CaseKind,
        state: interventions::CaseState,
    ) -> interventions::Case {
        interventions::Case {
            name: "cases/c1".to_owned(),
            account: format!("accounts/{id}"),
            kind: kind.into(),
            state: state.into(),
            open_time: Some(stamp(at("1997-03-01"))),
            state_time: Some(stamp(self.clock.now())),
            ..Default::default()
        }
    }

    /// A customer whose chance is ripe: two months at 90 % and a healthy score. The clock stands on the second of
    /// March 1997; February's review is due on the third.
    pub(crate) async fn tell_ripe(&self, id: &str) {
        self.tell_account(id).await;
        self.tell_score(id, 90.0).await;
        self.tell_usage(id, "1997-01", 9_000.0).await;
        self.tell_usage(id, "1997-02", 9_000.0).await;
    }

    /// The candidates of an account, lapsed ones too.
    pub(crate) async fn candidates_of(&mut self, id: &str) -> Vec<proto::Candidate> {
        let request = proto::ListCandidatesRequest {
            account: format!("accounts/{id}"),
            states: vec![1, 2, 3, 4],
            ..Default::default()
        };
        self.qualification.list_candidates(request).await.expect("candidates").into_inner().candidates
    }

    /// The only candidate of an account.
    pub(crate) async fn candidate_of(&mut self, id: &str) -> proto::Candidate {
        let candidates = self.candidates_of(id).await;
        assert_eq!(candidates.len(), 1, "{candidates:?}");
        candidates.into_iter().next().expect("one")
    }

    /// All opportunities of an account, closed ones too.
    pub(crate) async fn opportunities_of(&mut self, id: &str) -> Vec<proto::Opportunity> {
        let request = proto::ListOpportunitiesRequest {
            account: format!("accounts/{id}"),
            stages: (1..=9).collect(),
            ..Default::default()
        };
        self.opportunities.list_opportunities(request).await.expect("opportunities").into_inner().opportunities
    }

    /// The only opportunity of an account.
    pub(crate) async fn opportunity_of(&mut self, id: &str) -> proto::Opportunity {
        let opportunities = self.opportunities_of(id).await;
        assert_eq!(opportunities.len(), 1, "{opportunities:?}");
        opportunities.into_iter().next().expect("one")
    }

    /// Does all items of the stage's checklist.
    pub(crate) async fn finish_checklist(&mut self, name: &str) {
        let request = proto::GetOpportunityRequest { name: name.to_owned() };
        let opportunity = self.opportunities.get_opportunity(request).await.expect("it").into_inner();
        for item in opportunity.checklist {
            let request =
                proto::CompleteChecklistItemRequest { name: name.to_owned(), item_id: item.id, ..Default::default() };
            self.opportunities.complete_checklist_item(request).await.expect("done");
        }
    }

    /// Does what the stage asks for and moves on.
    pub(crate) async fn advance(&mut self, name: &str) -> proto::Opportunity {
        self.finish_checklist(name).await;
        let request = proto::AdvanceOpportunityRequest { name: name.to_owned(), ..Default::default() };
        self.opportunities.advance_opportunity(request).await.expect("advanced").into_inner()
    }

    /// Goes all the way and wins.
    pub(crate) async fn win(&mut self, name: &str) -> proto::Opportunity {
        while self.advance(name).await.stage() != proto::OpportunityStage::Closing {}
        self.finish_checklist(name).await;
        let request = proto::WinOpportunityRequest { name: name.to_owned(), ..Default::default() };
        self.opportunities.win_opportunity(request).await.expect("won").into_inner()
    }

    /// Is lost.
    pub(crate) async fn lose(&mut self, name: &str) -> proto::Opportunity {
        let request = proto::LoseOpportunityRequest {
            name: name.to_owned(),
            reason: proto::LostReason::Price.into(),
            ..Default::default()
        };
        self.opportunities.lose_opportunity(request).await.expect("lost").into_inner()
    }
}

async fn complete(database: &TestDatabase, clock: &ManualClock, feeds: [&FakeFeed; 2]) -> ExpansionService {
    let [scoring, interventions] = feeds;
    let parts = ExpansionParts {
        settings: ExpansionSettings::default(),
        rpc: RpcSettings::loopback(),
        database: database.settings(),
        clock: Arc::new(clock.clone()),
        telemetry: None,
        feeds: Feeds { scoring: Some(scoring.source()), interventions: Some(interventions.source()) },
    };
    ExpansionService::complete(parts).await.expect("the service")
}

/// Midnight of a day, or the time given.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    match text.parse::<NaiveDate>() {
        Ok(day) => mainstay_domain::start_of_day(day),
        Err(_) => text.parse().expect("a time"),
    }
}

pub(crate) fn stamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.timestamp(), nanos: 0 }
}

/// A customer as scoring tells of it.
pub(crate) fn account(id: &str) -> scoring::Account {
    let owner = |role: scoring::OwnerRole, email: &str| scoring::Owner {
        role: role.into(),
        email: email.to_owned(),
        display_name: String::new(),
    };
    scoring::Account {
        name: format!("accounts/{id}"),
        display_name: format!("Customer {id}"),
        plan: "team".to_owned(),
        lifecycle_stage: scoring::LifecycleStage::Active.into(),
        arr: Some(euros(1_200_000)),
        seats: Some(10),
        owners: vec![
            owner(scoring::OwnerRole::Csm, "mia@example.com"),
            owner(scoring::OwnerRole::AccountManager, "sam@example.com"),
        ],
        ..Default::default()
    }
}

/// An amount of euros, in cents.
pub(crate) fn euros(minor_units: i64) -> mainstay_api::mainstay::common::v1::Money {
    mainstay_api::mainstay::common::v1::Money { currency_code: "EUR".to_owned(), minor_units }
}

pub(crate) fn limit(metric: &str, used: Option<f64>, limit: f64) -> scoring::LimitUsage {
    scoring::LimitUsage { metric: metric.to_owned(), used, limit }
}

/// Result of a criterion.
pub(crate) fn result_of(candidate: &proto::Candidate, kind: proto::CriterionKind) -> proto::CriterionResult {
    let criterion = candidate.criteria.iter().find(|criterion| criterion.kind() == kind).expect("each is there");
    assert!(!criterion.evidence.is_empty(), "a result is never without its data: {criterion:?}");
    criterion.result()
}
