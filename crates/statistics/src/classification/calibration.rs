//! Whether probabilities are right as numbers.

use mainstay_domain::{Interval, Proportion, Z_95};

use super::Forecast;

/// How close to certainty [`log_loss`] lets a forecast come, so that one that was certain and wrong costs much and not
/// infinitely much: the smallest step of `f64` from 1, as in scikit-learn.
pub const PROBABILITY_MIN: f64 = f64::EPSILON;

/// The Brier score (Brier 1950, for one outcome): the mean square of probability less outcome, 0 to 1. 0 is perfect;
/// always saying the base rate `r` gives `r (1 − r)`. None of nothing.
pub fn brier(forecasts: &[Forecast]) -> Option<f64> {
    mean(forecasts, |forecast| {
        let error = forecast.probability - f64::from(u8::from(forecast.outcome));
        error * error
    })
}

/// The mean negative logarithm of the probability that was given to what happened, in nats; 0 is perfect. None of
/// nothing.
pub fn log_loss(forecasts: &[Forecast]) -> Option<f64> {
    mean(forecasts, |forecast| {
        let given = if forecast.outcome { forecast.probability } else { 1.0 - forecast.probability };
        -given.clamp(PROBABILITY_MIN, 1.0 - PROBABILITY_MIN).ln()
    })
}

/// How forecasts are put together to be compared with what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binning {
    /// So many ranges of probability, all equally wide. Few may lie in some.
    EqualWidth(u32),
    /// So many parts with as many forecasts in each, as far as equal probabilities, which are never parted, allow.
    Quantiles(u32),
}

/// Forecasts with similar probabilities, and what happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// What was forecast, on average.
    pub mean_probability: f64,
    /// How many of how many had the outcome.
    pub observed: Proportion,
    /// The 95 % interval of the observed share, by Wilson. A mean probability outside of it was wrong.
    pub interval: Interval,
}

/// The reliability curve: from the lowest probabilities to the highest, without ranges in which no forecast lies. In a
/// calibrated model the observed share is the mean probability. A binning of 0 parts counts as one.
pub fn reliability(forecasts: &[Forecast], binning: Binning) -> Vec<ReliabilityBin> {
    let mut ordered = forecasts.to_vec();
    ordered.sort_by(|one, other| one.probability.total_cmp(&other.probability));
    match binning {
        Binning::EqualWidth(bins) => ordered
            .chunk_by(|one, other| range_of(one.probability, bins) == range_of(other.probability, bins))
            .filter_map(bin)
            .collect(),
        Binning::Quantiles(bins) => parts(&ordered, bins).into_iter().filter_map(bin).collect(),
    }
}

/// Which of so many equally wide ranges a probability lies in; 1 lies in the last.
fn range_of(probability: f64, bins: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and `bins`")]
    let range = (probability * f64::from(bins)) as u32;
    range.min(bins.saturating_sub(1))
}

/// Cuts after each part's last rank, or after the last of those that equal it.
fn parts(ordered: &[Forecast], bins: u32) -> Vec<&[Forecast]> {
    let bins = bins.max(1) as usize;
    let mut parts = Vec::new();
    let mut start = 0;
    for part in 1..=bins {
        let rank = ordered.len() * part / bins;
        let Some(last) = rank.checked_sub(1).filter(|last| *last >= start) else { continue };
        let end = ordered.partition_point(|forecast| forecast.probability <= ordered[last].probability);
        parts.push(&ordered[start..end]);
        start = end;
    }
    parts
}

fn bin(forecasts: &[Forecast]) -> Option<ReliabilityBin> {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let observed = Proportion {
        count: count(forecasts.iter().filter(|forecast| forecast.outcome).count()),
        total: count(forecasts.len()),
    };
    let mean_probability = mean(forecasts, |forecast| forecast.probability)?;
    Some(ReliabilityBin { mean_probability, observed, interval: observed.wilson(Z_95)? })
}

fn mean(forecasts: &[Forecast], of: impl Fn(&Forecast) -> f64) -> Option<f64> {
    (!forecasts.is_empty()).then(|| forecasts.iter().map(of).sum::<f64>() / forecasts.len() as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::examples;
    use super::*;
    use crate::assertions::assert_close;

    fn forecasts(probabilities: &[(f64, bool)]) -> Vec<Forecast> {
        probabilities
            .iter()
            .map(|(probability, outcome)| Forecast::new(*probability, *outcome).expect("valid"))
            .collect()
    }

    #[test]
    fn r77_scores_of_probabilities_are_those_of_scikit_learn() {
        // sklearn.metrics.brier_score_loss, log_loss
        assert_close(brier(&examples::forecasts()).expect("some"), 0.202_500_000_000_000, 1e-12);
        assert_close(log_loss(&examples::forecasts()).expect("some"), 0.579_696_455_068_446, 1e-12);
        assert_eq!((brier(&[]), log_loss(&[])), (None, None));
    }

    #[test]
    fn certainty_that_was_wrong_costs_much_and_not_infinitely_much() {
        let certain = forecasts(&[(1.0, false), (0.0, true)]);
        assert_close(log_loss(&certain).expect("some"), -f64::EPSILON.ln(), 1e-9);
        assert_close(brier(&certain).expect("some"), 1.0, 0.0);
    }

    #[test]
    fn r202_bins_of_equal_width_leave_out_empty_ranges() {
        let bins =
            reliability(&forecasts(&[(0.05, false), (0.1, true), (0.3, false), (1.0, true)]), Binning::EqualWidth(10));
        let found: Vec<(f64, i64, i64)> =
            bins.iter().map(|bin| (bin.mean_probability, bin.observed.count, bin.observed.total)).collect();
        assert_eq!(found, [(0.05, 0, 1), (0.1, 1, 1), (0.3, 0, 1), (1.0, 1, 1)]);
        assert_eq!(Some(bins[0].interval), bins[0].observed.wilson(Z_95));
    }

    #[test]
    fn r202_quantiles_do_not_part_equal_forecasts() {
        let totals = |bins| -> Vec<i64> {
            reliability(&examples::forecasts(), Binning::Quantiles(bins)).iter().map(|bin| bin.observed.total).collect()
        };
        assert_eq!(totals(3), [4, 4, 4]);
        // Three have 0.5, and two have 0.8.
        assert_eq!(totals(6), [2, 2, 3, 1, 3, 1]);
        assert_eq!(totals(1), [12]);
        assert_eq!(totals(0), [12]);
        assert_eq!(reliability(&[], Binning::Quantiles(4)), []);
    }

    fn some_forecasts() -> impl Strategy<Value = Vec<Forecast>> {
        let one = (0u32..=40, any::<bool>())
            .prop_map(|(step, outcome)| Forecast::new(f64::from(step) / 40.0, outcome).expect("valid"));
        proptest::collection::vec(one, 1..120)
    }

    proptest! {
        #[test]
        fn each_forecast_is_in_one_bin_and_bins_ascend(forecasts in some_forecasts(), bins in 0u32..15) {
            for binning in [Binning::EqualWidth(bins), Binning::Quantiles(bins)] {
                let found = reliability(&forecasts, binning);
                prop_assert!(found.len() <= bins.max(1) as usize);
                prop_assert!(found.is_sorted_by(|one, other| one.mean_probability < other.mean_probability));
                let total: i64 = found.iter().map(|bin| bin.observed.total).sum();
                prop_assert_eq!(usize::try_from(total).ok(), Some(forecasts.len()));
                let sum: f64 = found.iter().map(|bin| bin.mean_probability * bin.observed.total as f64).sum();
                let expected: f64 = forecasts.iter().map(|forecast| forecast.probability).sum();
                prop_assert!((sum - expected).abs() < 1e-9);
            }
        }

        #[test]
        fn no_constant_forecast_beats_the_base_rate(forecasts in some_forecasts(), other in 0.0f64..=1.0) {
            let rate = forecasts.iter().filter(|forecast| forecast.outcome).count() as f64 / forecasts.len() as f64;
            let constant = |probability: f64| -> Vec<Forecast> {
                forecasts.iter().map(|forecast| Forecast::new(probability, forecast.outcome).expect("valid")).collect()
            };
            let (base, other) = (brier(&constant(rate)).expect("some"), brier(&constant(other)).expect("some"));
            prop_assert!((base - rate * (1.0 - rate)).abs() < 1e-12);
            prop_assert!(base <= other + 1e-12);
        }
    }
}
