//! Beyond its limit the server says so at once, instead of piling calls up.

use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use mainstay_api::mainstay::common::v1::ErrorReason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;

use super::body::{Guard, Step, code_of_head, guarded, poll};
use super::methods::method_of;
use super::{Handler, Layer, LayerParts, Request, Response, refusal};
use crate::ApiError;

/// When a refused call may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Counts calls in progress over all connections. Health is always answered: a replica at its
/// limit is alive.
pub(super) struct LoadShedding {
    calls_max: usize,
    free: Arc<Semaphore>,
}

impl Layer for LoadShedding {
    const NAME: &'static str = "load_shedding";

    fn from_parts(parts: &LayerParts) -> Self {
        let calls_max = parts.limits.concurrency_max;
        Self { calls_max, free: Arc::new(Semaphore::new(calls_max)) }
    }

    async fn handle<N: Handler>(&self, request: Request, next: &N) -> Response {
        if method_of(&request).is_vital {
            return next.handle(request).await;
        }
        let Ok(permit) = self.free.clone().try_acquire_owned() else {
            metrics::counter!("grpc_server_shed_total").increment(1);
            let message = format!("the server works at its limit of {} calls; try again later", self.calls_max);
            return refusal(ApiError::common(ErrorReason::Overloaded, message).with_retry_after(RETRY_AFTER));
        };
        let response = next.handle(request).await;
        if code_of_head(&response).is_some() {
            return response;
        }
        response.map(|body| guarded(body, Held { _permit: permit }))
    }
}

/// Keeps the permit until the body's end.
struct Held {
    _permit: OwnedSemaphorePermit,
}

impl Guard for Held {
    fn poll_frame(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Step {
        poll(inner, context)
    }
}
