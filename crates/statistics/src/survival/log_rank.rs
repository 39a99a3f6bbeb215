//! Whether groups stay equally long.

use thiserror::Error;

use super::Observation;
use super::chi_squared::upper_tail;

/// What became of a group, and what would have if all groups were alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupOutcome {
    /// How many of it were observed.
    pub total: u64,
    /// How many of it left.
    pub ended: u64,
    /// How many of it would have left, if at each time all at risk had been equally likely to.
    pub expected: f64,
}

/// The result of a log-rank test.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRank {
    /// How far the groups are from being alike; not negative.
    pub chi_squared: f64,
    /// Groups less one.
    pub degrees_of_freedom: usize,
    /// How likely groups that are alike would be at least so far apart, 0 to 1.
    pub p: f64,
    /// The groups, as they were given.
    pub groups: Vec<GroupOutcome>,
}

/// Why groups cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LogRankError {
    /// Fewer than two groups.
    #[error("{found} groups: there must be two at least")]
    TooFewGroups {
        /// How many there were.
        found: usize,
    },
    /// Nobody of any group left.
    #[error("nobody left, so that nothing can differ")]
    NobodyLeft,
    /// Nobody of a group was there when first somebody left.
    #[error("group {index} has nobody who was seen until somebody left: leave it out")]
    NobodyAtRisk {
        /// Which one, counted from 0.
        index: usize,
    },
    /// All who could leave left at the same time.
    #[error("all who were left then left at one time, so that nothing can differ")]
    AllLeftAtOnce,
    /// Of a stratified test: whenever somebody left, nobody of the other group was there, or all left.
    #[error("whenever somebody left, nobody comparable of the other group could have stayed or left instead")]
    NeverBothAtRisk,
}

/// The log-rank test of two groups or more (Mantel 1966, Peto and Peto 1972): what was observed in each group against
/// what was expected, with the hypergeometric variance, as in lifelines and R's `survdiff`.
///
/// All times count equally. It sees groups of which one stays better throughout, and may not see curves that cross.
///
/// # Errors
/// When the data cannot tell groups apart, whatever the groups are.
pub fn log_rank(groups: &[&[Observation]]) -> Result<LogRank, LogRankError> {
    if groups.len() < 2 {
        return Err(LogRankError::TooFewGroups { found: groups.len() });
    }
    let mut seen: Vec<(Observation, usize)> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        seen.extend(group.iter().map(|observation| (*observation, index)));
    }
    seen.sort_by(|(one, _), (other, _)| one.duration.total_cmp(&other.duration));
    let mut at_risk: Vec<f64> = groups.iter().map(|group| group.len() as f64).collect();
    let mut tally = Tally::new(groups.len());
    for same_time in seen.chunk_by(|(one, _), (other, _)| one.duration.total_cmp(&other.duration).is_eq()) {
        let mut ended = vec![0.0; groups.len()];
        for (_, group) in same_time.iter().filter(|(observation, _)| observation.ended) {
            ended[*group] += 1.0;
        }
        tally.add(&at_risk, &ended)?;
        for (_, group) in same_time {
            at_risk[*group] -= 1.0;
        }
    }
    tally.into_result(groups)
}

/// What is summed up over the times at which somebody left.
struct Tally {
    expected: Vec<f64>,
    /// Observed less expected, of all groups but the last: the differences sum up to 0.
    difference: Vec<f64>,
    /// Of the same groups.
    covariance: Vec<Vec<f64>>,
    begun: bool,
}

impl Tally {
    fn new(groups: usize) -> Self {
        let free = groups - 1;
        Self {
            expected: vec![0.0; groups],
            difference: vec![0.0; free],
            covariance: vec![vec![0.0; free]; free],
            begun: false,
        }
    }

    fn add(&mut self, at_risk: &[f64], ended: &[f64]) -> Result<(), LogRankError> {
        let all: f64 = at_risk.iter().sum();
        let leaving: f64 = ended.iter().sum();
        if leaving < 1.0 {
            return Ok(());
        }
        if !self.begun {
            self.begun = true;
            // With these two the first time alone makes the covariance positive definite.
            if let Some(index) = at_risk.iter().position(|count| *count < 1.0) {
                return Err(LogRankError::NobodyAtRisk { index });
            }
            if leaving >= all {
                return Err(LogRankError::AllLeftAtOnce);
            }
        }
        let shares: Vec<f64> = at_risk.iter().map(|count| count / all).collect();
        for (expected, share) in self.expected.iter_mut().zip(&shares) {
            *expected += leaving * share;
        }
        // Of a single one at risk it is certain who leaves.
        let spread = if all > 1.0 { leaving * (all - leaving) / (all - 1.0) } else { 0.0 };
        for (row, sums) in self.covariance.iter_mut().enumerate() {
            self.difference[row] += ended[row] - leaving * shares[row];
            for (column, sum) in sums.iter_mut().enumerate() {
                let own = if row == column { shares[row] } else { 0.0 };
                *sum += spread * (own - shares[row] * shares[column]);
            }
        }
        Ok(())
    }

    fn into_result(self, groups: &[&[Observation]]) -> Result<LogRank, LogRankError> {
        if !self.begun {
            return Err(LogRankError::NobodyLeft);
        }
        let chi_squared = quadratic_form(self.covariance, self.difference);
        let degrees_of_freedom = groups.len() - 1;
        let outcome = |(group, expected): (&&[Observation], f64)| GroupOutcome {
            total: group.len() as u64,
            ended: group.iter().filter(|observation| observation.ended).count() as u64,
            expected,
        };
        Ok(LogRank {
            chi_squared,
            degrees_of_freedom,
            p: upper_tail(chi_squared, degrees_of_freedom),
            groups: groups.iter().zip(self.expected).map(outcome).collect(),
        })
    }
}

/// `vᵀ M⁻¹ v` of a positive definite matrix: by Cholesky `M = L Lᵀ` it is the square of `L⁻¹ v`.
fn quadratic_form(mut matrix: Vec<Vec<f64>>, mut vector: Vec<f64>) -> f64 {
    for row in 0..vector.len() {
        for column in 0..=row {
            let done: f64 = (0..column).map(|before| matrix[row][before] * matrix[column][before]).sum();
            let rest = matrix[row][column] - done;
            matrix[row][column] = if row == column { rest.sqrt() } else { rest / matrix[column][column] };
        }
        let done: f64 = (0..row).map(|before| matrix[row][before] * vector[before]).sum();
        vector[row] = (vector[row] - done) / matrix[row][row];
    }
    vector.iter().map(|value| value * value).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::leukaemia;
    use super::*;
    use crate::assertions::assert_close;

    fn seen(months: &[(u32, bool)]) -> Vec<Observation> {
        months.iter().map(|(duration, ended)| Observation::new(f64::from(*duration), *ended).expect("valid")).collect()
    }

    #[test]
    fn r91_the_test_is_that_of_the_textbook() {
        // As printed in Kleinbaum and Klein, Survival Analysis, and by lifelines 0.30.3.
        let (treated, untreated) = (leukaemia::treated(), leukaemia::untreated());
        let found = log_rank(&[&treated, &untreated]).expect("comparable");
        assert_close(found.chi_squared, 16.793, 5e-4);
        assert_eq!((found.degrees_of_freedom, found.groups[0].ended, found.groups[1].ended), (1, 9, 21));
        assert_close(found.groups[0].expected, 19.26, 1e-2);
        assert_close(found.groups[1].expected, 10.74, 1e-2);
        assert!(found.p > 4.1e-5 && found.p < 4.3e-5, "{}", found.p);
    }

    #[test]
    fn what_says_nothing_is_refused() {
        let (early, late) = (seen(&[(1, false), (1, false)]), seen(&[(5, true), (6, true), (6, false)]));
        let at_once = seen(&[(5, true), (5, true)]);
        let tell = |groups: &[&[Observation]]| log_rank(groups).map(|found| found.p);
        assert_eq!(tell(&[&late]), Err(LogRankError::TooFewGroups { found: 1 }));
        assert_eq!(tell(&[&late, &early]), Err(LogRankError::NobodyAtRisk { index: 1 }));
        assert_eq!(tell(&[&[], &late]), Err(LogRankError::NobodyAtRisk { index: 0 }));
        assert_eq!(tell(&[&early, &early]), Err(LogRankError::NobodyLeft));
        assert_eq!(tell(&[&at_once, &at_once]), Err(LogRankError::AllLeftAtOnce));
    }

    #[test]
    fn groups_that_are_alike_do_not_differ() {
        let one = seen(&[(1, true), (2, false), (3, true), (7, true)]);
        let found = log_rank(&[&one, &one, &one]).expect("comparable");
        assert_close(found.chi_squared, 0.0, 1e-12);
        assert_close(found.p, 1.0, 1e-12);
    }

    proptest! {
        #[test]
        fn which_group_comes_last_does_not_matter(
            months in proptest::collection::vec((0u32..12, any::<bool>(), 0usize..4), 8..80),
        ) {
            let mut groups: Vec<Vec<Observation>> = vec![Vec::new(); 4];
            for (month, ended, group) in months {
                groups[group].push(Observation::new(f64::from(month), ended).expect("valid"));
            }
            let forwards: Vec<&[Observation]> = groups.iter().map(Vec::as_slice).collect();
            let backwards: Vec<&[Observation]> = forwards.iter().rev().copied().collect();
            match (log_rank(&forwards), log_rank(&backwards)) {
                (Ok(one), Ok(other)) => {
                    prop_assert!((one.chi_squared - other.chi_squared).abs() <= 1e-8 * one.chi_squared.max(1.0));
                    prop_assert!((0.0..=1.0).contains(&one.p));
                    let expected: f64 = one.groups.iter().map(|group| group.expected).sum();
                    let ended: u64 = one.groups.iter().map(|group| group.ended).sum();
                    prop_assert!((expected - ended as f64).abs() < 1e-9);
                }
                (Err(_), Err(_)) => {}
                (one, other) => prop_assert!(false, "{one:?} and {other:?}"),
            }
        }
    }
}
