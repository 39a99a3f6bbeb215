//! Cases by score, of which those with the same score are one group.

/// How many cases of each outcome have one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tie {
    pub(super) with: u64,
    pub(super) without: u64,
}

impl Tie {
    pub(super) fn count(&mut self, outcome: bool) {
        if outcome {
            self.with += 1;
        } else {
            self.without += 1;
        }
    }

    pub(super) fn cases(self) -> u64 {
        self.with + self.without
    }
}

/// Which place each score has among the different scores, the lowest 0; and how many places there are.
pub(super) fn places(scores: impl Iterator<Item = f64>) -> (Vec<usize>, usize) {
    let scores: Vec<f64> = scores.collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|one, other| scores[*one].total_cmp(&scores[*other]));
    let mut places = vec![0; scores.len()];
    let mut count = 0;
    for same_score in order.chunk_by(|one, other| scores[*one].total_cmp(&scores[*other]).is_eq()) {
        for index in same_score {
            places[*index] = count;
        }
        count += 1;
    }
    (places, count)
}

/// The cases at each place.
pub(super) fn ties(places: &[usize], count: usize, outcomes: impl Iterator<Item = bool>) -> Vec<Tie> {
    let mut ties = vec![Tie::default(); count];
    for (place, outcome) in places.iter().zip(outcomes) {
        ties[*place].count(outcome);
    }
    ties
}
