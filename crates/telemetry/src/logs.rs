//! The log lines' format.

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::LogFormat;

/// Log lines to standard error, so that what a command prints stays clean.
pub(crate) fn layer<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        LogFormat::Auto if !terminal => lines.json().flatten_event(true).with_span_list(false).boxed(),
        LogFormat::Auto | LogFormat::Pretty => lines.with_ansi(terminal).with_target(false).boxed(),
    }
}
