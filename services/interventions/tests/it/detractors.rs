//! Detractors: alert, call, cause, plan, resolved, asked again.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as surveys;
use mainstay_domain::Clock;

use crate::at_risk::missing;
use crate::harness::{CSM, DIRECTOR, Harness, SPONSOR, acme, clock_state, sponsored, timestamp};

const START: &str = "2026-03-01T00:00:00Z";
const FIRST: &str = "accounts/acme/responses/00000000-0000-0000-0000-000000000001";
const SECOND: &str = "accounts/acme/responses/00000000-0000-0000-0000-000000000002";

impl Harness {
    async fn answered(&self, name: &str, score: i32, resurvey_of: &str) {
        let category = match score {
            0..=6 => surveys::ResponseCategory::Detractor,
            7 | 8 => surveys::ResponseCategory::Passive,
            _ => surveys::ResponseCategory::Promoter,
        };
        let response = surveys::Response {
            name: name.to_owned(),
            account: "accounts/acme".to_owned(),
            contact_id: "ada".to_owned(),
            score: Some(score),
            category: category.into(),
            comment: "Exports are broken".to_owned(),
            response_time: Some(timestamp(self.clock.now())),
            resurvey_of: resurvey_of.to_owned(),
            ..Default::default()
        };
        self.surveys.tell("acme", &surveys::ResponseReceived { response: Some(response) }).await;
        self.settle().await;
    }

    async fn advance(&mut self, name: &str, state: proto::CaseState) -> Result<proto::Case, tonic::Status> {
        let request = proto::AdvanceCaseRequest { name: name.to_owned(), state: state.into(), ..Default::default() };
        self.cases.advance_case(request).await.map(tonic::Response::into_inner)
    }

    async fn touch(&mut self, name: &str, channel: proto::TouchChannel) {
        let request = proto::RecordTouchRequest {
            case: name.to_owned(),
            channel: channel.into(),
            direction: proto::TouchDirection::Outbound.into(),
            answered: true,
            summary: "Talked to Ada".to_owned(),
            ..Default::default()
        };
        self.cases.record_touch(request).await.expect("a touch");
    }

    async fn resolve(&mut self, name: &str) {
        self.touch(name, proto::TouchChannel::Call).await;
        let request = proto::UpdateCaseRequest {
            name: name.to_owned(),
            root_cause: "A bug in exports".to_owned(),
            plan: "Fix it this week".to_owned(),
            resolution: "Fixed and shown to Ada".to_owned(),
            ..Default::default()
        };
        self.cases.update_case(request).await.expect("findings");
        for state in [
            proto::CaseState::Contacted,
            proto::CaseState::CauseFound,
            proto::CaseState::Planned,
            proto::CaseState::Resolved,
        ] {
            self.advance(name, state).await.expect("a state");
        }
    }
}

#[tokio::test]
async fn r21_a_detractors_answer_is_an_alert_to_the_owner_with_the_customers_words() {
    let mut harness = Harness::with_acme(START).await;
    harness.answered(FIRST, 3, "").await;
    let alert = harness.open_alert().await;
    assert_eq!((alert.kind(), alert.owner_email.as_str()), (proto::AlertKind::Detractor, CSM));
    let mail = harness.mail_to(CSM);
    assert_eq!(mail.len(), 1, "the case is not told besides");
    assert!(mail[0].text.contains("Exports are broken"), "{}", mail[0].text);
    assert_eq!(harness.posted("/slack").len(), 1, "Slack hears of it, too");
    let case = harness.case(&alert.case).await;
    assert_eq!((case.state(), case.response.as_str(), case.survey_score), (proto::CaseState::Alerted, FIRST, Some(3)));
}

#[tokio::test]
async fn promoters_and_passives_raise_nothing() {
    let mut harness = Harness::with_acme(START).await;
    harness.answered(FIRST, 9, "").await;
    harness.answered(SECOND, 7, "").await;
    assert_eq!(harness.open_alerts().await, []);
}

#[tokio::test]
async fn r20_r22_enterprises_are_called_within_4_hours_and_others_written_to_within_24() {
    use proto::ClockState::{Met, Running, Unspecified};
    for (segment, call_is_due) in
        [(scoring::Segment::Enterprise, true), (scoring::Segment::Smb, false), (scoring::Segment::MidMarket, false)]
    {
        let mut harness = Harness::start(START).await;
        harness.tell_account(scoring::Account { segment: segment.into(), ..acme() }).await;
        harness.answered(FIRST, 0, "").await;
        let name = harness.open_alert().await.case;
        let mail = harness.mail_to(CSM).remove(0).text;
        assert!(mail.contains("contact the customer by 2026-03-02 00:00 UTC"), "{segment:?}: {mail}");
        assert_eq!(mail.contains("call the customer by 2026-03-01 04:00 UTC"), call_is_due, "{segment:?}: {mail}");
        assert!(mail.contains(name.trim_start_matches("cases/")), "{mail}");

        let states = |case: &proto::Case| {
            [proto::ClockStep::Call, proto::ClockStep::Contact].map(|step| clock_state(&case.clocks, step))
        };
        harness.clock.advance(TimeDelta::hours(3));
        harness.touch(&name, proto::TouchChannel::Email).await;
        let written_to = harness.case(&name).await;
        let call = if call_is_due { Running } else { Unspecified };
        assert_eq!(states(&written_to), [call, Met], "{segment:?}: what is written is no call");
        if call_is_due {
            harness.touch(&name, proto::TouchChannel::Call).await;
            assert_eq!(states(&harness.case(&name).await), [Met, Met]);
        }
    }
}

#[tokio::test]
async fn r27_a_detractor_of_an_enterprise_whom_nobody_calls_reaches_the_executive_sponsor() {
    let harness = Harness::start(START).await;
    harness.tell_account(sponsored()).await;
    harness.answered(FIRST, 0, "").await;
    let overdue = |harness: &Harness, person| {
        let mails = harness.mail_to(person).into_iter();
        mails.filter(|mail| mail.subject.contains("overdue")).map(|mail| mail.subject).collect::<Vec<_>>()
    };
    harness.pass(TimeDelta::hours(4)).await;
    assert!(overdue(&harness, DIRECTOR).contains(&"Acme Ltd: overdue: call the customer".to_owned()));
    assert_eq!(overdue(&harness, SPONSOR), Vec::<String>::new(), "the director first");
    harness.pass(TimeDelta::hours(20)).await;
    assert_eq!(overdue(&harness, SPONSOR), ["Acme Ltd: overdue: contact the customer"]);
}

#[tokio::test]
async fn r25_r26_what_is_documented_meets_its_deadline_then_and_not_when_the_case_moves_on() {
    let mut harness = Harness::with_acme(START).await;
    harness.answered(FIRST, 2, "").await;
    let name = harness.open_alert().await.case;
    harness.clock.advance(TimeDelta::hours(40));
    let request = proto::UpdateCaseRequest {
        name: name.clone(),
        root_cause: "A bug in exports".to_owned(),
        plan: "Fix it this week".to_owned(),
        ..Default::default()
    };
    harness.cases.update_case(request).await.expect("findings");
    harness.pass(TimeDelta::hours(40)).await;
    let case = harness.case(&name).await;
    for step in [proto::ClockStep::RootCause, proto::ClockStep::Plan] {
        assert_eq!(clock_state(&case.clocks, step), proto::ClockState::Met, "{step:?}");
    }
    let met: Vec<proto::ClockMet> = harness.events().await;
    assert_eq!(met.len(), 2);
}

#[tokio::test]
async fn r25_r26_cause_within_48_hours_and_plan_within_72_are_gates_and_clocks() {
    let mut harness = Harness::with_acme(START).await;
    harness.answered(FIRST, 2, "").await;
    let name = harness.open_alert().await.case;
    let refused = harness.advance(&name, proto::CaseState::Contacted).await.expect_err("nobody called");
    assert_eq!(missing(&refused), ["an outbound touch (RecordTouch) since the case was opened"]);
    let case = harness.case(&name).await;
    let due = |step: proto::ClockStep| {
        let clock = case.clocks.iter().find(|clock| clock.step() == step).expect("a clock");
        (clock.due_time.expect("a time").seconds - case.open_time.expect("a time").seconds) / 3600
    };
    assert_eq!((due(proto::ClockStep::RootCause), due(proto::ClockStep::Plan)), (48, 72));
    harness.resolve(&name).await;
    let case = harness.case(&name).await;
    for step in [
        proto::ClockStep::Call,
        proto::ClockStep::Contact,
        proto::ClockStep::RootCause,
        proto::ClockStep::Plan,
        proto::ClockStep::Resolve,
    ] {
        assert_eq!(clock_state(&case.clocks, step), proto::ClockState::Met, "{step:?}");
    }
    assert_eq!(harness.open_alerts().await, [], "the alert is over when the complaint is resolved");
}

#[tokio::test]
async fn r10_r28_a_resolved_detractor_is_asked_again_and_the_answer_ends_the_case() {
    for (score, outcome) in [(8, proto::CaseOutcome::Recovered), (6, proto::CaseOutcome::NotRecovered)] {
        let mut harness = Harness::with_acme(START).await;
        harness.answered(FIRST, 2, "").await;
        let name = harness.open_alert().await.case;
        let stage = |state: proto::CaseState| proto::ListCasesRequest {
            kind: proto::CaseKind::Detractor.into(),
            states: vec![state.into()],
            ..Default::default()
        };
        let alerted = harness.cases.list_cases(stage(proto::CaseState::Alerted)).await.expect("cases").into_inner();
        assert_eq!(alerted.cases.len(), 1, "each detractor is seen in its stage");
        harness.resolve(&name).await;
        harness.settle().await;
        let alerted = harness.cases.list_cases(stage(proto::CaseState::Alerted)).await.expect("cases").into_inner();
        let resolved = harness.cases.list_cases(stage(proto::CaseState::Resolved)).await.expect("cases").into_inner();
        assert_eq!((alerted.cases.len(), resolved.cases.len()), (0, 1));
        let resolved: Vec<proto::CaseResolved> = harness.events().await;
        assert_eq!(resolved.len(), 1);
        assert_eq!((resolved[0].response.as_str(), resolved[0].contact_id.as_str()), (FIRST, "ada"));
        harness.pass(TimeDelta::days(31)).await;
        assert_eq!(harness.case(&name).await.state(), proto::CaseState::Resolved);
        harness.answered(SECOND, score, FIRST).await;
        let case = harness.case(&name).await;
        assert_eq!((case.outcome(), case.resurvey_score), (outcome, Some(score)));
        let is_open_again = !harness.open_alerts().await.is_empty();
        assert_eq!(is_open_again, score <= 6, "who is a detractor again has a case again");
    }
}

#[tokio::test]
async fn a_detractor_who_does_not_answer_again_is_not_forgotten() {
    let mut harness = Harness::with_acme(START).await;
    harness.answered(FIRST, 2, "").await;
    let name = harness.open_alert().await.case;
    harness.resolve(&name).await;
    for _ in 0..80 {
        harness.pass(TimeDelta::days(1)).await;
        let due = harness.case(&name).await.next_due_time.expect("something is due");
        assert!(due.seconds > harness.clock.now().timestamp());
    }
}
