//! What comes first: revenue at risk × decline × chance to save.

use mainstay_domain::{Band, BandCuts, Money, Points, RECOVERED_ABOVE};

/// Saved and closed cases that the estimate begins with: the target of 75 %, with the weight of four cases.
const PRIOR_SAVED: f64 = 3.0;
const PRIOR_CLOSED: f64 = 4.0;

/// The weight, in cases, of the share of the whole segment beside the cases that were as deep.
const SEGMENT_CLOSED: f64 = 4.0;

/// How deep an account had fallen when its case was opened, by the settled bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Depth {
    /// A critical score.
    Critical,
    /// A score at risk.
    AtRisk,
    /// A score above that: stable or healthy.
    Above,
    /// There was no score.
    NoScore,
}

impl Depth {
    /// Of a case that was opened with this score.
    pub fn of(score_at_open: Option<Points>) -> Self {
        match score_at_open.map(|score| BandCuts::default().band(score)) {
            Some(Band::Critical) => Self::Critical,
            Some(Band::AtRisk) => Self::AtRisk,
            Some(Band::Stable | Band::Healthy) => Self::Above,
            None => Self::NoScore,
        }
    }
}

/// How many cases ended well and ill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Saved or recovered.
    pub saved: i32,
    /// Churned or not recovered.
    pub lost: i32,
}

impl Tally {
    /// How many cases these are.
    pub const fn closed(self) -> i32 {
        self.saved + self.lost
    }

    /// The mean of the beta distribution of the share that is saved, given these cases, when it was a beta distribution with the
    /// mean `prior_saved / prior_closed` and the weight of `prior_closed` cases before.
    fn share(self, prior_saved: f64, prior_closed: f64) -> f64 {
        (f64::from(self.saved) + prior_saved) / (f64::from(self.closed()) + prior_closed)
    }
}

/// What is known of how cases like one ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Experience {
    /// All of its kind in its segment.
    pub all: Tally,
    /// Those of them that were as deep when they were opened.
    pub alike: Tally,
}

impl Experience {
    /// The chance to save, strictly between 0 and 1. Shares are shrunk twice (beta-binomial; Gelman et al., Bayesian Data Analysis,
    /// 3rd ed., 2013, sections 2.4 and 5.3): that of the segment towards the target, that of the cases as deep towards the segment's.
    pub fn save_chance(&self) -> f64 {
        let of_segment = self.all.share(PRIOR_SAVED, PRIOR_CLOSED);
        self.alike.share(SEGMENT_CLOSED * of_segment, SEGMENT_CLOSED)
    }
}

/// What a case's place among the others is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Priority {
    /// Annual recurring revenue.
    pub revenue_at_risk: Option<Money>,
    /// How far the score is below 70, as a share of 70; 1 without a score.
    pub decline: f64,
    /// The chance to save the customer, 0 to 1.
    pub save_chance: f64,
    /// Closed cases of the kind and segment that the chance is estimated from.
    pub save_chance_cases: i32,
    /// Those of them that were as deep when they were opened.
    pub save_chance_alike: i32,
}

impl Priority {
    /// Of an account with this revenue and score, when cases like this one ended so.
    pub fn of(revenue_at_risk: Option<Money>, score: Option<Points>, experience: Experience) -> Self {
        let below = score.map_or(1.0, |score| (RECOVERED_ABOVE.as_f64() - score.as_f64()) / RECOVERED_ABOVE.as_f64());
        Self {
            revenue_at_risk,
            decline: below.clamp(0.0, 1.0),
            save_chance: experience.save_chance(),
            save_chance_cases: experience.all.closed(),
            save_chance_alike: experience.alike.closed(),
        }
    }

    /// Revenue that can be expected to be kept by the work, in whole minor units, rounded; none when the revenue is not known.
    #[expect(clippy::cast_possible_truncation, reason = "at most the revenue, which is a whole number of minor units")]
    pub fn expected_gain(&self) -> Option<Money> {
        let revenue = self.revenue_at_risk?;
        let gain = (revenue.minor_units as f64 * self.decline * self.save_chance).round();
        Some(Money { currency: revenue.currency, minor_units: gain as i64 })
    }
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Currency;
    use proptest::prelude::*;

    use super::*;

    fn euros(minor_units: i64) -> Money {
        Money { currency: Currency::parse("EUR").expect("a currency"), minor_units }
    }

    fn tally(saved: i32, lost: i32) -> Tally {
        Tally { saved, lost }
    }

    fn chance(all: Tally, alike: Tally) -> f64 {
        Experience { all, alike }.save_chance()
    }

    #[test]
    fn r107_priority_is_the_product_of_its_parts() {
        let experience = Experience { all: tally(1, 3), alike: tally(0, 0) };
        let priority = Priority::of(Some(euros(18_000_000)), Some(Points::whole(35)), experience);
        assert_eq!((priority.decline, priority.save_chance, priority.save_chance_cases), (0.5, 0.5, 4));
        assert_eq!(priority.expected_gain(), Some(euros(4_500_000)));
        let new = Priority::of(None, None, Experience::default());
        assert_eq!(new.expected_gain(), None);
        assert!((new.save_chance - 0.75).abs() < 1e-12, "begins at the target");
    }

    #[test]
    fn r79_the_chance_is_that_of_the_segment_until_cases_as_deep_say_otherwise() {
        // Of the segment 5 + 3 of 12 + 4: one half.
        let all = tally(5, 7);
        for (alike, expected, why) in [
            (tally(0, 0), 0.5, "that of the segment"),
            (tally(0, 4), 0.25, "(0 + 4 × 0.5) / (4 + 4)"),
            (tally(4, 0), 0.75, "(4 + 4 × 0.5) / (4 + 4)"),
            (tally(1, 5), 0.3, "(1 + 4 × 0.5) / (6 + 4)"),
        ] {
            assert!((chance(all, alike) - expected).abs() < 1e-12, "{why}: {}", chance(all, alike));
        }
        let priority = Priority::of(None, None, Experience { all, alike: tally(1, 5) });
        assert_eq!((priority.save_chance_cases, priority.save_chance_alike), (12, 6));
    }

    #[test]
    fn r79_how_deep_an_account_had_fallen_goes_by_the_settled_bands() {
        let just_below = |points| Some(Points::from_units(Points::whole(points).units() - 1));
        for (score, depth) in [
            (Some(Points::ZERO), Depth::Critical),
            (just_below(50), Depth::Critical),
            (Some(Points::whole(50)), Depth::AtRisk),
            (just_below(70), Depth::AtRisk),
            (Some(Points::whole(70)), Depth::Above),
            (Some(Points::whole(100)), Depth::Above),
            (None, Depth::NoScore),
        ] {
            assert_eq!(Depth::of(score), depth, "{score:?}");
        }
    }

    proptest! {
        #[test]
        fn more_revenue_a_lower_score_and_a_better_chance_never_come_later(
            revenue in 0i64..10_000_000_000_000, more in 0i64..1_000_000, score in 0i32..=100, lower in 0i32..=100,
            saved in 0i32..1_000, lost in 0i32..1_000,
        ) {
            let gain = |revenue, score, saved, lost| {
                let experience = Experience { all: tally(saved, lost), alike: tally(saved, lost) };
                let priority = Priority::of(Some(euros(revenue)), Some(Points::whole(score)), experience);
                priority.expected_gain().map(|gain| gain.minor_units)
            };
            let base = gain(revenue, score, saved, lost);
            prop_assert!(gain(revenue + more, score, saved, lost) >= base);
            prop_assert!(gain(revenue, score.min(lower), saved, lost) >= base);
            prop_assert!(gain(revenue, score, saved + 1, lost) >= base);
            prop_assert!(gain(revenue, score, saved, lost + 1) <= base);
            prop_assert!(base <= Some(revenue), "never more than there is");
        }

        #[test]
        fn r79_the_chance_follows_each_end_and_stays_between_what_it_is_made_of(
            saved in 0i32..1_000, lost in 0i32..1_000, saved_elsewhere in 0i32..1_000, lost_elsewhere in 0i32..1_000,
        ) {
            let of = |saved, lost, saved_elsewhere, lost_elsewhere| {
                chance(tally(saved + saved_elsewhere, lost + lost_elsewhere), tally(saved, lost))
            };
            let base = of(saved, lost, saved_elsewhere, lost_elsewhere);
            prop_assert!(0.0 < base && base < 1.0);
            let elsewhere = of(saved, lost, saved_elsewhere + 1, lost_elsewhere);
            prop_assert!(base < elsewhere && elsewhere < of(saved + 1, lost, saved_elsewhere, lost_elsewhere));
            let elsewhere = of(saved, lost, saved_elsewhere, lost_elsewhere + 1);
            prop_assert!(base > elsewhere && elsewhere > of(saved, lost + 1, saved_elsewhere, lost_elsewhere));
            let of_segment = chance(tally(saved + saved_elsewhere, lost + lost_elsewhere), tally(0, 0));
            let own = if saved + lost == 0 { of_segment } else { f64::from(saved) / f64::from(saved + lost) };
            let (low, high) = (own.min(of_segment), own.max(of_segment));
            prop_assert!(low - 1e-12 <= base && base <= high + 1e-12, "{base} of {own} and {of_segment}");
        }
    }
}
