use mainstay_domain::{RECOVERED_ABOVE, Segment};
use proptest::prelude::*;

use super::super::test_support::{account, context, model, rising_curve, score_today, today};
use super::super::{AccountGroup, CurvePoint, HealthModel, Scored, parse_model_file};
use super::*;

const MODEL: &str = "\
name: models/shop
display_name: Shop
components:
  - id: usage
    display_name: Usage
    weight: 40
    measures:
      - id: active_days
        display_name: Active days in 28
        weight: 1
        input: any_user
        window: 28d
        aggregation: active_days
        curve: [[0, 0], [20, 100]]
  - id: seats
    display_name: Seats
    weight: 60
    measures:
      - id: seats
        display_name: Seats
        weight: 1
        input: {metric: seats}
        window: 30d
        aggregation: last
        curve: [[0, 0], [10, 100]]
";

fn parsed(text: &str) -> HealthModel {
    HealthModel::from_draft(parse_model_file(text).expect("parses")).expect("valid")
}

fn read(value: f64) -> Reading {
    Reading { value: Ok(value), raw_value: Some(value), base_value: None, freshness_days: Some(0) }
}

fn lifted(model: &HealthModel, readings: Vec<Reading>, above: Points) -> Option<Lift> {
    lifted_among(model, &GroupDistributions::default(), readings, above)
}

fn lifted_among(
    model: &HealthModel,
    distributions: &GroupDistributions,
    readings: Vec<Reading>,
    above: Points,
) -> Option<Lift> {
    let scored = score_readings(model, readings, None);
    let facts = ScoringFacts::default();
    lift(Snapshot { model, scored: &scored, day: today() }, Others { distributions, facts: &facts }, above)
}

/// The readings of a score with the values that a lift asks for.
fn applied(model: &HealthModel, scored: &Scored, lift: &Lift) -> Points {
    let mut readings = scored.readings();
    for step in &lift.steps {
        let place = model.measures().position(|(_, measure)| measure.id == step.measure).expect("a measure");
        assert_eq!(readings[place].value, Ok(step.value), "what it says of now");
        readings[place].value = Ok(step.needed_value);
    }
    score_readings(model, readings, None).score.expect("a score")
}

#[test]
fn the_measure_with_most_to_gain_comes_first_and_the_last_moves_as_little_as_it_must() {
    let lift = lifted(&parsed(MODEL), vec![read(4.0), read(5.0)], RECOVERED_ABOVE).expect("below 70");
    assert!(lift.is_attainable());
    let steps: Vec<(&str, f64, f64)> =
        lift.steps.iter().map(|step| (step.measure.as_str(), step.value, step.needed_value)).collect();
    // 20 days give 40 points and 5 seats 30, together exactly 70, which has not recovered.
    assert_eq!(steps, [("active_days", 4.0, 20.0), ("seats", 5.0, 5.01)]);
    assert_eq!(
        lift.steps[0].sentence,
        "Active days in 28: 20 days with activities of users in 28 days instead of 4, which adds 32.0"
    );
    assert_eq!(lift.steps[1].sentence, "Seats: seats at 5.01 instead of 5, which adds 0.1");
    assert_eq!(lift.obstacles, []);
    let one = lifted(&parsed(MODEL), vec![read(10.0), read(8.0)], RECOVERED_ABOVE).expect("68 points");
    assert_eq!(one.steps.len(), 1, "one measure is enough");
    assert_eq!((one.steps[0].needed_value, one.score), (12.0, Points::whole(72)), "whole days");
}

#[test]
fn a_score_above_the_mark_needs_no_lift_and_none_has_none() {
    assert_eq!(lifted(&parsed(MODEL), vec![read(20.0), read(6.0)], RECOVERED_ABOVE), None);
    let missing = Reading { value: Err(MissingReason::Stale), ..read(0.0) };
    assert_eq!(lifted(&parsed(MODEL), vec![missing, missing], RECOVERED_ABOVE), None);
}

#[test]
fn what_cannot_be_reached_is_said_with_the_reasons() {
    // There are no more than 7 days in a week, and the curve wants 20.
    let short = MODEL.replace("window: 28d", "window: 7d");
    let lift = lifted(&parsed(&short), vec![read(4.0), read(10.0)], RECOVERED_ABOVE);
    let lift = lift.expect("68 points");
    assert!(lift.is_attainable());
    let lift = lifted(&parsed(&short), vec![read(4.0), read(10.0)], Points::whole(75)).expect("68 points");
    assert!(!lift.is_attainable());
    assert_eq!((lift.steps.len(), lift.steps[0].needed_value, lift.score), (1, 7.0, Points::whole(74)));
    let at_its_best = LiftObstacle {
        measure: "seats".to_owned(),
        display_name: "Seats".to_owned(),
        reason: ObstacleReason::AtItsBest,
    };
    assert_eq!((lift.obstacles.len(), &lift.obstacles[0]), (1, &at_its_best));

    let missing = Reading { value: Err(MissingReason::Stale), ..read(0.0) };
    let lift = lifted(&parsed(MODEL), vec![read(4.0), missing], RECOVERED_ABOVE).expect("20 points");
    assert_eq!(lift.obstacles, [LiftObstacle { reason: ObstacleReason::Missing(MissingReason::Stale), ..at_its_best }]);
    assert!(lift.is_attainable(), "all the weight is with the other");

    let aging = MODEL.replace("aggregation: active_days", "aggregation: days_since_first");
    let lift = lifted(&parsed(&aging), vec![read(4.0), read(5.0)], RECOVERED_ABOVE).expect("38 points");
    assert_eq!((lift.obstacles[0].reason, lift.score), (ObstacleReason::OnlyTime, Points::whole(68)));
}

#[test]
fn what_happened_cannot_be_undone() {
    let failures = |aggregation: &str, curve: &str| {
        MODEL
            .replace("input: any_user", "input: {story: payments_failed}")
            .replace("aggregation: active_days", aggregation)
            .replace("[[0, 0], [20, 100]]", curve)
    };
    let worse_with_each = "[[0, 100], [4, 0]]";
    for aggregation in ["aggregation: sum", "aggregation: max", "aggregation: mean_per_day", "aggregation: active_days"]
    {
        let model = parsed(&failures(aggregation, worse_with_each));
        let lift = lifted(&model, vec![read(3.0), read(5.0)], RECOVERED_ABOVE).expect("40 points");
        let seats: Vec<(&str, f64)> =
            lift.steps.iter().map(|step| (step.measure.as_str(), step.needed_value)).collect();
        assert_eq!(seats, [("seats", 10.0)], "{aggregation}");
        assert_eq!(lift.obstacles[0].reason, ObstacleReason::OnlyTime, "{aggregation}");
    }
    let last = parsed(&failures("aggregation: days_since_last", "[[0, 0], [28, 100]]"));
    let lift = lifted(&last, vec![read(3.0), read(5.0)], RECOVERED_ABOVE).expect("34 points");
    assert_eq!(lift.obstacles[0].reason, ObstacleReason::OnlyTime, "days without one have to pass");

    let trend = "aggregation: sum\n        comparison: earlier_window";
    let trend = parsed(&failures(trend, "[[1, 100], [2, 0]]"));
    let new = Reading { value: Ok(2.0), raw_value: Some(3.0), base_value: Some(0.0), freshness_days: Some(0) };
    let lift = lifted(&trend, vec![new, read(5.0)], RECOVERED_ABOVE).expect("30 points");
    assert_eq!(lift.obstacles[0].reason, ObstacleReason::OnlyTime, "against nothing it stays doubled");

    let open = MODEL
        .replace("input: any_user", "input: {story: tickets_open}")
        .replace("aggregation: active_days", "aggregation: last")
        .replace("[[0, 0], [20, 100]]", worse_with_each);
    let lift = lifted(&parsed(&open), vec![read(3.0), read(9.0)], RECOVERED_ABOVE).expect("64 points");
    let needed: Vec<f64> = lift.steps.iter().map(|step| step.needed_value).collect();
    assert_eq!(needed, [2.0], "a ticket can be resolved");
}

#[test]
fn the_largest_count_of_a_day_is_a_whole_number() {
    for input in ["input: any_user", "input: {feature: exports}", "input: {metric: emails}"] {
        let text = MODEL.replace("input: any_user", input).replace("aggregation: active_days", "aggregation: max");
        let lift = lifted(&parsed(&text), vec![read(10.0), read(8.2)], RECOVERED_ABOVE).expect("69.2 points");
        let needed: Vec<f64> = lift.steps.iter().map(|step| step.needed_value).collect();
        assert_eq!(needed, [11.0], "{input}");
    }
}

#[test]
fn the_mark_is_never_below_the_at_risk_cut() {
    let cuts = |at_risk_below: i32| BandCuts { at_risk_below: Points::whole(at_risk_below), ..BandCuts::default() };
    assert_eq!([60, 70, 75].map(|cut| recovered_above(&cuts(cut))), [70, 70, 75].map(Points::whole));
}

#[test]
fn against_an_earlier_window_whole_numbers_are_asked_for() {
    let text = MODEL
        .replace("aggregation: active_days", "aggregation: sum\n        comparison: earlier_window")
        .replace("[[0, 0], [20, 100]]", "[[0, 0], [1, 100]]");
    let trend = Reading { value: Ok(0.5), raw_value: Some(3.0), base_value: Some(6.0), freshness_days: Some(0) };
    let lift = lifted(&parsed(&text), vec![trend, read(8.0)], RECOVERED_ABOVE).expect("68 points");
    // Five sixths of 40 points, and 48.
    assert_eq!((lift.steps[0].needed_value * 6.0).to_bits(), 4f64.to_bits());
    assert_eq!(
        lift.steps[0].sentence,
        "Active days in 28: 4 activities of users in 28 days instead of 3, which adds 6.7"
    );
    let from_nothing = Reading { value: Ok(0.0), raw_value: Some(0.0), base_value: Some(0.0), ..trend };
    let doubled = text.replace("[[0, 0], [1, 100]]", "[[0, 0], [4, 100]]");
    let lift = lifted(&parsed(&doubled), vec![from_nothing, read(8.0)], RECOVERED_ABOVE).expect("48 points");
    let said: Vec<&str> = lift.steps.iter().map(|step| step.sentence.as_str()).collect();
    let expected =
        ["Active days in 28: 2 instead of 0, which adds 20.0", "Seats: seats at 8.34 instead of 8, which adds 2.0"];
    assert_eq!(said, expected, "something after nothing counts as doubled, and no more");
}

/// The first measure ranked in a segment whose accounts have these numbers.
fn ranked(aggregation: &str, curve: &str, numbers: &[f64]) -> (HealthModel, GroupDistributions) {
    let ranked = format!("aggregation: {aggregation}\n        comparison: segment_rank");
    let model = parsed(&MODEL.replace("aggregation: active_days", &ranked).replace("[[0, 0], [20, 100]]", curve));
    let measure = model.components[0].measures[0].id.clone();
    let mut distributions = GroupDistributions::default();
    let spread = Distribution::of(numbers.to_vec()).expect("numbers");
    distributions.insert(AccountGroup::Segment(Segment::Unknown), &measure, spread);
    (model, distributions)
}

fn read_rank(distributions: &GroupDistributions, model: &HealthModel, raw: f64) -> Reading {
    let group = AccountGroup::Segment(Segment::Unknown);
    let spread = distributions.lookup(&group, &model.components[0].measures[0].id).expect("a distribution");
    let (value, base_value) = (Ok(spread.rank(raw)), Some(spread.median()));
    Reading { value, raw_value: Some(raw), base_value, freshness_days: Some(0) }
}

#[test]
fn for_a_rank_the_number_that_has_it_is_asked_for() {
    let numbers: Vec<f64> = (0..=20).map(f64::from).collect();
    let (model, distributions) = ranked("sum", "[[0, 0], [1, 100]]", &numbers);
    let low = read_rank(&distributions, &model, 5.0);
    let lift = lifted_among(&model, &distributions, vec![low, read(8.0)], RECOVERED_ABOVE).expect("58 points");
    // 12 points and a little of 40 % are missing: 7 ranks of 20.
    assert_eq!((lift.steps.len(), lift.is_attainable()), (1, true));
    assert_eq!(
        lift.steps[0].sentence,
        "Active days in 28: 12 activities of users in 28 days instead of 5, which adds 14.0"
    );
}

#[test]
fn no_rank_is_promised_that_nobody_can_have() {
    let curve = "[[0, 0], [1, 100]]";
    let mut numbers: Vec<f64> = (0..8).map(f64::from).collect();
    numbers.resize(20, 28.0);
    let (model, distributions) = ranked("active_days", curve, &numbers);
    let few = read_rank(&distributions, &model, 7.0);
    let lift = lifted_among(&model, &distributions, vec![few, read(6.0)], RECOVERED_ABOVE).expect("less");
    let most = read_rank(&distributions, &model, 28.0).value.expect("a rank");
    assert!(most < 0.75, "most accounts are active each day: {most}");
    assert!(lift.steps.iter().all(|step| step.measure != "active" || step.needed_value <= most), "{lift:?}");

    let happened = ranked("sum", "[[0, 100], [1, 0]]", &numbers);
    let many = read_rank(&happened.1, &happened.0, 28.0);
    let lift = lifted_among(&happened.0, &happened.1, vec![many, read(8.0)], RECOVERED_ABOVE).expect("less");
    assert_eq!(lift.obstacles[0].reason, ObstacleReason::OnlyTime, "what happened cannot be undone");
}

#[test]
fn numbers_are_shortened_away_from_where_they_come_from() {
    for (number, is_above, short) in [
        (5.001_23, true, 5.01),
        (5.001_23, false, 5.0),
        (0.123_41, true, 0.124),
        (123_456.0, true, 124_000.0),
        (-5.001_23, false, -5.01),
        (0.0, true, 0.0),
        (20.0, true, 20.0),
    ] {
        assert!((shortened(number, is_above) - short).abs() < 1e-9, "{number}: {}", shortened(number, is_above));
    }
}

proptest! {
    #[test]
    fn r61_the_values_that_are_asked_for_lift_the_score_above_the_mark(
        model in model(),
        account in account(),
        context in context(),
        above in 0..Points::MAX.units(),
    ) {
        let scored = score_today(&model, &account, &context);
        let above = Points::from_units(above);
        let snapshot = Snapshot { model: &model, scored: &scored, day: today() };
        let others = Others { distributions: &context.distributions, facts: &account.facts };
        match lift(snapshot, others, above) {
            None => prop_assert!(scored.score.is_none_or(|score| score > above)),
            Some(lift) => {
                prop_assert!(scored.score.is_some_and(|score| score <= above));
                prop_assert_eq!(applied(&model, &scored, &lift), lift.score);
                prop_assert_eq!(lift.is_attainable(), lift.score > above);
                let gained: Points = lift.steps.iter().map(|step| step.gain).sum();
                prop_assert_eq!(scored.score.expect("checked") + gained, lift.score);
                if lift.is_attainable() {
                    let without_last = Lift { steps: lift.steps[..lift.steps.len() - 1].to_vec(), ..lift.clone() };
                    prop_assert!(applied(&model, &scored, &without_last) <= above, "the last is needed");
                }
            }
        }
    }

    #[test]
    fn no_fewer_measures_do_it(
        model in model(),
        account in account(),
        context in context(),
        above in 0..Points::MAX.units(),
    ) {
        let scored = score_today(&model, &account, &context);
        let above = Points::from_units(above);
        let snapshot = Snapshot { model: &model, scored: &scored, day: today() };
        let others = Others { distributions: &context.distributions, facts: &account.facts };
        let candidates = candidates(snapshot, others);
        prop_assume!(candidates.len() <= 8);
        if let Some(lift) = lift(snapshot, others, above).filter(Lift::is_attainable) {
            for chosen in 0u32..1 << candidates.len() {
                if chosen.count_ones() as usize >= lift.steps.len() {
                    continue;
                }
                let mut readings = scored.readings();
                for (index, candidate) in candidates.iter().enumerate() {
                    if chosen & (1 << index) != 0 {
                        readings[candidate.place].value = Ok(candidate.best_value);
                    }
                }
                prop_assert!(score_readings(&model, readings, None).score <= Some(above), "{chosen:b}");
            }
        }
    }

    #[test]
    fn the_nearest_whole_number_that_is_enough_is_found(
        corners in rising_curve(),
        turned in any::<bool>(),
        days in 1i32..40,
        from in 0i32..40,
        points in 0.0f64..=100.0,
    ) {
        let mut model = parsed(MODEL);
        let measure = &mut model.components[0].measures[0];
        measure.window = Window::Days(days);
        let turn = |corner: CurvePoint| CurvePoint { points: 100.0 - corner.points, ..corner };
        let corners = if turned { corners.into_iter().map(turn).collect() } else { corners };
        measure.curve = super::super::Curve::of_checked(corners);
        let from = f64::from(from.min(days));
        let (distributions, facts) = (GroupDistributions::default(), ScoringFacts::default());
        let others = Others { distributions: &distributions, facts: &facts };
        let range = ValueRange::of(measure, &MeasureOutcome::default(), others, By::Doing).expect("days");
        let all = || (0..=days).map(f64::from);
        let enough = all().filter(|&value| measure.curve.points_at(value) >= points);
        let nearest = enough.min_by(|left, right| (left - from).abs().total_cmp(&(right - from).abs()));
        let best = all().map(|value| measure.curve.points_at(value)).max_by(f64::total_cmp);
        prop_assume!(measure.curve.points_at(from) < points);
        prop_assert_eq!(range.nearest_with(measure, from, points), nearest);
        prop_assert_eq!(range.points_max(measure), best);
    }
}
