//! The child that runs the server and outlives its owner just long enough to stop it.
//!
//! A `sh` in a process group of its own (so that Ctrl-C in a terminal reaches the owner alone) is the parent of the
//! server and reads a pipe whose other end this process holds. However this process ends, the
//! pipe ends with it, and the script stops the server and removes a temporary folder. See `supervisor.sh`.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::LocalPgError;
use crate::folder::ServerFolder;
use crate::locate::Installation;
use crate::user::ServerUser;

const SCRIPT: &str = include_str!("supervisor.sh");

const POLL: Duration = Duration::from_millis(10);
/// How long a start may take; recovery after a crash is part of it.
const START_SECONDS_MAX: u64 = 180;
/// How long a stop may take: `pg_ctl` tries for 60 s, then for 10 s at once, then the server is killed.
const STOP_SECONDS_MAX: u64 = 80;
const POLLS_PER_SECOND: u64 = 100;

/// What the script is to run.
#[derive(Debug)]
pub(crate) struct Orders<'a> {
    pub(crate) installation: &'a Installation,
    pub(crate) user: &'a ServerUser,
    pub(crate) initdb_options: String,
    /// Tried in turn while the one before is taken.
    pub(crate) ports: &'a [u16],
    pub(crate) server_options: Vec<String>,
}

/// A running script. Dropped, it goes on by itself to stop the server.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Option<Child>,
    owner_lives: Option<ChildStdin>,
    folder: ServerFolder,
    keeps: bool,
}

impl Supervisor {
    /// Runs the script, which from now on removes a temporary folder.
    pub(crate) fn spawn(mut folder: ServerFolder, orders: &Orders<'_>) -> Result<Self, LocalPgError> {
        let keeps = !folder.is_temporary();
        let log = folder.open_log(orders.user)?;
        let ports: Vec<String> = orders.ports.iter().map(u16::to_string).collect();
        let shell = Path::new("/bin/sh");
        let mut command = orders.user.command(shell);
        command
            .args(["-c", SCRIPT, "mainstay-localpg"])
            .arg(&orders.installation.binaries)
            .arg(folder.path())
            .args(if keeps { ["fast", "keep"] } else { ["immediate", "remove"] })
            .arg(&orders.initdb_options)
            .arg(ports.join(" "))
            .args(&orders.server_options)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(folder.share_lock()?)
            .stderr(log);
        let mut child = command.spawn().map_err(LocalPgError::io("run", shell))?;
        folder.leave_to_supervisor();
        let owner_lives = child.stdin.take();
        Ok(Self { child: Some(child), owner_lives, folder, keeps })
    }

    pub(crate) fn folder(&self) -> &ServerFolder {
        &self.folder
    }

    /// Waits until the server accepts connections, and gives its port.
    pub(crate) fn wait_until_ready(&mut self, ports: &[u16]) -> Result<u16, LocalPgError> {
        for _ in 0..START_SECONDS_MAX * POLLS_PER_SECOND {
            if let Some(port) = lookup_ready_port(&self.folder.data()) {
                return Ok(port);
            }
            if self.folder.failure().exists() || self.has_ended() {
                return Err(self.start_failure(ports));
            }
            thread::sleep(POLL);
        }
        let (folder, log) = (self.folder.path().to_owned(), self.folder.log_tail());
        Err(LocalPgError::NotReady { folder, seconds: START_SECONDS_MAX, log })
    }

    /// Stops the server and waits until it is gone.
    pub(crate) fn stop(mut self) -> Result<(), LocalPgError> {
        self.let_go();
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let ended = wait_bounded(&mut child);
        let clean = ended.is_some_and(|status| status.success());
        if clean || (!self.keeps && ended.is_some()) {
            return Ok(());
        }
        Err(LocalPgError::Stop { folder: self.folder.path().to_owned(), log: self.folder.log_tail() })
    }

    fn let_go(&mut self) {
        self.folder.release();
        self.owner_lives = None;
    }

    fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    fn start_failure(&self, ports: &[u16]) -> LocalPgError {
        let log = self.folder.log_tail();
        let folder = self.folder.path().to_owned();
        let stage = fs::read_to_string(self.folder.failure()).unwrap_or_default();
        match (stage.trim(), ports) {
            ("initdb", _) => LocalPgError::Initdb { folder, log },
            (_, &[port]) if log.contains("could not create any TCP/IP sockets") => LocalPgError::PortTaken { port },
            _ => LocalPgError::Start { folder, log },
        }
    }
}

impl Drop for Supervisor {
    /// Lets go and returns at once; a thread waits for the child, so that no zombie is left while this process lives.
    fn drop(&mut self) {
        self.let_go();
        if let Some(mut child) = self.child.take() {
            let reaper = thread::Builder::new().name("localpg-reaper".to_owned());
            if let Err(error) = reaper.spawn(move || child.wait()) {
                tracing::warn!(%error, "nothing waits for the supervisor of PostgreSQL; the server stops all the same");
            }
        }
    }
}

/// The port of the server, once `postmaster.pid` says that it is ready. Its lines are: process, data folder,
/// start time, port, socket folder, address, shared memory, state (PostgreSQL's `utils/pidfile.h`).
fn lookup_ready_port(data: &Path) -> Option<u16> {
    let written = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let lines: Vec<&str> = written.lines().map(str::trim).collect();
    match lines.as_slice() {
        [_, _, _, port, _, _, _, "ready", ..] => port.parse().ok(),
        _ => None,
    }
}

fn wait_bounded(child: &mut Child) -> Option<ExitStatus> {
    for _ in 0..STOP_SECONDS_MAX * POLLS_PER_SECOND {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) => thread::sleep(POLL),
            Err(_) => return None,
        }
    }
    None
}
