//! Each test has a database to itself, migrated once per migrator.

use std::thread;

use mainstay_storage::{Migration, MigrationSet, Migrator, SchemaName};
use mainstay_testkit::{TestDatabase, database, empty_database};

static NOTES: MigrationSet = MigrationSet {
    component: "notes",
    migrations: &[Migration {
        version: 1,
        name: "notes",
        sql: "CREATE TABLE {schema}.notes (id bigint PRIMARY KEY)",
        transactional: true,
    }],
};

static OTHER_NOTES: MigrationSet = MigrationSet {
    component: "notes",
    migrations: &[Migration {
        version: 1,
        name: "notes",
        sql: "CREATE TABLE {schema}.notes (id bigint PRIMARY KEY, body text)",
        transactional: true,
    }],
};

static BROKEN: MigrationSet = MigrationSet {
    component: "broken",
    migrations: &[Migration { version: 1, name: "broken", sql: "CREATE TABEL {schema}.t ()", transactional: true }],
};

const SCHEMA: SchemaName = SchemaName::new("kit");

fn notes() -> Migrator {
    Migrator::new(SCHEMA, vec![&NOTES])
}

async fn count(database: &TestDatabase) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM kit.notes").fetch_one(database.pool()).await.expect("the table")
}

async fn columns(database: &TestDatabase) -> i64 {
    let sql = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'kit' AND table_name = 'notes'";
    sqlx::query_scalar(sql).fetch_one(database.pool()).await.expect("a count")
}

#[tokio::test]
async fn two_databases_of_one_migrator_share_nothing() {
    let (one, two) = (database(&notes()).await, database(&notes()).await);
    assert_ne!(one.url(), two.url());
    sqlx::query("INSERT INTO kit.notes VALUES (1)").execute(one.pool()).await.expect("a row");
    assert_eq!((count(&one).await, count(&two).await), (1, 0));
}

#[tokio::test]
async fn migrators_that_differ_in_their_text_alone_get_their_own_template() {
    let one = database(&notes()).await;
    let two = database(&Migrator::new(SCHEMA, vec![&OTHER_NOTES])).await;
    assert_eq!((columns(&one).await, columns(&two).await), (1, 2));
}

#[tokio::test]
async fn the_schema_is_as_the_migrator_left_it() {
    let migrator = notes();
    let database = database(&migrator).await;
    assert!(migrator.check(database.pool()).await.is_ok());
}

#[tokio::test]
async fn an_empty_database_has_no_schema_of_ours() {
    let database = empty_database().await;
    let schema: Option<String> =
        sqlx::query_scalar("SELECT to_regnamespace('kit')::text").fetch_one(database.pool()).await.expect("an answer");
    assert_eq!(schema, None);
}

#[test]
fn runtimes_that_come_and_go_share_the_server() {
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { count(&database(&notes()).await).await })
    };
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(ask)).collect();
    for thread in threads {
        assert_eq!(thread.join().expect("a test that passes"), 0);
    }
}

#[tokio::test]
#[should_panic(expected = "the migrations of schema `kit` fail")]
async fn a_migration_that_fails_is_reported() {
    database(&Migrator::new(SCHEMA, vec![&BROKEN])).await;
}
