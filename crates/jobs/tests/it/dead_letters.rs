//! Jobs that fail: counted, put off, dead, seen, and brought back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use mainstay_jobs::{Job, JobError, JobFilter, JobHandler, JobPage, JobState, Jobs, Outcome, QueueStats};
use sqlx::PgConnection;

use crate::fixture::{Answers, Effects, Fixture, QUEUE};

const MINUTE: TimeDelta = TimeDelta::minutes(1);

#[tokio::test]
async fn poison_in_a_batch_ends_dead_and_the_others_are_done() {
    let fixture = Fixture::new().await;
    for key in ["a", "b", "poison", "q", "z"] {
        fixture.schedule(key, fixture.now(), None).await;
    }
    let effects = Effects::in_batches_of(10);
    let runner = fixture.runner(fixture.pool(), 1).with(effects.clone());

    assert_eq!(runner.run_due().await.expect("run"), 4);
    assert_eq!(fixture.effects().await, 4, "what poison wrote is rolled back");
    let record = fixture.record("poison").await.expect("still there");
    assert_eq!((record.attempts, record.dead_at, record.due_at), (1, None, fixture.now() + MINUTE));
    assert_eq!(record.last_error.as_deref(), Some("poison cannot be done"));
    assert_eq!(runner.run_due().await.expect("run"), 0, "it waits");
    assert_eq!(effects.runs(), 1 + 5);

    fixture.clock.advance(MINUTE);
    runner.run_due().await.expect("run");
    let record = fixture.record("poison").await.expect("still there");
    assert_eq!((record.attempts, record.dead_at, record.due_at), (2, None, fixture.now() + MINUTE * 2));

    fixture.clock.advance(MINUTE * 2);
    runner.run_due().await.expect("run");
    let record = fixture.record("poison").await.expect("still there");
    assert_eq!((record.attempts, record.dead_at), (3, Some(fixture.now())));

    fixture.clock.advance(MINUTE * 1_000);
    runner.run_due().await.expect("run");
    assert_eq!(effects.runs(), 1 + 5 + 2, "the dead do not run");
}

#[tokio::test]
async fn a_hopeless_job_is_dead_at_once() {
    let fixture = Fixture::new().await;
    fixture.schedule("hopeless", fixture.now(), None).await;
    let runner = fixture.runner(fixture.pool(), 1).with(Effects::in_batches_of(1));
    assert_eq!(runner.run_due().await.expect("run"), 0);
    let record = fixture.record("hopeless").await.expect("still there");
    assert_eq!((record.attempts, record.dead_at), (1, Some(fixture.now())));
}

#[tokio::test]
async fn a_job_waits_until_it_is_done_or_dead() {
    let fixture = Fixture::new().await;
    let is_waiting = async |key: &str| {
        let mut connection = fixture.pool().acquire().await.expect("a connection");
        fixture.jobs.is_waiting(&mut connection, QUEUE, key).await.expect("an answer")
    };
    assert!(!is_waiting("later").await, "there is none");
    for (key, due_at) in [("good", fixture.now()), ("hopeless", fixture.now()), ("later", fixture.now() + MINUTE)] {
        fixture.schedule(key, due_at, None).await;
        assert!(is_waiting(key).await, "{key}");
    }
    let runner = fixture.runner(fixture.pool(), 1).with(Effects::in_batches_of(1));
    runner.run_due().await.expect("run");
    assert_eq!(
        [is_waiting("good").await, is_waiting("hopeless").await, is_waiting("later").await],
        [false, false, true]
    );
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt() {
    let fixture = Fixture::new().await;
    for key in ["a", "panic", "z"] {
        fixture.schedule(key, fixture.now(), None).await;
    }
    let runner = fixture.runner(fixture.pool(), 1).with(Effects::in_batches_of(10));
    assert_eq!(runner.run_due().await.expect("run"), 2);
    let record = fixture.record("panic").await.expect("still there");
    assert_eq!((record.attempts, record.due_at), (1, fixture.now() + MINUTE));
    assert_eq!(record.last_error.as_deref(), Some("the handler panicked: no way to do panic"));
}

#[tokio::test]
async fn an_effect_that_its_commit_refuses_is_a_failed_attempt() {
    let fixture = Fixture::new().await;
    let deferred = "ALTER TABLE jobs_test.effects ADD COLUMN fact text DEFAULT 'missing';
        CREATE TABLE jobs_test.known (fact text PRIMARY KEY);
        ALTER TABLE jobs_test.effects ADD CONSTRAINT effects_fact FOREIGN KEY (fact)
            REFERENCES jobs_test.known DEFERRABLE INITIALLY DEFERRED;";
    sqlx::raw_sql(deferred).execute(fixture.pool()).await.expect("a deferred constraint");
    fixture.schedule("a", fixture.now(), None).await;
    let runner = fixture.runner(fixture.pool(), 1).with(Effects::in_batches_of(1));
    assert_eq!(runner.run_due().await.expect("run"), 0);
    let record = fixture.record("a").await.expect("still there");
    assert_eq!((record.attempts, fixture.effects().await), (1, 0));
    let error = record.last_error.expect("an error");
    assert!(error.contains("effects_fact"), "{error}");
}

#[tokio::test]
async fn outcomes_that_do_not_match_the_jobs_are_a_failed_attempt() {
    struct Silent;
    #[async_trait::async_trait]
    impl JobHandler for Silent {
        fn queue(&self) -> &'static str {
            QUEUE
        }
        async fn run(&self, _: &mut PgConnection, _: &[Job]) -> Result<Vec<Outcome>, JobError> {
            Ok(Vec::new())
        }
    }
    let fixture = Fixture::new().await;
    fixture.schedule("a", fixture.now(), None).await;
    let runner = fixture.runner(fixture.pool(), 1).with(Arc::new(Silent));
    assert_eq!(runner.run_due().await.expect("run"), 0);
    assert_eq!(fixture.record("a").await.expect("still there").attempts, 1);
}

#[tokio::test]
async fn conflicts_are_tried_again_and_not_counted() {
    let fixture = Fixture::new().await;
    fixture.schedule("a", fixture.now(), None).await;
    let conflicts = AtomicU32::new(0);
    let handler = Answers(1, move |_: &Job| {
        if conflicts.fetch_add(1, Ordering::SeqCst) < 3 { Err(JobError::Conflict) } else { Ok(Outcome::Done) }
    });
    let runner = fixture.runner(fixture.pool(), 1).with(Arc::new(handler));
    assert_eq!(runner.run_due().await.expect("run"), 1);
    assert_eq!(fixture.records().await, []);
}

#[tokio::test]
async fn a_conflict_without_end_is_a_failed_attempt() {
    let fixture = Fixture::new().await;
    fixture.schedule("a", fixture.now(), None).await;
    let runner = fixture.runner(fixture.pool(), 1).with(Arc::new(Answers(1, |_: &Job| Err(JobError::Conflict))));
    assert_eq!(runner.run_due().await.expect("run"), 0);
    assert_eq!(fixture.record("a").await.expect("still there").attempts, 1);
}

async fn dead(fixture: &Fixture, keys: &[&str]) {
    for key in keys {
        fixture.schedule(key, fixture.now(), Some(5)).await;
    }
    let runner =
        fixture.runner(fixture.pool(), 1).with(Arc::new(Answers(1, |_: &Job| Err(JobError::Dead("no".to_owned())))));
    runner.run_due().await.expect("run");
}

#[tokio::test]
async fn the_dead_are_listed_and_requeued() {
    let fixture = Fixture::new().await;
    let (pool, jobs) = (fixture.pool(), &fixture.jobs);
    dead(&fixture, &["a", "b", "c"]).await;
    fixture.schedule("live", fixture.now() + MINUTE, None).await;

    let filter = JobFilter { queue: Some(QUEUE.to_owned()), state: Some(JobState::Dead) };
    let first = jobs.list(pool, &filter, &JobPage { after: None, limit: 2 }).await.expect("a page");
    let after = first.last().map(|record| (record.queue.clone(), record.key.clone()));
    let second = jobs.list(pool, &filter, &JobPage { after, limit: 2 }).await.expect("a page");
    let keys: Vec<_> = first.iter().chain(&second).map(|record| record.key.as_str()).collect();
    assert_eq!((keys, second.len()), (vec!["a", "b", "c"], 1));
    let waiting = JobFilter { queue: None, state: Some(JobState::Waiting) };
    let waiting = jobs.list(pool, &waiting, &JobPage { after: None, limit: 9 }).await.expect("a page");
    assert_eq!(waiting.iter().map(|record| record.key.as_str()).collect::<Vec<_>>(), ["live"]);

    fixture.clock.advance(MINUTE);
    let now = fixture.now();
    assert!(jobs.requeue(pool, QUEUE, "b", now, now).await.expect("requeued"));
    assert!(!jobs.requeue(pool, QUEUE, "b", now, now).await.expect("asked"), "it is not dead any more");
    assert!(!jobs.requeue(pool, QUEUE, "live", now, now).await.expect("asked"), "nor was this");
    assert_eq!(jobs.requeue_dead(pool, QUEUE, 1, now, now).await.expect("requeued"), 1);
    assert_eq!(jobs.requeue_dead(pool, QUEUE, 9, now + MINUTE, now).await.expect("requeued"), 1);

    let stats = jobs.stats(pool, now).await.expect("stats");
    let expected = QueueStats { queue: QUEUE.to_owned(), due: 3, scheduled: 1, dead: 0, oldest_due: Some(now) };
    assert_eq!(stats, [expected]);
    let runner = fixture.runner(pool, 1).with(Effects::in_batches_of(10));
    assert_eq!(runner.run_due().await.expect("run"), 3);
    fixture.clock.advance(MINUTE);
    assert_eq!(runner.run_due().await.expect("run"), 1);
}

#[tokio::test]
async fn scheduling_a_dead_job_revives_it_with_its_mark() {
    let fixture = Fixture::new().await;
    dead(&fixture, &["a"]).await;
    fixture.schedule("a", fixture.now() + MINUTE, Some(8)).await;
    let record = fixture.record("a").await.expect("a job");
    assert_eq!((record.dead_at, record.attempts, record.last_error), (None, 0, None));
    assert_eq!((record.due_at, record.low_mark), (fixture.now() + MINUTE, Some(5)));
}

#[tokio::test]
async fn a_job_that_is_scheduled_steadily_keeps_its_backoff_and_dies_all_the_same() {
    let fixture = Fixture::new().await;
    let effects = Effects::in_batches_of(10);
    let runner = fixture.runner(fixture.pool(), 1).with(effects.clone());
    for minutes in 0..=3 {
        fixture.schedule("poison", fixture.now(), Some(9 - minutes)).await;
        fixture.mark("poison", fixture.now(), 20).await;
        runner.run_due().await.expect("run");
        let record = fixture.record("poison").await.expect("still there");
        assert_eq!(record.low_mark, Some(9 - minutes), "marks are lowered all the while");
        let (attempts, dead_at) = match minutes {
            0 => (1, None),
            1 | 2 => (2, None),
            _ => (3, Some(fixture.now())),
        };
        assert_eq!((record.attempts, record.dead_at), (attempts, dead_at), "after {minutes} minutes");
        assert!(record.last_error.is_some());
        fixture.clock.advance(MINUTE);
    }
    assert_eq!(effects.runs(), 3, "it ran at its times only");
}

#[tokio::test]
async fn a_job_that_its_handler_schedules_after_a_failure_has_all_its_attempts_again() {
    let fixture = Fixture::new().await;
    fixture.schedule("a", fixture.now(), Some(1)).await;
    let runner = fixture.runner(fixture.pool(), 1).with(Arc::new(FailsOnce { jobs: fixture.jobs.clone() }));
    runner.run_due().await.expect("run");
    assert_eq!(fixture.record("a").await.expect("still there").attempts, 1);
    fixture.clock.advance(MINUTE);
    runner.run_due().await.expect("run");
    let record = fixture.record("a").await.expect("scheduled by its handler");
    assert_eq!((record.low_mark, record.attempts, record.last_error), (Some(0), 0, None));
}

/// Fails at first, then schedules its job and says that it is done.
struct FailsOnce {
    jobs: Jobs,
}

#[async_trait::async_trait]
impl JobHandler for FailsOnce {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let [job] = jobs else { return Err(JobError::Dead("one job at a time".to_owned())) };
        match (job.attempts, job.low_mark) {
            (0, Some(1)) => Err(JobError::Retry("not yet".to_owned())),
            (1, Some(1)) => {
                self.jobs.schedule_marks(connection, QUEUE, &[&job.key], &[0], job.due_at, job.due_at).await?;
                Ok(vec![Outcome::Done])
            }
            _ => Ok(vec![Outcome::Again { due_at: job.due_at + TimeDelta::days(1), low_mark: Some(0), payload: None }]),
        }
    }
}

#[tokio::test]
async fn cancelled_jobs_are_gone() {
    let fixture = Fixture::new().await;
    dead(&fixture, &["a"]).await;
    fixture.schedule("b", fixture.now(), None).await;
    fixture.schedule("c", fixture.now(), None).await;
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    let cancelled = fixture.jobs.cancel(&mut connection, QUEUE, &["b", "a", "nobody"]).await.expect("cancelled");
    assert_eq!(cancelled, 2);
    assert_eq!(fixture.records().await.len(), 1);
}
