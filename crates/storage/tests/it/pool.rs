//! How a pool connects, and what becomes of its errors.

use std::time::Duration;

use mainstay_storage::{DatabaseSettings, StorageError, connect, observe_pool};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::fixture::{Fixture, settings};

#[tokio::test]
async fn a_pool_is_made_while_its_database_is_away() {
    let unreachable = DatabaseSettings {
        acquire_timeout: Duration::from_millis(200),
        ..DatabaseSettings::new("postgres://nobody@127.0.0.1:1/nothing", "storage-tests")
    };
    let pool = connect(&unreachable).expect("made without connecting");
    let error = StorageError::from(pool.acquire().await.expect_err("nothing listens there"));
    assert!(matches!(error, StorageError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_url_that_cannot_be_read_is_refused_at_once() {
    let error = connect(&DatabaseSettings::new("not a url", "storage-tests")).expect_err("no URL");
    assert!(matches!(error, StorageError::Internal(_)), "{error:?}");
}

#[tokio::test]
async fn a_connection_has_its_time_limits_from_the_start() {
    let fixture = Fixture::new().await;
    let limited = DatabaseSettings {
        statement_timeout: Duration::from_millis(1500),
        lock_timeout: Duration::from_secs(2),
        idle_in_transaction_timeout: Duration::ZERO,
        ..settings(fixture.database.url())
    };
    let pool = connect(&limited).expect("a pool");
    let shown: (String, String, String, String) = sqlx::query_as(
        "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), \
         current_setting('idle_in_transaction_session_timeout'), current_setting('application_name')",
    )
    .fetch_one(&pool)
    .await
    .expect("settings");
    let expected = ("1500ms".to_owned(), "2s".to_owned(), "0".to_owned(), "storage-tests".to_owned());
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn what_takes_too_long_is_ended() {
    let fixture = Fixture::new().await;
    fixture.run("CREATE TABLE things (id bigint)").await;
    let limited = DatabaseSettings {
        statement_timeout: Duration::from_millis(300),
        lock_timeout: Duration::from_millis(50),
        ..settings(fixture.database.url())
    };
    let pool = connect(&limited).expect("a pool");
    let error = sqlx::raw_sql("SELECT pg_sleep(60)").execute(&pool).await.expect_err("too long");
    assert!(matches!(StorageError::from(error), StorageError::Timeout));

    let mut holder = fixture.pool.begin().await.expect("a transaction");
    sqlx::raw_sql("LOCK TABLE things").execute(&mut *holder).await.expect("locked");
    let error = sqlx::raw_sql("SELECT * FROM things").execute(&pool).await.expect_err("locked");
    let code = error.as_database_error().and_then(|error| error.code().map(String::from));
    assert_eq!(code.as_deref(), Some("55P03"));
    assert!(matches!(StorageError::from(error), StorageError::Timeout));
}

#[tokio::test]
async fn a_violated_constraint_is_named() {
    let fixture = Fixture::new().await;
    fixture
        .run(
            "CREATE TABLE parents (id bigint CONSTRAINT parent_key PRIMARY KEY); \
             CREATE TABLE children (parent bigint CONSTRAINT child_parent REFERENCES parents, \
               age int CONSTRAINT child_age CHECK (age >= 0)); \
             INSERT INTO parents VALUES (1);",
        )
        .await;
    let error_of = async |statement: &'static str| {
        StorageError::from(sqlx::query(statement).execute(&fixture.pool).await.expect_err(statement))
    };
    let error = error_of("INSERT INTO parents VALUES (1)").await;
    assert!(matches!(&error, StorageError::UniqueViolation { constraint } if constraint == "parent_key"), "{error:?}");
    let error = error_of("INSERT INTO children VALUES (2, 1)").await;
    assert!(
        matches!(&error, StorageError::ForeignKeyViolation { constraint } if constraint == "child_parent"),
        "{error:?}"
    );
    let error = error_of("INSERT INTO children VALUES (1, -1)").await;
    assert!(matches!(&error, StorageError::CheckViolation { constraint } if constraint == "child_age"), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_the_server_ended_is_not_used_again() {
    let fixture = Fixture::new().await;
    let one = DatabaseSettings { max_connections: 1, ..settings(fixture.database.url()) };
    let pool = connect(&one).expect("a pool");
    let process: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&pool).await.expect("a process");
    sqlx::query("SELECT pg_terminate_backend($1, 20000)").bind(process).execute(&fixture.pool).await.expect("ended");

    let error = sqlx::query("SELECT 1").execute(&pool).await.expect_err("the connection is gone");
    assert!(matches!(StorageError::from(error), StorageError::Unavailable(_)));
    sqlx::query("SELECT 1").execute(&pool).await.expect("on a new connection");
}

#[tokio::test]
async fn a_pool_tells_how_many_connections_it_has_and_how_long_one_is_waited_for() {
    let fixture = Fixture::new().await;
    let one = DatabaseSettings {
        max_connections: 1,
        acquire_timeout: Duration::from_millis(50),
        ..settings(fixture.database.url())
    };
    let pool = connect(&one).expect("a pool");
    let recorder = PrometheusBuilder::new().build_recorder();
    let recording = metrics::set_default_local_recorder(&recorder);
    let used = pool.acquire().await.expect("a connection");
    observe_pool(&pool, "trial").await;
    drop(used);
    observe_pool(&pool, "trial").await;
    drop(recording);
    let told = recorder.handle().render();
    for line in [
        "mainstay_database_pool_connections_max{pool=\"trial\"} 1",
        "mainstay_database_pool_acquire_failures_total{pool=\"trial\"} 1",
        "mainstay_database_pool_acquire_seconds_count{pool=\"trial\"} 1",
    ] {
        assert!(told.lines().any(|told_line| told_line == line), "{line} is not in:\n{told}");
    }
}

#[tokio::test]
async fn a_pool_tells_which_of_its_connections_are_used() {
    let fixture = Fixture::new().await;
    let pool = connect(&settings(fixture.database.url())).expect("a pool");
    let used = pool.acquire().await.expect("a connection");
    let recorder = PrometheusBuilder::new().build_recorder();
    let recording = metrics::set_default_local_recorder(&recorder);
    observe_pool(&pool, "trial").await;
    drop((recording, used));
    let told = recorder.handle().render();
    for line in [
        "mainstay_database_pool_connections{pool=\"trial\",state=\"used\"} 1",
        "mainstay_database_pool_connections{pool=\"trial\",state=\"idle\"} 0",
    ] {
        assert!(told.lines().any(|told_line| told_line == line), "{line} is not in:\n{told}");
    }
}

#[test]
fn the_password_is_not_shown() {
    let shown = format!("{:?}", DatabaseSettings::new("postgres://user:hunter2@host/db", "storage-tests"));
    assert!(!shown.contains("hunter2"), "{shown}");
}
