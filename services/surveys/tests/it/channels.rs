//! Answers that came by another channel than our mails, and what they mean for these.

use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as proto;

use crate::harness::{Harness, about_support, account, answer, contact, quarterly, time};

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
