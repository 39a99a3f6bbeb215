//! Models as text that people read, review and diff.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_saphyr::{FlowMap, FlowSeq};
use thiserror::Error;

use super::curve::CurvePoint;
use super::model::{
    Aggregation, BandCutsDraft, Comparison, ComponentDraft, DEFAULT_FRESHNESS_LIMIT_DAYS, Input, MeasureDraft,
    ModelDraft,
};

/// The model that ships: usage of a product that companies subscribe to.
pub const DEFAULT_MODEL: &str = include_str!("../../models/default.yaml");

/// The longest line of a folded text.
const LINE_CHARACTERS_MAX: usize = 100;

/// Why a text is not a model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ModelFileError {
    /// The line, from 1; 0 when the text has no place to point at.
    pub line: u64,
    /// The column, from 1; 0 likewise.
    pub column: u64,
    /// What is wrong there.
    pub message: String,
}

/// Reads a model from YAML. Fields that are not known are refused; values are
/// checked by [`super::HealthModel::from_draft`].
pub fn parse_model_file(text: &str) -> Result<ModelDraft, ModelFileError> {
    let file: ModelFile = serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location();
        let (line, column) = place.map_or((0, 0), |place| (place.line(), place.column()));
        let message = error.without_snippet().to_string();
        // The place is said once, before it.
        let message = message.strip_suffix(&format!(" at line {line}, column {column}")).unwrap_or(&message).to_owned();
        ModelFileError { line, column, message }
    })?;
    Ok(file.into())
}

/// Writes a model as YAML, fields always in the same order; what
/// [`parse_model_file`] reads from it is the same model.
///
/// # Errors
/// When the draft has no input or aggregation somewhere: text cannot say so.
pub fn write_model_file(draft: &ModelDraft) -> Result<String, ModelFileError> {
    let failed = |message: String| ModelFileError { line: 0, column: 0, message };
    let file = ModelFile::try_from(draft).map_err(failed)?;
    let options = serde_saphyr::ser_options! { folded_wrap_chars: LINE_CHARACTERS_MAX, compact_list_indent: false };
    serde_saphyr::to_string_with_options(&file, options).map_err(|error| failed(error.to_string()))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFile {
    name: String,
    display_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    band_cuts: Option<BandCutsFile>,
    components: Vec<ComponentFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BandCutsFile {
    critical_below: Number,
    at_risk_below: Number,
    healthy_above: Number,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentFile {
    id: String,
    display_name: String,
    weight: Number,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    rationale: String,
    measures: Vec<MeasureFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasureFile {
    id: String,
    display_name: String,
    weight: Number,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    rationale: String,
    #[serde(serialize_with = "on_one_line")]
    input: Input,
    window: WindowText,
    aggregation: Aggregation,
    #[serde(default, skip_serializing_if = "is_none")]
    comparison: Comparison,
    curve: FlowSeq<Vec<(Number, Number)>>,
    #[serde(default = "default_freshness", skip_serializing_if = "is_default_freshness")]
    freshness_limit: FreshnessText,
}

/// A number without `.0` when it is whole.
struct Number(f64);

/// `28d` or `lifetime`; in days, 0 for a lifetime.
struct WindowText(i32);

/// `45d`; in days.
struct FreshnessText(i32);

fn on_one_line<S: Serializer>(input: &Input, serializer: S) -> Result<S::Ok, S::Error> {
    match input {
        Input::Metric(name) => {
            FlowMap([("metric", name)].into_iter().collect::<BTreeMap<_, _>>()).serialize(serializer)
        }
        Input::Feature(name) => {
            FlowMap([("feature", name)].into_iter().collect::<BTreeMap<_, _>>()).serialize(serializer)
        }
        Input::Story(series) => {
            FlowMap([("story", series.name())].into_iter().collect::<BTreeMap<_, _>>()).serialize(serializer)
        }
        Input::AnyFeature | Input::AnyUser => input.serialize(serializer),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_none(comparison: &Comparison) -> bool {
    *comparison == Comparison::None
}

fn default_freshness() -> FreshnessText {
    FreshnessText(DEFAULT_FRESHNESS_LIMIT_DAYS)
}

fn is_default_freshness(freshness: &FreshnessText) -> bool {
    freshness.0 == DEFAULT_FRESHNESS_LIMIT_DAYS
}

impl Serialize for Number {
    #[expect(clippy::cast_possible_truncation, reason = "whole and far within an i64")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const WHOLE_MAX: f64 = 1e15;
        if self.0.fract() == 0.0 && self.0.abs() < WHOLE_MAX {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self)
    }
}

/// The days of a text such as `28d`.
fn days_of(text: &str) -> Option<i32> {
    text.strip_suffix('d')?.parse().ok().filter(|days| *days > 0)
}

impl Serialize for WindowText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => serializer.serialize_str("lifetime"),
            days => serializer.collect_str(&format_args!("{days}d")),
        }
    }
}

impl<'de> Deserialize<'de> for WindowText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "lifetime" => Ok(Self(0)),
            _ => days_of(&text).map(Self).ok_or_else(|| {
                D::Error::custom(format!("a window is days such as `28d`, or `lifetime`, not `{text}`"))
            }),
        }
    }
}

impl Serialize for FreshnessText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}d", self.0))
    }
}

impl<'de> Deserialize<'de> for FreshnessText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        days_of(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("a limit of freshness is days such as `45d`, not `{text}`")))
    }
}

impl From<ModelFile> for ModelDraft {
    fn from(file: ModelFile) -> Self {
        Self {
            name: file.name,
            display_name: file.display_name,
            description: file.description,
            components: file.components.into_iter().map(ComponentDraft::from).collect(),
            band_cuts: file.band_cuts.map(|cuts| BandCutsDraft {
                critical_below: cuts.critical_below.0,
                at_risk_below: cuts.at_risk_below.0,
                healthy_above: cuts.healthy_above.0,
            }),
        }
    }
}

impl From<ComponentFile> for ComponentDraft {
    fn from(file: ComponentFile) -> Self {
        Self {
            id: file.id,
            display_name: file.display_name,
            weight: file.weight.0,
            rationale: file.rationale,
            measures: file.measures.into_iter().map(MeasureDraft::from).collect(),
        }
    }
}

impl From<MeasureFile> for MeasureDraft {
    fn from(file: MeasureFile) -> Self {
        Self {
            id: file.id,
            display_name: file.display_name,
            weight: file.weight.0,
            rationale: file.rationale,
            input: Some(file.input),
            window_days: file.window.0,
            aggregation: Some(file.aggregation),
            comparison: Some(file.comparison),
            curve: file.curve.0.into_iter().map(|(x, points)| CurvePoint { x: x.0, points: points.0 }).collect(),
            freshness_limit_days: file.freshness_limit.0,
        }
    }
}

impl TryFrom<&ModelDraft> for ModelFile {
    type Error = String;

    fn try_from(draft: &ModelDraft) -> Result<Self, String> {
        let components = draft.components.iter().map(ComponentFile::try_from).collect::<Result<_, _>>()?;
        Ok(Self {
            name: draft.name.clone(),
            display_name: draft.display_name.clone(),
            description: draft.description.clone(),
            band_cuts: draft.band_cuts.map(|cuts| BandCutsFile {
                critical_below: Number(cuts.critical_below),
                at_risk_below: Number(cuts.at_risk_below),
                healthy_above: Number(cuts.healthy_above),
            }),
            components,
        })
    }
}

impl TryFrom<&ComponentDraft> for ComponentFile {
    type Error = String;

    fn try_from(draft: &ComponentDraft) -> Result<Self, String> {
        let measures = draft.measures.iter().map(MeasureFile::try_from).collect::<Result<_, _>>()?;
        Ok(Self {
            id: draft.id.clone(),
            display_name: draft.display_name.clone(),
            weight: Number(draft.weight),
            rationale: draft.rationale.clone(),
            measures,
        })
    }
}

impl TryFrom<&MeasureDraft> for MeasureFile {
    type Error = String;

    fn try_from(draft: &MeasureDraft) -> Result<Self, String> {
        let missing = |what: &str| format!("measure `{}` has no {what}", draft.id);
        Ok(Self {
            id: draft.id.clone(),
            display_name: draft.display_name.clone(),
            weight: Number(draft.weight),
            rationale: draft.rationale.clone(),
            input: draft.input.clone().ok_or_else(|| missing("input"))?,
            window: WindowText(draft.window_days),
            aggregation: draft.aggregation.ok_or_else(|| missing("aggregation"))?,
            comparison: draft.comparison.ok_or_else(|| missing("comparison"))?,
            curve: FlowSeq(draft.curve.iter().map(|corner| (Number(corner.x), Number(corner.points))).collect()),
            freshness_limit: match draft.freshness_limit_days {
                0 => default_freshness(),
                days => FreshnessText(days),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::model::{HealthModel, Measure};
    use super::*;

    const SHORT: &str = "\
name: models/short
display_name: Short
components:
  - id: usage
    display_name: Usage
    weight: 1
    measures:
      - id: emails
        display_name: Emails
        weight: 0.5
        input: {metric: emails}
        window: 28d
        aggregation: sum
        comparison: earlier_window
        curve: [[0, 0], [0.5, 20], [1, 100]]
        freshness_limit: 7d
      - id: users
        display_name: Users
        weight: 0.5
        input: any_user
        window: lifetime
        aggregation: days_since_last
        curve: [[0, 100], [30, 0]]
";

    const AMONG_PEERS: &str = include_str!("../../models/among_peers.yaml");

    #[test]
    fn r68_among_peers_the_model_that_ships_ranks_what_size_and_industry_make_much_or_little() {
        let read = |text: &str| HealthModel::from_draft(parse_model_file(text).expect("parses")).expect("valid");
        let (shipped, among_peers) = (read(DEFAULT_MODEL), read(AMONG_PEERS));
        assert_eq!(among_peers.band_cuts, shipped.band_cuts);
        let mut ranked = Vec::new();
        for ((_, measure), (_, instead)) in among_peers.measures().zip(shipped.measures()) {
            if measure == instead {
                continue;
            }
            let what = |measure: &Measure| {
                (
                    measure.id.clone(),
                    measure.input.clone(),
                    measure.window,
                    measure.aggregation,
                    measure.freshness_limit_days,
                )
            };
            assert_eq!(what(measure), what(instead), "the same is measured");
            assert!((measure.weight - instead.weight).abs() < f64::EPSILON, "and weighs the same: {}", measure.id);
            ranked.push((measure.id.as_str(), measure.comparison));
        }
        let expected = [
            ("active_days", Comparison::IndustryRank),
            ("feature_breadth", Comparison::SegmentRank),
            ("open_tickets", Comparison::SegmentRank),
            ("escalations", Comparison::SegmentRank),
        ];
        assert_eq!(ranked, expected);
        assert_eq!(among_peers.measures().count(), shipped.measures().count());
        let written = write_model_file(&parse_model_file(AMONG_PEERS).expect("parses")).expect("can be written");
        assert_eq!(written, AMONG_PEERS, "it stands as it would be written");
    }

    #[test]
    fn a_model_reads_as_people_write_it() {
        let draft = parse_model_file(SHORT).expect("parses");
        let [emails, users] = &draft.components[0].measures[..] else { panic!("two measures") };
        assert_eq!(emails.input, Some(Input::Metric("emails".to_owned())));
        assert_eq!((emails.window_days, emails.freshness_limit_days), (28, 7));
        assert_eq!(emails.comparison, Some(Comparison::EarlierWindow));
        assert_eq!(emails.curve[1], CurvePoint { x: 0.5, points: 20.0 });
        assert_eq!(users.input, Some(Input::AnyUser));
        assert_eq!((users.window_days, users.freshness_limit_days), (0, DEFAULT_FRESHNESS_LIMIT_DAYS));
        HealthModel::from_draft(draft).expect("valid");
    }

    #[test]
    fn faults_of_the_text_have_a_line_and_a_column() {
        for (good, bad, line, says) in [
            ("window: 28d", "window: 0d", 12, "not `0d`"),
            ("aggregation: sum", "aggregation: summ", 13, "summ"),
            ("weight: 1\n", "weight: 1\n    colour: red\n", 7, "colour"),
            ("freshness_limit: 7d", "freshness_limit: 7", 16, "7"),
            ("window: lifetime", "window: [", 21, ""),
        ] {
            let error = parse_model_file(&SHORT.replace(good, bad)).expect_err(bad);
            assert_eq!(error.line, line, "{error}");
            assert!(error.column > 0, "{error}");
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(error.to_string().matches("line").count(), 1, "the place is said once: {error}");
        }
    }

    #[test]
    fn the_default_model_is_valid_and_stands_as_it_would_be_written() {
        let draft = parse_model_file(DEFAULT_MODEL).expect("parses");
        assert_eq!(write_model_file(&draft).expect("can be written"), DEFAULT_MODEL);
        let model = HealthModel::from_draft(draft).expect("valid");
        assert!(model.components.iter().all(|component| !component.rationale.is_empty()));
        assert!(model.measures().all(|(_, measure)| !measure.rationale.is_empty()));
    }

    fn draft() -> impl Strategy<Value = ModelDraft> {
        let number = prop_oneof![-1e6f64..1e6, (-50i32..50).prop_map(f64::from), any::<i64>().prop_map(|n| n as f64)];
        let text = prop_oneof!["[ -~]{0,200}", "\\PC{0,30}", "[a-z]{1,9}( [a-z:#'\\-]{1,12}){0,40}", "[a\n ]{0,12}"];
        let input = prop_oneof![
            Just(Input::AnyUser),
            Just(Input::AnyFeature),
            "[a-z0-9_.-]{1,9}".prop_map(Input::Metric),
            "[a-z0-9_.-]{1,9}".prop_map(Input::Feature),
        ];
        let corners = proptest::collection::vec((number.clone(), number.clone()), 0..5);
        (text.clone(), text, input, number, corners, 0i32..700, 1i32..700).prop_map(
            |(name, rationale, input, weight, corners, window_days, freshness_limit_days)| ModelDraft {
                name: name.clone(),
                display_name: rationale.clone(),
                description: rationale.clone(),
                band_cuts: Some(BandCutsDraft { critical_below: weight, at_risk_below: 0.1, healthy_above: 1.0 }),
                components: vec![ComponentDraft {
                    id: name.clone(),
                    display_name: name,
                    weight,
                    rationale: rationale.clone(),
                    measures: vec![MeasureDraft {
                        rationale,
                        weight,
                        input: Some(input),
                        window_days,
                        aggregation: Some(Aggregation::DaysSinceLast),
                        comparison: Some(Comparison::SegmentMedian),
                        curve: corners.into_iter().map(|(x, points)| CurvePoint { x, points }).collect(),
                        freshness_limit_days,
                        ..MeasureDraft::default()
                    }],
                }],
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(draft in draft()) {
            let text = write_model_file(&draft).expect("can be written");
            prop_assert_eq!(parse_model_file(&text).expect("parses"), draft, "{}", text);
        }
    }
}
