//! TLS on the RPC port, plain text on the admin port.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mainstay_api::mainstay::events::v1::GetFeedPositionRequest;
use mainstay_rpc::RpcSettings;
use mainstay_rpc::tls::TlsSettings;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::feed;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn encrypted() -> RpcSettings {
    let tls = TlsSettings { certificate_file: data("loopback.pem"), key_file: data("loopback_key.pem") };
    RpcSettings { tls: Some(tls), ..RpcSettings::loopback() }
}

#[tokio::test]
async fn calls_are_encrypted_and_probes_are_not() {
    let (server, _fake) = feed::server(&encrypted()).await;
    let handle = server.run(CancellationToken::new());
    let authority = std::fs::read(data("authority.pem")).expect("it is there");
    let trusting = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority));
    let endpoint = Endpoint::from_shared(format!("https://{}", handle.local_addr())).expect("an address");
    let channel = endpoint.tls_config(trusting).expect("a certificate").connect().await.expect("a handshake");
    feed::Client::new(channel).get_feed_position(GetFeedPositionRequest {}).await.expect("it answers");

    let probe = Endpoint::from_shared(format!("http://{}", handle.admin_addr())).expect("an address");
    let mut health = HealthClient::new(probe.connect().await.expect("plain text"));
    health.check(HealthCheckRequest::default()).await.expect("it answers");
}

#[tokio::test]
async fn plain_text_is_not_answered_on_an_encrypted_port() {
    let (server, _fake) = feed::server(&encrypted()).await;
    let handle = server.run(CancellationToken::new());
    let endpoint = Endpoint::from_shared(format!("http://{}", handle.local_addr())).expect("an address");
    let mut client = feed::Client::new(endpoint.connect_lazy());
    client.get_feed_position(GetFeedPositionRequest {}).await.expect_err("it is not encrypted");
}

#[tokio::test]
async fn a_connection_that_says_nothing_after_its_handshake_is_closed() {
    let mut settings = encrypted();
    settings.connections.handshake_timeout = Duration::from_secs(1);
    let (server, _fake) = feed::server(&settings).await;
    let handle = server.run(CancellationToken::new());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(data("authority.pem")).expect("a certificate")).expect("an authority");
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(handle.local_addr()).await.expect("it is accepted");
    let name = ServerName::try_from("localhost").expect("a name");
    let mut silent = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake");
    let read = silent.read(&mut [0; 1]).await;
    assert!(matches!(read, Ok(0) | Err(_)), "it is closed: {read:?}");
}

#[tokio::test]
async fn a_certificate_or_key_that_cannot_be_used_is_named() {
    let right = TlsSettings { certificate_file: data("loopback.pem"), key_file: data("loopback_key.pem") };
    let missing = data("missing.pem");
    for wrong in [
        TlsSettings { certificate_file: missing.clone(), ..right.clone() },
        TlsSettings { key_file: missing.clone(), ..right.clone() },
    ] {
        let settings = RpcSettings { tls: Some(wrong), ..RpcSettings::loopback() };
        let fault = feed::builder(&settings).0.complete().await.err().expect("it does not start");
        assert!(fault.to_string().contains("missing.pem"), "{fault}");
    }
    let foreign = TlsSettings { certificate_file: data("authority.pem"), ..right };
    let settings = RpcSettings { tls: Some(foreign), ..RpcSettings::loopback() };
    feed::builder(&settings).0.complete().await.err().expect("the key belongs to another certificate");
}
