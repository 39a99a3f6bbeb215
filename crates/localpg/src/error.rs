//! Why a private server does not run, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a private server does not run. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LocalPgError {
    /// No usable PostgreSQL is on this machine.
    #[error(
        "PostgreSQL {} was not found in {looked}. Install it (Debian, Ubuntu: `apt install postgresql`; macOS: \
         `brew install postgresql@17`), or set MAINSTAY_PG_BIN to the folder that holds `initdb` and `postgres`",
        .wanted.map_or_else(|| format!("{} or newer", crate::locate::MAJOR_MIN), |major| major.to_string())
    )]
    NotFound {
        /// The major version that the data needs; `None`: any that is new enough.
        wanted: Option<u32>,
        /// Where it was looked for, as a sentence part.
        looked: String,
    },

    /// `MAINSTAY_PG_BIN` names a folder that cannot be used.
    #[error("MAINSTAY_PG_BIN is `{folder}`, but {fault}")]
    BinFolder {
        /// What the variable says.
        folder: PathBuf,
        /// What is wrong with it, and what to do.
        fault: String,
    },

    /// PostgreSQL could not be fetched.
    #[error(
        "PostgreSQL is not installed and could not be fetched: {0}. Install it (Debian, Ubuntu: `apt install \
         postgresql`), or set MAINSTAY_PG_BIN to the folder that holds `initdb` and `postgres`"
    )]
    Fetch(String),

    /// The process is root's, and no user was found that the server could run as.
    #[error(
        "PostgreSQL does not run as root, and /etc/passwd has neither `postgres` nor `nobody` to run it as: add one \
         (`useradd --system postgres`), or start this program as another user"
    )]
    NoUnprivilegedUser,

    /// The user that the server runs as cannot get at a folder.
    #[error(
        "the user `{user}`, which runs the server because root may not, cannot reach `{wanted}`: `{closed}` is closed to it. Choose \
         another place (for example under /var/lib), or open that folder with `chmod o+x`"
    )]
    Unreachable {
        /// The user that runs the server.
        user: String,
        /// What it needs.
        wanted: PathBuf,
        /// The folder on the way that stops it.
        closed: PathBuf,
    },

    /// The data folder holds something else.
    #[error(
        "`{folder}` is not empty and was not made by this program: nothing in it was touched. Choose an empty or a new folder"
    )]
    NotOurs {
        /// The folder.
        folder: PathBuf,
    },

    /// Another process uses the data folder.
    #[error("`{folder}` is in use by {holder} (process {pid}). Stop that first, or choose another data folder")]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// What uses it, as a sentence part.
        holder: &'static str,
        /// The process that uses it; 0 when it is just stopping and takes too long.
        pid: u32,
    },

    /// The port that was asked for is taken.
    #[error("port {port} on 127.0.0.1 is taken. Choose another, or none to get a free one")]
    PortTaken {
        /// The port.
        port: u16,
    },

    /// A setting has a name that cannot be one.
    #[error("`{0}` is not the name of a PostgreSQL setting")]
    SettingName(String),

    /// `initdb` failed.
    #[error("initdb could not make a new cluster in `{folder}`. It said:\n{log}")]
    Initdb {
        /// The folder of the cluster.
        folder: PathBuf,
        /// The last lines that it wrote.
        log: String,
    },

    /// The server ended instead of starting.
    #[error("PostgreSQL did not start in `{folder}`. Its log ends with:\n{log}")]
    Start {
        /// The folder of the server.
        folder: PathBuf,
        /// The last lines of its log.
        log: String,
    },

    /// The server was not ready in time.
    #[error("PostgreSQL in `{folder}` was not ready after {seconds} s. Its log ends with:\n{log}")]
    NotReady {
        /// The folder of the server.
        folder: PathBuf,
        /// How long was waited, in seconds.
        seconds: u64,
        /// The last lines of its log.
        log: String,
    },

    /// The server did not stop cleanly. Kept data is recovered at the next start.
    #[error(
        "PostgreSQL in `{folder}` did not stop cleanly; the next start recovers its data. Its log ends with:\n{log}"
    )]
    Stop {
        /// The folder of the server.
        folder: PathBuf,
        /// The last lines of its log.
        log: String,
    },

    /// A file could not be read or written, or a program not run.
    #[error("could not {doing} `{path}`: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// The runtime ended while it waited.
    #[error("the runtime was shut down while PostgreSQL was starting or stopping")]
    Interrupted,
}

impl LocalPgError {
    /// Says with what an I/O error happened.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
