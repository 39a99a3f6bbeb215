//! What a saved case leaves behind, and what helps before that: shared learnings, monthly looks, talking points.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use tonic::Code;

use crate::at_risk::{open, work_through};
use crate::harness::{CSM, Harness, acme, timestamp};

const START: &str = "2026-03-01T00:00:00Z";

async fn save(harness: &mut Harness) -> String {
    let case = open(harness).await;
    work_through(harness, &case.name).await;
    harness.tell_score(82.5).await;
    harness.settle().await;
    let request = proto::CloseCaseRequest {
        name: case.name.clone(),
        outcome: proto::CaseOutcome::Saved.into(),
        ..Default::default()
    };
    harness.cases.close_case(request).await.expect("saved");
    harness.settle().await;
    case.name
}

fn monthly_looks(harness: &Harness) -> Vec<String> {
    let mails = harness.mail_to(CSM).into_iter();
    mails.filter(|mail| mail.subject.contains("after it was saved")).map(|mail| mail.subject).collect()
}

#[tokio::test]
async fn r118_a_saved_account_is_looked_at_after_each_of_three_months() {
    let mut harness = Harness::with_acme(START).await;
    save(&mut harness).await;
    harness.pass(TimeDelta::days(30) - TimeDelta::seconds(1)).await;
    assert_eq!(monthly_looks(&harness), Vec::<String>::new(), "not before a month");
    harness.tell_score(64.0).await;
    harness.pass(TimeDelta::seconds(1)).await;
    assert_eq!(monthly_looks(&harness), ["Acme Ltd: month 1 after it was saved"]);
    let look = harness.mail_to(CSM).pop().expect("a mail");
    assert!(look.text.contains("health is 64.0, and 82.5 when it was saved"), "{}", look.text);
    for month in 2..=3 {
        harness.pass(TimeDelta::days(30)).await;
        assert_eq!(monthly_looks(&harness).len(), month);
    }
    harness.pass(TimeDelta::days(90)).await;
    assert_eq!(monthly_looks(&harness).len(), 3, "then the account is as any other");
    assert_eq!(harness.story().await.iter().filter(|kind| *kind == "case_monitored").count(), 3);
}

#[tokio::test]
async fn r118_a_new_case_or_the_customers_leaving_ends_the_monthly_looks() {
    let mut harness = Harness::with_acme(START).await;
    save(&mut harness).await;
    open(&mut harness).await;
    harness.pass(TimeDelta::days(31)).await;
    assert_eq!(monthly_looks(&harness), Vec::<String>::new(), "whoever leads the new case looks at it each week");

    let mut harness = Harness::with_acme(START).await;
    save(&mut harness).await;
    let churned = scoring::LifecycleStage::Churned.into();
    harness.tell_account(scoring::Account { lifecycle_stage: churned, ..acme() }).await;
    harness.pass(TimeDelta::days(31)).await;
    assert_eq!(monthly_looks(&harness), Vec::<String>::new());
}

#[tokio::test]
async fn r118_months_in_which_the_service_was_away_are_looked_at_once() {
    let mut harness = Harness::with_acme(START).await;
    save(&mut harness).await;
    harness.pass(TimeDelta::days(65)).await;
    assert_eq!(monthly_looks(&harness), ["Acme Ltd: month 2 after it was saved"]);
    harness.pass(TimeDelta::days(25)).await;
    assert_eq!(monthly_looks(&harness).len(), 2);
}

#[tokio::test]
async fn r119_what_worked_is_shared_with_the_team() {
    let mut harness = Harness::with_acme(START).await;
    let case = save(&mut harness).await;
    let shared: Vec<String> = harness
        .posted("/slack")
        .iter()
        .filter_map(|request| request.json()["text"].as_str().map(str::to_owned))
        .filter(|text| text.contains("case closed: Saved"))
        .collect();
    assert_eq!(shared.len(), 1);
    assert!(shared[0].contains("Root cause: The champion left"), "{}", shared[0]);
    assert!(shared[0].contains("What worked: "), "{}", shared[0]);
    let closed: Vec<_> = harness
        .posted("/crm")
        .into_iter()
        .map(|request| request.json())
        .filter(|event| event["type"] == "interventions.case_closed")
        .collect();
    assert_eq!(closed.len(), 1);
    assert_eq!(
        (&closed[0]["data"]["case"], &closed[0]["data"]["outcome"]),
        (&case.into(), &"CASE_OUTCOME_SAVED".into())
    );
}

#[tokio::test]
async fn r120_talking_points_say_whom_to_ask_for_what_is_open_what_was_found_and_what_comes_next() {
    use proto::TalkingPointTopic as Topic;

    let mut harness = Harness::with_acme(START).await;
    let champion = scoring::Contact {
        id: "ada".to_owned(),
        display_name: "Ada Lee".to_owned(),
        email: "ada@acme.example".to_owned(),
        champion: true,
        ..Default::default()
    };
    let renewal_time = Some(timestamp("2026-03-31T00:00:00Z".parse().expect("a time")));
    harness.tell_account(scoring::Account { contacts: vec![champion], renewal_time, ..acme() }).await;
    harness.tell_score(44.0).await;
    harness.raise(harness.critical(44.0)).await;
    harness.settle().await;
    let mail = harness.mail_to(CSM).pop().expect("a mail");
    assert!(mail.text.contains("Talking points: mainstay cases talking-points acme"), "{}", mail.text);
    let alert = harness.open_alert().await;
    let update = proto::UpdateCaseRequest {
        name: alert.case.clone(),
        root_cause: "Exports are slow".to_owned(),
        ..Default::default()
    };
    harness.cases.update_case(update).await.expect("updated");

    let request = proto::GetTalkingPointsRequest { account: "accounts/acme".to_owned() };
    let points = harness.cases.get_talking_points(request).await.expect("points").into_inner();
    assert!(!points.health_explained, "there is no scoring beside this service");
    let said: Vec<(proto::TalkingPointTopic, &str)> =
        points.points.iter().map(|point| (point.topic(), point.text.as_str())).collect();
    assert_eq!(said[0], (Topic::Person, "Ask for Ada Lee <ada@acme.example>, the champion."));
    assert_eq!(said[1], (Topic::Health, "Health was 44.0 when scoring told of it last."));
    assert!(said[2].0 == Topic::Alert && said[2].1.starts_with(&alert.headline), "{said:?}");
    assert_eq!(said[3], (Topic::Case, "The root cause: Exports are slow"));
    let renewal = "The contract is worth 180,000.00 EUR a year; it renews on 2026-03-31, in 30 days.";
    assert_eq!(said[4], (Topic::Renewal, renewal));
    assert_eq!(said.len(), 5);
}

#[tokio::test]
async fn talking_points_of_an_account_that_is_not_known_are_refused() {
    let mut harness = Harness::start(START).await;
    let request = |account: &str| proto::GetTalkingPointsRequest { account: account.to_owned() };
    let refused = harness.cases.get_talking_points(request("accounts/nobody")).await.expect_err("nobody");
    assert_eq!(refused.code(), Code::NotFound);
    let refused = harness.cases.get_talking_points(request("nobody")).await.expect_err("no name");
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn r117_what_worked_is_offered_for_other_accounts_of_the_segment() {
    let mut harness = Harness::with_acme(START).await;
    for (name, segment) in [("beta", scoring::Segment::Enterprise), ("tiny", scoring::Segment::Smb)] {
        let name = format!("accounts/{name}");
        harness.tell_account(scoring::Account { name, segment: segment.into(), ..acme() }).await;
    }
    save(&mut harness).await;
    for (name, expected) in [("beta", vec!["It worked at acme: Training"]), ("tiny", Vec::new())] {
        let request = proto::GetTalkingPointsRequest { account: format!("accounts/{name}") };
        let points = harness.cases.get_talking_points(request).await.expect("points").into_inner().points;
        let playbook: Vec<&str> = points
            .iter()
            .filter(|point| point.topic() == proto::TalkingPointTopic::Playbook)
            .map(|point| point.text.as_str())
            .collect();
        assert_eq!(playbook, expected, "{name}");
    }
}
