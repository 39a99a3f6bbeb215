//! A batch that is refused as a whole because some of its items are.

use mainstay_domain::Violations;

use super::ScoringError;

/// Whose items a batch has, by the names of its fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchFields {
    /// The list of items.
    pub items: &'static str,
    /// The item's account.
    pub account: &'static str,
}

/// One error for the whole batch, which names the fields of all items at fault. A single item with a reason of its own keeps
/// it; of several, which may have different reasons, all are invalid fields. There is at least one.
pub(super) fn refuse_all(
    fields: BatchFields,
    refused: impl IntoIterator<Item = (usize, ScoringError)>,
) -> ScoringError {
    let mut found = Violations::new();
    let mut reasons = Vec::new();
    let mut count = 0;
    for (place, error) in refused {
        count += 1;
        let prefix = format!("{}[{place}]", fields.items);
        let (field, description) = match &error {
            ScoringError::Invalid(violations) => {
                found.absorb(&prefix, violations.clone());
                continue;
            }
            ScoringError::AccountNotFound(_) | ScoringError::AccountArchived(_) => (fields.account, error.to_string()),
            ScoringError::MetricKindMismatch { metric, known } => {
                ("payload", format!("the metric `{metric}` is known as a {}", known.metric_word()))
            }
            ScoringError::EtagMismatch => ("etag", error.to_string()),
            _ => return error,
        };
        found.add(format!("{prefix}.{field}"), description);
        reasons.push(error);
    }
    match reasons.pop() {
        Some(error) if count == 1 => ScoringError::OfItem { error: Box::new(error), found },
        _ => ScoringError::Invalid(found),
    }
}
