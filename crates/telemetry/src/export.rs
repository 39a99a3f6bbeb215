//! The export of spans and metrics by OTLP.

use std::time::Duration;

use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{Aggregation, Instrument, InstrumentKind, PeriodicReader, SdkMeterProvider, Stream};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};

use crate::{TelemetryError, buckets};

/// The longest that [`crate::Telemetry::shutdown`] waits for spans and metrics to leave.
pub const FLUSH_TIMEOUT_MAX: Duration = Duration::from_secs(3);

/// Spans that may wait for export; more are dropped, never waited for.
const QUEUE_SPANS_MAX: usize = 4096;

/// Spans in one export.
const BATCH_SPANS_MAX: usize = 512;

/// How long a span waits for others at most.
const SPAN_EXPORT_INTERVAL: Duration = Duration::from_secs(2);

/// How often all metrics are exported, as they are then.
const METRIC_EXPORT_INTERVAL: Duration = Duration::from_secs(15);

/// One export takes at most this, so that a collector that hangs cannot outlast the flush.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// Who sends: the service.
pub(crate) fn resource(service_name: String) -> Resource {
    Resource::builder().with_service_name(service_name).build()
}

/// A provider that exports spans to `endpoint`, or one that only makes trace context.
pub(crate) fn traces(resource: Resource, endpoint: Option<&str>) -> Result<SdkTracerProvider, TelemetryError> {
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = endpoint else { return Ok(builder.build()) };
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|error| refused(&error))?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE_SPANS_MAX)
        .with_max_export_batch_size(BATCH_SPANS_MAX)
        .with_scheduled_delay(SPAN_EXPORT_INTERVAL)
        .build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    Ok(builder.with_span_processor(processor).build())
}

/// A provider that exports metrics to `endpoint`, from a thread of its own.
pub(crate) fn metrics(resource: Resource, endpoint: &str) -> Result<SdkMeterProvider, TelemetryError> {
    let exporter = MetricExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|error| refused(&error))?;
    let reader = PeriodicReader::builder(exporter).with_interval(METRIC_EXPORT_INTERVAL).build();
    Ok(SdkMeterProvider::builder().with_resource(resource).with_reader(reader).with_view(with_our_buckets).build())
}

/// Histograms get the buckets that they have for Prometheus; all else is as the SDK has it.
fn with_our_buckets(instrument: &Instrument) -> Option<Stream> {
    if instrument.kind() != InstrumentKind::Histogram {
        return None;
    }
    let boundaries = buckets::bounds_of(instrument.name()).to_vec();
    let aggregation = Aggregation::ExplicitBucketHistogram { boundaries, record_min_max: true };
    Stream::builder().with_aggregation(aggregation).build().ok()
}

fn refused(error: &ExporterBuildError) -> TelemetryError {
    TelemetryError::Start(error.to_string())
}
