//! What models differ in, and the models that callers want looked at.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{ModelId, Violations};
use proto::model_source::Source;

use super::model::{ACTIVE_ID, given_model};
use crate::app::chosen_model::ModelChoice;
use crate::app::get_model::ModelName;
use crate::domain::{MeasureWeights, ModelChange, ModelDiff};

/// The model to look at, or all that is wrong with it.
pub(crate) fn choice(found: &mut Violations, field: &str, given: Option<proto::ModelSource>) -> Option<ModelChoice> {
    match given.and_then(|given| given.source) {
        Some(Source::Name(name)) => {
            let id = found.take(&format!("{field}.name"), ModelId::parse_name(&name))?;
            let name = if id.as_str() == ACTIVE_ID { ModelName::Active } else { ModelName::Id(id) };
            Some(ModelChoice::Stored(name))
        }
        Some(Source::Model(model)) => {
            given_model(found, &format!("{field}.model"), model).map(|model| ModelChoice::Given(Box::new(model)))
        }
        None => {
            found.add(field, "is required: name a model, or give one");
            None
        }
    }
}

/// A diff as messages have it.
pub(crate) fn message(diff: ModelDiff) -> proto::ModelDiff {
    proto::ModelDiff {
        base: diff.base.name(),
        other: diff.other.name(),
        changes: diff.changes.into_iter().map(change).collect(),
        weights: diff.weights.into_iter().map(weights).collect(),
    }
}

fn change(change: ModelChange) -> proto::ModelChange {
    let kind = match (&change.before, &change.after) {
        (None, _) => proto::ModelChangeKind::Added,
        (Some(_), None) => proto::ModelChangeKind::Removed,
        (Some(_), Some(_)) => proto::ModelChangeKind::Changed,
    };
    proto::ModelChange {
        kind: kind.into(),
        path: change.path,
        before: change.before.unwrap_or_default(),
        after: change.after.unwrap_or_default(),
    }
}

fn weights(weights: MeasureWeights) -> proto::MeasureWeights {
    proto::MeasureWeights {
        measure: weights.measure,
        display_name: weights.display_name,
        before: weights.before,
        after: weights.after,
    }
}
