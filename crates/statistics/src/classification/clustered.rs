//! The same customers, looked at several times.
//!
//! Cases of one customer on several days resemble each other, so that a bootstrap over cases says that figures are surer than they
//! are. Here whole customers are drawn (Field and Welsh 2007, the cluster bootstrap): with all their cases or with none.

use mainstay_domain::Interval;
use rand::{Rng, RngExt};

use super::auc::{AucDifference, PairedCase};
use super::{Case, InvalidCase};
use crate::quantile::middle_95;

/// A case of one of several customers, who may have others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clustered<C> {
    /// The customer's number, from 0; none is left out.
    pub cluster: usize,
    /// The case.
    pub case: C,
}

impl Clustered<Case> {
    /// A case of a customer; see [`Case::new`].
    ///
    /// # Errors
    /// When the score is not finite.
    pub fn case(cluster: usize, score: f64, outcome: bool) -> Result<Self, InvalidCase> {
        Ok(Self { cluster, case: Case::new(score, outcome)? })
    }
}

/// The 95 % interval of [`auc`](super::auc) by the bootstrap over customers: percentiles over so many samples, each with as many
/// customers who had the outcome in some case, and as many who had it in none, as the data. None unless both outcomes are there, in
/// each sample too, and `resamples` is above 0. With one case for each customer it is [`auc_interval`](super::auc_interval). The
/// same `random` gives the same interval.
///
/// Takes `cases × resamples` steps.
pub fn clustered_auc_interval(cases: &[Clustered<Case>], resamples: usize, random: &mut impl Rng) -> Option<Interval> {
    let order = Ordered::new(cases.iter().map(|one| (one.cluster, one.case.score(), one.case.outcome())));
    let strata = Strata::new(cases.iter().map(|one| (one.cluster, one.case.outcome())));
    let areas = (0..resamples).map(|_| order.area(&strata.draw(random)));
    middle_95(areas.collect::<Option<Vec<f64>>>()?)
}

/// As [`auc_difference`](super::auc_difference), over customers as in [`clustered_auc_interval`]: each sample is judged by both
/// models.
pub fn clustered_auc_difference(
    cases: &[Clustered<PairedCase>],
    resamples: usize,
    random: &mut impl Rng,
) -> Option<AucDifference> {
    let order = |score: fn(&PairedCase) -> f64| {
        Ordered::new(cases.iter().map(|one| (one.cluster, score(&one.case), one.case.outcome)))
    };
    let (first_order, second_order) = (order(|case| case.first), order(|case| case.second));
    let strata = Strata::new(cases.iter().map(|one| (one.cluster, one.case.outcome)));
    let each_once = vec![1; strata.count];
    let (first, second) = (first_order.area(&each_once)?, second_order.area(&each_once)?);
    let differences = (0..resamples).map(|_| {
        let drawn = strata.draw(random);
        Some(first_order.area(&drawn)? - second_order.area(&drawn)?)
    });
    let interval = middle_95(differences.collect::<Option<Vec<f64>>>()?)?;
    Some(AucDifference { first, second, difference: first - second, interval })
}

/// A case in the order of scores.
struct Step {
    cluster: usize,
    outcome: bool,
    /// Whether its score is another than that of the case before.
    is_new_score: bool,
}

/// Cases from the lowest score to the highest, so that the area of a sample is found in one pass.
struct Ordered(Vec<Step>);

impl Ordered {
    fn new(cases: impl Iterator<Item = (usize, f64, bool)>) -> Self {
        let mut cases: Vec<_> = cases.collect();
        cases.sort_by(|(_, one, _), (_, other, _)| one.total_cmp(other));
        let mut last = None;
        let steps = cases.into_iter().map(|(cluster, score, outcome)| {
            let is_new_score = last.replace(score) != Some(score);
            Step { cluster, outcome, is_new_score }
        });
        Self(steps.collect())
    }

    /// The area when each customer counts as often as it was drawn.
    fn area(&self, drawn: &[u32]) -> Option<f64> {
        let (mut with, mut without, mut doubled_wins) = (0_u64, 0_u64, 0_u64);
        let (mut tied_with, mut tied_without) = (0_u64, 0_u64);
        for step in &self.0 {
            if step.is_new_score {
                doubled_wins += tied_with * (2 * without + tied_without);
                with += tied_with;
                without += tied_without;
                (tied_with, tied_without) = (0, 0);
            }
            let times = u64::from(drawn[step.cluster]);
            if step.outcome {
                tied_with += times;
            } else {
                tied_without += times;
            }
        }
        doubled_wins += tied_with * (2 * without + tied_without);
        let pairs = (with + tied_with) * (without + tied_without);
        (pairs > 0).then(|| doubled_wins as f64 / (2 * pairs) as f64)
    }
}

/// The customers by whether they had the outcome in some case.
struct Strata {
    with: Vec<usize>,
    without: Vec<usize>,
    /// One more than the largest number of a customer.
    count: usize,
}

impl Strata {
    fn new(cases: impl Iterator<Item = (usize, bool)>) -> Self {
        let mut had_outcome: Vec<Option<bool>> = Vec::new();
        for (cluster, outcome) in cases {
            if cluster >= had_outcome.len() {
                had_outcome.resize(cluster + 1, None);
            }
            let had = &mut had_outcome[cluster];
            *had = Some(had.unwrap_or(false) || outcome);
        }
        let of = |wanted: bool| -> Vec<usize> {
            (0..had_outcome.len()).filter(|cluster| had_outcome[*cluster] == Some(wanted)).collect()
        };
        Self { with: of(true), without: of(false), count: had_outcome.len() }
    }

    /// How often each customer is drawn.
    fn draw(&self, random: &mut impl Rng) -> Vec<u32> {
        let mut drawn = vec![0; self.count];
        for clusters in [&self.with, &self.without] {
            for _ in 0..clusters.len() {
                drawn[clusters[random.random_range(0..clusters.len())]] += 1;
            }
        }
        drawn
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::super::{auc, auc_difference, auc_interval, examples};
    use super::*;
    use crate::assertions::assert_close;

    fn generator() -> StdRng {
        StdRng::seed_from_u64(11)
    }

    /// Scores that know something of the outcome, one case for each customer.
    fn alone(count: u32) -> Vec<Case> {
        (0..count)
            .map(|number| {
                let outcome = number % 3 == 0;
                let score = f64::from(number * 7_919 % 101) + if outcome { 25.0 } else { 0.0 };
                Case::new(score, outcome).expect("valid")
            })
            .collect()
    }

    /// Each case so many times, as of one customer.
    fn repeated(cases: &[Case], times: usize) -> Vec<Clustered<Case>> {
        let each = cases.iter().enumerate();
        each.flat_map(|(cluster, case)| std::iter::repeat_n(Clustered { cluster, case: *case }, times)).collect()
    }

    fn width(interval: Interval) -> f64 {
        interval.high - interval.low
    }

    #[test]
    fn with_one_case_each_it_is_the_interval_over_cases() {
        let cases = alone(300);
        let over_cases = auc_interval(&cases, 2_000, &mut generator()).expect("both outcomes");
        let clustered = clustered_auc_interval(&repeated(&cases, 1), 2_000, &mut generator()).expect("both outcomes");
        assert_eq!(clustered, over_cases, "the same cases are drawn");
    }

    #[test]
    fn looking_at_a_customer_again_makes_nothing_surer() {
        let cases = alone(300);
        let once = clustered_auc_interval(&repeated(&cases, 1), 1_000, &mut generator()).expect("both outcomes");
        let nine_times = clustered_auc_interval(&repeated(&cases, 9), 1_000, &mut generator()).expect("both outcomes");
        assert_close(nine_times.low, once.low, 1e-12);
        assert_close(nine_times.high, once.high, 1e-12);
        let flat: Vec<Case> = repeated(&cases, 9).into_iter().map(|one| one.case).collect();
        let over_cases = auc_interval(&flat, 1_000, &mut generator()).expect("both outcomes");
        assert!(width(over_cases) < width(once) / 2.0, "{over_cases:?} looks surer than {once:?}");
    }

    #[test]
    fn a_difference_is_that_over_cases_when_each_customer_has_one() {
        let pairs: Vec<PairedCase> = examples::cases()
            .iter()
            .enumerate()
            .map(|(number, case)| PairedCase::new(case.score(), (number % 5) as f64, case.outcome()).expect("valid"))
            .collect();
        let over_cases = auc_difference(&pairs, 500, &mut generator()).expect("both outcomes");
        let clustered: Vec<_> =
            pairs.iter().enumerate().map(|(cluster, case)| Clustered { cluster, case: *case }).collect();
        let found = clustered_auc_difference(&clustered, 500, &mut generator()).expect("both outcomes");
        assert_eq!(found, over_cases);
    }

    #[test]
    fn without_both_outcomes_there_is_no_interval() {
        let alike = [Clustered::case(0, 1.0, true).expect("valid"), Clustered::case(1, 2.0, true).expect("valid")];
        assert_eq!(clustered_auc_interval(&alike, 10, &mut generator()), None);
        assert_eq!(clustered_auc_interval(&[], 10, &mut generator()), None);
        assert_eq!(clustered_auc_interval(&repeated(&alone(30), 2), 0, &mut generator()), None);
        assert_eq!(clustered_auc_difference(&[], 10, &mut generator()), None);
    }

    proptest! {
        #[test]
        fn the_area_of_all_customers_once_is_that_of_their_cases(
            cases in proptest::collection::vec((0usize..9, -4i32..4, any::<bool>()), 1..60),
        ) {
            let cases: Vec<Clustered<Case>> = cases
                .iter()
                .map(|(cluster, score, outcome)| Clustered::case(*cluster, f64::from(*score), *outcome).expect("valid"))
                .collect();
            let order = Ordered::new(cases.iter().map(|one| (one.cluster, one.case.score(), one.case.outcome())));
            let flat: Vec<Case> = cases.iter().map(|one| one.case).collect();
            match (order.area(&[1; 9]), auc(&flat)) {
                (Some(found), Some(expected)) => prop_assert!((found - expected).abs() < 1e-12),
                (found, expected) => prop_assert_eq!(found, expected),
            }
        }
    }
}
