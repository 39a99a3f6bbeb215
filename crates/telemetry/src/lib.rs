//! Logs, traces and metrics: one start, flushed on every exit.
