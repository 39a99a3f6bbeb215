//! Quantiles of a sample.

use mainstay_domain::Interval;

/// The value below which this share of a sample lies, between two values by linear interpolation (Hyndman and Fan
/// 1996, definition 7, which R and `NumPy` use unless told otherwise). None of nothing.
///
/// `ordered` ascends and is finite; `share` is 0 to 1. A larger share never gives a smaller value.
pub fn quantile(ordered: &[f64], share: f64) -> Option<f64> {
    let last = ordered.len().checked_sub(1)?;
    let position = share.clamp(0.0, 1.0) * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and `last`")]
    let below = position.floor() as usize;
    let (low, high) = (ordered[below], ordered[(below + 1).min(last)]);
    let (part, distance) = (position - below as f64, high - low);
    // Of the largest numbers there are the distance is none.
    let value = if distance.is_finite() { low + part * distance } else { low * (1.0 - part) + high * part };
    Some(value.clamp(low, high))
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
        assert_eq!(quantile(&[f64::MIN, f64::MAX], 0.5), Some(0.0));
    }

    #[test]
    fn the_middle_leaves_a_fortieth_on_each_side() {
        let middle = middle_95((0..=40).rev().map(f64::from).collect()).expect("some");
        assert_eq!((middle.low, middle.high), (1.0, 39.0));
        assert_eq!(middle_95(Vec::new()), None);
    }
}
