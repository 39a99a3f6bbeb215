//! Private servers, on the PostgreSQL of this machine.

mod folders;
mod owners;
mod servers;

use std::path::Path;
use std::thread;
use std::time::Duration;

use mainstay_localpg::{LocalPg, LocalPgOptions};
use sqlx::{Connection, PgConnection};

/// How often a condition is asked for before a test gives up: 30 s in all.
const ATTEMPTS_MAX: u32 = 600;
const ATTEMPT_WAIT: Duration = Duration::from_millis(50);

/// Asks until `holds`; panics with `what` when it never does.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..ATTEMPTS_MAX {
        if holds() {
            return;
        }
        thread::sleep(ATTEMPT_WAIT);
    }
    panic!("never came true: {what}");
}

async fn start(options: LocalPgOptions) -> LocalPg {
    match LocalPg::start(options).await {
        Ok(server) => server,
        Err(error) => panic!("{error}"),
    }
}

async fn refusal(options: LocalPgOptions) -> String {
    match LocalPg::start(options).await {
        Ok(server) => panic!("started in {}", server.data_dir().display()),
        Err(error) => error.to_string(),
    }
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("a connection")
}

async fn setting(url: &str, name: &str) -> String {
    let mut connection = connect(url).await;
    sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(&mut connection).await.expect("a setting")
}

/// The process of the server in a folder.
fn server_process(folder: &Path) -> u32 {
    let written = std::fs::read_to_string(folder.join("data/postmaster.pid")).expect("a server that runs");
    written.lines().next().and_then(|line| line.trim().parse().ok()).expect("a process number")
}

fn is_alive(process: u32) -> bool {
    let status = std::process::Command::new("/bin/kill").args(["-0", &process.to_string()]).output();
    status.is_ok_and(|output| output.status.success())
}
