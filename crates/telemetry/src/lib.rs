//! Logs, traces and metrics: one start, flushed on every exit.
//!
//! [`start`] installs, once per process, a `tracing` subscriber (JSON lines, or
//! pretty lines on a terminal), a Prometheus recorder for the `metrics` crate and,
//! when an endpoint is given, the export of spans by OTLP. Metrics are scraped
//! from `/metrics`; nothing pushes them.
//!
//! The export never holds up the work it reports on: its queue is bounded, what
//! does not fit is dropped and counted, and [`Telemetry::shutdown`] waits at most
//! [`FLUSH_TIMEOUT_MAX`].

mod export;
mod logs;
mod panics;
mod prometheus;
pub mod propagation;
mod settings;
mod start;

pub use export::FLUSH_TIMEOUT_MAX;
pub use panics::log_panics;
pub use settings::{LogFormat, TelemetryError, TelemetrySettings};
pub use start::{Telemetry, start};
