//! Why a score is what it is, and what moved it.

use std::collections::HashMap;

use chrono::NaiveDate;
use mainstay_domain::Points;

use super::measure::MissingReason;
use super::model::HealthModel;
use super::score::{MeasureOutcome, Scored};
use super::sentences;

/// A score with the model that made it.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    /// The model.
    pub model: &'a HealthModel,
    /// What it made, with as many components and measures as the model has.
    pub scored: &'a Scored,
    /// The day that was scored.
    pub day: NaiveDate,
}

/// Why a score is what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthExplanation {
    /// Its parts in the model's order; the contributions add up exactly to the score.
    pub components: Vec<ComponentExplanation>,
    /// What moved it since an earlier day. Absent: not asked for.
    pub comparison: Option<HealthComparison>,
    /// The same in words.
    pub sentences: Vec<String>,
}

/// What one component did.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentExplanation {
    /// Its id.
    pub component: String,
    /// What people call it.
    pub display_name: String,
    /// Share of the score, 0 to 1.
    pub effective_weight: f64,
    /// Its own score. Absent: left out.
    pub score: Option<Points>,
    /// What it adds to the score: the sum of its measures' contributions.
    pub contribution: Points,
    /// What its measures did.
    pub measures: Vec<MeasureExplanation>,
}

/// What one measure did.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureExplanation {
    /// Its id.
    pub measure: String,
    /// What people call it.
    pub display_name: String,
    /// Share of the score, 0 to 1.
    pub effective_weight: f64,
    /// The number before the curve. Absent: missing.
    pub value: Option<f64>,
    /// What the curve makes of it. Absent: missing.
    pub points: Option<Points>,
    /// What it adds to the score.
    pub contribution: Points,
    /// What it could add at most more: its share times 100 less its
    /// contribution, to the nearest 1/128, not below 0.
    pub lost_points: Points,
    /// Why it is missing. Absent: it is not.
    pub missing: Option<MissingReason>,
    /// Age in days of its newest data. Absent: there is none.
    pub freshness_days: Option<i32>,
}

/// What moved a score between two days.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthComparison {
    /// Score minus the earlier score; a missing score counts as 0.
    pub change: Points,
    /// What moved it, the largest first, whether up or down; the changes add
    /// up exactly to `change`.
    pub measures: Vec<MeasureChange>,
}

/// What one measure did to the change of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureChange {
    /// Its id.
    pub measure: String,
    /// What people call it.
    pub display_name: String,
    /// Contribution minus the earlier contribution.
    pub change: Points,
    /// The number before the curve on the earlier day. Absent: missing.
    pub earlier_value: Option<f64>,
    /// The number before the curve on the later day. Absent: missing.
    pub value: Option<f64>,
}

/// Explains a score and, with an earlier one, what moved it since.
pub fn explain(now: Snapshot<'_>, earlier: Option<Snapshot<'_>>) -> HealthExplanation {
    let mut outcomes = now.scored.measures.iter();
    let components = now
        .model
        .components
        .iter()
        .zip(&now.scored.components)
        .map(|(component, outcome)| ComponentExplanation {
            component: component.id.clone(),
            display_name: component.display_name.clone(),
            effective_weight: outcome.effective_weight,
            score: outcome.score,
            contribution: outcome.contribution,
            measures: component
                .measures
                .iter()
                .zip(outcomes.by_ref())
                .map(|(measure, outcome)| explain_measure(&measure.id, &measure.display_name, outcome))
                .collect(),
        })
        .collect();
    let comparison = earlier.map(|earlier| compare(now, earlier));
    let mut sentences = sentences::of_score(now);
    if let (Some(comparison), Some(earlier)) = (&comparison, earlier) {
        sentences.extend(sentences::of_change(now, earlier, comparison));
    }
    HealthExplanation { components, comparison, sentences }
}

/// The most a measure of this share can add, to the nearest 1/128.
pub(super) fn points_at_stake(effective_weight: f64) -> Points {
    Points::nearest(effective_weight * 100.0)
}

fn explain_measure(id: &str, display_name: &str, outcome: &MeasureOutcome) -> MeasureExplanation {
    MeasureExplanation {
        measure: id.to_owned(),
        display_name: display_name.to_owned(),
        effective_weight: outcome.effective_weight,
        value: outcome.value,
        points: outcome.points,
        contribution: outcome.contribution,
        lost_points: (points_at_stake(outcome.effective_weight) - outcome.contribution).max(Points::ZERO),
        missing: outcome.missing,
        freshness_days: outcome.freshness_days,
    }
}

/// What moved a score. The two may be of different models: measures are
/// matched by their ids, and one that a model does not have contributed 0.
pub fn compare(now: Snapshot<'_>, earlier: Snapshot<'_>) -> HealthComparison {
    let mut before: HashMap<&str, (&str, &MeasureOutcome)> =
        outcomes_by_id(earlier).map(|(id, display_name, outcome)| (id, (display_name, outcome))).collect();
    let mut measures: Vec<MeasureChange> = outcomes_by_id(now)
        .map(|(id, display_name, outcome)| {
            let old = before.remove(id).map(|(_, old)| old);
            measure_change(id, display_name, Some(outcome), old)
        })
        .collect();
    measures
        .extend(before.into_iter().map(|(id, (display_name, old))| measure_change(id, display_name, None, Some(old))));
    measures.sort_by(|a, b| b.change.abs().cmp(&a.change.abs()).then_with(|| a.measure.cmp(&b.measure)));
    HealthComparison {
        change: now.scored.score.unwrap_or_default() - earlier.scored.score.unwrap_or_default(),
        measures,
    }
}

fn outcomes_by_id(snapshot: Snapshot<'_>) -> impl Iterator<Item = (&str, &str, &MeasureOutcome)> {
    snapshot
        .model
        .measures()
        .zip(&snapshot.scored.measures)
        .map(|((_, measure), outcome)| (measure.id.as_str(), measure.display_name.as_str(), outcome))
}

fn measure_change(
    id: &str,
    display_name: &str,
    now: Option<&MeasureOutcome>,
    earlier: Option<&MeasureOutcome>,
) -> MeasureChange {
    let contribution = |outcome: Option<&MeasureOutcome>| outcome.map_or(Points::ZERO, |outcome| outcome.contribution);
    MeasureChange {
        measure: id.to_owned(),
        display_name: display_name.to_owned(),
        change: contribution(now) - contribution(earlier),
        earlier_value: earlier.and_then(|outcome| outcome.value),
        value: now.and_then(|outcome| outcome.value),
    }
}

#[cfg(test)]
mod tests;
