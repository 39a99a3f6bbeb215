//! W3C trace context in and out of headers and stored events.
//!
//! Works whether or not spans are exported: [`crate::start`] always installs a
//! tracer, so that a trace id given by a caller reaches the next service.

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// The W3C `traceparent` of the current span; `None` outside a traced span.
pub fn current_traceparent() -> Option<String> {
    let context = Span::current().context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut only = OneHeader(None);
    TraceContextPropagator::new().inject_context(&context, &mut only);
    only.0
}

/// Makes the caller's span, as `traceparent` and `tracestate` in the headers name it, the parent of `span`.
/// Without valid headers the span stays as it is.
pub fn set_parent(span: &Span, headers: &HeaderMap) {
    adopt(span, &Headers(headers));
}

/// Makes the span that a stored `traceparent` names the parent of `span`. A text that is not one changes nothing.
pub fn set_parent_from_traceparent(span: &Span, traceparent: &str) {
    adopt(span, &OneHeader(Some(traceparent.to_owned())));
}

/// Writes the current span's `traceparent` and `tracestate` into headers of an outgoing call.
pub fn inject(headers: &mut HeaderMap) {
    let context = Span::current().context();
    TraceContextPropagator::new().inject_context(&context, &mut HeadersMut(headers));
}

fn adopt(span: &Span, extractor: &dyn Extractor) {
    let context = TraceContextPropagator::new().extract(extractor);
    if context.span().span_context().is_valid() {
        // Fails only for a span that is disabled or already entered by OpenTelemetry: then there is nothing to link.
        let _ = span.set_parent(context);
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) =
            (http::HeaderName::from_bytes(key.as_bytes()), http::HeaderValue::from_str(&value))
        {
            self.0.insert(name, value);
        }
    }
}

struct OneHeader(Option<String>);

impl Extractor for OneHeader {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0.as_deref()).flatten()
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

impl Injector for OneHeader {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACEPARENT {
            self.0 = Some(value);
        }
    }
}
