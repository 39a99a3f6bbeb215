//! A database for each test, on one private PostgreSQL per test process.
//!
//! The server starts with the first test that asks and stops when the process ends. Migrations run
//! once for each distinct migrator, into a template; a test's database is a copy of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use chrono::DateTime;
use mainstay_localpg::{LocalPg, LocalPgError, LocalPgOptions};
use mainstay_storage::{DatabaseSettings, Migrator, fingerprint};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::sync::{Mutex, OnceCell, oneshot};

/// Room for the pools of all tests that run at once.
const CONNECTIONS_MAX: u32 = 300;
const CONNECTIONS_PER_TEST_MAX: u32 = 20;
/// Longer than a service waits: a busy machine is no failure of the test.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// Never dropped: its supervisor stops the server when this process ends. A failure is
/// kept too, so that each test reports it instead of trying again.
static SERVER: OnceCell<Result<LocalPg, String>> = OnceCell::const_new();

/// The names of the templates by the migrations in them. Held while a database is made, for PostgreSQL copies a template
/// only while nobody else uses it.
static TEMPLATES: Mutex<Option<HashMap<[u8; 32], String>>> = Mutex::const_new(None);

static DATABASES_MADE: AtomicU64 = AtomicU64::new(0);

/// A database that one test has to itself. It goes away with the test process.
#[derive(Debug)]
pub struct TestDatabase {
    pool: PgPool,
    url: String,
}

impl TestDatabase {
    /// A pool on the database, as its superuser. It belongs to the runtime of the test that asked for the database.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The URL of the database, as its superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How a service under test uses it.
    pub fn settings(&self) -> DatabaseSettings {
        database_settings(&self.url)
    }
}

/// How a service under test uses the database at a URL.
pub fn database_settings(url: &str) -> DatabaseSettings {
    DatabaseSettings { acquire_timeout: ACQUIRE_TIMEOUT, ..DatabaseSettings::new(url, "test") }
}

/// A fresh database with the migrator's schema. Panics, saying what to do, when there is no PostgreSQL
/// or a migration fails.
pub async fn database(migrator: &Migrator) -> TestDatabase {
    let server = server().await;
    let mut held = TEMPLATES.lock().await;
    let templates = held.get_or_insert_default();
    let key = fingerprint_of(migrator);
    let template = if let Some(template) = templates.get(&key) {
        template.clone()
    } else {
        let template = create_template(server, migrator).await;
        templates.insert(key, template.clone());
        template
    };
    let name = create_database(server, "test", &template).await;
    drop(held);
    connect(server, &name)
}

/// A fresh database with nothing in it, for tests that migrate by themselves.
pub async fn empty_database() -> TestDatabase {
    let server = server().await;
    let held = TEMPLATES.lock().await;
    let name = create_database(server, "test", "template0").await;
    drop(held);
    connect(server, &name)
}

/// The server of this process. It is started on a thread of its own, so that it belongs to no test's runtime.
async fn server() -> &'static LocalPg {
    let started = SERVER
        .get_or_init(async || {
            let (sender, receiver) = oneshot::channel::<Result<LocalPg, LocalPgError>>();
            thread::spawn(move || {
                let settings = vec![("max_connections".to_owned(), CONNECTIONS_MAX.to_string())];
                let options = LocalPgOptions { settings, ..LocalPgOptions::default() };
                // Nobody listens any more when the test was cancelled: the server then stops with the drop.
                drop(sender.send(LocalPg::start_blocking(&options)));
            });
            let answer = receiver.await.map_err(|_| "the thread that starts PostgreSQL panicked".to_owned())?;
            answer.map_err(|error| error.to_string())
        })
        .await;
    match started {
        Ok(server) => server,
        Err(error) => panic!("the tests need a PostgreSQL of their own: {error}"),
    }
}

/// What makes two migrators give the same schema: its name and the text of all migrations, in order.
fn fingerprint_of(migrator: &Migrator) -> [u8; 32] {
    let mut parts = vec![migrator.schema().as_str().to_owned()];
    for set in migrator.sets() {
        parts.push(set.component.to_owned());
        for migration in set.migrations {
            let kind = if migration.transactional { "in one transaction" } else { "as it is" };
            parts.extend([migration.version.to_string(), migration.name.to_owned(), migration.sql.to_owned()]);
            parts.push(kind.to_owned());
        }
    }
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    fingerprint(&parts)
}

async fn create_template(server: &LocalPg, migrator: &Migrator) -> String {
    let name = create_database(server, "template", "template0").await;
    let database = connect(server, &name);
    if let Err(error) = migrator.migrate(database.pool(), DateTime::UNIX_EPOCH, None).await {
        panic!("the migrations of schema `{}` fail: {error}", migrator.schema().as_str());
    }
    database.pool.close().await;
    name
}

async fn create_database(server: &LocalPg, kind: &str, template: &str) -> String {
    let number = DATABASES_MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("{kind}_{number}");
    let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
    let made = async {
        let mut connection = PgConnection::connect(&server.url("postgres")).await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
        connection.close().await
    };
    if let Err(error) = made.await {
        panic!("no database `{name}` could be made from `{template}`: {error}");
    }
    name
}

fn connect(server: &LocalPg, name: &str) -> TestDatabase {
    let url = server.url(name);
    let options = PgPoolOptions::new()
        .max_connections(CONNECTIONS_PER_TEST_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false);
    match options.connect_lazy(&url) {
        Ok(pool) => TestDatabase { pool, url },
        Err(error) => panic!("the URL of database `{name}` is refused: {error}"),
    }
}
