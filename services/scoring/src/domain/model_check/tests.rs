//! What is accepted as a model, and what is wrong with the rest.

use super::super::model_file::{DEFAULT_MODEL, parse_model_file};
use super::super::story_series::StorySeries;
use super::*;

fn draft() -> ModelDraft {
    parse_model_file(DEFAULT_MODEL).expect("the default model parses")
}

fn faults_of(change: impl FnOnce(&mut ModelDraft)) -> Vec<String> {
    let mut draft = draft();
    change(&mut draft);
    let faults = HealthModel::from_draft(draft).expect_err("a fault");
    faults.into_iter().map(|fault| fault.field).collect()
}

fn measure(draft: &mut ModelDraft) -> &mut MeasureDraft {
    &mut draft.components[0].measures[0]
}

#[test]
fn all_faults_are_named_at_once() {
    let fields = faults_of(|draft| {
        draft.name = "default".to_owned();
        draft.display_name.clear();
        draft.components[1].weight = -1.0;
        draft.components[2].measures[0].weight = f64::NAN;
        draft.components[2].measures[0].input = None;
        measure(draft).curve = vec![
            CurvePoint { x: 0.0, points: 0.0 },
            CurvePoint { x: 2.0, points: 101.0 },
            CurvePoint { x: 1.0, points: f64::NAN },
            CurvePoint { x: 1.0, points: 5.0 },
            CurvePoint { x: f64::INFINITY, points: 5.0 },
        ];
    });
    assert_eq!(
        fields,
        [
            "name",
            "display_name",
            "components[1].weight",
            "components[0].measures[0].curve[1].points",
            "components[0].measures[0].curve[2].x",
            "components[0].measures[0].curve[2].points",
            "components[0].measures[0].curve[3].x",
            "components[0].measures[0].curve[4].x",
            "components[2].measures[0].weight",
            "components[2].measures[0].input",
        ]
    );
}

#[test]
fn weights_that_add_up_to_nothing_or_to_infinity_are_refused() {
    assert_eq!(faults_of(|draft| draft.components.iter_mut().for_each(|one| one.weight = 0.0)), ["components"]);
    assert_eq!(
        faults_of(|draft| draft.components[0].measures.iter_mut().for_each(|one| one.weight = 0.0)),
        ["components[0].measures"]
    );
    assert_eq!(faults_of(|draft| draft.components.iter_mut().for_each(|one| one.weight = f64::MAX)), ["components"]);
}

#[test]
fn ids_are_distinct_in_the_whole_model() {
    let fields = faults_of(|draft| {
        draft.components[1].id = draft.components[0].id.clone();
        draft.components[1].measures[0].id = draft.components[0].measures[0].id.clone();
        draft.components[2].id = "Bad-id".to_owned();
    });
    assert_eq!(fields, ["components[1].id", "components[1].measures[0].id", "components[2].id"]);
}

#[test]
fn counts_of_components_measures_and_points_are_bounded() {
    assert_eq!(faults_of(|draft| draft.components.clear()), ["components"]);
    assert_eq!(faults_of(|draft| draft.components[0].measures.clear()), ["components[0].measures"]);
    for count in [1, 51] {
        let corners = (0..count).map(|x| CurvePoint { x: f64::from(x), points: 1.0 }).collect();
        assert_eq!(faults_of(|draft| measure(draft).curve = corners), ["components[0].measures[0].curve"]);
    }
    let many = faults_of(|draft| {
        draft.components = (0..21)
            .map(|index| ComponentDraft {
                id: format!("c{index}"),
                measures: vec![MeasureDraft { id: format!("m{index}"), ..draft.components[0].measures[0].clone() }],
                ..draft.components[0].clone()
            })
            .collect();
    });
    assert_eq!(many, ["components"]);
}

#[test]
fn aggregations_fit_their_inputs() {
    for (input, aggregation) in [
        (Input::AnyUser, Aggregation::Last),
        (Input::Feature("export".to_owned()), Aggregation::LastOfLimit),
        (Input::Metric("emails".to_owned()), Aggregation::Distinct),
        (Input::Feature("export".to_owned()), Aggregation::Distinct),
    ] {
        let fields = faults_of(|draft| {
            measure(draft).input = Some(input);
            measure(draft).aggregation = Some(aggregation);
        });
        assert_eq!(fields, ["components[0].measures[0].aggregation"]);
    }
    assert_eq!(
        faults_of(|draft| measure(draft).input = Some(Input::Metric("E-mails!".to_owned()))),
        ["components[0].measures[0].input.metric"]
    );
}

#[test]
fn windows_and_limits_have_ranges() {
    for days in [-1, 731] {
        assert_eq!(faults_of(|draft| measure(draft).window_days = days), ["components[0].measures[0].window_days"]);
        assert_eq!(
            faults_of(|draft| measure(draft).freshness_limit_days = days),
            ["components[0].measures[0].freshness_limit_days"]
        );
    }
    let fields = faults_of(|draft| {
        measure(draft).window_days = 0;
        measure(draft).comparison = Some(Comparison::EarlierWindow);
    });
    assert_eq!(fields, ["components[0].measures[0].comparison"]);
}

#[test]
fn what_can_be_negative_is_divided_by_nothing() {
    let told = |series: StorySeries, comparison: Comparison| {
        let mut draft = draft();
        let one = measure(&mut draft);
        one.input = Some(Input::Story(series));
        one.aggregation = Some(Aggregation::Mean);
        one.comparison = Some(comparison);
        HealthModel::from_draft(draft).map(|_| ()).map_err(|faults| {
            let fields: Vec<String> = faults.into_iter().map(|fault| fault.field).collect();
            fields.concat()
        })
    };
    let refused = Err("components[0].measures[0].comparison".to_owned());
    assert_eq!(told(StorySeries::TicketSentiment, Comparison::EarlierWindow), refused);
    assert_eq!(told(StorySeries::TicketSentiment, Comparison::SegmentMedian), refused);
    assert_eq!(told(StorySeries::TicketSentiment, Comparison::IndustryMedian), refused);
    assert_eq!(told(StorySeries::TicketSentiment, Comparison::SegmentRank), Ok(()));
    assert_eq!(told(StorySeries::TicketSentiment, Comparison::None), Ok(()));
    assert_eq!(told(StorySeries::CsatScore, Comparison::EarlierWindow), Ok(()));
}

#[test]
fn cuts_of_bands_rise() {
    let cuts = |critical_below, at_risk_below, healthy_above| {
        faults_of(|draft| draft.band_cuts = Some(BandCutsDraft { critical_below, at_risk_below, healthy_above }))
    };
    assert_eq!(cuts(50.0, 50.0, 85.0), ["band_cuts.at_risk_below"]);
    assert_eq!(cuts(50.0, 70.0, 60.0), ["band_cuts.healthy_above"]);
    assert_eq!(cuts(50.0, 50.001, 85.0), ["band_cuts.at_risk_below"]);
    assert_eq!(cuts(-1.0, 70.0, f64::NAN), ["band_cuts.critical_below", "band_cuts.healthy_above"]);
}

#[test]
fn a_checked_model_gives_its_draft_back() {
    let model = HealthModel::from_draft(draft()).expect("valid");
    assert_eq!(HealthModel::from_draft(model.to_draft()), Ok(model));
}
