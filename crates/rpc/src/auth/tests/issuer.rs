//! Signing keys, and an address that serves a key set.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const RSA: &[u8] = include_bytes!("../../../tests/data/rsa_signing_key.der");
const RSA_SHORT: &[u8] = include_bytes!("../../../tests/data/rsa_short_key.der");
const P256: &[u8] = include_bytes!("../../../tests/data/p256_signing_key.der");
/// What stands before the 32 secret bytes in the PKCS#8 form of an Ed25519 key (RFC 8410, 7).
const ED25519_PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// A key that signs tokens.
pub(super) struct Signer {
    pub(super) id: &'static str,
    key: EncodingKey,
    algorithm: Algorithm,
}

impl Signer {
    /// An Ed25519 key, another for another seed.
    pub(super) fn ed25519(id: &'static str, seed: u8) -> Self {
        let der = [ED25519_PREFIX.as_slice(), &[seed; 32]].concat();
        Self { id, key: EncodingKey::from_ed_der(&der), algorithm: Algorithm::EdDSA }
    }

    pub(super) fn rsa(id: &'static str, algorithm: Algorithm) -> Self {
        Self { id, key: EncodingKey::from_rsa_der(RSA), algorithm }
    }

    pub(super) fn rsa_of_1024_bits(id: &'static str) -> Self {
        Self { id, key: EncodingKey::from_rsa_der(RSA_SHORT), algorithm: Algorithm::RS256 }
    }

    pub(super) fn p256(id: &'static str) -> Self {
        Self { id, key: EncodingKey::from_ec_der(P256), algorithm: Algorithm::ES256 }
    }

    pub(super) fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).expect("a public key");
        jwk.common.key_id = Some(self.id.to_owned());
        serde_json::to_value(jwk).expect("JSON")
    }

    pub(super) fn header(&self) -> Header {
        Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) }
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.header(), claims)
    }

    pub(super) fn sign_as(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).expect("a token")
    }
}

pub(super) fn key_set(signers: &[&Signer]) -> String {
    json!({ "keys": signers.iter().map(|signer| signer.public()).collect::<Vec<_>>() }).to_string()
}

/// Serves a key set over HTTP or HTTPS on loopback until it is dropped.
pub(super) struct Issuer {
    pub(super) url: String,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    answer: Mutex<(u16, String)>,
    hits: AtomicUsize,
    headers: Mutex<HeaderMap>,
}

impl Issuer {
    pub(super) async fn start(signers: &[&Signer]) -> Self {
        Self::start_with(signers, "http", None).await
    }

    /// With the certificate for loopback of `authority.pem`.
    pub(super) async fn start_https(signers: &[&Signer]) -> Self {
        Self::start_with(signers, "https", Some(acceptor())).await
    }

    async fn start_with(signers: &[&Signer], scheme: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("{scheme}://{}/keys", listener.local_addr().expect("an address"));
        let state = Arc::new(State::default());
        let task = tokio::spawn(serve(listener, tls, Arc::clone(&state)));
        let issuer = Self { url, state, task };
        issuer.answer(200, key_set(signers));
        issuer
    }

    pub(super) fn answer(&self, status: u16, body: String) {
        *self.state.answer.lock().unwrap_or_else(PoisonError::into_inner) = (status, body);
    }

    /// How often the keys were fetched.
    pub(super) fn hits(&self) -> usize {
        self.state.hits.load(Ordering::SeqCst)
    }

    pub(super) fn last_header(&self, name: &str) -> Option<String> {
        let headers = self.state.headers.lock().unwrap_or_else(PoisonError::into_inner);
        headers.get(name).map(|value| value.to_str().expect("text").to_owned())
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../../../tests/data/loopback.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../../tests/data/loopback_key.pem"));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("a certificate")], key.expect("a key"))
        .expect("a pair");
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => serve_connection(TokioIo::new(stream), state).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve_connection(TokioIo::new(stream), state).await;
                    }
                }
            }
        });
    }
}

async fn serve_connection(stream: impl Read + Write + Unpin + 'static, state: Arc<State>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(respond(&state, request.headers())) }
    });
    // The client closes as it likes; what it read is asserted there.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
}

fn respond(state: &State, headers: &HeaderMap) -> Response<Full<Bytes>> {
    state.hits.fetch_add(1, Ordering::SeqCst);
    *state.headers.lock().unwrap_or_else(PoisonError::into_inner) = headers.clone();
    let (status, body) = state.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Response::builder()
        .status(status)
        .header("location", "/elsewhere")
        .body(Full::new(Bytes::from(body)))
        .expect("a response")
}
