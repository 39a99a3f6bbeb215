//! The share still there after so long.

use mainstay_domain::{Interval, Z_95};

use super::Observation;

/// Half is reached when the share comes this close to it from above: the product of the steps is rounded, and a share
/// of exactly a half must not be missed for it.
const ROUNDING: f64 = 1e-9;

/// What happened at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// After how long, in the unit of the observations.
    pub time: f64,
    /// How many were seen until then at least: those who could leave at that time.
    pub at_risk: u64,
    /// How many left then.
    pub ended: u64,
    /// How many were still there then and were not seen later.
    pub censored: u64,
    /// The share that stays longer than this, 0 to 1.
    pub survival: f64,
    /// The variance of `survival` (Greenwood 1926); 0 where the share is 0 or 1, of which the formula knows none.
    pub variance: f64,
    /// The 95 % interval of `survival`.
    pub interval: Interval,
}

/// The Kaplan–Meier estimate of how long customers stay (Kaplan and Meier 1958).
///
/// `S(t) = Π (1 − d/n)` over the times up to `t` at which somebody left, with `d` who left and `n` at risk. Who is
/// censored at a time at which others left counts as at risk then. Intervals are those of `log(−log S)`, with the
/// variance by Greenwood (Kalbfleisch and Prentice 1980), as R's `conf.type = "log-log"` and lifelines make them; they
/// hold for one time, not for the whole curve at once.
#[derive(Debug, Clone, PartialEq)]
pub struct KaplanMeier {
    steps: Vec<Step>,
    total: u64,
    ended: u64,
}

impl KaplanMeier {
    /// The curve of these observations, none of nothing. Their order does not matter.
    pub fn of(observations: &[Observation]) -> Option<Self> {
        let mut ordered = observations.to_vec();
        ordered.sort_by(|one, other| one.duration.total_cmp(&other.duration));
        let total = ordered.len() as u64;
        let mut at_risk = total;
        let mut survival = 1.0;
        let mut greenwood = 0.0;
        let mut steps = Vec::new();
        for same_time in ordered.chunk_by(|one, other| one.duration.total_cmp(&other.duration).is_eq()) {
            let ended = same_time.iter().filter(|observation| observation.ended).count() as u64;
            let staying = at_risk - ended;
            survival *= staying as f64 / at_risk as f64;
            // The term of a time at which all left is infinite, and goes with a share of 0.
            greenwood += ended as f64 / (at_risk as f64 * staying as f64);
            let censored = same_time.len() as u64 - ended;
            let variance = if survival > 0.0 { survival * survival * greenwood } else { 0.0 };
            let interval = interval(survival, greenwood);
            let time = same_time[0].duration;
            steps.push(Step { time, at_risk, ended, censored, survival, variance, interval });
            at_risk = staying - censored;
        }
        let ended = steps.iter().map(|step| step.ended).sum();
        (total > 0).then_some(Self { steps, total, ended })
    }

    /// What happened at each time at which somebody left or was last seen, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many were observed; at least 1.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many of them left.
    pub fn ended(&self) -> u64 {
        self.ended
    }

    /// The longest observation. Of what comes later the data say nothing.
    pub fn last_time(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| step.time)
    }

    /// The last step at or before this time, none before the first.
    pub fn lookup_step(&self, time: f64) -> Option<&Step> {
        let after = self.steps.partition_point(|step| step.time <= time);
        after.checked_sub(1).map(|index| &self.steps[index])
    }

    /// The share that stays longer than this, 0 to 1; 1 before the first step. After [`last_time`](Self::last_time) it
    /// stays what it was, as in lifelines: whoever shows it there should say that it is no longer observed.
    pub fn survival_at(&self, time: f64) -> f64 {
        self.lookup_step(time).map_or(1.0, |step| step.survival)
    }

    /// The 95 % interval of [`survival_at`](Self::survival_at).
    pub fn interval_at(&self, time: f64) -> Interval {
        self.lookup_step(time).map_or(Interval { low: 1.0, high: 1.0 }, |step| step.interval)
    }

    /// The first time at which no more than half are left, none where more than half are to the end.
    pub fn median(&self) -> Option<f64> {
        self.steps.iter().find(|step| step.survival <= 0.5 + ROUNDING).map(|step| step.time)
    }

    /// How long one stays on average within the first `limit`: the area under the curve up to there (Irwin 1949), in
    /// the unit of the observations. None for a limit that is negative, no number, or later than the
    /// [`last_time`](Self::last_time) while somebody is still there: what is not observed has no area.
    pub fn restricted_mean(&self, limit: f64) -> Option<f64> {
        let unobserved = limit > self.last_time() && self.survival_at(limit) > 0.0;
        if limit.is_nan() || limit < 0.0 || unobserved {
            return None;
        }
        let mut area = 0.0;
        let mut since = 0.0;
        let mut survival = 1.0;
        for step in self.steps.iter().take_while(|step| step.time <= limit) {
            area += survival * (step.time - since);
            (since, survival) = (step.time, step.survival);
        }
        // At a share of 0 the limit may be infinite.
        Some(if survival > 0.0 { area + survival * (limit - since) } else { area })
    }
}

/// The interval by `log(−log S)`; as wide as nothing where the share is 0 or 1, of which it has none.
fn interval(survival: f64, greenwood: f64) -> Interval {
    if survival <= 0.0 || survival >= 1.0 {
        return Interval { low: survival, high: survival };
    }
    let log = survival.ln();
    let centre = (-log).ln();
    let half = Z_95 * greenwood.sqrt() / -log;
    Interval { low: (-(centre + half).exp()).exp(), high: (-(centre - half).exp()).exp() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::leukaemia;
    use super::*;
    use crate::assertions::assert_close;

    fn seen(months: &[(f64, bool)]) -> Vec<Observation> {
        months.iter().map(|(duration, ended)| Observation::new(*duration, *ended).expect("valid")).collect()
    }

    #[test]
    fn r91_the_curve_is_that_of_the_textbook() {
        // As printed in Kleinbaum and Klein, Survival Analysis; shares and standard errors by lifelines 0.30.3.
        let curve = KaplanMeier::of(&leukaemia::treated()).expect("some");
        let expected = [
            (6.0, 21, 3, 0.8571, 0.0764),
            (7.0, 17, 1, 0.8067, 0.0869),
            (10.0, 15, 1, 0.7529, 0.0963),
            (13.0, 12, 1, 0.6902, 0.1068),
            (16.0, 11, 1, 0.6275, 0.1141),
            (22.0, 7, 1, 0.5378, 0.1282),
            (23.0, 6, 1, 0.4482, 0.1346),
        ];
        let ending: Vec<&Step> = curve.steps().iter().filter(|step| step.ended > 0).collect();
        assert_eq!(ending.len(), expected.len());
        for (step, (time, at_risk, ended, survival, deviation)) in ending.into_iter().zip(expected) {
            assert_eq!((step.time, step.at_risk, step.ended), (time, at_risk, ended));
            assert_close(step.survival, survival, 5e-5);
            assert_close(step.variance.sqrt(), deviation, 5e-5);
        }
        assert_eq!((curve.total(), curve.ended(), curve.last_time()), (21, 9, 35.0));
        assert_eq!(curve.median(), Some(23.0));
        // Seven of its steps are of those last seen only.
        assert_eq!(curve.steps().iter().map(|step| step.censored).sum::<u64>(), 12);
        assert_eq!(KaplanMeier::of(&leukaemia::untreated()).expect("some").median(), Some(8.0));
    }

    #[test]
    fn half_is_reached_at_the_first_time_at_which_no_more_than_half_are_left() {
        // 3/4 × 2/3 is a half in numbers, and not quite in bits.
        let curve = KaplanMeier::of(&seen(&[(1.0, true), (2.0, true), (3.0, false), (3.0, false)])).expect("some");
        assert_eq!(curve.median(), Some(2.0));
        let staying = KaplanMeier::of(&seen(&[(1.0, true), (2.0, false), (3.0, false)])).expect("some");
        assert_eq!(staying.median(), None);
    }

    #[test]
    fn before_the_first_step_all_are_there_and_after_the_last_nothing_changes() {
        let curve = KaplanMeier::of(&seen(&[(2.0, true), (4.0, false)])).expect("some");
        assert_eq!(curve.lookup_step(1.9), None);
        for (time, survival) in [(0.0, 1.0), (1.9, 1.0), (2.0, 0.5), (3.0, 0.5), (9.0, 0.5)] {
            assert_close(curve.survival_at(time), survival, 0.0);
        }
        assert_eq!(curve.interval_at(1.0), Interval { low: 1.0, high: 1.0 });
        assert_eq!(KaplanMeier::of(&[]), None);
    }

    #[test]
    fn a_curve_that_ends_at_zero_has_no_width_there() {
        let curve = KaplanMeier::of(&seen(&[(1.0, true), (2.0, true)])).expect("some");
        let last = curve.lookup_step(2.0).expect("some");
        assert_eq!((last.survival, last.variance, last.interval), (0.0, 0.0, Interval { low: 0.0, high: 0.0 }));
    }

    #[test]
    fn the_mean_goes_no_further_than_what_was_observed() {
        let curve = KaplanMeier::of(&seen(&[(1.0, true), (2.0, false), (3.0, true), (4.0, false)])).expect("some");
        // 1 × 1 + 3/4 × 2 + 3/8 × 1
        assert_close(curve.restricted_mean(4.0).expect("observed"), 2.875, 1e-12);
        assert_close(curve.restricted_mean(1.5).expect("observed"), 1.375, 1e-12);
        assert_eq!(curve.restricted_mean(0.0), Some(0.0));
        for limit in [4.1, -0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(curve.restricted_mean(limit), None, "{limit}");
        }
        let all_left = KaplanMeier::of(&leukaemia::untreated()).expect("some");
        // Without censoring it is the plain mean, 182 weeks over 21 children.
        for limit in [23.0, 100.0, f64::INFINITY] {
            assert_close(all_left.restricted_mean(limit).expect("all left"), 182.0 / 21.0, 1e-12);
        }
    }

    fn observations() -> impl Strategy<Value = Vec<Observation>> {
        let one = (0u32..24, any::<bool>())
            .prop_map(|(month, ended)| Observation::new(f64::from(month), ended).expect("valid"));
        proptest::collection::vec(one, 1..80)
    }

    proptest! {
        #[test]
        fn shares_fall_and_lie_in_their_intervals(observations in observations()) {
            let curve = KaplanMeier::of(&observations).expect("some");
            let mut before = 1.0;
            for step in curve.steps() {
                prop_assert!(step.survival <= before);
                prop_assert!(0.0 <= step.interval.low && step.interval.low <= step.survival);
                prop_assert!(step.survival <= step.interval.high && step.interval.high <= 1.0);
                prop_assert!(step.variance >= 0.0 && step.variance.is_finite());
                before = step.survival;
            }
            let seen: u64 = curve.steps().iter().map(|step| step.ended + step.censored).sum();
            prop_assert_eq!(seen, observations.len() as u64);
        }

        #[test]
        fn without_censoring_it_is_the_plain_share(durations in proptest::collection::vec(0u32..24, 1..80), month in 0u32..24) {
            let all: Vec<Observation> =
                durations.iter().map(|duration| Observation::new(f64::from(*duration), true).expect("valid")).collect();
            let longer = durations.iter().filter(|duration| **duration > month).count();
            let curve = KaplanMeier::of(&all).expect("some");
            prop_assert!((curve.survival_at(f64::from(month)) - longer as f64 / all.len() as f64).abs() < 1e-12);
        }

        #[test]
        fn censoring_somebody_makes_no_curve_worse(observations in observations(), which in any::<prop::sample::Index>()) {
            let before = KaplanMeier::of(&observations).expect("some");
            let mut censored = observations;
            let one = which.index(censored.len());
            censored[one].ended = false;
            let after = KaplanMeier::of(&censored).expect("some");
            for step in before.steps() {
                prop_assert!(after.survival_at(step.time) >= step.survival - 1e-12);
            }
        }
    }
}
