//! The net promoter score: figure, interval, and whether it changed.

use mainstay_domain::{Interval, Z_95};

use super::normal::two_sided_p;

/// A difference is called a change when one at least as large would come by chance less often than this.
pub const SIGNIFICANCE: f64 = 0.05;

/// What is added to the promoters and to the detractors, and twice that to the passives: three answers in all.
const ADDED_TO_ENDS: f64 = 0.75;
const ADDED_IN_ALL: f64 = 3.0;

/// Answers by what they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NpsCounts {
    /// 9 and 10.
    pub promoters: u64,
    /// 7 and 8.
    pub passives: u64,
    /// 0 to 6.
    pub detractors: u64,
}

/// The adjusted figure, from which interval and test are made; in shares, not in points.
struct Adjusted {
    middle: f64,
    standard_error: f64,
}

impl NpsCounts {
    /// How many answers there are.
    pub fn total(&self) -> u64 {
        self.promoters + self.passives + self.detractors
    }

    /// Share of promoters less share of detractors, times 100; none of no answers.
    pub fn nps(&self) -> Option<f64> {
        let total = self.total();
        (total > 0).then(|| 100.0 * (self.promoters as f64 - self.detractors as f64) / total as f64)
    }

    /// The adjusted-Wald interval of the figure in points, within -100 and 100; none of no answers.
    ///
    /// With `n' = n + 3`, `p = (P + 0.75)/n'`, `d = (D + 0.75)/n'`: `100·(p − d) ± z·100·√((p + d − (p − d)²)/n')`.
    pub fn interval(&self) -> Option<Interval> {
        let adjusted = self.adjusted()?;
        let margin = Z_95 * adjusted.standard_error;
        Some(Interval {
            low: (100.0 * (adjusted.middle - margin)).max(-100.0),
            high: (100.0 * (adjusted.middle + margin)).min(100.0),
        })
    }

    fn adjusted(&self) -> Option<Adjusted> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let n = total as f64 + ADDED_IN_ALL;
        let promoters = (self.promoters as f64 + ADDED_TO_ENDS) / n;
        let detractors = (self.detractors as f64 + ADDED_TO_ENDS) / n;
        let middle = promoters - detractors;
        let standard_error = ((promoters + detractors - middle * middle) / n).sqrt();
        Some(Adjusted { middle, standard_error })
    }
}

/// What a test says of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeVerdict {
    /// No change was found.
    NoChange,
    /// It rose.
    Rose,
    /// It fell.
    Fell,
}

/// The difference between two scores and what a test says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NpsChange {
    /// The later less the earlier, in points.
    pub difference: f64,
    /// The interval of the difference in points, made of the adjusted figures; within -200 and 200.
    pub interval: Interval,
    /// The test's statistic.
    pub z: f64,
    /// How likely a difference at least as large would be if nothing had changed.
    pub p_value: f64,
    /// What it says.
    pub verdict: ChangeVerdict,
}

/// Compares two scores by a two-sided two-sample z-test. A score is a mean, of +1 for a promoter, 0 for a passive and -1 for a
/// detractor, whose variance is `p + d − (p − d)²`; the adjusted figures are used, as for the intervals, so that few
/// answers are not taken for certain. None when one of the two has no answers.
pub fn nps_change(earlier: &NpsCounts, later: &NpsCounts) -> Option<NpsChange> {
    let (before, after) = (earlier.adjusted()?, later.adjusted()?);
    let difference = later.nps()? - earlier.nps()?;
    let adjusted = after.middle - before.middle;
    let standard_error = before.standard_error.hypot(after.standard_error);
    let z = adjusted / standard_error;
    let p_value = two_sided_p(z);
    let verdict = if p_value >= SIGNIFICANCE {
        ChangeVerdict::NoChange
    } else if z > 0.0 {
        ChangeVerdict::Rose
    } else {
        ChangeVerdict::Fell
    };
    let margin = Z_95 * standard_error;
    let interval =
        Interval { low: (100.0 * (adjusted - margin)).max(-200.0), high: (100.0 * (adjusted + margin)).min(200.0) };
    Some(NpsChange { difference, interval, z, p_value, verdict })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(promoters: u64, passives: u64, detractors: u64) -> NpsCounts {
        NpsCounts { promoters, passives, detractors }
    }

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    }

    #[test]
    fn the_interval_is_as_worked_out_by_hand() {
        // n' = 103, p = 50.75/103, d = 20.75/103: middle 30/103, variance (71.5/103 - (30/103)²)/103.
        let hundred = counts(50, 30, 20);
        assert_close(hundred.nps().expect("answers"), 30.0);
        let margin = 1.959_963_984_540_054 * ((71.5 * 103.0 - 900.0_f64) / (103.0 * 103.0 * 103.0)).sqrt();
        let interval = hundred.interval().expect("answers");
        assert_close(interval.low, 100.0 * (30.0 / 103.0 - margin));
        assert_close(interval.high, 100.0 * (30.0 / 103.0 + margin));
        assert_close(interval.low, 14.051_130_178_761_605);
        assert_close(interval.high, 44.201_297_005_704_41);

        // One promoter: p = 1.75/4, d = 0.75/4, middle 1/4, standard error √((0.625 - 0.0625)/4) = 3/8.
        let interval = counts(1, 0, 0).interval().expect("an answer");
        assert_close(interval.low, 25.0 - 1.959_963_984_540_054 * 37.5);
        assert_close(interval.high, 25.0 + 1.959_963_984_540_054 * 37.5);

        assert_eq!((counts(0, 0, 0).nps(), counts(0, 0, 0).interval()), (None, None));
        // Beyond what a score can be, the bound is what it can be.
        assert_close(counts(3, 0, 0).interval().expect("answers").high, 100.0);
    }

    #[test]
    fn r45_a_change_is_called_one_only_when_the_test_finds_it() {
        let last = counts(40, 30, 30);
        let few = nps_change(&counts(4, 3, 3), &counts(5, 3, 2)).expect("answers");
        assert_eq!(few.verdict, ChangeVerdict::NoChange, "20 points of 10 answers are no change: {few:?}");
        assert_close(few.difference, 20.0);
        let rose = nps_change(&last, &counts(70, 20, 10)).expect("answers");
        assert_eq!(rose.verdict, ChangeVerdict::Rose);
        // By hand: middles 10/103 and 60/103; variances (71.5/103 - (10/103)²)/103 and (81.5/103 - (60/103)²)/103.
        let error = ((71.5 * 103.0 - 100.0 + 81.5 * 103.0 - 3_600.0_f64) / (103.0 * 103.0 * 103.0)).sqrt();
        assert_close(rose.z, 50.0 / 103.0 / error);
        assert!(rose.p_value < 1e-4 && rose.interval.low > 0.0, "{rose:?}");
        let fell = nps_change(&counts(70, 20, 10), &last).expect("answers");
        assert_eq!(fell.verdict, ChangeVerdict::Fell);
        assert_close(fell.z, -rose.z);
        assert_eq!(nps_change(&counts(0, 0, 0), &last), None);
    }

    proptest! {
        #[test]
        fn intervals_are_ordered_symmetric_and_narrow_with_data(
            promoters in 0u64..5_000, passives in 0u64..5_000, detractors in 0u64..5_000,
        ) {
            prop_assume!(promoters + passives + detractors > 0);
            let given = counts(promoters, passives, detractors);
            let interval = given.interval().expect("answers");
            let nps = given.nps().expect("answers");
            prop_assert!(-100.0 <= interval.low && interval.low < interval.high && interval.high <= 100.0);
            // The middle is drawn towards 0, never past the figure.
            let middle = nps * given.total() as f64 / (given.total() as f64 + 3.0);
            prop_assert!(interval.low <= middle && middle <= interval.high);
            let mirrored = counts(detractors, passives, promoters).interval().expect("answers");
            prop_assert!((mirrored.low + interval.high).abs() < 1e-9);
            let more = counts(promoters * 9, passives * 9, detractors * 9).interval().expect("answers");
            prop_assert!(more.high - more.low < interval.high - interval.low);
        }

        #[test]
        fn a_change_is_found_exactly_when_its_interval_leaves_out_zero(
            before in (0u64..400, 0u64..400, 1u64..400), after in (0u64..400, 0u64..400, 1u64..400),
        ) {
            let change = nps_change(&counts(before.0, before.1, before.2), &counts(after.0, after.1, after.2));
            let change = change.expect("answers");
            prop_assume!((change.p_value - SIGNIFICANCE).abs() > 1e-9);
            let leaves_out_zero = change.interval.low > 0.0 || change.interval.high < 0.0;
            prop_assert_eq!(change.verdict != ChangeVerdict::NoChange, leaves_out_zero);
            prop_assert!((0.0..=1.0).contains(&change.p_value));
        }
    }
}
