//! Accounts by the thousand: whole batches, single items, several callers at once.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_testkit::idempotency;
use prost_types::{FieldMask, Timestamp};
use tonic::{Code, Response, Status};

use crate::account_fixtures::{account_events, count_account_events, full_account, get};
use crate::harness::{Harness, account, at};
use crate::refusals::{reason, violated_fields};

const START: &str = "2026-03-01T12:00:00Z";

async fn upsert(
    harness: &Harness,
    mode: proto::BatchMode,
    accounts: Vec<proto::Account>,
) -> Result<proto::BatchUpsertAccountsResponse, Status> {
    let request = proto::BatchUpsertAccountsRequest { accounts, mode: mode.into(), ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.map(Response::into_inner)
}

fn mask(paths: &[&str]) -> FieldMask {
    FieldMask { paths: paths.iter().map(ToString::to_string).collect() }
}

/// Upserts item by item, changing the fields of `paths` only.
async fn upsert_fields(
    harness: &Harness,
    accounts: Vec<proto::Account>,
    paths: &[&str],
) -> Result<proto::BatchUpsertAccountsResponse, Status> {
    let request = proto::BatchUpsertAccountsRequest {
        accounts,
        mode: proto::BatchMode::PerItem.into(),
        update_mask: Some(mask(paths)),
        ..Default::default()
    };
    harness.accounts.clone().batch_upsert_accounts(request).await.map(Response::into_inner)
}

fn counts(answer: &proto::BatchUpsertAccountsResponse) -> (i32, i32, i32) {
    (answer.created_count, answer.updated_count, answer.unchanged_count)
}

fn below(id: &str, parent: &str) -> proto::Account {
    proto::Account { parent: format!("accounts/{parent}"), ..account(id) }
}

/// Accounts of which each of `first`, `second`, … is wrong in its own way; `right` and `first-twin` are right.
async fn mixed_batch(harness: &mut Harness) -> Vec<proto::Account> {
    harness.create_accounts(&["gone", "known"]).await;
    let archive = proto::ArchiveAccountRequest { name: "accounts/gone".to_owned(), ..Default::default() };
    harness.accounts.archive_account(archive).await.expect("archived");
    vec![
        account("right"),
        proto::Account { display_name: String::new(), seats: Some(-1), ..account("blank") },
        account("gone"),
        proto::Account { etag: "\"stale\"".to_owned(), ..account("known") },
        proto::Account { etag: "\"1\"".to_owned(), ..account("new-with-etag") },
        proto::Account { seats: Some(-1), ..account("right") },
        below("orphan", "nobody"),
        below("child-of-orphan", "orphan"),
        proto::Account { name: "right".to_owned(), ..account("x") },
        below("circle-1", "circle-2"),
        below("circle-2", "circle-1"),
        below("right-too", "right"),
    ]
}

#[tokio::test]
async fn only_what_differs_is_written_and_told() {
    let mut harness = Harness::start(START).await;
    let batch = vec![full_account("acme"), account("holding"), account("other")];
    let answer = upsert(&harness, proto::BatchMode::Unspecified, batch.clone()).await.expect("upserted");
    assert_eq!(counts(&answer), (3, 0, 0));
    let before = get(&harness, "acme").await.expect("the account");

    harness.clock.set(at("2026-03-02T00:00:00Z"));
    let answer = upsert(&harness, proto::BatchMode::AllOrNothing, batch.clone()).await.expect("upserted");
    assert_eq!(counts(&answer), (0, 0, 3));
    assert_eq!(get(&harness, "acme").await.expect("the account"), before);
    assert_eq!(account_events(&mut harness).await.len(), 3);

    let replaced = vec![account("acme"), account("new"), account("other")];
    let answer = upsert(&harness, proto::BatchMode::PerItem, replaced).await.expect("upserted");
    assert_eq!((counts(&answer), answer.errors.len()), ((1, 1, 1), 0));
    let after = get(&harness, "acme").await.expect("the account");
    let bare = proto::Account {
        create_time: before.create_time,
        update_time: after.update_time,
        etag: after.etag.clone(),
        ..account("acme")
    };
    assert_eq!(after, bare, "the stored account is replaced whole");
    assert_eq!(after.update_time.map(|time| time.seconds), Some(at("2026-03-02T00:00:00Z").timestamp()));
    let told: Vec<_> = account_events(&mut harness).await.split_off(3);
    assert_eq!(
        told,
        [
            (proto::AccountChangeKind::Updated, after),
            (proto::AccountChangeKind::Created, get(&harness, "new").await.expect("the account")),
        ]
    );
}

#[tokio::test]
async fn any_number_in_a_plan_limit_is_equal_to_itself() {
    let harness = Harness::start(START).await;
    let accounts: Vec<proto::Account> = (0..30)
        .map(|number| {
            let limit = |power: i32| (f64::from(number) + 0.7).sqrt() / 3.0 * 10f64.powi(power * 3 - 150);
            let plan_limits = (0..100).map(|power| (format!("metric-{power}"), limit(power))).collect();
            proto::Account { plan_limits, ..account(&format!("account-{number}")) }
        })
        .collect();
    let answer = upsert(&harness, proto::BatchMode::AllOrNothing, accounts.clone()).await.expect("upserted");
    assert_eq!(counts(&answer), (30, 0, 0));
    let answer = upsert(&harness, proto::BatchMode::AllOrNothing, accounts).await.expect("upserted");
    assert_eq!(counts(&answer), (0, 0, 30));
}

#[tokio::test]
async fn a_wrong_item_refuses_the_whole_batch_and_every_fault_is_named() {
    let mut harness = Harness::start(START).await;
    let batch = mixed_batch(&mut harness).await;
    let status = upsert(&harness, proto::BatchMode::AllOrNothing, batch).await.expect_err("a refusal");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        violated_fields(&status),
        [
            "accounts[1].display_name",
            "accounts[1].seats",
            "accounts[2].name",
            "accounts[3].etag",
            "accounts[4].etag",
            "accounts[5].name",
            "accounts[5].seats",
            "accounts[6].parent",
            "accounts[7].parent",
            "accounts[8].name",
            "accounts[9].parent",
            "accounts[10].parent",
        ]
    );
    for id in ["right", "right-too"] {
        assert_eq!(get(&harness, id).await.expect_err("nothing").code(), Code::NotFound);
    }
    assert_eq!(account_events(&mut harness).await.len(), 3, "what was there before");
}

#[tokio::test]
async fn per_item_stores_the_right_ones_and_names_the_others() {
    let mut harness = Harness::start(START).await;
    let batch = mixed_batch(&mut harness).await;
    let answer = upsert(&harness, proto::BatchMode::PerItem, batch).await.expect("an answer");
    assert_eq!(counts(&answer), (2, 0, 0));
    let invalid = Code::InvalidArgument as i32;
    let refusals: Vec<(i32, i32)> =
        answer.errors.iter().map(|error| (error.index, error.status.as_ref().expect("a status").code)).collect();
    assert_eq!(
        refusals,
        [
            (1, invalid),
            (2, Code::FailedPrecondition as i32),
            (3, Code::Aborted as i32),
            (4, Code::Aborted as i32),
            (5, invalid),
            (6, invalid),
            (7, invalid),
            (8, invalid),
            (9, invalid),
            (10, invalid),
        ]
    );
    let first = answer.errors[0].status.as_ref().expect("a status");
    assert_eq!(first.message, "2 fields are invalid: display_name, seats");
    assert!(!first.details.is_empty(), "the details that a single call gives");
    assert_eq!(get(&harness, "right-too").await.expect("stored").parent, "accounts/right");
    assert_eq!(account_events(&mut harness).await.len(), 5);
}

#[tokio::test]
async fn an_etag_that_fits_lets_an_item_through() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    let stored = get(&harness, "acme").await.expect("the account");
    let fresh = proto::Account { plan: "gold".to_owned(), ..stored };
    let answer = upsert(&harness, proto::BatchMode::AllOrNothing, vec![fresh.clone()]).await.expect("upserted");
    assert_eq!(counts(&answer), (0, 1, 0));
    let status = upsert(&harness, proto::BatchMode::AllOrNothing, vec![fresh]).await.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(violated_fields(&status), ["accounts[0].etag"], "the item is named all the same");
}

/// Two such accounts in one currency would add up to more than a count of minor units can hold.
#[tokio::test]
async fn revenue_beyond_what_a_portfolio_can_add_up_is_refused() {
    let mut harness = Harness::start(START).await;
    let money = |minor_units| Some(Money { currency_code: "EUR".to_owned(), minor_units });
    let rich = proto::Account { arr: money(i64::MAX), mrr: money(-1), ..account("rich") };
    let status = upsert(&harness, proto::BatchMode::AllOrNothing, vec![rich]).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["accounts[0].arr.minor_units", "accounts[0].mrr.minor_units"]);
    let largest = ["one", "two"].map(|id| proto::Account { arr: money(10_000_000_000_000), ..account(id) });
    upsert(&harness, proto::BatchMode::AllOrNothing, largest.to_vec()).await.expect("upserted");
    harness.settle().await;
    harness.health.summarize_health(proto::SummarizeHealthRequest::default()).await.expect("a summary");
}

#[tokio::test]
async fn what_a_mask_does_not_name_stays_as_it_is_in_stored_accounts() {
    let mut harness = Harness::start(START).await;
    upsert(&harness, proto::BatchMode::AllOrNothing, vec![full_account("acme"), account("holding")])
        .await
        .expect("upserted");
    let before = get(&harness, "acme").await.expect("the account");

    let given = proto::Account { plan: "gold".to_owned(), seats: None, segment: 99, ..account("acme") };
    let answer = upsert_fields(&harness, vec![given.clone()], &["plan", "seats"]).await.expect("upserted");
    assert_eq!((counts(&answer), answer.errors.len()), ((0, 1, 0), 0));
    let after = get(&harness, "acme").await.expect("the account");
    let expected = proto::Account { plan: "gold".to_owned(), seats: None, etag: after.etag.clone(), ..before };
    assert_eq!(after, expected, "contacts, owners and the name among others are as before");

    let answer = upsert_fields(&harness, vec![given], &["plan", "seats"]).await.expect("upserted");
    assert_eq!(counts(&answer), (0, 0, 1), "the same again");
    assert_eq!(account_events(&mut harness).await.len(), 3);
}

#[tokio::test]
async fn new_accounts_take_all_that_is_given_whatever_the_mask() {
    let harness = Harness::start(START).await;
    let nameless = proto::Account { display_name: String::new(), ..account("nameless") };
    let batch = vec![full_account("acme"), account("holding"), nameless.clone()];
    let answer = upsert_fields(&harness, batch, &["plan"]).await.expect("an answer");
    assert_eq!(counts(&answer), (2, 0, 0));
    assert_eq!(answer.errors.iter().map(|error| error.index).collect::<Vec<_>>(), [2]);
    let stored = get(&harness, "acme").await.expect("the account");
    assert_eq!((stored.contacts, stored.labels), (full_account("acme").contacts, full_account("acme").labels));

    upsert(&harness, proto::BatchMode::AllOrNothing, vec![account("nameless")]).await.expect("upserted");
    let named_by_then = proto::Account { plan: "gold".to_owned(), ..nameless };
    let answer = upsert_fields(&harness, vec![named_by_then], &["plan"]).await.expect("upserted");
    assert_eq!(counts(&answer), (0, 1, 0));
}

#[tokio::test]
async fn an_empty_mask_and_a_star_replace_stored_accounts_whole() {
    let harness = Harness::start(START).await;
    for paths in [&[][..], &["*"]] {
        let answer = upsert_fields(&harness, vec![full_account("acme"), account("holding")], &["*"]).await;
        assert!(answer.expect("upserted").errors.is_empty());
        let answer = upsert_fields(&harness, vec![account("acme")], paths).await.expect("upserted");
        assert_eq!(counts(&answer), (0, 1, 0), "{paths:?}");
        let stored = get(&harness, "acme").await.expect("the account");
        assert_eq!((stored.contacts.len(), stored.seats, stored.parent.as_str()), (0, None, ""), "{paths:?}");
    }
}

#[tokio::test]
async fn what_a_mask_makes_of_a_stored_account_is_checked_whole() {
    let harness = Harness::start(START).await;
    let stored = proto::Account {
        contract_start_time: Some(Timestamp { seconds: at("2026-01-01").timestamp(), nanos: 0 }),
        ..account("acme")
    };
    upsert(&harness, proto::BatchMode::AllOrNothing, vec![stored]).await.expect("upserted");
    let given = proto::Account {
        renewal_time: Some(Timestamp { seconds: at("2025-12-31").timestamp(), nanos: 0 }),
        parent: "accounts/acme".to_owned(),
        seats: Some(-1),
        ..account("acme")
    };
    let request = |paths: &[&str]| proto::BatchUpsertAccountsRequest {
        accounts: vec![given.clone()],
        update_mask: Some(mask(paths)),
        ..Default::default()
    };
    let mut accounts = harness.accounts.clone();
    let status = accounts.batch_upsert_accounts(request(&["renewal_time", "parent"])).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["accounts[0].renewal_time", "accounts[0].parent"]);
    accounts.batch_upsert_accounts(request(&["plan"])).await.expect("what the mask leaves out is not looked at");
}

#[tokio::test]
async fn fields_that_a_mask_cannot_name_are_refused_with_all_other_faults() {
    let harness = Harness::start(START).await;
    let request = proto::BatchUpsertAccountsRequest {
        mode: 7,
        update_mask: Some(mask(&["plan", "name", "contacts.email", "*"])),
        ..Default::default()
    };
    let status = harness.accounts.clone().batch_upsert_accounts(request).await.expect_err("a refusal");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
    assert_eq!(violated_fields(&status), ["mode", "accounts", "update_mask", "update_mask", "update_mask"]);
}

#[tokio::test]
async fn an_etag_is_checked_whatever_the_mask() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    let stored = get(&harness, "acme").await.expect("the account");
    let fresh = proto::Account { plan: "gold".to_owned(), ..stored };
    let answer = upsert_fields(&harness, vec![fresh.clone()], &["plan"]).await.expect("upserted");
    assert_eq!(counts(&answer), (0, 1, 0));
    let answer = upsert_fields(&harness, vec![fresh], &["plan"]).await.expect("an answer");
    let codes: Vec<i32> = answer.errors.iter().filter_map(|error| Some(error.status.as_ref()?.code)).collect();
    assert_eq!((counts(&answer), codes), ((0, 0, 0), vec![Code::Aborted as i32]));
}

#[tokio::test]
async fn a_request_id_stands_for_the_mask_too() {
    let harness = Harness::start(START).await;
    let call = async |paths: &[&str]| {
        let request = proto::BatchUpsertAccountsRequest {
            accounts: vec![account("acme")],
            update_mask: Some(mask(paths)),
            request_id: "import-1".to_owned(),
            ..Default::default()
        };
        harness.accounts.clone().batch_upsert_accounts(request).await.map(Response::into_inner)
    };
    let first = call(&["plan"]).await.expect("upserted");
    assert_eq!(call(&["plan"]).await.expect("the first answer"), first);
    assert_eq!(reason(&call(&["plan", "seats"]).await.expect_err("another content")), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn parents_may_come_in_the_same_batch_in_any_order() {
    let harness = Harness::start(START).await;
    let chain = |length: usize| -> Vec<proto::Account> {
        let mut chain: Vec<_> =
            (1..=length).rev().map(|number| below(&format!("a-{number}"), &format!("a-{}", number - 1))).collect();
        chain.push(account("a-0"));
        chain
    };
    let status = upsert(&harness, proto::BatchMode::AllOrNothing, chain(33)).await.expect_err("too deep");
    assert_eq!(violated_fields(&status), ["accounts[0].parent"]);
    let answer = upsert(&harness, proto::BatchMode::AllOrNothing, chain(32)).await.expect("upserted");
    assert_eq!(counts(&answer), (33, 0, 0));
    let turned = vec![account("a-1"), below("a-0", "a-1")];
    let answer = upsert(&harness, proto::BatchMode::AllOrNothing, turned).await.expect("turned around");
    assert_eq!(counts(&answer), (0, 2, 0));
    let circle = vec![below("a-1", "a-32")];
    let status = upsert(&harness, proto::BatchMode::AllOrNothing, circle).await.expect_err("a circle");
    assert_eq!(violated_fields(&status), ["accounts[0].parent"]);
}

#[tokio::test]
async fn batches_are_one_to_ten_thousand() {
    let harness = Harness::start(START).await;
    let accounts = |size: usize| (0..size).map(|number| account(&format!("account-{number}"))).collect::<Vec<_>>();
    for size in [0, 10_001] {
        let status = upsert(&harness, proto::BatchMode::PerItem, accounts(size)).await.expect_err("a refusal");
        assert_eq!(status.code(), Code::InvalidArgument, "{size} accounts");
        assert_eq!(violated_fields(&status), ["accounts"], "{size} accounts");
    }
    let request = proto::BatchUpsertAccountsRequest { mode: 7, ..Default::default() };
    let status = harness.accounts.clone().batch_upsert_accounts(request).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["mode", "accounts"]);
    let answer = upsert(&harness, proto::BatchMode::AllOrNothing, accounts(10_000)).await.expect("upserted");
    assert_eq!(counts(&answer), (10_000, 0, 0));
    let answer = upsert(&harness, proto::BatchMode::AllOrNothing, accounts(10_000)).await.expect("upserted");
    assert_eq!(counts(&answer), (0, 0, 10_000));
}

/// The same accounts from four callers at once, each in an order and on a plan of its own.
async fn from_four_callers(harness: &Harness, plan_of: fn(usize) -> String) -> Vec<(i32, i32, i32)> {
    let callers = (0..4).map(|caller| {
        let mut client = harness.accounts.clone();
        let mut accounts: Vec<proto::Account> = (0..1_000)
            .map(|number| proto::Account {
                plan: plan_of(caller),
                ..below(&format!("account-{number}"), &format!("account-{}", number / 10 * 10))
            })
            .map(|account| {
                if account.name == account.parent {
                    proto::Account { parent: String::new(), ..account }
                } else {
                    account
                }
            })
            .collect();
        accounts.rotate_left(caller * 250);
        if caller % 2 == 1 {
            accounts.reverse();
        }
        tokio::spawn(async move {
            let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
            counts(&client.batch_upsert_accounts(request).await.expect("upserted").into_inner())
        })
    });
    let mut found = futures::future::try_join_all(callers).await.expect("callers");
    found.sort_unstable();
    found
}

#[tokio::test]
async fn the_same_accounts_from_four_callers_are_created_once() {
    let mut harness = Harness::start(START).await;
    let found = from_four_callers(&harness, |_| "same".to_owned()).await;
    assert_eq!(found, [(0, 0, 1_000), (0, 0, 1_000), (0, 0, 1_000), (1_000, 0, 0)]);
    assert_eq!(account_events(&mut harness).await.len(), 1_000);
}

#[tokio::test]
async fn callers_that_disagree_take_turns() {
    let mut harness = Harness::start(START).await;
    let found = from_four_callers(&harness, |caller| format!("plan of {caller}")).await;
    assert_eq!(found, [(0, 1_000, 0), (0, 1_000, 0), (0, 1_000, 0), (1_000, 0, 0)]);
    let told = account_events(&mut harness).await;
    assert_eq!(told.len(), 4_000);
    let last: std::collections::BTreeSet<&str> =
        told[3_000..].iter().map(|(_, account)| account.plan.as_str()).collect();
    assert_eq!(last.len(), 1, "one caller was the last for all accounts: {last:?}");
}

#[tokio::test]
async fn upserting_may_be_repeated_by_request_id() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["gone"]).await;
    let call = async |request_id: String, content: usize| {
        let wrong = proto::Account { seats: Some(-1), ..account("wrong") };
        let request = proto::BatchUpsertAccountsRequest {
            accounts: vec![account(&format!("account-{content}")), wrong],
            mode: proto::BatchMode::PerItem.into(),
            request_id,
            ..Default::default()
        };
        harness.accounts.clone().batch_upsert_accounts(request).await.map(Response::into_inner)
    };
    let count = async || count_account_events(&harness).await;
    idempotency::assert_repeatable(call, count).await;
}
