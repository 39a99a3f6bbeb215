//! The `mainstay` command, run as a process: against a server in memory on a
//! loopback socket, and as the server itself.

mod account_signals;
mod adoption;
mod cohorts;
mod company;
mod expansion;
mod forecasts;
mod import_accounts;
mod import_payloads;
mod import_signals;
mod look_ups;
mod models;
mod monthly_usage;
mod operations;
mod renewal_sync;
mod reports;
mod server;
mod status;
mod story;
mod surveys;
mod terms;
mod up;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// What a run of the command gave.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn command(server: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
    for name in ["MAINSTAY_SERVER", "MAINSTAY_TOKEN", "MAINSTAY_TOKEN_FILE", "MAINSTAY_OUTPUT", "MAINSTAY_TIMEOUT"] {
        command.env_remove(name);
    }
    command.args(arguments).args(["--server", &server.to_string()]).stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().expect("not killed"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Runs the command to its end.
async fn run(server: SocketAddr, arguments: &[&str]) -> Ran {
    ran(command(server, arguments).output().await.expect("the command starts"))
}

/// Runs the command to its end with `input` on its standard input.
async fn run_with_input(server: SocketAddr, arguments: &[&str], input: &str) -> Ran {
    let mut child = command(server, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).await.expect("read");
    drop(stdin);
    ran(child.wait_with_output().await.expect("ends"))
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("a plain path").to_owned()
}
