//! Each answer says which version gave it.

use http::HeaderValue;
use http::header::SERVER;

use super::{Handler, Layer, LayerParts, Request, Response};

/// What the header `server` says: the suite and its version.
const NAME_AND_VERSION: &str = concat!("mainstay/", env!("CARGO_PKG_VERSION"));

/// Tells callers, refused ones too, which version they met.
pub(super) struct ServerNames;

impl Layer for ServerNames {
    const NAME: &'static str = "server_names";

    fn from_parts(_parts: &LayerParts) -> Self {
        Self
    }

    async fn handle<N: Handler>(&self, request: Request, next: &N) -> Response {
        let mut response = next.handle(request).await;
        response.headers_mut().insert(SERVER, HeaderValue::from_static(NAME_AND_VERSION));
        response
    }
}
