//! Where a share stands against its target.

use mainstay_domain::Interval;

/// Where a figure stands against its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The whole interval is at or above it.
    Met,
    /// The whole interval is below it.
    Missed,
    /// It lies within.
    Undecided,
}

/// Where an interval stands against a target.
pub fn standing(interval: Interval, target: f64) -> Standing {
    if interval.low >= target {
        Standing::Met
    } else if interval.high < target {
        Standing::Missed
    } else {
        Standing::Undecided
    }
}

#[cfg(test)]
mod tests {
    use mainstay_domain::{Proportion, Z_95};

    use super::*;

    #[test]
    fn a_target_within_the_interval_is_undecided() {
        let interval = Interval { low: 0.3, high: 0.4 };
        let standings = [0.3, 0.35, 0.4, 0.41].map(|target| standing(interval, target));
        assert_eq!(standings, [Standing::Met, Standing::Undecided, Standing::Undecided, Standing::Missed]);
    }

    /// Friends and Family Test of two NHS trusts, 2021 and 2022: 3 604 of 4 227 answers were good or very good, whose
    /// reference interval is 84.160753 to 86.298045 %. By service, patient transport and forensic care differ.
    #[test]
    fn real_answers_stand_where_their_intervals_do() {
        let of = |count, total| Proportion { count, total }.wilson(Z_95).expect("answers");
        let overall = of(2_875 + 729, 4_227);
        assert!((overall.low - 0.841_607_53).abs() < 1e-8 && (overall.high - 0.862_980_45).abs() < 1e-8, "{overall:?}");
        assert_eq!(standing(overall, 0.85), Standing::Undecided);
        assert_eq!(standing(of(359 + 42, 419), 0.85), Standing::Met, "community health services");
        assert_eq!(standing(of(140 + 148, 386), 0.85), Standing::Missed, "forensic");
    }
}
