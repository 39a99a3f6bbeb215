//! A channel to a service.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::AUTHORIZATION;
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Status, TimeoutExpired};
use tower::Service;

use crate::body::AnswerBody;
use crate::{ChannelSettings, ClientError, ServerAddress, deadline};

/// A channel to a service, for the generated clients. Clones share one
/// connection, which is made at the first call and again when it is lost.
#[derive(Debug, Clone)]
pub struct ServiceChannel {
    channel: Channel,
    settings: Arc<ChannelSettings>,
}

/// Makes a channel; nothing is sent before the first call.
pub fn connect(settings: ChannelSettings) -> Result<ServiceChannel, ClientError> {
    let refused = |error: tonic::transport::Error| ClientError::Settings {
        address: settings.address.clone(),
        reason: innermost_cause(&error),
    };
    let mut endpoint = Endpoint::from_shared(settings.address.as_str().to_owned())
        .map_err(refused)?
        .user_agent(settings.user_agent.clone())
        .map_err(refused)?
        .connect_timeout(settings.connect_timeout)
        .tcp_keepalive(Some(settings.keepalive_interval))
        .http2_keep_alive_interval(settings.keepalive_interval)
        .keep_alive_timeout(settings.keepalive_timeout)
        .keep_alive_while_idle(true);
    if settings.address.is_encrypted() {
        endpoint = endpoint.tls_config(tls(&settings)?).map_err(refused)?;
    }
    Ok(ServiceChannel { channel: endpoint.connect_lazy(), settings: Arc::new(settings) })
}

fn tls(settings: &ChannelSettings) -> Result<ClientTlsConfig, ClientError> {
    let system = ClientTlsConfig::new().with_native_roots();
    let Some(path) = &settings.certificate_authority_file else { return Ok(system) };
    let pem = std::fs::read(path).map_err(|source| ClientError::File { path: path.clone(), source })?;
    Ok(system.ca_certificate(Certificate::from_pem(pem)))
}

impl ServiceChannel {
    /// Where the service listens.
    pub fn address(&self) -> &ServerAddress {
        &self.settings.address
    }

    /// How long a call of one answer may take when it says nothing itself.
    pub fn deadline(&self) -> Duration {
        self.settings.deadline
    }
}

impl Service<http::Request<Body>> for ServiceChannel {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    /// Always ready: the call waits for the connection, within its deadline.
    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        let headers = request.headers_mut();
        if let Some(token) = &self.settings.token {
            headers.insert(AUTHORIZATION, token.header());
        }
        mainstay_telemetry::propagation::inject(headers);
        let ends_at =
            deadline::apply(&path, headers, self.settings.deadline).and_then(|wait| Instant::now().checked_add(wait));
        let mut channel = self.channel.clone();
        let address = self.settings.address.clone();
        Box::pin(async move {
            let answer = async {
                poll_fn(|context| channel.poll_ready(context)).await?;
                channel.call(request).await
            };
            let answered = match ends_at {
                None => answer.await,
                Some(at) => timeout_at(at, answer).await.map_err(|_| no_answer(&address))?,
            };
            let response = answered.map_err(|error| status_of(&error, &address))?;
            Ok(response.map(|body| AnswerBody::wrap(body, ends_at, address)))
        })
    }
}

fn no_answer(address: &ServerAddress) -> Status {
    Status::deadline_exceeded(format!("{address} did not answer within the deadline"))
}

/// The status of a call that got no answer: whatever the transport says, the
/// connection was at fault.
fn status_of(error: &tonic::transport::Error, address: &ServerAddress) -> Status {
    if causes(error).any(<dyn Error + 'static>::is::<TimeoutExpired>) {
        return no_answer(address);
    }
    Status::unavailable(format!("cannot reach {address}: {}", innermost_cause(error)))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// What the innermost error says, without the layers around it.
pub(crate) fn innermost_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}
