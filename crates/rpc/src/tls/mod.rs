//! Encryption of the RPC port, with a certificate that can be exchanged while serving.

use std::path::PathBuf;

/// Encryption of the RPC port.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// The server's certificate chain, PEM.
    pub certificate_file: PathBuf,
    /// Its private key, PEM.
    pub key_file: PathBuf,
}
