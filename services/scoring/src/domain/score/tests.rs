use chrono::{NaiveTime, TimeDelta};
use proptest::prelude::*;

use super::super::model::{Aggregation, Comparison, Input};
use super::super::series::{SeriesKey, SeriesKind};
use super::super::story_series::{DayEntries, StorySeries};
use super::super::test_support::{DAY, account, add_seen, context, model, rising_curve, score_today, seen, today};
use super::super::{HealthModel, parse_model_file};
use super::*;

const TWO_COMPONENTS: &str = "\
name: models/two
display_name: Two
components:
  - id: buying
    display_name: Buying
    weight: 3
    measures:
      - {id: sum, display_name: Sum, weight: 1, input: {metric: a}, window: 10d, aggregation: sum, curve: [[0, 0], [10, 100]]}
      - {id: days, display_name: Days, weight: 2, input: {metric: a}, window: 10d, aggregation: active_days, curve: [[0, 0], [10, 100]]}
  - id: using
    display_name: Using
    weight: 1
    measures:
      - {id: users, display_name: Users, weight: 1, input: any_user, window: 10d, aggregation: distinct, curve: [[0, 0], [4, 100]]}
";

fn two_components() -> HealthModel {
    HealthModel::from_draft(parse_model_file(TWO_COMPONENTS).expect("parses")).expect("valid")
}

fn buys(day: DayNumber, total: i64) -> AccountSeries {
    let mut series = AccountSeries::default();
    series.add_counts(&SeriesKey { kind: SeriesKind::Usage, name: "a".to_owned() }, [(day, total)]);
    series
}

fn score_of(series: &AccountSeries, context: &DayContext) -> Scored {
    let account =
        AccountInputs { series, facts: &ScoringFacts::default(), first_signal_day: series.first_signal_day() };
    score(&two_components(), &account, context, today())
}

#[test]
fn r54_a_score_is_the_weighted_mean_of_its_components() {
    let mut context = DayContext::default();
    context.pulses.note(SeriesKind::Usage, "a", DAY);
    context.pulses.note_kind(SeriesKind::User, DAY - 3);
    let scored = score_of(&buys(DAY - 2, 4), &context);
    // 3/4 of (1/3 of 40 and 2/3 of 10), and 1/4 of 0.
    assert_eq!(scored.score, Some(Points::whole(15)));
    assert_eq!(scored.band, Some(Band::Critical));
    assert_eq!(scored.components[0].score, Some(Points::whole(20)));
    assert_eq!(scored.components[1].score, Some(Points::ZERO));
    let contributions: Vec<Points> = scored.measures.iter().map(|outcome| outcome.contribution).collect();
    assert_eq!(contributions, [Points::whole(10), Points::whole(5), Points::ZERO]);
    assert_eq!((scored.coverage, scored.freshness_days), (1.0, Some(3)));
    assert_eq!(scored.last_signal_day, Some(date_of(DAY - 2)));
}

#[test]
fn a_missing_component_leaves_its_weight_to_the_others() {
    let mut context = DayContext::default();
    context.pulses.note(SeriesKind::Usage, "a", DAY);
    let scored = score_of(&buys(DAY - 2, 4), &context);
    assert_eq!(scored.score, Some(Points::whole(20)));
    assert!((scored.coverage - 0.75).abs() < 1e-12);
    assert_eq!(scored.components[1], ComponentOutcome::default());
    assert_eq!(scored.measures[2].missing, Some(MissingReason::NoData));
}

#[test]
fn without_any_data_there_is_no_score() {
    let scored = score_of(&AccountSeries::default(), &DayContext::default());
    assert_eq!((scored.score, scored.band, scored.coverage), (None, None, 0.0));
    assert_eq!((scored.freshness_days, scored.last_signal_day), (None, None));
    assert!(scored.measures.iter().all(|outcome| outcome.missing == Some(MissingReason::NoData)));
}

#[test]
fn a_component_without_weight_makes_no_score_of_its_own() {
    let mut model = two_components();
    model.components[1].weight = 0.0;
    let mut context = DayContext::default();
    context.pulses.note_kind(SeriesKind::User, DAY);
    let series = buys(DAY - 2, 4);
    let account =
        AccountInputs { series: &series, facts: &ScoringFacts::default(), first_signal_day: series.first_signal_day() };
    let scored = score(&model, &account, &context, today());
    assert_eq!((scored.score, scored.coverage), (None, 0.0));
}

proptest! {
    #[test]
    fn contributions_add_up_exactly_and_scores_stay_in_range(
        model in model(), account in account(), context in context(),
    ) {
        let scored = score_today(&model, &account, &context);
        let measures: Points = scored.measures.iter().map(|outcome| outcome.contribution).sum();
        let components: Points = scored.components.iter().map(|outcome| outcome.contribution).sum();
        prop_assert_eq!(measures, scored.score.unwrap_or_default());
        prop_assert_eq!(components, scored.score.unwrap_or_default());
        prop_assert!((Points::ZERO..=Points::MAX).contains(&components));
        prop_assert!((0.0..=1.0).contains(&scored.coverage));
        prop_assert_eq!(scored.score.is_some(), scored.coverage > 0.0);
        prop_assert_eq!(scored.measures.len(), model.measures().count());
        for outcome in &scored.measures {
            let exact = outcome.effective_weight * outcome.points.unwrap_or_default().as_f64();
            prop_assert!((outcome.contribution.as_f64() - exact).abs() < 2.0 / 128.0);
            prop_assert!(outcome.contribution >= Points::ZERO);
            prop_assert_eq!(outcome.missing.is_some(), outcome.points.is_none());
            prop_assert!(outcome.value.is_none_or(f64::is_finite));
        }
    }

    #[test]
    fn the_weight_of_what_is_missing_is_shared_in_proportion(
        model in model(), account in account(), context in context(),
    ) {
        let scored = score_today(&model, &account, &context);
        let total: f64 = scored.measures.iter().map(|outcome| outcome.effective_weight).sum();
        prop_assert!((total - f64::from(u8::from(scored.score.is_some()))).abs() < 1e-9);
        let mut outcomes = scored.measures.iter();
        for (component, outcome) in model.components.iter().zip(&scored.components) {
            let own: Vec<_> = component.measures.iter().zip(outcomes.by_ref()).collect();
            let present: f64 = own.iter().filter(|(_, one)| one.points.is_some()).map(|(one, _)| one.weight).sum();
            for (measure, one) in own {
                let share = if one.points.is_some() && present > 0.0 { measure.weight / present } else { 0.0 };
                prop_assert!((one.effective_weight - outcome.effective_weight * share).abs() < 1e-9);
            }
            for (other, its) in model.components.iter().zip(&scored.components) {
                if outcome.score.is_some() && its.score.is_some() {
                    let crossed = outcome.effective_weight * other.weight - its.effective_weight * component.weight;
                    prop_assert!(crossed.abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn only_the_ratios_of_weights_matter(
        model in model(), account in account(), context in context(), exponent in -20i32..20,
    ) {
        let mut scaled = model.clone();
        for component in &mut scaled.components {
            component.weight *= 2f64.powi(exponent);
            component.measures.iter_mut().for_each(|measure| measure.weight *= 2f64.powi(-exponent));
        }
        prop_assert_eq!(score_today(&scaled, &account, &context), score_today(&model, &account, &context));
    }

    #[test]
    fn the_score_of_a_day_ignores_later_signals(
        model in model(), account in account(), context in context(), later in proptest::collection::vec(seen(-30..0), 0..20),
    ) {
        let mut ahead = account.clone();
        add_seen(&mut ahead.series, &later);
        prop_assert_eq!(score_today(&model, &ahead, &context), score_today(&model, &account, &context));
    }

    #[test]
    fn more_that_lasts_and_better_figures_never_lower_the_score_by_a_rising_curve(
        mut model in model(),
        account in account(),
        mut context in context(),
        corners in rising_curve(),
        of_figures in any::<bool>(),
        more in proptest::collection::vec(0i32..60, 1..5),
    ) {
        let told = if of_figures { StorySeries::NpsScore } else { StorySeries::TicketsOpen };
        for component in &mut model.components {
            for measure in &mut component.measures {
                measure.input = Input::Story(told);
                if measure.comparison == Comparison::EarlierWindow {
                    // More in both windows may be less against the one before.
                    measure.comparison = Comparison::None;
                }
                measure.curve = super::super::curve::Curve::of_checked(corners.clone());
                measure.aggregation = match measure.aggregation {
                    _ if of_figures => Aggregation::Mean,
                    Aggregation::Max => Aggregation::Max,
                    _ => Aggregation::Last,
                };
            }
        }
        context.pulses.note(SeriesKind::Story, told.source().name(), DAY);
        // Somebody answered on all these days, and one more thing was open already.
        let mut before = account;
        before.series.add_counts(&SeriesKey { kind: SeriesKind::User, name: "ann".to_owned() }, [(DAY - 60, 1)]);
        let (mut better, mut given) = (before.clone(), DayEntries::default());
        let mut more_given = DayEntries::default();
        for days_before in more {
            let at = today().and_time(NaiveTime::MIN).and_utc() - TimeDelta::days(days_before.into());
            if of_figures {
                given.value(told, at, 5.0);
                more_given.value(told, at, 8.0);
            } else {
                more_given.span(told, at, None);
            }
        }
        for (account, entries) in [(&mut before, given), (&mut better, more_given)] {
            for (row, day, amount) in entries.amounts() {
                account.series.add_story_days(row, &[(day, amount)]);
            }
        }
        let (score, score_before) = (score_today(&model, &better, &context).score, score_today(&model, &before, &context).score);
        prop_assert!(score >= score_before);
        prop_assert!(of_figures || score.is_some() || model.compares_accounts(), "stories are scored");
    }

    #[test]
    fn more_of_what_a_rising_curve_rewards_never_lowers_the_score(
        mut model in model(),
        account in account(),
        mut context in context(),
        corners in rising_curve(),
        more in proptest::collection::vec((0i32..60, 1i64..9), 1..5),
    ) {
        prop_assume!(account.series.first_signal_day().is_some_and(|day| day <= DAY - 60));
        for component in &mut model.components {
            for measure in &mut component.measures {
                measure.input = Input::Metric("a".to_owned());
                if measure.comparison == Comparison::EarlierWindow {
                    measure.comparison = Comparison::None;
                }
                measure.curve = super::super::curve::Curve::of_checked(corners.clone());
                if !matches!(measure.aggregation, Aggregation::MeanPerDay | Aggregation::ActiveDays) {
                    measure.aggregation = Aggregation::Sum;
                }
            }
        }
        context.pulses.note(SeriesKind::Usage, "a", DAY);
        let before = score_today(&model, &account, &context).score;
        let mut better = account;
        let days = more.iter().map(|&(days_before, total)| (DAY - days_before, total));
        better.series.add_counts(&SeriesKey { kind: SeriesKind::Usage, name: "a".to_owned() }, days);
        // Gauges of the same name would be read in place of counts by some aggregations, not by these.
        prop_assert!(score_today(&model, &better, &context).score >= before);
    }
}
