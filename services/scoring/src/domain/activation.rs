//! How models come to score.

use chrono::NaiveDate;
use mainstay_domain::{ModelId, Violations};

/// Most characters of a reason.
const REASON_LENGTH_MAX: usize = 1_000;

/// Why a model was activated, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ActivationCause {
    /// As the caller said; may be empty.
    pub reason: String,
    /// Whether the caller accepted that its backtest was worse than that of the model before.
    pub accepted_worse: bool,
    /// The caller, as authenticated; empty for the service itself.
    pub caller: String,
}

/// A model's rule over the days from `from_day` on, until a later one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Activation {
    /// Rises with each activation.
    pub sequence: i64,
    pub model: ModelId,
    pub from_day: NaiveDate,
    pub cause: ActivationCause,
}

impl ActivationCause {
    /// Checks what a caller said.
    pub(crate) fn check(&self, found: &mut Violations) {
        found.check_text("reason", &self.reason, REASON_LENGTH_MAX);
        let is_given = !self.accepted_worse || !self.reason.trim().is_empty();
        found.require(is_given, "reason", "is required with accept_worse: say why a worse model is wanted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worse_model_needs_a_reason() {
        for (reason, accepted_worse, is_fine) in [
            ("", false, true),
            ("", true, false),
            (" \n", true, false),
            ("the old one reads a metric that is gone", true, true),
        ] {
            let cause = ActivationCause { reason: reason.to_owned(), accepted_worse, caller: String::new() };
            let mut found = Violations::new();
            cause.check(&mut found);
            assert_eq!(found.is_empty(), is_fine, "{reason:?}");
        }
    }
}
