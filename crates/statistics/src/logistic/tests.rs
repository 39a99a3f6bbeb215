use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::assertions::assert_close;
use crate::classification::{Binning, Forecast, auc, reliability};

fn numbers(count: usize) -> LogisticRegression {
    LogisticRegression::new((0..count).map(|index| Input::number(format!("x{index}"))).collect())
}

/// Customers with evenly drawn inputs, of whom the first tells most and the others little.
fn examples(seed: u64, rows: usize, inputs: usize) -> Vec<Example> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut one = || {
        let values: Vec<f64> = (0..inputs).map(|_| random.random_range(-2.0..2.0)).collect();
        let log_odds: f64 = values.iter().enumerate().map(|(place, value)| value * 1.5 / (place + 1) as f64).sum();
        let outcome = random.random_bool(1.0 / (1.0 + (-log_odds).exp()));
        Example { values: values.into_iter().map(Some).collect(), outcome }
    };
    (0..rows).map(|_| one()).collect()
}

fn changed(examples: &[Example], change: impl Fn(&mut Example)) -> Vec<Example> {
    let mut changed = examples.to_vec();
    changed.iter_mut().for_each(change);
    changed
}

fn faults(error: FitError) -> Vec<(String, InputFault)> {
    let FitError::UnusableInputs(inputs) = error else { panic!("{error:?}") };
    inputs.into_iter().map(|input| (input.name, input.fault)).collect()
}

#[test]
fn r77_too_little_data_is_refused() {
    let enough = examples(1, 400, 2);
    let few = numbers(2).fit(&enough[..ROWS_MIN - 1]);
    assert_eq!(few, Err(FitError::TooFewRows { found: 96, needed: ROWS_MIN }));
    for rarer in [true, false] {
        let mut seen = 0;
        let mut rare: Vec<Example> = enough.clone();
        rare.iter_mut().for_each(|example| {
            seen += 1;
            example.outcome = (seen <= 19) == rarer;
        });
        let expected = FitError::TooFewCases { outcome: rarer, found: 19, needed: 20 };
        assert_eq!(numbers(2).fit(&rare), Err(expected));
        rare[200].outcome = rarer;
        assert!(numbers(2).fit(&rare).is_ok());
    }
    assert_eq!(numbers(0).fit(&changed(&enough, |example| example.values.clear())), Err(FitError::NoInputs));
}

#[test]
fn all_unusable_inputs_are_named_at_once() {
    let mut odd = changed(&examples(2, 400, 5), |example| {
        example.values[1] = Some(0.1 + 0.2);
        example.values[2] = None;
    });
    odd[3].values[0] = Some(f64::NAN);
    odd[5].values[3] = Some(f64::INFINITY);
    odd[7].values[4] = Some(1e200);
    let expected = [
        ("x0", InputFault::NotFinite),
        ("x1", InputFault::Constant),
        ("x2", InputFault::Constant),
        ("x3", InputFault::NotFinite),
        ("x4", InputFault::NotFinite),
    ];
    let error = numbers(5).fit(&odd).expect_err("unusable");
    assert_eq!(
        error.to_string(),
        "unusable inputs: `x0` (a value is not finite, or too large), `x1` (all values are the same, or none is known), \
         `x2` (all values are the same, or none is known), `x3` (a value is not finite, or too large), \
         `x4` (a value is not finite, or too large)"
    );
    assert_eq!(faults(error), expected.map(|(name, fault)| (name.to_owned(), fault)));
}

#[test]
fn an_example_has_a_value_for_each_input() {
    let mut short = examples(3, 200, 3);
    short[11].values.pop();
    assert_eq!(numbers(3).fit(&short), Err(FitError::ValueCount { index: 11, found: 2, expected: 3 }));
    let model = numbers(3).fit(&examples(3, 200, 3)).expect("enough");
    assert_eq!(model.probability(&[None]), Err(PredictError::ValueCount { found: 1, expected: 3 }));
}

#[test]
fn a_penalty_outside_of_its_range_is_refused() {
    for inverse_penalty in [0.0, -1.0, 1e-5, 1e5, f64::NAN, f64::INFINITY] {
        let refused = numbers(2).with_inverse_penalty(inverse_penalty).fit(&examples(4, 200, 2));
        assert!(matches!(refused, Err(FitError::InversePenalty(_))), "{inverse_penalty}: {refused:?}");
    }
}

#[test]
fn indicators_are_within_0_and_1_and_never_missing() {
    let regression = LogisticRegression::new(vec![Input::number("seats"), Input::indicator("trial")]);
    let usable = changed(&examples(5, 300, 2), |example| {
        example.values[1] = example.values[1].map(|value| f64::from(u8::from(value > 0.5)));
    });
    let model = regression.fit(&usable).expect("usable");
    for (value, fault) in [(Some(2.0), InputFault::OutOfRange), (None, InputFault::Missing)] {
        let mut odd = usable.clone();
        odd[0].values[1] = value;
        assert_eq!(faults(regression.fit(&odd).expect_err("unusable")), [("trial".to_owned(), fault)]);
        let refused = model.probability(&odd[0].values);
        assert_eq!(refused, Err(PredictError::UnusableInputs(vec![UnusableInput { name: "trial".into(), fault }])));
    }
}

#[test]
fn a_missing_value_counts_as_what_stands_for_it() {
    let mut holes = examples(6, 301, 2);
    for hole in holes.iter_mut().step_by(3) {
        hole.values[0] = None;
    }
    let mut known: Vec<f64> = holes.iter().filter_map(|example| example.values[0]).collect();
    known.sort_by(f64::total_cmp);
    assert_eq!(known.len(), 200);
    let median = f64::midpoint(known[99], known[100]);
    for (missing, substitute) in [(Missing::Median, median), (Missing::Value(-9.0), -9.0)] {
        let input = Input { missing, ..Input::number("x0") };
        let regression = LogisticRegression::new(vec![input, Input::number("x1")]);
        let model = regression.fit(&holes).expect("usable");
        let filled = changed(&holes, |example| example.values[0] = example.values[0].or(Some(substitute)));
        let other = numbers(2).fit(&filled).expect("usable");
        assert_eq!(model.probability(&[None, Some(0.5)]), other.probability(&[Some(substitute), Some(0.5)]));
        let coefficient = &model.coefficients()[0];
        assert_eq!((coefficient.substitute, coefficient.missing.count), (Some(substitute), 101));
    }
    let refusing =
        LogisticRegression::new(vec![Input { missing: Missing::Refused, ..Input::number("x0") }, Input::number("x1")]);
    assert_eq!(faults(refusing.fit(&holes).expect_err("missing")), [("x0".to_owned(), InputFault::Missing)]);
}

#[test]
fn inputs_that_tell_all_apart_get_a_coefficient_with_a_bound() {
    let certain = changed(&examples(7, 400, 2), |example| example.outcome = example.values[0] > Some(0.3));
    for inverse_penalty in [INVERSE_PENALTY_MIN, 1.0, INVERSE_PENALTY_MAX] {
        let model = numbers(2).with_inverse_penalty(inverse_penalty).fit(&certain).expect("converges");
        assert!(model.coefficients()[0].per_unit > 0.0);
    }
}

#[test]
fn inputs_that_say_the_same_share_what_they_say() {
    let one = examples(8, 400, 1);
    let both = changed(&one, |example| example.values.push(example.values[0]));
    let (one, both) = (numbers(1).fit(&one).expect("fits"), numbers(2).fit(&both).expect("fits"));
    let (alone, shared) = (one.coefficients()[0].per_unit, both.coefficients());
    assert_close(shared[0].per_unit, shared[1].per_unit, 1e-6);
    assert!(shared[0].per_unit < 0.6 * alone, "{shared:?} and {alone}");
}

#[test]
fn coefficients_speak_of_the_units_of_the_inputs() {
    let model = numbers(2).fit(&examples(9, 500, 2)).expect("fits");
    let coefficients = model.coefficients();
    let odds = |values: [f64; 2]| {
        let probability = model.probability(&values.map(Some)).expect("valid");
        probability / (1.0 - probability)
    };
    assert_close(odds([1.3, 0.4]) / odds([0.3, 0.4]), coefficients[0].odds_ratio_per_unit(), 1e-9);
    let deviation = coefficients[1].deviation;
    let step = odds([0.0, deviation]) / odds([0.0, 0.0]);
    assert_close(step, coefficients[1].odds_ratio_per_deviation(), 1e-9);
    assert_close(odds([0.0, 0.0]).ln(), model.intercept(), 1e-9);
    assert_close(odds([coefficients[0].mean, coefficients[1].mean]).ln(), model.intercept_at_means(), 1e-9);
}

#[test]
fn r202_probabilities_of_customers_like_the_examples_are_what_happens() {
    let model = numbers(3).fit(&examples(11, 4000, 3)).expect("enough");
    let others: Vec<Forecast> =
        examples(12, 4000, 3).iter().map(|example| model.forecast(example).expect("valid")).collect();
    let bins = reliability(&others, Binning::Quantiles(10));
    assert_eq!(bins.len(), 10);
    let missed =
        bins.iter().filter(|bin| bin.mean_probability < bin.interval.low || bin.mean_probability > bin.interval.high);
    // By chance three or more of ten intervals of 95 % miss once in 90 times.
    let missed = missed.count();
    assert!(missed < 3, "{missed} of 10 intervals miss: {bins:?}");
}

#[test]
fn each_example_is_forecast_by_a_model_that_did_not_know_it() {
    // Outcomes by the toss of a coin: whoever knew the examples would do better than chance.
    let mut coin = StdRng::seed_from_u64(10);
    let tossed: Vec<Example> = examples(10, 400, 15)
        .into_iter()
        .map(|example| Example { outcome: coin.random_bool(0.5), ..example })
        .collect();
    let forecasts = numbers(15).cross_validate(&tossed, 5, &mut coin).expect("enough");
    let known = numbers(15).fit(&tossed).expect("enough");
    let within = |forecasts: Vec<Forecast>| {
        auc(&forecasts.into_iter().map(Into::into).collect::<Vec<_>>()).expect("both outcomes")
    };
    assert!(forecasts.iter().zip(&tossed).all(|(forecast, example)| forecast.outcome() == example.outcome));
    let (unknown, known) =
        (within(forecasts), within(tossed.iter().map(|example| known.forecast(example).expect("valid")).collect()));
    assert!(unknown < 0.56 && known > 0.6, "{unknown} and {known}");
    let too_few = numbers(15).cross_validate(&tossed[..200], 2, &mut coin);
    assert!(matches!(too_few, Err(FitError::TooFewCases { .. })), "{too_few:?}");
    assert!(matches!(numbers(15).cross_validate(&tossed, 1, &mut coin), Err(FitError::Folds(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_mean_probability_is_the_share_that_left(seed in any::<u64>(), inputs in 1usize..4, power in -3i32..4) {
        let examples = examples(seed, 240, inputs);
        let model = numbers(inputs).with_inverse_penalty(10f64.powi(power)).fit(&examples).expect("fits");
        let sum: f64 = examples.iter().map(|example| model.probability(&example.values).expect("valid")).sum();
        let left = examples.iter().filter(|example| example.outcome).count();
        prop_assert!((sum - left as f64).abs() / 240.0 <= GRADIENT_MAX, "{sum} and {left}");
    }

    #[test]
    fn the_probability_rises_with_an_input_as_its_coefficient_says(
        seed in any::<u64>(),
        values in proptest::collection::vec(-3.0f64..3.0, 3),
        place in 0usize..3,
        step in 0.01f64..2.0,
    ) {
        let model = numbers(3).fit(&examples(seed, 240, 3)).expect("fits");
        let mut values: Vec<Option<f64>> = values.into_iter().map(Some).collect();
        let before = model.probability(&values).expect("valid");
        values[place] = values[place].map(|value| value + step);
        let after = model.probability(&values).expect("valid");
        prop_assert!((0.0..=1.0).contains(&before) && (0.0..=1.0).contains(&after));
        prop_assert_eq!(after > before, model.coefficients()[place].per_unit > 0.0);
    }

    #[test]
    fn the_unit_of_an_input_does_not_matter(seed in any::<u64>(), factor in 1e-3f64..1e3, shift in -50.0f64..50.0) {
        let before = examples(seed, 240, 2);
        let unit = |value: Option<f64>| value.map(|value| value * factor + shift);
        let after = changed(&before, |example| example.values[0] = unit(example.values[0]));
        let (one, other) = (numbers(2).fit(&before).expect("fits"), numbers(2).fit(&after).expect("fits"));
        for (before, after) in before.iter().zip(&after).take(20) {
            let (before, after) = (one.probability(&before.values), other.probability(&after.values));
            prop_assert!((before.expect("valid") - after.expect("valid")).abs() < 1e-5);
        }
        let ratio = one.coefficients()[0].per_unit / (other.coefficients()[0].per_unit * factor);
        prop_assert!((ratio - 1.0).abs() < 1e-4, "{ratio}");
    }

    #[test]
    fn the_other_outcome_is_what_is_left(seed in any::<u64>()) {
        let staying = examples(seed, 240, 2);
        let leaving = changed(&staying, |example| example.outcome = !example.outcome);
        let (one, other) = (numbers(2).fit(&staying).expect("fits"), numbers(2).fit(&leaving).expect("fits"));
        let values = [Some(0.7), Some(-1.1)];
        let sum = one.probability(&values).expect("valid") + other.probability(&values).expect("valid");
        prop_assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }

    #[test]
    fn a_stronger_penalty_holds_coefficients_nearer_to_0(seed in any::<u64>(), power in -3i32..3) {
        let examples = examples(seed, 240, 3);
        let length = |power| {
            let model = numbers(3).with_inverse_penalty(10f64.powi(power)).fit(&examples).expect("fits");
            model.coefficients().iter().map(|coefficient| coefficient.per_deviation.powi(2)).sum::<f64>()
        };
        prop_assert!(length(power) < length(power + 1));
    }
}
