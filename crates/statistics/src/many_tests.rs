//! Probabilities of many tests, of which some come out low by chance.

/// The probabilities of tests, adjusted so that with none of the hypotheses true the chance of any below a level is not above it, in
/// the order given: the i-th lowest of m is the highest of (m − j + 1) · p(j) up to it, at most 1 (Holm 1979, Scandinavian Journal of
/// Statistics 6, 65). Whether the tests depend on one another does not matter.
pub fn holm(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&left, &right| probabilities[left].total_cmp(&probabilities[right]));
    let mut adjusted = vec![1.0; probabilities.len()];
    let mut highest: f64 = 0.0;
    for (rank, &place) in order.iter().enumerate() {
        let remaining = (probabilities.len() - rank) as f64;
        highest = highest.max(remaining * probabilities[place]).min(1.0);
        adjusted[place] = highest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn probabilities_are_adjusted_as_r_does() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03, 0.06, 0.06, 0.02.
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.7, 0.9]), [1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn no_probability_falls_and_the_order_stays(probabilities in proptest::collection::vec(0.0f64..=1.0, 0..20)) {
            let adjusted = holm(&probabilities);
            for (place, given) in probabilities.iter().enumerate() {
                prop_assert!(adjusted[place] >= *given && adjusted[place] <= 1.0);
                for (other, also) in probabilities.iter().enumerate() {
                    prop_assert!(given > also || adjusted[place] <= adjusted[other]);
                }
            }
        }
    }
}
