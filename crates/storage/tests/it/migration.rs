//! What a migrator does to a schema, and what it refuses.

use mainstay_storage::{MIGRATIONS, MigrateError, MigrationSet, Migrator, SchemaName, SchemaState};

use crate::fixture::{Fixture, now, step, step_outside};

const SCHEMA: SchemaName = SchemaName::new("trial");

const TWO_STEPS: MigrationSet = MigrationSet {
    component: "notes",
    migrations: &[
        step(1, "notes", "CREATE TABLE {schema}.notes (id bigint PRIMARY KEY)"),
        step(2, "text", "ALTER TABLE {schema}.notes ADD COLUMN text text"),
    ],
};

const FIRST_STEP: MigrationSet = MigrationSet { component: "notes", migrations: &[TWO_STEPS.migrations[0]] };

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let fixture = Fixture::new().await;
    let migrator = Migrator::new(SCHEMA, vec![&MIGRATIONS, &TWO_STEPS]);

    let first = migrator.migrate(&fixture.pool, now(), None).await.expect("migrated");
    assert_eq!(first.applied, ["storage/1_idempotency_records", "notes/1_notes", "notes/2_text"]);
    let records_sql = "SELECT string_agg(schema_migrations::text, ';' ORDER BY schema_migrations) \
                       FROM trial.schema_migrations";
    let records: String = sqlx::query_scalar(records_sql).fetch_one(&fixture.pool).await.expect("records");
    assert!(records.contains("1997-01-01"), "{records}");

    let later = now() + chrono::TimeDelta::days(1);
    let second = migrator.migrate(&fixture.pool, later, None).await.expect("migrated");
    assert!(second.applied.is_empty() && second.unknown.is_empty());
    let records_after: String = sqlx::query_scalar(records_sql).fetch_one(&fixture.pool).await.expect("records");
    assert_eq!(records, records_after);
    migrator.check(&fixture.pool).await.expect("up to date");
}

#[tokio::test]
async fn a_schema_that_is_not_there_is_behind_and_all_that_is_missing_is_named() {
    let fixture = Fixture::new().await;
    let migrator = Migrator::new(SCHEMA, vec![&TWO_STEPS]);
    let state = migrator.check(&fixture.pool).await.expect_err("behind");
    let text = state.to_string();
    let SchemaState::Behind { missing, .. } = state else { panic!("{state:?}") };
    assert_eq!(missing, ["notes/1_notes", "notes/2_text"]);
    assert!(text.contains("notes/2_text") && text.contains("`migrate`"), "{text}");

    let older = Migrator::new(SCHEMA, vec![&FIRST_STEP]);
    older.migrate(&fixture.pool, now(), None).await.expect("migrated");
    let state = migrator.check(&fixture.pool).await.expect_err("still behind");
    assert!(matches!(state, SchemaState::Behind { missing, .. } if missing == ["notes/2_text"]));
}

#[tokio::test]
async fn a_schema_that_a_newer_program_migrated_is_ahead_and_left_alone() {
    let fixture = Fixture::new().await;
    Migrator::new(SCHEMA, vec![&TWO_STEPS]).migrate(&fixture.pool, now(), None).await.expect("migrated");

    let older = Migrator::new(SCHEMA, vec![&FIRST_STEP]);
    let state = older.check(&fixture.pool).await.expect_err("ahead");
    assert!(matches!(state, SchemaState::Ahead { unknown, .. } if unknown == ["notes/2_text"]));
    let report = older.migrate(&fixture.pool, now(), None).await.expect("nothing to do");
    assert!(report.applied.is_empty());
    assert_eq!(report.unknown, ["notes/2_text"]);

    let elsewhere = Migrator::new(SCHEMA, vec![&FIRST_STEP, &MIGRATIONS]);
    let error = elsewhere.migrate(&fixture.pool, now(), None).await.expect_err("of another line");
    assert!(matches!(error, MigrateError::Diverged { unknown, .. } if unknown == ["notes/2_text"]));
    assert_eq!(fixture.number("SELECT count(*) FROM trial.schema_migrations").await, 2);
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    const CHANGED: MigrationSet = MigrationSet {
        component: "notes",
        migrations: &[
            step(1, "notes", "CREATE TABLE {schema}.notes (id bigint PRIMARY KEY, more text)"),
            TWO_STEPS.migrations[1],
        ],
    };
    let fixture = Fixture::new().await;
    Migrator::new(SCHEMA, vec![&FIRST_STEP]).migrate(&fixture.pool, now(), None).await.expect("migrated");

    let migrator = Migrator::new(SCHEMA, vec![&CHANGED]);
    let error = migrator.migrate(&fixture.pool, now(), None).await.expect_err("refused");
    assert!(matches!(error, MigrateError::Changed { migration, .. } if migration == "notes/1_notes"));
    let state = migrator.check(&fixture.pool).await.expect_err("changed");
    assert!(matches!(state, SchemaState::Changed { migration, .. } if migration == "notes/1_notes"));
    assert_eq!(fixture.number("SELECT count(*) FROM trial.schema_migrations").await, 1);
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_half_applied() {
    const BROKEN: MigrationSet = MigrationSet {
        component: "notes",
        migrations: &[
            TWO_STEPS.migrations[0],
            step(2, "half", "CREATE TABLE {schema}.half (id int); INSERT INTO {schema}.half VALUES (1 / 0);"),
        ],
    };
    const MENDED: MigrationSet = MigrationSet {
        component: "notes",
        migrations: &[TWO_STEPS.migrations[0], step(2, "half", "CREATE TABLE {schema}.half (id int)")],
    };
    let fixture = Fixture::new().await;
    let error = Migrator::new(SCHEMA, vec![&BROKEN]).migrate(&fixture.pool, now(), None).await.expect_err("broken");
    assert!(error.to_string().contains("notes/2_half failed: "), "{error}");
    assert!(matches!(error, MigrateError::Failed { migration, .. } if migration == "notes/2_half"));
    assert_eq!(fixture.number("SELECT count(*) FROM pg_tables WHERE tablename = 'half'").await, 0);

    let mended = Migrator::new(SCHEMA, vec![&MENDED]);
    let report = mended.migrate(&fixture.pool, now(), None).await.expect("migrated");
    assert_eq!(report.applied, ["notes/2_half"]);
    mended.check(&fixture.pool).await.expect("up to date");
}

#[tokio::test]
async fn an_index_left_unfinished_is_built_anew() {
    const INDEXED: MigrationSet = MigrationSet {
        component: "notes",
        migrations: &[
            step(1, "notes", "CREATE TABLE {schema}.notes (id int); INSERT INTO {schema}.notes VALUES (1), (1);"),
            step_outside(
                2,
                "by_id",
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS notes_by_id ON {schema}.notes (id)",
            ),
        ],
    };
    let fixture = Fixture::new().await;
    let migrator = Migrator::new(SCHEMA, vec![&INDEXED]);
    let error = migrator.migrate(&fixture.pool, now(), None).await.expect_err("two rows are alike");
    assert!(matches!(error, MigrateError::Failed { migration, .. } if migration == "notes/2_by_id"));
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(fixture.number(invalid).await, 1);

    fixture.run("DELETE FROM trial.notes WHERE ctid = '(0,2)'").await;
    let report = migrator.migrate(&fixture.pool, now(), None).await.expect("migrated");
    assert_eq!(report.applied, ["notes/2_by_id"]);
    assert_eq!(fixture.number(invalid).await, 0);
    assert_eq!(fixture.number("SELECT count(*) FROM pg_indexes WHERE indexname = 'notes_by_id'").await, 1);
}

#[tokio::test]
async fn the_pool_s_time_limits_do_not_end_a_migration() {
    const LIMITS: MigrationSet = MigrationSet {
        component: "limits",
        migrations: &[step(
            1,
            "limits",
            "CREATE TABLE {schema}.limits AS SELECT current_setting('statement_timeout') AS statement_timeout, \
             current_setting('lock_timeout') AS lock_timeout",
        )],
    };
    let fixture = Fixture::new().await;
    Migrator::new(SCHEMA, vec![&LIMITS]).migrate(&fixture.pool, now(), None).await.expect("migrated");
    let limits: (String, String) = sqlx::query_as("SELECT statement_timeout, lock_timeout FROM trial.limits")
        .fetch_one(&fixture.pool)
        .await
        .expect("the limits");
    assert_eq!(limits, ("0".to_owned(), "10s".to_owned()));
}
