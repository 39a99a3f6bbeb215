//! Whether two groups stay equally long, each customer compared with those of its own stratum only.

use super::chi_squared::upper_tail;
use super::{GroupOutcome, LogRank, LogRankError, Observation};

/// The stratified log-rank test of two groups (Mantel 1966; Kalbfleisch and Prentice 2002, 1.4): `χ² = (Σ (O − E))² / Σ V` with one
/// degree of freedom. `O − E` and its hypergeometric variance `V` are those of the log-rank test within each stratum, summed over
/// strata, as R's `survdiff` does with `strata()`.
///
/// A difference that comes only from the groups being unevenly spread over the strata is none. Strata in which one of the groups
/// is empty say nothing, though all of them may be given. With one stratum it is [`log_rank`](super::log_rank) of two groups.
///
/// # Errors
/// When nothing in the data can tell the groups apart, whatever they are.
pub fn stratified_log_rank(strata: &[[&[Observation]; 2]]) -> Result<LogRank, LogRankError> {
    let mut sums = Sums::default();
    for stratum in strata {
        sums.add(*stratum);
    }
    if sums.variance <= 0.0 {
        let somebody_left = sums.groups.iter().any(|group| group.ended > 0);
        return Err(if somebody_left { LogRankError::NeverBothAtRisk } else { LogRankError::NobodyLeft });
    }
    let chi_squared = sums.difference * sums.difference / sums.variance;
    Ok(LogRank { chi_squared, degrees_of_freedom: 1, p: upper_tail(chi_squared, 1), groups: sums.groups.to_vec() })
}

/// What is summed up over strata, and within each over the times at which somebody left.
struct Sums {
    /// Observed less expected, of the first group; that of the second is its opposite.
    difference: f64,
    variance: f64,
    groups: [GroupOutcome; 2],
}

impl Default for Sums {
    fn default() -> Self {
        let nobody = GroupOutcome { total: 0, ended: 0, expected: 0.0 };
        Self { difference: 0.0, variance: 0.0, groups: [nobody; 2] }
    }
}

impl Sums {
    fn add(&mut self, stratum: [&[Observation]; 2]) {
        let mut seen: Vec<(Observation, usize)> = Vec::new();
        let mut at_risk = [0.0; 2];
        for (group, observations) in stratum.into_iter().enumerate() {
            seen.extend(observations.iter().map(|observation| (*observation, group)));
            at_risk[group] = observations.len() as f64;
            self.groups[group].total += observations.len() as u64;
        }
        seen.sort_by(|(one, _), (other, _)| one.duration().total_cmp(&other.duration()));
        for same_time in seen.chunk_by(|(one, _), (other, _)| one.duration().total_cmp(&other.duration()).is_eq()) {
            let mut ended = [0u32; 2];
            for (_, group) in same_time.iter().filter(|(observation, _)| observation.ended()) {
                ended[*group] += 1;
            }
            self.add_time(at_risk, ended);
            for (_, group) in same_time {
                at_risk[*group] -= 1.0;
            }
        }
    }

    fn add_time(&mut self, at_risk: [f64; 2], ended: [u32; 2]) {
        let all = at_risk[0] + at_risk[1];
        let leaving = f64::from(ended[0] + ended[1]);
        for group in [0, 1] {
            self.groups[group].ended += u64::from(ended[group]);
            self.groups[group].expected += leaving * at_risk[group] / all;
        }
        self.difference += f64::from(ended[0]) - leaving * at_risk[0] / all;
        // Of a single one at risk it is certain who leaves.
        if all > 1.0 {
            self.variance += leaving * (all - leaving) / (all - 1.0) * (at_risk[0] / all) * (at_risk[1] / all);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{leukaemia, log_rank};
    use super::*;
    use crate::assertions::assert_close;

    fn seen(times: &[(u32, bool)]) -> Vec<Observation> {
        times.iter().map(|(time, ended)| Observation::new(f64::from(*time), *ended).expect("valid")).collect()
    }

    fn ended(times: &[u32]) -> Vec<Observation> {
        seen(&times.iter().map(|time| (*time, true)).collect::<Vec<_>>())
    }

    #[test]
    fn r89_the_stratified_test_is_that_of_the_textbook() {
        // Kleinbaum and Klein, Survival Analysis, chapter 2: the leukaemia data by the logarithm of white blood cells, up to 2.30,
        // up to 3.00 and above. Stata's `sts test rx, strata(lwbc3)`: expected 16.38 and 13.62, chi² 10.14, p 0.0014.
        let low = seen(&[(35, false), (34, false), (32, false), (25, false), (20, false), (19, false), (17, false)]);
        let medium = seen(&[
            (32, false),
            (23, true),
            (22, true),
            (13, true),
            (11, false),
            (10, false),
            (10, true),
            (9, false),
            (6, true),
        ]);
        let high = seen(&[(16, true), (7, true), (6, false), (6, true), (6, true)]);
        let untreated =
            [ended(&[23, 15, 12, 11]), ended(&[22, 17, 8, 4, 1]), ended(&[12, 11, 8, 8, 8, 5, 5, 4, 3, 2, 2, 1])];
        let strata = [[&*low, &*untreated[0]], [&*medium, &*untreated[1]], [&*high, &*untreated[2]]];
        let expected = |strata: &[[&[Observation]; 2]]| {
            let found = stratified_log_rank(strata).expect("comparable");
            found.groups.iter().map(|group| (group.expected * 100.0).round() / 100.0).collect::<Vec<_>>()
        };
        assert_eq!(expected(&strata[..1]), [2.91, 1.09]);
        assert_eq!(expected(&strata[1..2]), [7.36, 2.64]);
        assert_eq!(expected(&strata[2..]), [6.11, 9.89]);
        assert_eq!(expected(&strata), [16.38, 13.62]);
        let found = stratified_log_rank(&strata).expect("comparable");
        assert_close(found.chi_squared, 10.14, 5e-3);
        assert_close(found.p, 0.0014, 5e-5);
        assert_eq!((found.degrees_of_freedom, found.groups[0].ended, found.groups[1].ended), (1, 9, 21));
    }

    #[test]
    fn a_difference_that_comes_from_the_strata_alone_is_none() {
        // In one stratum half leave and in the other nobody, whatever the group; the first group is mostly in the first stratum.
        let leaving = |count| vec![seen(&[(1, true), (2, false)]); count].concat();
        let staying = |count| seen(&vec![(2, false); count]);
        let strata = [[leaving(20), leaving(5)], [staying(10), staying(40)]];
        let given = strata.each_ref().map(|groups| groups.each_ref().map(Vec::as_slice));
        let found = stratified_log_rank(&given).expect("comparable");
        assert_close(found.chi_squared, 0.0, 1e-12);
        let pooled = [0, 1].map(|group| [given[0][group], given[1][group]].concat());
        let found = log_rank(&[&pooled[0], &pooled[1]]).expect("comparable");
        assert!(found.p < 0.001, "without strata they seem to differ: {found:?}");
    }

    #[test]
    fn what_says_nothing_is_refused() {
        let (leaving, staying) = (ended(&[3, 4]), seen(&[(5, false)]));
        let refused = |strata: &[[&[Observation]; 2]]| stratified_log_rank(strata).expect_err("a refusal");
        assert_eq!(refused(&[]), LogRankError::NobodyLeft);
        assert_eq!(refused(&[[&staying, &staying]]), LogRankError::NobodyLeft);
        assert_eq!(refused(&[[&leaving, &[]], [&[], &leaving]]), LogRankError::NeverBothAtRisk);
        assert_eq!(refused(&[[&ended(&[1]), &ended(&[1])]]), LogRankError::NeverBothAtRisk, "all left at once");
        let before = seen(&[(1, false)]);
        assert_eq!(refused(&[[&leaving, &before]]), LogRankError::NeverBothAtRisk);
    }

    fn strata() -> impl Strategy<Value = Vec<[Vec<Observation>; 2]>> {
        let one = (0u32..12, any::<bool>());
        let group = || proptest::collection::vec(one.clone(), 0..20).prop_map(|times| seen(&times));
        proptest::collection::vec((group(), group()).prop_map(|(first, second)| [first, second]), 1..4)
    }

    fn test_of(strata: &[[Vec<Observation>; 2]]) -> Result<LogRank, LogRankError> {
        let given: Vec<_> = strata.iter().map(|groups| groups.each_ref().map(Vec::as_slice)).collect();
        stratified_log_rank(&given)
    }

    proptest! {
        #[test]
        fn groups_that_are_swapped_mirror_each_other(strata in strata()) {
            let swapped: Vec<_> = strata.iter().map(|[one, other]| [other.clone(), one.clone()]).collect();
            match (test_of(&strata), test_of(&swapped)) {
                (Ok(one), Ok(other)) => {
                    prop_assert!((one.chi_squared - other.chi_squared).abs() <= 1e-9 * one.chi_squared.max(1.0));
                    prop_assert!((one.groups[0].expected - other.groups[1].expected).abs() < 1e-9);
                    prop_assert_eq!(one.groups[0].ended, other.groups[1].ended);
                    let expected: f64 = one.groups.iter().map(|group| group.expected).sum();
                    let left: u64 = one.groups.iter().map(|group| group.ended).sum();
                    prop_assert!((expected - left as f64).abs() < 1e-9);
                }
                (one, other) => prop_assert_eq!(one, other),
            }
        }

        #[test]
        fn with_one_stratum_it_is_the_plain_test(strata in strata()) {
            let [one, other] = &strata[0];
            if let Ok(plain) = log_rank(&[one, other]) {
                let found = test_of(&strata[..1]).expect("comparable");
                prop_assert!((found.chi_squared - plain.chi_squared).abs() <= 1e-9 * plain.chi_squared.max(1.0));
                prop_assert!((found.p - plain.p).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn r91_with_one_stratum_it_is_the_test_of_the_textbook() {
        let (treated, untreated) = (leukaemia::treated(), leukaemia::untreated());
        let found = stratified_log_rank(&[[&treated, &untreated]]).expect("comparable");
        assert_close(found.chi_squared, 16.793, 5e-4);
    }
}
