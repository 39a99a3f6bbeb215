//! In what two models differ.
//!
//! Components and measures are matched by their ids, so that their order makes no difference, and a measure that went to another
//! component is the same measure.

use mainstay_domain::ModelId;
use serde::Serialize;
use serde_json::Value;

use super::curve::Curve;
use super::model::{Component, HealthModel, Measure, Window};

/// In what two models differ.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelDiff {
    /// The model before.
    pub base: ModelId,
    /// The model after.
    pub other: ModelId,
    /// What differs: the model's own fields, then components, then measures.
    pub changes: Vec<ModelChange>,
    /// Every measure of either model, in the order of the model after; those that it does not have come last.
    pub weights: Vec<MeasureWeights>,
}

/// One thing in which two models differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelChange {
    /// What it is about, by ids and field names: `measures.emails.window_days`.
    pub path: String,
    /// What it was. Absent: it was not there.
    pub before: Option<String>,
    /// What it is. Absent: it is not there any more.
    pub after: Option<String>,
}

/// How much a measure weighs in two models while all data are there.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureWeights {
    /// Its id.
    pub measure: String,
    /// What people call it; in the model after, if it is there.
    pub display_name: String,
    /// Share of the score before, 0 to 1. Absent: it was not there.
    pub before: Option<f64>,
    /// Share of the score after, 0 to 1. Absent: it is not there.
    pub after: Option<f64>,
}

/// A field's name and its value as text.
type Field = (&'static str, String);

/// A component or measure with its place in the diff.
struct Part {
    path: String,
    summary: String,
    fields: Vec<Field>,
}

impl ModelDiff {
    /// Compares two models.
    pub fn of(base: &HealthModel, other: &HealthModel) -> Self {
        let mut changes = Vec::new();
        compare_fields("", &model_fields(base), &model_fields(other), &mut changes);
        compare_parts(&components(base), &components(other), &mut changes);
        compare_parts(&measures(base), &measures(other), &mut changes);
        Self { base: base.id.clone(), other: other.id.clone(), changes, weights: weights(base, other) }
    }
}

/// The share of the score that each measure has while all data are there, with the measure, in the model's order.
fn shares(model: &HealthModel) -> Vec<(&Measure, f64)> {
    let of_all: f64 = model.components.iter().map(|component| component.weight).sum();
    let of_component = |component: &Component| component.measures.iter().map(|measure| measure.weight).sum::<f64>();
    model
        .measures()
        .map(|(component, measure)| (measure, component.weight / of_all * (measure.weight / of_component(component))))
        .collect()
}

fn weights(base: &HealthModel, other: &HealthModel) -> Vec<MeasureWeights> {
    let (before, after) = (shares(base), shares(other));
    let share_in = |shares: &[(&Measure, f64)], id: &str| {
        shares.iter().find(|(measure, _)| measure.id == id).map(|(_, share)| *share)
    };
    let gone = before.iter().filter(|(measure, _)| share_in(&after, &measure.id).is_none());
    after
        .iter()
        .chain(gone)
        .map(|(measure, _)| MeasureWeights {
            measure: measure.id.clone(),
            display_name: measure.display_name.clone(),
            before: share_in(&before, &measure.id),
            after: share_in(&after, &measure.id),
        })
        .collect()
}

fn compare_parts(before: &[Part], after: &[Part], changes: &mut Vec<ModelChange>) {
    let find = |parts: &'_ [Part], path: &str| parts.iter().position(|part| part.path == path);
    for part in after {
        match find(before, &part.path) {
            Some(known) => compare_fields(&format!("{}.", part.path), &before[known].fields, &part.fields, changes),
            None => {
                changes.push(ModelChange { path: part.path.clone(), before: None, after: Some(part.summary.clone()) });
            }
        }
    }
    for part in before.iter().filter(|part| find(after, &part.path).is_none()) {
        changes.push(ModelChange { path: part.path.clone(), before: Some(part.summary.clone()), after: None });
    }
}

fn compare_fields(prefix: &str, before: &[Field], after: &[Field], changes: &mut Vec<ModelChange>) {
    for ((name, before), (_, after)) in before.iter().zip(after).filter(|(before, after)| before != after) {
        changes.push(ModelChange {
            path: format!("{prefix}{name}"),
            before: Some(before.clone()),
            after: Some(after.clone()),
        });
    }
}

fn model_fields(model: &HealthModel) -> Vec<Field> {
    let cuts = &model.band_cuts;
    vec![
        ("display_name", model.display_name.clone()),
        ("description", model.description.clone()),
        ("band_cuts.critical_below", cuts.critical_below.as_f64().to_string()),
        ("band_cuts.at_risk_below", cuts.at_risk_below.as_f64().to_string()),
        ("band_cuts.healthy_above", cuts.healthy_above.as_f64().to_string()),
    ]
}

fn components(model: &HealthModel) -> Vec<Part> {
    let part = |component: &Component| Part {
        path: format!("components.{}", component.id),
        summary: format!("{}, weight {}", component.display_name, component.weight),
        fields: vec![
            ("display_name", component.display_name.clone()),
            ("weight", component.weight.to_string()),
            ("rationale", component.rationale.clone()),
        ],
    };
    model.components.iter().map(part).collect()
}

fn measures(model: &HealthModel) -> Vec<Part> {
    model
        .measures()
        .map(|(component, measure)| Part {
            path: format!("measures.{}", measure.id),
            summary: format!("{}, weight {} in {}", measure.display_name, measure.weight, component.id),
            fields: vec![
                ("component", component.id.clone()),
                ("display_name", measure.display_name.clone()),
                ("weight", measure.weight.to_string()),
                ("rationale", measure.rationale.clone()),
                ("input", words(&measure.input)),
                ("window_days", window(measure.window)),
                ("aggregation", words(&measure.aggregation)),
                ("comparison", words(&measure.comparison)),
                ("curve", curve(&measure.curve)),
                ("freshness_limit_days", measure.freshness_limit_days.to_string()),
            ],
        })
        .collect()
}

fn window(window: Window) -> String {
    match window {
        Window::Days(days) => days.to_string(),
        Window::Lifetime => "lifetime".to_owned(),
    }
}

fn curve(curve: &Curve) -> String {
    let corners = curve.corners().iter().map(|corner| format!("[{}, {}]", corner.x, corner.points));
    format!("[{}]", corners.collect::<Vec<_>>().join(", "))
}

/// A word of a model as its file has it: `sum`, or `metric: emails`.
fn words<T: Serialize>(word: &T) -> String {
    match serde_json::to_value(word) {
        Ok(Value::String(word)) => word,
        Ok(Value::Object(fields)) => {
            let told = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.iter().map(|(name, value)| format!("{name}: {}", told(value))).collect::<Vec<_>>().join(", ")
        }
        Ok(other) => other.to_string(),
        Err(fault) => fault.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Points;

    use super::*;
    use crate::domain::{DEFAULT_MODEL, Input, parse_model_file};

    fn default_model() -> HealthModel {
        HealthModel::from_draft(parse_model_file(DEFAULT_MODEL).expect("parses")).expect("valid")
    }

    fn told(diff: &ModelDiff) -> Vec<(&str, Option<&str>, Option<&str>)> {
        diff.changes.iter().map(|one| (one.path.as_str(), one.before.as_deref(), one.after.as_deref())).collect()
    }

    #[test]
    fn a_model_does_not_differ_from_itself_in_whatever_order() {
        let base = default_model();
        let mut other = base.clone();
        other.components.reverse();
        other.components.iter_mut().for_each(|component| component.measures.reverse());
        let diff = ModelDiff::of(&base, &other);
        assert_eq!(diff.changes, []);
        assert!(diff.weights.iter().all(|weights| weights.before == weights.after && weights.before.is_some()));
        let sum: f64 = diff.weights.iter().filter_map(|weights| weights.after).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }

    #[test]
    fn each_changed_field_is_told_by_its_path() {
        let base = default_model();
        let mut other = base.clone();
        other.band_cuts.at_risk_below = Points::nearest(65.0);
        other.components[0].weight = 7.5;
        let measure = &mut other.components[0].measures[0];
        let before = words(&measure.input);
        measure.input = Input::Metric("messages".to_owned());
        measure.window = Window::Lifetime;
        let (component, id) = (other.components[0].id.clone(), other.components[0].measures[0].id.clone());
        let diff = ModelDiff::of(&base, &other);
        let weight = base.components[0].weight.to_string();
        let days = window(base.components[0].measures[0].window);
        let expected = [
            ("band_cuts.at_risk_below", Some("70"), Some("65")),
            (&*format!("components.{component}.weight"), Some(&*weight), Some("7.5")),
            (&*format!("measures.{id}.input"), Some(&*before), Some("metric: messages")),
            (&*format!("measures.{id}.window_days"), Some(&*days), Some("lifetime")),
        ];
        assert_eq!(told(&diff), expected);
    }

    #[test]
    fn a_measure_may_come_go_and_move() {
        let base = default_model();
        let mut other = base.clone();
        let gone = other.components[0].measures.remove(0);
        let moved = other.components[1].measures.remove(0);
        other.components[0].measures.push(moved.clone());
        other.components[0].measures.push(Measure { id: "fresh".to_owned(), weight: 3.0, ..gone.clone() });
        let diff = ModelDiff::of(&base, &other);
        let (from, to) = (base.components[1].id.as_str(), base.components[0].id.as_str());
        let fresh = format!("{}, weight 3 in {to}", gone.display_name);
        let left = format!("{}, weight {} in {to}", gone.display_name, gone.weight);
        let expected = [
            (&*format!("measures.{}.component", moved.id), Some(from), Some(to)),
            ("measures.fresh", None, Some(&*fresh)),
            (&*format!("measures.{}", gone.id), Some(&*left), None),
        ];
        assert_eq!(told(&diff), expected);
        let last = diff.weights.last().expect("weights");
        assert_eq!((last.measure.as_str(), last.after), (gone.id.as_str(), None));
        assert!(last.before.is_some_and(|share| share > 0.0));
    }
}
