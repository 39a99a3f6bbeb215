//! Kept folders: what survives, what is refused, what is cleaned up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use mainstay_localpg::LocalPgOptions;
use sqlx::Connection;
use tempfile::TempDir;

use crate::{connect, eventually, is_alive, refusal, server_process, start};

/// A folder that any user can get at; the server's own is made below it.
fn parent() -> TempDir {
    let parent = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    parent
}

fn kept_in(folder: &Path) -> LocalPgOptions {
    LocalPgOptions { data_dir: Some(folder.to_owned()), ..LocalPgOptions::default() }
}

fn kill(signal: &str, process: u32) {
    let status = Command::new("/bin/kill").args([signal, &process.to_string()]).status().expect("kill runs");
    assert!(status.success(), "kill {signal} {process}");
}

#[tokio::test]
async fn kept_data_is_there_at_the_next_start_under_the_same_password() {
    let parent = parent();
    let folder = parent.path().join("new/and new");
    let server = start(kept_in(&folder)).await;
    let first_url = server.url("postgres");
    let mut connection = connect(&first_url).await;
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 7 AS number").execute(&mut connection).await.expect("a table");
    connection.close().await.expect("closed");
    server.stop().await.expect("stopped");

    let server = start(kept_in(&folder)).await;
    let password = |url: &str| url.split(['@', ':']).nth(2).map(str::to_owned);
    assert_eq!(password(&server.url("postgres")), password(&first_url));
    let mut connection = connect(&server.url("postgres")).await;
    let number: i32 = sqlx::query_scalar("SELECT number FROM kept").fetch_one(&mut connection).await.expect("a row");
    assert_eq!(number, 7);
    let mode = |name: &str| fs::metadata(folder.join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("password"), mode("server.log")), (0o700, 0o600, 0o600));
}

#[tokio::test]
async fn a_folder_in_use_is_refused_with_the_process_that_uses_it() {
    let parent = parent();
    let folder = parent.path().join("data");
    let server = start(kept_in(&folder)).await;
    let refused = refusal(kept_in(&folder)).await;
    let holder = format!("in use by another Mainstay (process {})", std::process::id());
    assert!(refused.contains(&holder), "{refused}");
    connect(&server.url("postgres")).await;
}

#[tokio::test]
async fn a_dropped_server_hands_its_folder_on() {
    let parent = parent();
    let folder = parent.path().join("data");
    for _ in 0..3 {
        drop(start(kept_in(&folder)).await);
    }
    start(kept_in(&folder)).await.stop().await.expect("stopped");
}

#[tokio::test]
async fn a_live_server_of_somebody_else_is_left_alone() {
    let parent = parent();
    let folder = parent.path().join("data");
    let server = start(kept_in(&folder)).await;
    let process = server_process(&folder);
    let lock = folder.join("localpg.lock");
    fs::remove_file(&lock).expect("the lock's file");
    fs::write(&lock, "").expect("another lock file");
    let refused = refusal(kept_in(&folder)).await;
    assert!(refused.contains("that this program did not start") && refused.contains(&process.to_string()), "{refused}");
    assert!(is_alive(process));
    connect(&server.url("postgres")).await;
}

#[tokio::test]
async fn what_a_crash_left_is_cleaned_up_and_committed_data_recovered() {
    let parent = parent();
    let folder = parent.path().join("data");
    let server = start(LocalPgOptions { durable: true, ..kept_in(&folder) }).await;
    let mut connection = connect(&server.url("postgres")).await;
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 7 AS number").execute(&mut connection).await.expect("a table");
    let process = server_process(&folder);
    kill("-KILL", process);
    eventually("the server is gone", || !is_alive(process));
    server.stop().await.expect_err("it did not stop cleanly");
    let left = folder.join("data/postmaster.pid");
    let mut lines: Vec<String> = fs::read_to_string(&left).expect("left").lines().map(str::to_owned).collect();
    lines[0] = std::process::id().to_string();
    fs::write(&left, lines.join("\n")).expect("the number of a live process that is no server");

    let server = start(kept_in(&folder)).await;
    let mut connection = connect(&server.url("postgres")).await;
    let number: i32 = sqlx::query_scalar("SELECT number FROM kept").fetch_one(&mut connection).await.expect("a row");
    assert_eq!(number, 7);
}

#[tokio::test]
async fn a_folder_with_other_things_in_it_is_not_touched() {
    let parent = parent();
    let file = parent.path().join("letter.txt");
    fs::write(&file, "dear").expect("a file");
    let refused = refusal(kept_in(parent.path())).await;
    assert!(refused.contains("is not empty and was not made by this program"), "{refused}");
    let names: Vec<PathBuf> =
        fs::read_dir(parent.path()).expect("entries").flatten().map(|entry| entry.path()).collect();
    assert_eq!(names, [file]);
    assert_eq!(fs::metadata(parent.path()).expect("a folder").permissions().mode() & 0o777, 0o755);
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_is_refused() {
    let parent = parent();
    let folder = parent.path().join("data");
    start(kept_in(&folder)).await.stop().await.expect("stopped");
    fs::write(folder.join("data/PG_VERSION"), "99\n").expect("a version");
    let refused = refusal(kept_in(&folder)).await;
    // Built with the feature `fetch`, as in a build of the whole workspace, it is looked for outside too.
    let names_version = ["PostgreSQL 99 was not found", "could not be fetched: version 99"];
    assert!(names_version.iter().any(|text| refused.contains(text)), "{refused}");
}

#[tokio::test]
async fn root_is_told_which_folder_its_server_cannot_reach() {
    let parent = parent();
    let closed = parent.path().join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("a mode");
    let is_root = fs::metadata("/proc/self").is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0);
    if !is_root {
        start(kept_in(&closed.join("data"))).await.stop().await.expect("its own user reaches it");
        return;
    }
    let refused = refusal(kept_in(&closed.join("data"))).await;
    let way = fs::canonicalize(&closed).expect("a folder");
    assert!(refused.contains(&format!("`{}` is closed to it", way.display())), "{refused}");
    assert!(refused.contains("chmod o+x"), "{refused}");
}
