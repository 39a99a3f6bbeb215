//! Conditions of a score: below a cut, and fallen within a month.

use chrono::NaiveDate;
use mainstay_domain::{BIG_CHANGE_ABOVE, BIG_CHANGE_ENDS_AT, Band, BandCuts, HYSTERESIS, Points};

use super::json::{StoredBand, StoredPoints};
use super::risk_trigger::{Condition, RiskCause, RiskTriggerKind, Verdict};

/// A score, and those that it is compared with.
#[derive(Debug, Clone, Copy)]
pub struct ScoreReading {
    /// The day scored.
    pub day: NaiveDate,
    /// The score and its band; none: nothing is known.
    pub score: Option<(Points, Band)>,
    /// The score before, of this day or an earlier one.
    pub previous: Option<Points>,
    /// The score of 30 days before.
    pub month_earlier: Option<Points>,
}

impl ScoreReading {
    /// What it says of each condition of a score. The cuts are those of the model that made it.
    pub fn verdicts(&self, cuts: &BandCuts) -> [(RiskTriggerKind, Verdict); 3] {
        [
            (RiskTriggerKind::HealthCritical, self.below(cuts.critical_below, |score, recovered| score >= recovered)),
            (RiskTriggerKind::HealthAtRisk, self.below(cuts.at_risk_below, |score, recovered| score > recovered)),
            (RiskTriggerKind::HealthDrop, self.drop()),
        ]
    }

    fn below(&self, cut: Points, has_recovered: fn(Points, Points) -> bool) -> Verdict {
        let Some((score, _)) = self.score else { return Verdict::Unknown };
        if has_recovered(score, cut + HYSTERESIS) || score >= Points::MAX {
            return Verdict::NotMet;
        }
        let condition = self.condition(score, self.previous, cut);
        if score < cut { Verdict::Met(condition) } else { Verdict::Between(condition) }
    }

    fn drop(&self) -> Verdict {
        let (Some((score, _)), Some(earlier)) = (self.score, self.month_earlier) else { return Verdict::Unknown };
        let fall = earlier - score;
        if fall <= BIG_CHANGE_ENDS_AT {
            return Verdict::NotMet;
        }
        let condition = self.condition(score, Some(earlier), BIG_CHANGE_ABOVE);
        if fall > BIG_CHANGE_ABOVE { Verdict::Met(condition) } else { Verdict::Between(condition) }
    }

    fn condition(&self, score: Points, compared: Option<Points>, threshold: Points) -> Condition {
        let band = self.score.map_or(Band::Critical, |(_, band)| band);
        let cause = RiskCause::Health {
            day: self.day,
            score: StoredPoints(score),
            previous_score: compared.map(StoredPoints),
            threshold: StoredPoints(threshold),
            band: StoredBand(band),
        };
        Condition { cause, occurrence_count: 1 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::risk_trigger::{Step, step};
    use super::*;

    fn reading(score: Points, month_earlier: Option<Points>) -> ScoreReading {
        let band = BandCuts::default().band(score);
        ScoreReading { day: NaiveDate::default(), score: Some((score, band)), previous: None, month_earlier }
    }

    fn word(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Met(_) => "met",
            Verdict::Between(_) => "between",
            Verdict::NotMet => "not met",
            Verdict::Unknown => "unknown",
        }
    }

    fn words(score: Points, month_earlier: Option<Points>) -> [&'static str; 3] {
        reading(score, month_earlier).verdicts(&BandCuts::default()).each_ref().map(|(_, verdict)| word(verdict))
    }

    const UNIT: Points = Points::from_units(1);

    #[test]
    fn r56_a_condition_begins_below_its_cut_and_ends_two_points_above() {
        let whole = Points::whole;
        assert_eq!(words(whole(50) - UNIT, None), ["met", "met", "unknown"]);
        assert_eq!(words(whole(50), None), ["between", "met", "unknown"]);
        assert_eq!(words(whole(52) - UNIT, None), ["between", "met", "unknown"]);
        assert_eq!(words(whole(52), None), ["not met", "met", "unknown"]);
        assert_eq!(words(whole(70) - UNIT, None), ["not met", "met", "unknown"]);
        assert_eq!(words(whole(70), None), ["not met", "between", "unknown"]);
        assert_eq!(words(whole(72), None), ["not met", "between", "unknown"]);
        assert_eq!(words(whole(72) + UNIT, None), ["not met", "not met", "unknown"]);
    }

    #[test]
    fn r55_a_drop_is_more_than_15_points_and_ends_at_10() {
        let drop = |score: Points| words(score, Some(Points::whole(100)))[2];
        assert_eq!(drop(Points::whole(85)), "between");
        assert_eq!(drop(Points::whole(85) - UNIT), "met");
        assert_eq!(drop(Points::whole(90) - UNIT), "between");
        assert_eq!(drop(Points::whole(90)), "not met");
    }

    #[test]
    fn a_condition_of_a_cut_near_the_top_can_end() {
        let cuts = BandCuts { at_risk_below: Points::whole(99), ..BandCuts::default() };
        assert_eq!(word(&reading(Points::MAX, None).verdicts(&cuts)[1].1), "not met");
    }

    #[test]
    fn without_a_score_what_lasts_goes_on() {
        let nothing = ScoreReading { score: None, ..reading(Points::ZERO, Some(Points::MAX)) };
        assert_eq!(nothing.verdicts(&BandCuts::default()).each_ref().map(|(_, verdict)| word(verdict)), ["unknown"; 3]);
    }

    proptest! {
        #[test]
        fn a_score_that_stays_within_the_margin_raises_no_condition_twice(
            units in proptest::collection::vec(Points::whole(48).units()..Points::whole(52).units(), 1..60),
        ) {
            let mut lasting = None;
            let mut raised = 0;
            for unit in units {
                let score = Points::from_units(unit);
                let [(_, verdict), ..] = reading(score, None).verdicts(&BandCuts::default());
                match step(lasting.as_ref(), verdict) {
                    Some(Step::Raise(condition)) => {
                        prop_assert!(score < Points::whole(50));
                        raised += 1;
                        lasting = Some(condition);
                    }
                    Some(Step::Update(condition)) => lasting = Some(condition),
                    Some(Step::Clear) => prop_assert!(false, "cleared at {}", score),
                    None => {}
                }
            }
            prop_assert!(raised <= 1);
        }
    }
}
