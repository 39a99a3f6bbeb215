//! Health models.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{ModelId, Violations};
use prost::Message;

use crate::app::get_model::ModelView;
use crate::domain::story_series::StorySeries;
use crate::domain::{
    Aggregation, BandCutsDraft, Comparison, ComponentDraft, CurvePoint, HealthModel, Input, MeasureDraft, ModelDraft,
};
use mainstay_service::wire;
use wire::timestamp;

use super::account::segment_message;

/// Bytes of a model at most: events carry it whole.
const MODEL_BYTES_MAX: usize = 512 * 1024;
/// The id that stands for the general model of today.
pub(crate) const ACTIVE_ID: &str = "active";

/// The model to create under an id, or all that is wrong with it.
pub(crate) fn new_model(found: &mut Violations, model_id: &str, given: Option<proto::Model>) -> Option<HealthModel> {
    let id = found.take("model_id", ModelId::parse(model_id));
    if model_id == ACTIVE_ID {
        found.add("model_id", "`active` stands for the general model of today: choose another id");
    }
    let Some(given) = given else {
        found.add("model", "is required");
        return None;
    };
    if let Some(id) = &id {
        let fits = given.name.is_empty() || given.name == id.name();
        found.require(fits, "model.name", format!("must be empty or `{}`, as model_id says", id.name()));
    }
    // A fault of the id is told above: the check of the rest goes on under another.
    let id = id.or_else(|| ModelId::parse("unnamed").ok())?;
    given_model(found, "model", proto::Model { name: id.name(), ..given })
}

/// The model that a field of a request holds, or all that is wrong with it.
pub(crate) fn given_model(found: &mut Violations, field: &str, given: proto::Model) -> Option<HealthModel> {
    let bytes = given.encoded_len();
    if bytes > MODEL_BYTES_MAX {
        found.add(field, format!("takes {bytes} bytes, {MODEL_BYTES_MAX} are allowed: shorten its texts"));
        return None;
    }
    match HealthModel::from_draft(model_draft(given)) {
        Ok(model) => Some(model),
        Err(violations) => {
            found.absorb(field, violations);
            None
        }
    }
}

/// What a message says of a model, not checked.
pub fn model_draft(given: proto::Model) -> ModelDraft {
    ModelDraft {
        name: given.name,
        display_name: given.display_name,
        description: given.description,
        components: given.components.into_iter().map(component).collect(),
        band_cuts: given.band_cuts.map(|cuts| BandCutsDraft {
            critical_below: cuts.critical_below,
            at_risk_below: cuts.at_risk_below,
            healthy_above: cuts.healthy_above,
        }),
    }
}

fn component(given: proto::Component) -> ComponentDraft {
    ComponentDraft {
        id: given.id,
        display_name: given.display_name,
        weight: given.weight,
        rationale: given.rationale,
        measures: given.measures.into_iter().map(measure).collect(),
    }
}

fn measure(given: proto::Measure) -> MeasureDraft {
    MeasureDraft {
        id: given.id,
        display_name: given.display_name,
        weight: given.weight,
        rationale: given.rationale,
        input: given.input.and_then(|input| input.series).and_then(input),
        window_days: given.window_days,
        aggregation: proto::Aggregation::try_from(given.aggregation).ok().and_then(aggregation),
        comparison: proto::Comparison::try_from(given.comparison).ok().map(comparison),
        curve: given.curve.iter().map(|corner| CurvePoint { x: corner.x, points: corner.points }).collect(),
        freshness_limit_days: given.freshness_limit_days,
    }
}

fn input(series: proto::input::Series) -> Option<Input> {
    match series {
        proto::input::Series::Metric(metric) => Some(Input::Metric(metric)),
        proto::input::Series::Feature(feature) => Some(Input::Feature(feature)),
        proto::input::Series::AnyFeature(chosen) => chosen.then_some(Input::AnyFeature),
        proto::input::Series::AnyUser(chosen) => chosen.then_some(Input::AnyUser),
        proto::input::Series::Story(number) => {
            let series = proto::StorySeries::try_from(number).ok()?;
            StorySeries::ALL.into_iter().find(|known| story_message(*known) == series).map(Input::Story)
        }
    }
}

pub(crate) const fn story_message(series: StorySeries) -> proto::StorySeries {
    match series {
        StorySeries::TicketsOpened => proto::StorySeries::TicketsOpened,
        StorySeries::TicketsOpen => proto::StorySeries::TicketsOpen,
        StorySeries::UrgentTicketsOpen => proto::StorySeries::UrgentTicketsOpen,
        StorySeries::TicketsEscalated => proto::StorySeries::TicketsEscalated,
        StorySeries::TicketsReopened => proto::StorySeries::TicketsReopened,
        StorySeries::TicketSatisfaction => proto::StorySeries::TicketSatisfaction,
        StorySeries::TicketSentiment => proto::StorySeries::TicketSentiment,
        StorySeries::FirstResponseHours => proto::StorySeries::FirstResponseHours,
        StorySeries::ResolutionHours => proto::StorySeries::ResolutionHours,
        StorySeries::PaymentsFailed => proto::StorySeries::PaymentsFailed,
        StorySeries::InvoicesUnpaid => proto::StorySeries::InvoicesUnpaid,
        StorySeries::DisputesOpen => proto::StorySeries::DisputesOpen,
        StorySeries::PaymentDaysLate => proto::StorySeries::PaymentDaysLate,
        StorySeries::NpsScore => proto::StorySeries::NpsScore,
        StorySeries::CsatScore => proto::StorySeries::CsatScore,
        StorySeries::CesScore => proto::StorySeries::CesScore,
        StorySeries::Touches => proto::StorySeries::Touches,
        StorySeries::TouchesAnswered => proto::StorySeries::TouchesAnswered,
        StorySeries::CsmPulse => proto::StorySeries::CsmPulse,
        StorySeries::Refunds => proto::StorySeries::Refunds,
        StorySeries::CreditNotes => proto::StorySeries::CreditNotes,
        StorySeries::FeatureRequests => proto::StorySeries::FeatureRequests,
        StorySeries::FeatureReleases => proto::StorySeries::FeatureReleases,
        StorySeries::Incidents => proto::StorySeries::Incidents,
        StorySeries::IncidentMinutes => proto::StorySeries::IncidentMinutes,
        StorySeries::Milestones => proto::StorySeries::Milestones,
    }
}

fn aggregation(given: proto::Aggregation) -> Option<Aggregation> {
    match given {
        proto::Aggregation::Unspecified => None,
        proto::Aggregation::Sum => Some(Aggregation::Sum),
        proto::Aggregation::MeanPerDay => Some(Aggregation::MeanPerDay),
        proto::Aggregation::ActiveDays => Some(Aggregation::ActiveDays),
        proto::Aggregation::Distinct => Some(Aggregation::Distinct),
        proto::Aggregation::Last => Some(Aggregation::Last),
        proto::Aggregation::Max => Some(Aggregation::Max),
        proto::Aggregation::DaysSinceLast => Some(Aggregation::DaysSinceLast),
        proto::Aggregation::DaysSinceFirst => Some(Aggregation::DaysSinceFirst),
        proto::Aggregation::LastOfLimit => Some(Aggregation::LastOfLimit),
        proto::Aggregation::Mean => Some(Aggregation::Mean),
        proto::Aggregation::FadedLast => Some(Aggregation::FadedLast),
    }
}

fn comparison(given: proto::Comparison) -> Comparison {
    match given {
        proto::Comparison::Unspecified | proto::Comparison::None => Comparison::None,
        proto::Comparison::EarlierWindow => Comparison::EarlierWindow,
        proto::Comparison::SegmentMedian => Comparison::SegmentMedian,
        proto::Comparison::SegmentRank => Comparison::SegmentRank,
        proto::Comparison::IndustryMedian => Comparison::IndustryMedian,
        proto::Comparison::IndustryRank => Comparison::IndustryRank,
        proto::Comparison::PlanMedian => Comparison::PlanMedian,
        proto::Comparison::PlanRank => Comparison::PlanRank,
    }
}

/// A model as messages have it.
pub(crate) fn message(view: &ModelView) -> proto::Model {
    let stored = &view.stored;
    proto::Model {
        create_time: Some(timestamp(stored.created_at)),
        activate_time: stored.activated_at.map(timestamp),
        active: view.active,
        etag: view.etag().to_string(),
        backtest: stored.backtest.map(super::backtest::name).unwrap_or_default(),
        segments: view.segments.iter().map(|segment| segment_message(*segment).into()).collect(),
        ..model_message(stored.model.to_draft())
    }
}

/// A model as messages have it, before the service knows it.
pub fn model_message(draft: ModelDraft) -> proto::Model {
    proto::Model {
        name: draft.name,
        display_name: draft.display_name,
        description: draft.description,
        components: draft.components.into_iter().map(component_message).collect(),
        band_cuts: draft.band_cuts.map(|cuts| proto::BandCuts {
            critical_below: cuts.critical_below,
            at_risk_below: cuts.at_risk_below,
            healthy_above: cuts.healthy_above,
        }),
        ..proto::Model::default()
    }
}

fn component_message(component: ComponentDraft) -> proto::Component {
    proto::Component {
        id: component.id,
        display_name: component.display_name,
        weight: component.weight,
        rationale: component.rationale,
        measures: component.measures.into_iter().map(measure_message).collect(),
    }
}

fn measure_message(measure: MeasureDraft) -> proto::Measure {
    proto::Measure {
        id: measure.id,
        display_name: measure.display_name,
        weight: measure.weight,
        rationale: measure.rationale,
        input: Some(measure.input.as_ref().map(input_message).unwrap_or_default()),
        window_days: measure.window_days,
        aggregation: aggregation_message(measure.aggregation).into(),
        comparison: comparison_message(measure.comparison).into(),
        curve: measure.curve.iter().map(|corner| proto::CurvePoint { x: corner.x, points: corner.points }).collect(),
        freshness_limit_days: measure.freshness_limit_days,
    }
}

/// What a measure looks at, as messages have it.
pub(crate) fn input_message(input: &Input) -> proto::Input {
    let series = match input {
        Input::Metric(metric) => proto::input::Series::Metric(metric.clone()),
        Input::Feature(feature) => proto::input::Series::Feature(feature.clone()),
        Input::AnyFeature => proto::input::Series::AnyFeature(true),
        Input::AnyUser => proto::input::Series::AnyUser(true),
        Input::Story(series) => proto::input::Series::Story(story_message(*series).into()),
    };
    proto::Input { series: Some(series) }
}

fn aggregation_message(aggregation: Option<Aggregation>) -> proto::Aggregation {
    match aggregation {
        None => proto::Aggregation::Unspecified,
        Some(Aggregation::Sum) => proto::Aggregation::Sum,
        Some(Aggregation::MeanPerDay) => proto::Aggregation::MeanPerDay,
        Some(Aggregation::ActiveDays) => proto::Aggregation::ActiveDays,
        Some(Aggregation::Distinct) => proto::Aggregation::Distinct,
        Some(Aggregation::Last) => proto::Aggregation::Last,
        Some(Aggregation::Max) => proto::Aggregation::Max,
        Some(Aggregation::DaysSinceLast) => proto::Aggregation::DaysSinceLast,
        Some(Aggregation::DaysSinceFirst) => proto::Aggregation::DaysSinceFirst,
        Some(Aggregation::LastOfLimit) => proto::Aggregation::LastOfLimit,
        Some(Aggregation::Mean) => proto::Aggregation::Mean,
        Some(Aggregation::FadedLast) => proto::Aggregation::FadedLast,
    }
}

fn comparison_message(comparison: Option<Comparison>) -> proto::Comparison {
    match comparison {
        None => proto::Comparison::Unspecified,
        Some(Comparison::None) => proto::Comparison::None,
        Some(Comparison::EarlierWindow) => proto::Comparison::EarlierWindow,
        Some(Comparison::SegmentMedian) => proto::Comparison::SegmentMedian,
        Some(Comparison::SegmentRank) => proto::Comparison::SegmentRank,
        Some(Comparison::IndustryMedian) => proto::Comparison::IndustryMedian,
        Some(Comparison::IndustryRank) => proto::Comparison::IndustryRank,
        Some(Comparison::PlanMedian) => proto::Comparison::PlanMedian,
        Some(Comparison::PlanRank) => proto::Comparison::PlanRank,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DEFAULT_MODEL, parse_model_file, write_model_file};

    fn default_message() -> proto::Model {
        model_message(parse_model_file(DEFAULT_MODEL).expect("parses"))
    }

    #[test]
    fn a_model_goes_from_text_to_message_and_back_unchanged() {
        let back = model_draft(default_message());
        assert_eq!(write_model_file(&back).expect("can be written"), DEFAULT_MODEL);
        let mut found = Violations::new();
        let model = new_model(&mut found, "copy", Some(proto::Model { name: String::new(), ..default_message() }));
        let default_cuts = proto::BandCuts { critical_below: 50.0, at_risk_below: 70.0, healthy_above: 85.0 };
        let expected =
            proto::Model { name: "models/copy".to_owned(), band_cuts: Some(default_cuts), ..default_message() };
        assert_eq!(model_message(model.expect("valid").to_draft()), expected);
        assert!(found.is_empty());
    }

    #[test]
    fn each_word_has_a_word_of_its_own_on_the_wire() {
        for number in 0..=10 {
            let wire = proto::Aggregation::try_from(number).expect("an aggregation");
            assert_eq!(aggregation_message(aggregation(wire)), wire);
        }
        for series in StorySeries::ALL {
            let wire = proto::input::Series::Story(story_message(series).into());
            assert_eq!(input(wire), Some(Input::Story(series)));
            let name = format!("STORY_SERIES_{}", series.name().to_uppercase());
            assert_eq!(story_message(series).as_str_name(), name, "one name everywhere");
        }
        for number in 1..=8 {
            let wire = proto::Comparison::try_from(number).expect("a comparison");
            assert_eq!(comparison_message(Some(comparison(wire))), wire);
        }
    }

    #[test]
    fn what_the_wire_leaves_out_or_nobody_knows_is_a_fault() {
        let mut message = default_message();
        let measure = &mut message.components[0].measures[0];
        measure.input = Some(proto::Input { series: Some(proto::input::Series::AnyUser(false)) });
        measure.aggregation = 99;
        measure.comparison = 99;
        let mut found = Violations::new();
        assert_eq!(new_model(&mut found, ACTIVE_ID, Some(message)), None);
        let fields: Vec<&str> = found.iter().map(|violation| violation.field.as_str()).collect();
        let measure = "model.components[0].measures[0]";
        assert_eq!(
            fields,
            [
                "model_id",
                "model.name",
                &format!("{measure}.input"),
                &format!("{measure}.aggregation"),
                &format!("{measure}.comparison")
            ]
        );
    }

    #[test]
    fn a_model_that_no_event_could_carry_is_refused() {
        let mut message = proto::Model { name: String::new(), ..default_message() };
        message.components[0].rationale = "x".repeat(MODEL_BYTES_MAX);
        let mut found = Violations::new();
        assert_eq!(new_model(&mut found, "big", Some(message)), None);
        assert_eq!(found.iter().next().map(|violation| violation.field.as_str()), Some("model"));
    }
}
