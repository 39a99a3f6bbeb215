//! A server starts, answers and stops.

use std::net::TcpListener;

use mainstay_localpg::{LocalPg, LocalPgError, LocalPgOptions};
use sqlx::{Connection, PgConnection};

use crate::{connect, eventually, is_alive, refusal, server_process, setting, start};

#[tokio::test]
async fn a_temporary_server_answers_until_it_is_stopped_and_leaves_nothing() {
    let server = start(LocalPgOptions::default()).await;
    let (url, folder) = (server.url("postgres"), server.data_dir().to_owned());
    let process = server_process(&folder);
    let mut connection = connect(&url).await;
    let answer: i32 = sqlx::query_scalar("SELECT 40 + 2").fetch_one(&mut connection).await.expect("an answer");
    assert_eq!(answer, 42);
    server.stop().await.expect("stopped");
    assert!(!is_alive(process), "the server still lives");
    assert!(!folder.exists(), "the folder is still there");
    PgConnection::connect(&url).await.expect_err("nothing listens");
}

#[tokio::test]
async fn a_dropped_server_goes_away_by_itself() {
    let server = start(LocalPgOptions::default()).await;
    let folder = server.data_dir().to_owned();
    let process = server_process(&folder);
    drop(server);
    eventually("the server is gone", || !is_alive(process));
    eventually("the folder is gone", || !folder.exists());
}

#[tokio::test]
async fn several_servers_run_at_once() {
    let (one, two, three) = tokio::join!(
        LocalPg::start(LocalPgOptions::default()),
        LocalPg::start(LocalPgOptions::default()),
        LocalPg::start(LocalPgOptions::default()),
    );
    for server in [one, two, three] {
        let server = server.expect("a server");
        let folder = setting(&server.url("postgres"), "data_directory").await;
        assert_eq!(folder, server.data_dir().join("data").display().to_string());
    }
}

#[tokio::test]
async fn settings_reach_the_server() {
    let settings = vec![("max_connections".to_owned(), "7".to_owned()), ("search_path".to_owned(), "a, b".to_owned())];
    let server = start(LocalPgOptions { settings, ..LocalPgOptions::default() }).await;
    let url = server.url("postgres");
    assert_eq!(setting(&url, "max_connections").await, "7");
    assert_eq!(setting(&url, "search_path").await, "a, b");
    assert_eq!(setting(&url, "fsync").await, "off");
    assert_eq!(setting(&url, "listen_addresses").await, "127.0.0.1");
}

#[tokio::test]
async fn a_durable_server_syncs() {
    let server = start(LocalPgOptions { durable: true, ..LocalPgOptions::default() }).await;
    let url = server.url("postgres");
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(setting(&url, name).await, "on", "{name}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let server = start(LocalPgOptions::default()).await;
    let url = server.url("postgres");
    let (start, rest) = url.split_once('@').expect("a password");
    let wrong = format!("{start}x@{rest}");
    let refused = PgConnection::connect(&wrong).await.expect_err("refused");
    assert!(refused.to_string().contains("password authentication failed"), "{refused}");
}

#[tokio::test]
async fn a_setting_that_the_server_refuses_is_named_with_its_log() {
    let settings = vec![("shared_buffers".to_owned(), "plenty".to_owned())];
    let refused = refusal(LocalPgOptions { settings, ..LocalPgOptions::default() }).await;
    assert!(refused.contains("did not start") && refused.contains("shared_buffers"), "{refused}");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = listener.local_addr().expect("an address").port();
    let options = LocalPgOptions { port: Some(taken), ..LocalPgOptions::default() };
    let refused = LocalPg::start(options).await.expect_err("taken");
    assert!(matches!(refused, LocalPgError::PortTaken { port } if port == taken), "{refused}");
}

#[test]
fn a_thread_without_a_runtime_can_start_one() {
    let server = LocalPg::start_blocking(&LocalPgOptions::default()).expect("a server");
    assert!(is_alive(server_process(server.data_dir())));
}
