//! The archive: accounts leave it as they entered it.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_testkit::idempotency;
use tonic::{Code, Response, Status};

use crate::account_fixtures::{
    account_events, archive, assert_invalid, assert_refused, count_account_events, full_account, get, names, time,
};
use crate::harness::{Harness, account, at, model_of, sum_of, usage};
use crate::refusals::reason;

const START: &str = "2026-03-01T12:00:00Z";

async fn unarchive(harness: &Harness, id: &str, etag: &str) -> Result<proto::Account, Status> {
    let request = proto::UnarchiveAccountRequest {
        name: format!("accounts/{id}"),
        etag: etag.to_owned(),
        request_id: String::new(),
    };
    harness.accounts.clone().unarchive_account(request).await.map(Response::into_inner)
}

async fn upsert(harness: &Harness, account: proto::Account) -> Result<proto::BatchUpsertAccountsResponse, Status> {
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![account], ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.map(Response::into_inner)
}

#[tokio::test]
async fn archiving_twice_answers_as_the_first_time() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme", "other"]).await;
    let stored = get(&harness, "acme").await.expect("the account");
    assert_refused(archive(&harness, "acme", "\"stale\"").await, Code::Aborted, "ETAG_MISMATCH");
    harness.clock.set(at("2026-03-02T00:00:00Z"));
    let archived = archive(&harness, "acme", &stored.etag).await.expect("archived");
    let expected = proto::Account {
        update_time: Some(time("2026-03-02T00:00:00Z")),
        archive_time: Some(time("2026-03-02T00:00:00Z")),
        etag: archived.etag.clone(),
        ..stored.clone()
    };
    assert_eq!(archived, expected);
    harness.clock.set(at("2026-03-03T00:00:00Z"));
    for etag in ["", &stored.etag, &archived.etag] {
        assert_eq!(archive(&harness, "acme", etag).await.expect("archived"), archived);
    }
    assert_eq!(get(&harness, "acme").await.expect("readable"), archived);
    assert_eq!(names(&harness, proto::AccountFilter::default()).await, ["other"]);
    let with_archived = proto::AccountFilter { include_archived: true, ..Default::default() };
    assert_eq!(names(&harness, with_archived).await, ["acme", "other"]);
    assert_refused(archive(&harness, "nobody", "").await, Code::NotFound, "ACCOUNT_NOT_FOUND");
    assert_invalid("a bad name", archive(&harness, "a b", "").await, &["name"]);
}

#[tokio::test]
async fn an_account_comes_back_from_the_archive_as_it_went() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["holding"]).await;
    upsert(&harness, full_account("acme")).await.expect("upserted");
    let before = get(&harness, "acme").await.expect("the account");
    let archived = archive(&harness, "acme", "").await.expect("archived");
    upsert(&harness, full_account("acme")).await.expect_err("archived");
    harness.clock.set(at("2026-03-05T00:00:00Z"));

    assert_refused(unarchive(&harness, "acme", &before.etag).await, Code::Aborted, "ETAG_MISMATCH");
    let back = unarchive(&harness, "acme", &archived.etag).await.expect("unarchived");
    let expected =
        proto::Account { update_time: Some(time("2026-03-05T00:00:00Z")), etag: back.etag.clone(), ..before.clone() };
    assert_eq!(back, expected);
    assert!(![&before.etag, &archived.etag].contains(&&back.etag));
    assert_eq!(get(&harness, "acme").await.expect("the account"), back);
    assert_eq!(names(&harness, proto::AccountFilter::default()).await, ["acme", "holding"]);

    let golden = proto::Account { plan: "gold".to_owned(), ..full_account("acme") };
    assert_eq!(upsert(&harness, golden).await.expect("upserted").updated_count, 1);
    let kinds: Vec<_> = account_events(&mut harness).await.into_iter().skip(2).map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds,
        [proto::AccountChangeKind::Archived, proto::AccountChangeKind::Unarchived, proto::AccountChangeKind::Updated,]
    );
}

#[tokio::test]
async fn an_account_that_is_not_archived_is_answered_as_it_is() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    let stored = get(&harness, "acme").await.expect("the account");
    harness.clock.set(at("2026-03-02T00:00:00Z"));
    for etag in ["", &stored.etag, "\"stale\""] {
        assert_eq!(unarchive(&harness, "acme", etag).await.expect("an answer"), stored);
    }
    assert_eq!(account_events(&mut harness).await.len(), 1);
    assert_refused(unarchive(&harness, "nobody", "").await, Code::NotFound, "ACCOUNT_NOT_FOUND");
    assert_invalid("a bad name", unarchive(&harness, "a b", "").await, &["name"]);
}

#[tokio::test]
async fn an_account_that_came_back_is_scored_from_that_day_on() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 30))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 40)]).await;
    harness.settle().await;
    archive(&harness, "acme", "").await.expect("archived");
    harness.pass_days(3).await;
    let request = proto::GetHealthHistoryRequest { account: "accounts/acme".to_owned(), ..Default::default() };
    let days = async |harness: &Harness| -> Vec<String> {
        let history = harness.health.clone().get_health_history(request.clone()).await.expect("a history");
        history.into_inner().health.into_iter().map(|health| health.day).collect()
    };
    assert_eq!(days(&harness).await, ["2026-03-01"]);

    unarchive(&harness, "acme", "").await.expect("unarchived");
    harness.record(vec![usage("acme", "2026-03-04", "emails", 2)]).await;
    harness.settle().await;
    assert_eq!(harness.health_of("acme", "").await.score, Some(42.0));
    harness.pass_days(1).await;
    assert_eq!(days(&harness).await, ["2026-03-05", "2026-03-04", "2026-03-01"]);
}

#[tokio::test]
async fn archived_accounts_are_told_the_way_back() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    archive(&harness, "acme", "").await.expect("archived");
    let request = proto::UpdateAccountRequest { account: Some(account("acme")), ..Default::default() };
    let status = harness.accounts.update_account(request).await.expect_err("archived");
    assert_eq!(reason(&status), "ACCOUNT_ARCHIVED");
    assert!(status.message().ends_with("until UnarchiveAccount"), "{}", status.message());
}

#[tokio::test]
async fn archiving_and_unarchiving_may_be_repeated_by_request_id() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["archived-0", "archived-1", "archived-2"]).await;
    let archive = async |request_id: String, content: usize| {
        let name = format!("accounts/archived-{content}");
        let request = proto::ArchiveAccountRequest { name, request_id, ..Default::default() };
        harness.accounts.clone().archive_account(request).await.map(Response::into_inner)
    };
    let unarchive = async |request_id: String, content: usize| {
        let name = format!("accounts/archived-{content}");
        let request = proto::UnarchiveAccountRequest { name, request_id, ..Default::default() };
        harness.accounts.clone().unarchive_account(request).await.map(Response::into_inner)
    };
    let events = async || count_account_events(&harness).await;
    idempotency::assert_repeatable(archive, events).await;
    archive("the-second".to_owned(), 1).await.expect("archived");
    idempotency::assert_repeatable(unarchive, events).await;
}
