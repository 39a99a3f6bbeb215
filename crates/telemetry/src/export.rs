//! The export of spans by OTLP.

use std::time::Duration;

use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};

use crate::TelemetryError;

/// The longest that [`crate::Telemetry::shutdown`] waits for spans to leave.
pub const FLUSH_TIMEOUT_MAX: Duration = Duration::from_secs(3);

/// Spans that may wait for export; more are dropped, never waited for.
const QUEUE_SPANS_MAX: usize = 4096;

/// Spans in one export.
const BATCH_SPANS_MAX: usize = 512;

/// How long a span waits for others at most.
const EXPORT_INTERVAL: Duration = Duration::from_secs(2);

/// One export takes at most this, so that a collector that hangs cannot outlast the flush.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// A provider that exports to `endpoint`, or one that only makes trace context.
pub(crate) fn provider(service_name: String, endpoint: Option<String>) -> Result<SdkTracerProvider, TelemetryError> {
    let resource = Resource::builder().with_service_name(service_name).build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = endpoint else { return Ok(builder.build()) };
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|error| TelemetryError::Start(error.to_string()))?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE_SPANS_MAX)
        .with_max_export_batch_size(BATCH_SPANS_MAX)
        .with_scheduled_delay(EXPORT_INTERVAL)
        .build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    Ok(builder.with_span_processor(processor).build())
}
