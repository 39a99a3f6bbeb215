//! The buckets of histograms, the same wherever they go.

/// Upper bounds in seconds for what ends in [`SECONDS_SUFFIX`]: from a cached read to a long deadline.
pub(crate) const SECONDS: [f64; 15] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// Upper bounds for what ends in [`BYTES_SUFFIX`]: from an empty message to the largest accepted by default.
pub(crate) const BYTES: [f64; 9] =
    [64.0, 256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0];

/// Upper bounds for what counts things, up to the largest batch of 10 000. Histograms without a unit do.
pub(crate) const COUNTS: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0];

/// How the name of a histogram of seconds ends.
pub(crate) const SECONDS_SUFFIX: &str = "_seconds";

/// How the name of a histogram of bytes ends.
pub(crate) const BYTES_SUFFIX: &str = "_bytes";

/// The upper bounds for the histogram of this name.
pub(crate) fn bounds_of(name: &str) -> &'static [f64] {
    if name.ends_with(SECONDS_SUFFIX) {
        &SECONDS
    } else if name.ends_with(BYTES_SUFFIX) {
        &BYTES
    } else {
        &COUNTS
    }
}
