//! What keeps a server from starting.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use mainstay_domain::SystemClock;
use mainstay_rpc::server::StartError;
use mainstay_rpc::{RpcSettings, ServerBuilder};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::feed;

async fn fault_of(settings: &RpcSettings) -> StartError {
    let (builder, _fake) = feed::builder(settings);
    builder.complete().await.err().expect("it does not start")
}

#[tokio::test]
async fn without_authentication_other_machines_are_not_served() {
    let mut settings = RpcSettings::loopback();
    settings.listen = SocketAddr::from(([0, 0, 0, 0], 0)).into();
    let fault = fault_of(&settings).await;
    assert!(matches!(fault, StartError::Unauthenticated { .. }), "{fault}");
    assert!(fault.to_string().contains("allow_unauthenticated_non_loopback"), "{fault}");

    settings.allow_unauthenticated_non_loopback = true;
    feed::builder(&settings).0.complete().await.map(drop).expect("it was told in so many words");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let mut settings = RpcSettings::loopback();
    settings.admin_listen = taken.local_addr().expect("it has one").into();
    let fault = fault_of(&settings).await;
    assert!(fault.to_string().contains(&settings.admin_listen.address().to_string()), "{fault}");
    assert!(fault.to_string().contains("admin"), "{fault}");
}

/// A service that no proto describes.
#[derive(Clone)]
struct Undescribed;

impl NamedService for Undescribed {
    const NAME: &'static str = "mainstay.test.v1.UndescribedService";
}

impl Service<http::Request<Body>> for Undescribed {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: http::Request<Body>) -> Self::Future {
        ready(Ok(http::Response::new(Body::empty())))
    }
}

#[tokio::test]
async fn a_service_whose_methods_declare_no_permission_is_not_served() {
    let builder = ServerBuilder::new("test", RpcSettings::loopback(), Arc::new(SystemClock)).add_service(Undescribed);
    let fault = builder.complete().await.err().expect("it does not start");
    assert!(matches!(fault, StartError::Permissions(_)), "{fault}");
    assert!(fault.to_string().contains("UndescribedService"), "{fault}");
}

#[tokio::test]
async fn an_open_ended_method_that_is_not_served_is_a_mistake() {
    let (builder, _fake) = feed::builder(&RpcSettings::loopback());
    let fault = builder.open_ended(&["/mainstay.events.v1.EventFeedService/Subscrib"]).complete().await.err();
    assert!(fault.expect("it does not start").to_string().contains("Subscrib"));
}
