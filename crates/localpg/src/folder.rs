//! The folder of a server: its data, password, log and lock.
//!
//! A folder is locked from before its server starts until after it has stopped: this process and the
//! supervisor share the lock, so it outlives an owner that was killed.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::LocalPgError;
use crate::process::{is_alive, lookup_live_server};
use crate::user::ServerUser;

const LOCK_FILE: &str = "localpg.lock";
const PASSWORD_FILE: &str = "password";
const LOG_FILE: &str = "server.log";
const PREVIOUS_LOG_FILE: &str = "server.previous.log";
const FAILURE_FILE: &str = "failed";
const PASSWORD_BYTES: usize = 24;
const LOG_LINES_SHOWN: usize = 20;

/// How often, and how long in between, a folder is asked for whose last server is still stopping.
const LOCK_ATTEMPTS_MAX: u32 = 1_200;
const LOCK_WAIT: Duration = Duration::from_millis(50);

/// A folder that this process holds the lock of.
#[derive(Debug)]
pub(crate) struct ServerFolder {
    path: PathBuf,
    lock: File,
    /// Removes a temporary folder until the supervisor has taken that over.
    temporary: Option<TempDir>,
}

impl ServerFolder {
    /// A new folder that goes away with the server.
    pub(crate) fn temporary(user: &ServerUser) -> Result<Self, LocalPgError> {
        let parent = std::env::temp_dir();
        let temporary = tempfile::Builder::new()
            .prefix("mainstay-pg-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(LocalPgError::io("make a folder in", &parent))?;
        let path = canonical(temporary.path())?;
        user.own(&path)?;
        user.check_reach(&path)?;
        let lock = lock(&path)?;
        Ok(Self { path, lock, temporary: Some(temporary) })
    }

    /// A folder that is kept: made if it is new, taken over if an earlier server of ours left it.
    pub(crate) fn kept(wanted: &Path, user: &ServerUser) -> Result<Self, LocalPgError> {
        let is_new = !wanted.join(LOCK_FILE).exists();
        if is_new {
            make_folder(wanted)?;
        }
        let path = canonical(wanted)?;
        user.check_reach(path.parent().unwrap_or(&path))?;
        if is_new {
            user.own(&path)?;
            fs::set_permissions(&path, Permissions::from_mode(0o700)).map_err(LocalPgError::io("close", &path))?;
        }
        user.check_reach(&path)?;
        let lock = lock(&path)?;
        let folder = Self { path, lock, temporary: None };
        folder.remove_what_a_crash_left()?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder goes away with the server.
    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// PostgreSQL's own data folder.
    pub(crate) fn data(&self) -> PathBuf {
        data_of(&self.path)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join(LOG_FILE)
    }

    /// Where the supervisor says that the server ended on its own.
    pub(crate) fn failure(&self) -> PathBuf {
        self.path.join(FAILURE_FILE)
    }

    /// The major version of the PostgreSQL that wrote the data, if there is any.
    pub(crate) fn data_version(&self) -> Option<u32> {
        fs::read_to_string(self.data().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// The superuser's password: that of the data, or a new one when there is no data yet.
    pub(crate) fn password(&self, user: &ServerUser) -> Result<String, LocalPgError> {
        let path = self.path.join(PASSWORD_FILE);
        if self.data_version().is_some() {
            return fs::read_to_string(&path).map_err(LocalPgError::io("read the password of the data in", &path));
        }
        let password = random_hex()?;
        if path.exists() {
            fs::remove_file(&path).map_err(LocalPgError::io("replace", &path))?;
        }
        let mut file = create_private(&path)?;
        file.write_all(password.as_bytes()).map_err(LocalPgError::io("write", &path))?;
        user.own(&path)?;
        Ok(password)
    }

    /// Puts the last server's log aside and opens a new one for the supervisor.
    pub(crate) fn open_log(&self, user: &ServerUser) -> Result<File, LocalPgError> {
        let path = self.log();
        if path.exists() {
            fs::rename(&path, self.path.join(PREVIOUS_LOG_FILE)).map_err(LocalPgError::io("put aside", &path))?;
        }
        drop(create_private(&path)?);
        user.own(&path)?;
        OpenOptions::new().append(true).open(&path).map_err(LocalPgError::io("open", &path))
    }

    /// The last lines of the server's log.
    pub(crate) fn log_tail(&self) -> String {
        tail(&fs::read_to_string(self.log()).unwrap_or_default())
    }

    /// The lock for the supervisor to hold as well.
    pub(crate) fn share_lock(&self) -> Result<File, LocalPgError> {
        self.lock.try_clone().map_err(LocalPgError::io("share the lock of", &self.path))
    }

    /// Leaves a temporary folder to the supervisor, which now runs.
    pub(crate) fn leave_to_supervisor(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            let _kept: PathBuf = temporary.keep();
        }
    }

    /// Says that the owner has let go, so that whoever asks next waits for the server to stop.
    pub(crate) fn release(&self) {
        if let Err(error) = self.lock.set_len(0) {
            tracing::debug!(%error, folder = %self.path.display(), "the lock's owner was not cleared");
        }
    }

    fn remove_what_a_crash_left(&self) -> Result<(), LocalPgError> {
        let data = self.data();
        if let Some(pid) = lookup_live_server(&data) {
            let folder = self.path.clone();
            return Err(LocalPgError::InUse {
                folder,
                holder: "a PostgreSQL server that this program did not start",
                pid,
            });
        }
        for stale in [data.join("postmaster.pid"), self.failure()] {
            match fs::remove_file(&stale) {
                Ok(()) => tracing::info!(file = %stale.display(), "removed what an earlier server left"),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(LocalPgError::io("remove", &stale)(error)),
            }
        }
        Ok(())
    }
}

/// PostgreSQL's own data folder in a server's folder.
fn data_of(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn make_folder(wanted: &Path) -> Result<(), LocalPgError> {
    fs::create_dir_all(wanted).map_err(LocalPgError::io("make the data folder", wanted))?;
    let mut entries = fs::read_dir(wanted).map_err(LocalPgError::io("read the data folder", wanted))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(LocalPgError::NotOurs { folder: wanted.to_owned() }),
    }
}

fn canonical(path: &Path) -> Result<PathBuf, LocalPgError> {
    fs::canonicalize(path).map_err(LocalPgError::io("find", path))
}

/// Locks a folder for this process. When its owner is gone or has let go, the server is stopping: that is waited for.
fn lock(folder: &Path) -> Result<File, LocalPgError> {
    let path = folder.join(LOCK_FILE);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(LocalPgError::io("open", &path))?;
    for _ in 0..LOCK_ATTEMPTS_MAX {
        match file.try_lock() {
            Ok(()) => {
                let owner = std::process::id().to_string();
                file.set_len(0)
                    .and_then(|()| file.write_all(owner.as_bytes()))
                    .map_err(LocalPgError::io("write", &path))?;
                return Ok(file);
            }
            Err(TryLockError::Error(source)) => return Err(LocalPgError::io("lock", &path)(source)),
            Err(TryLockError::WouldBlock) => {}
        }
        if let Some(pid) = lookup_owner(&path).filter(|pid| is_alive(*pid)) {
            return Err(LocalPgError::InUse { folder: folder.to_owned(), holder: "another Mainstay", pid });
        }
        thread::sleep(LOCK_WAIT);
    }
    let pid = lookup_live_server(&data_of(folder)).unwrap_or(0);
    Err(LocalPgError::InUse { folder: folder.to_owned(), holder: "a PostgreSQL server that does not stop", pid })
}

fn lookup_owner(lock_file: &Path) -> Option<u32> {
    fs::read_to_string(lock_file).ok()?.parse().ok()
}

/// A file for this user's eyes, new: it follows no link that another user may have put there.
fn create_private(path: &Path) -> Result<File, LocalPgError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(LocalPgError::io("make", path))
}

fn random_hex() -> Result<String, LocalPgError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; PASSWORD_BYTES];
    File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).map_err(LocalPgError::io("read", path))?;
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    Ok(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect())
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let first = lines.len().saturating_sub(LOG_LINES_SHOWN);
    if lines.is_empty() { "(the log is empty)".to_owned() } else { lines[first..].join("\n") }
}
