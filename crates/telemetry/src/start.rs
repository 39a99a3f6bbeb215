//! The one start and the one end.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

use metrics_exporter_prometheus::{PrometheusHandle, PrometheusRecorder};
use metrics_opentelemetry::{OpenTelemetryMetrics, OpenTelemetryRecorder};
use metrics_util::layers::FanoutBuilder;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use crate::{FLUSH_TIMEOUT_MAX, TelemetryError, TelemetrySettings, export, logs, prometheus};

/// What was installed in this process; a second [`start`] gets the same.
static STARTED: Mutex<Option<Telemetry>> = Mutex::new(None);

/// Running telemetry. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Telemetry {
    inner: Arc<Inner>,
}

struct Inner {
    prometheus: PrometheusHandle,
    traces: SdkTracerProvider,
    /// There when metrics are exported, too.
    metrics: Option<SdkMeterProvider>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Inner").finish_non_exhaustive()
    }
}

/// Starts logs, traces and metrics for the process, inside a tokio runtime when
/// spans and metrics are exported. When it has run before in this process (tests, several
/// services in one process), the settings are checked and the running telemetry
/// is given: the first start decides.
///
/// A subscriber or recorder that somebody else installed is left in place.
///
/// # Errors
/// Settings that cannot be used.
pub fn start(settings: TelemetrySettings) -> Result<Telemetry, TelemetryError> {
    settings.check()?;
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = started.as_ref() {
        return Ok(running.clone());
    }
    let lines_filter = settings.filter()?;
    let endpoint = settings.endpoint()?.map(str::to_owned);
    let resource = export::resource(settings.service_name);
    let traces = export::traces(resource.clone(), endpoint.as_deref())?;
    let metrics = endpoint.map(|endpoint| export::metrics(resource, &endpoint)).transpose()?;
    let recorder = prometheus::builder().map_err(|error| TelemetryError::Start(error.to_string()))?.build_recorder();
    let handle = recorder.handle();
    install(recorder, metrics.as_ref());
    // Not the log's filter: quiet logs must not cut traces. Below INFO the libraries' own spans cost more than the work.
    let spans = tracing_opentelemetry::layer().with_tracer(traces.tracer("mainstay")).with_filter(LevelFilter::INFO);
    let subscriber =
        tracing_subscriber::registry().with(logs::layer(settings.log_format).with_filter(lines_filter)).with(spans);
    // Fails only when somebody installed another: then theirs stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
    // A span that another thread met between the subscriber's making and its installing would be off for ever.
    tracing::callsite::rebuild_interest_cache();
    let telemetry = Telemetry { inner: Arc::new(Inner { prometheus: handle, traces, metrics }) };
    *started = Some(telemetry.clone());
    Ok(telemetry)
}

/// Has everything recorded for Prometheus and, if they are exported, for the exporter.
fn install(prometheus: PrometheusRecorder, exported: Option<&SdkMeterProvider>) {
    // Both fail only when somebody installed another: then theirs stays.
    let _ = match exported {
        None => metrics::set_global_recorder(prometheus).map_err(drop),
        Some(provider) => {
            let exporting = OpenTelemetryRecorder::new(OpenTelemetryMetrics::new(provider.meter("mainstay")));
            let both = FanoutBuilder::default().add_recorder(prometheus).add_recorder(exporting).build();
            metrics::set_global_recorder(both).map_err(drop)
        }
    };
}

impl Telemetry {
    /// All metrics in the text format of Prometheus, for `/metrics`.
    pub fn prometheus(&self) -> String {
        prometheus::render(&self.inner.prometheus)
    }

    /// Sends the spans that wait and the metrics as they are, for at most [`FLUSH_TIMEOUT_MAX`]; what has not left
    /// by then is lost with the process. Blocks its thread. Telemetry itself goes on, for the other
    /// parts of the process that share it.
    pub fn shutdown(self) {
        let ends_by = Instant::now() + FLUSH_TIMEOUT_MAX;
        let Inner { traces, metrics, .. } = &*self.inner;
        let traces = traces.clone();
        let mut flushes = vec![("spans", start_flush(move || traces.force_flush()))];
        flushes.extend(metrics.clone().map(|metrics| ("metrics", start_flush(move || metrics.force_flush()))));
        for (what, flushed) in flushes {
            match flushed.recv_timeout(ends_by.saturating_duration_since(Instant::now())) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the last {what} could not all be exported before the end"),
                Err(_) => tracing::warn!("the collector did not take the last {what} in time"),
            }
        }
    }
}

/// Flushes on a thread of its own: the SDK's own flush may wait for longer than we do.
fn start_flush(flush: impl FnOnce() -> OTelSdkResult + Send + 'static) -> mpsc::Receiver<OTelSdkResult> {
    let (sender, receiver) = mpsc::channel();
    // Nobody listens any more when it took too long.
    thread::spawn(move || sender.send(flush()));
    receiver
}
