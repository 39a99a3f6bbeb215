//! A span around each call, child of the caller's.

use std::sync::Arc;
use std::task::Context;

use mainstay_telemetry::propagation;
use tonic::Code;
use tonic::body::Body;
use tracing::{Instrument, Span, field};

use super::body::{Guard, Step, code_at_end, code_of_head, guarded};
use super::methods::{Method, code_name, method_of};
use super::{Handler, Layer, LayerParts, Request, RequestId, Response};

/// Opens the span, and closes it when the last of the answer has left.
pub(super) struct Spans;

impl Layer for Spans {
    const NAME: &'static str = "spans";

    fn from_parts(_parts: &LayerParts) -> Self {
        Self
    }

    async fn handle<N: Handler>(&self, request: Request, next: &N) -> Response {
        let span = span_of(&method_of(&request), &request);
        propagation::set_parent(&span, request.headers());
        let response = next.handle(request).instrument(span.clone()).await;
        if let Some(code) = code_of_head(&response) {
            record_end(&span, code);
            return response;
        }
        response.map(|body| guarded(body, SpanGuard { span }))
    }
}

fn span_of(method: &Arc<Method>, request: &Request) -> Span {
    tracing::info_span!(
        "rpc",
        otel.name = %format_args!("{}/{}", method.service, method.name),
        otel.kind = "server",
        otel.status_code = field::Empty,
        rpc.system = "grpc",
        rpc.service = &*method.service,
        rpc.method = &*method.name,
        rpc.grpc.status_code = field::Empty,
        request_id = request.extensions().get::<RequestId>().map(RequestId::as_str),
        caller = field::Empty,
    )
}

/// Notes the code, and logs the failures that nobody else logs. What is refused under overload is only counted: a
/// line for each would make it worse.
fn record_end(span: &Span, code: Code) {
    span.record("rpc.grpc.status_code", code as i32);
    match code {
        Code::DeadlineExceeded | Code::Unavailable => {
            span.record("otel.status_code", "ERROR");
            span.in_scope(|| tracing::warn!(code = code_name(code), "the call failed"));
        }
        Code::Internal | Code::Unknown | Code::DataLoss => {
            span.record("otel.status_code", "ERROR");
        }
        _ => span.in_scope(|| tracing::debug!(code = code_name(code), "the call ended")),
    }
}

/// Enters the span whenever the body is worked on.
struct SpanGuard {
    span: Span,
}

impl Guard for SpanGuard {
    fn poll_frame(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Step {
        let step = self.span.in_scope(|| super::body::poll(inner, context));
        if let Some(code) = code_at_end(&step) {
            record_end(&self.span, code);
        }
        step
    }
}
