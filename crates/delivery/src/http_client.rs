//! Requests to where an operator, or a customer, says that they go.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, vec};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use mainstay_domain::with_causes;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tower::Service;

use crate::address::is_public;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// What is read of an answer's body. The rest is left, and the connection with it.
const ANSWER_BYTES_MAX: usize = 4 * 1024;

const AGENT: &str = concat!("mainstay/", env!("CARGO_PKG_VERSION"));

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The beginning of the body.
    pub(crate) text: String,
}

/// Sends requests, follows no redirects, and reaches addresses of the public internet only, unless told otherwise.
#[derive(Debug)]
pub(crate) struct HttpClient {
    client: Client<HttpsConnector<HttpConnector<CheckedResolver>>, Full<Bytes>>,
    allow_private: bool,
}

impl HttpClient {
    /// # Errors
    /// When the file's certificates cannot be read, or the system has none and only encrypted connections are allowed.
    pub(crate) fn new(allow_private: bool, ca_file: Option<&Path>) -> Result<Self, String> {
        let mut connector = HttpConnector::new_with_resolver(CheckedResolver { allow_private });
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls_config(allow_private, ca_file)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client, allow_private })
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// Why there is no answer, without the address.
    pub(crate) async fn post(&self, uri: &Uri, headers: HeaderMap, body: Bytes) -> Result<Answer, String> {
        // The connector resolves no literal addresses, and so does not check them.
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if let Ok(address) = host.parse::<IpAddr>()
            && !self.allow_private
            && !is_public(address)
        {
            return Err(NotPublic.to_string());
        }
        let mut request = Request::post(uri.clone()).body(Full::new(body)).map_err(|error| error.to_string())?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let response = self.client.request(request).await.map_err(|error| with_causes(&error))?;
        let (head, mut body) = response.into_parts();
        let mut beginning = Vec::new();
        while beginning.len() < ANSWER_BYTES_MAX
            && let Some(Ok(frame)) = body.frame().await
        {
            if let Ok(data) = frame.into_data() {
                let room = ANSWER_BYTES_MAX - beginning.len();
                beginning.extend_from_slice(&data[..data.len().min(room)]);
            }
        }
        let text = String::from_utf8_lossy(&beginning).into_owned();
        Ok(Answer { status: head.status, headers: head.headers, text })
    }
}

/// Certificates are those of the system, unless a file has others. Without any, only a client that need not encrypt is
/// of use.
fn tls_config(allow_private: bool, ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let builder = || {
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())
    };
    if let Some(path) = ca_file {
        return Ok(builder()?.with_root_certificates(authorities(path)?).with_no_client_auth());
    }
    let builder = match builder()?.with_native_roots() {
        Ok(with_roots) => with_roots,
        Err(_) if allow_private => builder()?.with_root_certificates(RootCertStore::empty()),
        Err(error) => return Err(format!("the system's certificates: {error}")),
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

/// Resolves names, and leaves out what must not be reached: the connection is made to an address that was checked,
/// whatever the name resolves to a moment later.
#[derive(Debug, Clone, Copy)]
struct CheckedResolver {
    allow_private: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the address is private, loopback or link-local; delivery.allow_private_addresses would allow it")]
struct NotPublic;

impl Service<Name> for CheckedResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let resolved = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                resolved.filter(|address| allow_private || is_public(address.ip())).collect();
            if allowed.is_empty() { Err(io::Error::other(NotPublic)) } else { Ok(allowed.into_iter()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_resolves_to_the_inside_is_refused_after_resolving() {
        let mut resolver = CheckedResolver { allow_private: false };
        let refusal = resolver.call("localhost".parse().expect("a name")).await.expect_err("the inside");
        assert!(refusal.to_string().contains("private"), "{refusal}");
        let mut lenient = CheckedResolver { allow_private: true };
        let addresses = lenient.call("localhost".parse().expect("a name")).await.expect("addresses");
        assert!(addresses.into_iter().all(|address| address.ip().is_loopback()));
    }

    #[tokio::test]
    async fn literal_addresses_of_the_inside_are_refused() {
        let authority = mainstay_testkit::tls::authority_file();
        let client = HttpClient::new(false, Some(&authority)).expect("a client");
        for url in ["http://127.0.0.1:9/", "http://[::1]:9/", "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/"] {
            let uri = url.parse().expect("an address");
            let refusal = client.post(&uri, HeaderMap::new(), Bytes::new()).await.expect_err("the inside");
            assert!(refusal.contains("private"), "{url}: {refusal}");
        }
    }
}
