//! Accounts one at a time: what is written is read again, and what is wrong is named.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_testkit::{idempotency, pagination};
use prost_types::{FieldMask, Timestamp};
use tonic::{Code, Response, Status};

use crate::account_fixtures::{
    account_events, archive, assert_invalid, assert_refused, count_account_events, full_account, get, names, owner,
    time,
};
use crate::harness::{Harness, account, at};
use crate::refusals::violated_fields;

const START: &str = "2026-03-01T12:00:00Z";

fn money(code: &str, minor_units: i64) -> Money {
    Money { currency_code: code.to_owned(), minor_units }
}

async fn create(harness: &Harness, id: &str, account: proto::Account) -> Result<proto::Account, Status> {
    let request =
        proto::CreateAccountRequest { account_id: id.to_owned(), account: Some(account), ..Default::default() };
    harness.accounts.clone().create_account(request).await.map(Response::into_inner)
}

async fn update(harness: &Harness, account: proto::Account, paths: &[&str]) -> Result<proto::Account, Status> {
    let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
    let update_mask = (!paths.is_empty()).then_some(FieldMask { paths });
    let request = proto::UpdateAccountRequest { account: Some(account), update_mask, ..Default::default() };
    harness.accounts.clone().update_account(request).await.map(Response::into_inner)
}

#[tokio::test]
async fn every_field_is_read_again_as_it_was_written() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["holding"]).await;
    let given = full_account("acme");
    let created = create(&harness, "acme", given.clone()).await.expect("created");
    let expected = proto::Account {
        create_time: Some(time(START)),
        update_time: Some(time(START)),
        etag: created.etag.clone(),
        ..given.clone()
    };
    assert_eq!(created, expected);
    assert!(!created.etag.is_empty());
    assert_eq!(get(&harness, "acme").await.expect("the account"), created);
    assert_eq!(update(&harness, given, &["*"]).await.expect("an equal update"), created);
    let listed = harness.accounts.list_accounts(proto::ListAccountsRequest::default()).await.expect("a page");
    assert_eq!(listed.into_inner().accounts[0], created);
}

#[tokio::test]
async fn an_update_changes_the_fields_of_its_mask_and_no_others() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["holding"]).await;
    let created = create(&harness, "acme", full_account("acme")).await.expect("created");
    harness.clock.set(at("2026-03-02T00:00:00Z"));

    let given = proto::Account {
        display_name: "Acme AG".to_owned(),
        industry: "not in the mask".to_owned(),
        segment: 99,
        ..account("acme")
    };
    let updated = update(&harness, given, &["display_name", "seats", "labels"]).await.expect("updated");
    let expected = proto::Account {
        display_name: "Acme AG".to_owned(),
        seats: None,
        labels: Default::default(),
        update_time: Some(time("2026-03-02T00:00:00Z")),
        etag: updated.etag.clone(),
        ..created.clone()
    };
    assert_eq!(updated, expected);
    assert_ne!(updated.etag, created.etag);

    let set = proto::Account { display_name: String::new(), plan: "gold".to_owned(), ..account("acme") };
    let by_what_is_set = update(&harness, set, &[]).await.expect("updated");
    assert_eq!((by_what_is_set.plan.as_str(), by_what_is_set.display_name.as_str()), ("gold", "Acme AG"));
    assert_eq!(by_what_is_set.owners, created.owners);

    let replaced = update(&harness, account("acme"), &["*"]).await.expect("updated");
    let bare = proto::Account {
        create_time: created.create_time,
        update_time: replaced.update_time,
        etag: replaced.etag.clone(),
        ..account("acme")
    };
    assert_eq!(replaced, bare);
}

#[tokio::test]
async fn an_equal_update_changes_nothing_and_tells_nobody() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["holding"]).await;
    let created = create(&harness, "acme", full_account("acme")).await.expect("created");
    harness.clock.set(at("2026-03-05T00:00:00Z"));
    assert_eq!(update(&harness, created.clone(), &["*"]).await.expect("an answer"), created);
    assert_eq!(update(&harness, created.clone(), &[]).await.expect("an answer"), created);
    assert_eq!(account_events(&mut harness).await.len(), 2, "the two creations");
}

#[tokio::test]
async fn a_wrong_update_is_refused() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme", "gone"]).await;
    let contract = proto::Account { contract_start_time: Some(time("2026-01-01")), ..account("acme") };
    let stored = update(&harness, contract, &["contract_start_time"]).await.expect("updated");

    let renewal = proto::Account { renewal_time: Some(time("2025-12-31")), seats: Some(-1), ..account("acme") };
    let fields = ["account.renewal_time", "account.seats"];
    assert_invalid("a renewal before the stored start", update(&harness, renewal, &[]).await, &fields);
    let mask = ["display_name", "etag", "name", "owners.email"];
    assert_invalid("fields of the server", update(&harness, account("acme"), &mask).await, &["update_mask"; 3]);
    let nameless = proto::Account { name: "acme".to_owned(), ..account("acme") };
    assert_invalid("no name", update(&harness, nameless, &["nonsense"]).await, &["account.name", "update_mask"]);
    let no_account = harness.accounts.update_account(proto::UpdateAccountRequest::default()).await;
    let fields = ["account", "account.name"];
    assert_invalid("no account", no_account.map(Response::into_inner), &fields);

    assert_refused(update(&harness, account("nobody"), &["*"]).await, Code::NotFound, "ACCOUNT_NOT_FOUND");
    let fresh = proto::Account { etag: stored.etag.clone(), plan: "gold".to_owned(), ..account("acme") };
    update(&harness, fresh.clone(), &["plan"]).await.expect("updated");
    let stale = proto::Account { plan: "silver".to_owned(), ..fresh };
    assert_refused(update(&harness, stale, &["plan"]).await, Code::Aborted, "ETAG_MISMATCH");
    archive(&harness, "gone", "").await.expect("archived");
    assert_refused(update(&harness, account("gone"), &["*"]).await, Code::FailedPrecondition, "ACCOUNT_ARCHIVED");
    assert_eq!(get(&harness, "acme").await.expect("the account").plan, "gold");
}

#[tokio::test]
async fn all_faults_of_an_account_are_named_at_once() {
    let harness = Harness::start(START).await;
    let contact =
        |id: &str, email: &str| proto::Contact { id: id.to_owned(), email: email.to_owned(), ..Default::default() };
    let bad = proto::Account {
        name: "accounts/other".to_owned(),
        display_name: "x".repeat(201),
        segment: 9,
        industry: "nul\0".to_owned(),
        lifecycle_stage: -1,
        arr: Some(money("EUR", -1)),
        mrr: Some(money("USD", 5)),
        contract_start_time: Some(time("2026-01-01")),
        renewal_time: Some(time("2026-01-01")),
        sign_up_time: Some(Timestamp { seconds: 0, nanos: -1 }),
        activation_time: Some(time("1970-01-01")),
        seats: Some(-1),
        plan_limits: [("emails".to_owned(), 0.0), ("Seats".to_owned(), f64::NAN)].into(),
        owners: vec![owner(0, "ada@example.com"), owner(1, "no address"), owner(42, "bob@example.com")],
        contacts: vec![contact("c1", ""), contact("c1", "eve@"), contact("c 3", "")],
        parent: "models/x".to_owned(),
        labels: [("Tier".to_owned(), "x".repeat(201))].into(),
        ..Default::default()
    };
    let fields = [
        "account.name",
        "account.segment",
        "account.lifecycle_stage",
        "account.sign_up_time",
        "account.owners[0].role",
        "account.owners[2].role",
        "account.owners[1].email",
        "account.parent",
        "account.display_name",
        "account.industry",
        "account.arr.minor_units",
        "account.mrr.currency_code",
        "account.renewal_time",
        "account.contacts[1].id",
        "account.contacts[1].email",
        "account.contacts[2].id",
        "account.plan_limits[Seats]",
        "account.plan_limits[Seats]",
        "account.plan_limits[emails]",
        "account.labels[Tier]",
        "account.labels[Tier]",
        "account.seats",
    ];
    assert_invalid("everything wrong", create(&harness, "acme", bad).await, &fields);
    let codes = proto::Account { arr: Some(money("eur", 1)), mrr: Some(money("", 1)), ..account("acme") };
    let fields = ["account.arr.currency_code", "account.mrr.currency_code"];
    assert_invalid("no currencies", create(&harness, "acme", codes).await, &fields);
    let everything = proto::AccountFilter { include_archived: true, ..Default::default() };
    assert_eq!(names(&harness, everything).await, Vec::<String>::new());
}

#[tokio::test]
async fn bad_ids_are_refused_wherever_they_are_given() {
    let harness = Harness::start(START).await;
    for id in ["", &"a".repeat(65), "-a", "a b", "a/b", "ä", "a\0"] {
        let nameless = proto::Account { name: String::new(), ..account("x") };
        assert_invalid(id, create(&harness, id, nameless).await, &["account_id"]);
        assert_invalid(id, get(&harness, id).await, &["name"]);
        assert_invalid(id, update(&harness, account(id), &["plan"]).await, &["account.name"]);
    }
    let longest = "Z".repeat(64);
    create(&harness, &longest, account(&longest)).await.expect("created");
    assert_refused(create(&harness, &longest, account(&longest)).await, Code::AlreadyExists, "ACCOUNT_EXISTS");
    assert_refused(get(&harness, &"z".repeat(64)).await, Code::NotFound, "ACCOUNT_NOT_FOUND");
    let request = proto::CreateAccountRequest::default();
    let empty = harness.accounts.clone().create_account(request).await.map(Response::into_inner);
    assert_invalid("an empty request", empty, &["account_id", "account"]);
}

#[tokio::test]
async fn a_parent_exists_and_is_not_below_its_child() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["top", "middle", "leaf"]).await;
    let below = |id: &str, parent: &str| proto::Account { parent: format!("accounts/{parent}"), ..account(id) };
    for (id, parent) in [("middle", "top"), ("leaf", "middle")] {
        update(&harness, below(id, parent), &["parent"]).await.expect("moved");
    }
    for (id, parent) in [("leaf", "nobody"), ("leaf", "leaf"), ("top", "leaf")] {
        let what = format!("{id} below {parent}");
        assert_invalid(&what, update(&harness, below(id, parent), &["parent"]).await, &["account.parent"]);
    }
    assert_invalid("created below nobody", create(&harness, "new", below("new", "nobody")).await, &["account.parent"]);
    let children = proto::AccountFilter { parent: "accounts/top".to_owned(), ..Default::default() };
    assert_eq!(names(&harness, children).await, ["middle"]);
}

#[tokio::test]
async fn two_moves_at_once_never_close_a_circle() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["one", "two"]).await;
    for round in 0..20 {
        let moved = |id: &str, parent: &str| proto::Account { parent: format!("accounts/{parent}"), ..account(id) };
        let (first, second) = tokio::join!(
            update(&harness, moved("one", "two"), &["parent"]),
            update(&harness, moved("two", "one"), &["parent"]),
        );
        assert!(first.is_ok() != second.is_ok(), "round {round}: {first:?}, {second:?}");
        for id in ["one", "two"] {
            update(&harness, account(id), &["parent"]).await.expect("moved to the top");
        }
    }
}

#[tokio::test]
async fn checking_only_answers_the_same_and_writes_nothing() {
    let mut harness = Harness::start(START).await;
    let mut request = proto::CreateAccountRequest {
        account_id: "acme".to_owned(),
        account: Some(account("acme")),
        validate_only: true,
        ..Default::default()
    };
    let checked = harness.accounts.create_account(request.clone()).await.expect("checked").into_inner();
    assert_refused(get(&harness, "acme").await, Code::NotFound, "ACCOUNT_NOT_FOUND");
    request.validate_only = false;
    let created = harness.accounts.create_account(request).await.expect("created").into_inner();
    assert_eq!(created, checked);
    let mut request = proto::UpdateAccountRequest {
        account: Some(proto::Account { plan: "gold".to_owned(), ..account("acme") }),
        validate_only: true,
        ..Default::default()
    };
    let checked = harness.accounts.update_account(request.clone()).await.expect("checked").into_inner();
    assert_eq!(get(&harness, "acme").await.expect("the account"), created);
    request.validate_only = false;
    assert_eq!(harness.accounts.update_account(request).await.expect("updated").into_inner(), checked);
    assert_eq!(account_events(&mut harness).await.len(), 2);
}

#[tokio::test]
async fn each_change_is_told_once_with_the_account_as_it_is_then() {
    let mut harness = Harness::start(START).await;
    let created = create(&harness, "acme", account("acme")).await.expect("created");
    let plan = proto::Account { plan: "gold".to_owned(), ..account("acme") };
    let updated = update(&harness, plan, &["plan"]).await.expect("updated");
    let archived = archive(&harness, "acme", "").await.expect("archived");
    archive(&harness, "acme", "").await.expect("archived");
    let kinds = [
        (proto::AccountChangeKind::Created, created),
        (proto::AccountChangeKind::Updated, updated),
        (proto::AccountChangeKind::Archived, archived),
    ];
    assert_eq!(account_events(&mut harness).await, kinds);
}

#[tokio::test]
async fn changed_facts_have_the_account_scored_again() {
    let mut harness = Harness::start(START).await;
    let due = async |harness: &Harness| -> i64 {
        let sql = "SELECT count(*) FROM scoring.jobs WHERE queue = 'rescore' AND key = 'acme' AND due_at <= $1";
        let now = mainstay_domain::Clock::now(&harness.clock);
        sqlx::query_scalar(sql).bind(now).fetch_one(harness.database.pool()).await.expect("a count")
    };
    harness.create_accounts(&["acme"]).await;
    assert_eq!(due(&harness).await, 1);
    harness.settle().await;
    assert_eq!(due(&harness).await, 0);
    let limits = proto::Account { plan_limits: [("emails".to_owned(), 10.0)].into(), ..account("acme") };
    update(&harness, limits.clone(), &["plan_limits"]).await.expect("updated");
    assert_eq!(due(&harness).await, 1);
    harness.settle().await;
    update(&harness, limits, &["plan_limits"]).await.expect("updated");
    assert_eq!(due(&harness).await, 0, "an equal update");
}

#[tokio::test]
async fn lists_hold_what_meets_all_conditions() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["b-bare", "holding"]).await;
    create(&harness, "full", full_account("full")).await.expect("created");
    let smb = proto::Account { segment: proto::Segment::Smb.into(), ..account("C-smb") };
    create(&harness, "C-smb", smb).await.expect("created");
    let full = proto::AccountFilter {
        segments: vec![proto::Segment::Enterprise.into(), proto::Segment::Smb.into()],
        lifecycle_stages: vec![proto::LifecycleStage::Renewing.into()],
        owner_email: "bob@example.com".to_owned(),
        product_line: "Mail".to_owned(),
        labels: [("tier".to_owned(), "1".to_owned())].into(),
        parent: "accounts/holding".to_owned(),
        include_archived: false,
    };
    assert_eq!(names(&harness, full.clone()).await, ["full"]);
    let others = [
        proto::AccountFilter { segments: vec![proto::Segment::Smb.into()], ..full.clone() },
        proto::AccountFilter { lifecycle_stages: vec![proto::LifecycleStage::Trial.into()], ..full.clone() },
        proto::AccountFilter { owner_email: "Bob@example.com".to_owned(), ..full.clone() },
        proto::AccountFilter { product_line: "mail".to_owned(), ..full.clone() },
        proto::AccountFilter { labels: [("tier".to_owned(), "2".to_owned())].into(), ..full.clone() },
        proto::AccountFilter { parent: "accounts/b-bare".to_owned(), ..full.clone() },
    ];
    for filter in others {
        assert_eq!(names(&harness, filter.clone()).await, Vec::<String>::new(), "{filter:?}");
    }
    let segments = proto::AccountFilter { segments: vec![0, 3], ..Default::default() };
    assert_eq!(names(&harness, segments).await, ["C-smb", "b-bare", "holding"]);

    let bad = proto::AccountFilter {
        segments: vec![1, 4],
        lifecycle_stages: vec![-1],
        owner_email: "x".repeat(255),
        product_line: "\0".to_owned(),
        labels: [("A".to_owned(), String::new())].into(),
        parent: "holding".to_owned(),
        include_archived: true,
    };
    let request = proto::ListAccountsRequest { filter: Some(bad), ..Default::default() };
    let status = harness.accounts.list_accounts(request).await.expect_err("a refusal");
    let mut fields = violated_fields(&status);
    fields.sort();
    assert_eq!(
        fields,
        [
            "filter.labels[A]",
            "filter.lifecycle_stages[0]",
            "filter.owner_email",
            "filter.parent",
            "filter.product_line",
            "filter.segments[1]",
        ]
    );
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    let mut harness = Harness::start(START).await;
    let ids: Vec<String> = (0..25).map(|number| format!("account-{number:02}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let list = async |page_size: i32, page_token: String, include_archived: bool| {
        let filter = Some(proto::AccountFilter { include_archived, ..Default::default() });
        let request = proto::ListAccountsRequest { page_size, page_token, filter };
        let page = harness.accounts.clone().list_accounts(request).await?.into_inner();
        Ok((page.accounts.into_iter().map(|account| account.name).collect(), page.next_page_token))
    };
    let expected: Vec<String> = ids.iter().map(|id| format!("accounts/{id}")).collect();
    pagination::assert_pages_cover(
        async |size, token| list(size, token, false).await,
        async |size, token| list(size, token, true).await,
        &expected,
    )
    .await;
}

#[tokio::test]
async fn creating_and_updating_may_be_repeated_by_request_id() {
    let harness = Harness::start(START).await;
    let create = async |request_id: String, content: usize| {
        let request = proto::CreateAccountRequest {
            account_id: format!("created-{content}"),
            account: Some(account(&format!("created-{content}"))),
            request_id,
            ..Default::default()
        };
        harness.accounts.clone().create_account(request).await.map(Response::into_inner)
    };
    let update = async |request_id: String, content: usize| {
        let account = Some(proto::Account { plan: format!("plan {content}"), ..account("created-0") });
        let request = proto::UpdateAccountRequest { account, request_id, ..Default::default() };
        harness.accounts.clone().update_account(request).await.map(Response::into_inner)
    };
    let events = async || count_account_events(&harness).await;
    idempotency::assert_repeatable(create, events).await;
    idempotency::assert_repeatable(update, events).await;
}
