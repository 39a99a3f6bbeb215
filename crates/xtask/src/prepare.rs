//! What sqlx needs to know of each query to build without a database: `.sqlx/`.
//!
//! Does what `cargo sqlx prepare` does, with a private PostgreSQL and the services' own migrations.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use mainstay_localpg::{LocalPg, LocalPgOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::cargo;
use crate::workspace::{Files, empty_folder, entries, files_below, read_files, root, write_files};

const OUTPUT: &str = ".sqlx";
const CACHE: &str = "target/xtask-prepare";

/// Writes `.sqlx/`, or with `check` fails when it differs from what is there.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = root();
    let fresh = query_data(&root)?;
    let committed = read_files(&root.join(OUTPUT))?;
    if fresh == committed {
        println!("{OUTPUT} is up to date with {} queries", fresh.len());
        return Ok(());
    }
    if check {
        let missing = fresh.keys().filter(|name| !committed.contains_key(*name)).count();
        let stale = committed.keys().filter(|name| !fresh.contains_key(*name)).count();
        let changed = fresh.iter().filter(|(name, data)| committed.get(*name).is_some_and(|old| old != *data)).count();
        bail!(
            "{OUTPUT} is out of date with the queries ({missing} missing, {stale} no longer used, {changed} changed): \
             run `cargo xtask prepare` and commit what it writes"
        );
    }
    write_files(&root.join(OUTPUT), &fresh)?;
    println!("wrote {} queries to {OUTPUT}", fresh.len());
    Ok(())
}

/// A service that has tables.
struct Service {
    name: String,
    folder: PathBuf,
}

impl Service {
    fn all(root: &Path) -> Result<Vec<Self>> {
        let folders = entries(&root.join("services"))?;
        Ok(folders
            .into_iter()
            .filter(|folder| folder.join("migrations").is_dir())
            .map(|folder| Self { name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(), folder })
            .collect())
    }

    fn package(&self) -> String {
        format!("mainstay-{}", self.name)
    }

    fn migrations(&self) -> Result<Vec<PathBuf>> {
        files_below(&self.folder.join("migrations"), "sql")
    }

    /// Whether it keeps a copy of the accounts in its schema.
    fn keeps_accounts(&self) -> Result<bool> {
        Ok(fs::read_to_string(self.folder.join("Cargo.toml"))?.contains("mainstay-accounts"))
    }
}

/// The tables of the copy of the accounts.
fn account_migrations(root: &Path) -> Result<Vec<PathBuf>> {
    files_below(&root.join("crates/accounts/migrations"), "sql")
}

/// The data of all queries; kept in the target folder, so that asking again is quick while nothing changed.
fn query_data(root: &Path) -> Result<Files> {
    let services = Service::all(root)?;
    let kept = root.join(CACHE).join(inputs(root, &services)?);
    if !kept.is_dir() {
        let output = empty_folder(root.join(CACHE))?.join("new");
        fs::create_dir(&output)?;
        describe_queries(root, &services, &output)?;
        fs::rename(&output, &kept)?;
    }
    read_files(&kept)
}

/// One name for everything that the data depends on.
fn inputs(root: &Path, services: &[Service]) -> Result<String> {
    let mut files = vec![root.join("Cargo.lock")];
    files.extend(account_migrations(root)?);
    for service in services {
        files.extend(files_below(&service.folder.join("src"), "rs")?);
        files.extend(service.migrations()?);
    }
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(&file).with_context(|| format!("reading {}", file.display()))?.hash(&mut hasher);
        file.strip_prefix(root)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[tokio::main(flavor = "current_thread")]
async fn describe_queries(root: &Path, services: &[Service], output: &Path) -> Result<()> {
    let server = LocalPg::start(LocalPgOptions::default()).await.context("starting a private PostgreSQL")?;
    let url = server.url("postgres");
    let mut connection = PgConnection::connect(&url).await?;
    for service in services {
        migrate(&mut connection, root, service).await?;
    }
    connection.close().await?;
    for service in services {
        compile(root, service, output, &url)?;
    }
    server.stop().await?;
    Ok(())
}

/// The service's own tables, and its copy of the accounts, with which it joins them. The other shared crates' are not
/// there, for only they query them.
async fn migrate(connection: &mut PgConnection, root: &Path, service: &Service) -> Result<()> {
    let schema = &service.name;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut *connection).await?;
    let mut migrations = if service.keeps_accounts()? { account_migrations(root)? } else { Vec::new() };
    migrations.extend(service.migrations()?);
    for path in migrations {
        let sql = fs::read_to_string(&path)?.replace("{schema}", schema);
        let applied = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await;
        applied.with_context(|| format!("applying {}", path.display()))?;
    }
    Ok(())
}

/// Has the query macros of a service ask the database and write down what it says.
fn compile(root: &Path, service: &Service, output: &Path, url: &str) -> Result<()> {
    let command = || {
        let mut command = cargo::command(root);
        command.args(["rustc", "--quiet", "--lib", "--profile=check", "--message-format=json-render-diagnostics"]);
        // The setting makes the result one of its own, so that no other cargo's build can stand in for ours.
        command.args(["--package", &service.package(), "--", "--cfg", "mainstay_prepare"]);
        command.env("DATABASE_URL", url).env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", output);
        command
    };
    if cargo::compiles_library(command(), &service.package())? {
        return Ok(());
    }
    // Cargo saw no change in the sources, and does not know of the database: the crate's root is made new.
    let now = fs::metadata(output)?.modified()?;
    fs::File::options().write(true).open(service.folder.join("src/lib.rs"))?.set_modified(now)?;
    if !cargo::compiles_library(command(), &service.package())? {
        bail!("cargo did not compile {} though it changed: run this again", service.package());
    }
    Ok(())
}
