//! The copy of the accounts that a service keeps for itself, fed by scoring's events.
//!
//! With it a service works on while scoring is away, and answers without calling another service. It holds what
//! scoring told last: facts by `AccountChanged`, health by `HealthChanged`. Scoring tells a score when it has moved by a point or entered another
//! band, so that the copy's score is within a point of scoring's.
//!
//! The row of an account is also what orders the events that the service itself appends for it: lock it
//! ([`Accounts::lock`]) before appending; see `mainstay_events`.

mod account;
mod codes;
mod copy;
mod message;

use mainstay_storage::{Migration, MigrationSet};

pub use account::{Account, AccountHealth};
pub use codes::{band, band_number, lifecycle_stage, lifecycle_stage_number, segment, segment_number};
pub use copy::Accounts;
pub use message::{MalformedAccount, band_of_message, segment_message, segment_of_message};

/// The table `accounts`.
pub const MIGRATIONS: MigrationSet = MigrationSet {
    component: "accounts",
    migrations: &[Migration {
        version: 1,
        name: "accounts",
        sql: include_str!("../migrations/0001_accounts.sql"),
        transactional: true,
    }],
};
