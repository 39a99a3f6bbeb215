//! Jobs of one queue and key become one, and no wake-up is lost by it.

use std::sync::Arc;

use chrono::TimeDelta;
use mainstay_jobs::{Job, JobError, JobHandler, Jobs, NewJob, Outcome};
use serde_json::json;
use sqlx::PgConnection;
use tokio::sync::Notify;

use crate::fixture::{Answers, Fixture, QUEUE, again_in, write_effect};

#[tokio::test]
async fn the_earlier_time_and_the_lower_mark_stay() {
    let fixture = Fixture::new().await;
    let now = fixture.now();
    let hour = TimeDelta::hours(1);
    fixture.schedule("a", now + hour, Some(10)).await;
    fixture.schedule("a", now + hour * 2, Some(5)).await;
    fixture.schedule("a", now + hour * 3, None).await;
    let record = fixture.record("a").await.expect("a job");
    assert_eq!((record.due_at, record.low_mark), (now + hour, Some(5)));

    fixture.schedule("a", now, Some(7)).await;
    let record = fixture.record("a").await.expect("a job");
    assert_eq!((record.due_at, record.low_mark), (now, Some(5)));
}

#[tokio::test]
async fn keys_that_come_twice_in_one_call_are_joined_too() {
    let fixture = Fixture::new().await;
    let now = fixture.now();
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    let job = |payload, minutes| NewJob::due("a", now + TimeDelta::minutes(minutes)).with_payload(payload);
    let twins = [job(json!(1), 5).with_low_mark(3), job(json!(2), 9)];
    fixture.jobs.schedule(&mut connection, QUEUE, &twins, now).await.expect("scheduled");
    let record = fixture.record("a").await.expect("a job");
    assert_eq!((record.payload, record.low_mark, record.due_at), (json!(2), Some(3), now + TimeDelta::minutes(5)));

    fixture.jobs.schedule_marks(&mut connection, QUEUE, &["b", "a", "b"], &[8, 9, 7], now, now).await.expect("marked");
    let marks: Vec<_> = fixture.records().await.into_iter().map(|record| (record.key, record.low_mark)).collect();
    assert_eq!(marks, [("a".to_owned(), Some(3)), ("b".to_owned(), Some(7))]);
    assert_eq!(fixture.record("a").await.expect("a job").payload, json!(2), "marks leave the payload");
}

#[tokio::test]
async fn those_of_some_keys_that_have_a_job_are_told() {
    let fixture = Fixture::new().await;
    let later = fixture.now() + TimeDelta::hours(1);
    fixture.schedule("a", later, None).await;
    fixture.schedule("b", later, None).await;
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    let present = fixture.jobs.present(&mut connection, QUEUE, &["b", "c"]).await.expect("an answer");
    assert_eq!(present, ["b"]);
    assert_eq!(fixture.jobs.present(&mut connection, "another", &["a"]).await.expect("an answer"), [""; 0]);
}

#[tokio::test]
async fn nothing_to_schedule_is_nothing() {
    let fixture = Fixture::new().await;
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    fixture.jobs.schedule(&mut connection, QUEUE, &[], fixture.now()).await.expect("scheduled");
    fixture.jobs.schedule_marks(&mut connection, QUEUE, &[], &[], fixture.now(), fixture.now()).await.expect("marked");
    assert_eq!(fixture.records().await, []);
}

#[tokio::test]
async fn ten_thousand_marks_are_one_statement() {
    let fixture = Fixture::new().await;
    count_statements(&fixture).await;
    let names: Vec<String> = (0..10_000).rev().map(|number| format!("account-{number}")).collect();
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    let (marks, now) = (vec![3; keys.len()], fixture.now());
    fixture.jobs.schedule_marks(&mut connection, QUEUE, &keys, &marks, now, now).await.expect("marked");
    assert_eq!(fixture.count("SELECT count(*) FROM jobs_test.jobs").await, 10_000);
    assert_eq!(statements(&fixture, "INSERT").await, 1);
}

#[tokio::test]
async fn a_thousand_completions_are_two_statements() {
    let fixture = Fixture::new().await;
    for number in 0..1_000 {
        fixture.schedule(&format!("{number}"), fixture.now(), None).await;
    }
    count_statements(&fixture).await;
    let now = fixture.now();
    let handler = Answers(1_000, move |job: &Job| {
        Ok(if job.key.ends_with('0') { again_in(TimeDelta::hours(1), now) } else { Outcome::Done })
    });
    let runner = fixture.runner(fixture.pool(), 1).with(Arc::new(handler));
    assert_eq!(runner.run_due().await.expect("run"), 1_000);
    assert_eq!(fixture.count("SELECT count(*) FROM jobs_test.jobs").await, 100);
    assert_eq!((statements(&fixture, "DELETE").await, statements(&fixture, "UPDATE").await), (1, 1));
}

/// Counts the statements on the table from here on.
async fn count_statements(fixture: &Fixture) {
    let sql = "CREATE TABLE jobs_test.statements (kind text);
        CREATE FUNCTION jobs_test.count_statement() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO jobs_test.statements VALUES (TG_OP); RETURN NULL; END $$;
        CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON jobs_test.jobs
            FOR EACH STATEMENT EXECUTE FUNCTION jobs_test.count_statement();";
    sqlx::raw_sql(sql).execute(fixture.pool()).await.expect("a trigger");
}

async fn statements(fixture: &Fixture, kind: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM jobs_test.statements WHERE kind = $1")
        .bind(kind)
        .fetch_one(fixture.pool())
        .await
        .expect("a count")
}

/// Reads the facts, tells that it did, and ends when it may.
struct Reader {
    began: Notify,
    may_end: Notify,
    outcome: Outcome,
}

#[async_trait::async_trait]
impl JobHandler for Reader {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, _: &[Job]) -> Result<Vec<Outcome>, JobError> {
        sqlx::query("UPDATE jobs_test.facts SET seen = true").execute(&mut *connection).await?;
        self.began.notify_one();
        self.may_end.notified().await;
        Ok(vec![self.outcome.clone()])
    }
}

async fn a_fact_that_comes_while_the_job_runs_is_seen(outcome: impl Fn(&Fixture) -> Outcome) {
    let fixture = Arc::new(Fixture::new().await);
    let now = fixture.now();
    fixture.schedule("a", now, Some(9)).await;
    let reader = Arc::new(Reader { began: Notify::new(), may_end: Notify::new(), outcome: outcome(&fixture) });
    let runner = Arc::new(fixture.runner(fixture.pool(), 1).with(Arc::clone(&reader) as Arc<dyn JobHandler>));

    let running = tokio::spawn({
        let runner = Arc::clone(&runner);
        async move { runner.run_due().await }
    });
    reader.began.notified().await;
    let scheduling = tokio::spawn({
        let fixture = Arc::clone(&fixture);
        async move {
            let mut transaction = fixture.pool().begin().await.expect("a transaction");
            sqlx::query("INSERT INTO jobs_test.facts (key) VALUES ('a')")
                .execute(&mut *transaction)
                .await
                .expect("a fact");
            fixture.schedule_on(&mut transaction, "a", fixture.now(), Some(4)).await;
            transaction.commit().await.expect("a commit");
        }
    });
    fixture.until_waiting(1).await;
    assert_eq!(fixture.count("SELECT count(*) FROM jobs_test.facts").await, 0, "the scheduler has not committed");
    reader.may_end.notify_one();
    scheduling.await.expect("scheduled");
    // The second run is either this runner's or, if it ended before the commit, the next one's.
    reader.may_end.notify_one();
    running.await.expect("no panic").expect("run");
    runner.run_due().await.expect("run");
    assert_eq!(fixture.count("SELECT count(*) FROM jobs_test.facts WHERE seen").await, 1);
}

#[tokio::test]
async fn a_wake_up_while_the_job_is_finished_is_not_lost() {
    a_fact_that_comes_while_the_job_runs_is_seen(|_| Outcome::Done).await;
}

#[tokio::test]
async fn a_wake_up_while_the_job_moves_on_is_not_lost() {
    a_fact_that_comes_while_the_job_runs_is_seen(|fixture| again_in(TimeDelta::days(1), fixture.now())).await;
}

/// Schedules its own job while doing it, at first.
struct Itself {
    jobs: Jobs,
    outcome: Outcome,
}

#[async_trait::async_trait]
impl JobHandler for Itself {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let [job] = jobs else { return Err(JobError::Dead("one job at a time".to_owned())) };
        if job.low_mark != Some(2) {
            return Ok(vec![Outcome::Done]);
        }
        write_effect(connection, job).await?;
        self.jobs.schedule_marks(connection, QUEUE, &[&job.key], &[1], job.due_at, job.due_at).await?;
        Ok(vec![self.outcome.clone()])
    }
}

#[tokio::test]
async fn a_handler_may_schedule_the_job_it_is_doing() {
    for later in [false, true] {
        let fixture = Fixture::new().await;
        fixture.schedule("a", fixture.now(), Some(2)).await;
        let outcome = if later { again_in(TimeDelta::days(1), fixture.now()) } else { Outcome::Done };
        let handler = Itself { jobs: fixture.jobs.clone(), outcome };
        let runner = fixture.runner(fixture.pool(), 1).with(Arc::new(handler));
        assert_eq!(runner.run_due().await.expect("run"), 2);
        assert_eq!((fixture.effects().await, fixture.records().await.len()), (1, 0));
    }
}
