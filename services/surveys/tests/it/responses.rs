//! Answers by RPC, and lists of answers.

use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_api::mainstay::surveys::v1::ResponseCategory::{Detractor, Passive, Promoter};
use mainstay_testkit::browser;
use mainstay_testkit::{idempotency, pagination};
use tonic::{Code, Response, Status};

use crate::harness::{Harness, about_critical_tickets, about_support, account, answer, answer_path, quarterly, time};
use crate::refusals::{refusal, violated_fields};

async fn submit(harness: &Harness, response: proto::Response) -> Result<proto::Response, Status> {
    let request = proto::SubmitResponseRequest { response: Some(response), ..Default::default() };
    harness.responses.clone().submit_response(request).await.map(Response::into_inner)
}

async fn with_programs() -> Harness {
    let harness = Harness::start("2026-01-05T10:00:00Z").await;
    harness.publish("nps", about_critical_tickets()).await;
    harness.publish("csat", about_support()).await;
    harness.tell_account(account("acme")).await;
    harness.settle().await;
    harness
}

#[tokio::test]
async fn r16_answers_are_classified_as_promoters_passives_and_detractors() {
    let harness = with_programs().await;
    let mut categories = Vec::new();
    for score in 0..=10 {
        categories.push(harness.submit("acme", "nps", score).await.category());
    }
    assert_eq!(categories, [[Detractor; 7].as_slice(), &[Passive; 2], &[Promoter; 2]].concat());
    let told = harness.told::<proto::ResponseReceived>().await;
    let told: Vec<_> = told.iter().map(|event| event.response.as_ref().expect("one").category()).collect();
    assert_eq!(told, categories);
}

#[tokio::test]
async fn r20_a_detractors_answer_is_told_with_all_that_outreach_needs() {
    let harness = with_programs().await;
    let given = proto::Response {
        contact_id: "champion".to_owned(),
        comment: "  Nobody calls back. ".to_owned(),
        channel: "in_app".to_owned(),
        ..answer("acme", "nps", 2)
    };
    let answered = submit(&harness, given).await.expect("an answer");
    let told = harness.told::<proto::ResponseReceived>().await;
    let response = told[0].response.as_ref().expect("an answer");
    assert_eq!((told.len(), response), (1, &answered));
    assert_eq!((response.category(), response.score), (proto::ResponseCategory::Detractor, Some(2)));
    assert_eq!((response.account.as_str(), response.contact_id.as_str()), ("accounts/acme", "champion"));
    assert_eq!((response.comment.as_str(), response.email.as_str()), ("Nobody calls back.", "champion@acme.example"));
    assert_eq!((response.program.as_str(), response.kind()), ("programs/nps", proto::SurveyKind::Nps));
    assert_eq!((response.segment(), response.channel.as_str()), (scoring::Segment::Smb, "in_app"));
    assert_eq!((response.response_time, response.resurvey_of.as_str()), (time("2026-01-05T10:00:00Z"), ""));
}

/// Between the post and the feed from which the owner is alerted lie one transaction and one move of the sequencer, which
/// every settling does: no clock is turned.
#[tokio::test]
async fn r21_a_detractors_post_is_in_the_feed_without_any_time_passing() {
    let harness = Harness::start("2026-01-05").await;
    harness.tell_account(account("acme")).await;
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    let mail = harness.mails(1).await.remove(0);
    let posted = browser::post(harness.page, &answer_path(&mail), "score=0&comment=I+am+leaving").await;
    assert_eq!(posted.status, 200);
    let told = harness.told::<proto::ResponseReceived>().await;
    let response = told[0].response.as_ref().expect("an answer");
    assert_eq!((response.category(), response.comment.as_str()), (proto::ResponseCategory::Detractor, "I am leaving"));
    assert_eq!(response.response_time, time("2026-01-05"));
}

#[tokio::test]
async fn r29_comments_are_kept_and_found() {
    let harness = with_programs().await;
    let of = |score, comment: &str| proto::Response { comment: comment.to_owned(), ..answer("acme", "nps", score) };
    for (score, comment) in [(3, "Too slow"), (4, ""), (9, "Great"), (2, " \n ")] {
        submit(&harness, of(score, comment)).await.expect("an answer");
    }
    let list = async |with_comment, categories: Vec<i32>| {
        let request = proto::ListResponsesRequest { with_comment, categories, ..Default::default() };
        let page = harness.responses.clone().list_responses(request).await.expect("a page").into_inner();
        let mut comments: Vec<String> = page.responses.into_iter().map(|response| response.comment).collect();
        comments.sort();
        comments
    };
    assert_eq!(list(true, Vec::new()).await, ["Great", "Too slow"]);
    assert_eq!(list(true, vec![proto::ResponseCategory::Detractor.into()]).await, ["Too slow"]);
    assert_eq!(list(false, Vec::new()).await.len(), 4);
    let long = submit(&harness, of(1, &"a".repeat(5_001))).await.expect_err("too long");
    assert_eq!(violated_fields(&long), ["response.comment"]);
}

#[tokio::test]
async fn answers_that_cannot_be_are_refused_with_all_their_faults() {
    let harness = with_programs().await;
    let wrong = proto::Response {
        account: "acme".to_owned(),
        score: None,
        contact_id: "a".repeat(255),
        channel: "page".to_owned(),
        response_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
        ..Default::default()
    };
    let refused = submit(&harness, wrong).await.expect_err("wrong");
    let mut found = violated_fields(&refused);
    found.sort();
    assert_eq!(
        found,
        ["response.account", "response.channel", "response.contact_id", "response.program", "response.score"]
    );
    for (program, score) in [("nps", 11), ("nps", -1), ("csat", 0), ("csat", 6)] {
        let refused = submit(&harness, answer("acme", program, score)).await.expect_err("no such score");
        assert_eq!(violated_fields(&refused), ["response.score"], "{program} {score}");
    }
    let ahead = proto::Response { response_time: time("2026-01-05T10:05:01Z"), ..answer("acme", "nps", 5) };
    assert_eq!(violated_fields(&submit(&harness, ahead).await.expect_err("ahead")), ["response.response_time"]);
    let refused = submit(&harness, answer("acme", "none", 5)).await.expect_err("no programme");
    assert_eq!(refusal(&refused), (Code::NotFound, "PROGRAM_NOT_FOUND".to_owned()));
    let refused = submit(&harness, answer("unknown", "nps", 5)).await.expect_err("no account");
    assert_eq!(refusal(&refused), (Code::NotFound, "ACCOUNT_NOT_FOUND".to_owned()));
    let request = proto::SubmitResponseRequest::default();
    let refused = harness.responses.clone().submit_response(request).await.expect_err("nothing");
    assert_eq!(violated_fields(&refused), ["response"]);
    let name = "accounts/acme/responses/00000000-0000-0000-0000-000000000000".to_owned();
    let refused = harness.responses.clone().get_response(proto::GetResponseRequest { name }).await.expect_err("none");
    assert_eq!(refusal(&refused), (Code::NotFound, "RESPONSE_NOT_FOUND".to_owned()));
    assert_eq!(harness.answers().await, []);
}

#[tokio::test]
async fn an_invitation_is_answered_once_by_whatever_way() {
    let harness = Harness::start("2026-01-05").await;
    harness.tell_account(account("acme")).await;
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    let invitation = harness.decisions().await.remove(0).name;
    let given = proto::Response { program: String::new(), invitation: invitation.clone(), ..answer("acme", "", 8) };
    let wrong =
        proto::Response { program: "programs/other".to_owned(), contact_id: "other".to_owned(), ..given.clone() };
    let refused = submit(&harness, wrong).await.expect_err("of another");
    assert_eq!(violated_fields(&refused), ["response.program", "response.contact_id"]);
    let answered = submit(&harness, given.clone()).await.expect("an answer");
    assert_eq!((answered.program.as_str(), answered.contact_id.as_str()), ("programs/nps", "champion"));
    let refused = submit(&harness, given).await.expect_err("a second");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "INVITATION_NOT_OPEN".to_owned()));
    let mail = harness.mails(1).await.remove(0);
    let page = browser::post(harness.page, &answer_path(&mail), "score=1&comment=").await;
    assert!(page.status == 200 && page.body.contains("Your answer was received"), "{}", page.body);
    assert_eq!(harness.answers().await, [answered]);
}

#[tokio::test]
async fn submitting_may_be_repeated_by_request_id() {
    let harness = with_programs().await;
    let submit = async |request_id: String, content: usize| {
        let score = i32::try_from(content).expect("small");
        let response = Some(answer("acme", "nps", score));
        let request = proto::SubmitResponseRequest { response, request_id, validate_only: false };
        harness.responses.clone().submit_response(request).await.map(Response::into_inner)
    };
    idempotency::assert_repeatable(submit, async || harness.answers().await.len() as u64).await;
    let request = proto::SubmitResponseRequest {
        response: Some(answer("acme", "nps", 1)),
        validate_only: true,
        ..Default::default()
    };
    let before = harness.answers().await.len();
    harness.responses.clone().submit_response(request).await.expect("valid");
    assert_eq!(harness.answers().await.len(), before);
}

#[tokio::test]
async fn answers_are_listed_newest_first_by_account_programme_and_time() {
    let harness = with_programs().await;
    let mut expected = Vec::new();
    for hour in 0..5 {
        let late =
            proto::Response { response_time: time(&format!("2026-01-04T1{hour}:00:00Z")), ..answer("acme", "nps", 7) };
        expected.insert(0, submit(&harness, late).await.expect("an answer").name);
    }
    harness.tell_account(account("globex")).await;
    harness.settle().await;
    let other = submit(&harness, answer("globex", "csat", 3)).await.expect("an answer");
    let list = async |page_size, page_token, account: &str| {
        let account = account.to_owned();
        let request = proto::ListResponsesRequest { page_size, page_token, account, ..Default::default() };
        let page = harness.responses.clone().list_responses(request).await?.into_inner();
        Ok((page.responses.into_iter().map(|found| found.name).collect(), page.next_page_token))
    };
    pagination::assert_pages_cover(
        async |size, token| list(size, token, "accounts/acme").await,
        async |size, token| list(size, token, "accounts/globex").await,
        &expected,
    )
    .await;
    let request = proto::ListResponsesRequest { program: "programs/csat".to_owned(), ..Default::default() };
    let listed = harness.responses.clone().list_responses(request).await.expect("a page").into_inner();
    assert_eq!(listed.responses, [other]);
    let request = proto::ListResponsesRequest {
        start_time: time("2026-01-04T11:00:00Z"),
        end_time: time("2026-01-04T13:00:00Z"),
        ..Default::default()
    };
    let listed = harness.responses.clone().list_responses(request).await.expect("a page").into_inner();
    assert_eq!(listed.responses.len(), 2);
}
