//! Figures of the expansion work.

use chrono::{DateTime, Utc};
use mainstay_domain::Money;

use super::criteria::CriterionKind;
use super::stage::Stage;
use mainstay_domain::Proportion;

/// A span of time: from `start` on and before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// At this time or later.
    pub start: Option<DateTime<Utc>>,
    /// Before this time.
    pub end: Option<DateTime<Utc>>,
}

/// What is in a stage, of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipelineEntry {
    /// The stage.
    pub stage: Stage,
    /// The sum of expected gains; none: these have no expected gain.
    pub expected_gain: Option<Money>,
    /// How many.
    pub count: i64,
    /// How many of them are on hold.
    pub held: i64,
    /// How many of them are overdue.
    pub overdue: i64,
    /// How many of them were handed over.
    pub handed_over: i64,
}

/// What became of those that entered a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageConversion {
    /// The stage.
    pub stage: Stage,
    /// How many entered it.
    pub entered: i64,
    /// How many came further.
    pub advanced: i64,
    /// How many were lost in it.
    pub lost: i64,
}

impl StageConversion {
    /// How many are in it, or postponed in it.
    pub const fn remaining(&self) -> i64 {
        self.entered - self.advanced - self.lost
    }

    /// Of those that are no longer in it, those that came further.
    pub const fn proportion(&self) -> Proportion {
        Proportion { count: self.advanced, total: self.advanced + self.lost }
    }
}

/// What became of closed opportunities, by a criterion as it was when they were opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CriterionOutcomes {
    /// The criterion.
    pub kind: CriterionKind,
    /// Won of those that met it.
    pub met: Proportion,
    /// Won of those that did not.
    pub not_met: Proportion,
    /// Won of those for which it was not known.
    pub not_known: Proportion,
}

impl CriterionOutcomes {
    /// The share won of those that met it, divided by that of all.
    pub fn lift(&self, all: Proportion) -> Option<f64> {
        let base = all.share().filter(|share| *share > 0.0)?;
        Some(self.met.share()? / base)
    }
}
