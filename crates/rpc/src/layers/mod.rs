//! What every call goes through, from the outside in, in the order of [`ORDER`].
//!
//! A layer is an async function around the rest ([`Layer::handle`]): it may refuse,
//! change the request on the way in and the response on the way out. A response's status
//! stands in its head when there is nothing else (a *trailers-only* response), and after
//! the body's last message otherwise; layers that care look at both.

mod authentication;
mod body;
mod call_metrics;
mod deadlines;
mod error_mapping;
mod grpc_timeout;
mod load_shedding;
mod message_sizes;
mod methods;
mod panic_guard;
mod request_ids;
mod server_names;
mod spans;

use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;
use mainstay_domain::IdSource;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service;

use crate::ApiError;
use crate::auth::Authenticator;
use crate::server::Limits;

use authentication::Authentication;
use call_metrics::CallMetrics;
use deadlines::Deadlines;
use error_mapping::ErrorMapping;
pub use grpc_timeout::asked_timeout;
use load_shedding::LoadShedding;
use message_sizes::MessageSizes;
pub(crate) use methods::Methods;
use panic_guard::PanicGuard;
use request_ids::RequestIds;
pub use request_ids::{REQUEST_ID_HEADER, RequestId, request_id_of};
use server_names::ServerNames;
use spans::Spans;

pub(crate) type Request = http::Request<Body>;
pub(crate) type Response = http::Response<Body>;

/// Answers a call. Never fails: a refusal is a response with a status.
trait Handler: Send + Sync + 'static {
    /// Answers `request`.
    fn handle(&self, request: Request) -> impl Future<Output = Response> + Send;
}

/// Something around a [`Handler`].
trait Layer: Send + Sync + 'static {
    /// Its name in [`ORDER`].
    const NAME: &'static str;

    /// Made from what the server was given.
    fn from_parts(parts: &LayerParts) -> Self;

    /// Answers `request`, with the help of `next` or not.
    fn handle<N: Handler>(&self, request: Request, next: &N) -> impl Future<Output = Response> + Send;
}

/// What layers are made from.
pub(crate) struct LayerParts {
    pub(crate) limits: Limits,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) methods: Arc<Methods>,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) streams_cancelled: CancellationToken,
}

/// A layer around the rest of the chain.
struct Around<L, N> {
    layer: L,
    next: N,
}

impl<L: Layer, N: Handler> Handler for Around<L, N> {
    async fn handle(&self, request: Request) -> Response {
        #[cfg(test)]
        tests::entered(L::NAME, &request);
        self.layer.handle(request, &self.next).await
    }
}

/// The innermost handler: the services by path.
struct Routed(Routes);

impl Handler for Routed {
    async fn handle(&self, request: Request) -> Response {
        let mut routes = self.0.clone();
        match routes.call(request).await {
            Ok(response) => response,
            Err(impossible) => match impossible {},
        }
    }
}

macro_rules! layers {
    ($($layer:ident),+ $(,)?) => {
        /// The layers' names, from the outside in.
        pub const ORDER: &[&str] = &[$($layer::NAME),+];

        /// The layers in the order of [`ORDER`] around `handler`.
        fn around(handler: impl Handler, parts: &LayerParts) -> impl Handler {
            layers!(@nest handler, parts, $($layer),+)
        }
    };
    (@nest $handler:expr, $parts:expr, $layer:ident $(, $rest:ident)*) => {
        Around { layer: $layer::from_parts($parts), next: layers!(@nest $handler, $parts $(, $rest)*) }
    };
    (@nest $handler:expr, $parts:expr) => { $handler };
}

layers![
    ServerNames,
    RequestIds,
    Spans,
    CallMetrics,
    PanicGuard,
    ErrorMapping,
    Deadlines,
    LoadShedding,
    Authentication,
    MessageSizes,
];

/// All layers and what they stand around, as one thing.
pub(crate) trait Chain: Send + Sync + 'static {
    /// Answers a call.
    fn answer(self: Arc<Self>, request: Request) -> BoxFuture<'static, Response>;
}

impl<H: Handler> Chain for H {
    fn answer(self: Arc<Self>, request: Request) -> BoxFuture<'static, Response> {
        Box::pin(async move { self.handle(request).await })
    }
}

/// All layers around `routes`.
pub(crate) fn around_routes(routes: Routes, parts: &LayerParts) -> Arc<dyn Chain> {
    let methods = parts.methods.clone();
    Arc::new(Resolved { methods, next: around(Routed(routes.prepare()), parts) })
}

/// Looks the method up once, for all layers.
struct Resolved<N> {
    methods: Arc<Methods>,
    next: N,
}

impl<N: Handler> Handler for Resolved<N> {
    async fn handle(&self, mut request: Request) -> Response {
        let method = self.methods.get(request.uri().path());
        request.extensions_mut().insert(method);
        self.next.handle(request).await
    }
}

/// A refusal as a response.
fn refusal(error: ApiError) -> Response {
    tonic::Status::from(error).into_http()
}

#[cfg(test)]
mod tests;
