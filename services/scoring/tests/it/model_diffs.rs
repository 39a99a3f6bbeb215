//! What two models differ in, stored ones and such as need not exist.

use mainstay_api::mainstay::scoring::v1 as proto;
use proto::model_source::Source;
use tonic::{Code, Status};

use crate::harness::{Harness, model_of, sum_of};
use crate::refusals::{reason, violated_fields};

fn stored(name: &str) -> proto::ModelSource {
    proto::ModelSource { source: Some(Source::Name(name.to_owned())) }
}

fn given(model: proto::Model) -> proto::ModelSource {
    proto::ModelSource { source: Some(Source::Model(model)) }
}

async fn diff(
    harness: &Harness,
    base: impl Into<Option<proto::ModelSource>>,
    other: impl Into<Option<proto::ModelSource>>,
) -> Result<proto::ModelDiff, Status> {
    Ok(harness
        .models
        .clone()
        .diff_models(proto::DiffModelsRequest { base: base.into(), other: other.into() })
        .await?
        .into_inner())
}

/// Emails of 28 days and meetings of 90, as `models/draft`.
fn draft() -> proto::Model {
    let mut model = proto::Model { name: "models/draft".to_owned(), ..model_of(sum_of("emails", 28)) };
    model.components[0].measures.push(proto::Measure { weight: 3.0, ..sum_of("meetings", 90) });
    model
}

#[tokio::test]
async fn a_draft_is_compared_with_the_model_that_scores() {
    let mut harness = Harness::start("2026-03-01T08:00:00Z").await;
    harness.activate("emails", model_of(sum_of("emails", 7))).await;
    let diff = diff(&harness, stored("models/active"), given(draft())).await.expect("a diff");
    assert_eq!((diff.base.as_str(), diff.other.as_str()), ("models/emails", "models/draft"));
    let changes: Vec<_> = diff
        .changes
        .iter()
        .map(|change| (change.kind(), change.path.as_str(), change.before.as_str(), change.after.as_str()))
        .collect();
    assert_eq!(
        changes,
        [
            (proto::ModelChangeKind::Changed, "measures.emails_sum.window_days", "7", "28"),
            (proto::ModelChangeKind::Added, "measures.meetings_sum", "", "Sum of meetings, weight 3 in usage"),
        ]
    );
    let weights: Vec<_> =
        diff.weights.iter().map(|weights| (weights.measure.as_str(), weights.before, weights.after)).collect();
    assert_eq!(weights, [("emails_sum", Some(1.0), Some(0.25)), ("meetings_sum", None, Some(0.75))]);
}

#[tokio::test]
async fn a_model_is_the_same_as_itself() {
    let harness = Harness::start("2026-03-01T08:00:00Z").await;
    let diff = diff(&harness, stored("models/active"), stored("models/default")).await.expect("a diff");
    assert_eq!((diff.changes, diff.base), (Vec::new(), diff.other));
}

#[tokio::test]
async fn both_models_are_refused_with_all_their_faults() {
    let harness = Harness::start("2026-03-01T08:00:00Z").await;
    let mut bad = draft();
    bad.name = "draft".to_owned();
    bad.components[0].weight = -1.0;
    let refusal = diff(&harness, stored("default"), given(bad)).await.expect_err("bad");
    assert_eq!(violated_fields(&refusal), ["base.name", "other.model.name", "other.model.components[0].weight"]);
    let refusal = diff(&harness, None, proto::ModelSource::default()).await.expect_err("nothing");
    assert_eq!(violated_fields(&refusal), ["base", "other"]);
    let refusal = diff(&harness, stored("models/active"), stored("models/none")).await.expect_err("none");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "MODEL_NOT_FOUND"));
}
