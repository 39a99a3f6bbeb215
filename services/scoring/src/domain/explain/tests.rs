use chrono::Days;
use mainstay_domain::ModelId;
use proptest::prelude::*;

use super::super::series::{AccountSeries, SeriesKey, SeriesKind, day_number};
use super::super::test_support::{account, context, model, score_today, today};
use super::super::{
    AccountInputs, Comparison, DayContext, Measure, Reading, ScoringFacts, parse_model_file, score, score_readings,
};
use super::*;

const SHOP: &str = "\
name: models/shop
display_name: Shop
components:
  - id: usage
    display_name: Usage
    weight: 40
    measures:
      - id: velocity
        display_name: Purchases against the 90 days before
        weight: 1
        input: {metric: purchases}
        window: 90d
        aggregation: sum
        comparison: earlier_window
        curve: [[0, 0], [1, 100]]
  - id: recency
    display_name: Recency
    weight: 60
    measures:
      - id: days_since
        display_name: Days since the last purchase
        weight: 1
        input: {metric: purchases}
        window: lifetime
        aggregation: days_since_last
        curve: [[0, 100], [100, 0]]
      - id: seats
        display_name: Seats
        weight: 1
        input: {metric: seats}
        window: 30d
        aggregation: last
        curve: [[0, 0], [10, 100]]
";

fn shop() -> HealthModel {
    HealthModel::from_draft(parse_model_file(SHOP).expect("parses")).expect("valid")
}

/// A customer with 9 purchases and then 3, the last 20 days ago.
fn scored_on(day: NaiveDate) -> Scored {
    let mut series = AccountSeries::default();
    let last = day_number(today());
    let days = [(200, 1), (150, 5), (100, 4), (60, 2), (20, 1)].map(|(ago, total)| (last - ago, total));
    series.add_counts(&SeriesKey { kind: SeriesKind::Usage, name: "purchases".to_owned() }, days);
    let mut context = DayContext::default();
    context.pulses.note(SeriesKind::Usage, "purchases", day_number(day));
    let account =
        AccountInputs { series: &series, facts: &ScoringFacts::default(), first_signal_day: series.first_signal_day() };
    score(&shop(), &account, &context, day)
}

#[test]
fn r61_a_score_and_its_fall_are_explained_in_words() {
    let (model, day) = (shop(), today());
    let earlier_day = day - Days::new(10);
    let (now, earlier) = (scored_on(day), scored_on(earlier_day));
    let explanation = explain(
        Snapshot { model: &model, scored: &now, day },
        Some(Snapshot { model: &model, scored: &earlier, day: earlier_day }),
    );
    assert_eq!(
        explanation.sentences,
        [
            "On 1997-05-19 health is 61.3 of 100, at risk. 70 % of the model's weight had fresh data.",
            "Usage gives 13.3 of its 40 points: 3 purchases in 90 days, against 9 in the 90 days before.",
            "Recency gives 48.0 of its 60 points: 20 days without purchases.",
            "Left out: Seats (there never was data).",
            "Since 1997-05-09 health fell by 6.0, from 67.3 to 61.3.",
            "What moved it most: Days since the last purchase -6.0 (10 then, 20 now).",
        ]
    );
    let velocity = &explanation.components[0].measures[0];
    assert_eq!(velocity.lost_points + velocity.contribution, Points::whole(40));
    let seats = &explanation.components[1].measures[1];
    assert_eq!((seats.lost_points, seats.missing), (Points::ZERO, Some(MissingReason::NoData)));
}

/// Five measures of equal weight in one component, scored by what they read; none: without fresh data.
fn scored_from(model: &HealthModel, values: [Option<f64>; 5]) -> Scored {
    let readings = values.map(|value| Reading {
        value: value.ok_or(MissingReason::Stale),
        raw_value: value,
        base_value: None,
        freshness_days: value.map(|_| 0),
    });
    score_readings(model, readings.into(), None)
}

fn five_measures() -> HealthModel {
    let mut model = shop();
    model.components.truncate(1);
    let measure = Measure { comparison: Comparison::None, ..model.components[0].measures[0].clone() };
    model.components[0].measures = ["A", "B", "C", "D", "E"]
        .map(|name| Measure { id: name.to_lowercase(), display_name: name.to_owned(), ..measure.clone() })
        .into();
    model
}

fn sentences_between(model: &HealthModel, earlier: [Option<f64>; 5], now: [Option<f64>; 5]) -> Vec<String> {
    let (earlier, now) = (scored_from(model, earlier), scored_from(model, now));
    let (day, earlier_day) = (today(), today() - Days::new(10));
    explain(Snapshot { model, scored: &now, day }, Some(Snapshot { model, scored: &earlier, day: earlier_day }))
        .sentences
}

#[test]
fn r61_weight_shared_anew_is_told_with_the_measures_that_caused_it() {
    let model = five_measures();
    let half = Some(0.5);
    let sentences = sentences_between(&model, [half, half, Some(1.0), None, half], [half, half, None, Some(0.0), half]);
    assert_eq!(
        sentences[3..],
        [
            "Since 1997-05-09 health fell by 25.0, from 62.5 to 37.5.",
            "C (its newest data is too old) dropped out; D came back: 80 % of the model's weight had fresh data then, \
             80 % now. The weight is shared anew among the measures with data, which moves them too.",
            "What moved it most: C -25.0 (1 then, missing now).",
        ]
    );

    let sentences = sentences_between(&model, [half, half, half, half, half], [half, None, None, None, None]);
    assert_eq!(
        sentences[3..],
        [
            "Since 1997-05-09 health stayed at 50.0.",
            "B (its newest data is too old), C (its newest data is too old), D (its newest data is too old), and 1 more \
             dropped out: 100 % of the model's weight had fresh data then, 20 % now. The weight is shared anew among the \
             measures with data, which moves them too.",
            "What moved it most: A +40.0 (unchanged at 0.5; its weight moved), B -10.0 (0.5 then, missing now), \
             C -10.0 (0.5 then, missing now).",
        ]
    );
}

#[test]
fn weight_is_not_said_to_move_when_the_same_measures_are_missing_or_one_without_weight() {
    let mut model = five_measures();
    let half = Some(0.5);
    let told = |sentences: Vec<String>| sentences.iter().any(|sentence| sentence.contains("shared anew"));
    assert!(!told(sentences_between(&model, [half, None, half, half, half], [Some(0.1), None, half, half, half])));
    assert!(!told(sentences_between(&model, [None; 5], [half; 5])), "there was no score, so no weight");
    model.components[0].measures[4].weight = 0.0;
    assert!(!told(sentences_between(&model, [half; 5], [half, half, half, half, None])));
}

#[test]
fn a_component_of_many_measures_says_how_many_are_not_named() {
    let sentences = sentences_between(&five_measures(), [Some(0.5); 5], [Some(0.5); 5]);
    assert_eq!(
        sentences[1],
        "Usage gives 50.0 of its 100 points: 0.5 purchases in 90 days; 0.5 purchases in 90 days; \
         0.5 purchases in 90 days; and 2 more."
    );
}

#[test]
fn a_value_that_another_model_values_otherwise_is_said_to_be_unchanged() {
    let (model, day) = (five_measures(), today());
    let mut other = five_measures();
    other.id = ModelId::parse("other").expect("an id");
    other.components[0].measures[0].weight = 6.0;
    let values = [Some(1.0), Some(0.0), Some(0.0), Some(0.0), Some(0.0)];
    let (earlier, now) = (scored_from(&model, values), scored_from(&other, values));
    let earlier = Snapshot { model: &model, scored: &earlier, day: day - Days::new(10) };
    let sentences = explain(Snapshot { model: &other, scored: &now, day }, Some(earlier)).sentences;
    assert_eq!(
        sentences[sentences.len() - 2..],
        [
            "The model is another one: `shop` then, `other` now.",
            "What moved it most: A +40.0 (unchanged at 1; the model values it otherwise).",
        ]
    );
}

#[test]
fn a_measure_that_only_one_model_has_counts_as_nothing_in_the_other() {
    let (model, day) = (shop(), today());
    let now = scored_on(day);
    let mut other = shop();
    other.components[0].measures[0].id = "renamed".to_owned();
    let comparison =
        compare(Snapshot { model: &other, scored: &now, day }, Snapshot { model: &model, scored: &now, day });
    let contribution = now.measures[0].contribution;
    let moved: Vec<_> = comparison.measures.iter().map(|one| (one.measure.as_str(), one.change)).collect();
    assert_eq!(comparison.change, Points::ZERO);
    assert_eq!(moved[..2], [("renamed", contribution), ("velocity", -contribution)]);
}

proptest! {
    #[test]
    fn explanations_and_comparisons_add_up_exactly(
        (now_model, then_model) in (model(), model()),
        (now_account, then_account) in (account(), account()),
        context in context(),
    ) {
        let now_scored = score_today(&now_model, &now_account, &context);
        let then_scored = score_today(&then_model, &then_account, &context);
        let now = Snapshot { model: &now_model, scored: &now_scored, day: today() };
        let then = Snapshot { model: &then_model, scored: &then_scored, day: today() };
        let explanation = explain(now, Some(then));

        let whole: f64 = explanation.components.iter().map(|one| one.contribution.as_f64()).sum();
        prop_assert_eq!(whole.to_bits(), now_scored.score.unwrap_or_default().as_f64().to_bits());
        for component in &explanation.components {
            let parts: Points = component.measures.iter().map(|measure| measure.contribution).sum();
            prop_assert_eq!(parts, component.contribution);
        }
        let forth = explanation.comparison.expect("asked for");
        let moved: Points = forth.measures.iter().map(|one| one.change).sum();
        prop_assert_eq!(moved, forth.change);
        prop_assert_eq!(forth.change, now_scored.score.unwrap_or_default() - then_scored.score.unwrap_or_default());
        prop_assert!(forth.measures.windows(2).all(|pair| pair[0].change.abs() >= pair[1].change.abs()));

        let back = compare(then, now);
        prop_assert_eq!(back.change, -forth.change);
        prop_assert_eq!(back.measures.len(), forth.measures.len());
        for (there, here) in forth.measures.iter().zip(&back.measures) {
            prop_assert_eq!((&there.measure, there.change), (&here.measure, -here.change));
            prop_assert_eq!((there.value, there.earlier_value), (here.earlier_value, here.value));
        }
    }
}
