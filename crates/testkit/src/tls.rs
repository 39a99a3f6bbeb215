//! A certificate for the loopback addresses, and the authority that signed it.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The certificate (PEM) of the authority that signed the receivers' certificate, for those who are to trust it.
pub fn authority_file() -> PathBuf {
    data("authority.pem")
}

/// The certificate (PEM) of an authority that signed nothing.
pub fn other_authority_file() -> PathBuf {
    data("other_authority.pem")
}

/// Does the handshakes of a receiver for 127.0.0.1, `::1` and localhost.
pub(crate) fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(data("loopback.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(data("loopback_key.pem")).expect("its key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a key that fits");
    TlsAcceptor::from(Arc::new(config))
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../rpc/tests/data").join(name)
}
