//! A migrator's session: the connection that holds the lock, and what is done on it.

use std::io;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::time::Instant;

use super::{MigrateError, MigrationReport, Migrator};
use crate::migration::{Comparison, PendingMigration, compare};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a migrator asks for the lock that another one holds.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// How long a transactional migration waits for a table's lock, in the server's notation. While it
/// waits, every later reader of the table waits behind it, so it gives up first.
const TABLE_LOCK_TIMEOUT: &str = "10s";

/// The connection of one run, which holds the schema's lock until it is closed or dropped.
pub(super) struct Session<'m> {
    migrator: &'m Migrator,
    connection: PgConnection,
}

impl<'m> Session<'m> {
    /// Connects, and takes the schema's lock.
    pub(super) async fn open(migrator: &'m Migrator, pool: &PgPool) -> Result<Self, MigrateError> {
        let no_limits =
            [("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0")];
        let options = pool.connect_options().as_ref().clone().options(no_limits);
        let connection = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options))
            .await
            .map_err(|_| sqlx::Error::Io(io::ErrorKind::TimedOut.into()))??;
        let mut session = Self { migrator, connection };
        session.lock().await?;
        Ok(session)
    }

    /// Gives the lock back and closes the connection. A failure does not matter: the server gives back
    /// what a lost connection held.
    pub(super) async fn close(mut self) {
        let unlocked = sqlx::query("SELECT pg_catalog.pg_advisory_unlock($1)")
            .bind(lock_key(self.migrator.schema.as_str()))
            .execute(&mut self.connection)
            .await;
        if let Err(error) = unlocked {
            tracing::debug!(%error, "the migration's lock was not given back before closing");
        }
        let _ = self.connection.close().await;
    }

    /// Asks again and again instead of waiting in the server: a session that waits there holds a
    /// snapshot, and `CREATE INDEX CONCURRENTLY` of another migrator would wait for that.
    async fn lock(&mut self) -> Result<(), MigrateError> {
        let key = lock_key(self.migrator.schema.as_str());
        let started = Instant::now();
        loop {
            let locked: bool = sqlx::query_scalar("SELECT pg_catalog.pg_try_advisory_lock($1)")
                .bind(key)
                .fetch_one(&mut self.connection)
                .await?;
            if locked {
                return Ok(());
            }
            let waited = started.elapsed();
            if waited >= self.migrator.lock_wait_max {
                let schema = self.migrator.schema;
                return Err(MigrateError::Locked { schema, waited_seconds: waited.as_secs() });
            }
            tokio::time::sleep(LOCK_POLL_INTERVAL).await;
        }
    }

    /// Does all that is to be done while the lock is held.
    pub(super) async fn run(
        &mut self,
        applied_at: DateTime<Utc>,
        serving_role: Option<&str>,
    ) -> Result<MigrationReport, MigrateError> {
        let schema = self.migrator.schema;
        if let Some(role) = serving_role {
            self.require_role(role).await?;
        }
        self.prepare_schema().await?;
        let applied = self.migrator.read_applied(&mut self.connection).await?;
        let Comparison { pending, unknown, changed } = compare(&self.migrator.sets, &applied);
        if let Some(migration) = changed.into_iter().next() {
            return Err(MigrateError::Changed { schema, migration });
        }
        if !pending.is_empty() && !unknown.is_empty() {
            return Err(MigrateError::Diverged { schema, unknown });
        }
        for step in &pending {
            let applying = if step.migration.transactional {
                self.apply_in_transaction(step, applied_at).await
            } else {
                self.apply_without_transaction(step, applied_at).await
            };
            applying.map_err(|source| MigrateError::Failed { migration: step.label(), source })?;
            tracing::info!(%schema, migration = step.label(), "migration applied");
        }
        if let Some(role) = serving_role {
            self.grant(role).await?;
        }
        Ok(MigrationReport { applied: pending.iter().map(PendingMigration::label).collect(), unknown })
    }

    async fn require_role(&mut self, role: &str) -> Result<(), MigrateError> {
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)")
            .bind(role)
            .fetch_one(&mut self.connection)
            .await?;
        if exists { Ok(()) } else { Err(MigrateError::UnknownRole { role: role.to_owned() }) }
    }

    /// Creates the schema and the table of records if they are absent. Not by `IF NOT EXISTS`, which asks
    /// for the right to create even when there is nothing to do.
    async fn prepare_schema(&mut self) -> Result<(), sqlx::Error> {
        let schema = self.migrator.schema;
        let (has_schema, has_table): (bool, bool) = sqlx::query_as(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1), \
             EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'schema_migrations')",
        )
        .bind(schema.as_str())
        .fetch_one(&mut self.connection)
        .await?;
        if has_table {
            return Ok(());
        }
        let mut transaction = self.connection.begin().await?;
        if !has_schema {
            sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut *transaction).await?;
        }
        let create_table = format!(
            "CREATE TABLE {schema}.schema_migrations (
                component text NOT NULL,
                version bigint NOT NULL,
                name text NOT NULL,
                checksum bytea NOT NULL,
                applied_at timestamptz NOT NULL,
                PRIMARY KEY (component, version)
            )"
        );
        sqlx::raw_sql(AssertSqlSafe(create_table)).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    async fn apply_in_transaction(
        &mut self,
        step: &PendingMigration,
        applied_at: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let migrator = self.migrator;
        let mut transaction = self.connection.begin().await?;
        let lock_timeout = format!("SET LOCAL lock_timeout = '{TABLE_LOCK_TIMEOUT}'");
        sqlx::raw_sql(AssertSqlSafe(lock_timeout)).execute(&mut *transaction).await?;
        let statements = step.migration.sql_in(migrator.schema);
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *transaction).await?;
        record(migrator, &mut transaction, step, applied_at).await?;
        transaction.commit().await
    }

    async fn apply_without_transaction(
        &mut self,
        step: &PendingMigration,
        applied_at: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let migrator = self.migrator;
        self.drop_unfinished_indexes(step).await?;
        let statement = step.migration.sql_in(migrator.schema);
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut self.connection).await?;
        record(migrator, &mut self.connection, step, applied_at).await
    }

    /// A `CREATE INDEX CONCURRENTLY` that failed leaves an index that no query uses, and for which `IF
    /// NOT EXISTS` would say that all is done. Since no other migrator is at work, such an index is a leftover.
    async fn drop_unfinished_indexes(&mut self, step: &PendingMigration) -> Result<(), sqlx::Error> {
        let schema = self.migrator.schema;
        let unfinished: Vec<String> = sqlx::query_scalar(
            "SELECT index_class.relname::text FROM pg_catalog.pg_index \
             JOIN pg_catalog.pg_class AS index_class ON index_class.oid = pg_index.indexrelid \
             JOIN pg_catalog.pg_namespace ON pg_namespace.oid = index_class.relnamespace \
             WHERE pg_namespace.nspname = $1 AND index_class.relkind = 'i' AND NOT pg_index.indisvalid",
        )
        .bind(schema.as_str())
        .fetch_all(&mut self.connection)
        .await?;
        for index in unfinished.iter().filter(|index| step.migration.mentions(index)) {
            let drop_index = format!("DROP INDEX CONCURRENTLY {schema}.{}", quoted(index));
            sqlx::raw_sql(AssertSqlSafe(drop_index)).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Rows may be read and written, tables neither made nor changed, and the records of migrations only read.
    async fn grant(&mut self, role: &str) -> Result<(), sqlx::Error> {
        let is_own: bool =
            sqlx::query_scalar("SELECT current_user = $1").bind(role).fetch_one(&mut self.connection).await?;
        if is_own {
            return Ok(());
        }
        let schema = self.migrator.schema;
        let role = quoted(role);
        let statements = format!(
            "REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;
             REVOKE ALL ON SCHEMA {schema} FROM {role};
             GRANT USAGE ON SCHEMA {schema} TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
             GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
             ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
             ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role};
             REVOKE INSERT, UPDATE, DELETE ON {schema}.schema_migrations FROM {role};"
        );
        let mut transaction = self.connection.begin().await?;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *transaction).await?;
        transaction.commit().await
    }
}

async fn record(
    migrator: &Migrator,
    connection: &mut PgConnection,
    step: &PendingMigration,
    applied_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let insert = format!(
        "INSERT INTO {}.schema_migrations (component, version, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)",
        migrator.schema
    );
    sqlx::query(AssertSqlSafe(insert))
        .bind(step.component)
        .bind(step.migration.version)
        .bind(step.migration.name)
        .bind(step.migration.checksum().as_slice())
        .bind(applied_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// The advisory lock of a schema's migrators. The server keeps advisory locks by database, and the
/// digest keeps the key away from what other programs use in it.
fn lock_key(schema: &str) -> i64 {
    let digest: [u8; 32] = Sha256::digest(format!("mainstay/migrate/{schema}")).into();
    let mut key = [0; 8];
    key.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(key)
}

/// An identifier as SQL writes one that may have any characters.
fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_schema_has_a_lock_of_its_own() {
        assert_eq!(lock_key("scoring"), lock_key("scoring"));
        assert_ne!(lock_key("scoring"), lock_key("surveys"));
    }

    #[test]
    fn quotes_within_an_identifier_do_not_end_it() {
        assert_eq!(quoted("a\"; DROP"), "\"a\"\"; DROP\"");
    }
}
