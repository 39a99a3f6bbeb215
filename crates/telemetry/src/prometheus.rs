//! The recorder behind `/metrics`.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::buckets::{BYTES, BYTES_SUFFIX, COUNTS, SECONDS, SECONDS_SUFFIX};

/// A recorder with buckets by unit.
pub(crate) fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets(&COUNTS)?
        .set_buckets_for_metric(Matcher::Suffix(SECONDS_SUFFIX.to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix(BYTES_SUFFIX.to_owned()), &BYTES)
}

/// The text for `/metrics`, after emptying what samples wait in the histograms.
pub(crate) fn render(handle: &PrometheusHandle) -> String {
    handle.run_upkeep();
    handle.render()
}
