//! A surveys service of its own for each test: its database, its clock, its channel, its page, and a mailbox that takes
//! whatever it sends. What other services would tell is told by feeds in schemas beside its own.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures::TryStreamExt;
use mainstay_api::mainstay::events::v1::SubscribeRequest;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_api::mainstay::surveys::v1::invitation_service_client::InvitationServiceClient;
use mainstay_api::mainstay::surveys::v1::program_service_client::ProgramServiceClient;
use mainstay_api::mainstay::surveys::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::surveys::v1::response_service_client::ResponseServiceClient;
use mainstay_delivery::{DeliverySettings, SmtpSettings};
use mainstay_domain::{Clock, ManualClock};
use mainstay_rpc::RpcSettings;
use mainstay_rpc::settings::Secret;
use mainstay_service::{WorkerSettings, Workers};
use mainstay_surveys::{Feeds, PageSettings, SurveysParts, SurveysService, SurveysSettings, migrator};
use mainstay_testkit::TestDatabase;
use mainstay_testkit::feed::FakeFeed;
use mainstay_testkit::smtp::{ReceivedEmail, SmtpReceiver};
use prost::{Message, Name};
use prost_types::Timestamp;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Response;
use tonic::transport::Channel;

pub(crate) const LINK_SECRET: &str = "0123456789abcdef0123456789abcdef";

pub(crate) struct Harness {
    pub programs: ProgramServiceClient<Channel>,
    pub invitations: InvitationServiceClient<Channel>,
    pub responses: ResponseServiceClient<Channel>,
    pub reports: ReportServiceClient<Channel>,
    pub feed: EventFeedServiceClient<Channel>,
    pub clock: ManualClock,
    pub database: TestDatabase,
    pub smtp: SmtpReceiver,
    pub page: SocketAddr,
    pub scoring: FakeFeed,
    pub interventions: FakeFeed,
    pub workers: Workers,
    /// Kept: its channel ends with it.
    _service: SurveysService,
    _page_ends: DropGuard,
}

impl Harness {
    /// A service with an empty database whose clock stands at `start`.
    pub(crate) async fn start(start: &str) -> Self {
        Self::start_with(start, |_| {}).await
    }

    /// As [`Self::start`], with other settings.
    pub(crate) async fn start_with(start: &str, change: impl Fn(&mut SurveysSettings)) -> Self {
        let clock = ManualClock::at(at(start));
        let database = mainstay_testkit::database(&migrator()).await;
        let scoring = FakeFeed::start("scoring", &database, &clock).await;
        let interventions = FakeFeed::start("interventions", &database, &clock).await;
        let smtp = SmtpReceiver::start().await;
        let mut settings = settings(&smtp);
        change(&mut settings);
        let feeds = Feeds { scoring: Some(scoring.source()), interventions: Some(interventions.source()) };
        let service = complete(&database, &clock, settings, feeds).await;
        let channel = service.in_memory_channel();
        let page_ends = CancellationToken::new();
        tokio::spawn(service.page().run(page_ends.clone()));
        Self {
            programs: ProgramServiceClient::new(channel.clone()),
            invitations: InvitationServiceClient::new(channel.clone()),
            responses: ResponseServiceClient::new(channel.clone()),
            reports: ReportServiceClient::new(channel.clone()),
            feed: EventFeedServiceClient::new(channel),
            clock,
            smtp,
            page: service.page_addr(),
            scoring,
            interventions,
            workers: service.workers(),
            database,
            _service: service,
            _page_ends: page_ends.drop_guard(),
        }
    }

    /// Another replica on the same database, clock and mailbox.
    pub(crate) async fn replica(&self) -> SurveysService {
        self.replica_with(|_| {}).await
    }

    /// As [`Self::replica`], with other settings.
    pub(crate) async fn replica_with(&self, change: impl Fn(&mut SurveysSettings)) -> SurveysService {
        let mut settings = settings(&self.smtp);
        change(&mut settings);
        let feeds = Feeds { scoring: Some(self.scoring.source()), interventions: Some(self.interventions.source()) };
        complete(&self.database, &self.clock, settings, feeds).await
    }

    /// Does everything that is due.
    pub(crate) async fn settle(&self) {
        self.workers.settle().await.expect("due work");
    }

    /// Turns the clock to a time and does what is due then.
    pub(crate) async fn turn_to(&self, time: &str) {
        self.clock.set(at(time));
        self.settle().await;
    }

    /// Turns the clock on by so many days, with what is due on each.
    pub(crate) async fn pass_days(&self, days: u32) {
        for _ in 0..days {
            self.clock.advance(TimeDelta::days(1));
            self.settle().await;
        }
    }

    /// Scoring tells of an account.
    pub(crate) async fn tell_account(&self, account: scoring::Account) {
        let id = account.name.trim_start_matches("accounts/").to_owned();
        let kind = scoring::AccountChangeKind::Updated.into();
        self.scoring.tell(&id, &scoring::AccountChanged { account: Some(account), kind }).await;
    }

    /// Scoring tells of a ticket that was resolved just now.
    pub(crate) async fn resolve_ticket(
        &self,
        account: &str,
        ticket: &str,
        priority: scoring::TicketPriority,
        requester: &str,
    ) {
        self.scoring.tell(account, &resolved(ticket, priority, requester)).await;
    }

    /// Interventions tells that the case of an answer was resolved just now.
    pub(crate) async fn resolve_case(&self, response: &proto::Response) {
        let account = response.account.trim_start_matches("accounts/").to_owned();
        let resolved = interventions::CaseResolved {
            case: "cases/0198c0de-0000-7000-8000-000000000001".to_owned(),
            account: response.account.clone(),
            kind: interventions::CaseKind::Detractor.into(),
            response: response.name.clone(),
            contact_id: response.contact_id.clone(),
            resolve_time: Some(timestamp(self.clock.now())),
        };
        self.interventions.tell(&account, &resolved).await;
    }

    /// Creates and publishes a programme.
    pub(crate) async fn publish(&self, id: &str, program: proto::Program) -> proto::Program {
        let request =
            proto::CreateProgramRequest { program_id: id.to_owned(), program: Some(program), ..Default::default() };
        self.programs.clone().create_program(request).await.expect("a programme");
        let request = proto::PublishProgramRequest { name: format!("programs/{id}"), ..Default::default() };
        self.programs.clone().publish_program(request).await.expect("published").into_inner()
    }

    /// All invitations and decisions, oldest first.
    pub(crate) async fn decisions(&self) -> Vec<proto::Invitation> {
        let request = proto::ListInvitationsRequest { page_size: 1_000, ..Default::default() };
        let mut listed = self.invitations.clone().list_invitations(request).await.expect("a page").into_inner();
        listed.invitations.reverse();
        listed.invitations
    }

    /// What was decided, in short and sorted: account, contact, and the state or the reason not to ask.
    pub(crate) async fn decided(&self) -> Vec<String> {
        let mut decided: Vec<String> = self.decisions().await.iter().map(short).collect();
        decided.sort();
        decided
    }

    /// All mails, once there are so many; fails when there are more.
    pub(crate) async fn mails(&self, count: usize) -> Vec<ReceivedEmail> {
        let mails = self.smtp.wait_for(count).await;
        let to: Vec<_> = mails.iter().map(|mail| (&mail.to, &mail.subject)).collect();
        assert_eq!(mails.len(), count, "{to:?}");
        mails
    }

    /// All answers, newest first.
    pub(crate) async fn answers(&self) -> Vec<proto::Response> {
        let request = proto::ListResponsesRequest { page_size: 1_000, ..Default::default() };
        self.responses.clone().list_responses(request).await.expect("a page").into_inner().responses
    }

    /// Submits an answer by RPC.
    pub(crate) async fn submit(&self, account: &str, program: &str, score: i32) -> proto::Response {
        let response = answer(account, program, score);
        let request = proto::SubmitResponseRequest { response: Some(response), ..Default::default() };
        self.responses.clone().submit_response(request).await.map(Response::into_inner).expect("an answer")
    }

    /// What is known of the person behind an address.
    pub(crate) async fn recipient(&self, email: &str) -> proto::Recipient {
        let request = proto::GetRecipientRequest { email: email.to_owned() };
        self.invitations.clone().get_recipient(request).await.expect("known or not").into_inner()
    }

    /// Submits an answer that a contact gave in the product.
    pub(crate) async fn submit_in_app(&self, given: proto::Response) -> proto::Response {
        let response = proto::Response { channel: "in_app".to_owned(), ..given };
        let request = proto::SubmitResponseRequest { response: Some(response), ..Default::default() };
        self.responses.clone().submit_response(request).await.map(Response::into_inner).expect("an answer")
    }

    /// What the service told of a kind, in order.
    pub(crate) async fn told<M: Message + Name + Default>(&self) -> Vec<M> {
        self.settle().await;
        let request = SubscribeRequest { types: vec![M::full_name()], until_now: true, ..Default::default() };
        let answers = self.feed.clone().subscribe(request).await.expect("the feed").into_inner();
        let answers: Vec<_> = answers.try_collect().await.expect("events");
        let events = answers.into_iter().flat_map(|answer| answer.events);
        events.map(|event| M::decode(event.payload.expect("a payload").value.as_slice()).expect("decodes")).collect()
    }
}

fn settings(smtp: &SmtpReceiver) -> SurveysSettings {
    let from = "Mainstay <care@example.com>".parse().expect("a mailbox");
    let delivery =
        DeliverySettings { smtp: Some(SmtpSettings::local(smtp.port(), from)), ..DeliverySettings::default() };
    SurveysSettings {
        page: PageSettings {
            public_url: "https://survey.example.com".to_owned(),
            requests_per_minute: 100_000,
            ..PageSettings::local(Secret::new(LINK_SECRET))
        },
        delivery,
        workers: WorkerSettings::default(),
        scoring: None,
        interventions: None,
    }
}

async fn complete(
    database: &TestDatabase,
    clock: &ManualClock,
    settings: SurveysSettings,
    feeds: Feeds,
) -> SurveysService {
    let parts = SurveysParts {
        settings,
        rpc: RpcSettings::loopback(),
        database: database.settings(),
        clock: Arc::new(clock.clone()),
        telemetry: None,
        feeds,
    };
    SurveysService::complete(parts).await.expect("the service")
}

/// Midnight of a day, or the time given.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    match text.parse::<NaiveDate>() {
        Ok(day) => mainstay_domain::start_of_day(day),
        Err(_) => text.parse().expect("a time"),
    }
}

pub(crate) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: time.timestamp(), nanos: 0 }
}

#[expect(clippy::unnecessary_wraps, reason = "fields of messages are optional")]
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    Some(timestamp(at(text)))
}

/// A customer since 2025 with a champion and another contact.
pub(crate) fn account(id: &str) -> scoring::Account {
    scoring::Account {
        name: format!("accounts/{id}"),
        display_name: format!("Customer {id}"),
        segment: scoring::Segment::Smb.into(),
        lifecycle_stage: scoring::LifecycleStage::Active.into(),
        sign_up_time: time("2025-01-10"),
        contacts: vec![contact(id, "other", false), contact(id, "champion", true)],
        ..Default::default()
    }
}

/// Somebody at a customer, whose address is made of both.
pub(crate) fn contact(account: &str, id: &str, champion: bool) -> scoring::Contact {
    scoring::Contact {
        id: id.to_owned(),
        display_name: format!("{id} of {account}"),
        email: format!("{id}@{account}.example"),
        champion,
        ..Default::default()
    }
}

/// A ticket as it is resolved.
pub(crate) fn resolved(ticket: &str, priority: scoring::TicketPriority, requester: &str) -> scoring::TicketChanged {
    scoring::TicketChanged {
        ticket_id: ticket.to_owned(),
        source: "zendesk".to_owned(),
        action: scoring::TicketAction::Resolved.into(),
        priority: priority.into(),
        subject: "It is broken".to_owned(),
        requester_email: requester.to_owned(),
        satisfaction: None,
    }
}

/// A programme that asks on this trigger, from midnight on.
pub(crate) fn program(kind: proto::SurveyKind, when: proto::trigger::When) -> proto::Program {
    proto::Program {
        display_name: "Test".to_owned(),
        kind: kind.into(),
        trigger: Some(proto::Trigger { when: Some(when) }),
        send_hour: Some(0),
        ..Default::default()
    }
}

/// An NPS programme that asks in each quarter, from midnight on.
pub(crate) fn quarterly() -> proto::Program {
    let when = proto::trigger::When::Quarterly(proto::QuarterlyTrigger::default());
    program(proto::SurveyKind::Nps, when)
}

/// An NPS programme that asks about critical tickets.
pub(crate) fn about_critical_tickets() -> proto::Program {
    let when = proto::trigger::When::CriticalTicket(proto::CriticalTicketTrigger {});
    program(proto::SurveyKind::Nps, when)
}

/// A CSAT programme that asks about all tickets.
pub(crate) fn about_support() -> proto::Program {
    let when = proto::trigger::When::SupportInteraction(proto::SupportInteractionTrigger {});
    program(proto::SurveyKind::Csat, when)
}

/// An answer to submit.
pub(crate) fn answer(account: &str, program: &str, score: i32) -> proto::Response {
    proto::Response {
        account: format!("accounts/{account}"),
        program: format!("programs/{program}"),
        score: Some(score),
        ..Default::default()
    }
}

/// The path of the link to answer, without a score.
pub(crate) fn answer_path(mail: &ReceivedEmail) -> String {
    path_of(mail, "https://survey.example.com/a/")
}

/// The path of the link to unsubscribe.
pub(crate) fn unsubscribe_path(mail: &ReceivedEmail) -> String {
    path_of(mail, "https://survey.example.com/u/")
}

fn path_of(mail: &ReceivedEmail, prefix: &str) -> String {
    let start = mail.text.find(prefix).unwrap_or_else(|| panic!("no link {prefix} in {}", mail.text));
    let link: String =
        mail.text[start..].chars().take_while(|&letter| !letter.is_whitespace() && letter != '?').collect();
    link.trim_start_matches("https://survey.example.com").to_owned()
}

fn short(invitation: &proto::Invitation) -> String {
    let account = invitation.account.trim_start_matches("accounts/");
    let what = match invitation.state() {
        proto::InvitationState::NotAsked => invitation.reason().as_str_name(),
        _ => invitation.state().as_str_name(),
    };
    let what = what.trim_start_matches("NOT_ASKED_REASON_").trim_start_matches("INVITATION_STATE_");
    format!("{account} {} {what}", invitation.contact_id)
}
