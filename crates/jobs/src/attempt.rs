//! Attempts at jobs: claim, run, complete, in one transaction each.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use mainstay_domain::SharedClock;
use mainstay_storage::StorageError;
use rand::RngExt;
use rand::rngs::StdRng;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::metric;
use crate::{Job, JobError, JobHandler, Jobs};

/// How often jobs that lost against another transaction are tried again without counting an attempt.
const CONFLICTS_MAX: u32 = 5;

/// The longest wait before that, for the first time; it grows by as much each time.
const CONFLICT_WAIT: Duration = Duration::from_millis(20);

/// The bound on [`JobHandler::batch_size`].
const BATCH_MAX: i64 = 10_000;

/// What attempts need, shared by all workers of a runner.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    pub(crate) jobs: Jobs,
    pub(crate) pool: PgPool,
    pub(crate) clock: SharedClock,
    pub(crate) random: Arc<Mutex<StdRng>>,
}

/// How far a piece of work got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Jobs that were tried.
    pub(crate) tried: usize,
    /// Jobs among them that were completed.
    pub(crate) completed: usize,
}

impl std::ops::AddAssign for Progress {
    fn add_assign(&mut self, other: Self) {
        self.tried += other.tried;
        self.completed += other.completed;
    }
}

/// Which jobs to claim.
#[derive(Debug, Clone, Copy)]
enum Claim<'a> {
    /// Due ones that nobody holds.
    Due,
    /// This one, waiting for whoever holds it.
    Key(&'a str),
}

/// How one transaction ended.
enum Attempt {
    /// There was nothing to claim.
    Nothing,
    /// All claimed jobs were completed.
    Completed(usize),
    /// The one claimed job failed, which is counted.
    Failed,
    /// All was rolled back and nothing is counted.
    RolledBack { jobs: Vec<Job>, error: JobError },
}

impl Engine {
    /// Tries one batch of due jobs that nobody holds; if it fails, each of its jobs alone.
    pub(crate) async fn work(
        &self,
        handler: &dyn JobHandler,
        cancel: &CancellationToken,
    ) -> Result<Progress, StorageError> {
        match self.attempt_again_on_conflict(handler, Claim::Due).await? {
            Attempt::RolledBack { jobs, error } if jobs.len() > 1 => {
                tracing::warn!(
                    queue = handler.queue(),
                    jobs = jobs.len(),
                    error = %error,
                    "a batch failed and is run one by one"
                );
                let mut progress = Progress::default();
                for job in &jobs {
                    if cancel.is_cancelled() {
                        break;
                    }
                    progress += self.work_alone(handler, &job.key).await?;
                }
                Ok(progress)
            }
            attempt => self.settle(handler, attempt).await,
        }
    }

    /// Tries one due job, waiting for whoever holds it.
    pub(crate) async fn work_alone(&self, handler: &dyn JobHandler, key: &str) -> Result<Progress, StorageError> {
        let attempt = self.attempt_again_on_conflict(handler, Claim::Key(key)).await?;
        self.settle(handler, attempt).await
    }

    /// Counts the failures of an attempt that could not do so itself.
    async fn settle(&self, handler: &dyn JobHandler, attempt: Attempt) -> Result<Progress, StorageError> {
        match attempt {
            Attempt::Nothing => Ok(Progress::default()),
            Attempt::Completed(count) => Ok(Progress { tried: count, completed: count }),
            Attempt::Failed => Ok(Progress { tried: 1, completed: 0 }),
            Attempt::RolledBack { jobs, error } => {
                for job in &jobs {
                    let mut connection = self.pool.acquire().await?;
                    self.count_failure(handler, &mut connection, job, &error).await?;
                }
                Ok(Progress { tried: jobs.len(), completed: 0 })
            }
        }
    }

    async fn attempt_again_on_conflict(
        &self,
        handler: &dyn JobHandler,
        claim: Claim<'_>,
    ) -> Result<Attempt, StorageError> {
        for conflicts in 1..=CONFLICTS_MAX {
            match self.attempt(handler, claim).await? {
                Attempt::RolledBack { error: JobError::Conflict, .. } => {
                    let share = self.random.lock().unwrap_or_else(PoisonError::into_inner).random::<f64>();
                    tokio::time::sleep(CONFLICT_WAIT.mul_f64(share * f64::from(conflicts))).await;
                }
                attempt => return Ok(attempt),
            }
        }
        self.attempt(handler, claim).await
    }

    async fn attempt(&self, handler: &dyn JobHandler, claim: Claim<'_>) -> Result<Attempt, StorageError> {
        let mut transaction = mainstay_storage::begin(&self.pool).await?;
        let jobs = self.claim(handler, &mut transaction, claim).await?;
        if jobs.is_empty() {
            transaction.rollback().await?;
            return Ok(Attempt::Nothing);
        }
        let alone = jobs.len() == 1;
        if alone {
            // So that a failure is counted before anybody else can claim the job.
            sqlx::raw_sql("SAVEPOINT mainstay_job").execute(&mut *transaction).await?;
        }

        let running = AssertUnwindSafe(self.run_and_complete(handler, &mut transaction, &jobs));
        let error = match running.catch_unwind().await {
            Ok(Ok(())) => match mainstay_storage::commit(transaction).await {
                Ok(()) => {
                    metric::processed(handler.queue(), jobs.len());
                    return Ok(Attempt::Completed(jobs.len()));
                }
                // If the commit did take effect, the rows' versions have moved and no failure is counted.
                Err(error) => return Ok(Attempt::RolledBack { jobs, error: error.into() }),
            },
            Ok(Err(error)) => error,
            Err(panic) => JobError::Retry(panic_text(panic.as_ref())),
        };

        if let [job] = jobs.as_slice()
            && error != JobError::Conflict
        {
            match self.commit_failure(handler, transaction, job, &error).await {
                Ok(()) => return Ok(Attempt::Failed),
                Err(fault) => {
                    tracing::debug!(%fault, "counting a failure in the attempt's own transaction");
                    return Ok(Attempt::RolledBack { jobs, error });
                }
            }
        }
        if let Err(fault) = transaction.rollback().await {
            tracing::debug!(%fault, "rolling an attempt back");
        }
        Ok(Attempt::RolledBack { jobs, error })
    }

    async fn claim(
        &self,
        handler: &dyn JobHandler,
        connection: &mut PgConnection,
        claim: Claim<'_>,
    ) -> Result<Vec<Job>, StorageError> {
        let now = self.clock.now();
        match claim {
            Claim::Due => {
                let limit = handler.batch_size().clamp(1, BATCH_MAX);
                self.jobs.claim_due(connection, handler.queue(), limit, now).await
            }
            Claim::Key(key) => self.jobs.claim_key(connection, handler.queue(), key, now).await,
        }
    }

    async fn run_and_complete(
        &self,
        handler: &dyn JobHandler,
        connection: &mut PgConnection,
        jobs: &[Job],
    ) -> Result<(), JobError> {
        let outcomes = match jobs {
            [job] => handler.run(connection, jobs).instrument(job.span(handler.queue())).await?,
            _ => handler.run(connection, jobs).await?,
        };
        if outcomes.len() != jobs.len() {
            return Err(JobError::Retry(format!(
                "the handler answered {} outcomes for {} jobs",
                outcomes.len(),
                jobs.len()
            )));
        }
        self.jobs.complete(connection, handler.queue(), jobs, &outcomes, self.clock.now()).await?;
        Ok(())
    }

    /// Takes back what the handler did, keeps the job locked, counts the failure and commits.
    async fn commit_failure(
        &self,
        handler: &dyn JobHandler,
        mut transaction: Transaction<'static, Postgres>,
        job: &Job,
        error: &JobError,
    ) -> Result<(), StorageError> {
        sqlx::raw_sql("ROLLBACK TO SAVEPOINT mainstay_job").execute(&mut *transaction).await?;
        self.count_failure(handler, &mut transaction, job, error).await?;
        mainstay_storage::commit(transaction).await
    }

    async fn count_failure(
        &self,
        handler: &dyn JobHandler,
        connection: &mut PgConnection,
        job: &Job,
        error: &JobError,
    ) -> Result<(), StorageError> {
        let queue = handler.queue();
        let failures = job.attempts.saturating_add(1);
        let wait = match error {
            JobError::Dead(_) => None,
            JobError::Retry(_) | JobError::Conflict => {
                let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
                handler.retry_policy().wait_after(failures, &mut *random)
            }
        };
        let now = self.clock.now();
        let retry_at = wait.map(|wait| now + wait);
        if !self.jobs.fail(connection, queue, job, &error.to_string(), retry_at, now).await? {
            return Ok(());
        }
        metric::failed(queue);
        if let Some(retry_at) = retry_at {
            tracing::warn!(queue, key = job.key, failures, %retry_at, %error, "a job failed");
        } else {
            metric::died(queue);
            tracing::error!(queue, key = job.key, failures, %error, "a job is dead");
        }
        Ok(())
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the handler panicked: {}", text.unwrap_or("no message"))
}
