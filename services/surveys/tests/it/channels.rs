//! Answers that came by another channel than our mails, and what they mean for these.

use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::scoring::v1::TicketPriority::Low;
use mainstay_api::mainstay::surveys::v1 as proto;

use crate::harness::{Harness, about_support, account, answer, at, contact, quarterly, time};

const CHAMPION: &str = "champion@acme.example";

/// An answer of the champion.
fn of_champion(program: &str, score: i32) -> proto::Response {
    proto::Response { contact_id: "champion".to_owned(), ..answer("acme", program, score) }
}

/// A customer whose only contact is the champion, and a programme that mails nobody: the product asks.
async fn with_in_app_programme() -> Harness {
    let harness = Harness::start("2026-01-05T10:00:00Z").await;
    harness.publish("in-app", about_support()).await;
    let request = proto::PauseProgramRequest { name: "programs/in-app".to_owned(), ..Default::default() };
    harness.programs.clone().pause_program(request).await.expect("paused");
    let champion = vec![contact("acme", "champion", true)];
    harness.tell_account(scoring::Account { contacts: champion, ..account("acme") }).await;
    harness.settle().await;
    harness
}

#[tokio::test]
async fn r6_an_in_app_answer_after_a_ticket_counts_as_satisfaction_and_for_fatigue() {
    let harness = with_in_app_programme().await;
    harness.resolve_ticket("acme", "T-1", Low, CHAMPION).await;
    harness.settle().await;
    assert_eq!(harness.decided().await, [""; 0], "the product asks, and no mail");
    let free = harness.recipient(CHAMPION).await;
    assert_eq!((free.may_ask, free.free_time, free.last_ask_time), (true, None, None));

    let answered = harness.submit_in_app(of_champion("in-app", 5)).await;
    assert_eq!((answered.channel.as_str(), answered.email.as_str()), ("in_app", CHAMPION));
    assert_eq!(answered.category(), proto::ResponseCategory::Satisfied);
    let filter = proto::ReportFilter { programs: vec!["programs/in-app".to_owned()], ..Default::default() };
    let request = proto::GetCsatReportRequest { filter: Some(filter), group_by: Vec::new() };
    let report = harness.reports.clone().get_csat_report(request).await.expect("a report").into_inner();
    let figure = report.rows[0].figure.expect("a figure");
    assert_eq!((figure.satisfied_count, figure.csat, figure.mean_score), (1, Some(1.0), Some(5.0)));

    let asked = harness.recipient(CHAMPION).await;
    assert!(!asked.may_ask);
    assert_eq!(asked.last_ask_time, time("2026-01-05T10:00:00Z"));
    assert_eq!(asked.free_time, time("2026-02-04T10:00:00Z"));
    harness.publish("mailed", about_support()).await;
    harness.clock.set(at("2026-02-04T09:59:59Z"));
    harness.resolve_ticket("acme", "T-2", Low, CHAMPION).await;
    harness.settle().await;
    assert_eq!(harness.decided().await, ["acme champion FATIGUE"]);
    harness.clock.set(at("2026-02-04T10:00:00Z"));
    assert!(harness.recipient(CHAMPION).await.may_ask);
    harness.resolve_ticket("acme", "T-3", Low, CHAMPION).await;
    harness.settle().await;
    assert_eq!(harness.decided().await, ["acme champion FATIGUE", "acme champion SENT"]);
}

#[tokio::test]
async fn r6_a_mailed_question_about_a_ticket_may_be_answered_in_the_product() {
    let harness = Harness::start("2026-01-05T10:00:00Z").await;
    harness.tell_account(account("acme")).await;
    harness.publish("support", about_support()).await;
    harness.settle().await;
    harness.resolve_ticket("acme", "T-1", Low, CHAMPION).await;
    harness.settle().await;
    let request = proto::ListInvitationsRequest {
        account: "accounts/acme".to_owned(),
        program: "programs/support".to_owned(),
        states: vec![proto::InvitationState::Sent.into()],
        ..Default::default()
    };
    let open = harness.invitations.clone().list_invitations(request.clone()).await.expect("a page").into_inner();
    let invitation = open.invitations.first().expect("one");
    assert_eq!((invitation.occasion.as_str(), invitation.email.as_str()), ("ticket/zendesk/T-1", CHAMPION));

    let given = proto::Response {
        account: invitation.account.clone(),
        invitation: invitation.name.clone(),
        score: Some(4),
        ..Default::default()
    };
    harness.clock.set(at("2026-01-08"));
    let answered = harness.submit_in_app(given).await;
    assert_eq!((answered.program.as_str(), answered.contact_id.as_str()), ("programs/support", "champion"));
    assert_eq!(answered.channel, "in_app");
    let open = harness.invitations.clone().list_invitations(request).await.expect("a page").into_inner();
    assert_eq!(open.invitations, []);
    let asked = harness.recipient(CHAMPION).await;
    assert_eq!(asked.last_ask_time, time("2026-01-05T10:00:00Z"), "asked by the mail, and not again by answering");
    harness.turn_to("2026-01-12T10:00:00Z").await;
    harness.mails(1).await;
}

#[tokio::test]
async fn r11_who_answered_in_the_product_is_not_mailed_for_30_days() {
    let harness = with_in_app_programme().await;
    harness.submit_in_app(of_champion("in-app", 3)).await;
    harness.publish("nps", quarterly()).await;
    harness.turn_to("2026-02-04T09:59:59Z").await;
    assert_eq!(harness.decided().await, [""; 0], "the quarter waits");
    harness.turn_to("2026-02-04T10:00:00Z").await;
    assert_eq!(harness.decided().await, ["acme champion SENT"]);
}

#[tokio::test]
async fn r11_an_answer_for_one_account_counts_for_the_person_in_all() {
    let harness = with_in_app_programme().await;
    let shared = scoring::Contact { email: CHAMPION.to_uppercase(), ..contact("globex", "boss", true) };
    harness.tell_account(scoring::Account { contacts: vec![shared], ..account("globex") }).await;
    harness.settle().await;
    // By address, of somebody who is no contact by that id.
    let given = proto::Response { contact_id: CHAMPION.to_owned(), ..answer("globex", "in-app", 3) };
    harness.submit_in_app(given).await;
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    assert_eq!(harness.decided().await, [""; 0]);
}

#[tokio::test]
async fn r11_older_answers_do_not_shorten_the_time_and_newer_ones_lengthen_it() {
    let harness = with_in_app_programme().await;
    let submit = async |when: &str| {
        let given = proto::Response { response_time: time(when), ..of_champion("in-app", 4) };
        harness.submit_in_app(given).await;
        harness.recipient(CHAMPION).await.last_ask_time
    };
    assert_eq!(submit("2025-06-01").await, time("2025-06-01"));
    assert!(harness.recipient(CHAMPION).await.may_ask, "that was long ago");
    assert_eq!(submit("2026-01-03").await, time("2026-01-03"));
    assert_eq!(submit("2025-12-01").await, time("2026-01-03"), "one that is heard of later");
    assert_eq!(submit("2026-01-04").await, time("2026-01-04"));
    assert_eq!(harness.recipient(CHAMPION).await.free_time, time("2026-02-03"));

    let nobody = proto::Response { contact_id: "somebody".to_owned(), ..answer("acme", "in-app", 4) };
    assert_eq!(harness.submit_in_app(nobody).await.email, "", "whose address is not known");
    let request = proto::SubmitResponseRequest {
        response: Some(of_champion("in-app", 4)),
        validate_only: true,
        ..Default::default()
    };
    harness.responses.clone().submit_response(request).await.expect("valid");
    assert_eq!(harness.recipient(CHAMPION).await.last_ask_time, time("2026-01-04"), "a check asks nobody");
}
