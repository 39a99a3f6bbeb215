//! Backtests: how well a model would have found those who left.

use mainstay_api::google::longrunning::CancelOperationRequest;
use mainstay_api::google::longrunning::operation::Result as OperationResult;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_testkit::{idempotency, pagination};
use proto::model_source::Source;
use tonic::{Code, Status};

use crate::backtest_fixtures::{
    FIRST_DAY, LAST_DAY, backtest, begin, client, create, customers, finish, metadata, misleads, operation, request,
    sees, upsert_stage,
};
use crate::harness::{Harness, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::churn;

async fn get(harness: &Harness, name: &str) -> Result<proto::Backtest, Status> {
    let request = proto::GetBacktestRequest { name: name.to_owned() };
    Ok(client(harness).get_backtest(request).await?.into_inner())
}

async fn list(harness: &Harness, model: &str) -> Vec<String> {
    let request = proto::ListBacktestsRequest { model: model.to_owned(), ..Default::default() };
    let page = client(harness).list_backtests(request).await.expect("a page").into_inner();
    page.backtests.into_iter().map(|backtest| backtest.name).collect()
}

async fn band_changes(harness: &Harness, backtest: &str) -> Vec<proto::BandChange> {
    let request = proto::ListBandChangesRequest { backtest: backtest.to_owned(), ..Default::default() };
    client(harness).list_band_changes(request).await.expect("a page").into_inner().changes
}

#[tokio::test]
async fn r78_a_model_is_judged_by_who_left_beside_the_one_that_scores() {
    let harness = customers(misleads()).await;
    create(&harness, "sees", sees()).await;
    let begun = begin(&harness, request("sees")).await.expect("begun");
    assert!(!begun.done && begun.result.is_none());
    assert_eq!((metadata(&begun).account_count, metadata(&begun).done_count), (40, 0));
    finish(&harness).await;
    let ended = operation(&harness, &begun.name).await;
    assert_eq!((ended.done, metadata(&ended).done_count), (true, 40));
    let found = get(&harness, &metadata(&ended).backtest).await.expect("complete");

    assert_eq!((found.base_model.as_str(), found.horizon_days), ("models/current", 60));
    assert_eq!(found.days, [FIRST_DAY, "2026-01-31", "2026-03-02", LAST_DAY]);
    // 20 leave from 2026-02-01 to 2026-03-30, all within 60 days of some look.
    assert_eq!((found.account_count, found.left_account_count, found.unknown_account_count), (40, 20, 0));
    let trial = found.trial.as_ref().expect("judged");
    let auc = trial.auc.expect("an area");
    assert!(auc.low <= auc.value && auc.value <= auc.high && auc.value > 0.75, "{auc:?}");
    let comparison = found.comparison.as_ref().expect("compared");
    assert!(comparison.low > 0.3, "{comparison:?}");
    assert!((comparison.difference - (comparison.auc - comparison.base_auc)).abs() < 1e-12);
    let totals: i64 = trial.bands.iter().filter_map(|band| band.left).map(|left| left.total).sum();
    assert_eq!(Some(totals), trial.outcomes.map(|outcomes| outcomes.total), "each account-day in one band");
    let lead = trial.lead_time.expect("a lead time");
    assert_eq!(lead.warned.map(|warned| warned.total), Some(20));
    assert_eq!((found.measures.len(), found.measures[0].measure.as_str()), (1, "emails_sum"));
    assert_eq!(list(&harness, "").await, std::slice::from_ref(&found.name));
    assert_eq!(list(&harness, "models/other").await, Vec::<String>::new());

    let again = backtest(&harness, request("sees")).await;
    let as_before = proto::Backtest { name: found.name.clone(), create_time: found.create_time, ..again };
    assert_eq!(as_before, found, "the same data give the same figures");
}

#[tokio::test]
async fn a_backtest_gives_the_scores_that_history_has() {
    let mut harness = customers(misleads()).await;
    create(&harness, "sees", sees()).await;
    let backtest = backtest(&harness, request("sees")).await;
    let changes = band_changes(&harness, &backtest.name).await;
    let moved: i64 =
        backtest.band_moves.iter().filter(|moved| moved.band != moved.base_band).map(|moved| moved.account_count).sum();
    assert_eq!(usize::try_from(moved).ok(), Some(changes.len()));
    let all: i64 = backtest.band_moves.iter().map(|moved| moved.account_count).sum();
    assert_eq!(all, 20, "those who have not left by the last day");
    assert!(!changes.is_empty());

    // The days before its activation have no scores of this model: it is made the one of all days.
    sqlx::raw_sql("UPDATE scoring.model_activations SET from_day = '2025-01-01' WHERE model_id = 'current'")
        .execute(harness.database.pool())
        .await
        .expect("of all days");
    let (_replica, workers) = harness.replica().await;
    let recompute = proto::RecomputeHealthRequest { start_day: FIRST_DAY.to_owned(), ..Default::default() };
    harness.health.recompute_health(recompute).await.expect("begun");
    workers.settle().await.expect("scored");
    for change in &changes {
        let id = change.account.trim_start_matches("accounts/");
        let health = harness.health_of(id, LAST_DAY).await;
        assert_eq!((health.score, health.band), (change.base_score, change.base_band), "{id}");
    }
}

#[tokio::test]
async fn a_draft_need_not_be_stored() {
    let harness = customers(misleads()).await;
    let draft = proto::Model { name: "models/draft".to_owned(), ..sees() };
    let asked = proto::BacktestModelRequest {
        model: Some(proto::ModelSource { source: Some(Source::Model(draft)) }),
        ..request("")
    };
    let found = backtest(&harness, asked).await;
    assert_eq!(found.model.map(|model| model.name), Some("models/draft".to_owned()));
    assert_eq!(list(&harness, "models/draft").await, [found.name]);
    let refusal = harness.models.clone().get_model(proto::GetModelRequest { name: "models/draft".to_owned() }).await;
    assert_eq!(reason(&refusal.expect_err("not created")), "MODEL_NOT_FOUND");
}

#[tokio::test]
async fn r68_segments_are_compared_as_they_were_the_day_before() {
    let harness = customers(misleads()).await;
    let measure = proto::Measure {
        comparison: proto::Comparison::SegmentMedian.into(),
        curve: vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 2.0, points: 100.0 }],
        ..sum_of("emails", 28)
    };
    create(&harness, "segments", model_of(measure)).await;
    let begun = begin(&harness, request("segments")).await.expect("begun");
    assert_eq!(metadata(&begun).account_count, 80, "all accounts are gone through twice");
    finish(&harness).await;
    let found = get(&harness, &metadata(&begun).backtest).await.expect("complete");
    let trial = found.trial.as_ref().expect("judged");
    assert_eq!(trial.unscored_count, 0, "each look has a median to compare with");
    assert!(trial.auc.is_some_and(|auc| auc.value > 0.75), "{:?}", trial.auc);
}

#[tokio::test]
async fn who_left_counts_as_callers_and_signals_said() {
    let mut harness = customers(misleads()).await;
    create(&harness, "sees", sees()).await;
    for id in ["told", "came-gone"] {
        let stage = if id == "told" { proto::LifecycleStage::Active } else { proto::LifecycleStage::Churned };
        upsert_stage(&mut harness, id, stage).await;
        harness.record(vec![usage(id, "2025-12-01", "emails", 20)]).await;
    }
    let archive = proto::ArchiveAccountRequest { name: "accounts/c39".to_owned(), ..Default::default() };
    harness.accounts.archive_account(archive).await.expect("archived");
    // 100 days later the caller says that a customer has left, today.
    harness.clock.advance(chrono::TimeDelta::days(100));
    upsert_stage(&mut harness, "told", proto::LifecycleStage::Churned).await;
    harness.clock.advance(chrono::TimeDelta::days(70));
    let found =
        backtest(&harness, proto::BacktestModelRequest { end_day: "2026-09-28".to_owned(), ..request("sees") }).await;
    assert_eq!(found.unknown_account_count, 1, "nobody knows when it left that came as gone");
    assert_eq!(found.left_account_count, 21);
    let note = "Nobody knows when 1 of the accounts left: they are left out; send churn signals with their times.";
    assert!(found.notes.iter().any(|told| told == note), "{:?}", found.notes);
}

#[tokio::test]
async fn too_few_who_left_are_told_at_once_and_at_the_end() {
    let mut harness = Harness::start("2026-07-01T08:00:00Z").await;
    harness.activate("sees", sees()).await;
    let refusal = begin(&harness, request("sees")).await.expect_err("nobody left");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "TOO_FEW_OUTCOMES"));

    // Enough left, but long after the days that are looked at.
    let ids: Vec<String> = (0..30).map(|number| format!("c{number:02}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let used = ids.iter().map(|id| usage(id, "2026-01-01", "emails", 5));
    let left = ids[..15].iter().map(|id| churn(id, "2026-06-25"));
    harness.record(used.chain(left).collect()).await;
    let begun = begin(&harness, request("sees")).await.expect("begun");
    finish(&harness).await;
    let ended = operation(&harness, &begun.name).await;
    let Some(OperationResult::Error(status)) = ended.result else { panic!("an error, not {:?}", ended.result) };
    assert_eq!(status.code, i32::from(Code::FailedPrecondition));
    assert!(status.message.starts_with("0 accounts left and 30 stayed: 10 of each are needed"), "{}", status.message);
    let refusal = get(&harness, &metadata(&begun).backtest).await.expect_err("not complete");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "BACKTEST_NOT_FOUND"));
}

#[tokio::test]
async fn one_backtest_runs_at_a_time_and_may_be_cancelled() {
    let harness = customers(misleads()).await;
    create(&harness, "sees", sees()).await;
    let begun = begin(&harness, request("sees")).await.expect("begun");
    let refusal = begin(&harness, request("sees")).await.expect_err("one is under way");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "BACKTEST_RUNNING"));
    // A recomputation is another kind of work.
    let recompute = proto::RecomputeHealthRequest::default();
    harness.health.clone().recompute_health(recompute).await.expect("beside it");
    let cancel = CancelOperationRequest { name: begun.name.clone() };
    harness.operations.clone().cancel_operation(cancel).await.expect("cancelled");
    let ended = operation(&harness, &begun.name).await;
    let Some(OperationResult::Error(status)) = ended.result else { panic!("an error, not {:?}", ended.result) };
    assert_eq!(status.code, i32::from(Code::Cancelled));
    finish(&harness).await;
    assert_eq!(list(&harness, "").await, Vec::<String>::new());
    backtest(&harness, request("sees")).await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM scoring.replayed_accounts")
        .fetch_one(harness.database.pool())
        .await
        .expect("a count");
    assert_eq!(left, 0, "nothing stays of what was replayed");
}

#[tokio::test]
async fn a_backtest_that_is_complete_is_cancelled_in_vain() {
    let harness = customers(misleads()).await;
    create(&harness, "sees", sees()).await;
    let begun = begin(&harness, request("sees")).await.expect("begun");
    // Nobody looks yet whether it is over.
    sqlx::raw_sql("UPDATE scoring.jobs SET due_at = due_at + interval '1 hour' WHERE queue = 'operations'")
        .execute(harness.database.pool())
        .await
        .expect("later");
    harness.settle().await;
    assert!(!operation(&harness, &begun.name).await.done);
    let cancel = CancelOperationRequest { name: begun.name.clone() };
    harness.operations.clone().cancel_operation(cancel).await.expect("answered");
    let ended = operation(&harness, &begun.name).await;
    assert!(matches!(ended.result, Some(OperationResult::Response(_))), "{:?}", ended.result);
    assert_eq!(list(&harness, "").await, [metadata(&ended).backtest], "its report is there");
}

#[tokio::test]
async fn requests_are_refused_with_all_their_faults() {
    let harness = Harness::start("2026-07-01T08:00:00Z").await;
    let refusal = begin(&harness, proto::BacktestModelRequest::default()).await.expect_err("empty");
    assert_eq!(violated_fields(&refusal), ["model", "start_day"]);
    let too_late = proto::BacktestModelRequest { end_day: "2026-06-01".to_owned(), ..request("default") };
    assert_eq!(violated_fields(&begin(&harness, too_late).await.expect_err("not known yet")), ["end_day"]);
    let unknown = begin(&harness, request("none")).await.expect_err("no such model");
    assert_eq!(reason(&unknown), "MODEL_NOT_FOUND");
    for name in ["", "backtests/1", "operations/0197a1b2-0000-7000-8000-000000000000"] {
        assert_eq!(violated_fields(&get(&harness, name).await.expect_err("bad")), ["name"], "{name}");
    }
    let request = proto::ListBandChangesRequest {
        backtest: "backtests/0197a1b2-0000-7000-8000-000000000000".to_owned(),
        ..Default::default()
    };
    let refusal = client(&harness).list_band_changes(request).await.expect_err("none");
    assert_eq!(reason(&refusal), "BACKTEST_NOT_FOUND");
}

#[tokio::test]
async fn backtests_and_band_changes_come_in_pages() {
    let harness = customers(misleads()).await;
    create(&harness, "sees", sees()).await;
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.insert(0, backtest(&harness, request("sees")).await.name);
    }
    let list = async |page_size: i32, page_token: String| {
        let request = proto::ListBacktestsRequest { page_size, page_token, ..Default::default() };
        let page = client(&harness).list_backtests(request).await?.into_inner();
        Ok((page.backtests.into_iter().map(|backtest| backtest.name).collect(), page.next_page_token))
    };
    let changes = async |page_size: i32, page_token: String| {
        let request = proto::ListBandChangesRequest { backtest: expected[0].clone(), page_size, page_token };
        let page = client(&harness).list_band_changes(request).await?.into_inner();
        Ok((page.changes.into_iter().map(|change| change.account).collect(), page.next_page_token))
    };
    pagination::assert_pages_cover(&list, &changes, &expected).await;
    let accounts: Vec<String> =
        band_changes(&harness, &expected[0]).await.into_iter().map(|change| change.account).collect();
    pagination::assert_pages_cover(&changes, &list, &accounts).await;
}

#[tokio::test]
async fn a_backtest_may_be_asked_for_twice_by_request_id() {
    let harness = customers(misleads()).await;
    create(&harness, "sees", sees()).await;
    let ask = async |request_id: String, content: usize| {
        finish(&harness).await;
        let horizon_days = 60 + i32::try_from(content).expect("small");
        begin(&harness, proto::BacktestModelRequest { request_id, horizon_days, ..request("sees") }).await
    };
    let count = async || {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM scoring.backtests")
            .fetch_one(harness.database.pool())
            .await
            .expect("a count");
        count.unsigned_abs()
    };
    idempotency::assert_repeatable(ask, count).await;
}
