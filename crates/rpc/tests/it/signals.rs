//! Signals, sent to a process of its own: this test's program, started again for one ignored test.

use std::process::{Command, ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};

const CHILD: &str = "signals::child_that_ends_when_it_is_told";
const STARTED: &str = "the child waits";
const ENDING: &str = "the child ends slowly";

/// Not a test: what the tests below send signals to.
#[tokio::test]
#[ignore = "run by the tests of signals, in a process of its own"]
async fn child_that_ends_when_it_is_told() {
    let shutdown = mainstay_rpc::shutdown::on_signals().expect("signals can be handled");
    println!("{STARTED}");
    shutdown.cancelled().await;
    println!("{ENDING}");
    std::future::pending::<()>().await;
}

/// Sends `signals` in turn, each when the child is seen to be ready for it; how the child ended.
async fn ended_by(signals: [&str; 2]) -> ExitStatus {
    let mut child = tokio::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", CHILD, "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let id = child.id().expect("it runs").to_string();
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    for (signal, ready) in signals.into_iter().zip([STARTED, ENDING]) {
        while !lines.next_line().await.expect("text").expect("a line before the end").contains(ready) {}
        let sent = Command::new("kill").args([signal, &id]).status().expect("there is `kill`");
        assert!(sent.success());
    }
    child.wait().await.expect("it ends")
}

#[tokio::test]
async fn the_first_signal_asks_and_the_second_ends_the_process_at_once() {
    for signals in [["-TERM", "-TERM"], ["-INT", "-TERM"], ["-TERM", "-INT"]] {
        let status = ended_by(signals).await;
        assert_eq!(status.code(), Some(mainstay_rpc::shutdown::ENDED_AT_ONCE), "{signals:?}");
    }
}
