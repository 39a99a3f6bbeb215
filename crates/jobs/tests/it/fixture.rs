//! A database with the jobs table and a table of effects, and handlers to run on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::{Clock, ManualClock};
use mainstay_jobs::{
    Job, JobError, JobFilter, JobHandler, JobPage, JobRecord, Jobs, MIGRATIONS, NewJob, Outcome, RetryPolicy, Runner,
    RunnerSettings,
};
use mainstay_storage::{Migration, MigrationSet, Migrator, SchemaName};
use mainstay_testkit::{TestDatabase, database, manual_clock};
use rand::SeedableRng;
use rand::rngs::StdRng;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};

pub(crate) const QUEUE: &str = "rescore";

const SCHEMA: SchemaName = SchemaName::new("jobs_test");
static JOBS: MigrationSet = MIGRATIONS;
static EFFECTS: MigrationSet = MigrationSet {
    component: "effects",
    migrations: &[Migration {
        version: 1,
        name: "effects",
        sql: "CREATE TABLE {schema}.effects (key text PRIMARY KEY, low_mark bigint);
              CREATE TABLE {schema}.facts (key text NOT NULL, seen boolean NOT NULL DEFAULT false);",
        transactional: true,
    }],
};

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) clock: ManualClock,
    pub(crate) jobs: Jobs,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = database(&Migrator::new(SCHEMA, vec![&JOBS, &EFFECTS])).await;
        Self { database, clock: manual_clock("1997-01-01T00:00:00Z"), jobs: Jobs::new(&SCHEMA) }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// A pool of its own, as another process has.
    pub(crate) async fn another_pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(8).connect(self.database.url()).await.expect("a pool")
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn runner(&self, pool: &PgPool, concurrency: usize) -> Runner {
        let settings = RunnerSettings { poll_interval: Duration::from_millis(5), concurrency };
        Runner::new(self.jobs.clone(), pool.clone(), Arc::new(self.clock.clone()), settings)
            .with_random(StdRng::seed_from_u64(1))
    }

    pub(crate) async fn schedule(&self, key: &str, due_at: DateTime<Utc>, low_mark: Option<i64>) {
        self.schedule_on(&mut self.pool().acquire().await.expect("a connection"), key, due_at, low_mark).await;
    }

    pub(crate) async fn schedule_on(
        &self,
        connection: &mut PgConnection,
        key: &str,
        due_at: DateTime<Utc>,
        low_mark: Option<i64>,
    ) {
        let job = NewJob::due(key, due_at);
        let job = low_mark.into_iter().fold(job, NewJob::with_low_mark);
        self.jobs.schedule(connection, QUEUE, &[job], self.now()).await.expect("scheduled");
    }

    /// As a signal does: a mark without a payload.
    pub(crate) async fn mark(&self, key: &str, due_at: DateTime<Utc>, low_mark: i64) {
        let mut connection = self.pool().acquire().await.expect("a connection");
        let now = self.now();
        self.jobs.schedule_marks(&mut connection, QUEUE, &[key], &[low_mark], due_at, now).await.expect("marked");
    }

    pub(crate) async fn records(&self) -> Vec<JobRecord> {
        let page = JobPage { after: None, limit: 1_000 };
        self.jobs.list(self.pool(), &JobFilter::default(), &page).await.expect("a list")
    }

    pub(crate) async fn record(&self, key: &str) -> Option<JobRecord> {
        self.records().await.into_iter().find(|record| record.key == key)
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.pool()).await.expect("a count")
    }

    pub(crate) async fn effects(&self) -> i64 {
        self.count("SELECT count(*) FROM jobs_test.effects").await
    }

    /// Waits until so many connections wait for a lock in this test's database.
    pub(crate) async fn until_waiting(&self, connections: i64) {
        until(async || {
            let waiting = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            self.count(waiting).await >= connections
        })
        .await;
    }
}

/// Looks until something holds; a test that waits for what never comes fails after half a minute.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking).await.expect("it holds in the end");
}

pub(crate) async fn write_effect(connection: &mut PgConnection, job: &Job) -> Result<(), JobError> {
    sqlx::query("INSERT INTO jobs_test.effects (key, low_mark) VALUES ($1, $2)")
        .bind(&job.key)
        .bind(job.low_mark)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes one effect for each job; one done twice breaks the key of the table. Keys that begin with
/// `poison`, `panic` or `hopeless` fail after their effect was written.
pub(crate) struct Effects {
    pub(crate) batch_size: i64,
    pub(crate) retry: RetryPolicy,
    pub(crate) runs: AtomicUsize,
}

impl Effects {
    pub(crate) fn in_batches_of(batch_size: i64) -> Arc<Self> {
        let retry =
            RetryPolicy { attempts_max: 3, base: Duration::from_mins(1), jitter: 0.0, ..RetryPolicy::default() };
        Arc::new(Self { batch_size, retry, runs: AtomicUsize::new(0) })
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl JobHandler for Effects {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    fn batch_size(&self) -> i64 {
        self.batch_size
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.retry
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        for job in jobs {
            write_effect(connection, job).await?;
            assert!(!job.key.starts_with("panic"), "no way to do {}", job.key);
            if job.key.starts_with("poison") {
                return Err(JobError::Retry(format!("{} cannot be done", job.key)));
            }
            if job.key.starts_with("hopeless") {
                return Err(JobError::Dead(format!("{} can never be done", job.key)));
            }
        }
        Ok(vec![Outcome::Done; jobs.len()])
    }
}

/// A handler from a closure on the jobs, without a database.
pub(crate) struct Answers<F>(pub(crate) i64, pub(crate) F);

#[async_trait]
impl<F: Fn(&Job) -> Result<Outcome, JobError> + Send + Sync> JobHandler for Answers<F> {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    fn batch_size(&self) -> i64 {
        self.0
    }

    async fn run(&self, _: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        jobs.iter().map(&self.1).collect()
    }
}

pub(crate) fn again_in(step: TimeDelta, now: DateTime<Utc>) -> Outcome {
    Outcome::Again { due_at: now + step, low_mark: None, payload: None }
}
