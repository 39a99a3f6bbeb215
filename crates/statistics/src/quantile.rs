//! Quantiles of a sample.

use mainstay_domain::Interval;

/// The value below which this share of a sample lies, between two values by linear interpolation (Hyndman and Fan
/// 1996, definition 7, which R and `NumPy` use unless told otherwise). None of nothing.
///
/// `ordered` ascends; `share` is 0 to 1.
pub(crate) fn quantile(ordered: &[f64], share: f64) -> Option<f64> {
    let last = ordered.len().checked_sub(1)?;
    let position = share.clamp(0.0, 1.0) * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and `last`")]
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    Some(ordered[below] + (position - below as f64) * (ordered[above] - ordered[below]))
}

/// The middle 95 % of a sample, none of nothing.
pub(crate) fn middle_95(mut sample: Vec<f64>) -> Option<Interval> {
    sample.sort_by(f64::total_cmp);
    Some(Interval { low: quantile(&sample, 0.025)?, high: quantile(&sample, 0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assertions::assert_close;

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([1, 2, 4, 8, 16], …)
        let sample = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (share, expected) in [(0.0, 1.0), (0.1, 1.4), (0.5, 4.0), (0.8, 9.6), (1.0, 16.0)] {
            assert_close(quantile(&sample, share).expect("some"), expected, 1e-12);
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[3.0], 0.9), Some(3.0));
    }

    #[test]
    fn the_middle_leaves_a_fortieth_on_each_side() {
        let middle = middle_95((0..=40).rev().map(f64::from).collect()).expect("some");
        assert_eq!((middle.low, middle.high), (1.0, 39.0));
        assert_eq!(middle_95(Vec::new()), None);
    }
}
