//! A server that answers `GetHealth` with the same message each time: what a call costs before anything is done.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::SystemClock;
use mainstay_rpc::{RpcSettings, ServerBuilder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;

/// The answer, at the path of the service whose clients ask.
#[derive(Clone)]
struct Echo(Arc<proto::Health>);

impl NamedService for Echo {
    const NAME: &'static str = "mainstay.scoring.v1.HealthService";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = self.clone();
        Box::pin(async move {
            let codec = ProstCodec::<proto::Health, proto::GetHealthRequest>::default();
            Ok(Grpc::new(codec).unary(answer, request).await)
        })
    }
}

impl UnaryService<proto::GetHealthRequest> for Echo {
    type Response = proto::Health;
    type Future = Ready<Result<Response<proto::Health>, Status>>;

    fn call(&mut self, _request: Request<proto::GetHealthRequest>) -> Self::Future {
        ready(Ok(Response::new(proto::Health::clone(&self.0))))
    }
}

/// Serves the answer by tonic alone until cancelled; says where.
pub(crate) async fn serve_bare(answer: proto::Health, cancel: CancellationToken) -> anyhow::Result<SocketAddr> {
    let incoming = TcpIncoming::from(TcpListener::bind("127.0.0.1:0").await?).with_nodelay(Some(true));
    let address = incoming.local_addr()?;
    let server = Server::builder().add_service(Echo(Arc::new(answer)));
    tokio::spawn(server.serve_with_incoming_shutdown(incoming, cancel.cancelled_owned()));
    Ok(address)
}

/// Serves the answer behind the layers that all services have, until cancelled; says where.
pub(crate) async fn serve_layered(answer: proto::Health, cancel: CancellationToken) -> anyhow::Result<SocketAddr> {
    let server = ServerBuilder::new("echo", RpcSettings::loopback(), Arc::new(SystemClock))
        .add_service(Echo(Arc::new(answer)))
        .complete()
        .await?;
    let address = server.local_addr();
    drop(server.run(cancel));
    Ok(address)
}
