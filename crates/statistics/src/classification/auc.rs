//! How well scores put cases in order.

use mainstay_domain::Interval;
use rand::{Rng, RngExt};

use super::ties::{Tie, places, ties};
use super::{Case, InvalidCase};
use crate::quantile::middle_95;

/// Resamples for a 95 % interval, as many as R's `pROC` takes (after Carpenter and Bithell 2000).
pub const RESAMPLES: usize = 2_000;

/// The area under the ROC curve: how likely a case with the outcome has a higher score than one without, where equal
/// scores count as half (the Mann–Whitney statistic with midranks). 0.5 is chance. None unless both outcomes are there.
pub fn auc(cases: &[Case]) -> Option<f64> {
    let (places, count) = places(cases.iter().map(|case| case.score));
    area(&ties(&places, count, cases.iter().map(|case| case.outcome)))
}

/// The 95 % interval of [`auc`] by the bootstrap: percentiles over so many samples, drawn with replacement from the
/// cases with the outcome and from those without it, so that each sample has as many of both as the data. None unless
/// both outcomes are there and `resamples` is above 0. The same `random` gives the same interval.
///
/// Takes `cases × resamples` steps.
pub fn auc_interval(cases: &[Case], resamples: usize, random: &mut impl Rng) -> Option<Interval> {
    let (places, count) = places(cases.iter().map(|case| case.score));
    let strata = Strata::new(cases.iter().map(|case| case.outcome))?;
    let areas = (0..resamples).map(|_| {
        let mut ties = vec![Tie::default(); count];
        strata.draw(random, |index, outcome| ties[places[index]].count(outcome));
        area(&ties)
    });
    middle_95(areas.collect::<Option<Vec<f64>>>()?)
}

/// What two models say of one case, and what happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedCase {
    pub(super) first: f64,
    pub(super) second: f64,
    pub(super) outcome: bool,
}

/// How much better one model puts the same cases in order than another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AucDifference {
    /// The AUC of the first model.
    pub first: f64,
    /// The AUC of the second model.
    pub second: f64,
    /// The first less the second; above 0 when the first is better.
    pub difference: f64,
    /// The 95 % interval of the difference. When it holds 0, the data cannot tell which is better.
    pub interval: Interval,
}

impl PairedCase {
    /// A case with the scores of both models, the higher the likelier the outcome, and the outcome. The scales of the
    /// models may differ.
    ///
    /// # Errors
    /// When a score is not finite.
    pub fn new(first: f64, second: f64, outcome: bool) -> Result<Self, InvalidCase> {
        let (first, second) = (Case::new(first, outcome)?, Case::new(second, outcome)?);
        Ok(Self { first: first.score, second: second.score, outcome })
    }
}

/// Compares two models on the same cases. Each sample of the bootstrap (as in [`auc_interval`]) is judged by both, as
/// what is hard for one is hard for the other: two separate intervals would say far less. None unless both outcomes
/// are there and `resamples` is above 0.
pub fn auc_difference(cases: &[PairedCase], resamples: usize, random: &mut impl Rng) -> Option<AucDifference> {
    let (first_places, first_count) = places(cases.iter().map(|case| case.first));
    let (second_places, second_count) = places(cases.iter().map(|case| case.second));
    let outcomes = || cases.iter().map(|case| case.outcome);
    let first = area(&ties(&first_places, first_count, outcomes()))?;
    let second = area(&ties(&second_places, second_count, outcomes()))?;
    let strata = Strata::new(outcomes())?;
    let differences = (0..resamples).map(|_| {
        let mut first_ties = vec![Tie::default(); first_count];
        let mut second_ties = vec![Tie::default(); second_count];
        strata.draw(random, |index, outcome| {
            first_ties[first_places[index]].count(outcome);
            second_ties[second_places[index]].count(outcome);
        });
        Some(area(&first_ties)? - area(&second_ties)?)
    });
    let interval = middle_95(differences.collect::<Option<Vec<f64>>>()?)?;
    Some(AucDifference { first, second, difference: first - second, interval })
}

/// The area, from how many cases have each score, the lowest score first.
fn area(ties: &[Tie]) -> Option<f64> {
    let (mut with, mut without, mut doubled_wins) = (0, 0, 0);
    for tie in ties {
        doubled_wins += tie.with * (2 * without + tie.without);
        with += tie.with;
        without += tie.without;
    }
    let pairs = with * without;
    (pairs > 0).then(|| doubled_wins as f64 / (2 * pairs) as f64)
}

/// The cases of each outcome, by index.
struct Strata {
    with: Vec<usize>,
    without: Vec<usize>,
}

impl Strata {
    /// None unless both outcomes are there.
    fn new(outcomes: impl Iterator<Item = bool>) -> Option<Self> {
        let (with, without): (Vec<_>, Vec<_>) = outcomes.enumerate().partition(|(_, outcome)| *outcome);
        let indices = |cases: Vec<(usize, bool)>| cases.into_iter().map(|(index, _)| index).collect::<Vec<_>>();
        let strata = Self { with: indices(with), without: indices(without) };
        (!strata.with.is_empty() && !strata.without.is_empty()).then_some(strata)
    }

    /// Draws as many cases of each outcome as there are, with replacement.
    fn draw(&self, random: &mut impl Rng, mut each: impl FnMut(usize, bool)) {
        for (indices, outcome) in [(&self.with, true), (&self.without, false)] {
            for _ in 0..indices.len() {
                each(indices[random.random_range(0..indices.len())], outcome);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::super::examples;
    use super::*;
    use crate::assertions::assert_close;

    fn cases(scores: &[(i32, bool)]) -> Vec<Case> {
        scores.iter().map(|(score, outcome)| Case::new(f64::from(*score), *outcome).expect("valid")).collect()
    }

    fn generator() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    #[test]
    fn r77_the_area_with_ties_is_that_of_scikit_learn() {
        // sklearn.metrics.roc_auc_score
        assert_close(auc(&examples::cases()).expect("both outcomes"), 0.763_888_888_888_889, 1e-12);
    }

    #[test]
    fn without_both_outcomes_there_is_nothing_to_tell_apart() {
        for alike in [&[][..], &[(1, true), (2, true)], &[(1, false)]] {
            assert_eq!(auc(&cases(alike)), None);
            assert_eq!(auc_interval(&cases(alike), 10, &mut generator()), None);
        }
        assert_eq!(auc_interval(&examples::cases(), 0, &mut generator()), None);
        assert_eq!(auc_difference(&[], 10, &mut generator()), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let interval = || auc_interval(&examples::cases(), 500, &mut generator()).expect("both outcomes");
        assert_eq!(interval(), interval());
        assert!(interval().low < 0.763_888_888_888_889 && 0.763_888_888_888_889 < interval().high, "{:?}", interval());
    }

    #[test]
    fn a_model_is_not_better_than_itself_on_another_scale() {
        let pairs: Vec<PairedCase> = examples::cases()
            .iter()
            .map(|case| PairedCase::new(case.score, case.score.exp() * 10.0, case.outcome).expect("valid"))
            .collect();
        let found = auc_difference(&pairs, 200, &mut generator()).expect("both outcomes");
        assert_eq!((found.difference, found.interval), (0.0, Interval { low: 0.0, high: 0.0 }));
    }

    #[test]
    fn a_difference_is_that_of_both_areas() {
        let pairs: Vec<PairedCase> = (0..200)
            .map(|number| {
                let outcome = number % 2 == 0;
                let informed = f64::from(number % 7) + if outcome { 2.0 } else { 0.0 };
                PairedCase::new(informed, f64::from(number % 5), outcome).expect("valid")
            })
            .collect();
        let of = |score: fn(&PairedCase) -> f64| {
            auc(&pairs.iter().map(|pair| Case::new(score(pair), pair.outcome).expect("valid")).collect::<Vec<_>>())
        };
        let found = auc_difference(&pairs, 300, &mut generator()).expect("both outcomes");
        assert_eq!((Some(found.first), Some(found.second)), (of(|pair| pair.first), of(|pair| pair.second)));
        assert!(found.interval.low > 0.0 && found.interval.low < found.difference, "{found:?}");
        assert!(found.difference < found.interval.high, "{found:?}");
    }

    proptest! {
        #[test]
        fn the_area_is_the_share_of_pairs_in_the_right_order(scores in proptest::collection::vec((-5i32..5, any::<bool>()), 2..60)) {
            let mut pairs = Vec::new();
            for (with, _) in scores.iter().filter(|(_, outcome)| *outcome) {
                for (without, _) in scores.iter().filter(|(_, outcome)| !outcome) {
                    pairs.push(match with.cmp(without) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    });
                }
            }
            match auc(&cases(&scores)) {
                Some(found) => prop_assert!((found - pairs.iter().sum::<f64>() / pairs.len() as f64).abs() < 1e-12),
                None => prop_assert!(pairs.is_empty()),
            }
        }

        #[test]
        fn turning_the_scores_round_turns_the_area_round(scores in proptest::collection::vec((-5i32..5, any::<bool>()), 2..60)) {
            let turned: Vec<(i32, bool)> = scores.iter().map(|(score, outcome)| (-score, *outcome)).collect();
            if let (Some(one), Some(other)) = (auc(&cases(&scores)), auc(&cases(&turned))) {
                prop_assert!((one + other - 1.0).abs() < 1e-12);
            }
        }
    }
}
