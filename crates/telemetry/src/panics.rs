//! Panics in the log.

use std::panic;

/// Logs panics as errors, in the format of all other lines, in place of the text that the
/// standard library prints. For binaries; tests keep theirs.
pub fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("something that is not text");
        let location = info.location().map(ToString::to_string);
        tracing::error!(panic = message, location, "a panic");
    }));
}
