//! The chi-squared distribution.

/// How likely a value of at least `value` is, with so many degrees of freedom (1 or more).
///
/// For whole degrees it is a finite sum (Abramowitz and Stegun 1964, 26.4.4 and 26.4.5), which keeps its relative
/// precision in the far tail. The terms are made from logarithms, as either factor alone may leave the range of `f64`.
pub(super) fn upper_tail(value: f64, degrees_of_freedom: usize) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let half = value / 2.0;
    let term = |power: f64| (power * half.ln() - half - libm::lgamma(power + 1.0)).exp();
    let pairs = degrees_of_freedom / 2;
    let tail = if degrees_of_freedom.is_multiple_of(2) {
        (0..pairs).map(|pair| term(pair as f64)).sum()
    } else {
        libm::erfc(half.sqrt()) + (0..pairs).map(|pair| term(pair as f64 + 0.5)).sum::<f64>()
    };
    f64::min(tail, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assertions::assert_close;

    #[test]
    fn the_tail_is_that_of_scipy() {
        // scipy.stats.chi2.sf
        for (value, degrees, expected) in [
            (0.0, 3, 1.0),
            (3.841_458_820_694_124, 1, 0.05),
            (5.991_464_547_107_979, 2, 0.05),
            (16.793, 1, 4.168_679_471_886_338e-5),
            (7.683_838, 4, 1.038_707_573_702_247e-1),
            (33.335_209, 5, 3.228_450_072_963_578e-6),
            (489.713_936, 2, 4.570_565_551_728_944e-107),
            (1500.0, 1501, 5.024_282_539_961_118e-1),
        ] {
            assert_close(upper_tail(value, degrees) / expected, 1.0, 1e-9);
        }
    }
}
