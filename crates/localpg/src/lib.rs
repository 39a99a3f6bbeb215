//! A private PostgreSQL server for the demo and the tests.
use std::path::{Path, PathBuf};

/// How to run a private server.
#[derive(Debug, Clone, Default)]
pub struct LocalPgOptions {
    /// Where the data is kept. `None`: a temporary folder, removed at stop.
    pub data_dir: Option<PathBuf>,
    /// The port on 127.0.0.1. `None`: a free one.
    pub port: Option<u16>,
    /// Whether data survives a crash of the machine.
    pub durable: bool,
    /// Further settings of the server, as in `postgresql.conf`.
    pub settings: Vec<(String, String)>,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum LocalPgError {}

/// A running private server.
#[derive(Debug)]
pub struct LocalPg {}

impl LocalPg {
    /// Starts a server.
    #[expect(clippy::unused_async, reason = "signature first")]
    pub async fn start(options: LocalPgOptions) -> Result<Self, LocalPgError> {
        todo!("{options:?}")
    }
    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        todo!("{database}")
    }
    /// The folder.
    pub fn data_dir(&self) -> &Path {
        todo!()
    }
    /// Stops it.
    #[expect(clippy::unused_async, reason = "signature first")]
    pub async fn stop(self) -> Result<(), LocalPgError> {
        todo!()
    }
}
