//! Due work: timers and queued jobs in the service's own schema.
//!
//! A job is a row with a queue, a key and the time from which it may run. [`Jobs`] schedules it in
//! the transaction of whatever makes it necessary; a [`Runner`] claims it when its time has come by
//! the [`Clock`](mainstay_domain::Clock) and hands it to the [`JobHandler`] of its queue.
//!
//! # What holds
//!
//! * *Once.* Claim, the handler's effect and the completion are one transaction: claimed with
//!   `FOR UPDATE SKIP LOCKED`, run on the same connection, completed, committed. A crash anywhere
//!   leaves the job either done or untouched. Any number of runners share the queues.
//! * *One job for a queue and key.* Scheduling what is there keeps the earlier time and the lower
//!   low mark, and hastens no retry; see [`Jobs::schedule`].
//! * *No wake-up is lost.* Who schedules a job that a worker holds waits for the worker's commit, then
//!   joins what it left. So a fact written before scheduling, in the same transaction, is seen by a
//!   run that begins after its commit. A handler may schedule the job it is doing: [`Outcome::Done`]
//!   then leaves the job there. This rests on PostgreSQL's default isolation, read committed.
//! * *Bounded failure.* A failed attempt is counted and the job waits as its [`RetryPolicy`] says,
//!   until it is dead. Dead jobs do not run; they are listed and requeued by [`Jobs`].
//!   A batch that fails is rolled back and its jobs are run one by one, so that one that cannot be
//!   done does not hold up the others.
//!
//! # What does not hold
//!
//! * A job that takes its process down is tried again without being counted: its transaction is gone.
//! * Jobs of a queue run in about the order of their times, not exactly: several workers share them.
//! * Locks: a worker holds its jobs' rows, then takes what its handler takes. Who takes the same locks
//!   schedules first, and in one statement a queue. Otherwise PostgreSQL ends one of the two with a
//!   deadlock: the worker's jobs are then tried again without being counted ([`JobError::Conflict`]).
//! * A runner needs a connection of the pool for each worker, and one more ([`Runner::connections_needed`]).
//!
//! # Metrics
//!
//! By `queue`: the counters `mainstay_jobs_processed_total`, `mainstay_jobs_failed_total` (attempts)
//! and `mainstay_jobs_died_total`, the gauges `mainstay_jobs_due`, `mainstay_jobs_dead` and
//! `mainstay_jobs_lag_seconds` (how long the longest due job has been due).

mod attempt;
mod job;
mod metric;
mod operate;
mod retry;
mod runner;
mod schema;
mod statements;
mod store;

pub use job::{Job, JobError, JobHandler, NewJob, Outcome};
pub use operate::{JobFilter, JobPage, JobRecord, JobState, QueueCount, QueueStats};
pub use retry::RetryPolicy;
pub use runner::{Runner, RunnerSettings};
pub use schema::MIGRATIONS;
pub use store::Jobs;
