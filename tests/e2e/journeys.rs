//! The paths through the four services.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use mainstay_api::mainstay::expansion::v1 as expansion;
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as surveys;
use mainstay_domain::Clock;

use crate::services::Service;
use crate::world::{CSM, CUSTOMER, DIRECTOR, FINANCE, Weather, World, timestamp};

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
    for hours in [3, 15, 6] {
        world.pass(1, TimeDelta::hours(hours)).await;
    }
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
    let critical =
        alerts.iter().find(|alert| alert.kind() == interventions::AlertKind::HealthCritical).expect("critical");
    // Of each alert when its first deadline passed, and of the critical one within a day, whatever happens.
    let told: Vec<String> = world.mail_to(DIRECTOR).into_iter().map(|email| email.subject).collect();
    let of_critical = if is_down { "overdue: involve the director" } else { critical.headline.as_str() };
    let of_critical = format!("Acme Ltd: {of_critical}");
    let (involved, of_deadlines): (Vec<_>, Vec<_>) = told.iter().partition(|subject| **subject == of_critical);
    assert_eq!(involved.len(), 1, "{told:?}");
    assert_eq!(of_deadlines.len(), 4, "{told:?}");
    assert!(of_deadlines.iter().all(|subject| subject.starts_with("Acme Ltd: overdue: ")), "{told:?}");
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
    assert_eq!(world.told_of_deadlines().await, deadlines_of_silence(is_down));
    world.assert_each_alert_was_told_once().await;
    assert_eq!(world.outside_the_trace().await, BTreeSet::new());
}

/// What is told of deadlines while an account is silent, each once. Until it is critical, days pass by whole, and nobody
/// is warned: a deadline passes, or the next day is not there yet. On the last day time goes in smaller steps, and people
/// are warned first, and the director is involved in time; not so when the service that does it is down on that day: then
/// all that fell due meanwhile has passed when it is up again.
fn deadlines_of_silence(is_down_on_last_day: bool) -> Vec<String> {
    let mut told = vec![
        "CASE CASE_ASSESS met",
        "CASE CASE_INTERVENE met",
        "CASE CASE_RESOLVE met",
        "HEALTH_AT_RISK ACKNOWLEDGE breached",
        "HEALTH_AT_RISK ASSESS breached",
        "HEALTH_AT_RISK EXECUTE breached",
        "HEALTH_AT_RISK FOLLOW_UP breached",
        "HEALTH_AT_RISK PLAN breached",
        "HEALTH_CRITICAL ACKNOWLEDGE breached",
        "HEALTH_CRITICAL ASSESS breached",
        "HEALTH_CRITICAL PLAN breached",
        "HEALTH_DROP ACKNOWLEDGE breached",
        "HEALTH_DROP ASSESS breached",
        "HEALTH_DROP EXECUTE breached",
        "HEALTH_DROP FOLLOW_UP breached",
        "HEALTH_DROP PLAN breached",
        "INACTIVITY ACKNOWLEDGE breached",
        "INACTIVITY ASSESS breached",
        "INACTIVITY EXECUTE breached",
        "INACTIVITY FOLLOW_UP breached",
        "INACTIVITY PLAN breached",
    ];
    if is_down_on_last_day {
        told.push("HEALTH_CRITICAL ESCALATE_TO_DIRECTOR breached");
    } else {
        told.extend([
            "HEALTH_CRITICAL ASSESS warned",
            "HEALTH_CRITICAL ESCALATE_TO_DIRECTOR met",
            "HEALTH_CRITICAL PLAN warned",
            "INACTIVITY FOLLOW_UP warned",
        ]);
    }
    told.sort_unstable();
    told.into_iter().map(str::to_owned).collect()
}

/// Failed payment retried three times → one alert to finance and CSM → paid → closed.
pub(crate) async fn a_failed_payment_is_one_alert_until_it_is_paid(world: &mut World) {
    let is_down = world.down_for_a_day().await;
    let failed = vec![world.invoice(scoring::InvoiceAction::PaymentFailed)];
    let is_told = world.try_to_record(failed.clone()).await;
    assert_eq!(is_told, world.weather != Weather::Down(Service::Scoring));
    world.pass(1, TimeDelta::days(1)).await;
    if is_down {
        world.up_again().await;
    }
    if !is_told {
        // The billing system tries again until it is heard.
        world.record(failed).await;
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
    world.pass(2, TimeDelta::days(1)).await;
    for person in [CSM, FINANCE] {
        assert_eq!(new_and_ended_in_digests(world, person), (1, 1), "{person}");
    }
    world.assert_each_alert_was_told_once().await;
    assert_eq!(world.outside_the_trace().await, BTreeSet::new());
}

/// How many billing alerts a person's digests told of as new and as ended, all together.
fn new_and_ended_in_digests(world: &World, person: &str) -> (u32, u32) {
    let heads = world.mail_to(person).into_iter().filter_map(|email| {
        let head = email.subject.strip_prefix("Billing alerts: ")?.to_owned();
        let mut counts = head.split(' ').filter_map(|word| word.parse::<u32>().ok());
        counts.next().zip(counts.next())
    });
    heads.fold((0, 0), |sum, head| (sum.0 + head.0, sum.1 + head.1))
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

    // While surveys is down nobody can answer: of the answer before it nobody may have heard yet.
    let is_early = world.weather == Weather::Down(Service::Surveys);
    if is_early {
        world.answer(0, 2).await;
    }
    let is_down = world.down_for_a_day().await;
    if !is_early {
        world.answer(0, 2).await;
    }
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
    assert_eq!(world.mail_to(CUSTOMER).len(), 2, "and not asked a third time");
    world.assert_each_alert_was_told_once().await;
    assert_eq!(world.outside_the_trace().await, BTreeSet::new());
}

/// Churned → case closed as churned.
pub(crate) async fn a_customer_who_leaves_ends_the_case(world: &mut World) {
    let case = world.open_case().await;
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
    // From the first of March to the last of April, a week at a time, 900 emails of 1 000 a month. Each is told when it is
    // over; the last one ends with April, before what was used in April is told.
    let end = world.clock.now() + TimeDelta::days(31 + 30);
    while world.clock.now() < end {
        let days = (end - world.clock.now()).num_days().min(7);
        let week = (0..days).map(|day| {
            let mut signal = world.emails(30);
            let time = world.clock.now() + TimeDelta::days(day);
            (signal.source_id, signal.event_time) = (format!("day-{}", time.date_naive()), Some(timestamp(time)));
            signal
        });
        let week: Vec<_> = week.collect();
        world.clock.advance(TimeDelta::days(days));
        world.record(week).await;
        world.settle().await;
    }
    let is_down = world.down_for_a_day().await;
    world.pass(1, TimeDelta::days(1)).await;
    if is_down {
        world.up_again().await;
    }
    world.pass(3, TimeDelta::days(1)).await;
    world.turn().await;
    let open = world.opportunities().await;
    assert_eq!(open.len(), 1, "{open:#?}");
    let name = open[0].name.clone();
    assert_eq!(open[0].stage(), expansion::OpportunityStage::Identified);
    loop {
        world.finish_checklist(&name).await;
        let moved = world.advance_opportunity(&name).await;
        world.turn().await;
        if moved.stage() == expansion::OpportunityStage::Closing {
            break;
        }
    }
    world.finish_checklist(&name).await;
    world.win_opportunity(&name).await;
    world.turn().await;
    let opened: Vec<expansion::OpportunityOpened> = world.events(Service::Expansion).await;
    let won: Vec<expansion::OpportunityWon> = world.events(Service::Expansion).await;
    assert_eq!((opened.len(), won.len()), (1, 1));
    world.pass(1, TimeDelta::days(31)).await;
    assert_eq!(world.opportunities().await.len(), 0, "none opens again by itself");
    assert_eq!(world.outside_the_trace().await, BTreeSet::new());
}
