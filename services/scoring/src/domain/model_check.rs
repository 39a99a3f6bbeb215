//! The check of a model: all its faults at once, by field.

use std::collections::HashMap;

use mainstay_domain::{BandCuts, ModelId, Points, Violations, is_key};

use super::curve::{Curve, CurvePoint};
use super::model::{
    Aggregation, BandCutsDraft, Comparison, Component, ComponentDraft, DEFAULT_FRESHNESS_LIMIT_DAYS, HealthModel,
    Input, Measure, MeasureDraft, ModelDraft, Window,
};
use super::story_series::{Shape, StorySeries};

const MODEL_DISPLAY_NAME_CHARACTERS_MAX: usize = 200;
const DISPLAY_NAME_CHARACTERS_MAX: usize = 100;
const DESCRIPTION_CHARACTERS_MAX: usize = 4_000;
const RATIONALE_CHARACTERS_MAX: usize = 1_000;
const COMPONENTS_MAX: usize = 20;
const MEASURES_MAX: usize = 20;
const CURVE_POINTS_MIN: usize = 2;
const CURVE_POINTS_MAX: usize = 50;
const ID_BYTES_MAX: usize = 63;
const DAYS_MAX: i32 = 730;

/// Where each id was seen first, to name the place in the fault of the second.
type SeenIds = HashMap<String, String>;

/// Checks a model and builds it.
pub(super) fn check(draft: ModelDraft) -> Result<HealthModel, Violations> {
    let mut faults = Violations::new();
    let id = faults.take("name", ModelId::parse_name(&draft.name));
    check_text(&mut faults, "display_name", &draft.display_name, 1, MODEL_DISPLAY_NAME_CHARACTERS_MAX);
    check_text(&mut faults, "description", &draft.description, 0, DESCRIPTION_CHARACTERS_MAX);
    check_count(&mut faults, "components", draft.components.len(), COMPONENTS_MAX);
    check_weights(&mut faults, "components", draft.components.iter().map(|component| component.weight));
    let (mut component_ids, mut measure_ids) = (SeenIds::new(), SeenIds::new());
    let components: Vec<Option<Component>> = draft
        .components
        .into_iter()
        .enumerate()
        .map(|(index, component)| {
            let path = format!("components[{index}]");
            check_component(&mut faults, &path, component, &mut component_ids, &mut measure_ids)
        })
        .collect();
    let band_cuts = draft.band_cuts.map_or_else(|| Some(BandCuts::default()), |cuts| check_cuts(&mut faults, cuts));
    match (faults.is_empty(), id, components.into_iter().collect(), band_cuts) {
        (true, Some(id), Some(components), Some(band_cuts)) => Ok(HealthModel {
            id,
            display_name: draft.display_name,
            description: draft.description,
            components,
            band_cuts,
        }),
        _ => Err(faults),
    }
}

fn check_component(
    faults: &mut Violations,
    path: &str,
    draft: ComponentDraft,
    component_ids: &mut SeenIds,
    measure_ids: &mut SeenIds,
) -> Option<Component> {
    check_id(faults, path, &draft.id, component_ids);
    check_text(faults, &format!("{path}.display_name"), &draft.display_name, 1, DISPLAY_NAME_CHARACTERS_MAX);
    check_text(faults, &format!("{path}.rationale"), &draft.rationale, 0, RATIONALE_CHARACTERS_MAX);
    let field = format!("{path}.measures");
    check_count(faults, &field, draft.measures.len(), MEASURES_MAX);
    check_weights(faults, &field, draft.measures.iter().map(|measure| measure.weight));
    let measures: Vec<Option<Measure>> = draft
        .measures
        .into_iter()
        .enumerate()
        .map(|(index, measure)| check_measure(faults, &format!("{path}.measures[{index}]"), measure, measure_ids))
        .collect();
    let measures = measures.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Component {
        id: draft.id,
        display_name: draft.display_name,
        weight: draft.weight,
        rationale: draft.rationale,
        measures,
    })
}

fn check_measure(
    faults: &mut Violations,
    path: &str,
    draft: MeasureDraft,
    measure_ids: &mut SeenIds,
) -> Option<Measure> {
    check_id(faults, path, &draft.id, measure_ids);
    check_text(faults, &format!("{path}.display_name"), &draft.display_name, 1, DISPLAY_NAME_CHARACTERS_MAX);
    check_text(faults, &format!("{path}.rationale"), &draft.rationale, 0, RATIONALE_CHARACTERS_MAX);
    let input = check_input(faults, &format!("{path}.input"), draft.input);
    let window = check_window(faults, &format!("{path}.window_days"), draft.window_days);
    let aggregation = required(faults, &format!("{path}.aggregation"), draft.aggregation);
    let comparison = required(faults, &format!("{path}.comparison"), draft.comparison);
    if let (Some(input), Some(aggregation)) = (&input, aggregation)
        && let Err(description) = check_fit(input, aggregation)
    {
        faults.add(format!("{path}.aggregation"), description);
    }
    faults.require(
        !(comparison == Some(Comparison::EarlierWindow) && window == Some(Window::Lifetime)),
        format!("{path}.comparison"),
        "there is no window before a lifetime: choose a window of 1 to 730 days, or another comparison",
    );
    faults.require(
        !(aggregation == Some(Aggregation::FadedLast) && window == Some(Window::Lifetime)),
        format!("{path}.window_days"),
        "what fades needs a window of 1 to 730 days, at whose end nothing is left of it",
    );
    let is_negative = matches!(&input, Some(Input::Story(series)) if series.can_be_negative());
    faults.require(
        !(is_negative && comparison.is_some_and(Comparison::divides)),
        format!("{path}.comparison"),
        "figures that can be below 0 cannot be divided by others of their kind: compare by rank, or with nothing",
    );
    let curve = check_curve(faults, &format!("{path}.curve"), draft.curve);
    let freshness_limit_days =
        if draft.freshness_limit_days == 0 { DEFAULT_FRESHNESS_LIMIT_DAYS } else { draft.freshness_limit_days };
    faults.require(
        (1..=DAYS_MAX).contains(&freshness_limit_days),
        format!("{path}.freshness_limit_days"),
        format!("must be 1 to {DAYS_MAX} days, or 0 for the default of {DEFAULT_FRESHNESS_LIMIT_DAYS}"),
    );
    Some(Measure {
        id: draft.id,
        display_name: draft.display_name,
        weight: draft.weight,
        rationale: draft.rationale,
        input: input?,
        window: window?,
        aggregation: aggregation?,
        comparison: comparison?,
        curve: curve?,
        freshness_limit_days,
    })
}

fn required<T>(faults: &mut Violations, field: &str, value: Option<T>) -> Option<T> {
    faults.require(value.is_some(), field, "is required and must be one of the values of its enum");
    value
}

fn check_input(faults: &mut Violations, field: &str, input: Option<Input>) -> Option<Input> {
    let (part, name) = match &input {
        None => {
            faults.add(field, "is required: a metric, a feature, any feature, any user, or what stories tell");
            return None;
        }
        Some(Input::AnyFeature | Input::AnyUser | Input::Story(_)) => return input,
        Some(Input::Metric(name)) => ("metric", name),
        Some(Input::Feature(name)) => ("feature", name),
    };
    let fits = is_key(name);
    faults.require(
        fits,
        format!("{field}.{part}"),
        "must be 1 to 63 characters of a-z, 0-9 and `_.-`, the first a letter or digit",
    );
    input.filter(|_| fits)
}

fn check_window(faults: &mut Violations, field: &str, days: i32) -> Option<Window> {
    match days {
        0 => Some(Window::Lifetime),
        1..=DAYS_MAX => Some(Window::Days(days)),
        _ => {
            faults.add(field, format!("must be 1 to {DAYS_MAX} days, or 0 for all days, not {days}"));
            None
        }
    }
}

/// Whether an aggregation makes sense of an input, as far as can be told
/// without data: whether a metric is a gauge, only its signals say.
fn check_fit(input: &Input, aggregation: Aggregation) -> Result<(), &'static str> {
    if let Input::Story(series) = input {
        return check_story_fit(*series, aggregation);
    }
    match (aggregation, input) {
        (Aggregation::Last | Aggregation::LastOfLimit, Input::Feature(_) | Input::AnyFeature | Input::AnyUser) => Err(
            "only levels have a last value, and only metrics can be levels: choose a metric, or another aggregation",
        ),
        (Aggregation::Distinct, Input::Metric(_) | Input::Feature(_)) => {
            Err("counts distinct users or features: choose any user or any feature, or another aggregation")
        }
        (Aggregation::Mean | Aggregation::FadedLast, _) => {
            Err("is of figures that stories tell, such as satisfaction: choose another")
        }
        (Aggregation::Last | Aggregation::LastOfLimit, Input::Metric(_) | Input::Story(_))
        | (Aggregation::Distinct, Input::AnyFeature | Input::AnyUser | Input::Story(_))
        | (
            Aggregation::Sum
            | Aggregation::MeanPerDay
            | Aggregation::ActiveDays
            | Aggregation::Max
            | Aggregation::DaysSinceLast
            | Aggregation::DaysSinceFirst,
            _,
        ) => Ok(()),
    }
}

fn check_story_fit(series: StorySeries, aggregation: Aggregation) -> Result<(), &'static str> {
    let shape = series.shape();
    let fits = match shape {
        Shape::Count => !matches!(
            aggregation,
            Aggregation::Distinct
                | Aggregation::Last
                | Aggregation::LastOfLimit
                | Aggregation::Mean
                | Aggregation::FadedLast
        ),
        Shape::Open => matches!(aggregation, Aggregation::Last | Aggregation::Max),
        Shape::Value => {
            aggregation == Aggregation::Mean
                || (aggregation == Aggregation::FadedLast && series.value_middle().is_some())
        }
    };
    if fits {
        return Ok(());
    }
    Err(match shape {
        Shape::Count => "does not fit things that happen: choose the sum, the mean per day, days, or the largest",
        Shape::Open => "does not fit things that last: choose the last (how many at the day's end) or the largest",
        Shape::Value => {
            "does not fit these figures: choose their mean or, where they have a scale, the last that fades"
        }
    })
}

fn check_curve(faults: &mut Violations, field: &str, corners: Vec<CurvePoint>) -> Option<Curve> {
    let count = corners.len();
    let mut fits = (CURVE_POINTS_MIN..=CURVE_POINTS_MAX).contains(&count);
    faults.require(fits, field, format!("must have {CURVE_POINTS_MIN} to {CURVE_POINTS_MAX} points, not {count}"));
    for (index, corner) in corners.iter().enumerate() {
        let previous = index.checked_sub(1).map(|before| corners[before].x);
        let x_fault = if corner.x.is_finite() {
            previous
                .filter(|previous| corner.x <= *previous)
                .map(|previous| format!("must be greater than the x before it, {previous}, not {}", corner.x))
        } else {
            Some(format!("must be a finite number, not {}", corner.x))
        };
        let points_fit = (0.0..=100.0).contains(&corner.points);
        fits &= x_fault.is_none() && points_fit;
        if let Some(description) = x_fault {
            faults.add(format!("{field}[{index}].x"), description);
        }
        faults.require(
            points_fit,
            format!("{field}[{index}].points"),
            format!("must be 0 to 100, not {}", corner.points),
        );
    }
    fits.then(|| Curve::of_checked(corners))
}

fn check_cuts(faults: &mut Violations, cuts: BandCutsDraft) -> Option<BandCuts> {
    let named = [
        ("band_cuts.critical_below", cuts.critical_below),
        ("band_cuts.at_risk_below", cuts.at_risk_below),
        ("band_cuts.healthy_above", cuts.healthy_above),
    ];
    let mut fits = true;
    for (index, &(field, cut)) in named.iter().enumerate() {
        let in_range = (0.0..=100.0).contains(&cut);
        faults.require(in_range, field, format!("must be 0 to 100, not {cut}"));
        let falls = index
            .checked_sub(1)
            .map(|before| named[before])
            .filter(|(_, previous)| cut <= *previous || are_same_points(cut, *previous));
        if let Some((before, previous)) = falls {
            faults.add(field, format!("must be at least 1/128 greater than `{before}`, {previous}, not {cut}"));
        }
        fits &= in_range && falls.is_none();
    }
    fits.then(|| BandCuts {
        critical_below: Points::nearest(cuts.critical_below),
        at_risk_below: Points::nearest(cuts.at_risk_below),
        healthy_above: Points::nearest(cuts.healthy_above),
    })
}

/// Whether two cuts fall together once they are points.
fn are_same_points(one: f64, other: f64) -> bool {
    one.is_finite() && other.is_finite() && Points::nearest(one) == Points::nearest(other)
}

/// Checks the weights of a list, those of `field[0].weight` and so on.
fn check_weights(faults: &mut Violations, field: &str, weights: impl Iterator<Item = f64>) {
    let (mut sum, mut any, mut fits) = (0.0, false, true);
    for (index, weight) in weights.enumerate() {
        let weight_fits = weight.is_finite() && weight >= 0.0;
        faults.require(
            weight_fits,
            format!("{field}[{index}].weight"),
            format!("must be a finite number of 0 or more, not {weight}"),
        );
        (sum, any, fits) = (sum + weight, true, fits && weight_fits);
    }
    if any && fits {
        faults.require(sum > 0.0, field, "the weights add up to 0: at least one must be above 0");
        faults.require(sum.is_finite(), field, "the weights add up to more than a number can hold: use smaller ones");
    }
}

fn check_id(faults: &mut Violations, path: &str, id: &str, seen: &mut SeenIds) {
    let field = format!("{path}.id");
    let bytes = id.as_bytes();
    let letters = bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_');
    let fits = letters && (1..=ID_BYTES_MAX).contains(&bytes.len()) && bytes[0] != b'_';
    faults.require(fits, &field, "must be 1 to 63 characters of a-z, 0-9 and `_`, the first a letter or digit");
    match seen.get(id) {
        Some(first) if fits => faults.add(field, format!("`{id}` is the id of {first} too: ids must be distinct")),
        _ => drop(seen.insert(id.to_owned(), path.to_owned())),
    }
}

fn check_count(faults: &mut Violations, field: &str, count: usize, most: usize) {
    faults.require((1..=most).contains(&count), field, format!("must have 1 to {most} entries, not {count}"));
}

fn check_text(faults: &mut Violations, field: &str, text: &str, characters_min: usize, characters_max: usize) {
    let count = text.chars().count();
    faults.require(
        (characters_min..=characters_max).contains(&count),
        field,
        format!("must be {characters_min} to {characters_max} characters, not {count}"),
    );
    faults.require(!text.contains('\0'), field, "must not contain the character NUL");
}

#[cfg(test)]
mod tests;
