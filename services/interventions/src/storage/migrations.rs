//! The schema `interventions`, step by step; see `docs/how-to/add-a-migration.md`.

use mainstay_storage::{Migration, MigrationSet, Migrator, SchemaName};

/// The service's schema.
pub const SCHEMA: SchemaName = SchemaName::new("interventions");

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../migrations/", $name, ".sql")),
            transactional: true,
        }
    };
}

/// The service's own tables.
const MIGRATIONS: MigrationSet = MigrationSet {
    component: "interventions",
    migrations: &[
        migration!(1, "0001_policies"),
        migration!(2, "0002_alerts"),
        migration!(3, "0003_cases"),
        migration!(4, "0004_clocks"),
        migration!(5, "0005_work"),
        migration!(6, "0006_follow_ups"),
        migration!(7, "0007_billing_digest"),
        Migration { transactional: false, ..migration!(8, "0008_billing_alerts") },
        migration!(9, "0009_outcomes_by_depth"),
    ],
};

/// Everything that lives in the schema: the service's own tables and those of the shared crates.
pub fn migrator() -> Migrator {
    Migrator::new(
        SCHEMA,
        vec![
            &mainstay_storage::MIGRATIONS,
            &mainstay_events::MIGRATIONS,
            &mainstay_jobs::MIGRATIONS,
            &mainstay_delivery::MIGRATIONS,
            &mainstay_accounts::MIGRATIONS,
            &MIGRATIONS,
        ],
    )
}
