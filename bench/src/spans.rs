//! Times between two moments of many things, as rows of a table.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::report::{millis, whole};
use crate::samples::Samples;

/// The titles of [`row`].
pub(crate) const TITLES: [&str; 5] = ["time", "samples", "p50", "p99", "most"];

/// From one moment to another; none where either is missing, nothing where the order is reversed by the clocks' grain.
pub(crate) fn between(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> Option<Duration> {
    Some((to? - from?).to_std().unwrap_or_default())
}

/// One row.
pub(crate) fn row(name: &str, samples: &mut Samples) -> [String; 5] {
    [
        name.to_owned(),
        whole(samples.count() as f64),
        millis(samples.median()),
        millis(samples.percentile(99)),
        millis(samples.percentile(100)),
    ]
}
