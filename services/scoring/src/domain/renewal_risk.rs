//! A renewal that is near, with poor health.

use chrono::{Days, NaiveDate};
use mainstay_domain::{Money, Points};
use serde::{Deserialize, Serialize};

use super::json::{Amount, StoredPoints};
use super::risk_trigger::{Condition, RiskCause, Verdict};
use super::series::day_number;
use mainstay_domain::HYSTERESIS;

/// Days before the renewal from which on it is near.
pub(super) const NEAR_DAYS: i32 = 90;

/// A renewal at risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenewalRisk {
    /// The UTC day of the renewal.
    pub renewal_day: NaiveDate,
    /// Days until then; below 0 once it has passed without a word.
    pub days_left: i32,
    /// The score.
    pub score: StoredPoints,
    /// Below which it is poor.
    pub threshold: StoredPoints,
    /// The annual revenue at risk.
    pub arr: Option<Amount>,
}

/// What decides it.
#[derive(Debug, Clone, Copy)]
pub struct RenewalReading {
    /// As of this day.
    pub today: NaiveDate,
    /// The day of the renewal.
    pub renewal_day: Option<NaiveDate>,
    /// The annual revenue.
    pub arr: Option<Money>,
    /// The score; none: nothing is known.
    pub score: Option<Points>,
}

impl RenewalReading {
    /// What it says; `cut` is the at-risk cut of the model. It ends where the score is no longer at risk, or where the renewal is
    /// not near. A renewal that has passed begins nothing, and what lasts goes on until somebody says what became of it.
    pub fn verdict(&self, cut: Points) -> Verdict {
        let Some(renewal_day) = self.renewal_day else { return Verdict::NotMet };
        let days_left = day_number(renewal_day).saturating_sub(day_number(self.today));
        if days_left > NEAR_DAYS {
            return Verdict::NotMet;
        }
        let Some(score) = self.score else { return Verdict::Unknown };
        if score > cut + HYSTERESIS || score >= Points::MAX {
            return Verdict::NotMet;
        }
        let cause = RiskCause::RenewalAtRisk(RenewalRisk {
            renewal_day,
            days_left,
            score: StoredPoints(score),
            threshold: StoredPoints(cut),
            arr: self.arr.map(Amount),
        });
        let condition = Condition { cause, occurrence_count: 1 };
        if score < cut && days_left >= 0 { Verdict::Met(condition) } else { Verdict::Between(condition) }
    }
}

/// The day on which a renewal becomes near; none when it is so on `today` already.
pub fn next_look(renewal_day: NaiveDate, today: NaiveDate) -> Option<NaiveDate> {
    let near_from = renewal_day.checked_sub_days(Days::new(u64::from(NEAR_DAYS.unsigned_abs())))?;
    (near_from > today).then_some(near_from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::risk_trigger::{Step, step};
    use super::super::series::date_of;
    use super::*;

    const TODAY: i32 = 20_000;

    fn reading(days_left: i32, score: Option<Points>) -> RenewalReading {
        let renewal_day = Some(date_of(TODAY + days_left));
        RenewalReading { today: date_of(TODAY), renewal_day, arr: None, score }
    }

    fn word(reading: &RenewalReading) -> &'static str {
        match reading.verdict(Points::whole(70)) {
            Verdict::Met(_) => "met",
            Verdict::Between(_) => "between",
            Verdict::NotMet => "not met",
            Verdict::Unknown => "unknown",
        }
    }

    #[test]
    fn r71_a_renewal_is_at_risk_within_90_days_below_70_and_no_longer_above_72() {
        let unit = Points::from_units(1);
        let whole = Points::whole;
        let at = |days_left, score| word(&reading(days_left, Some(score)));
        assert_eq!([91, 90, 0, -1].map(|days| at(days, whole(70) - unit)), ["not met", "met", "met", "between"]);
        assert_eq!(
            [whole(70), whole(72), whole(72) + unit].map(|score| at(30, score)),
            ["between", "between", "not met"]
        );
        assert_eq!((word(&reading(30, None)), word(&reading(91, None))), ("unknown", "not met"));
        assert_eq!(word(&RenewalReading { renewal_day: None, ..reading(30, Some(whole(10))) }), "not met");
    }

    #[test]
    fn it_is_looked_at_90_days_before() {
        let look = |days_left: i32| next_look(date_of(TODAY + days_left), date_of(TODAY));
        assert_eq!((look(91), look(90), look(-3)), (Some(date_of(TODAY + 1)), None, None));
    }

    proptest! {
        #[test]
        fn it_is_raised_once_while_the_score_swings_around_the_cut(
            units in proptest::collection::vec(Points::whole(68).units()..Points::whole(72).units(), 1..200),
        ) {
            let (mut lasting, mut raised) = (None, 0);
            for (day, unit) in (0..).zip(units) {
                let score = Some(Points::from_units(unit));
                let reading = RenewalReading { today: date_of(TODAY + day), score, ..reading(80, None) };
                match step(lasting.as_ref(), reading.verdict(Points::whole(70))) {
                    Some(Step::Raise(condition)) => {
                        raised += 1;
                        lasting = Some(condition);
                    }
                    Some(Step::Update(condition)) => lasting = Some(condition),
                    Some(Step::Clear) => prop_assert!(false, "cleared"),
                    None => {}
                }
            }
            prop_assert!(raised <= 1);
        }
    }
}
