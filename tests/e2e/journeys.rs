//! The paths through the four services.

use std::collections::BTreeSet;

use chrono::TimeDelta;
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
use mainstay_domain::Clock;
use prost::Name;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::services::Service;
use crate::world::{CSM, CUSTOMER, DIRECTOR, FINANCE, TRACEPARENT, TracedChannel, World, acme, timestamp};

/// Silent account → alert → clocks → case → saved.
pub(crate) async fn a_silent_account_is_saved(world: &mut World) {
    let history = (1..35).map(|day| {
        let mut signal = world.emails(30);
        let time = world.clock.now() - TimeDelta::days(day);
        (signal.source_id, signal.event_time) = (format!("history-{day}"), Some(timestamp(time)));
        signal
    });
    world.record(history.collect()).await;
    world.busy_days(31, 30).await;
    assert_eq!(world.score().await, Some(100.0));

    world.pass(16, TimeDelta::days(1)).await;
    let is_down = world.down_for_a_day().await;
    world.pass(1, TimeDelta::days(1)).await;
    if is_down {
        world.up_again().await;
    }
    world.turn().await;
    let alerts = world.open_alerts().await;
    let kinds: BTreeSet<&str> = alerts.iter().map(|alert| alert.kind().as_str_name()).collect();
    let expected =
        ["ALERT_KIND_HEALTH_AT_RISK", "ALERT_KIND_HEALTH_CRITICAL", "ALERT_KIND_HEALTH_DROP", "ALERT_KIND_INACTIVITY"];
    assert_eq!(kinds, BTreeSet::from(expected));
    assert_eq!(alerts.len(), 4, "one of each");
    let silence = alerts.iter().find(|alert| alert.kind() == interventions::AlertKind::Inactivity).expect("silence");
    assert_eq!(silence.owner_email, CSM);
    let told = |world: &World, person, text: &str| {
        world.mail_to(person).iter().filter(|email| email.subject == format!("Acme Ltd: {text}")).count()
    };
    assert_eq!(told(world, CSM, &silence.headline), 1);
    assert!(!world.mail_to(DIRECTOR).is_empty(), "deadlines passed, and the director was told");

    let critical =
        alerts.iter().find(|alert| alert.kind() == interventions::AlertKind::HealthCritical).expect("critical");
    let case = critical.case.clone();
    assert!(alerts.iter().all(|alert| alert.case == case), "all belong to the case");
    world.turn().await;
    world.work_through(&case).await;
    world.turn().await;
    let request = interventions::GetTalkingPointsRequest { account: "accounts/acme".to_owned() };
    let points = world.cases().get_talking_points(request).await.expect("talking points").into_inner();
    assert!(points.health_explained, "scoring says why: {points:#?}");
    let refused = world.close(&case, interventions::CaseOutcome::Saved).await;
    assert_eq!(refused.expect_err("not yet recovered").code(), tonic::Code::FailedPrecondition);

    world.record(vec![world.emails(900)]).await;
    world.turn().await;
    assert_eq!(world.score().await, Some(100.0));
    world.close(&case, interventions::CaseOutcome::Saved).await.expect("saved");
    world.turn().await;
    assert_eq!(world.open_alerts().await, []);
    let ended: Vec<interventions::CaseClosed> = world.events(Service::Interventions).await;
    let outcomes: Vec<_> = ended.iter().map(|ended| ended.case.as_ref().expect("a case").outcome()).collect();
    assert_eq!(outcomes, [interventions::CaseOutcome::Saved]);
    world.assert_each_alert_was_told_once().await;
    assert_eq!(world.outside_the_trace().await, BTreeSet::new());
}

/// Failed payment retried three times → one alert to finance and CSM → paid → closed.
pub(crate) async fn a_failed_payment_is_one_alert_until_it_is_paid(world: &mut World) {
    let is_down = world.down_for_a_day().await;
    world.record(vec![world.invoice(scoring::InvoiceAction::PaymentFailed)]).await;
    world.pass(1, TimeDelta::days(1)).await;
    if is_down {
        world.up_again().await;
    }
    world.turn().await;
    for _ in 0..2 {
        world.clock.advance(TimeDelta::hours(1));
        world.record(vec![world.invoice(scoring::InvoiceAction::PaymentFailed)]).await;
        world.turn().await;
    }
    let alerts = world.open_alerts().await;
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    assert_eq!((alerts[0].kind(), alerts[0].occurrence_count), (interventions::AlertKind::PaymentFailed, 3));
    for person in [CSM, FINANCE] {
        let raised = world.mail_to(person).into_iter().filter(|email| email.subject.contains("invoice in_1 failed"));
        assert_eq!(raised.count(), 1, "{person}");
    }
    world.clock.advance(TimeDelta::hours(1));
    world.record(vec![world.invoice(scoring::InvoiceAction::Paid)]).await;
    world.turn().await;
    assert_eq!(world.open_alerts().await, []);
    let closed: Vec<interventions::AlertClosed> = world.events(Service::Interventions).await;
    let resolutions: Vec<_> =
        closed.iter().map(|closed| closed.alert.as_ref().expect("an alert").resolution()).collect();
    assert_eq!(resolutions, [interventions::AlertResolution::ConditionEnded]);
    world.assert_each_alert_was_told_once().await;
    assert_eq!(world.outside_the_trace().await, BTreeSet::new());
}

/// Detractor → alert → call → cause → plan → resolved → resurvey 30 days on.
pub(crate) async fn a_detractor_is_called_and_asked_again(world: &mut World) {
    world.publish_programme().await;
    world.record(vec![world.ticket(scoring::TicketAction::Opened)]).await;
    world.turn().await;
    world.clock.advance(TimeDelta::hours(2));
    world.record(vec![world.ticket(scoring::TicketAction::Resolved)]).await;
    world.turn().await;
    assert_eq!(world.mail_to(CUSTOMER).len(), 1, "asked once");

    let is_down = world.down_for_a_day().await;
    world.answer(0, 2).await;
    world.pass(1, TimeDelta::days(1)).await;
    if is_down {
        world.up_again().await;
    }
    world.turn().await;
    let alerts = world.open_alerts().await;
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    assert_eq!((alerts[0].kind(), alerts[0].occurrence_count), (interventions::AlertKind::Detractor, 1));
    let told = world.mail_to(CSM).into_iter().filter(|email| email.subject.contains("answered 2 of 10")).count();
    assert_eq!(told, 1);
    let case = alerts[0].case.clone();

    world.touch(&case).await;
    world
        .update(interventions::UpdateCaseRequest {
            name: case.clone(),
            root_cause: "A bug in exports".to_owned(),
            plan: "Fix it this week".to_owned(),
            resolution: "Fixed, and shown to Ada".to_owned(),
            ..Default::default()
        })
        .await;
    for state in [
        interventions::CaseState::Contacted,
        interventions::CaseState::CauseFound,
        interventions::CaseState::Planned,
        interventions::CaseState::Resolved,
    ] {
        world.advance(&case, state).await;
        world.turn().await;
    }
    world.pass(29, TimeDelta::days(1)).await;
    assert_eq!(world.mail_to(CUSTOMER).len(), 1, "not before 30 days");
    world.pass(2, TimeDelta::days(1)).await;
    assert_eq!(world.mail_to(CUSTOMER).len(), 2, "asked again, once");
    world.turn().await;
    world.answer(1, 9).await;
    world.turn().await;
    let case = world.case(&case).await;
    assert_eq!(
        (case.outcome(), case.survey_score, case.resurvey_score),
        (interventions::CaseOutcome::Recovered, Some(2), Some(9))
    );
    assert_eq!(world.open_alerts().await, []);
    let answers: Vec<surveys::ResponseReceived> = world.events(Service::Surveys).await;
    assert_eq!(answers.len(), 2);
    world.assert_each_alert_was_told_once().await;
    assert_eq!(world.outside_the_trace().await, BTreeSet::new());
}

/// Churned → case closed as churned.
pub(crate) async fn a_customer_who_leaves_ends_the_case(world: &mut World) {
    let request = interventions::OpenCaseRequest { account: "accounts/acme".to_owned(), ..Default::default() };
    let case = world.cases().open_case(request).await.expect("a case").into_inner().name;
    world.record(vec![world.invoice(scoring::InvoiceAction::PaymentFailed)]).await;
    world.turn().await;
    assert_eq!(world.open_alerts().await.len(), 1);
    let is_down = world.down_for_a_day().await;
    world.clock.advance(TimeDelta::hours(1));
    let churn = scoring::lifecycle_signal::Change::Churn(scoring::Churn { reason: "Went to a competitor".to_owned() });
    let signal = scoring::LifecycleSignal { change: Some(churn) };
    world.record(vec![world.signal("churn", scoring::signal::Payload::Lifecycle(signal))]).await;
    world.pass(1, TimeDelta::days(1)).await;
    if is_down {
        world.up_again().await;
    }
    world.turn().await;
    let case = world.case(&case).await;
    assert_eq!((case.outcome(), case.state()), (interventions::CaseOutcome::Churned, interventions::CaseState::Closed));
    assert_eq!(world.open_alerts().await, []);
    let tasks = world.cases().list_tasks(interventions::ListTasksRequest::default()).await.expect("tasks");
    assert_eq!(tasks.into_inner().tasks, []);
    let ended: Vec<interventions::CaseClosed> = world.events(Service::Interventions).await;
    assert_eq!(ended.len(), 1);
    world.pass(3, TimeDelta::days(30)).await;
    assert_eq!(world.open_alerts().await, [], "who left is left alone");
    assert_eq!(world.outside_the_trace().await, BTreeSet::new());
}

/// Limit reached two months → opportunity → won.
pub(crate) async fn a_limit_reached_becomes_an_opportunity_that_is_won(world: &mut World) {
    world.publish_plans().await;
    // From the first of March to the last of April, a week at a time, 900 emails of 1 000 a month.
    while world.clock.today().to_string().as_str() < "2026-05-01" {
        let week = (0..7).map(|day| {
            let mut signal = world.emails(30);
            let time = world.clock.now() + TimeDelta::days(day);
            (signal.source_id, signal.event_time) = (format!("day-{}", time.date_naive()), Some(timestamp(time)));
            signal
        });
        let week: Vec<_> = week.collect();
        world.clock.advance(TimeDelta::days(7));
        world.record(week).await;
        world.settle().await;
    }
    let is_down = world.down_for_a_day().await;
    world.pass(1, TimeDelta::days(1)).await;
    if is_down {
        world.up_again().await;
    }
    world.pass(2, TimeDelta::days(1)).await;
    world.turn().await;
    let open = world.opportunities().await;
    assert_eq!(open.len(), 1, "{open:#?}");
    let name = open[0].name.clone();
    assert_eq!(open[0].stage(), expansion::OpportunityStage::Identified);
    loop {
        world.finish_checklist(&name).await;
        let request = expansion::AdvanceOpportunityRequest { name: name.clone(), ..Default::default() };
        let moved = world.opportunity_client().advance_opportunity(request).await.expect("advanced").into_inner();
        world.turn().await;
        if moved.stage() == expansion::OpportunityStage::Closing {
            break;
        }
    }
    world.finish_checklist(&name).await;
    let request = expansion::WinOpportunityRequest { name: name.clone(), ..Default::default() };
    world.opportunity_client().win_opportunity(request).await.expect("won");
    world.turn().await;
    let opened: Vec<expansion::OpportunityOpened> = world.events(Service::Expansion).await;
    let won: Vec<expansion::OpportunityWon> = world.events(Service::Expansion).await;
    assert_eq!((opened.len(), won.len()), (1, 1));
    world.pass(1, TimeDelta::days(31)).await;
    assert_eq!(world.opportunities().await.len(), 0, "none opens again by itself");
    // Found by the month's review; all that people then do of it is in their trace.
    let of_the_review = [expansion::CandidateChanged::full_name(), expansion::OpportunityOpened::full_name()];
    assert_eq!(world.outside_the_trace().await, BTreeSet::from(of_the_review));
}

impl World {
    fn alerts(&self) -> AlertServiceClient<TracedChannel> {
        AlertServiceClient::new(self.channel(Service::Interventions))
    }

    fn cases(&self) -> CaseServiceClient<TracedChannel> {
        CaseServiceClient::new(self.channel(Service::Interventions))
    }

    fn opportunity_client(&self) -> OpportunityServiceClient<TracedChannel> {
        OpportunityServiceClient::new(self.channel(Service::Expansion))
    }

    async fn open_alerts(&self) -> Vec<interventions::Alert> {
        let listed = self.alerts().list_alerts(interventions::ListAlertsRequest::default()).await;
        listed.expect("alerts").into_inner().alerts
    }

    async fn case(&self, name: &str) -> interventions::Case {
        let request = interventions::GetCaseRequest { name: name.to_owned() };
        self.cases().get_case(request).await.expect("a case").into_inner()
    }

    /// Every alert that was raised is one, was told of by one event and one webhook.
    async fn assert_each_alert_was_told_once(&self) {
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

    fn invoice(&self, action: scoring::InvoiceAction) -> scoring::Signal {
        let invoice = scoring::InvoiceSignal {
            invoice_id: "in_1".to_owned(),
            action: action.into(),
            amount: Some(Money { currency_code: "EUR".to_owned(), minor_units: 120_000 }),
            failure_reason: "card declined".to_owned(),
            ..Default::default()
        };
        self.signal("invoice", scoring::signal::Payload::Invoice(invoice))
    }

    fn ticket(&self, action: scoring::TicketAction) -> scoring::Signal {
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

    async fn touch(&self, case: &str) {
        let request = interventions::RecordTouchRequest {
            case: case.to_owned(),
            channel: interventions::TouchChannel::Call.into(),
            direction: interventions::TouchDirection::Outbound.into(),
            answered: true,
            summary: "Called Ada".to_owned(),
            ..Default::default()
        };
        self.cases().record_touch(request).await.expect("a touch");
    }

    async fn update(&self, request: interventions::UpdateCaseRequest) {
        self.cases().update_case(request).await.expect("findings");
    }

    async fn advance(&self, case: &str, state: interventions::CaseState) {
        let request =
            interventions::AdvanceCaseRequest { name: case.to_owned(), state: state.into(), ..Default::default() };
        self.cases().advance_case(request).await.expect("a state");
    }

    async fn close(
        &self,
        case: &str,
        outcome: interventions::CaseOutcome,
    ) -> Result<interventions::Case, tonic::Status> {
        let request =
            interventions::CloseCaseRequest { name: case.to_owned(), outcome: outcome.into(), ..Default::default() };
        self.cases().close_case(request).await.map(tonic::Response::into_inner)
    }

    /// Brings a case at risk to where recovery is watched.
    async fn work_through(&mut self, case: &str) {
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
    async fn publish_programme(&self) {
        let when = surveys::trigger::When::CriticalTicket(surveys::CriticalTicketTrigger {});
        let program = surveys::Program {
            display_name: "After critical tickets".to_owned(),
            kind: surveys::SurveyKind::Nps.into(),
            trigger: Some(surveys::Trigger { when: Some(when) }),
            ..Default::default()
        };
        let mut programs = ProgramServiceClient::new(self.channel(Service::Surveys));
        let request = surveys::CreateProgramRequest {
            program_id: "critical".to_owned(),
            program: Some(program),
            ..Default::default()
        };
        programs.create_program(request).await.expect("a programme");
        let request = surveys::PublishProgramRequest { name: "programs/critical".to_owned(), ..Default::default() };
        programs.publish_program(request).await.expect("published");
    }

    /// The customer answers a mail on the page, pressing the button twice.
    async fn answer(&self, mail: usize, score: i32) {
        let mail = &self.mail_to(CUSTOMER)[mail];
        let prefix = "https://survey.example.com";
        let start = mail.text.find(&format!("{prefix}/a/")).unwrap_or_else(|| panic!("no link in {}", mail.text));
        let link: String =
            mail.text[start..].chars().take_while(|letter| !letter.is_whitespace() && *letter != '?').collect();
        let path = link.trim_start_matches(prefix);
        for _ in 0..2 {
            let form = format!("score={score}&comment=Exports+are+broken");
            let status = self.post(path, &form).await;
            assert!(status.contains("200") || status.contains("303"), "{status}");
        }
    }

    async fn post(&self, path: &str, form: &str) -> String {
        let mut stream = TcpStream::connect(self.page()).await.expect("the page");
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: survey.example.com\r\nConnection: close\r\ntraceparent: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            TRACEPARENT,
            form.len()
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer.lines().next().unwrap_or_default().to_owned()
    }

    /// Acme's plan with its limit, and the next larger one.
    async fn publish_plans(&self) {
        self.update_acme(acme()).await;
        let mut catalog = CatalogServiceClient::new(self.channel(Service::Expansion));
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
            let plan = catalog.create_plan(request).await.expect("a plan").into_inner();
            let request = expansion::PublishPlanRequest { name: plan.name, ..Default::default() };
            catalog.publish_plan(request).await.expect("published");
        }
    }

    async fn opportunities(&self) -> Vec<expansion::Opportunity> {
        let request = expansion::ListOpportunitiesRequest { account: "accounts/acme".to_owned(), ..Default::default() };
        self.opportunity_client().list_opportunities(request).await.expect("opportunities").into_inner().opportunities
    }

    async fn finish_checklist(&self, name: &str) {
        let request = expansion::GetOpportunityRequest { name: name.to_owned() };
        let opportunity = self.opportunity_client().get_opportunity(request).await.expect("it").into_inner();
        for item in opportunity.checklist {
            let request = expansion::CompleteChecklistItemRequest {
                name: name.to_owned(),
                item_id: item.id,
                ..Default::default()
            };
            self.opportunity_client().complete_checklist_item(request).await.expect("done");
        }
    }
}
