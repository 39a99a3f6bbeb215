//! A panic ends one call, not the connection with all the others on it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Context;

use futures::FutureExt;
use tonic::Status;
use tonic::body::Body;

use super::body::{Guard, Step, code_of_head, end_with, guarded, poll};
use super::{Handler, Layer, LayerParts, Request, RequestId, Response};
use crate::ApiError;
use crate::error::attach_request_info;

/// Turns a panic of a handler or of its stream into `INTERNAL`.
pub(super) struct PanicGuard;

impl Layer for PanicGuard {
    const NAME: &'static str = "panic_guard";

    fn from_parts(_parts: &LayerParts) -> Self {
        Self
    }

    async fn handle<N: Handler>(&self, request: Request, next: &N) -> Response {
        let id = request.extensions().get::<RequestId>().cloned();
        match AssertUnwindSafe(next.handle(request)).catch_unwind().await {
            Ok(response) if code_of_head(&response).is_some() => response,
            Ok(response) => response.map(|body| guarded(body, BodyGuard { id })),
            Err(panic) => status_of(panic.as_ref(), id.as_ref()).into_http(),
        }
    }
}

/// This layer stands outside of the error mapping, so it completes its own status.
fn status_of(panic: &(dyn Any + Send), id: Option<&RequestId>) -> Status {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("something that is not text");
    let status = Status::from(ApiError::internal(format!("a handler panicked: {message}")));
    match id {
        Some(id) => attach_request_info(status, id.as_str()),
        None => status,
    }
}

struct BodyGuard {
    id: Option<RequestId>,
}

impl Guard for BodyGuard {
    fn poll_frame(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Step {
        catch_unwind(AssertUnwindSafe(|| poll(inner, context)))
            .unwrap_or_else(|panic| end_with(&status_of(panic.as_ref(), self.id.as_ref())))
    }
}
