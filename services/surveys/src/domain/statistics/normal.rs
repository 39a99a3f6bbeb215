//! The standard normal distribution.

use std::f64::consts::SQRT_2;

/// How likely a value at least as far from 0 as `z` is, on either side.
pub(super) fn two_sided_p(z: f64) -> f64 {
    libm::erfc(z.abs() / SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // R: 2 * pnorm(-z).
        for (z, expected) in
            [(0.0, 1.0), (1.0, 0.317_310_507_862_914), (1.959_963_984_540_054, 0.05), (-3.0, 0.002_699_796_063_260)]
        {
            assert!((two_sided_p(z) - expected).abs() < 1e-12, "{z}: {}", two_sided_p(z));
        }
    }
}
