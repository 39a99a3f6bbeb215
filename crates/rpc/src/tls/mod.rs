//! Encryption of the RPC port. The admin port is never encrypted: Kubernetes' gRPC probes speak no TLS.
//!
//! Identities from client certificates and the exchange of a certificate while serving belong here
//! too; they are not there yet.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Encryption of the RPC port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The server's certificate chain, PEM.
    pub certificate_file: PathBuf,
    /// Its private key, PEM.
    pub key_file: PathBuf,
}

/// Does the handshakes.
#[derive(Clone)]
pub(crate) struct Tls(TlsAcceptor);

impl Tls {
    /// Loads certificate and key.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub(crate) fn load(settings: &TlsSettings) -> Result<Self, String> {
        let certificate_fault = |error| format!("{}: {error}", settings.certificate_file.display());
        let chain = CertificateDer::pem_file_iter(&settings.certificate_file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(certificate_fault)?;
        let key = PrivateKeyDer::from_pem_file(&settings.key_file)
            .map_err(|error| format!("{}: {error}", settings.key_file.display()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| error.to_string())?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(crate) async fn accept<IO>(&self, stream: IO) -> io::Result<TlsStream<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        self.0.accept(stream).await
    }
}
