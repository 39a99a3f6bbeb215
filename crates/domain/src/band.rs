//! Bands of health and the cuts between them.

use crate::Points;

/// Range of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// Below `critical_below`.
    Critical,
    /// From `critical_below` to below `at_risk_below`.
    AtRisk,
    /// From `at_risk_below` up to and with `healthy_above`.
    Stable,
    /// Above `healthy_above`.
    Healthy,
}

/// The cuts between the bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandCuts {
    /// Below it a score is critical.
    pub critical_below: Points,
    /// Below it, and not critical, a score is at risk.
    pub at_risk_below: Points,
    /// Above it a score is healthy.
    pub healthy_above: Points,
}

impl Default for BandCuts {
    /// The settled cuts: critical < 50 ≤ at risk < 70 ≤ stable ≤ 85 < healthy.
    fn default() -> Self {
        Self { critical_below: Points::whole(50), at_risk_below: Points::whole(70), healthy_above: Points::whole(85) }
    }
}

impl BandCuts {
    /// The band of a score.
    pub fn band(&self, score: Points) -> Band {
        if score < self.critical_below {
            Band::Critical
        } else if score < self.at_risk_below {
            Band::AtRisk
        } else if score <= self.healthy_above {
            Band::Stable
        } else {
            Band::Healthy
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r57_scores_on_the_cuts_belong_where_the_settled_rules_say() {
        let cuts = BandCuts::default();
        let just_below = |whole: i32| Points::from_units(Points::whole(whole).units() - 1);
        let just_above = |whole: i32| Points::from_units(Points::whole(whole).units() + 1);
        assert_eq!(cuts.band(Points::ZERO), Band::Critical);
        assert_eq!(cuts.band(just_below(50)), Band::Critical);
        assert_eq!(cuts.band(Points::whole(50)), Band::AtRisk);
        assert_eq!(cuts.band(just_below(70)), Band::AtRisk);
        assert_eq!(cuts.band(Points::whole(70)), Band::Stable);
        assert_eq!(cuts.band(Points::whole(85)), Band::Stable);
        assert_eq!(cuts.band(just_above(85)), Band::Healthy);
        assert_eq!(cuts.band(Points::whole(100)), Band::Healthy);
    }
}
