//! Several migrators at the same time.

use std::time::Duration;

use mainstay_storage::{MigrateError, MigrationSet, Migrator, SchemaName};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, now, step, step_outside};

const INDEXED: MigrationSet = MigrationSet {
    component: "indexed",
    migrations: &[
        step(1, "rows", "CREATE TABLE {schema}.rows AS SELECT generate_series(1, 20000) AS number"),
        step_outside(
            2,
            "odd_rows",
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS odd_rows ON {schema}.rows ((number / 2)) WHERE number % 2 = 1",
        ),
        step(3, "more", "CREATE TABLE {schema}.more (id bigint PRIMARY KEY)"),
    ],
};

/// Stands still, with the schema's lock, until the test opens the gate.
const GATED: MigrationSet = MigrationSet {
    component: "gated",
    migrations: &[step(1, "gated", "LOCK TABLE public.gate IN SHARE MODE; CREATE TABLE {schema}.passed (id bigint);")],
};

const AT_THE_GATE: &str =
    "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'public.gate'::regclass AND NOT granted)";

/// A connection whose transaction keeps [`GATED`] from going on.
async fn shut_gate(fixture: &Fixture) -> PoolConnection<Postgres> {
    fixture.run("CREATE TABLE public.gate ()").await;
    let mut connection = fixture.pool.acquire().await.expect("a connection");
    sqlx::raw_sql("BEGIN; LOCK TABLE public.gate;").execute(&mut *connection).await.expect("the gate is shut");
    connection
}

#[tokio::test]
async fn migrators_of_one_schema_at_once_apply_each_migration_once() {
    let fixture = Fixture::new().await;
    let mut running = JoinSet::new();
    for _ in 0..4 {
        let pool = fixture.pool.clone();
        let migrator = Migrator::new(SchemaName::new("trial"), vec![&INDEXED]);
        running.spawn(async move { migrator.migrate(&pool, now(), None).await });
    }
    let mut applied = Vec::new();
    while let Some(finished) = running.join_next().await {
        applied.extend(finished.expect("no panic").expect("migrated").applied);
    }
    assert_eq!(applied, ["indexed/1_rows", "indexed/2_odd_rows", "indexed/3_more"]);
}

#[tokio::test]
async fn four_schemas_migrate_at_once_with_indexes_built_concurrently() {
    let fixture = Fixture::new().await;
    let mut running = JoinSet::new();
    for name in ["scoring", "surveys", "interventions", "expansion"] {
        let pool = fixture.pool.clone();
        let migrator = Migrator::new(SchemaName::new(name), vec![&INDEXED]);
        running.spawn(async move { migrator.migrate(&pool, now(), None).await });
    }
    while let Some(finished) = running.join_next().await {
        assert_eq!(finished.expect("no panic").expect("migrated").applied.len(), 3);
    }
    assert_eq!(
        fixture
            .number("SELECT count(*) FROM pg_index WHERE indexrelid::regclass::text LIKE '%odd_rows' AND indisvalid")
            .await,
        4
    );
}

#[tokio::test]
async fn a_migrator_that_waits_says_so_in_time_and_does_not_hold_up_other_schemas() {
    let fixture = Fixture::new().await;
    let mut gate = shut_gate(&fixture).await;
    let gated = Migrator::new(SchemaName::new("gated"), vec![&GATED]);
    let standing = tokio::spawn({
        let (migrator, pool) = (gated.clone(), fixture.pool.clone());
        async move { migrator.migrate(&pool, now(), None).await }
    });
    fixture.until(AT_THE_GATE).await;
    let lock_key = fixture
        .number(
            "SELECT classid::bigint << 32 | objid::bigint FROM pg_locks WHERE locktype = 'advisory' \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await;
    let impatient = gated.clone().with_lock_wait(Duration::ZERO);
    let error = impatient.migrate(&fixture.pool, now(), None).await.expect_err("the lock is taken");
    assert!(matches!(&error, MigrateError::Locked { schema, .. } if schema.as_str() == "gated"));
    assert!(error.to_string().contains("another migration of the schema gated"), "{error}");
    sqlx::raw_sql("ROLLBACK").execute(&mut *gate).await.expect("the gate is open");
    assert_eq!(standing.await.expect("no panic").expect("migrated").applied, ["gated/1_gated"]);

    // A server that carries out a statement holds a snapshot, for which an index built concurrently waits. So here
    // it is the test that has the lock, and says nothing.
    sqlx::query("SELECT pg_advisory_lock($1)").bind(lock_key).execute(&mut *gate).await.expect("locked");
    let waiting = tokio::spawn({
        let (migrator, pool) = (gated, fixture.pool.clone());
        async move { migrator.migrate(&pool, now(), None).await }
    });
    fixture
        .until(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
             AND query LIKE 'SELECT pg_catalog.pg_try_advisory%')",
        )
        .await;
    for name in ["surveys", "interventions", "expansion"] {
        let migrator = Migrator::new(SchemaName::new(name), vec![&INDEXED]);
        let migrating = migrator.migrate(&fixture.pool, now(), None);
        let report = tokio::time::timeout(Duration::from_secs(20), migrating).await.expect("nothing holds it up");
        assert_eq!(report.expect("migrated").applied.len(), 3);
    }
    assert!(!waiting.is_finished());
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(lock_key).execute(&mut *gate).await.expect("unlocked");
    assert!(waiting.await.expect("no panic").expect("migrated").applied.is_empty());
}

#[tokio::test]
async fn a_migration_that_is_given_up_leaves_nothing_and_frees_the_schema() {
    let fixture = Fixture::new().await;
    let mut gate = shut_gate(&fixture).await;
    let migrator = Migrator::new(SchemaName::new("gated"), vec![&GATED]);
    let standing = tokio::spawn({
        let (migrator, pool) = (migrator.clone(), fixture.pool.clone());
        async move { migrator.migrate(&pool, now(), None).await }
    });
    fixture.until(AT_THE_GATE).await;
    standing.abort();
    assert!(standing.await.expect_err("given up").is_cancelled());
    sqlx::raw_sql("ROLLBACK").execute(&mut *gate).await.expect("the gate is open");

    let report = migrator.migrate(&fixture.pool, now(), None).await.expect("migrated");
    assert_eq!(report.applied, ["gated/1_gated"]);
    migrator.check(&fixture.pool).await.expect("up to date");
}
