//! The same request, again, at the same time, and much later.

use chrono::TimeDelta;
use mainstay_storage::{
    Idempotency, MIGRATIONS, Migrator, Replay, RequestKey, SchemaName, StorageError, fingerprint, transact,
};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, now};

const SCHEMA: SchemaName = SchemaName::new("trial");

async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    Migrator::new(SCHEMA, vec![&MIGRATIONS]).migrate(&fixture.pool, now(), None).await.expect("migrated");
    fixture.run("CREATE TABLE trial.effects (id bigserial PRIMARY KEY, content text NOT NULL)").await;
    fixture
}

fn key(caller: &str, method: &'static str, request_id: &str) -> RequestKey {
    RequestKey { caller: caller.to_owned(), method, request_id: request_id.to_owned() }
}

/// Why a request of these tests fails.
#[derive(Debug)]
enum Refusal {
    Reused,
    Fault,
    Storage(StorageError),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl mainstay_storage::IsConflict for Refusal {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}

/// Answers with the id of the row that it made, the same for the same request. May fail after the effect.
async fn request(pool: &PgPool, key: &RequestKey, content: &str, fails: bool) -> Result<String, Refusal> {
    let idempotency = Idempotency::new(&SCHEMA);
    transact(pool, async |connection| {
        match idempotency.begin(connection, key, fingerprint(&[content.as_bytes()]), now()).await? {
            Replay::Mismatch => Err(Refusal::Reused),
            Replay::Answered(answer) => Ok(String::from_utf8(answer).expect("text")),
            Replay::First => {
                let id: i64 = sqlx::query_scalar("INSERT INTO trial.effects (content) VALUES ($1) RETURNING id")
                    .bind(content)
                    .fetch_one(&mut *connection)
                    .await
                    .map_err(StorageError::from)?;
                let answer = format!("row {id}");
                idempotency.finish(connection, key, answer.as_bytes()).await?;
                if fails { Err(Refusal::Fault) } else { Ok(answer) }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_time() {
    let fixture = fixture().await;
    let key = key("crm", "trial.v1.Trial/Do", "request-1");
    let first = request(&fixture.pool, &key, "content", false).await.expect("answered");
    let second = request(&fixture.pool, &key, "content", false).await.expect("answered");
    assert_eq!(first, second);
    assert_eq!(fixture.number("SELECT count(*) FROM trial.effects").await, 1);
}

#[tokio::test]
async fn an_id_with_other_content_is_refused() {
    let fixture = fixture().await;
    let key = key("crm", "trial.v1.Trial/Do", "request-1");
    request(&fixture.pool, &key, "content", false).await.expect("answered");
    let reused = request(&fixture.pool, &key, "other content", false).await;
    assert!(matches!(reused, Err(Refusal::Reused)), "{reused:?}");
    assert_eq!(fixture.number("SELECT count(*) FROM trial.effects").await, 1);
}

#[tokio::test]
async fn ids_of_other_callers_and_methods_are_other_ids() {
    let fixture = fixture().await;
    for key in [
        key("crm", "trial.v1.Trial/Do", "request-1"),
        key("billing", "trial.v1.Trial/Do", "request-1"),
        key("crm", "trial.v1.Trial/Undo", "request-1"),
        key("crm", "trial.v1.Trial/Do", "request-2"),
    ] {
        request(&fixture.pool, &key, &format!("{key:?}"), false).await.expect("answered");
    }
    assert_eq!(fixture.number("SELECT count(*) FROM trial.effects").await, 4);
}

#[tokio::test]
async fn eight_twins_at_once_have_one_effect_and_one_answer() {
    let fixture = fixture().await;
    for round in 0..10 {
        let mut twins = JoinSet::new();
        for _ in 0..8 {
            let pool = fixture.pool.clone();
            let key = key("crm", "trial.v1.Trial/Do", &format!("request-{round}"));
            twins.spawn(async move { request(&pool, &key, "content", false).await });
        }
        let answers = twins.join_all().await;
        let first = answers[0].as_ref().expect("answered");
        assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|text| text == first)), "{answers:?}");
    }
    assert_eq!(fixture.number("SELECT count(*) FROM trial.effects").await, 10);
}

#[tokio::test]
async fn a_request_that_fails_leaves_no_record_and_its_id_usable() {
    let fixture = fixture().await;
    let key = key("crm", "trial.v1.Trial/Do", "request-1");
    let failed = request(&fixture.pool, &key, "content", true).await;
    assert!(matches!(failed, Err(Refusal::Fault)), "{failed:?}");
    assert_eq!(fixture.number("SELECT count(*) FROM trial.idempotency_records").await, 0);
    request(&fixture.pool, &key, "other content", false).await.expect("the id is free");
}

#[tokio::test]
async fn a_twin_that_waits_for_a_request_that_fails_does_the_work_itself() {
    let fixture = fixture().await;
    let idempotency = Idempotency::new(&SCHEMA);
    let key = key("crm", "trial.v1.Trial/Do", "request-1");
    let mut failing = fixture.pool.begin().await.expect("a transaction");
    let replay = idempotency.begin(&mut failing, &key, fingerprint(&[b"content"]), now()).await.expect("taken");
    assert_eq!(replay, Replay::First);

    let twin = tokio::spawn({
        let (pool, key) = (fixture.pool.clone(), key.clone());
        async move { request(&pool, &key, "content", false).await }
    });
    fixture
        .until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
        .await;
    failing.rollback().await.expect("rolled back");
    twin.await.expect("no panic").expect("answered");
    assert_eq!(fixture.number("SELECT count(*) FROM trial.effects").await, 1);
}

#[tokio::test]
async fn an_answer_without_a_taken_id_or_a_record_without_an_answer_is_an_error() {
    let fixture = fixture().await;
    let idempotency = Idempotency::new(&SCHEMA);
    let key = key("crm", "trial.v1.Trial/Do", "request-1");
    let mut connection = fixture.pool.acquire().await.expect("a connection");
    let error = idempotency.finish(&mut connection, &key, b"done").await.expect_err("no id was taken");
    assert!(matches!(error, StorageError::NotExactlyOne { rows: 0 }));

    idempotency.begin(&mut connection, &key, [0; 32], now()).await.expect("taken and committed");
    let error = idempotency.begin(&mut connection, &key, [0; 32], now()).await.expect_err("no answer");
    assert!(matches!(error, StorageError::Corrupt(_)));
}

#[tokio::test]
async fn old_records_are_swept_in_bounded_batches_and_young_ones_stay() {
    let fixture = fixture().await;
    let idempotency = Idempotency::new(&SCHEMA);
    let mut connection = fixture.pool.acquire().await.expect("a connection");
    for age_days in 0..12 {
        let key = key("crm", "trial.v1.Trial/Do", &format!("request-{age_days}"));
        let made_at = now() - TimeDelta::days(age_days);
        idempotency.begin(&mut connection, &key, [0; 32], made_at).await.expect("taken");
        idempotency.finish(&mut connection, &key, b"done").await.expect("answered");
    }
    let before = now() - Idempotency::RETENTION;
    assert_eq!(idempotency.sweep(&fixture.pool, before, 3).await.expect("swept"), 3);
    let oldest: String =
        sqlx::query_scalar("SELECT request_id FROM trial.idempotency_records ORDER BY created_at LIMIT 1")
            .fetch_one(&fixture.pool)
            .await
            .expect("an id");
    assert_eq!(oldest, "request-8");
    assert_eq!(idempotency.sweep(&fixture.pool, before, 3).await.expect("swept"), 1);
    assert_eq!(idempotency.sweep(&fixture.pool, before, 3).await.expect("swept"), 0);
    assert_eq!(fixture.number("SELECT count(*) FROM trial.idempotency_records").await, 8);
}
