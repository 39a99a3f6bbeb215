//! Connections that do not do what they should.

use std::time::Duration;

use mainstay_api::mainstay::events::v1::GetFeedPositionRequest;
use mainstay_rpc::RpcSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::feed;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const GOAWAY: u8 = 7;

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let mut settings = RpcSettings::loopback();
    settings.connections.handshake_timeout = Duration::from_millis(50);
    let (server, _fake) = feed::server(&settings).await;
    let handle = server.run(CancellationToken::new());
    for address in [handle.local_addr(), handle.admin_addr()] {
        for first_bytes in [&b""[..], &b"PRI"[..]] {
            let mut silent = TcpStream::connect(address).await.expect("it is accepted");
            silent.write_all(first_bytes).await.expect("it is open");
            let read = silent.read(&mut [0; 1]).await;
            assert!(matches!(read, Ok(0) | Err(_)), "it is closed: {read:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_no_http2_is_closed_at_once() {
    let (server, _fake) = feed::server(&RpcSettings::loopback()).await;
    let handle = server.run(CancellationToken::new());
    let mut browser = TcpStream::connect(handle.local_addr()).await.expect("it is accepted");
    browser.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it is open");
    let mut answer = Vec::new();
    let _ = browser.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn an_old_connection_is_asked_to_come_anew() {
    let mut settings = RpcSettings::loopback();
    settings.connections.age_max = Duration::from_millis(50);
    let (server, _fake) = feed::server(&settings).await;
    let handle = server.run(CancellationToken::new());
    let mut connection = TcpStream::connect(handle.local_addr()).await.expect("it is accepted");
    connection.write_all(PREFACE).await.expect("it is open");
    connection.write_all(EMPTY_SETTINGS).await.expect("it is open");
    loop {
        let mut head = [0; 9];
        connection.read_exact(&mut head).await.expect("a frame comes before the end");
        let [high, middle, low, kind, ..] = head;
        if kind == GOAWAY {
            break;
        }
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        connection.read_exact(&mut vec![0; length]).await.expect("the frame is whole");
    }
}

#[tokio::test]
async fn calls_go_over_the_network_too() {
    let (server, _fake) = feed::server(&RpcSettings::loopback()).await;
    let handle = server.run(CancellationToken::new());
    let mut client = feed::Client::connect(format!("http://{}", handle.local_addr())).await.expect("it listens");
    client.get_feed_position(GetFeedPositionRequest {}).await.expect("it answers");
}
