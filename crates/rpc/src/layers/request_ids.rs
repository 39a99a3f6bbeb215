//! Every call has an id: the caller's or a new one.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use mainstay_domain::IdSource;

use super::{Handler, Layer, LayerParts, Request, Response};

/// Where a call's id stands in the metadata of the request and of the response.
pub const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a caller.
const CHARACTERS_MAX: usize = 128;

/// The id of a call: the caller's `x-request-id`, or a new one. In the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// As text: 1 to 128 ASCII letters, digits and `._:/+=-`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The caller's, if it is fit for headers and logs.
    fn of_caller(value: &HeaderValue) -> Option<Self> {
        let text = value.to_str().ok()?;
        let is_sane = (1..=CHARACTERS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:/+=-".contains(&byte));
        is_sane.then(|| Self(text.into()))
    }
}

/// The id of a request; `None` if it did not come through the server's layers.
pub fn request_id_of<T>(request: &tonic::Request<T>) -> Option<RequestId> {
    request.extensions().get::<RequestId>().cloned()
}

/// Gives each call its id, and tells the caller.
pub(super) struct RequestIds {
    ids: Arc<IdSource>,
}

impl Layer for RequestIds {
    const NAME: &'static str = "request_ids";

    fn from_parts(parts: &LayerParts) -> Self {
        Self { ids: parts.ids.clone() }
    }

    async fn handle<N: Handler>(&self, mut request: Request, next: &N) -> Response {
        let id = request
            .headers()
            .get(REQUEST_ID_HEADER)
            .and_then(RequestId::of_caller)
            .unwrap_or_else(|| RequestId(self.ids.new_id().to_string().into()));
        request.extensions_mut().insert(id.clone());
        let mut response = next.handle(request).await;
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(REQUEST_ID_HEADER, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_id_is_taken_only_if_it_is_fit_for_headers_and_logs() {
        let taken = |text: &str| HeaderValue::from_bytes(text.as_bytes()).ok().and_then(|v| RequestId::of_caller(&v));
        assert_eq!(taken("crm-42/a:b").expect("sane").as_str(), "crm-42/a:b");
        assert_eq!(taken(&"x".repeat(128)).map(|id| id.as_str().len()), Some(128));
        for bad in ["", "two words", "a\"b", "ä", &"x".repeat(129)] {
            assert_eq!(taken(bad), None, "{bad}");
        }
    }
}
