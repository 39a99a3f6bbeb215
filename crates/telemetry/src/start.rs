//! The one start and the one end.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use metrics_exporter_prometheus::PrometheusHandle;
use opentelemetry::trace::TracerProvider;
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
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Inner").finish_non_exhaustive()
    }
}

/// Starts logs, traces and metrics for the process, inside a tokio runtime when
/// spans are exported. When it has run before in this process (tests, several
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
    let traces = export::provider(settings.service_name, endpoint)?;
    let recorder = prometheus::builder().map_err(|error| TelemetryError::Start(error.to_string()))?.build_recorder();
    let handle = recorder.handle();
    // Both fail only when somebody installed another: then theirs stays.
    let _ = metrics::set_global_recorder(recorder);
    // Not the log's filter: quiet logs must not cut traces. Below INFO the libraries' own spans cost more than the work.
    let spans = tracing_opentelemetry::layer().with_tracer(traces.tracer("mainstay")).with_filter(LevelFilter::INFO);
    let subscriber =
        tracing_subscriber::registry().with(logs::layer(settings.log_format).with_filter(lines_filter)).with(spans);
    let _ = tracing::subscriber::set_global_default(subscriber);
    // A span that another thread met between the subscriber's making and its installing would be off for ever.
    tracing::callsite::rebuild_interest_cache();
    let telemetry = Telemetry { inner: Arc::new(Inner { prometheus: handle, traces }) };
    *started = Some(telemetry.clone());
    Ok(telemetry)
}

impl Telemetry {
    /// All metrics in the text format of Prometheus, for `/metrics`.
    pub fn prometheus(&self) -> String {
        prometheus::render(&self.inner.prometheus)
    }

    /// Sends the spans that wait, for at most [`FLUSH_TIMEOUT_MAX`]; what has not left by
    /// then is lost with the process. Blocks its thread. Telemetry itself goes on, for the other
    /// parts of the process that share it.
    pub fn shutdown(self) {
        let (sender, receiver) = mpsc::channel();
        let traces = self.inner.traces.clone();
        // The SDK's own flush waits longer than we may.
        thread::spawn(move || sender.send(traces.force_flush()));
        match receiver.recv_timeout(FLUSH_TIMEOUT_MAX) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "some spans could not be exported before the end"),
            Err(_) => tracing::warn!("the collector did not take the last spans in time"),
        }
    }
}
