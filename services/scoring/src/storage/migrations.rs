//! The schema `scoring`, step by step; see `docs/how-to/add-a-migration.md`.

use mainstay_storage::{Migration, MigrationSet, Migrator, SchemaName};

/// The service's schema.
pub const SCHEMA: SchemaName = SchemaName::new("scoring");

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
    component: "scoring",
    migrations: &[
        migration!(1, "0001_accounts"),
        migration!(2, "0002_signals"),
        migration!(3, "0003_models"),
        migration!(4, "0004_health"),
        migration!(5, "0005_scoring_facts"),
        migration!(6, "0006_days"),
        migration!(7, "0007_risks"),
        migration!(8, "0008_story_series"),
        migration!(9, "0009_account_news"),
        migration!(10, "0010_triggers"),
        migration!(11, "0011_labels"),
        migration!(12, "0012_backtests"),
        migration!(13, "0013_forecasts"),
        migration!(14, "0014_data_owners"),
        migration!(15, "0015_annual_revenue"),
        migration!(16, "0016_segment_models"),
        Migration { transactional: false, ..migration!(17, "0017_signals_by_kind") },
        migration!(18, "0018_report_records"),
        migration!(19, "0019_adoption"),
        migration!(20, "0020_service_records"),
        migration!(21, "0021_lifespans"),
        migration!(22, "0022_field_claims"),
        migration!(23, "0023_renewals_in_forecasts"),
        migration!(24, "0024_plans_by_signals"),
        migration!(25, "0025_account_groups"),
        migration!(26, "0026_overdue_by_due_time"),
        migration!(27, "0027_health_by_general_model"),
        migration!(28, "0028_system_days"),
        migration!(29, "0029_shared_targets"),
        migration!(30, "0030_untried_models"),
        migration!(31, "0031_forecast_trainings"),
        migration!(32, "0032_near_limits"),
        migration!(33, "0033_withdrawn_signals"),
        migration!(34, "0034_milestone_days"),
    ],
};

/// Everything that lives in the schema: the service's own tables and those of the shared crates.
pub fn migrator() -> Migrator {
    Migrator::new(
        SCHEMA,
        vec![&mainstay_storage::MIGRATIONS, &mainstay_events::MIGRATIONS, &mainstay_jobs::MIGRATIONS, &MIGRATIONS],
    )
}
