//! The suite's database: a private server, or one that is given.

use std::env;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay_domain::Clock;
use mainstay_localpg::{LocalPg, LocalPgError, LocalPgOptions};
use mainstay_storage::{DatabaseSettings, Migrator};

use crate::failure::Failure;

/// The database of all services on a private server.
const DATABASE: &str = "mainstay";
/// In a database that grows from nothing within seconds, plans are kept that were made for empty tables:
/// each statement is planned for what is there now.
const TEMPORARY_SETTINGS: [(&str, &str); 2] = [("plan_cache_mode", "force_custom_plan"), ("jit", "off")];
/// Where PostgreSQL is in the data folder.
const POSTGRESQL_FOLDER: &str = "postgresql";
/// Where root keeps data: PostgreSQL runs as another user, who cannot enter root's home.
const DATA_DIR_OF_ROOT: &str = "/var/lib/mainstay";

/// Where the suite's data is.
pub(crate) enum Database {
    /// On a private server that ends with the suite.
    Private(LocalPg),
    /// On a server that somebody else looks after.
    Given(String),
}

impl Database {
    /// A private server whose data is kept in a folder between runs.
    pub(crate) async fn kept(folder: &Path) -> Result<Self, Failure> {
        make_enterable(folder)
            .map_err(|error| Failure::Suite(format!("the data folder {} cannot be made: {error}", folder.display())))?;
        let data_dir = Some(folder.join(POSTGRESQL_FOLDER));
        Self::private(LocalPgOptions { data_dir, durable: true, ..LocalPgOptions::default() }).await
    }

    /// A private server whose data goes away with it.
    pub(crate) async fn temporary() -> Result<Self, Failure> {
        let settings = TEMPORARY_SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self::private(LocalPgOptions { settings, ..LocalPgOptions::default() }).await
    }

    async fn private(options: LocalPgOptions) -> Result<Self, Failure> {
        let server = LocalPg::start(options).await.map_err(|error| Failure::Suite(start_fault(&error)))?;
        create_database(&server.url("postgres"))
            .await
            .map_err(|error| Failure::Suite(format!("the database cannot be made: {error}")))?;
        Ok(Self::Private(server))
    }

    /// The URL of the database. It may hold a password.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Private(server) => server.url(DATABASE),
            Self::Given(url) => url.clone(),
        }
    }

    /// Brings a schema up to date.
    pub(crate) async fn migrate(&self, migrator: &Migrator, clock: &dyn Clock) -> Result<(), Failure> {
        let failed = |error: &dyn std::error::Error| {
            Failure::Suite(format!("the schema `{}` cannot be brought up to date: {error}", migrator.schema().as_str()))
        };
        // A migration may take long; it has no caller who waits.
        let settings = DatabaseSettings {
            max_connections: 1,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::ZERO,
            ..DatabaseSettings::new(self.url(), "mainstay")
        };
        let pool = mainstay_storage::connect(&settings).map_err(|error| failed(&error))?;
        let migrated = migrator.migrate(&pool, clock.now(), None).await;
        pool.close().await;
        migrated.map(drop).map_err(|error| failed(&error))
    }

    /// Stops a private server and waits until it is gone.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        match self {
            Self::Private(server) => server.stop().await.map_err(|error| Failure::Suite(error.to_string())),
            Self::Given(_) => Ok(()),
        }
    }
}

fn start_fault(error: &LocalPgError) -> String {
    match error {
        LocalPgError::InUse { holder: "another Mainstay", pid, .. } => {
            format!("it runs already, as process {pid}: {error}")
        }
        other => other.to_string(),
    }
}

async fn create_database(server_url: &str) -> Result<(), sqlx::Error> {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(server_url).await?;
    let exists = sqlx::query("SELECT FROM pg_database WHERE datname = $1").bind(DATABASE);
    if exists.fetch_optional(&mut connection).await?.is_none() {
        sqlx::query("CREATE DATABASE mainstay").execute(&mut connection).await?;
    }
    connection.close().await
}

/// Makes a folder that the user who runs PostgreSQL can enter. One that is there stays as it is.
fn make_enterable(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

/// The folder of the data when none is given.
pub(crate) fn default_data_dir() -> Result<PathBuf, Failure> {
    let is_root = rustix::process::geteuid().is_root();
    data_dir_of(is_root, |name| env::var_os(name).map(PathBuf::from))
        .ok_or_else(|| Failure::Usage("neither XDG_DATA_HOME nor HOME is set: say where with --data-dir".to_owned()))
}

fn data_dir_of(is_root: bool, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    if let Some(data) = absolute("XDG_DATA_HOME") {
        return Some(data.join("mainstay"));
    }
    if is_root {
        return Some(PathBuf::from(DATA_DIR_OF_ROOT));
    }
    absolute("HOME").map(|home| home.join(".local/share/mainstay"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_folder_is_where_the_system_wants_it() {
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/home/mia"));
        let data = |name: &str| (name == "XDG_DATA_HOME").then(|| PathBuf::from("/data"));
        let relative = |name: &str| (name == "XDG_DATA_HOME").then(|| PathBuf::from("data"));
        assert_eq!(data_dir_of(false, home), Some(PathBuf::from("/home/mia/.local/share/mainstay")));
        assert_eq!(data_dir_of(true, home), Some(PathBuf::from("/var/lib/mainstay")));
        assert_eq!(data_dir_of(true, data), Some(PathBuf::from("/data/mainstay")));
        assert_eq!(data_dir_of(false, relative), None);
    }
}
