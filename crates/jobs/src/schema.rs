//! The table of jobs.

use mainstay_storage::{Migration, MigrationSet};

/// The migrations of this crate, for the [`Migrator`](mainstay_storage::Migrator) of each service
/// that has due work.
pub const MIGRATIONS: MigrationSet = MigrationSet {
    component: "jobs",
    migrations: &[
        Migration { version: 1, name: "jobs", sql: include_str!("../migrations/0001_jobs.sql"), transactional: true },
        Migration { version: 2, name: "trace", sql: include_str!("../migrations/0002_trace.sql"), transactional: true },
    ],
};
