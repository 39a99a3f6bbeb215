//! When jobs run: by the clock, in the order of their times, until none is left.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use mainstay_jobs::{Job, JobError, NewJob, Outcome, Runner, RunnerSettings};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Answers, Effects, Fixture, QUEUE, again_in, until};

#[tokio::test]
async fn the_clock_turned_by_hand_makes_jobs_due() {
    let fixture = Fixture::new().await;
    fixture.schedule("a", fixture.now() + TimeDelta::hours(1), None).await;
    let runner = fixture.runner(fixture.pool(), 1).with(Effects::in_batches_of(1));
    assert_eq!(runner.run_due().await.expect("run"), 0);
    fixture.clock.advance(TimeDelta::minutes(59));
    assert_eq!(runner.run_due().await.expect("run"), 0);
    fixture.clock.advance(TimeDelta::minutes(1));
    assert_eq!(runner.run_due().await.expect("run"), 1);
    assert_eq!(fixture.effects().await, 1);
}

#[tokio::test]
async fn waking_a_runner_makes_it_look_before_its_time() {
    let fixture = Fixture::new().await;
    let settings = RunnerSettings { poll_interval: Duration::from_hours(1), concurrency: 1 };
    let clock = Arc::new(fixture.clock.clone());
    let runner = Arc::new(
        Runner::new(fixture.jobs.clone(), fixture.pool().clone(), clock, settings).with(Effects::in_batches_of(1)),
    );
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let (runner, cancel) = (Arc::clone(&runner), cancel.clone());
        async move { runner.run(cancel).await }
    });
    for round in 1..=20 {
        fixture.schedule("a", fixture.now(), None).await;
        runner.wake();
        until(async || fixture.records().await.is_empty()).await;
        assert_eq!(
            fixture.count("WITH gone AS (DELETE FROM jobs_test.effects RETURNING 1) SELECT count(*) FROM gone").await,
            1,
            "round {round}"
        );
    }
    cancel.cancel();
    running.await.expect("it ends");
}

#[tokio::test]
async fn what_becomes_due_by_running_is_run_too() {
    let fixture = Fixture::new().await;
    let now = fixture.now();
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    let job = NewJob::due("a", now).with_payload(json!(4)).with_low_mark(1);
    fixture.jobs.schedule(&mut connection, QUEUE, &[job], now).await.expect("scheduled");
    let countdown = Answers(1, move |job: &Job| {
        let left = job.payload.as_i64().ok_or_else(|| JobError::Dead("no number".to_owned()))?;
        Ok(match left {
            0 => again_in(TimeDelta::days(1), now),
            _ => Outcome::Again { due_at: now, low_mark: Some(left), payload: Some(json!(left - 1)) },
        })
    });
    let runner = fixture.runner(fixture.pool(), 1).with(Arc::new(countdown));
    assert_eq!(runner.run_due().await.expect("run"), 5);
    let record = fixture.record("a").await.expect("a job");
    assert_eq!((record.due_at, record.low_mark, record.payload), (now + TimeDelta::days(1), None, json!(0)));
}

#[tokio::test]
async fn the_longest_due_are_claimed_first_and_handed_over_in_key_order() {
    let fixture = Fixture::new().await;
    for (key, minutes) in [("d", 3), ("c", 1), ("b", 2), ("a", 4)] {
        fixture.schedule(key, fixture.now() + TimeDelta::minutes(minutes), None).await;
    }
    fixture.clock.advance(TimeDelta::hours(1));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let handler = Answers(2, {
        let seen = Arc::clone(&seen);
        move |job: &Job| {
            seen.lock().expect("not poisoned").push(job.key.clone());
            Ok(Outcome::Done)
        }
    });
    let runner = fixture.runner(fixture.pool(), 1).with(Arc::new(handler));
    assert_eq!(runner.run_due().await.expect("run"), 4);
    assert_eq!(*seen.lock().expect("not poisoned"), ["b", "c", "a", "d"]);
}

#[tokio::test]
async fn a_job_put_back_by_its_handler_starts_anew() {
    let fixture = Fixture::new().await;
    let now = fixture.now();
    fixture.schedule("a", now, None).await;
    let runner = fixture
        .runner(fixture.pool(), 1)
        .with(Arc::new(Answers(1, |_: &Job| Err(JobError::Retry("not yet".to_owned())))));
    runner.run_due().await.expect("run");
    assert_eq!(fixture.record("a").await.expect("a job").attempts, 1);

    fixture.clock.advance(TimeDelta::hours(1));
    let runner = fixture
        .runner(fixture.pool(), 1)
        .with(Arc::new(Answers(1, move |_: &Job| Ok(again_in(TimeDelta::days(1), now)))));
    runner.run_due().await.expect("run");
    let record = fixture.record("a").await.expect("a job");
    assert_eq!((record.attempts, record.last_error, record.due_at), (0, None, now + TimeDelta::days(1)));
}

#[tokio::test]
async fn a_runner_leaves_other_queues_alone() {
    let fixture = Fixture::new().await;
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    fixture
        .jobs
        .schedule_marks(&mut connection, "another", &["a"], &[1], fixture.now(), fixture.now())
        .await
        .expect("marked");
    let runner = fixture.runner(fixture.pool(), 1).with(Effects::in_batches_of(1));
    assert_eq!(runner.run_due().await.expect("run"), 0);
    assert_eq!(fixture.records().await.len(), 1);
}

#[tokio::test]
async fn claiming_reads_the_index_of_due_jobs() {
    let fixture = Fixture::new().await;
    let fill = "INSERT INTO jobs_test.jobs (queue, key, due_at, created_at, updated_at)
        SELECT 'rescore', n::text, timestamptz '1997-01-01' + n * interval '1 minute', '1997-01-01', '1997-01-01'
        FROM generate_series(1, 20000) AS n; ANALYZE jobs_test.jobs;";
    sqlx::raw_sql(fill).execute(fixture.pool()).await.expect("filled");
    let explain = "EXPLAIN SELECT key FROM jobs_test.jobs
        WHERE queue = 'rescore' AND due_at <= '1997-01-05' AND dead_at IS NULL
        ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED";
    let plan: Vec<String> = sqlx::query_scalar(explain).fetch_all(fixture.pool()).await.expect("a plan");
    let plan = plan.join("\n");
    assert!(plan.contains("Index Scan using jobs_due") && !plan.contains("Sort"), "{plan}");
}

#[tokio::test]
async fn marking_a_job_again_moves_no_index_entry() {
    let fixture = Fixture::new().await;
    let names: Vec<String> = (0..1_000).map(|number| format!("account-{number}")).collect();
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    let now = fixture.now();
    for mark in [9, 8] {
        fixture.jobs.schedule_marks(&mut connection, QUEUE, &keys, &vec![mark; 1_000], now, now).await.expect("marked");
    }
    sqlx::raw_sql("SELECT pg_stat_force_next_flush()").execute(&mut *connection).await.expect("flushed");
    let counts = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = 'jobs_test.jobs'::regclass";
    let (updated, hot): (i64, i64) = sqlx::query_as(counts).fetch_one(&mut *connection).await.expect("counts");
    assert_eq!(updated, 1_000);
    assert!(hot >= 950, "{hot} of {updated} updates stayed on their page");
}
