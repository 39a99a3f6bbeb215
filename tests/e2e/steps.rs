//! What people and other systems do on the paths, and what they look at.

use std::collections::{BTreeSet, HashMap};

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::expansion::v1 as expansion;
use mainstay_api::mainstay::expansion::v1::catalog_service_client::CatalogServiceClient;
use mainstay_api::mainstay::expansion::v1::opportunity_service_client::OpportunityServiceClient;
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::interventions::v1::alert_service_client::AlertServiceClient;
use mainstay_api::mainstay::interventions::v1::case_service_client::CaseServiceClient;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as surveys;
use mainstay_api::mainstay::surveys::v1::program_service_client::ProgramServiceClient;
use mainstay_testkit::browser;

use crate::services::Service;
use crate::world::{CUSTOMER, TRACEPARENT, TracedChannel, World, acme, send};

impl World {
    fn alerts(&self) -> AlertServiceClient<TracedChannel> {
        AlertServiceClient::new(self.channel(Service::Interventions))
    }

    pub(crate) fn cases(&self) -> CaseServiceClient<TracedChannel> {
        CaseServiceClient::new(self.channel(Service::Interventions))
    }

    fn opportunity_client(&self) -> OpportunityServiceClient<TracedChannel> {
        OpportunityServiceClient::new(self.channel(Service::Expansion))
    }

    pub(crate) async fn open_alerts(&self) -> Vec<interventions::Alert> {
        let listed = self.alerts().list_alerts(interventions::ListAlertsRequest::default()).await;
        listed.expect("alerts").into_inner().alerts
    }

    pub(crate) async fn case(&self, name: &str) -> interventions::Case {
        let request = interventions::GetCaseRequest { name: name.to_owned() };
        self.cases().get_case(request).await.expect("a case").into_inner()
    }

    /// What was told of deadlines that were warned of, met or passed: of which, and how, in the order of the words.
    pub(crate) async fn told_of_deadlines(&self) -> Vec<String> {
        let raised: Vec<interventions::AlertRaised> = self.events(Service::Interventions).await;
        let alerts = raised.into_iter().filter_map(|raised| raised.alert);
        let kinds: HashMap<String, &str> =
            alerts.map(|alert| (alert.name.clone(), alert.kind().as_str_name())).collect();
        let words = |happened: &str, notice: Option<interventions::ClockNotice>| {
            let notice = notice.expect("a notice");
            let step = notice.clock.expect("a clock").step().as_str_name().trim_start_matches("CLOCK_STEP_");
            let of = match kinds.get(&notice.alert) {
                Some(kind) => kind.trim_start_matches("ALERT_KIND_"),
                None if notice.task.is_empty() => "CASE",
                None => "TASK",
            };
            format!("{of} {step} {happened}")
        };
        let warned = self.events::<interventions::ClockWarned>(Service::Interventions).await.into_iter();
        let breached = self.events::<interventions::ClockBreached>(Service::Interventions).await.into_iter();
        let met = self.events::<interventions::ClockMet>(Service::Interventions).await.into_iter();
        let mut told: Vec<String> = warned.map(|event| words("warned", event.notice)).collect();
        told.extend(breached.map(|event| words("breached", event.notice)));
        told.extend(met.map(|event| words("met", event.notice)));
        told.sort();
        told
    }

    /// Every alert that was raised is one, was told of by one event and one webhook.
    pub(crate) async fn assert_each_alert_was_told_once(&self) {
        let raised: Vec<interventions::AlertRaised> = self.events(Service::Interventions).await;
        let alerts: Vec<_> = raised.into_iter().filter_map(|raised| raised.alert).collect();
        let distinct: BTreeSet<_> =
            alerts.iter().map(|alert| (alert.kind().as_str_name(), alert.subject.clone())).collect();
        assert_eq!(distinct.len(), alerts.len(), "{distinct:?}");
        let mut posted: Vec<String> = self
            .hook
            .requests()
            .iter()
            .filter(|request| request.json()["type"] == "interventions.alert_raised")
            .filter_map(|request| request.json()["data"]["alert"].as_str().map(str::to_owned))
            .collect();
        posted.sort();
        let mut names: Vec<String> = alerts.into_iter().map(|alert| alert.name).collect();
        names.sort();
        assert_eq!(posted, names);
    }

    pub(crate) fn invoice(&self, action: scoring::InvoiceAction) -> scoring::Signal {
        let invoice = scoring::InvoiceSignal {
            invoice_id: "in_1".to_owned(),
            action: action.into(),
            amount: Some(Money { currency_code: "EUR".to_owned(), minor_units: 120_000 }),
            failure_reason: "card declined".to_owned(),
            ..Default::default()
        };
        self.signal("invoice", scoring::signal::Payload::Invoice(invoice))
    }

    pub(crate) fn ticket(&self, action: scoring::TicketAction) -> scoring::Signal {
        let ticket = scoring::TicketSignal {
            ticket_id: "T-1".to_owned(),
            action: action.into(),
            priority: scoring::TicketPriority::Critical.into(),
            subject: "Exports fail".to_owned(),
            requester_email: CUSTOMER.to_owned(),
            ..Default::default()
        };
        self.signal("ticket", scoring::signal::Payload::Ticket(ticket))
    }

    pub(crate) async fn open_case(&self) -> String {
        let request = interventions::OpenCaseRequest { account: "accounts/acme".to_owned(), ..Default::default() };
        send!(self, Service::Interventions, CaseServiceClient::open_case, request).expect("a case").name
    }

    pub(crate) async fn touch(&self, case: &str) {
        let request = interventions::RecordTouchRequest {
            case: case.to_owned(),
            channel: interventions::TouchChannel::Call.into(),
            direction: interventions::TouchDirection::Outbound.into(),
            answered: true,
            summary: "Called Ada".to_owned(),
            ..Default::default()
        };
        send!(self, Service::Interventions, CaseServiceClient::record_touch, request).expect("a touch");
    }

    pub(crate) async fn update(&self, request: interventions::UpdateCaseRequest) {
        send!(self, Service::Interventions, CaseServiceClient::update_case, request).expect("findings");
    }

    pub(crate) async fn advance(&self, case: &str, state: interventions::CaseState) {
        let request =
            interventions::AdvanceCaseRequest { name: case.to_owned(), state: state.into(), ..Default::default() };
        send!(self, Service::Interventions, CaseServiceClient::advance_case, request).expect("a state");
    }

    pub(crate) async fn close(
        &self,
        case: &str,
        outcome: interventions::CaseOutcome,
    ) -> Result<interventions::Case, tonic::Status> {
        let request =
            interventions::CloseCaseRequest { name: case.to_owned(), outcome: outcome.into(), ..Default::default() };
        send!(self, Service::Interventions, CaseServiceClient::close_case, request)
    }

    /// Brings a case at risk to where recovery is watched.
    pub(crate) async fn work_through(&mut self, case: &str) {
        self.advance(case, interventions::CaseState::Assessing).await;
        let steps = [
            interventions::AssessmentStep::History,
            interventions::AssessmentStep::Usage,
            interventions::AssessmentStep::Tickets,
            interventions::AssessmentStep::Renewal,
            interventions::AssessmentStep::Priority,
        ];
        self.update(interventions::UpdateCaseRequest {
            name: case.to_owned(),
            assessment_steps: steps.map(Into::into).to_vec(),
            root_cause: "The champion left".to_owned(),
            plan: "Train the new admin".to_owned(),
            what_worked: "A training of two hours".to_owned(),
            ..Default::default()
        })
        .await;
        self.advance(case, interventions::CaseState::Intervening).await;
        self.turn().await;
        self.touch(case).await;
        self.advance(case, interventions::CaseState::Resolving).await;
    }

    /// Asks by mail, on a scale of 0 to 10, when a critical ticket was resolved.
    pub(crate) async fn publish_programme(&self) {
        let when = surveys::trigger::When::CriticalTicket(surveys::CriticalTicketTrigger {});
        let program = surveys::Program {
            display_name: "After critical tickets".to_owned(),
            kind: surveys::SurveyKind::Nps.into(),
            trigger: Some(surveys::Trigger { when: Some(when) }),
            ..Default::default()
        };
        let request = surveys::CreateProgramRequest {
            program_id: "critical".to_owned(),
            program: Some(program),
            ..Default::default()
        };
        send!(self, Service::Surveys, ProgramServiceClient::create_program, request).expect("a programme");
        let request = surveys::PublishProgramRequest { name: "programs/critical".to_owned(), ..Default::default() };
        send!(self, Service::Surveys, ProgramServiceClient::publish_program, request).expect("published");
    }

    /// The customer answers a mail on the page, pressing the button twice.
    pub(crate) async fn answer(&self, mail: usize, score: i32) {
        let mail = &self.mail_to(CUSTOMER)[mail];
        let prefix = "https://survey.example.com";
        let start = mail.text.find(&format!("{prefix}/a/")).unwrap_or_else(|| panic!("no link in {}", mail.text));
        let link: String =
            mail.text[start..].chars().take_while(|letter| !letter.is_whitespace() && *letter != '?').collect();
        let path = link.trim_start_matches(prefix);
        for _ in 0..2 {
            let form = format!("score={score}&comment=Exports+are+broken");
            let headers = [("traceparent", TRACEPARENT), ("Content-Type", "application/x-www-form-urlencoded")];
            let answer = browser::send(self.page(), "POST", path, &headers, &form).await;
            assert!(matches!(answer.status, 200 | 303), "{answer:?}");
        }
    }

    /// Acme's plan with its limit, and the next larger one.
    pub(crate) async fn publish_plans(&self) {
        self.update_acme(acme()).await;
        for (id, limit, price, upgrade) in [("scale", 10_000.0, 40_000, ""), ("team", 1_000.0, 10_000, "plans/scale")] {
            let plan = expansion::Plan {
                display_name: id.to_owned(),
                limits: vec![expansion::PlanLimit { metric: "emails".to_owned(), limit }],
                prices: vec![expansion::Price {
                    amount: Some(Money { currency_code: "EUR".to_owned(), minor_units: price }),
                    period: expansion::PricePeriod::Month.into(),
                    basis: expansion::PriceBasis::Flat.into(),
                }],
                upgrade_plan: upgrade.to_owned(),
                ..Default::default()
            };
            let request =
                expansion::CreatePlanRequest { plan_id: id.to_owned(), plan: Some(plan), ..Default::default() };
            let plan = send!(self, Service::Expansion, CatalogServiceClient::create_plan, request).expect("a plan");
            let request = expansion::PublishPlanRequest { name: plan.name, ..Default::default() };
            send!(self, Service::Expansion, CatalogServiceClient::publish_plan, request).expect("published");
        }
    }

    pub(crate) async fn opportunities(&self) -> Vec<expansion::Opportunity> {
        let request = expansion::ListOpportunitiesRequest { account: "accounts/acme".to_owned(), ..Default::default() };
        self.opportunity_client().list_opportunities(request).await.expect("opportunities").into_inner().opportunities
    }

    pub(crate) async fn finish_checklist(&self, name: &str) {
        let request = expansion::GetOpportunityRequest { name: name.to_owned() };
        let opportunity = self.opportunity_client().get_opportunity(request).await.expect("it").into_inner();
        for item in opportunity.checklist {
            let request = expansion::CompleteChecklistItemRequest {
                name: name.to_owned(),
                item_id: item.id,
                ..Default::default()
            };
            send!(self, Service::Expansion, OpportunityServiceClient::complete_checklist_item, request).expect("done");
        }
    }

    pub(crate) async fn advance_opportunity(&self, name: &str) -> expansion::Opportunity {
        let request = expansion::AdvanceOpportunityRequest { name: name.to_owned(), ..Default::default() };
        send!(self, Service::Expansion, OpportunityServiceClient::advance_opportunity, request).expect("advanced")
    }

    pub(crate) async fn win_opportunity(&self, name: &str) {
        let request = expansion::WinOpportunityRequest { name: name.to_owned(), ..Default::default() };
        send!(self, Service::Expansion, OpportunityServiceClient::win_opportunity, request).expect("won");
    }
}
