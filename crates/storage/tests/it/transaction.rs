//! A transaction that is retried, refused, or given up by its caller.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mainstay_storage::{
    DatabaseSettings, Idempotency, MIGRATIONS, Migrator, Replay, RequestKey, SchemaName, StorageError, begin, connect,
    fingerprint, transact, within_deadline,
};
use sqlx::{PgConnection, PgPool};
use tokio::time::{Instant, timeout_at};

use crate::fixture::{Fixture, now, settings};

const SCHEMA: SchemaName = SchemaName::new("trial");

/// A fixture with a row to count in, a table of effects, and the idempotency records.
async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    Migrator::new(SCHEMA, vec![&MIGRATIONS]).migrate(&fixture.pool, now(), None).await.expect("migrated");
    fixture
        .run(
            "CREATE TABLE trial.counter (value bigint NOT NULL); INSERT INTO trial.counter VALUES (0); \
             CREATE TABLE trial.effects (id bigint PRIMARY KEY);",
        )
        .await;
    fixture
}

async fn execute(connection: &mut PgConnection, statement: &'static str) -> Result<(), StorageError> {
    sqlx::query(statement).execute(connection).await?;
    Ok(())
}

#[tokio::test]
async fn what_succeeds_is_committed_and_what_fails_is_not() {
    let fixture = fixture().await;
    let answer: Result<i64, StorageError> = transact(&fixture.pool, async |connection| {
        execute(connection, "INSERT INTO trial.effects VALUES (1)").await?;
        Ok(7)
    })
    .await;
    assert_eq!(answer.expect("committed"), 7);

    let runs = AtomicU32::new(0);
    let answer: Result<(), StorageError> = transact(&fixture.pool, async |connection| {
        runs.fetch_add(1, Ordering::Relaxed);
        execute(connection, "INSERT INTO trial.effects VALUES (2)").await?;
        execute(connection, "INSERT INTO trial.effects VALUES (1)").await
    })
    .await;
    assert!(matches!(answer, Err(StorageError::UniqueViolation { constraint }) if constraint == "effects_pkey"));
    assert_eq!(runs.into_inner(), 1);
    assert_eq!(fixture.number("SELECT sum(id)::bigint FROM trial.effects").await, 1);
}

#[tokio::test]
async fn a_transaction_that_meets_another_is_run_anew() {
    let fixture = fixture().await;
    let runs = AtomicU32::new(0);
    let answer: Result<i64, StorageError> = transact(&fixture.pool, async |connection| {
        let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
        execute(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        let value: i64 = sqlx::query_scalar("SELECT value FROM trial.counter").fetch_one(&mut *connection).await?;
        if run <= 2 {
            fixture.run("UPDATE trial.counter SET value = value + 10").await;
        }
        sqlx::query("UPDATE trial.counter SET value = $1").bind(value + 1).execute(&mut *connection).await?;
        Ok(value + 1)
    })
    .await;
    assert_eq!(answer.expect("committed"), 21);
    assert_eq!(runs.into_inner(), 3);
    assert_eq!(fixture.number("SELECT value FROM trial.counter").await, 21);
}

#[tokio::test]
async fn a_conflict_that_shows_at_the_commit_is_run_anew() {
    const COUNT: &str = "SELECT count(*) FROM trial.effects";
    let fixture = fixture().await;
    // Only the constraint's trigger, which runs at the commit, meets the other transaction's row.
    fixture
        .run(
            "CREATE FUNCTION trial.count_up() RETURNS trigger LANGUAGE plpgsql AS \
               $$BEGIN UPDATE trial.counter SET value = value + 1; RETURN NULL; END$$; \
             CREATE CONSTRAINT TRIGGER count_up AFTER INSERT ON trial.effects \
               DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trial.count_up();",
        )
        .await;
    let runs = AtomicU32::new(0);
    let answer: Result<i64, StorageError> = transact(&fixture.pool, async |connection| {
        let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
        execute(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        execute(connection, "INSERT INTO trial.effects VALUES (1)").await?;
        if run == 1 {
            fixture.run("UPDATE trial.counter SET value = value + 10").await;
        }
        Ok(sqlx::query_scalar(COUNT).fetch_one(connection).await?)
    })
    .await;
    assert_eq!(answer.expect("committed"), 1);
    assert_eq!(runs.into_inner(), 2);
    assert_eq!(fixture.number(COUNT).await, 1);
    assert_eq!(fixture.number("SELECT value FROM trial.counter").await, 11);
}

#[tokio::test]
async fn retries_are_bounded() {
    let fixture = fixture().await;
    let runs = AtomicU32::new(0);
    let answer: Result<(), StorageError> = transact(&fixture.pool, async |connection| {
        runs.fetch_add(1, Ordering::Relaxed);
        execute(connection, "INSERT INTO trial.effects VALUES (1)").await?;
        Err(StorageError::Conflict)
    })
    .await;
    assert!(matches!(answer, Err(StorageError::Conflict)));
    assert_eq!(runs.into_inner(), 6);
    assert_eq!(fixture.number("SELECT count(*) FROM trial.effects").await, 0);
}

#[tokio::test]
async fn a_failed_statement_that_was_passed_over_is_no_success() {
    let fixture = fixture().await;
    let answer: Result<(), StorageError> = transact(&fixture.pool, async |connection| {
        execute(connection, "INSERT INTO trial.effects VALUES (1)").await?;
        let _ = execute(connection, "INSERT INTO trial.effects VALUES (1)").await;
        Ok(())
    })
    .await;
    assert!(matches!(answer, Err(StorageError::Internal(_))), "{answer:?}");
    assert_eq!(fixture.number("SELECT count(*) FROM trial.effects").await, 0);
}

#[tokio::test]
async fn a_connection_comes_back_without_a_transaction() {
    let fixture = fixture().await;
    for id in 0..20_i64 {
        let answer: Result<(), StorageError> = transact(&fixture.pool, async |connection| {
            sqlx::query("INSERT INTO trial.effects VALUES ($1)").bind(id).execute(connection).await?;
            if id % 2 == 0 { Ok(()) } else { Err(StorageError::Timeout) }
        })
        .await;
        assert_eq!(answer.is_ok(), id % 2 == 0);
        // Outside of a transaction each statement has one of its own, with a time of its own.
        fixture.run("INSERT INTO trial.effects VALUES (1000) ON CONFLICT DO NOTHING").await;
    }
    assert_eq!(fixture.number("SELECT count(*) FROM trial.effects").await, 11);
    fixture
        .until("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%')")
        .await;
}

/// A request with an effect and a record of its answer. With a statement that stands still in between.
async fn answer_once(pool: &PgPool, pause: &'static str) -> Result<Replay, StorageError> {
    let idempotency = Idempotency::new(&SCHEMA);
    let key = RequestKey { caller: "crm".to_owned(), method: "trial.v1.Trial/Do", request_id: "request-1".to_owned() };
    transact(pool, async |connection| {
        let replay = idempotency.begin(connection, &key, fingerprint(&[b"content"]), now()).await?;
        if replay == Replay::First {
            execute(connection, "INSERT INTO trial.effects VALUES (1)").await?;
            execute(connection, pause).await?;
            idempotency.finish(connection, &key, b"done").await?;
        }
        Ok(replay)
    })
    .await
}

const WAITS_FOR_THE_TEST: &str = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

#[tokio::test]
async fn a_caller_that_goes_away_during_the_commit_leaves_the_effect_and_its_record() {
    let fixture = fixture().await;
    fixture
        .run(
            "CREATE FUNCTION trial.stand_still() RETURNS trigger LANGUAGE plpgsql AS \
               $$BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END$$; \
             CREATE CONSTRAINT TRIGGER stand_still AFTER INSERT ON trial.effects \
               DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trial.stand_still();",
        )
        .await;
    let mut hold = fixture.pool.begin().await.expect("a transaction");
    execute(&mut hold, "SELECT pg_advisory_xact_lock(1)").await.expect("held");
    let caller = tokio::spawn({
        let pool = fixture.pool.clone();
        async move { answer_once(&pool, "SELECT 1").await }
    });
    fixture.until(WAITS_FOR_THE_TEST).await;
    caller.abort();
    assert!(caller.await.expect_err("gone away").is_cancelled());
    hold.rollback().await.expect("released");

    let repeated = tokio::time::timeout(Duration::from_secs(20), answer_once(&fixture.pool, "SELECT 1")).await;
    assert_eq!(repeated.expect("in time").expect("answered"), Replay::Answered(b"done".to_vec()));
    assert_eq!(fixture.number("SELECT count(*) FROM trial.effects").await, 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_before_the_commit_leaves_nothing() {
    let fixture = fixture().await;
    let mut hold = fixture.pool.begin().await.expect("a transaction");
    execute(&mut hold, "SELECT pg_advisory_xact_lock(1)").await.expect("held");
    let caller = tokio::spawn({
        let pool = fixture.pool.clone();
        async move { answer_once(&pool, "SELECT pg_advisory_xact_lock(1)").await }
    });
    fixture.until(WAITS_FOR_THE_TEST).await;
    caller.abort();
    assert!(caller.await.expect_err("gone away").is_cancelled());
    hold.rollback().await.expect("released");

    let repeated = tokio::time::timeout(Duration::from_secs(20), answer_once(&fixture.pool, "SELECT 1")).await;
    assert_eq!(repeated.expect("in time").expect("answered"), Replay::First);
    assert_eq!(fixture.number("SELECT count(*) FROM trial.effects").await, 1);
}

#[tokio::test]
async fn a_statement_ends_in_the_database_when_its_caller_s_time_has_passed() {
    let fixture = fixture().await;
    let deadline = Instant::now() + Duration::from_millis(200);
    let slow = transact(&fixture.pool, async |connection| execute(connection, "SELECT pg_sleep(3600)").await);
    let answer: Result<Result<(), StorageError>, _> = timeout_at(deadline, within_deadline(deadline, slow)).await;
    answer.expect_err("the caller waits no longer");
    let ended = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
         AND state = 'active' AND query LIKE '%pg_sleep(3600)%' AND pid <> pg_backend_pid())";
    tokio::time::timeout(Duration::from_secs(5), fixture.until(ended)).await.expect("it is ended");
}

#[tokio::test]
async fn a_caller_s_time_shortens_the_statement_timeout_and_never_lengthens_it() {
    let fixture = fixture().await;
    let shown_within = async |statement_timeout, left| {
        let pool =
            connect(&DatabaseSettings { statement_timeout, ..settings(fixture.database.url()) }).expect("a pool");
        within_deadline(Instant::now() + left, async {
            let mut transaction = begin(&pool).await.expect("a transaction");
            sqlx::query_scalar("SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'")
                .fetch_one(&mut *transaction)
                .await
                .expect("a setting")
        })
        .await
    };
    let (second, minute): (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
    let shown: i64 = shown_within(second, minute).await;
    assert_eq!(shown, 1_000);
    for pools in [minute, Duration::ZERO] {
        let shown: i64 = shown_within(pools, second).await;
        assert!((1..=1_100).contains(&shown), "{shown}");
    }
    let shown: i64 = shown_within(minute, Duration::ZERO).await;
    assert!((1..=100).contains(&shown), "{shown}: some time is left to hear of it");
}
