//! Several runners on one table.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Effects, Fixture, QUEUE, until, write_effect};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_runners_do_two_thousand_jobs_once_each() {
    let fixture = Fixture::new().await;
    let names: Vec<String> = (0..2_000).map(|number| format!("account-{number}")).collect();
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    let (marks, now) = (vec![0; keys.len()], fixture.now());
    fixture.jobs.schedule_marks(&mut connection, QUEUE, &keys, &marks, now, now).await.expect("marked");

    let cancel = CancellationToken::new();
    let effects = Effects::in_batches_of(7);
    let mut replicas = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let runner = fixture.runner(&fixture.another_pool().await, 2).with(effects.clone());
        let cancel = cancel.clone();
        replicas.spawn(async move { runner.run(cancel).await });
    }
    until(async || fixture.count("SELECT count(*) FROM jobs_test.jobs").await == 0).await;
    cancel.cancel();
    while let Some(ended) = replicas.join_next().await {
        ended.expect("a runner ends when cancelled");
    }
    // A job done twice breaks the key of the effects and would have failed: no attempt did.
    assert_eq!(fixture.effects().await, 2_000);
    assert!(effects.runs() >= 2_000_usize.div_ceil(7));
    assert!(effects.runs() < 2_000, "whole batches succeed");
}

/// Writes its effect, tells so, and then never ends.
struct Stuck {
    wrote: Notify,
}

#[async_trait]
impl JobHandler for Stuck {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        for job in jobs {
            write_effect(connection, job).await?;
        }
        self.wrote.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_job_whose_runner_is_killed_is_done_once_by_another() {
    let fixture = Fixture::new().await;
    fixture.schedule("a", fixture.now(), None).await;
    let stuck = Arc::new(Stuck { wrote: Notify::new() });
    let first = fixture.runner(&fixture.another_pool().await, 1).with(Arc::clone(&stuck) as Arc<dyn JobHandler>);
    let first = tokio::spawn(async move { first.run(CancellationToken::new()).await });
    stuck.wrote.notified().await;
    assert_eq!(fixture.effects().await, 0, "not committed");

    let effects = Effects::in_batches_of(1);
    let second = fixture.runner(fixture.pool(), 1).with(effects.clone());
    let second = tokio::spawn(async move { second.run_due().await });
    fixture.until_waiting(1).await;
    first.abort();
    assert_eq!(second.await.expect("no panic").expect("run"), 1, "it waited for the one that was killed");
    assert_eq!((fixture.effects().await, fixture.records().await.len(), effects.runs()), (1, 0, 1));
}

#[tokio::test]
async fn a_job_that_is_held_does_not_hold_up_the_others() {
    let fixture = Fixture::new().await;
    fixture.schedule("a", fixture.now(), None).await;
    let stuck = Arc::new(Stuck { wrote: Notify::new() });
    let first = fixture.runner(&fixture.another_pool().await, 1).with(Arc::clone(&stuck) as Arc<dyn JobHandler>);
    let first = tokio::spawn(async move { first.run(CancellationToken::new()).await });
    stuck.wrote.notified().await;

    fixture.schedule("b", fixture.now(), None).await;
    let second = fixture.runner(fixture.pool(), 1).with(Effects::in_batches_of(10));
    let second = tokio::spawn(async move { second.run(CancellationToken::new()).await });
    until(async || fixture.record("b").await.is_none()).await;
    assert!(fixture.record("a").await.is_some());
    first.abort();
    second.abort();
}

#[tokio::test]
async fn a_runner_that_does_not_end_in_time_is_rolled_back() {
    let fixture = Fixture::new().await;
    fixture.schedule("a", fixture.now(), None).await;
    let stuck = Arc::new(Stuck { wrote: Notify::new() });
    let runner = fixture
        .runner(fixture.pool(), 1)
        .with(Arc::clone(&stuck) as Arc<dyn JobHandler>)
        .with_stop_grace(Duration::from_millis(1));
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { runner.run(cancel).await }
    });
    stuck.wrote.notified().await;
    cancel.cancel();
    running.await.expect("it ends");
    assert_eq!((fixture.effects().await, fixture.records().await.len()), (0, 1));
    assert_eq!(fixture.record("a").await.expect("a job").attempts, 0, "nothing is counted");
}

#[tokio::test]
async fn a_runner_that_is_dropped_at_any_moment_leaves_no_transaction_in_its_pool() {
    const SWITCHES_MAX: usize = 400;
    let fixture = Fixture::new().await;
    let pool = PgPoolOptions::new().max_connections(1).connect(fixture.database.url()).await.expect("a pool");
    for switches in 0..SWITCHES_MAX {
        fixture.schedule("a", fixture.now(), None).await;
        let runner = fixture.runner(&pool, 1).with(Arc::new(Nothing));
        let running = tokio::spawn(async move { runner.run_due().await });
        for _ in 0..switches {
            tokio::task::yield_now().await;
        }
        running.abort();
        // Whether it was dropped or had ended before.
        let _ = running.await;

        sqlx::query("INSERT INTO jobs_test.facts (key) VALUES ('a')").execute(&pool).await.expect("a fact");
        let seen = fixture.count("WITH gone AS (DELETE FROM jobs_test.facts RETURNING 1) SELECT count(*) FROM gone");
        assert_eq!(seen.await, 1, "what is written after {switches} switches of task is committed");
    }
    let open = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    assert_eq!(fixture.count(open).await, 0);
}

/// Says that it began, and ends when it may.
struct Slow {
    began: Notify,
    may_end: Notify,
}

#[async_trait]
impl JobHandler for Slow {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        self.began.notify_one();
        self.may_end.notified().await;
        for job in jobs {
            write_effect(connection, job).await?;
        }
        Ok(vec![Outcome::Done; jobs.len()])
    }
}

#[tokio::test]
async fn a_transaction_under_way_is_finished_at_stop_and_no_other_begun() {
    let fixture = Fixture::new().await;
    fixture.schedule("a", fixture.now(), None).await;
    fixture.schedule("b", fixture.now(), None).await;
    let slow = Arc::new(Slow { began: Notify::new(), may_end: Notify::new() });
    let runner = fixture.runner(fixture.pool(), 1).with(Arc::clone(&slow) as Arc<dyn JobHandler>);
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { runner.run(cancel).await }
    });
    slow.began.notified().await;
    cancel.cancel();
    slow.may_end.notify_one();
    running.await.expect("it ends");
    assert_eq!((fixture.effects().await, fixture.records().await.len()), (1, 1));
}

#[tokio::test]
async fn a_poisoned_batch_that_several_runners_fight_for_counts_each_failure_once() {
    let fixture = Fixture::new().await;
    for number in 0..40 {
        fixture.schedule(&format!("{number:02}"), fixture.now(), None).await;
    }

    fixture.schedule("poison", fixture.now(), None).await;
    let mut replicas = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let runner = fixture.runner(&fixture.another_pool().await, 2).with(Effects::in_batches_of(10));
        replicas.spawn(async move { runner.run_due().await });
    }
    let mut completed = 0;
    while let Some(ended) = replicas.join_next().await {
        completed += ended.expect("no panic").expect("run");
    }
    assert_eq!((completed, fixture.effects().await), (40, 40));
    assert_eq!(fixture.record("poison").await.expect("still there").attempts, 1);
}

/// Marks all keys time and again, in one order.
async fn keep_marking(fixture: Arc<Fixture>, keys: Vec<String>, marks: std::ops::Range<i64>) {
    let pool = fixture.another_pool().await;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for mark in marks {
        let mut transaction = pool.begin().await.expect("a transaction");
        let now = fixture.now();
        let low_marks = vec![mark; keys.len()];
        // A deadlock would end one of the transactions with `StorageError::Conflict`.
        fixture.jobs.schedule_marks(&mut transaction, QUEUE, &keys, &low_marks, now, now).await.expect("marked");
        transaction.commit().await.expect("a commit");
    }
}

/// Takes its jobs as done.
struct Nothing;

#[async_trait]
impl JobHandler for Nothing {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    fn batch_size(&self) -> i64 {
        50
    }

    async fn run(&self, _: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        Ok(vec![Outcome::Done; jobs.len()])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn schedulers_in_opposite_order_and_workers_do_not_lock_each_other_out() {
    let fixture = Arc::new(Fixture::new().await);
    let ascending: Vec<String> = (0..1_000).map(|number| format!("account-{number:04}")).collect();
    let descending: Vec<String> = ascending.iter().rev().cloned().collect();
    let cancel = CancellationToken::new();
    let runner = fixture.runner(&fixture.another_pool().await, 3).with(Arc::new(Nothing));
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { runner.run(cancel).await }
    });
    let schedulers = [
        tokio::spawn(keep_marking(Arc::clone(&fixture), ascending, 0..20)),
        tokio::spawn(keep_marking(Arc::clone(&fixture), descending, 0..20)),
    ];
    for scheduler in schedulers {
        scheduler.await.expect("no deadlock");
    }
    until(async || fixture.count("SELECT count(*) FROM jobs_test.jobs").await == 0).await;
    cancel.cancel();
    running.await.expect("it ends");
}
