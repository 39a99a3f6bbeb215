//! Reading the key set from its file or address.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use mainstay_domain::with_causes;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::JwksSource;
use super::keys::SigningKeys;

const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

/// Where keys are read, ready to be used.
#[derive(Debug)]
pub(super) enum KeySource {
    File(PathBuf),
    Url(Box<Address>),
}

#[derive(Debug)]
pub(super) struct Address {
    uri: Uri,
    token_file: Option<PathBuf>,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl KeySource {
    pub(super) fn open(settings: &JwksSource) -> Result<Self, String> {
        match settings {
            JwksSource::File(path) => Ok(Self::File(path.clone())),
            JwksSource::Url { url, ca_file, token_file } => {
                let uri: Uri = url.parse().map_err(|error| format!("`{url}` is not an address: {error}"))?;
                let is_encrypted = uri.scheme_str() == Some("https");
                let stays_here = uri.scheme_str() == Some("http") && is_loopback(&uri);
                if !is_encrypted && !stays_here {
                    return Err(format!(
                        "`{url}` must be https; who can change the keys in transit can sign any token"
                    ));
                }
                let tls = tls_config(is_encrypted, ca_file.as_deref())?;
                let connector =
                    HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
                let client = Client::builder(TokioExecutor::new()).build(connector);
                Ok(Self::Url(Box::new(Address { uri, token_file: token_file.clone(), client })))
            }
        }
    }

    /// Whether reading is cheap and near.
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Reads the keys as they are now.
    pub(super) async fn read(&self) -> Result<SigningKeys, String> {
        match self {
            Self::File(path) => {
                let document = read_file(path).await?;
                SigningKeys::parse(&document).map_err(|fault| format!("{}: {fault}", path.display()))
            }
            Self::Url(address) => {
                let uri = &address.uri;
                let document = tokio::time::timeout(FETCH_TIMEOUT, fetch(address))
                    .await
                    .map_err(|_| format!("{uri}: no answer within {} s", FETCH_TIMEOUT.as_secs()))?
                    .map_err(|fault| format!("{uri}: {fault}"))?;
                SigningKeys::parse(&document).map_err(|fault| format!("{uri}: {fault}"))
            }
        }
    }
}

async fn fetch(address: &Address) -> Result<Bytes, String> {
    let Address { uri, token_file, client } = address;
    let mut request = Request::get(uri.clone()).header(ACCEPT, "application/jwk-set+json, application/json");
    if let Some(path) = token_file {
        let token = read_file(path).await?;
        let text = [b"Bearer ", token.trim_ascii()].concat();
        let mut value =
            HeaderValue::from_bytes(&text).map_err(|_| format!("{} holds no bearer token", path.display()))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let request = request.body(Empty::new()).map_err(|error| error.to_string())?;
    let response = client.request(request).await.map_err(|error| with_causes(&error))?;
    if !response.status().is_success() {
        return Err(format!("answered {}; redirects are not followed", response.status()));
    }
    let body = Limited::new(response.into_body(), DOCUMENT_BYTES_MAX).collect().await;
    Ok(body.map_err(|error| format!("the answer cannot be read: {error}"))?.to_bytes())
}

async fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    tokio::fs::read(path).await.map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn tls_config(is_encrypted: bool, ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match ca_file {
        Some(path) => builder.with_root_certificates(authorities(path)?),
        // A machine without any certificates can still use a loopback address.
        None if !is_encrypted => builder.with_root_certificates(RootCertStore::empty()),
        None => builder.with_native_roots().map_err(|error| format!("the system's certificates: {error}"))?,
    };
    Ok(builder.with_no_client_auth())
}

fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| fault(&error))? {
        store.add(certificate.map_err(|error| fault(&error))?).map_err(|error| fault(&error))?;
    }
    if store.is_empty() { Err(fault(&"holds no certificate")) } else { Ok(store) }
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
