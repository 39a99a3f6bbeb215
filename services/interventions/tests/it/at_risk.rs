//! Cases of accounts at risk, from being identified to being saved.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::harness::{CSM, Harness, acme, clock_state};
use crate::scoring_peer::ScoringSays;

const START: &str = "2026-03-01T00:00:00Z";

pub(crate) async fn open(harness: &mut Harness) -> proto::Case {
    let request = proto::OpenCaseRequest { account: "accounts/acme".to_owned(), ..Default::default() };
    harness.cases.open_case(request).await.expect("a case").into_inner()
}

async fn advance(harness: &mut Harness, name: &str, state: proto::CaseState) -> Result<proto::Case, Status> {
    let request = proto::AdvanceCaseRequest { name: name.to_owned(), state: state.into(), ..Default::default() };
    harness.cases.advance_case(request).await.map(tonic::Response::into_inner)
}

pub(crate) async fn close(
    harness: &mut Harness,
    name: &str,
    outcome: proto::CaseOutcome,
    notes: &str,
) -> Result<proto::Case, Status> {
    let request = proto::CloseCaseRequest {
        name: name.to_owned(),
        outcome: outcome.into(),
        notes: notes.to_owned(),
        ..Default::default()
    };
    harness.cases.close_case(request).await.map(tonic::Response::into_inner)
}

pub(crate) fn missing(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    let details = status.get_details_precondition_failure().expect("details");
    details.violations.into_iter().map(|violation| violation.description).collect()
}

/// Everything that the assessment asks for.
fn assessed(name: &str) -> proto::UpdateCaseRequest {
    let steps = [
        proto::AssessmentStep::History,
        proto::AssessmentStep::Usage,
        proto::AssessmentStep::Tickets,
        proto::AssessmentStep::Renewal,
        proto::AssessmentStep::Priority,
    ];
    proto::UpdateCaseRequest {
        name: name.to_owned(),
        assessment_steps: steps.map(Into::into).to_vec(),
        root_cause: "The champion left".to_owned(),
        plan: "Train the new admin".to_owned(),
        ..Default::default()
    }
}

fn call(name: &str) -> proto::RecordTouchRequest {
    proto::RecordTouchRequest {
        case: name.to_owned(),
        channel: proto::TouchChannel::Call.into(),
        direction: proto::TouchDirection::Outbound.into(),
        answered: true,
        summary: "Talked to the new admin".to_owned(),
        ..Default::default()
    }
}

/// Brings a case to where recovery is watched.
pub(crate) async fn work_through(harness: &mut Harness, name: &str) {
    advance(harness, name, proto::CaseState::Assessing).await.expect("assessing");
    harness.cases.update_case(assessed(name)).await.expect("assessed");
    advance(harness, name, proto::CaseState::Intervening).await.expect("intervening");
    harness.cases.record_touch(call(name)).await.expect("a touch");
    advance(harness, name, proto::CaseState::Resolving).await.expect("resolving");
    let learnt =
        proto::UpdateCaseRequest { name: name.to_owned(), what_worked: "Training".to_owned(), ..Default::default() };
    harness.cases.update_case(learnt).await.expect("learnt");
}

#[tokio::test]
async fn r132_a_critical_score_opens_a_case_and_its_alerts_belong_to_it() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.raise(harness.critical(40.0)).await;
    harness.settle().await;
    let cases = harness.cases.list_cases(proto::ListCasesRequest::default()).await.expect("cases").into_inner().cases;
    assert_eq!(cases.len(), 1);
    assert_eq!((cases[0].state(), cases[0].owner_email.as_str()), (proto::CaseState::Identified, CSM));
    for alert in harness.open_alerts().await {
        assert_eq!(alert.case, cases[0].name, "{}", alert.headline);
    }
}

#[tokio::test]
async fn r108_r109_r110_r113_a_case_goes_through_its_phases_and_each_gate_names_what_is_missing() {
    let mut harness = Harness::with_acme(START).await;
    let case = open(&mut harness).await;
    assert_eq!(case.owner_email, CSM);
    let name = case.name;
    let refused = advance(&mut harness, &name, proto::CaseState::Intervening).await.expect_err("too early");
    assert_eq!(missing(&refused).len(), 8, "{refused:?}");
    advance(&mut harness, &name, proto::CaseState::Assessing).await.expect("assessing");
    harness.cases.update_case(assessed(&name)).await.expect("assessed");
    let moved = advance(&mut harness, &name, proto::CaseState::Intervening).await.expect("intervening");
    assert_eq!(clock_state(&moved.clocks, proto::ClockStep::CaseAssess), proto::ClockState::Met);
    let refused = advance(&mut harness, &name, proto::CaseState::Resolving).await.expect_err("nobody was called");
    assert_eq!(missing(&refused), ["an outbound touch (RecordTouch) since the case was opened"]);
    harness.cases.record_touch(call(&name)).await.expect("a touch");
    let moved = advance(&mut harness, &name, proto::CaseState::Resolving).await.expect("resolving");
    assert_eq!(clock_state(&moved.clocks, proto::ClockStep::CaseIntervene), proto::ClockState::Met);
}

#[tokio::test]
async fn r112_the_story_tells_everything_from_alert_to_saved() {
    let mut harness = Harness::with_acme(START).await;
    harness.tell_score(45.0).await;
    harness.raise(harness.critical(45.0)).await;
    harness.settle().await;
    let name = harness.open_alert().await.case;
    work_through(&mut harness, &name).await;
    harness.tell_score(82.0).await;
    harness.settle().await;
    close(&mut harness, &name, proto::CaseOutcome::Saved, "").await.expect("saved");
    let request = proto::GetTimelineRequest { parent: name, ..Default::default() };
    let story = harness.cases.get_timeline(request).await.expect("a story").into_inner().entries;
    let kinds: Vec<&str> = story.iter().rev().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "case_opened",
            "task_created",
            "alert_raised",
            "case_advanced",
            "case_updated",
            "case_advanced",
            "touch",
            "case_advanced",
            "case_updated",
            "alert_escalated",
            "alert_closed",
            "case_closed"
        ]
    );
    let texts = story.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>().join("\n");
    for told in ["The champion left", "Talked to the new admin", "Training", "Saved"] {
        assert!(texts.contains(told), "{told} is missing in:\n{texts}");
    }
}

#[tokio::test]
async fn r116_saved_is_refused_until_the_score_is_above_70() {
    let mut harness = Harness::with_acme(START).await;
    harness.tell_score(45.0).await;
    harness.settle().await;
    let name = open(&mut harness).await.name;
    work_through(&mut harness, &name).await;
    for score in [45.0, 70.0] {
        harness.tell_score(score).await;
        harness.settle().await;
        let refused = close(&mut harness, &name, proto::CaseOutcome::Saved, "").await.expect_err("not recovered");
        assert_eq!(missing(&refused), [format!("a score above 70: it is {score:.2}")]);
    }
    harness.tell_score(70.5).await;
    harness.pass(TimeDelta::days(20)).await;
    let saved = close(&mut harness, &name, proto::CaseOutcome::Saved, "").await.expect("saved");
    assert_eq!(
        (saved.outcome(), saved.score_at_open, saved.score_at_close),
        (proto::CaseOutcome::Saved, Some(45.0), Some(70.5))
    );
    let closed: Vec<proto::CaseClosed> = harness.events().await;
    assert_eq!(closed.len(), 1);
    let again = close(&mut harness, &name, proto::CaseOutcome::Saved, "").await.expect("as it is");
    assert_eq!(again, saved);
}

#[tokio::test]
async fn r116_recovery_is_confirmed_by_scoring_itself_and_not_by_what_was_heard_of_it() {
    let says = ScoringSays::default();
    let mut harness = Harness::start_beside(START, Some(says.clone().start())).await;
    harness.tell_account(acme()).await;
    harness.tell_score(80.0).await;
    harness.settle().await;
    let name = open(&mut harness).await.name;
    work_through(&mut harness, &name).await;

    let refused = close(&mut harness, &name, proto::CaseOutcome::Saved, "").await.expect_err("scoring is away");
    assert_eq!(refused.code(), Code::Unavailable);
    let reason = refused.get_details_error_info().expect("a reason").reason;
    assert_eq!(reason, "SCORE_NOT_CONFIRMED");
    let before = harness.case(&name).await;
    assert_eq!(before.state(), proto::CaseState::Resolving, "nothing was changed");

    says.say(Some(60.0));
    let refused = close(&mut harness, &name, proto::CaseOutcome::Saved, "").await.expect_err("scoring says 60");
    assert_eq!(missing(&refused), ["a score above 70: it is 60.00"]);
    assert_eq!(harness.case(&name).await, before);

    harness.tell_score(45.0).await;
    harness.settle().await;
    says.say(Some(77.0));
    let saved = close(&mut harness, &name, proto::CaseOutcome::Saved, "").await.expect("saved");
    assert_eq!((saved.outcome(), saved.score_at_close), (proto::CaseOutcome::Saved, Some(77.0)));

    let request = proto::GetTalkingPointsRequest { account: "accounts/acme".to_owned() };
    let points = harness.cases.get_talking_points(request).await.expect("points").into_inner();
    assert!(points.health_explained);
    assert!(points.points.iter().any(|point| point.text == "Health is 77.0 of 100."), "{points:?}");
}

#[tokio::test]
async fn an_end_other_than_the_one_a_case_has_is_refused_and_changes_nothing() {
    let mut harness = Harness::with_acme(START).await;
    let name = open(&mut harness).await.name;
    let ended = close(&mut harness, &name, proto::CaseOutcome::NoAction, "A holiday").await.expect("closed");
    let again = close(&mut harness, &name, proto::CaseOutcome::NoAction, "Another word").await.expect("as it is");
    assert_eq!(again, ended, "the same end again changes nothing");
    let refused =
        close(&mut harness, &name, proto::CaseOutcome::Churned, "They left").await.expect_err("it has an end");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.get_details_error_info().expect("a reason").reason, "CASE_CLOSED");
    assert_eq!(harness.case(&name).await, ended);
    assert_eq!(harness.events::<proto::CaseClosed>().await.len(), 1);
}

#[tokio::test]
async fn r112_a_discovery_call_records_challenges_and_changed_needs() {
    let mut harness = Harness::with_acme(START).await;
    let name = open(&mut harness).await.name;
    let request = proto::RecordTouchRequest {
        challenges: "Reports take an hour".to_owned(),
        changed_needs: "Two new teams".to_owned(),
        ..call(&name)
    };
    let touch = harness.cases.record_touch(request.clone()).await.expect("a touch").into_inner();
    assert_eq!((touch.challenges.as_str(), touch.changed_needs.as_str()), ("Reports take an hour", "Two new teams"));
    let told: Vec<proto::TouchRecorded> = harness.events().await;
    assert_eq!(told[0].touch.as_ref(), Some(&touch));
    let story = proto::GetTimelineRequest { parent: name, ..Default::default() };
    let story = harness.cases.get_timeline(story).await.expect("a story").into_inner().entries;
    assert!(story[0].text.ends_with("; challenges: Reports take an hour; changed needs: Two new teams"), "{story:?}");
    let long = proto::RecordTouchRequest { challenges: "x".repeat(4_001), ..request };
    let refused = harness.cases.record_touch(long).await.expect_err("too long");
    assert!(refused.message().contains("challenges"), "{refused:?}");
}

#[tokio::test]
async fn a_customer_who_left_ends_the_case_as_churned_with_its_tasks() {
    let mut harness = Harness::with_acme(START).await;
    let name = open(&mut harness).await.name;
    let due = crate::harness::timestamp(mainstay_domain::Clock::now(&harness.clock) + TimeDelta::days(3));
    let request = proto::CreateTaskRequest {
        case: name.clone(),
        title: "Call".to_owned(),
        due_time: Some(due),
        ..Default::default()
    };
    harness.cases.create_task(request).await.expect("a task");
    harness.tell_account(scoring::Account { lifecycle_stage: scoring::LifecycleStage::Churned.into(), ..acme() }).await;
    harness.settle().await;
    assert_eq!(harness.case(&name).await.outcome(), proto::CaseOutcome::Churned);
    let tasks = harness.cases.list_tasks(proto::ListTasksRequest::default()).await.expect("tasks").into_inner().tasks;
    assert_eq!(tasks, []);
    harness.pass(TimeDelta::days(90)).await;
    assert_eq!(harness.events::<proto::ClockBreached>().await, []);
}

#[tokio::test]
async fn r115_progress_is_looked_at_each_week_until_the_case_ends() {
    let mut harness = Harness::with_acme(START).await;
    let case = open(&mut harness).await;
    let case_id = case.name.trim_start_matches("cases/").to_owned();
    for week in 1..=13 {
        harness.pass(TimeDelta::days(7)).await;
        let due = harness.case(&case.name).await.next_due_time.expect("something is due");
        let now = mainstay_domain::Clock::now(&harness.clock).timestamp();
        assert!(due.seconds > now && due.seconds - now <= 7 * 24 * 3600, "week {week}");
        let looks = harness
            .mail_to(CSM)
            .into_iter()
            .filter(|email| email.subject.contains("still open") && email.text.contains(&format!("Case: {case_id}")));
        assert_eq!(looks.count(), week);
    }
}

#[tokio::test]
async fn r111_a_call_with_the_key_stakeholder_is_a_task_due_within_48_hours() {
    let mut harness = Harness::with_acme(START).await;
    let case = open(&mut harness).await;
    let tasks = harness.cases.list_tasks(proto::ListTasksRequest::default()).await.expect("tasks").into_inner().tasks;
    assert_eq!(tasks.len(), 1);
    assert_eq!(
        (tasks[0].title.as_str(), tasks[0].owner_email.as_str()),
        ("Schedule a call with the key stakeholder", CSM)
    );
    assert_eq!(tasks[0].due_time.expect("a time").seconds - case.open_time.expect("a time").seconds, 48 * 3600);
    harness.settle().await;
    let mail = harness.mail_to(CSM).into_iter().find(|mail| mail.subject.contains("a case was opened for you"));
    let text = mail.expect("whoever leads it is told").text;
    for told in [
        "assess the account by 2026-03-08 00:00 UTC",
        "Task: Schedule a call with the key stakeholder by 2026-03-03 00:00 UTC",
    ] {
        assert!(text.contains(told), "`{told}` is missing in:\n{text}");
    }
    harness.pass(TimeDelta::hours(49)).await;
    let tasks = harness.cases.list_tasks(proto::ListTasksRequest::default()).await.expect("tasks").into_inner().tasks;
    assert!(tasks[0].overdue);
}

#[tokio::test]
async fn r114_technical_training_and_product_help_is_asked_for_by_tasks() {
    let mut harness = Harness::with_acme(START).await;
    let case = open(&mut harness).await;
    let due = crate::harness::timestamp(mainstay_domain::Clock::now(&harness.clock) + TimeDelta::days(3));
    for (resource, owner) in [
        (proto::TaskResource::Technical, "tech@example.com"),
        (proto::TaskResource::Training, "train@example.com"),
        (proto::TaskResource::Product, "product@example.com"),
    ] {
        let request = proto::CreateTaskRequest {
            case: case.name.clone(),
            title: "Help".to_owned(),
            owner_email: owner.to_owned(),
            due_time: Some(due),
            resource: resource.into(),
            ..Default::default()
        };
        let task = harness.cases.create_task(request).await.expect("a task").into_inner();
        assert_eq!(task.resource(), resource);
        harness.settle().await;
        assert_eq!(harness.mail_to(owner).len(), 1);
    }
}

#[tokio::test]
async fn no_action_needs_a_reason_and_hands_the_account_back() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.critical(48.0)).await;
    harness.settle().await;
    let name = harness.open_alert().await.case;
    let refused = close(&mut harness, &name, proto::CaseOutcome::NoAction, " ").await.expect_err("why?");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let closed = close(&mut harness, &name, proto::CaseOutcome::NoAction, "A holiday").await.expect("closed");
    assert_eq!((closed.outcome(), closed.next_due_time), (proto::CaseOutcome::NoAction, None));
    assert_eq!(harness.open_alerts().await, []);
    let again = open(&mut harness).await;
    assert_ne!(again.name, name, "a new case can be opened");
}
