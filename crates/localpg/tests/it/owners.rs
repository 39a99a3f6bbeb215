//! A server goes away with its owner, however that ends.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use mainstay_localpg::{LocalPg, LocalPgOptions};

use crate::{eventually, is_alive, server_process};

const ENDING: &str = "LOCALPG_TEST_OWNER_ENDS";
const MARK: &str = "runs in ";

static NEVER_DROPPED: OnceLock<LocalPg> = OnceLock::new();

/// Not a test but the owner that the tests below start as a process of its own.
#[test]
#[ignore = "the tests of this file run it"]
fn owner() {
    let Ok(ending) = std::env::var(ENDING) else { return };
    let server = LocalPg::start_blocking(&LocalPgOptions::default()).expect("a server");
    let server = NEVER_DROPPED.get_or_init(|| server);
    println!("\n{MARK}{} {}", server.data_dir().display(), server.url("postgres"));
    match ending.as_str() {
        "returns" => {}
        "exits" => std::process::exit(3),
        "aborts" => std::process::abort(),
        _ => loop {
            std::thread::park();
        },
    }
}

/// An owner in a process group of its own, and where its server is.
struct Owned {
    owner: Child,
    folder: PathBuf,
    address: String,
    server: Option<u32>,
    supervisor: u32,
}

impl Owned {
    fn start(ending: &str) -> Self {
        let this = std::env::current_exe().expect("this program");
        let mut owner = Command::new(this)
            .args(["--exact", "owners::owner", "--ignored", "--nocapture"])
            .env(ENDING, ending)
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("an owner");
        let mut lines = BufReader::new(owner.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let line = lines.find(|line| line.starts_with(MARK)).expect("an owner whose server runs");
        let (folder, url) = line[MARK.len()..].rsplit_once(' ').expect("folder and URL");
        let address = url.split(['@', '/']).nth(3).expect("an address").to_owned();
        let folder = PathBuf::from(folder);
        let waits = ending == "waits";
        let server = waits.then(|| server_process(&folder));
        let supervisor = server.map_or(0, parent_of);
        Self { owner, folder, address, server, supervisor }
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("/bin/kill").args([signal, &self.owner.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    fn assert_all_goes(mut self) {
        self.owner.wait().expect("an owner that ends");
        eventually("the folder is gone", || !self.folder.exists());
        eventually("nothing listens", || TcpStream::connect(&self.address).is_err());
        if let Some(server) = self.server {
            eventually("the server is gone", || !is_running(server));
            eventually("the supervisor is gone", || !is_running(self.supervisor));
        }
        eventually("no process has the folder in its command line", || !is_mentioned_by_a_process(&self.folder));
    }
}

/// Whether a process runs; one that ended and waits for its adopted parent to notice does not.
fn is_running(process: u32) -> bool {
    is_alive(process) && state_of(process) != Some('Z')
}

fn stat_fields(process: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

fn state_of(process: u32) -> Option<char> {
    stat_fields(process)?.first()?.chars().next()
}

fn parent_of(process: u32) -> u32 {
    stat_fields(process).and_then(|fields| fields.get(1)?.parse().ok()).unwrap_or(0)
}

fn is_mentioned_by_a_process(folder: &Path) -> bool {
    let folder = folder.to_string_lossy();
    let Ok(entries) = std::fs::read_dir("/proc") else { return false };
    let mut command_lines = entries.flatten().filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    command_lines.any(|words| String::from_utf8_lossy(&words).contains(folder.as_ref()))
}

#[test]
fn an_owner_that_returns_from_main_without_dropping_takes_its_server_along() {
    Owned::start("returns").assert_all_goes();
}

#[test]
fn an_owner_that_exits_takes_its_server_along() {
    Owned::start("exits").assert_all_goes();
}

#[test]
fn an_owner_that_aborts_takes_its_server_along() {
    Owned::start("aborts").assert_all_goes();
}

#[test]
fn an_owner_that_is_killed_takes_its_server_along() {
    let owned = Owned::start("waits");
    owned.signal("-KILL");
    owned.assert_all_goes();
}

#[test]
fn an_interrupt_from_the_terminal_reaches_the_owner_alone() {
    let owned = Owned::start("waits");
    let server = owned.server.expect("a server");
    let group = |process: u32| stat_fields(process).map(|fields| fields[2].clone());
    if state_of(server).is_some() {
        assert_ne!(group(server), group(owned.owner.id()));
        assert_ne!(group(owned.supervisor), group(owned.owner.id()));
    }
    owned.signal("-INT");
    owned.assert_all_goes();
}

#[test]
fn a_supervisor_that_is_told_to_end_stops_the_server_in_order() {
    let mut owned = Owned::start("waits");
    if owned.supervisor != 0 {
        let status = Command::new("/bin/kill").args(["-TERM", &owned.supervisor.to_string()]).status();
        assert!(status.expect("kill runs").success());
        eventually("the folder is gone", || !owned.folder.exists());
    }
    owned.owner.kill().expect("the owner lives");
    owned.assert_all_goes();
}

#[test]
fn a_supervisor_that_is_killed_still_leaves_no_server_behind() {
    let mut owned = Owned::start("waits");
    if owned.supervisor != 0 {
        let status = Command::new("/bin/kill").args(["-KILL", &owned.supervisor.to_string()]).status();
        assert!(status.expect("kill runs").success());
    }
    owned.owner.kill().expect("the owner lives");
    owned.assert_all_goes();
}
