//! What is found when the cases with the highest scores are looked at.

use super::Case;
use super::ties::{Tie, places, ties};

/// What those who were selected have to do with those who had the outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selection {
    /// How many cases were selected.
    pub selected: u64,
    /// How many of the selected had the outcome. Whole, unless the selection ends among cases with one score: then as
    /// many as would be expected if these were drawn by lot.
    pub hits: f64,
    /// How many cases had the outcome.
    pub outcomes: u64,
    /// How many cases there were.
    pub cases: u64,
}

impl Selection {
    /// All cases with a score of `threshold` or above.
    pub fn from_threshold(cases: &[Case], threshold: f64) -> Self {
        let selected = || cases.iter().filter(|case| case.score >= threshold);
        Self {
            selected: selected().count() as u64,
            hits: selected().filter(|case| case.outcome).count() as f64,
            outcomes: cases.iter().filter(|case| case.outcome).count() as u64,
            cases: cases.len() as u64,
        }
    }

    /// The `share` of cases (0 to 1, rounded up to a whole case) with the highest scores.
    pub fn of_top_share(cases: &[Case], share: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and the number of cases")]
        let selected = (share.clamp(0.0, 1.0) * cases.len() as f64).ceil() as u64;
        let ties = descending(cases);
        let mut wanted = selected;
        let mut hits = 0.0;
        for tie in &ties {
            let taken = wanted.min(tie.cases());
            hits += tie.with as f64 * taken as f64 / tie.cases() as f64;
            wanted -= taken;
        }
        Self { selected, hits, outcomes: ties.iter().map(|tie| tie.with).sum(), cases: cases.len() as u64 }
    }

    /// The share of the selected that had the outcome; none when none was selected.
    pub fn precision(self) -> Option<f64> {
        (self.selected > 0).then(|| self.hits / self.selected as f64)
    }

    /// The share of those with the outcome that was selected; none when nobody had it.
    pub fn recall(self) -> Option<f64> {
        (self.outcomes > 0).then(|| self.hits / self.outcomes as f64)
    }

    /// How many times as often the selected had the outcome as all cases: 1 is chance. None when none was selected or
    /// nobody had it.
    pub fn lift(self) -> Option<f64> {
        let base = self.outcomes as f64 / self.cases as f64;
        self.precision().filter(|_| self.outcomes > 0).map(|precision| precision / base)
    }
}

/// Precision averaged over recall, `Σ (Rₙ − Rₙ₋₁) Pₙ` over the thresholds from the highest score to the lowest, as
/// scikit-learn has it: no interpolation. Chance gives the share of those with the outcome. None when nobody had it.
pub fn average_precision(cases: &[Case]) -> Option<f64> {
    let ties = descending(cases);
    let outcomes: u64 = ties.iter().map(|tie| tie.with).sum();
    let (mut selected, mut hits, mut sum) = (0, 0, 0.0);
    for tie in ties {
        selected += tie.cases();
        hits += tie.with;
        sum += tie.with as f64 * hits as f64 / selected as f64;
    }
    (outcomes > 0).then(|| sum / outcomes as f64)
}

/// How many cases have each score, the highest first.
fn descending(cases: &[Case]) -> Vec<Tie> {
    let (places, count) = places(cases.iter().map(|case| case.score));
    let mut ties = ties(&places, count, cases.iter().map(|case| case.outcome));
    ties.reverse();
    ties
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::examples;
    use super::*;
    use crate::assertions::assert_close;

    #[test]
    fn r77_average_precision_with_ties_is_that_of_scikit_learn() {
        // sklearn.metrics.average_precision_score
        assert_close(average_precision(&examples::cases()).expect("outcomes"), 0.740_277_777_777_778, 1e-12);
        assert_eq!(average_precision(&[Case::new(1.0, false).expect("valid")]), None);
    }

    #[test]
    fn a_threshold_selects_what_reaches_it() {
        let found = Selection::from_threshold(&examples::cases(), 0.5);
        assert_eq!((found.selected, found.outcomes, found.cases), (8, 6, 12));
        assert_close(found.hits, 5.0, 0.0);
        assert_close(found.precision().expect("selected"), 5.0 / 8.0, 1e-12);
        assert_close(found.recall().expect("outcomes"), 5.0 / 6.0, 1e-12);
        assert_close(found.lift().expect("both"), 1.25, 1e-12);
    }

    #[test]
    fn a_selection_that_ends_among_equals_draws_by_lot() {
        // The second and third have the same score, and one of them had the outcome.
        let found = Selection::of_top_share(&examples::cases(), 0.15);
        assert_eq!(found.selected, 2);
        assert_close(found.hits, 1.5, 1e-12);
    }

    #[test]
    fn of_nothing_there_is_no_figure() {
        let none_selected = Selection::from_threshold(&examples::cases(), 2.0);
        assert_eq!((none_selected.precision(), none_selected.recall(), none_selected.lift()), (None, Some(0.0), None));
        let nobody = Selection::of_top_share(&[Case::new(1.0, false).expect("valid")], 1.0);
        assert_eq!((nobody.precision(), nobody.recall(), nobody.lift()), (Some(0.0), None, None));
        let empty = Selection::of_top_share(&[], 0.5);
        assert_eq!((empty.selected, empty.precision(), empty.lift()), (0, None, None));
    }

    proptest! {
        #[test]
        fn the_order_of_the_cases_does_not_matter(
            scores in proptest::collection::vec((-4i32..4, any::<bool>()), 1..50),
            share in 0.0f64..=1.0,
        ) {
            let cases: Vec<Case> =
                scores.iter().map(|(score, outcome)| Case::new(f64::from(*score), *outcome).expect("valid")).collect();
            let reversed: Vec<Case> = cases.iter().rev().copied().collect();
            prop_assert_eq!(Selection::of_top_share(&cases, share), Selection::of_top_share(&reversed, share));
            prop_assert_eq!(average_precision(&cases), average_precision(&reversed));
            let found = Selection::of_top_share(&cases, share);
            prop_assert!(found.hits <= found.outcomes as f64 && found.hits <= found.selected as f64);
            let everyone = Selection::of_top_share(&cases, 1.0);
            prop_assert!(everyone.lift().is_none_or(|lift| (lift - 1.0).abs() < 1e-12));
        }
    }
}
