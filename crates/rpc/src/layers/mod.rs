//! What every call goes through, from the outside in.

/// The id of a call: the caller's `x-request-id`, or a new one. In the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub(crate) std::sync::Arc<str>);

impl RequestId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of a request; `None` if it did not come through the server's layers.
pub fn request_id_of<T>(request: &tonic::Request<T>) -> Option<RequestId> {
    request.extensions().get::<RequestId>().cloned()
}
