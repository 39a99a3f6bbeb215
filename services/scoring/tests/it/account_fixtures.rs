//! What the tests of accounts share.

use futures::TryStreamExt;
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::events::v1::SubscribeRequest;
use mainstay_api::mainstay::scoring::v1 as proto;
use prost::{Message, Name};
use prost_types::Timestamp;
use tonic::{Code, Response, Status};

use crate::harness::{Harness, at};
use crate::refusals::{reason, violated_fields};

/// An account with something in every field that callers set; it belongs to `accounts/holding`.
pub(crate) fn full_account(id: &str) -> proto::Account {
    let time = |text: &str, nanos| Some(Timestamp { seconds: at(text).timestamp(), nanos });
    let money = |minor_units| Some(Money { currency_code: "CHF".to_owned(), minor_units });
    proto::Account {
        name: format!("accounts/{id}"),
        display_name: "Ácme & Söhne <AG>".to_owned(),
        segment: proto::Segment::Enterprise.into(),
        industry: "Shipping".to_owned(),
        product_line: "Mail".to_owned(),
        plan: "Business".to_owned(),
        lifecycle_stage: proto::LifecycleStage::Renewing.into(),
        arr: money(12_000_000),
        mrr: money(0),
        contract_start_time: time("2025-01-01", 0),
        renewal_time: time("2026-06-30T22:00:00Z", 123_456_000),
        sign_up_time: time("2019-02-28", 1_000),
        activation_time: time("2019-02-28", 1_000),
        seats: Some(0),
        plan_limits: [("emails".to_owned(), 100_000.0), ("storage.gb".to_owned(), 0.1)].into(),
        owners: vec![owner(5, "ada@example.com"), owner(1, "bob@example.com")],
        contacts: vec![
            proto::Contact {
                id: "c-1".to_owned(),
                display_name: "Eve".to_owned(),
                email: "eve@acme.example".to_owned(),
                title: "CTO".to_owned(),
                champion: true,
                language_code: "de-CH".to_owned(),
            },
            proto::Contact { id: "C-1".to_owned(), ..Default::default() },
        ],
        parent: "accounts/holding".to_owned(),
        labels: [("tier".to_owned(), "1".to_owned()), ("note".to_owned(), String::new())].into(),
        ..Default::default()
    }
}

/// An owner whose role has this number.
pub(crate) fn owner(role: i32, email: &str) -> proto::Owner {
    proto::Owner { role, email: email.to_owned(), display_name: "Somebody".to_owned() }
}

/// All that was told of accounts so far.
pub(crate) async fn account_events(harness: &mut Harness) -> Vec<(proto::AccountChangeKind, proto::Account)> {
    harness.settle().await;
    let request =
        SubscribeRequest { types: vec![proto::AccountChanged::full_name()], until_now: true, ..Default::default() };
    let answers = harness.feed.subscribe(request).await.expect("the feed").into_inner();
    let answers: Vec<_> = answers.try_collect().await.expect("events");
    answers
        .into_iter()
        .flat_map(|answer| answer.events)
        .map(|event| {
            let payload = event.payload.expect("a payload");
            let changed = proto::AccountChanged::decode(payload.value.as_slice()).expect("an AccountChanged");
            let account = changed.account.clone().expect("an account");
            assert_eq!(event.account, account.name);
            (changed.kind(), account)
        })
        .collect()
}

/// How often something was told of accounts.
pub(crate) async fn count_account_events(harness: &Harness) -> u64 {
    let sql = "SELECT count(*) FROM scoring.outbox WHERE event_type = 'mainstay.scoring.v1.AccountChanged'";
    let count: i64 = sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count");
    count.unsigned_abs()
}

/// A time, to the second.
pub(crate) fn time(text: &str) -> Timestamp {
    Timestamp { seconds: at(text).timestamp(), nanos: 0 }
}

/// The account, archived or not.
pub(crate) async fn get(harness: &Harness, id: &str) -> Result<proto::Account, Status> {
    let request = proto::GetAccountRequest { name: format!("accounts/{id}") };
    harness.accounts.clone().get_account(request).await.map(Response::into_inner)
}

/// Archives an account.
pub(crate) async fn archive(harness: &Harness, id: &str, etag: &str) -> Result<proto::Account, Status> {
    let request = proto::ArchiveAccountRequest {
        name: format!("accounts/{id}"),
        etag: etag.to_owned(),
        request_id: String::new(),
    };
    harness.accounts.clone().archive_account(request).await.map(Response::into_inner)
}

/// The ids of the accounts that a filter lets through, up to a page.
pub(crate) async fn names(harness: &Harness, filter: proto::AccountFilter) -> Vec<String> {
    let request = proto::ListAccountsRequest { filter: Some(filter), ..Default::default() };
    let page = harness.accounts.clone().list_accounts(request).await.expect("a page").into_inner();
    page.accounts.into_iter().map(|account| account.name.replace("accounts/", "")).collect()
}

/// Asserts that the fields are wrong, and no others.
#[track_caller]
pub(crate) fn assert_invalid(what: &str, answer: Result<proto::Account, Status>, fields: &[&str]) {
    let status = answer.expect_err(what);
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"), "{what}");
    assert_eq!(violated_fields(&status), fields, "{what}");
}

/// Asserts a code and a reason.
#[track_caller]
pub(crate) fn assert_refused(answer: Result<proto::Account, Status>, code: Code, expected: &str) {
    let status = answer.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status).as_str()), (code, expected));
}
