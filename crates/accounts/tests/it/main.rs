//! The copy of the accounts, on a real PostgreSQL.

use chrono::{DateTime, Utc};
use mainstay_accounts::{Account, Accounts, MIGRATIONS};
use mainstay_api::mainstay::common::v1::Money as MoneyMessage;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::{AccountId, Band, LifecycleStage, OwnerRole, Points, Segment, partition_of};
use mainstay_events::{Event, HandlerError};
use mainstay_storage::{Migrator, SchemaName};
use mainstay_testkit::TestDatabase;
use prost::{Message, Name};
use uuid::Uuid;

const SCHEMA: SchemaName = SchemaName::new("accounts_test");

async fn copy() -> (TestDatabase, Accounts) {
    let database = mainstay_testkit::database(&Migrator::new(SCHEMA, vec![&MIGRATIONS])).await;
    (database, Accounts::new(&SCHEMA))
}

fn id() -> AccountId {
    AccountId::parse("acme").expect("an id")
}

fn event<M: Message + Name>(payload: &M) -> Event {
    let time = DateTime::<Utc>::from_timestamp(1_000_000, 0).expect("a time");
    Event {
        id: Uuid::from_u128(1),
        account: Some(id()),
        event_type: M::full_name(),
        payload: payload.encode_to_vec(),
        event_time: time,
        record_time: time,
        traceparent: None,
        partition: partition_of("acme"),
        offset: 1,
    }
}

fn facts() -> scoring::Account {
    scoring::Account {
        name: "accounts/acme".to_owned(),
        display_name: "Acme Ltd".to_owned(),
        segment: scoring::Segment::Enterprise.into(),
        lifecycle_stage: scoring::LifecycleStage::Active.into(),
        plan: "business".to_owned(),
        arr: Some(MoneyMessage { currency_code: "EUR".to_owned(), minor_units: 2_400_000 }),
        renewal_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
        seats: Some(20),
        plan_limits: [("seats".to_owned(), 20.0)].into(),
        owners: vec![scoring::Owner {
            role: scoring::OwnerRole::Csm.into(),
            email: "mia@example.com".to_owned(),
            display_name: "Mia".to_owned(),
        }],
        contacts: vec![scoring::Contact {
            id: "c1".to_owned(),
            email: "ada@acme.example".to_owned(),
            champion: true,
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn changed(account: scoring::Account) -> Event {
    event(&scoring::AccountChanged { account: Some(account), kind: scoring::AccountChangeKind::Updated.into() })
}

fn scored(score: Option<f64>, band: scoring::Band) -> Event {
    let change =
        scoring::HealthChange { account: "accounts/acme".to_owned(), score, band: band.into(), ..Default::default() };
    event(&scoring::HealthChanged { change: Some(change) })
}

async fn apply(database: &TestDatabase, accounts: &Accounts, event: &Event) -> Account {
    let mut conn = database.pool().acquire().await.expect("a connection");
    accounts.apply(&mut conn, event).await.expect("an effect").expect("an account")
}

#[tokio::test]
async fn facts_and_health_are_kept_as_scoring_told_them_last() {
    let (database, accounts) = copy().await;
    let account = apply(&database, &accounts, &changed(facts())).await;
    assert_eq!(account.display_name, "Acme Ltd");
    assert_eq!(account.segment, Segment::Enterprise);
    assert_eq!(account.arr.map(|arr| arr.minor_units), Some(2_400_000));
    assert_eq!(account.owner(OwnerRole::Csm).map(|owner| owner.email.as_str()), Some("mia@example.com"));
    assert_eq!(account.contacts[0].email, "ada@acme.example");
    assert!(account.is_customer());

    let account = apply(&database, &accounts, &scored(Some(49.5), scoring::Band::Critical)).await;
    assert_eq!(account.health.score, Some(Points::nearest(49.5)));
    assert_eq!(account.health.band, Some(Band::Critical));

    let churned = scoring::Account { lifecycle_stage: scoring::LifecycleStage::Churned.into(), arr: None, ..facts() };
    let account = apply(&database, &accounts, &changed(churned)).await;
    assert_eq!(account.lifecycle_stage, LifecycleStage::Churned);
    assert_eq!(account.arr, None);
    assert!(!account.is_customer());
    assert_eq!(account.health.band, Some(Band::Critical), "facts leave the health as it is");

    let account = apply(&database, &accounts, &scored(None, scoring::Band::Unspecified)).await;
    assert_eq!((account.health.score, account.health.band), (None, None));
}

#[tokio::test]
async fn health_of_an_account_whose_facts_are_not_there_is_not_lost() {
    let (database, accounts) = copy().await;
    let account = apply(&database, &accounts, &scored(Some(80.0), scoring::Band::Stable)).await;
    assert_eq!(account.display_name, "acme");
    let account = apply(&database, &accounts, &changed(facts())).await;
    assert_eq!((account.display_name.as_str(), account.health.score), ("Acme Ltd", Some(Points::whole(80))));
}

#[tokio::test]
async fn many_accounts_are_looked_up_at_once_and_those_that_are_not_known_left_out() {
    let (database, accounts) = copy().await;
    apply(&database, &accounts, &changed(facts())).await;
    let other = scoring::Account { name: "accounts/globex".to_owned(), ..facts() };
    apply(&database, &accounts, &changed(other)).await;
    let mut conn = database.pool().acquire().await.expect("a connection");
    let ids = ["acme", "globex", "nobody"].map(|id| AccountId::parse(id).expect("an id"));
    let found = accounts.lookup_all(&mut conn, &ids.each_ref()).await.expect("accounts");
    assert_eq!(found.len(), 2);
    for id in &ids[..2] {
        assert_eq!(found.get(id), accounts.lookup(&mut conn, id).await.expect("an account").as_ref());
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_passed_over_and_changes_nothing() {
    let (database, accounts) = copy().await;
    let mut conn = database.pool().acquire().await.expect("a connection");
    let broken = [
        changed(scoring::Account { name: "models/acme".to_owned(), ..facts() }),
        scored(Some(101.0), scoring::Band::Healthy),
        Event { payload: vec![0xff], ..changed(facts()) },
    ];
    for event in &broken {
        let refused = accounts.apply(&mut conn, event).await;
        assert!(matches!(refused, Err(HandlerError::Skip(_))), "{refused:?}");
    }
    let other = event(&scoring::ModelActivated::default());
    assert_eq!(accounts.apply(&mut conn, &other).await.expect("none of its business"), None);
    assert_eq!(accounts.lookup(&mut conn, &id()).await.expect("an answer"), None);
}

#[tokio::test]
async fn accounts_come_in_pages_in_the_order_of_their_ids() {
    let (database, accounts) = copy().await;
    for name in ["accounts/b", "accounts/C", "accounts/a"] {
        apply(&database, &accounts, &changed(scoring::Account { name: name.to_owned(), ..facts() })).await;
    }
    let mut conn = database.pool().acquire().await.expect("a connection");
    let mut page = async |after: Option<&str>| -> Vec<String> {
        let page = accounts.list(&mut conn, after, 2).await.expect("a page");
        page.into_iter().map(|account| account.id.to_string()).collect()
    };
    assert_eq!(page(None).await, ["C", "a"], "by their bytes, whatever the database's language");
    assert_eq!(page(Some("a")).await, ["b"]);
    assert_eq!(page(Some("b")).await, Vec::<String>::new());
}
