//! Recomputation: all accounts, from a day on, as an operation one can watch and end.

use chrono::TimeDelta;
use mainstay_api::google::longrunning::operation::Result as OperationResult;
use mainstay_api::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest, Operation,
    WaitOperationRequest,
};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_testkit::{idempotency, pagination};
use prost::{Message, Name};
use tonic::{Code, Request, Status};

use crate::harness::{Harness, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};

const START: &str = "2026-03-10T08:00:00Z";

async fn recompute(harness: &Harness, start_day: &str) -> Result<Operation, Status> {
    let request = proto::RecomputeHealthRequest { start_day: start_day.to_owned(), ..Default::default() };
    Ok(harness.health.clone().recompute_health(request).await?.into_inner())
}

async fn get(harness: &Harness, name: &str) -> Result<Operation, Status> {
    let request = GetOperationRequest { name: name.to_owned() };
    Ok(harness.operations.clone().get_operation(request).await?.into_inner())
}

async fn cancel(harness: &Harness, name: &str) -> Result<(), Status> {
    let request = CancelOperationRequest { name: name.to_owned() };
    harness.operations.clone().cancel_operation(request).await.map(|_| ())
}

fn metadata(operation: &Operation) -> proto::RecomputeHealthMetadata {
    let any = operation.metadata.as_ref().expect("metadata");
    assert_eq!(any.type_url, format!("type.googleapis.com/{}", proto::RecomputeHealthMetadata::full_name()));
    proto::RecomputeHealthMetadata::decode(any.value.as_slice()).expect("decodes")
}

/// Accounts that need scoring and accounts scored.
fn progress(operation: &Operation) -> (i64, i64) {
    let metadata = metadata(operation);
    (metadata.account_count, metadata.done_count)
}

/// Five accounts of which the last is archived.
async fn portfolio() -> Harness {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.activate("emails", model_of(sum_of("emails", 28))).await;
    harness.create_accounts(&["a", "b", "c", "d", "e"]).await;
    harness.record(vec![usage("a", "2026-03-01", "emails", 40)]).await;
    let request = proto::ArchiveAccountRequest { name: "accounts/e".to_owned(), ..Default::default() };
    harness.accounts.archive_account(request).await.expect("archived");
    harness.settle().await;
    harness.turn_to("2026-03-10").await;
    harness
}

#[tokio::test]
async fn a_recomputation_scores_all_days_from_its_start_on() {
    let mut harness = portfolio().await;
    sqlx::raw_sql("DELETE FROM scoring.health_history WHERE day >= '2026-03-05'; DELETE FROM scoring.health")
        .execute(harness.database.pool())
        .await
        .expect("lost");
    let begun = recompute(&harness, "2026-03-05").await.expect("begun");
    assert!(!begun.done && begun.result.is_none());
    assert_eq!((metadata(&begun).start_day.as_str(), progress(&begun)), ("2026-03-05", (4, 0)));
    harness.settle().await;
    let ended = get(&harness, &begun.name).await.expect("the operation");
    assert!(ended.done && metadata(&ended).end_time.is_some());
    assert_eq!(progress(&ended), (4, 4));
    let Some(OperationResult::Response(response)) = ended.result else { panic!("a response, not {:?}", ended.result) };
    let response = proto::RecomputeHealthResponse::decode(response.value.as_slice()).expect("decodes");
    assert_eq!(response.account_count, 4);
    for day in ["2026-03-05", "2026-03-09", ""] {
        assert_eq!(harness.health_of("a", day).await.score, Some(40.0), "{day}");
    }
}

#[tokio::test]
async fn progress_is_seen_while_accounts_are_left() {
    let harness = portfolio().await;
    let begun = recompute(&harness, "").await.expect("begun");
    assert_eq!(metadata(&begun).start_day, "2026-03-10");
    // Somebody works on an account, so that it waits while the others are scored.
    let mut held = harness.database.pool().begin().await.expect("a transaction");
    sqlx::raw_sql("SELECT FROM scoring.accounts WHERE account_id = 'b' FOR UPDATE")
        .execute(&mut *held)
        .await
        .expect("held");
    harness.settle().await;
    let half_way = get(&harness, &begun.name).await.expect("the operation");
    assert_eq!((half_way.done, progress(&half_way)), (false, (4, 3)));
    held.rollback().await.expect("free");
    harness.clock.advance(TimeDelta::seconds(1));
    harness.settle().await;
    let ended = get(&harness, &begun.name).await.expect("the operation");
    assert_eq!((ended.done, progress(&ended)), (true, (4, 4)));
}

#[tokio::test]
async fn one_recomputation_runs_at_a_time() {
    let harness = portfolio().await;
    let first = recompute(&harness, "").await.expect("begun");
    let refusal = recompute(&harness, "2026-03-01").await.expect_err("one is under way");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "RECOMPUTE_RUNNING"));
    assert!(refusal.message().contains(&first.name), "{}", refusal.message());
    harness.settle().await;
    let second = recompute(&harness, "").await.expect("the first has ended");
    assert_ne!(second.name, first.name);
    harness.settle().await;
    let contenders = tokio::join!(recompute(&harness, ""), recompute(&harness, ""), recompute(&harness, ""));
    let begun = [contenders.0, contenders.1, contenders.2].into_iter().flatten().count();
    assert_eq!(begun, 1);
}

#[tokio::test]
async fn a_cancelled_recomputation_ends_and_lets_another_begin() {
    let harness = portfolio().await;
    let begun = recompute(&harness, "").await.expect("begun");
    cancel(&harness, &begun.name).await.expect("cancelled");
    let ended = get(&harness, &begun.name).await.expect("the operation");
    assert_eq!((ended.done, progress(&ended)), (true, (4, 0)));
    let Some(OperationResult::Error(status)) = &ended.result else { panic!("an error, not {:?}", ended.result) };
    assert_eq!(status.code, i32::from(Code::Cancelled));

    let next = recompute(&harness, "").await.expect("begun");
    cancel(&harness, &begun.name).await.expect("an ended one stays as it is");
    harness.settle().await;
    let completed = get(&harness, &next.name).await.expect("the next operation");
    assert_eq!((completed.done, progress(&completed)), (true, (4, 4)), "cancelling the first left the next alone");
    cancel(&harness, &next.name).await.expect("an ended one stays as it is");
    assert_eq!(get(&harness, &next.name).await.expect("the next operation"), completed);
    assert_eq!(get(&harness, &begun.name).await.expect("the first operation"), ended);
}

#[tokio::test]
async fn accounts_that_cannot_be_scored_end_the_operation_with_an_error() {
    let harness = portfolio().await;
    let begun = recompute(&harness, "").await.expect("begun");
    sqlx::raw_sql("UPDATE scoring.jobs SET dead_at = due_at WHERE queue = 'recompute' AND key = 'c'")
        .execute(harness.database.pool())
        .await
        .expect("given up");
    harness.settle().await;
    let ended = get(&harness, &begun.name).await.expect("the operation");
    assert_eq!((ended.done, progress(&ended)), (true, (4, 3)));
    assert!(matches!(ended.result, Some(OperationResult::Error(_))), "{:?}", ended.result);
    let next = recompute(&harness, "").await.expect("begun");
    harness.settle().await;
    assert_eq!(progress(&get(&harness, &next.name).await.expect("the operation")), (4, 4));
}

#[tokio::test]
async fn days_that_cannot_be_recomputed_are_refused() {
    let harness = Harness::start(START).await;
    for bad_day in ["2026-03-11", "2024-03-09", "yesterday", "2026-02-30"] {
        let refusal = recompute(&harness, bad_day).await.expect_err(bad_day);
        assert_eq!((refusal.code(), violated_fields(&refusal)), (Code::InvalidArgument, vec!["start_day".to_owned()]));
    }
    recompute(&harness, "2024-03-10").await.expect("730 days ago");
    harness.settle().await;
}

#[tokio::test]
async fn waiting_ends_with_the_operation_or_with_patience() {
    let harness = portfolio().await;
    let begun = recompute(&harness, "").await.expect("begun");
    let wait = async |timeout: TimeDelta, deadline: Option<std::time::Duration>| {
        let timeout = prost_types::Duration { seconds: timeout.num_seconds(), nanos: timeout.subsec_nanos() };
        let mut request = Request::new(WaitOperationRequest { name: begun.name.clone(), timeout: Some(timeout) });
        if let Some(deadline) = deadline {
            request.set_timeout(deadline);
        }
        harness.operations.clone().wait_operation(request).await.map(tonic::Response::into_inner)
    };
    let short = TimeDelta::milliseconds(1);
    let long = TimeDelta::seconds(15);
    assert!(!wait(short, None).await.expect("not ended").done);
    let deadline = Some(std::time::Duration::from_secs(2));
    assert!(!wait(long, deadline).await.expect("answered before the deadline").done);
    let (waited, ()) = tokio::join!(wait(long, None), harness.settle());
    assert!(waited.expect("answered").done);
    assert!(wait(TimeDelta::zero(), None).await.expect("ended").done);
    let refusal = wait(-short, None).await.expect_err("a negative timeout");
    assert_eq!(violated_fields(&refusal), ["timeout"]);
}

#[tokio::test]
async fn operations_have_names_and_stay() {
    let harness = Harness::start(START).await;
    for bad_name in ["", "operations", "operations/1", "models/0197a1b2-0000-7000-8000-000000000000"] {
        for refusal in
            [get(&harness, bad_name).await.expect_err("bad"), cancel(&harness, bad_name).await.expect_err("bad")]
        {
            assert_eq!(violated_fields(&refusal), ["name"], "{bad_name}");
        }
    }
    let unknown = "operations/0197a1b2-0000-7000-8000-000000000000";
    for refusal in [get(&harness, unknown).await.expect_err("none"), cancel(&harness, unknown).await.expect_err("none")]
    {
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "OPERATION_NOT_FOUND"));
    }
    let request = DeleteOperationRequest { name: unknown.to_owned() };
    let refusal = harness.operations.clone().delete_operation(request).await.expect_err("kept");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::Unimplemented, "UNIMPLEMENTED"));
    let request = ListOperationsRequest { name: "models".to_owned(), filter: "done".to_owned(), ..Default::default() };
    let refusal = harness.operations.clone().list_operations(request).await.expect_err("no such list");
    assert_eq!(violated_fields(&refusal), ["name", "filter"]);
}

#[tokio::test]
async fn operations_are_listed_newest_first() {
    let harness = Harness::start(START).await;
    let mut expected = Vec::new();
    for _ in 0..4 {
        expected.insert(0, recompute(&harness, "").await.expect("begun").name);
        harness.clock.advance(TimeDelta::seconds(1));
        harness.settle().await;
    }
    let list = async |name: &str, page_size: i32, page_token: String| {
        let request = ListOperationsRequest { name: name.to_owned(), page_size, page_token, ..Default::default() };
        let page = harness.operations.clone().list_operations(request).await?.into_inner();
        Ok((page.operations.into_iter().map(|operation| operation.name).collect(), page.next_page_token))
    };
    pagination::assert_pages_cover(
        async |size, token| list("operations", size, token).await,
        async |page_size, page_token| {
            let request = proto::ListModelsRequest { page_size, page_token };
            harness.models.clone().list_models(request).await.map(|_| (Vec::new(), String::new()))
        },
        &expected,
    )
    .await;
}

#[tokio::test]
async fn a_recomputation_may_be_repeated_by_request_id() {
    let harness = Harness::start(START).await;
    let recompute = async |request_id: String, content: usize| {
        harness.settle().await;
        let start_day = format!("2026-03-0{}", content + 1);
        let request = proto::RecomputeHealthRequest { start_day, request_id };
        harness.health.clone().recompute_health(request).await.map(tonic::Response::into_inner)
    };
    let count = async || {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM scoring.operations")
            .fetch_one(harness.database.pool())
            .await
            .expect("a count");
        count.unsigned_abs()
    };
    idempotency::assert_repeatable(recompute, count).await;
}
