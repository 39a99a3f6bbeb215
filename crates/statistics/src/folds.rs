//! Which cases to learn from and which to try it on.

use rand::Rng;
use rand::seq::SliceRandom;
use thiserror::Error;

/// Cases in parts of equal size, each with the same share of outcomes: a model is tried on each part after learning
/// from the others, so that no case is judged by a model that knew it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    fold_of: Vec<usize>,
    count: usize,
}

/// Why cases cannot be parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FoldError {
    /// With one fold there is nothing to learn from.
    #[error("{found} folds: there must be two at least")]
    TooFewFolds {
        /// How many were asked for.
        found: usize,
    },
    /// A fold would be without one of the outcomes.
    #[error("{found} cases of an outcome for {folds} folds: each fold needs one at least")]
    TooFewCases {
        /// How many cases had the rarer outcome.
        found: usize,
        /// How many folds were asked for.
        folds: usize,
    },
}

impl Folds {
    /// Parts cases by chance. Of each outcome, and of both together, two folds differ by one case at most. The same
    /// `random` gives the same folds.
    ///
    /// # Errors
    /// With fewer than two folds, or fewer cases of an outcome than folds.
    pub fn stratified(outcomes: &[bool], count: usize, random: &mut impl Rng) -> Result<Self, FoldError> {
        if count < 2 {
            return Err(FoldError::TooFewFolds { found: count });
        }
        let mut order: Vec<usize> = (0..outcomes.len()).collect();
        order.shuffle(random);
        // Stable, so that the cases of one outcome stay shuffled; dealt out in turn over both.
        order.sort_by_key(|index| outcomes[*index]);
        let with = outcomes.iter().filter(|outcome| **outcome).count();
        let found = with.min(outcomes.len() - with);
        if found < count {
            return Err(FoldError::TooFewCases { found, folds: count });
        }
        let mut fold_of = vec![0; outcomes.len()];
        for (turn, index) in order.into_iter().enumerate() {
            fold_of[index] = turn % count;
        }
        Ok(Self { fold_of, count })
    }

    /// How many folds there are; 2 or more.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The fold of each case, from 0.
    pub fn fold_of(&self) -> &[usize] {
        &self.fold_of
    }

    /// The indices of the cases outside of a fold, to learn from, and of those in it, to try it on.
    pub fn split(&self, fold: usize) -> (Vec<usize>, Vec<usize>) {
        (0..self.fold_of.len()).partition(|index| self.fold_of[*index] != fold)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn folds(outcomes: &[bool], count: usize, seed: u64) -> Result<Folds, FoldError> {
        Folds::stratified(outcomes, count, &mut StdRng::seed_from_u64(seed))
    }

    #[test]
    fn the_seed_decides() {
        let outcomes: Vec<bool> = (0..60).map(|number| number % 3 == 0).collect();
        assert_eq!(folds(&outcomes, 5, 1), folds(&outcomes, 5, 1));
        assert_ne!(folds(&outcomes, 5, 1), folds(&outcomes, 5, 2));
    }

    #[test]
    fn a_fold_without_an_outcome_is_refused() {
        assert_eq!(folds(&[true, false, true, false], 1, 1), Err(FoldError::TooFewFolds { found: 1 }));
        let rare: Vec<bool> = (0..50).map(|number| number < 4).collect();
        assert_eq!(folds(&rare, 5, 1), Err(FoldError::TooFewCases { found: 4, folds: 5 }));
        assert!(folds(&rare, 4, 1).is_ok());
        assert_eq!(folds(&[], 2, 1), Err(FoldError::TooFewCases { found: 0, folds: 2 }));
    }

    proptest! {
        #[test]
        fn folds_are_equal_in_size_and_outcomes(
            outcomes in proptest::collection::vec(any::<bool>(), 30..200),
            count in 2usize..6,
            seed in any::<u64>(),
        ) {
            let Ok(folds) = folds(&outcomes, count, seed) else { return Ok(()) };
            let mut tried = vec![0; outcomes.len()];
            let (mut sizes, mut with) = (Vec::new(), Vec::new());
            for fold in 0..folds.count() {
                let (learnt, held_out) = folds.split(fold);
                prop_assert_eq!(learnt.len() + held_out.len(), outcomes.len());
                held_out.iter().for_each(|index| tried[*index] += 1);
                sizes.push(held_out.len());
                with.push(held_out.iter().filter(|index| outcomes[**index]).count());
            }
            prop_assert!(tried.iter().all(|times| *times == 1));
            for counts in [sizes, with] {
                prop_assert!(counts.iter().max().zip(counts.iter().min()).is_some_and(|(most, least)| most - least <= 1));
            }
        }
    }
}
