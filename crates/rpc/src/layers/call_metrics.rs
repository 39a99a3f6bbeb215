//! Counts calls and measures how long they take.
//!
//! `grpc_server_started_total`, `grpc_server_in_flight` and `grpc_server_handling_seconds` by
//! `grpc_service` and `grpc_method`; `grpc_server_handled_total` also by `grpc_code`. Paths that
//! are not served count together as `unknown`, so that nobody can make labels at will.

use std::sync::Arc;
use std::task::Context;

use tokio::time::Instant;
use tonic::Code;
use tonic::body::Body;

use super::body::{Guard, Step, code_at_end, code_of_head, guarded, poll};
use super::methods::{Method, method_of};
use super::{Handler, Layer, LayerParts, Request, Response};

/// Counts each call once at its start and once at its end.
pub(super) struct CallMetrics;

impl Layer for CallMetrics {
    const NAME: &'static str = "call_metrics";

    fn from_parts(_parts: &LayerParts) -> Self {
        Self
    }

    async fn handle<N: Handler>(&self, request: Request, next: &N) -> Response {
        let mut count = Count::start(method_of(&request));
        let response = next.handle(request).await;
        if let Some(code) = code_of_head(&response) {
            count.code = code;
            return response;
        }
        response.map(|body| guarded(body, count))
    }
}

/// A call being counted. Dropped before it knows how the call ended, it counts as cancelled:
/// the caller went away.
struct Count {
    method: Arc<Method>,
    started: Instant,
    code: Code,
}

impl Count {
    fn start(method: Arc<Method>) -> Self {
        method.count_start();
        Self { method, started: Instant::now(), code: Code::Cancelled }
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.method.count_end(self.code, self.started.elapsed().as_secs_f64());
    }
}

impl Guard for Count {
    fn poll_frame(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Step {
        let step = poll(inner, context);
        if let Some(code) = code_at_end(&step) {
            self.code = code;
        }
        step
    }
}
