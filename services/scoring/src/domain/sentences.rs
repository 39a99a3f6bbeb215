//! Explanations in plain words.

use super::explain::{HealthComparison, Snapshot};

pub(super) fn of_score(_now: Snapshot<'_>) -> Vec<String> {
    Vec::new()
}

pub(super) fn of_change(_now: Snapshot<'_>, _earlier: Snapshot<'_>, _comparison: &HealthComparison) -> Vec<String> {
    Vec::new()
}
