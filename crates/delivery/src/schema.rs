//! The tables.

use mainstay_storage::{Migration, MigrationSet};

/// The tables of messages, for the [`Migrator`](mainstay_storage::Migrator) of each service that sends some:
/// `delivery_messages`, `delivery_attempts`, `delivery_destinations`.
pub const MIGRATIONS: MigrationSet = MigrationSet {
    component: "delivery",
    migrations: &[Migration {
        version: 1,
        name: "messages",
        sql: include_str!("../migrations/0001_messages.sql"),
        transactional: true,
    }],
};
