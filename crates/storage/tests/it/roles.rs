//! What the role that serves may do.

use std::str::FromStr;

use mainstay_storage::{MIGRATIONS, MigrateError, MigrationSet, Migrator, SchemaName};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

use crate::fixture::{Fixture, now, step};

const OWN: SchemaName = SchemaName::new("own");
const OTHER: SchemaName = SchemaName::new("other");

const NOTES: MigrationSet = MigrationSet {
    component: "notes",
    migrations: &[step(1, "notes", "CREATE TABLE {schema}.notes (id bigserial PRIMARY KEY, text text NOT NULL)")],
};

const MORE_NOTES: MigrationSet = MigrationSet {
    component: "notes",
    migrations: &[NOTES.migrations[0], step(2, "more", "CREATE TABLE {schema}.more (id bigserial PRIMARY KEY)")],
};

/// Makes a role that may log in. Roles are the whole server's, so that the name has the database's in it.
async fn make_role(fixture: &Fixture, part: &str) -> String {
    let database: String =
        sqlx::query_scalar("SELECT current_database()").fetch_one(&fixture.pool).await.expect("a name");
    let role = format!("{database}-{part}");
    as_superuser(fixture, format!("CREATE ROLE \"{role}\" LOGIN PASSWORD 'secret'")).await;
    role
}

async fn as_superuser(fixture: &Fixture, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&fixture.pool).await.expect("the statement runs");
}

fn pool_as(fixture: &Fixture, role: &str) -> PgPool {
    let options = PgConnectOptions::from_str(fixture.database.url()).expect("a URL").username(role).password("secret");
    PgPoolOptions::new().connect_lazy_with(options)
}

async fn allowed(pool: &PgPool, statement: &'static str) {
    sqlx::raw_sql(statement).execute(pool).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn refused(pool: &PgPool, statement: &'static str) {
    let error = sqlx::raw_sql(statement).execute(pool).await.expect_err(statement);
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // insufficient_privilege
    assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
}

#[tokio::test]
async fn the_serving_role_reads_and_writes_its_rows_and_nothing_else() {
    let fixture = Fixture::new().await;
    let migrating_role = make_role(&fixture, "migrating").await;
    let serving_role = make_role(&fixture, "serving").await;
    let database = migrating_role.trim_end_matches("-migrating");
    as_superuser(&fixture, format!("GRANT CREATE ON DATABASE \"{database}\" TO \"{migrating_role}\"")).await;
    let migrating = pool_as(&fixture, &migrating_role);
    let serving = pool_as(&fixture, &serving_role);

    Migrator::new(OTHER, vec![&NOTES]).migrate(&migrating, now(), None).await.expect("migrated");
    let migrator = Migrator::new(OWN, vec![&MIGRATIONS, &NOTES]);
    migrator.migrate(&migrating, now(), Some(&serving_role)).await.expect("migrated");

    migrator.check(&serving).await.expect("the serving role can tell");
    for statement in [
        "INSERT INTO own.notes (text) VALUES ('a')",
        "UPDATE own.notes SET text = 'b'",
        "SELECT * FROM own.notes",
        "DELETE FROM own.notes",
        "SELECT * FROM own.schema_migrations",
    ] {
        allowed(&serving, statement).await;
    }
    for statement in [
        "CREATE TABLE own.mine (id bigint)",
        "ALTER TABLE own.notes ADD COLUMN mine text",
        "DROP TABLE own.notes",
        "TRUNCATE own.notes",
        "CREATE SCHEMA mine",
        "DELETE FROM own.schema_migrations",
        "UPDATE own.schema_migrations SET version = 9",
        "SELECT * FROM other.notes",
        "INSERT INTO other.notes (text) VALUES ('a')",
    ] {
        refused(&serving, statement).await;
    }
}

#[tokio::test]
async fn later_tables_are_granted_too_without_the_right_to_create_schemas() {
    let fixture = Fixture::new().await;
    let migrating_role = make_role(&fixture, "migrating").await;
    let serving_role = make_role(&fixture, "serving").await;
    as_superuser(&fixture, format!("CREATE SCHEMA own AUTHORIZATION \"{migrating_role}\"")).await;
    let migrating = pool_as(&fixture, &migrating_role);
    let serving = pool_as(&fixture, &serving_role);
    Migrator::new(OWN, vec![&NOTES]).migrate(&migrating, now(), Some(&serving_role)).await.expect("migrated");
    let report =
        Migrator::new(OWN, vec![&MORE_NOTES]).migrate(&migrating, now(), Some(&serving_role)).await.expect("again");
    assert_eq!(report.applied, ["notes/2_more"]);
    allowed(&serving, "INSERT INTO own.more DEFAULT VALUES").await;
    refused(&migrating, "CREATE SCHEMA another").await;
}

#[tokio::test]
async fn one_role_may_migrate_and_serve() {
    let fixture = Fixture::new().await;
    let role = make_role(&fixture, "only").await;
    as_superuser(&fixture, format!("CREATE SCHEMA own AUTHORIZATION \"{role}\"")).await;
    let pool = pool_as(&fixture, &role);
    Migrator::new(OWN, vec![&NOTES]).migrate(&pool, now(), Some(&role)).await.expect("migrated");
    Migrator::new(OWN, vec![&MORE_NOTES]).migrate(&pool, now(), Some(&role)).await.expect("and again");
}

#[tokio::test]
async fn a_serving_role_that_does_not_exist_is_named_before_anything_is_done() {
    let fixture = Fixture::new().await;
    let error = Migrator::new(OWN, vec![&NOTES])
        .migrate(&fixture.pool, now(), Some("nobody_here"))
        .await
        .expect_err("no such role");
    assert!(matches!(error, MigrateError::UnknownRole { role } if role == "nobody_here"));
    assert_eq!(fixture.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'own'").await, 0);
}
