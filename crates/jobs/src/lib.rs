//! Due work: timers and queued jobs in the service's own schema.

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
pub use operate::{JobFilter, JobPage, JobRecord, JobState, QueueStats};
pub use retry::RetryPolicy;
pub use runner::{Runner, RunnerSettings};
pub use schema::MIGRATIONS;
pub use store::Jobs;
