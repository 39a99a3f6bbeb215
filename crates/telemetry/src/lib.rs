//! Logs, traces and metrics: one start, flushed on every exit.
//!
//! [`start`] installs, once per process, a `tracing` subscriber (JSON lines, or
//! pretty lines on a terminal), a Prometheus recorder for the `metrics` crate, whose
//! text is for `/metrics`, and, when an endpoint is given, the export of spans and of
//! the same metrics by OTLP.
//!
//! The export never holds up the work it reports on: the queue of spans is bounded, what
//! does not fit is dropped and counted, metrics are added up in memory whether or not they
//! leave, and [`Telemetry::shutdown`] waits at most [`FLUSH_TIMEOUT_MAX`].

mod buckets;
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
