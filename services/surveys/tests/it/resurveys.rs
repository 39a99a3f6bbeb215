//! Asking again after a case was resolved.

use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_testkit::browser;

use crate::harness::{Harness, account, answer_path, at, quarterly};

/// A customer whose champion was asked on 5 January and gave a 2.
async fn with_detractor() -> (Harness, proto::Response) {
    let harness = Harness::start("2026-01-05").await;
    harness.tell_account(account("acme")).await;
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    let path = answer_path(&harness.mails(1).await[0]);
    assert_eq!(browser::post(harness.page, &path, "score=2&comment=Slow").await.status, 200);
    let answered = harness.answers().await.remove(0);
    (harness, answered)
}

#[tokio::test]
async fn r10_a_detractor_is_asked_again_30_days_after_the_case_was_resolved_and_compared() {
    let (harness, before) = with_detractor().await;
    harness.turn_to("2026-01-20").await;
    harness.resolve_case(&before).await;
    harness.turn_to("2026-02-18T23:59:59Z").await;
    assert_eq!(harness.decisions().await.len(), 1);
    harness.turn_to("2026-02-19").await;
    let invitation = harness.decisions().await.pop().expect("the resurvey");
    assert_eq!((invitation.contact_id.as_str(), invitation.program.as_str()), ("champion", "programs/nps"));
    assert_eq!(invitation.resurvey_of, before.name);
    assert!(invitation.occasion.starts_with("resurvey/"), "{}", invitation.occasion);

    let path = answer_path(&harness.mails(2).await[1]);
    assert_eq!(browser::post(harness.page, &path, "score=8&comment=Better").await.status, 200);
    let after = harness.answers().await.remove(0);
    assert_eq!((after.resurvey_of.as_str(), after.previous_score), (before.name.as_str(), Some(2)));
    let told = harness.told::<proto::ResponseReceived>().await;
    assert_eq!(told.last().and_then(|event| event.response.clone()), Some(after));

    let request = proto::GetResurveyReportRequest::default();
    let report = harness.reports.clone().get_resurvey_report(request).await.expect("a report").into_inner();
    assert_eq!((report.pair_count, report.detractor_count, report.recovered_count), (1, 1, 1));
    assert_eq!((report.mean_score_before, report.mean_score_after), (Some(2.0), Some(8.0)));
    assert_eq!(report.recovery_rate, Some(1.0));
    let low = report.recovery_interval.expect("an interval").low;
    assert!((low - 0.206_549_3).abs() < 1e-6, "one of one says little: {low}");
    let request = proto::GetNpsReportRequest::default();
    let nps = harness.reports.clone().get_nps_report(request).await.expect("a report").into_inner();
    assert_eq!(nps.rows[0].figure.as_ref().map(|figure| figure.detractor_count + figure.passive_count), Some(1));
}

#[tokio::test]
async fn r10_a_case_that_is_told_twice_leads_to_one_resurvey() {
    let (harness, before) = with_detractor().await;
    harness.resolve_case(&before).await;
    harness.settle().await;
    harness.clock.set(at("2026-01-07"));
    harness.resolve_case(&before).await;
    harness.pass_days(70).await;
    let resurveys = harness.decisions().await.into_iter().filter(|found| !found.resurvey_of.is_empty()).count();
    assert_eq!(resurveys, 1);
}

#[tokio::test]
async fn r10_a_resurvey_waits_until_the_contact_may_be_asked_and_asks_nobody_else() {
    let (harness, before) = with_detractor().await;
    harness.resolve_case(&before).await;
    harness.turn_to("2026-02-03").await;
    assert_eq!(harness.decisions().await.len(), 1, "29 days");
    // Meanwhile the champion has left the customer.
    let mut left = account("acme");
    left.contacts.retain(|contact| !contact.champion);
    harness.tell_account(left).await;
    harness.turn_to("2026-02-04").await;
    let last = harness.decisions().await.pop().expect("a decision");
    assert_eq!((last.contact_id.as_str(), last.reason()), ("champion", proto::NotAskedReason::NoAddress));
    assert_eq!(last.resurvey_of, before.name);
    harness.mails(1).await;
}

#[tokio::test]
async fn r10_a_resurvey_of_a_customer_who_left_or_of_a_paused_programme_is_declined() {
    let (harness, before) = with_detractor().await;
    harness.resolve_case(&before).await;
    harness
        .tell_account(scoring::Account { lifecycle_stage: scoring::LifecycleStage::Churned.into(), ..account("acme") })
        .await;
    harness.turn_to("2026-02-04").await;
    assert_eq!(harness.decisions().await.pop().map(|last| last.reason()), Some(proto::NotAskedReason::AccountChurned));

    let (harness, before) = with_detractor().await;
    harness.resolve_case(&before).await;
    let request = proto::PauseProgramRequest { name: "programs/nps".to_owned(), ..Default::default() };
    harness.programs.clone().pause_program(request).await.expect("paused");
    harness.turn_to("2026-02-04").await;
    let last = harness.decisions().await.pop().map(|last| last.reason());
    assert_eq!(last, Some(proto::NotAskedReason::ProgramNotPublished));
}
