//! Lengths of time as people write them.

use std::time::Duration;

/// Reads `500ms`, `30s`, `5m`, `1h30m`, `7d`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let _ = text;
    todo!()
}

/// Writes a length of time as [`parse_duration`] reads it.
pub fn format_duration(duration: Duration) -> String {
    let _ = duration;
    todo!()
}
