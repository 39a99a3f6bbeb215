//! `mainstay status`.

use tokio::net::TcpListener;

use crate::run;
use crate::server::TestServer;

#[tokio::test]
async fn a_server_that_is_up_shows_its_portfolio_and_what_it_does_not_serve() {
    let server = TestServer::start().await;
    let ran = run(server.address, &["status"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let address = server.address;
    assert!(ran.out.contains(&format!("http://{address} is up\n")), "{}", ran.out);
    assert!(ran.out.contains("version    not known\n"), "{}", ran.out);
    assert!(ran.out.contains("portfolio  0 accounts, mean score 60.0\n"), "{}", ran.out);
    assert!(ran.out.contains("as of      2026-06-01T00:00:00Z\n"), "{}", ran.out);
    assert!(ran.out.contains("feed       not known: UNIMPLEMENTED\n"), "{}", ran.out);
    let json = run(address, &["status", "--output", "json"]).await;
    let status: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!((&status["serving"], &status["feed"]["error"]["code"]), (&true.into(), &"UNIMPLEMENTED".into()));
}

#[tokio::test]
async fn a_server_that_is_down_is_told_with_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let ran = run(address, &["status"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.starts_with(&format!("mainstay: cannot reach http://{address}: ")), "{}", ran.err);
    assert!(ran.err.contains("`mainstay up` starts one on this machine"), "{}", ran.err);
}
