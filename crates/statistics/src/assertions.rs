//! What tests of figures ask.

/// Panics unless both are the same to within `tolerance`.
#[track_caller]
pub(crate) fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected} to within {tolerance}");
}
