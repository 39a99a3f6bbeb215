//! What is open has somebody who looks after it and a moment at which something is due.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;

use crate::harness::{CSM, DEFAULT, Harness, acme, timestamp};
use mainstay_domain::Clock;

const START: &str = "2026-03-01T00:00:00Z";

#[tokio::test]
async fn r106_an_account_of_which_nobody_is_known_falls_to_the_default_and_is_told_to_it() {
    let mut harness = Harness::start(START).await;
    // Nothing was told of the account before its trigger.
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.settle().await;
    let alert = harness.open_alert().await;
    assert_eq!((alert.owner_email.as_str(), alert.owner_is_fallback), (DEFAULT, true));
    let mail = harness.mail_to(DEFAULT);
    assert_eq!(mail.len(), 1, "one person in two roles is told once");
    assert!(mail[0].text.contains("nobody is known"), "{}", mail[0].text);
}

#[tokio::test]
async fn an_owner_who_cannot_be_written_to_is_replaced_by_the_default() {
    let mut harness = Harness::start(START).await;
    let owner = scoring::Owner {
        role: scoring::OwnerRole::Csm.into(),
        email: "not an address".to_owned(),
        ..Default::default()
    };
    harness.tell_account(scoring::Account { owners: vec![owner], ..acme() }).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    assert_eq!(harness.mail_to(DEFAULT).len(), 1);
    assert!(harness.story().await.contains(&"notice_redirected".to_owned()));
}

#[tokio::test]
async fn an_alert_with_nothing_left_to_do_comes_back_every_day_until_it_is_closed() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let name = harness.open_alert().await.name;
    for day in 0..10 {
        harness.pass(TimeDelta::days(1)).await;
        let alert = harness.alert(&name).await;
        let due = alert.next_due_time.unwrap_or_else(|| panic!("day {day}: nothing is due"));
        assert!(due.seconds > timestamp(harness.clock.now()).seconds, "day {day}: what is due next is past");
        assert!(!alert.owner_email.is_empty());
    }
    let reminders = harness.mail_to(CSM).into_iter().filter(|email| email.subject.contains("still open")).count();
    assert!(reminders >= 6, "{reminders}");
    let request = proto::CloseAlertRequest {
        name,
        resolution: proto::AlertResolution::NoAction.into(),
        notes: "They are on holiday".to_owned(),
        ..Default::default()
    };
    harness.alerts.close_alert(request).await.expect("closed");
    harness.pass(TimeDelta::days(5)).await;
    let after = harness.mail_to(CSM).into_iter().filter(|email| email.subject.contains("still open")).count();
    assert_eq!(after, reminders, "what is closed is left alone");
}

#[tokio::test]
async fn whoever_becomes_known_gets_what_fell_to_the_default() {
    let mut harness = Harness::start(START).await;
    harness.raise(harness.critical(40.0)).await;
    harness.settle().await;
    assert_eq!(harness.open_alert().await.owner_email, DEFAULT);
    harness.tell_account(acme()).await;
    harness.settle().await;
    let alert = harness.open_alert().await;
    assert_eq!((alert.owner_email.as_str(), alert.owner_is_fallback), (CSM, false));
    assert_eq!(harness.case(&alert.case).await.owner_email, CSM);
    let mails = harness.mail_to(CSM);
    let given = mails.iter().find(|mail| mail.subject.contains("a case was given to you")).expect("a mail");
    assert!(given.text.contains("Task: Schedule a call with the key stakeholder by 2026-03-03"), "{}", given.text);
    let tasks = harness.cases.list_tasks(proto::ListTasksRequest::default()).await.expect("tasks").into_inner().tasks;
    let owners: Vec<&str> = tasks.iter().map(|task| task.owner_email.as_str()).collect();
    assert_eq!(owners, [CSM], "what is to be done goes with the case");
}

#[tokio::test]
async fn tasks_of_others_stay_theirs_when_a_case_is_given_away() {
    let mut harness = Harness::with_acme(START).await;
    let request = proto::OpenCaseRequest { account: "accounts/acme".to_owned(), ..Default::default() };
    let case = harness.cases.open_case(request).await.expect("a case").into_inner();
    let request = proto::CreateTaskRequest {
        case: case.name.clone(),
        title: "Look at the logs".to_owned(),
        owner_email: "tech@example.com".to_owned(),
        due_time: Some(timestamp(harness.clock.now() + TimeDelta::days(3))),
        ..Default::default()
    };
    harness.cases.create_task(request).await.expect("a task");
    let request =
        proto::ReassignCaseRequest { name: case.name, owner_email: "bo@example.com".to_owned(), ..Default::default() };
    harness.cases.reassign_case(request).await.expect("given");
    let tasks = harness.cases.list_tasks(proto::ListTasksRequest::default()).await.expect("tasks").into_inner().tasks;
    let owners: Vec<&str> = tasks.iter().map(|task| task.owner_email.as_str()).collect();
    assert_eq!(owners, ["bo@example.com", "tech@example.com"]);
}

#[tokio::test]
async fn a_kind_without_a_policy_has_the_one_that_ships() {
    let mut harness = Harness::with_acme(START).await;
    sqlx::query("DELETE FROM interventions.policies").execute(harness.database.pool()).await.expect("no policies");
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let alert = harness.open_alert().await;
    assert_eq!((alert.owner_email.as_str(), alert.clocks.len()), (CSM, 5));
    let first = alert.clocks[0].due_time.expect("a time").seconds - alert.alert_time.expect("a time").seconds;
    assert_eq!(first, 2 * 3600);
}

#[tokio::test]
async fn long_and_odd_texts_of_other_systems_silence_nobody() {
    let mut harness = Harness::start(START).await;
    let name = format!("Acme\n{}", "x".repeat(195));
    harness.tell_account(scoring::Account { display_name: name, ..acme() }).await;
    harness.raise(harness.failed_payment(&"i".repeat(128), 3)).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    assert_eq!(harness.open_alerts().await.len(), 2);
    assert_eq!(harness.mail_to(CSM).len(), 2);
}

#[tokio::test]
async fn tasks_that_are_overdue_come_back_too() {
    let mut harness = Harness::with_acme(START).await;
    let case = harness
        .cases
        .open_case(proto::OpenCaseRequest { account: "accounts/acme".to_owned(), ..Default::default() })
        .await
        .expect("a case")
        .into_inner();
    let due = harness.clock.now() + TimeDelta::hours(8);
    let request = proto::CreateTaskRequest {
        case: case.name.clone(),
        title: "Send the offer".to_owned(),
        due_time: Some(timestamp(due)),
        ..Default::default()
    };
    let task = harness.cases.create_task(request).await.expect("a task").into_inner();
    assert_eq!(task.owner_email, CSM);
    harness.pass(TimeDelta::hours(9)).await;
    let tasks = harness.cases.list_tasks(proto::ListTasksRequest::default()).await.expect("tasks").into_inner().tasks;
    assert_eq!((tasks[0].name.as_str(), tasks[0].overdue), (task.name.as_str(), true));
    for _ in 0..2 {
        harness.pass(TimeDelta::days(8)).await;
    }
    let reminded = harness.mail_to(CSM).into_iter().filter(|email| email.subject.contains("still open")).count();
    assert!(reminded >= 2, "{reminded}");
    let request = proto::EndTaskRequest { name: task.name, ..Default::default() };
    let ended = harness.cases.end_task(request).await.expect("ended").into_inner();
    assert_eq!(ended.state(), proto::TaskState::Done);
}

#[tokio::test]
async fn the_tables_refuse_an_open_alert_without_an_owner_or_a_due_moment() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    harness.open_alert().await;
    for broken in
        ["UPDATE interventions.alerts SET next_due_at = NULL", "UPDATE interventions.alerts SET owner_email = ''"]
    {
        let refused = sqlx::query(broken).execute(harness.database.pool()).await;
        assert!(refused.is_err(), "{broken}");
    }
}
