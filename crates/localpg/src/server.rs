//! Starting and stopping a server.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use crate::LocalPgError;
use crate::folder::ServerFolder;
use crate::locate::{Installation, Places};
use crate::supervisor::{Orders, Supervisor};
use crate::user::ServerUser;

/// How many free ports are picked; between the pick and the server's bind another process may take one.
const FREE_PORTS_TRIED: usize = 8;

/// How to run a private server. The default is temporary and not durable.
#[derive(Debug, Clone, Default)]
pub struct LocalPgOptions {
    /// The folder of the server, kept between runs; made if it does not exist, and only ever used by `LocalPg`.
    /// `None`: a temporary folder, removed when the server stops.
    pub data_dir: Option<PathBuf>,
    /// The port on 127.0.0.1. `None`: a free one.
    pub port: Option<u16>,
    /// Whether committed data survives a crash of the machine. `false` turns `fsync`, `synchronous_commit` and
    /// `full_page_writes` off, for tests and the demo: then a crash of the machine may spoil all of it, and a server that
    /// was itself killed loses its last second. An owner that is killed loses nothing either way.
    pub durable: bool,
    /// Further settings, by name and value as in `postgresql.conf`; they win over those of `LocalPg`.
    pub settings: Vec<(String, String)>,
}

/// A running private server on 127.0.0.1.
///
/// Dropped, it stops by itself in the background; [`LocalPg::stop`] waits for that. When the
/// process dies, in whatever way, a supervisor stops the server.
#[derive(Debug)]
pub struct LocalPg {
    supervisor: Supervisor,
    password: String,
    port: u16,
}

impl LocalPg {
    /// Starts a server and waits until it accepts connections: about a second for a new folder.
    ///
    /// Fails with what to do when PostgreSQL is not found, the folder is used by a live server or holds something
    /// else, the user that the server runs as cannot reach it, or the server does not start (its log is quoted).
    /// Must be called within a tokio runtime; needs none afterwards.
    pub async fn start(options: LocalPgOptions) -> Result<Self, LocalPgError> {
        let started = tokio::task::spawn_blocking(move || Self::start_blocking(&options)).await;
        started.unwrap_or(Err(LocalPgError::Interrupted))
    }

    /// [`LocalPg::start`] for a thread that may block, without a runtime.
    pub fn start_blocking(options: &LocalPgOptions) -> Result<Self, LocalPgError> {
        let server_options = server_options(options)?;
        let user = ServerUser::choose()?;
        let folder = match &options.data_dir {
            Some(wanted) => ServerFolder::kept(wanted, &user)?,
            None => ServerFolder::temporary(&user)?,
        };
        let installation = find_installation(folder.data_version())?;
        user.check_reach(&installation.binaries.join("postgres"))?;
        let password = folder.password(&user)?;
        let ports = match options.port {
            Some(port) => vec![port],
            None => free_ports()?,
        };
        let orders = Orders {
            installation: &installation,
            user: &user,
            initdb_options: initdb_options(options.durable),
            ports: &ports,
            server_options,
        };
        let mut supervisor = Supervisor::spawn(folder, &orders)?;
        let port = supervisor.wait_until_ready(&ports)?;
        tracing::debug!(port, major = installation.major, folder = %supervisor.folder().path().display(), "PostgreSQL runs");
        Ok(Self { supervisor, password, port })
    }

    /// The URL of a database of this server, as its superuser `postgres`. It holds the password.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{}", self.password, self.port, percent_encoded(database))
    }

    /// The folder of the server: `data/` is PostgreSQL's, beside it are its log and password.
    pub fn data_dir(&self) -> &Path {
        self.supervisor.folder().path()
    }

    /// Stops the server and waits until it is gone, and its folder with it if that is temporary.
    ///
    /// Fails when a server with kept data had to be killed or had ended before; its data is recovered at the next start.
    pub async fn stop(self) -> Result<(), LocalPgError> {
        let stopped = tokio::task::spawn_blocking(move || self.supervisor.stop()).await;
        stopped.unwrap_or(Err(LocalPgError::Interrupted))
    }
}

#[cfg(not(feature = "fetch"))]
fn find_installation(data_version: Option<u32>) -> Result<Installation, LocalPgError> {
    Places::of_this_machine().find(data_version)
}

#[cfg(feature = "fetch")]
fn find_installation(data_version: Option<u32>) -> Result<Installation, LocalPgError> {
    match Places::of_this_machine().find(data_version) {
        Err(LocalPgError::NotFound { wanted, .. }) => {
            crate::fetch::installation(wanted).map_err(|error| match (error, wanted) {
                (LocalPgError::Fetch(fault), Some(major)) => LocalPgError::Fetch(format!("version {major}: {fault}")),
                (error, _) => error,
            })
        }
        found => found,
    }
}

fn server_options(options: &LocalPgOptions) -> Result<Vec<String>, LocalPgError> {
    let mut settings = vec![("listen_addresses", "127.0.0.1"), ("unix_socket_directories", "")];
    if !options.durable {
        settings.extend([("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")]);
    }
    for (name, value) in &options.settings {
        if !is_setting_name(name) {
            return Err(LocalPgError::SettingName(name.clone()));
        }
        settings.push((name, value));
    }
    Ok(settings.into_iter().flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]).collect())
}

fn is_setting_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

/// Text is compared by its bytes, so that the order of names is the same on every machine.
fn initdb_options(durable: bool) -> String {
    let sync = if durable { "" } else { " --no-sync" };
    format!("--username=postgres --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-instructions{sync}")
}

/// Ports that were free a moment ago, each another.
fn free_ports() -> Result<Vec<u16>, LocalPgError> {
    let address = Path::new("127.0.0.1:0");
    let bound: Result<Vec<TcpListener>, _> =
        (0..FREE_PORTS_TRIED).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect();
    let listeners = bound.map_err(LocalPgError::io("bind", address))?;
    let ports: Result<Vec<u16>, _> = listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect();
    ports.map_err(LocalPgError::io("read the port of", address))
}

fn percent_encoded(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let encode = |byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_name_is_encoded_in_the_url() {
        assert_eq!(percent_encoded("a b/ü"), "a%20b%2F%C3%BC");
        assert_eq!(percent_encoded("test_1"), "test_1");
    }

    #[test]
    fn the_callers_settings_come_last_and_need_a_proper_name() {
        let with = |name: &str| LocalPgOptions {
            settings: vec![(name.to_owned(), "on".to_owned())],
            ..LocalPgOptions::default()
        };
        let options = server_options(&with("fsync")).expect("options");
        assert_eq!(options.last().map(String::as_str), Some("fsync=on"));
        assert!(matches!(server_options(&with("fsync=off -c x")), Err(LocalPgError::SettingName(_))));
    }

    #[test]
    fn free_ports_differ() {
        let mut ports = free_ports().expect("ports");
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), FREE_PORTS_TRIED);
    }
}
