//! What CSMs and customers say against computed labels.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::label_service_client::LabelServiceClient;
use mainstay_testkit::{idempotency, pagination};
use proto::{Band, LabelKind, LabelSpeaker, LabelState, LabelVerdict};
use tonic::{Code, Response, Status};

use crate::account_fixtures::{archive, time};
use crate::harness::{Harness, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::{events_of, lasting};

fn client(harness: &Harness) -> LabelServiceClient<tonic::transport::Channel> {
    LabelServiceClient::new(harness.channel.clone())
}

/// Acme with 60 points on the first of March.
async fn at_risk() -> Harness {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 365))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 60)]).await;
    harness.settle().await;
    harness
}

fn override_of(id: &str) -> proto::OverrideLabelRequest {
    proto::OverrideLabelRequest {
        account: format!("accounts/{id}"),
        band: Band::Healthy.into(),
        reason: "They send by another system as well".to_owned(),
        speaker: LabelSpeaker::Csm.into(),
        ..Default::default()
    }
}

fn dispute_of(id: &str) -> proto::DisputeLabelRequest {
    proto::DisputeLabelRequest {
        account: format!("accounts/{id}"),
        reason: "We are content".to_owned(),
        speaker: LabelSpeaker::Customer.into(),
        contact_email: "eve@acme.example".to_owned(),
        ..Default::default()
    }
}

async fn say(harness: &Harness, request: proto::OverrideLabelRequest) -> Result<proto::Label, Status> {
    client(harness).override_label(request).await.map(Response::into_inner)
}

async fn dispute(harness: &Harness, request: proto::DisputeLabelRequest) -> Result<proto::Label, Status> {
    client(harness).dispute_label(request).await.map(Response::into_inner)
}

fn review_of(label: &proto::Label, verdict: LabelVerdict) -> proto::ReviewLabelRequest {
    proto::ReviewLabelRequest {
        name: label.name.clone(),
        verdict: verdict.into(),
        words: "Looked at it with them".to_owned(),
        reviewer_email: "lee@example.com".to_owned(),
        ..Default::default()
    }
}

async fn review(harness: &Harness, request: proto::ReviewLabelRequest) -> Result<proto::Label, Status> {
    client(harness).review_label(request).await.map(Response::into_inner)
}

async fn withdraw(harness: &Harness, label: &proto::Label, etag: &str) -> Result<proto::Label, Status> {
    let request = proto::WithdrawLabelRequest { name: label.name.clone(), etag: etag.to_owned(), ..Default::default() };
    client(harness).withdraw_label(request).await.map(Response::into_inner)
}

async fn get(harness: &Harness, name: &str) -> Result<proto::Label, Status> {
    client(harness).get_label(proto::GetLabelRequest { name: name.to_owned() }).await.map(Response::into_inner)
}

async fn list(harness: &Harness, request: proto::ListLabelsRequest) -> Result<proto::ListLabelsResponse, Status> {
    client(harness).list_labels(request).await.map(Response::into_inner)
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, expected: &str) {
    let status = answer.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status).as_str()), (code, expected));
}

#[tokio::test]
async fn r84_what_people_say_is_shown_beside_the_computed_health_and_changes_nothing_of_it() {
    let mut harness = at_risk().await;
    let before = harness.health_of("acme", "").await;
    let risks = lasting(&harness, "acme").await;
    assert_eq!((before.score, before.band(), before.corrections.len()), (Some(60.0), Band::AtRisk, 0));

    let disputed = dispute(&harness, dispute_of("acme")).await.expect("a dispute");
    let overridden = say(&harness, override_of("acme")).await.expect("an override");
    harness.settle().await;
    let expected = proto::Label {
        name: overridden.name.clone(),
        account: "accounts/acme".to_owned(),
        kind: LabelKind::Override.into(),
        state: LabelState::Pending.into(),
        band: Band::Healthy.into(),
        reason: "They send by another system as well".to_owned(),
        speaker: LabelSpeaker::Csm.into(),
        creator: overridden.creator.clone(),
        computed_day: "2026-03-01".to_owned(),
        computed_score: Some(60.0),
        computed_band: Band::AtRisk.into(),
        computed_model: "models/sum".to_owned(),
        create_time: Some(time("2026-03-01")),
        expire_time: Some(time("2026-03-31")),
        review_due_time: Some(time("2026-03-08")),
        etag: overridden.etag.clone(),
        ..Default::default()
    };
    assert_eq!(overridden, expected);
    assert!(!overridden.creator.is_empty(), "who called is kept");

    let with_both = proto::Health { corrections: vec![overridden.clone(), disputed.clone()], ..before.clone() };
    assert_eq!(harness.health_of("acme", "").await, with_both);
    assert_eq!(harness.health_of("acme", "2026-03-01").await.corrections, with_both.corrections);
    let filter = proto::HealthFilter { bands: vec![Band::AtRisk.into()], ..Default::default() };
    let request = proto::ListHealthRequest { filter: Some(filter), ..Default::default() };
    let listed = harness.health.list_health(request).await.expect("a list").into_inner().health;
    assert_eq!(listed, std::slice::from_ref(&with_both), "listed by its computed band");
    let request = proto::ExplainHealthRequest { account: "accounts/acme".to_owned(), ..Default::default() };
    let explained = harness.health.explain_health(request).await.expect("an explanation").into_inner();
    assert_eq!(explained.health, Some(with_both));
    assert_eq!(lasting(&harness, "acme").await, risks);
    let told: Vec<_> = events_of::<proto::LabelCorrected>(&harness).await;
    let told: Vec<_> = told.into_iter().map(|(_, told)| told.label).collect();
    assert_eq!(told, [Some(disputed), Some(overridden)]);
}

#[tokio::test]
async fn r84_a_label_ends_by_itself_when_its_time_is_over() {
    let mut harness = at_risk().await;
    let request =
        proto::OverrideLabelRequest { expire_time: Some(time("2026-03-03T12:00:00Z")), ..override_of("acme") };
    let label = say(&harness, request).await.expect("an override");
    assert_eq!(label.review_due_time, label.expire_time, "reviewed before it ends");
    let accepted = review(&harness, review_of(&label, LabelVerdict::Accepted)).await.expect("accepted");
    harness.turn_to("2026-03-03T11:59:59Z").await;
    assert_eq!(harness.health_of("acme", "").await.corrections, std::slice::from_ref(&accepted));
    assert_eq!(events_of::<proto::LabelExpired>(&harness).await, []);

    harness.clock.set(crate::harness::at("2026-03-03T12:00:00Z"));
    assert_eq!(harness.health_of("acme", "").await.corrections, [], "gone even before its timer ran");
    harness.settle().await;
    let expired = get(&harness, &label.name).await.expect("the label");
    let expected = proto::Label {
        state: LabelState::Expired.into(),
        end_time: label.expire_time,
        etag: expired.etag.clone(),
        ..accepted
    };
    assert_eq!(expired, expected);
    let told = events_of::<proto::LabelExpired>(&harness).await;
    assert_eq!(told.into_iter().map(|(_, told)| told.label).collect::<Vec<_>>(), [Some(expired.clone())]);
    assert_refused(withdraw(&harness, &expired, "").await, Code::FailedPrecondition, "LABEL_ENDED");
    say(&harness, override_of("acme")).await.expect("another one");
}

#[tokio::test]
async fn a_label_whose_timer_is_late_makes_room_for_another_and_ends_once() {
    let harness = at_risk().await;
    let first = say(&harness, override_of("acme")).await.expect("an override");
    harness.clock.set(crate::harness::at("2026-03-31"));
    let second = say(&harness, override_of("acme")).await.expect("another one");
    harness.settle().await;
    assert_eq!(get(&harness, &first.name).await.expect("the first").state(), LabelState::Expired);
    assert_eq!(get(&harness, &second.name).await.expect("the second").state(), LabelState::Pending);
    assert_eq!(events_of::<proto::LabelExpired>(&harness).await.len(), 1);
}

#[tokio::test]
async fn r84_a_review_accepts_or_rejects_and_says_why() {
    let mut harness = at_risk().await;
    let label = say(&harness, override_of("acme")).await.expect("an override");
    harness.turn_to("2026-03-02").await;
    let accepted = review(&harness, review_of(&label, LabelVerdict::Accepted)).await.expect("accepted");
    let finding = accepted.review.clone().expect("a review");
    assert_eq!((accepted.state(), accepted.end_time), (LabelState::Accepted, None));
    assert_eq!((finding.words.as_str(), finding.review_time), ("Looked at it with them", Some(time("2026-03-02"))));
    assert_eq!(harness.health_of("acme", "").await.corrections, std::slice::from_ref(&accepted));

    let again = proto::ReviewLabelRequest { etag: label.etag.clone(), ..review_of(&label, LabelVerdict::Accepted) };
    assert_eq!(review(&harness, again).await.expect("as it is"), accepted);
    let stale = proto::ReviewLabelRequest { etag: label.etag.clone(), ..review_of(&label, LabelVerdict::Rejected) };
    assert_refused(review(&harness, stale).await, Code::Aborted, "ETAG_MISMATCH");
    let rejection = review_of(&label, LabelVerdict::Rejected);
    let rejected = review(&harness, proto::ReviewLabelRequest { etag: accepted.etag, ..rejection.clone() }).await;
    let rejected = rejected.expect("rejected");
    assert_eq!((rejected.state(), rejected.end_time), (LabelState::Rejected, Some(time("2026-03-02"))));
    assert_eq!(review(&harness, rejection).await.expect("as it is"), rejected);
    assert_eq!(harness.health_of("acme", "").await.corrections, []);
    let accept = review(&harness, review_of(&label, LabelVerdict::Accepted)).await;
    assert_refused(accept, Code::FailedPrecondition, "LABEL_ENDED");
    let told = events_of::<proto::LabelReviewed>(&harness).await;
    let states: Vec<_> = told.into_iter().map(|(_, told)| told.label.expect("a label").state()).collect();
    assert_eq!(states, [LabelState::Accepted, LabelState::Rejected]);
    harness.turn_to("2026-04-05").await;
    assert_eq!(events_of::<proto::LabelExpired>(&harness).await, [], "what has ended does not expire");
}

#[tokio::test]
async fn one_of_a_kind_is_open_until_it_is_withdrawn() {
    let harness = at_risk().await;
    let label = dispute(&harness, dispute_of("acme")).await.expect("a dispute");
    assert_refused(dispute(&harness, dispute_of("acme")).await, Code::AlreadyExists, "LABEL_OPEN");
    say(&harness, override_of("acme")).await.expect("another kind");
    assert_refused(withdraw(&harness, &label, "\"stale\"").await, Code::Aborted, "ETAG_MISMATCH");
    let withdrawn = withdraw(&harness, &label, &label.etag).await.expect("withdrawn");
    assert_eq!((withdrawn.state(), withdrawn.end_time), (LabelState::Withdrawn, Some(time("2026-03-01"))));
    assert_eq!(withdraw(&harness, &label, &label.etag).await.expect("as it is"), withdrawn);
    assert_eq!(events_of::<proto::LabelWithdrawn>(&harness).await.len(), 1);
    dispute(&harness, dispute_of("acme")).await.expect("another one");
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_with_all_that_is_wrong() {
    let mut harness = at_risk().await;
    let wrong = proto::OverrideLabelRequest {
        account: "acme".to_owned(),
        band: 9,
        reason: " ".to_owned(),
        speaker: 0,
        contact_email: "nobody".to_owned(),
        expire_time: Some(time("2026-06-01")),
        review_due_time: Some(time("2026-02-01")),
        ..Default::default()
    };
    let status = say(&harness, wrong).await.expect_err("a refusal");
    let fields = ["band", "account", "reason", "speaker", "contact_email", "expire_time", "review_due_time"];
    assert_eq!(violated_fields(&status), fields);
    let unsigned = proto::DisputeLabelRequest { contact_email: String::new(), ..dispute_of("acme") };
    let status = dispute(&harness, unsigned).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["contact_email"], "a customer has an address");
    let long = proto::DisputeLabelRequest { reason: "x".repeat(2_001), ..dispute_of("acme") };
    assert_eq!(violated_fields(&dispute(&harness, long).await.expect_err("a refusal")), ["reason"]);
    let same = proto::OverrideLabelRequest { band: Band::AtRisk.into(), ..override_of("acme") };
    assert_eq!(violated_fields(&say(&harness, same).await.expect_err("a refusal")), ["band"]);
    assert_refused(say(&harness, override_of("nobody")).await, Code::NotFound, "ACCOUNT_NOT_FOUND");

    let label = say(&harness, override_of("acme")).await.expect("an override");
    let mut blank = review_of(&label, LabelVerdict::Unspecified);
    blank.words.clear();
    blank.reviewer_email.clear();
    blank.name.push('x');
    let status = review(&harness, blank).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["name", "words", "reviewer_email", "verdict"]);
    let elsewhere = proto::Label { name: label.name.replace("acme", "other"), ..label.clone() };
    assert_refused(get(&harness, &elsewhere.name).await, Code::NotFound, "LABEL_NOT_FOUND");
    assert_refused(withdraw(&harness, &elsewhere, "").await, Code::NotFound, "LABEL_NOT_FOUND");

    harness.create_accounts(&["new"]).await;
    let unscored = say(&harness, override_of("new")).await.expect("of an account that was not scored yet");
    assert_eq!((unscored.computed_day.as_str(), unscored.computed_score), ("", None));
    archive(&harness, "new", "").await.expect("archived");
    assert_refused(dispute(&harness, dispute_of("new")).await, Code::FailedPrecondition, "ACCOUNT_ARCHIVED");
    withdraw(&harness, &unscored, "").await.expect("taken back nevertheless");
}

#[tokio::test]
async fn a_label_that_is_only_validated_is_not_kept() {
    let harness = at_risk().await;
    let request = proto::OverrideLabelRequest { validate_only: true, ..override_of("acme") };
    let label = say(&harness, request).await.expect("a label");
    assert_eq!((label.state(), label.computed_score), (LabelState::Pending, Some(60.0)));
    assert_refused(get(&harness, &label.name).await, Code::NotFound, "LABEL_NOT_FOUND");
    harness.settle().await;
    assert_eq!(events_of::<proto::LabelCorrected>(&harness).await, []);
}

#[tokio::test]
async fn labels_are_made_once_however_often_they_are_asked_for() {
    let mut harness = at_risk().await;
    harness.create_accounts(&["acme0", "acme1", "acme2"]).await;
    harness.settle().await;
    let count = async || {
        let sql = "SELECT count(*) FROM scoring.outbox WHERE event_type LIKE '%.Label%'";
        let events: i64 = sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count");
        events.unsigned_abs()
    };
    let override_label = async |request_id: String, content: usize| {
        say(&harness, proto::OverrideLabelRequest { request_id, ..override_of(&format!("acme{content}")) }).await
    };
    idempotency::assert_repeatable(override_label, count).await;
    let dispute_label = async |request_id: String, content: usize| {
        dispute(&harness, proto::DisputeLabelRequest { request_id, ..dispute_of(&format!("acme{content}")) }).await
    };
    idempotency::assert_repeatable(dispute_label, count).await;
    let labels = list(&harness, proto::ListLabelsRequest::default()).await.expect("labels").labels;
    let review_label = async |request_id: String, content: usize| {
        review(
            &harness,
            proto::ReviewLabelRequest { request_id, ..review_of(&labels[content], LabelVerdict::Accepted) },
        )
        .await
    };
    idempotency::assert_repeatable(review_label, count).await;
    let withdraw_label = async |request_id: String, content: usize| {
        let name = labels[content].name.clone();
        let request = proto::WithdrawLabelRequest { name, request_id, ..Default::default() };
        client(&harness).withdraw_label(request).await.map(Response::into_inner)
    };
    idempotency::assert_repeatable(withdraw_label, count).await;
}

#[tokio::test]
async fn a_request_repeated_after_the_label_expired_answers_as_the_first_time() {
    let harness = at_risk().await;
    let request = proto::OverrideLabelRequest {
        expire_time: Some(time("2026-03-02")),
        request_id: "once".to_owned(),
        ..override_of("acme")
    };
    let first = say(&harness, request.clone()).await.expect("an override");
    harness.clock.set(crate::harness::at("2026-03-05"));
    assert_eq!(say(&harness, request).await.expect("the same"), first);
}

#[tokio::test]
async fn labels_are_listed_newest_first_in_pages_by_account_and_by_what_is_due() {
    let mut harness = at_risk().await;
    harness.create_accounts(&["other"]).await;
    let early = say(&harness, override_of("acme")).await.expect("an override");
    harness.turn_to("2026-03-02").await;
    let late = proto::DisputeLabelRequest { review_due_time: Some(time("2026-03-20")), ..dispute_of("acme") };
    let late = dispute(&harness, late).await.expect("a dispute");
    harness.clock.advance(chrono::TimeDelta::seconds(1));
    let ended = dispute(&harness, dispute_of("other")).await.expect("a dispute");
    withdraw(&harness, &ended, "").await.expect("withdrawn");
    let names = async |request: proto::ListLabelsRequest| {
        let labels = list(&harness, request).await.expect("a list").labels;
        labels.into_iter().map(|label| label.name).collect::<Vec<_>>()
    };
    let all = [ended.name.clone(), late.name.clone(), early.name.clone()];
    assert_eq!(names(proto::ListLabelsRequest::default()).await, all);
    let open = proto::ListLabelsRequest { open_only: true, ..Default::default() };
    assert_eq!(names(open.clone()).await, all[1..]);
    let of_other = proto::ListLabelsRequest { account: "accounts/other".to_owned(), ..Default::default() };
    assert_eq!(names(of_other.clone()).await, all[..1]);
    assert_eq!(names(proto::ListLabelsRequest { open_only: true, ..of_other }).await, Vec::<String>::new());
    let due = proto::ListLabelsRequest { review_due_by_time: Some(time("2026-03-08")), ..Default::default() };
    assert_eq!(names(due.clone()).await, all[2..]);
    review(&harness, review_of(&early, LabelVerdict::Accepted)).await.expect("reviewed");
    assert_eq!(names(due).await, Vec::<String>::new(), "it was looked at");
    let wrong = proto::ListLabelsRequest { account: "acme".to_owned(), ..Default::default() };
    assert_eq!(violated_fields(&list(&harness, wrong).await.expect_err("a refusal")), ["account"]);

    let fetch = async |page_size: i32, page_token: String, open_only: bool| {
        let request = proto::ListLabelsRequest { page_size, page_token, open_only, ..Default::default() };
        let page = list(&harness, request).await?;
        Ok((page.labels.into_iter().map(|label| label.name).collect(), page.next_page_token))
    };
    pagination::assert_pages_cover(
        async |size, token| fetch(size, token, false).await,
        async |size, token| fetch(size, token, true).await,
        &all,
    )
    .await;
}
